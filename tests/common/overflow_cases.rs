//! The op table's rows with a number that is not finite: everything that it reaches must show it, and nothing else.

use super::cases::{Case, Data, Fate, Noise, sample_inputs};
use Fate::{Either, Kept, Lost};
use gpt_playground::config::Activation;
use gpt_playground::graph::Op;
use gpt_playground::ops::{
    ActivationOp, Attention, AttentionDecode, AttentionProbs, CausalAttention, CrossEntropyStats, LayerNorm,
    LossReport, MatMul, Product, Sample, ScaledAdd, Score, Softmax, TopK, control, hyper, metrics,
};
use std::sync::Arc;

type Input = (Vec<usize>, Data);

/// What an overflow leaves.
const BAD: [f32; 3] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];

struct Table {
    cases: Vec<Case>,
    noise: Noise,
}

fn u32s(values: &[u32]) -> Input {
    (vec![values.len()], Data::U32(values.to_vec()))
}

impl Table {
    fn floats(&mut self, n: usize) -> Vec<f32> {
        // None is near 0, whose product with infinity is NaN whatever comes of the sign.
        let float = |noise: &mut Noise| {
            let x = noise.float();
            x + 0.2 * x.signum()
        };
        (0..n).map(|_| float(&mut self.noise)).collect()
    }

    fn input(&mut self, shape: &[usize]) -> Input {
        (shape.to_vec(), Data::F32(self.floats(shape.iter().product())))
    }

    /// An input with `bad` at some places.
    fn spoilt(&mut self, shape: &[usize], at: &[usize], bad: f32) -> Input {
        let mut values = self.floats(shape.iter().product());
        at.iter().for_each(|&at| values[at] = bad);
        (shape.to_vec(), Data::F32(values))
    }

    fn add(&mut self, label: String, op: impl Op + 'static, inputs: Vec<Input>, output: usize, fates: Vec<Fate>) {
        let fates = vec![(output, fates)];
        self.cases.push(Case { label, op: Arc::new(op), inputs, tolerance: 1e-5, in_browser: true, fates });
    }

    fn rows(&mut self) {
        for (c, at) in [(1, 0), (7, 0), (7, 3), (65, 64), (300, 299), (300, 130)] {
            let fates = |row: usize| (0..3 * c).map(|i| if i / c == row { Lost } else { Kept }).collect::<Vec<_>>();
            for (bad, row) in BAD.into_iter().zip([0, 1, 2]) {
                let label = |op: &str| format!("{op} (3, {c}) with {bad} at ({row}, {at})");
                let inputs = vec![self.spoilt(&[3, c], &[row * c + at], bad), self.input(&[c]), self.input(&[c])];
                self.add(label("layer_norm"), LayerNorm { eps: 1e-5 }, inputs, 0, fates(row));
                let x = self.spoilt(&[3, c], &[row * c + at], bad);
                self.add(label("softmax"), Softmax, vec![x], 0, fates(row));
                let inputs = vec![self.spoilt(&[3, c], &[row * c + at], bad), u32s(&[0, u32::MAX, 1])];
                // The sum is what tells of it.
                let stats = (0..12).map(|i| if i / 4 != row { Kept } else { [Either, Lost][usize::from(i % 4 == 1)] });
                let op = CrossEntropyStats { col0: 0, first: true };
                self.add(label("cross_entropy_stats"), op, inputs, 0, stats.collect());
            }
            for bad in BAD.into_iter().chain([1.1e30, -1.1e30]) {
                let label = |op: &str| format!("{op} (3, {c}) with {bad} at (1, {at})");
                let inputs =
                    vec![self.spoilt(&[3, c], &[c + at], bad), u32s(&[0, (at as u32 + 1) % c as u32, u32::MAX])];
                let scores = (0..12).map(|i| if i / 4 == 1 { Lost } else { Kept });
                self.add(label("score"), Score, inputs, 0, scores.collect());
                let (k, x) = (c.min(5), self.spoilt(&[3, c], &[c + at], bad));
                let top = (0..3 * k).map(|i| if i / k == 1 { Lost } else { Kept });
                self.add(label("top_k"), TopK { k }, vec![x], 1, top.collect());
            }
            if c > 1 {
                // The squares overflow, though no number does.
                let inputs = vec![self.spoilt(&[3, c], &[c + at], 1e25), self.input(&[c]), self.input(&[c])];
                self.add(format!("layer_norm (3, {c}) with 1e25"), LayerNorm { eps: 1e-5 }, inputs, 0, fates(1));
            }
        }
        // What is large and still a number is none of this.
        let inputs = vec![self.spoilt(&[2, 300], &[7, 311], -9e29), u32s(&[7, 3])];
        self.add("score (2, 300) with -9e29".into(), Score, inputs, 0, vec![Kept; 8]);
    }

    /// The loss of rows, of which one's statistics hold a sum that is not finite; without a target it has no say.
    fn losses(&mut self) {
        for (bad, at) in BAD[..2].iter().flat_map(|&bad| [0, 6, 69].map(|at| (bad, at))) {
            for (target, fate) in [(5, Lost), (u32::MAX, Kept)] {
                let (mut stats, mut targets) = (self.floats(70 * 4), vec![3; 70]);
                stats.iter_mut().for_each(|x| *x = x.abs());
                (stats[4 * at + 1], targets[at]) = (bad, target);
                let mut words = [0; hyper::WORDS];
                words[hyper::LOSS_SCALE] = 0.01f32.to_bits();
                let inputs =
                    vec![(vec![70, 4], Data::F32(stats)), u32s(&targets), u32s(&words), self.input(&[metrics::LEN])];
                let mut fates = vec![Kept; metrics::LEN];
                fates[metrics::LOSS] = fate;
                self.add(format!("loss_report 70 with {bad} at {at}, target {target}"), LossReport, inputs, 0, fates);
            }
        }
    }

    fn linear(&mut self) {
        let acts = [Activation::GeluTanh, Activation::GeluErf, Activation::Relu];
        for (bad, act) in BAD.into_iter().flat_map(|bad| acts.map(|act| (bad, act))) {
            for (len, at) in [(1, 0), (7, 5), (257, 256)] {
                let x = self.spoilt(&[len], &[at], bad);
                let fates = (0..len).map(|i| if i == at { Lost } else { Kept }).collect();
                self.add(format!("{act:?} {len} with {bad} at {at}"), ActivationOp(act), vec![x], 0, fates);
            }
            for (m, n, k) in [(1, 8, 5), (1, 37, 64), (5, 36, 20), (20, 7, 9)] {
                for product in [Product::NN, Product::NT] {
                    let (row, b) = (m / 2, if product == Product::NT { [n, k] } else { [k, n] });
                    let inputs = vec![
                        self.spoilt(&[m, k], &[row * k + k - 1], bad),
                        self.input(&b),
                        self.input(&[n]),
                        self.input(&[m, n]),
                    ];
                    let op = MatMul { bias: true, residual: true, act: Some(act), ..MatMul::new(product) };
                    let fates = (0..m * n).map(|i| if i / n == row { Lost } else { Kept }).collect();
                    self.add(format!("matmul {product:?} {m}x{n}x{k} {act:?} with {bad}"), op, inputs, 0, fates);
                }
            }
        }
        for (bad, s) in BAD.into_iter().flat_map(|bad| [(bad, 0.5), (bad, 0.0)]) {
            let inputs = vec![self.input(&[9]), self.spoilt(&[9], &[4], bad), (vec![1], Data::F32(vec![s]))];
            // What is multiplied by 0 is switched off.
            let fates = (0..9).map(|i| if i == 4 && s != 0.0 { Lost } else { Kept }).collect();
            self.add(format!("scaled_add 9 with {bad} times {s}"), ScaledAdd, inputs, 0, fates);
        }
    }

    /// Attention with `bad` in a query, key or value of the last head.
    fn attention(&mut self) {
        // (queries, heads, n_ctx, head width, pos0, valid)
        let shapes = [(1, 2, 9, 8, 8, 1), (5, 2, 40, 5, 30, 4), (19, 1, 70, 64, 40, 19), (4, 2, 24, 130, 3, 4)];
        for ((t, h, ctx, d, pos0, n), bad) in shapes.into_iter().flat_map(|s| BAD.map(|bad| (s, bad))) {
            let c = h * d;
            let label = |op: &str, what: &str, at: usize| {
                format!("{op} {t} queries at {pos0}, {n} valid, {h} heads of {d}, {what} {at} is {bad}")
            };
            let step = || {
                let mut step = vec![pos0 as u32, n as u32];
                step.resize(2 + t, 0);
                u32s(&step)
            };
            // Position `at` is the last token that others see, and its own first or last dimension is spoilt.
            let (last_head, dim) = ((h - 1) * d, d - 1);
            // Whatever lies behind the last valid key is nobody's business.
            let behind: Vec<usize> = (0..2 * h).flat_map(|i| i * ctx + pos0 + n..(i + 1) * ctx).collect();
            let behind: Vec<usize> = behind.into_iter().map(|row| row * d).collect();
            let cache = |table: &mut Self, at: Option<usize>| {
                let (shape, mut data) = table.spoilt(&[2, h, ctx, d], &behind, f32::NAN);
                if let (Some(at), Data::F32(values)) = (at, &mut data) {
                    values[at] = bad;
                }
                (shape, data)
            };
            // By query and column: whether it is lost.
            let fates = |lost: &dyn Fn(usize, usize) -> bool| {
                (0..t * c).map(|i| if i / c < n && lost(i / c, i % c) { Lost } else { Kept }).collect::<Vec<_>>()
            };
            let of_head = |column: usize| column >= last_head;
            let query = n - 1;
            let inputs =
                vec![self.spoilt(&[t, 3 * c], &[query * 3 * c + last_head + dim], bad), cache(self, None), step()];
            let lost = fates(&|row, column| row == query && of_head(column));
            self.add(label("attention", "query", query), Attention { n_head: h }, inputs, 0, lost);
            for at in [0, pos0 - 1, pos0 + n - 1] {
                let key = ((h - 1) * ctx + at) * d + dim;
                let inputs = vec![self.input(&[t, 3 * c]), cache(self, Some(key)), step()];
                let lost = fates(&|row, column| pos0 + row >= at && of_head(column));
                self.add(label("attention", "key", at), Attention { n_head: h }, inputs, 0, lost);
                let value = ((2 * h - 1) * ctx + at) * d + dim;
                let inputs = vec![self.input(&[t, 3 * c]), cache(self, Some(value)), step()];
                let lost = fates(&|row, column| pos0 + row >= at && column == last_head + dim);
                self.add(label("attention", "value", at), Attention { n_head: h }, inputs, 0, lost);

                let inputs = vec![self.input(&[ctx, c]), cache(self, Some(key)), step(), u32s(&[h as u32 - 1, 1])];
                let sees = |row: usize, j: usize| row < n && j <= pos0 + row && pos0 + row >= at;
                let probs = (0..t * ctx).map(|i| if sees(i / ctx, i % ctx) { Lost } else { Kept }).collect();
                let op = AttentionProbs { rows: t, cells: ctx, all_heads: false };
                self.add(label("attention_probs", "key", at), op, inputs, 0, probs);
            }
        }
        self.decode();
        self.sequences();
    }

    /// A row of decoding, whose cache takes what is not finite as it is.
    fn add_decode(&mut self, label: String, h: usize, inputs: Vec<Input>, fates: Vec<Fate>) {
        let cache = inputs[0].0.iter().product();
        self.add(label, AttentionDecode { n_head: h }, inputs, 1, fates);
        self.cases.last_mut().expect("the row just added").fates.push((0, vec![Either; cache]));
    }

    fn decode(&mut self) {
        // (heads, n_ctx, head width, pos)
        let shapes = [(2, 9, 8, 8), (1, 300, 64, 299), (2, 40, 5, 17), (1, 4, 20, 0)];
        for ((h, ctx, d, pos), bad) in shapes.into_iter().flat_map(|s| BAD.map(|bad| (s, bad))) {
            let c = h * d;
            let behind: Vec<usize> = (0..2 * h).flat_map(|i| i * ctx + pos..(i + 1) * ctx).map(|row| row * d).collect();
            let label = |what: String| format!("attention_decode {h} heads of {d} at {pos} of {ctx}, {what} is {bad}");
            let head = (h - 1) * d;
            let out = |of: &dyn Fn(usize) -> bool| (0..c).map(|i| if of(i) { Lost } else { Kept }).collect::<Vec<_>>();
            for (part, lost) in [(0, out(&|i| i >= head)), (1, out(&|i| i >= head)), (2, out(&|i| i == c - 1))] {
                let cache = self.spoilt(&[2, h, ctx, d], &behind, f32::NAN);
                let qkv = self.spoilt(&[1, 3 * c], &[part * c + c - 1], bad);
                let what = format!("the token's own {}", ["query", "key", "value"][part]);
                self.add_decode(label(what), h, vec![cache, qkv, u32s(&[pos as u32, 1, 0])], lost);
            }
            for (at, which) in (0..pos).step_by(100).chain(pos.checked_sub(1)).flat_map(|at| [(at, 0), (at, 1)]) {
                let mut cache = self.spoilt(&[2, h, ctx, d], &behind, f32::NAN);
                if let Data::F32(values) = &mut cache.1 {
                    values[((which * h + h - 1) * ctx + at) * d + d - 1] = bad;
                }
                let inputs = vec![cache, self.input(&[1, 3 * c]), u32s(&[pos as u32, 1, 0])];
                let lost = out(&|i| if which == 0 { i >= head } else { i == c - 1 });
                let what = format!("{} {at}", ["key", "value"][which]);
                self.add_decode(label(what), h, inputs, lost);
            }
        }
    }

    fn sequences(&mut self) {
        for ((b, t, h, d), bad) in [(2, 9, 2, 5), (1, 70, 1, 64)].into_iter().flat_map(|s| BAD.map(|bad| (s, bad))) {
            let c = h * d;
            for (part, at) in [(0, 3), (1, 3), (2, 3), (1, t - 1), (2, t - 1)] {
                let row = (b - 1) * t + at;
                let qkv = self.spoilt(&[b * t, 3 * c], &[row * 3 * c + part * c + c - 1], bad);
                let lost = |i: usize| match (i / c, i % c, part) {
                    (r, column, 0) => r == row && column >= c - d,
                    (r, column, 1) => r >= row && column >= c - d,
                    (r, column, _) => r >= row && column == c - 1,
                };
                let fates = (0..b * t * c).map(|i| if lost(i) { Lost } else { Kept }).collect();
                let what = ["query", "key", "value"][part];
                let label = format!("causal_attention {b} sequences of {t}, {h} heads of {d}, {what} {at} is {bad}");
                self.add(label, CausalAttention { n_head: h, seq: t, dropout: 0.0 }, vec![qkv], 0, fates);
                // The denominators, by head and position: a value has no part in them.
                let gone = |i: usize| i / t == b * h - 1 && [i % t == at, i % t >= at, false][part];
                let lse = (0..b * h * t).map(|i| if gone(i) { Lost } else { Kept }).collect();
                self.cases.last_mut().expect("the row just added").fates.push((1, lse));
            }
        }
    }

    /// One logit of all, wherever it stands and whatever would rule it out: nothing is sampled.
    fn sampling(&mut self) {
        let options = [
            (0.0f32, 0, 1.0f32, 0.0f32, 1.0f32),
            (1.0, 0, 1.0, 0.0, 1.0),
            (0.7, 1, 1.0, 0.0, 1.0),
            (1.3, 0, 0.3, 0.5, 1.0),
            (0.01, 40, 0.95, 0.02, 0.01),
            (100.0, 0, 1.0, 0.0, 100.0),
        ];
        // Tokens 0, 3 and 18 are in the text, and so penalised.
        let places = [(1, 0), (100, 0), (100, 3), (100, 18), (100, 50), (100, 99), (2048, 1999)];
        for (i, options) in options.into_iter().enumerate() {
            for (j, (vocab, at)) in places.into_iter().enumerate() {
                let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.1e30][(i + j) % 4];
                let logits = self.spoilt(&[1, vocab], &[at], bad);
                let label = format!("sample {vocab} with {bad} at {at}, options {options:?}");
                self.add(label, Sample, sample_inputs(options, 1, logits), 2, vec![Kept; vocab]);
            }
        }
    }
}

/// Every row.
pub fn cases() -> Vec<Case> {
    let mut table = Table { cases: Vec::new(), noise: Noise::new(3) };
    table.rows();
    table.losses();
    table.linear();
    table.attention();
    table.sampling();
    table.cases
}

/// Whether a control block says that sampling found a logit that it cannot compute with.
pub fn says_overflow(block: &[u32]) -> bool {
    (block[control::N], block[control::FINISH], block[control::STEP]) == (0, control::FINISH_OVERFLOW, 70)
}
