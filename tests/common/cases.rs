//! The table of op cases: every op over awkward shapes. Natively each row is run on the CPU and on the GPU (with kernels
//! shaped for software and for hardware) and compared; in the browser a subset is.

use gpt_playground::config::Activation;
use gpt_playground::graph::{DType, Meta, Op};
use gpt_playground::ops::{
    ActivationOp, Add, Attention, AttentionDecode, AttentionProbs, Columns, Embedding, Gate, KvAppend, LayerNorm,
    MatMul, PositionEmbedding, Product, Sample, Score, Softmax, StoreRows, TakeRows, TopK, control, settings,
};
use std::sync::Arc;

/// Contents of an input.
pub enum Data {
    /// Floats.
    F32(Vec<f32>),
    /// Unsigned integers.
    U32(Vec<u32>),
}

/// One row of the table.
pub struct Case {
    /// For messages.
    pub label: String,
    /// The op.
    pub op: Arc<dyn Op>,
    /// Shapes and contents of its inputs.
    pub inputs: Vec<(Vec<usize>, Data)>,
    /// Largest |a - b| / max |b| of a float output. Sums of K products in f32 in another order differ by about
    /// sqrt(K) 6e-8 of the largest term; exp and tanh differ between implementations by a few 1e-7.
    pub tolerance: f32,
    /// Whether the browser test compares this row too (it compiles and runs every row's kernels anyway).
    pub in_browser: bool,
    /// Of some outputs, by their number: which elements must not be finite. Of the others, all must be.
    pub fates: Vec<(usize, Vec<Fate>)>,
}

/// What becomes of an element where an input was not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is an ordinary number.
    Kept,
    /// It is NaN or infinite.
    Lost,
    /// Nobody reads it.
    Either,
}

impl Case {
    /// The metas of the inputs.
    pub fn metas(&self) -> Vec<Meta> {
        let dtype = |d: &Data| match d {
            Data::F32(_) => DType::F32,
            Data::U32(_) => DType::U32,
        };
        self.inputs.iter().map(|(shape, data)| Meta { dtype: dtype(data), shape: shape.clone() }).collect()
    }
}

/// Repeatable values in -1..1.
pub struct Noise(u64);

impl Noise {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// 32 random bits (xorshift64*).
    pub fn bits(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as u32
    }

    /// A float in -1..1.
    pub fn float(&mut self) -> f32 {
        (self.bits() >> 8) as f32 / (1 << 23) as f32 - 1.0
    }
}

struct Table {
    cases: Vec<Case>,
    noise: Noise,
}

impl Table {
    fn f32(&mut self, shape: &[usize]) -> (Vec<usize>, Data) {
        self.scaled(shape, 1.0)
    }

    fn scaled(&mut self, shape: &[usize], scale: f32) -> (Vec<usize>, Data) {
        let n = shape.iter().product();
        (shape.to_vec(), Data::F32((0..n).map(|_| scale * self.noise.float()).collect()))
    }

    fn u32(&mut self, values: &[u32]) -> (Vec<usize>, Data) {
        (vec![values.len()], Data::U32(values.to_vec()))
    }

    fn add(&mut self, label: String, op: impl Op + 'static, inputs: Vec<(Vec<usize>, Data)>, tolerance: f32) {
        let in_browser = inputs.iter().all(|(shape, _)| shape.iter().product::<usize>() <= 4096);
        self.cases.push(Case { label, op: Arc::new(op), inputs, tolerance, in_browser, fates: Vec::new() });
    }

    fn elementwise(&mut self) {
        for len in [1, 5, 64, 257] {
            let (a, b) = (self.f32(&[len]), self.f32(&[len]));
            self.add(format!("add {len}"), Add, vec![a, b], 0.0);
            for act in [Activation::GeluTanh, Activation::GeluErf, Activation::Relu] {
                // Up to ±40, where tanh overflows on some drivers.
                let x = self.scaled(&[len], 40.0);
                self.add(format!("{act:?} {len} wide"), ActivationOp(act), vec![x], 2e-6);
                let x = self.scaled(&[len], 2.0);
                self.add(format!("{act:?} {len}"), ActivationOp(act), vec![x], 2e-6);
            }
        }
    }

    fn rows(&mut self) {
        for (t, c) in [(1, 1), (1, 7), (3, 64), (9, 65), (2, 300), (17, 768)] {
            for bias in [true, false] {
                let mut inputs = vec![self.scaled(&[t, c], 3.0), self.f32(&[c])];
                if bias {
                    inputs.push(self.f32(&[c]));
                }
                self.add(format!("layer_norm ({t}, {c}) bias {bias}"), LayerNorm { eps: 1e-5 }, inputs, 1e-5);
            }
            let x = self.scaled(&[t, c], 30.0);
            self.add(format!("softmax ({t}, {c})"), Softmax, vec![x], 2e-6);
            let logits = self.scaled(&[t, c], 20.0);
            let targets: Vec<u32> = (0..t as u32).map(|i| if i == 1 { u32::MAX } else { i * 5 % c as u32 }).collect();
            let targets = self.u32(&targets);
            self.add(format!("score ({t}, {c})"), Score, vec![logits, targets], 1e-5);
        }
    }

    fn looking(&mut self) {
        for (t, v, k) in [(1, 1, 1), (3, 7, 7), (5, 300, 10), (9, 2048, 10), (2, 5003, 5)] {
            let logits = self.scaled(&[t, v], 8.0);
            self.add(format!("top_k {k} of ({t}, {v})"), TopK { k }, vec![logits], 0.0);
            let (shape, data) = self.scaled(&[t, v], 3.0);
            let Data::F32(values) = data else { unreachable!("scaled gives floats") };
            let ties = (shape, Data::F32(values.into_iter().map(f32::round).collect()));
            self.add(format!("top_k {k} of ({t}, {v}) with ties"), TopK { k }, vec![ties], 0.0);
        }
        for (t, groups, width, first) in [(1, 1, 1, 0), (3, 4, 5, 2), (17, 5, 32, 6), (2, 1, 300, 5)] {
            let inputs = vec![self.f32(&[t, groups * width]), self.f32(&[first + groups + 1])];
            self.add(format!("gate {groups} x {width}, {t} rows"), Gate { first, groups }, inputs, 0.0);
        }
        // (state rows, width, new rows, their width, first column, pos0, valid)
        let shapes = [(1, 1, 1, 1, 0, 0, 1), (9, 7, 4, 21, 7, 3, 3), (8, 64, 5, 64, 0, 6, 5), (4, 3, 2, 9, 6, 0, 0)];
        for (rows, w, t, x, start, pos0, n) in shapes {
            let label = format!("({rows}, {w}), {t} rows at {pos0}, {n} valid");
            let inputs = vec![self.f32(&[rows, w]), self.f32(&[t, x]), self.u32(&[pos0, n, 0])];
            self.add(format!("store_rows {label}"), StoreRows { start }, inputs, 0.0);
            let inputs = vec![self.f32(&[rows, w]), self.u32(&[pos0, n])];
            self.add(format!("take_rows {label}"), TakeRows { rows: t }, inputs, 0.0);
        }
    }

    fn embeddings(&mut self) {
        for (t, vocab, c, row0, n) in [(1, 3, 1, 0, 1), (5, 11, 7, 0, 3), (16, 40, 20, 8, 16), (4, 9, 64, 3, 0)] {
            let mut step = vec![2, n];
            step.extend((0..t as u32).map(|i| i * 7 % (vocab as u32 + row0)));
            let ids = self.u32(&step);
            let table = self.f32(&[vocab, c]);
            let op = Embedding { rows: t, row0: row0 as usize };
            self.add(format!("embedding {t} of ({vocab}, {c}) from {row0}"), op, vec![ids, table], 0.0);
            let (ids, x, table) = (self.u32(&step), self.f32(&[t, c]), self.f32(&[t + 1, c]));
            self.add(format!("position_embedding ({t}, {c})"), PositionEmbedding { seq: t }, vec![ids, x, table], 0.0);
        }
    }

    fn products(&mut self) {
        let shapes = [
            (1, 1, 1),
            (1, 7, 5),
            (1, 64, 32),
            (1, 129, 67),
            (1, 256, 384),
            (2, 3, 4),
            (7, 8, 9),
            (16, 16, 16),
            (31, 33, 17),
            (64, 64, 64),
            (65, 68, 36),
            (130, 132, 20),
        ];
        for (m, n, k) in shapes {
            for product in [Product::NN, Product::NT, Product::TN] {
                let a = if product == Product::TN { [k, m] } else { [m, k] };
                let b = if product == Product::NT { [n, k] } else { [k, n] };
                let inputs = vec![self.f32(&a), self.f32(&b)];
                self.add(format!("matmul {product:?} {m}x{n}x{k}"), MatMul::new(product), inputs, 3e-6);
                for act in [None, Some(Activation::GeluTanh), Some(Activation::GeluErf), Some(Activation::Relu)] {
                    if product == Product::TN || (act.is_some() && m > 64) {
                        continue;
                    }
                    let inputs = vec![self.f32(&a), self.f32(&b), self.f32(&[n]), self.f32(&[m, n])];
                    let op = MatMul { bias: true, residual: true, act, ..MatMul::new(product) };
                    self.add(format!("matmul {product:?} {m}x{n}x{k} bias {act:?} residual"), op, inputs, 3e-6);
                }
            }
            // A head cut in two: the second piece's columns, with and without an aligned start.
            for start in [4, 5] {
                let width = start + n;
                let inputs = vec![self.f32(&[m, k]), self.f32(&[n, k]), self.f32(&[width]), self.f32(&[m, width])];
                let columns = Columns { width, start, update: true };
                let op = MatMul::new(Product::NT).with_bias(true).into_columns(columns);
                self.add(format!("matmul {m}x{n}x{k} into columns {start}.."), op, inputs, 3e-6);
            }
        }
    }

    fn attention(&mut self) {
        // (queries, heads, n_ctx, head width, pos0, valid)
        let shapes = [
            (1, 1, 1, 1, 0, 1),
            (1, 2, 9, 8, 8, 1),
            (3, 2, 8, 5, 0, 3),
            (4, 3, 16, 4, 7, 2),
            (5, 1, 300, 64, 260, 5),
            (17, 2, 40, 20, 13, 17),
            (33, 1, 64, 80, 0, 33),
            (6, 1, 24, 130, 3, 0),
            (2, 1, 12, 260, 4, 2),
        ];
        for (t, h, ctx, d, pos0, n) in shapes {
            let c = h * d;
            let label = format!("{t} queries, {h} heads of {d}, context {ctx}, at {pos0}, {n} valid");
            let mut step = vec![pos0, n];
            step.resize(2 + t, 0);
            for scale in [1.0, 12.0] {
                let inputs =
                    vec![self.scaled(&[t, 3 * c], scale), self.scaled(&[2, h, ctx, d], scale), self.u32(&step)];
                self.add(format!("attention {label}, scale {scale}"), Attention { n_head: h }, inputs, 1e-5);
            }
            let inputs = vec![self.f32(&[2, h, ctx, d]), self.f32(&[t, 3 * c]), self.u32(&step)];
            self.add(format!("kv_append {label}"), KvAppend, inputs, 0.0);
            // The last head, the mean of all, all for themselves; single keys, and groups of which the last is larger.
            for (head, group, cells, all_heads) in
                [(h - 1, 1, ctx, false), (h, 1, ctx, false), (h, 3, 2, false), (0, 2, ctx.div_ceil(2), true)]
            {
                let pick = self.u32(&[head as u32, group]);
                let inputs = vec![self.f32(&[ctx, c]), self.f32(&[2, h, ctx, d]), self.u32(&step), pick];
                let op = AttentionProbs { rows: t, cells, all_heads };
                self.add(format!("attention_probs {label}, {cells} cells of {group}, head {head}"), op, inputs, 1e-5);
            }
            for valid in [1, 0] {
                let step = self.u32(&[pos0, valid, 0]);
                let inputs = vec![self.f32(&[2, h, ctx, d]), self.scaled(&[1, 3 * c], 3.0), step];
                let op = AttentionDecode { n_head: h };
                self.add(format!("attention_decode {label}, active {valid}"), op, inputs, 1e-5);
            }
        }
    }

    fn sampling(&mut self) {
        // (temperature, top_k, top_p, min_p, penalty)
        let options = [
            (0.0f32, 0, 1.0f32, 0.0f32, 1.0f32),
            (1.0, 0, 1.0, 0.0, 1.0),
            (0.7, 5, 1.0, 0.0, 1.0),
            (1.3, 0, 0.8, 0.0, 1.0),
            (0.9, 0, 1.0, 0.1, 1.2),
            (0.8, 40, 0.95, 0.02, 1.1),
            (0.01, 0, 1.0, 0.0, 1.0),
            (0.01, 3, 0.9, 0.5, 0.01),
            (1.0, 0, 1e-12, 0.0, 1.0),
        ];
        for (i, options) in options.into_iter().enumerate() {
            for vocab in [1, 2, 9, 100, 2048, 5003] {
                let logits = self.scaled(&[1, vocab], 8.0);
                self.sample(format!("sample {vocab}, options {i}"), options, 1, logits);
            }
            // Few values: the ten best and the cut-offs are all decided by ties.
            let (shape, data) = self.scaled(&[1, 700], 3.0);
            let Data::F32(values) = data else { unreachable!("scaled gives floats") };
            let ties = (shape, Data::F32(values.into_iter().map(f32::round).collect()));
            self.sample(format!("sample 700 with ties, options {i}"), options, 1, ties);
        }
        let logits = self.scaled(&[1, 100], 8.0);
        self.sample("sample 100, finished".into(), options[1], 0, logits);
    }

    fn sample(&mut self, label: String, options: Sampling, active: u32, logits: (Vec<usize>, Data)) {
        self.add(label, Sample, sample_inputs(options, active, logits), 1e-5);
    }
}

/// Temperature, top-k, top-p, min-p, repetition penalty.
pub type Sampling = (f32, u32, f32, f32, f32);

/// The inputs of a step of sampling, at position 6 of a text of which token i is 3 i.
pub fn sample_inputs(options: Sampling, active: u32, logits: (Vec<usize>, Data)) -> Vec<(Vec<usize>, Data)> {
    let (temperature, top_k, top_p, min_p, penalty) = options;
    let u32 = |values: &[u32]| (vec![values.len()], Data::U32(values.to_vec()));
    let vocab = logits.0[1] as u32;
    let mut words = [0u32; settings::WORDS];
    words[settings::TEMPERATURE] = temperature.to_bits();
    words[settings::TOP_K] = top_k;
    words[settings::TOP_P] = top_p.to_bits();
    words[settings::MIN_P] = min_p.to_bits();
    words[settings::REPETITION_PENALTY] = penalty.to_bits();
    words[settings::SEED_LOW] = 77 + top_k;
    words[settings::STOP] = u32::MAX;
    let mut block = [0u32; control::WORDS];
    block[control::POS] = 6;
    block[control::N] = active;
    block[control::ID] = 3 % vocab;
    block[control::STEP] = 70;
    block[control::REMAINING] = 5;
    let history: Vec<u32> = (0..12).map(|i| i * 3 % vocab).collect();
    vec![logits, u32(&words), u32(&block), u32(&history)]
}

/// Every row.
pub fn cases() -> Vec<Case> {
    let mut table = Table { cases: Vec::new(), noise: Noise::new(1) };
    table.elementwise();
    table.rows();
    table.looking();
    table.embeddings();
    table.products();
    table.attention();
    table.sampling();
    table.cases.extend(super::overflow_cases::cases());
    table.cases.extend(super::attention_training_cases::cases());
    table.cases.extend(super::training_cases::cases());
    table.cases
}
