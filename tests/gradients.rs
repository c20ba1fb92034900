//! Every gradient rule against central differences on the CPU twin, from single ops to whole models; and that frozen
//! parameters cost nothing.
//!
//! f32 allows about 1e-2, which catches wrong rules; the fixtures of `tests/training.rs` catch wrong digits.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::cases::Noise;
use gpt_playground::config::{Activation, GptConfig, NormPosition};
use gpt_playground::exec::Executor;
use gpt_playground::graph::{
    Graph, Layout, Limits, Loc, Meta, Op, Plan, SlabSet, Storage, Sums, TensorId, differentiate, gradient_name,
};
use gpt_playground::model::lora::{LoraOptions, LoraTarget};
use gpt_playground::model::params::{ParamSpec, param_specs};
use gpt_playground::model::{GptPlan, Parts, Pass, TrainShape, build};
use gpt_playground::ops::{
    Accumulate, ActivationOp, Add, CausalAttention, Dropout, DropoutMask, Embedding, LayerNorm, MatMul,
    PositionEmbedding, Product, ScaledAdd, hyper,
};
use pollster::block_on;
use std::collections::HashMap;
use std::sync::Arc;

/// Largest difference, as a part of the tensor's largest gradient.
const TOLERANCE: f64 = 1e-2;
/// How many elements of a tensor are varied at most, evenly spread.
const MOST: usize = 40;

fn values(seed: u64, n: usize, scale: f32) -> Vec<f32> {
    let mut noise = Noise::new(seed);
    (0..n).map(|_| scale * noise.float()).collect()
}

fn hyper_words() -> Vec<u32> {
    let mut words = vec![0; hyper::WORDS];
    words[hyper::LOSS_SCALE] = 1.0f32.to_bits();
    words[hyper::SEED_LOW] = 77;
    words
}

/// A CPU with the memory of a layout.
struct Cpu {
    executor: Executor,
    layout: Layout,
}

impl Cpu {
    fn new(layout: Layout) -> Self {
        Self { executor: Executor::Cpu(Box::default()), layout }
    }

    fn add(&mut self, name: &str, graph: Graph) -> (usize, Arc<Plan>) {
        let plan = Arc::new(Plan::compile(name, graph, &mut self.layout, &Limits::default()).expect("a plan"));
        block_on(self.executor.allocate(&self.layout)).expect("memory");
        (block_on(self.executor.add_plan(Arc::clone(&plan))).expect("memory"), plan)
    }

    /// Fills an input. A wrong name would leave it at zero, where all differences are zero too.
    fn write(&mut self, name: &str, bytes: &[u8]) {
        let loc = self.layout.find(name).unwrap_or_else(|| panic!("no plan has made {name}"));
        self.executor.write(loc, bytes);
    }

    fn run(&mut self, plan: usize) {
        block_on(self.executor.run(plan, 1)).expect("a run");
    }

    fn read(&mut self, loc: Loc) -> Vec<f32> {
        block_on(self.executor.read_f32(loc)).expect("values")
    }

    /// Compares gradients of the parameter at `loc` with differences of `loss`.
    fn compare(&mut self, what: &str, loc: Loc, gradient: &[f32], h: f32, loss: &mut dyn FnMut(&mut Self) -> f64) {
        let start = self.read(loc);
        let mut pairs = Vec::new();
        let mut noise = 0.0f64;
        for i in (0..start.len()).step_by(start.len().div_ceil(MOST)) {
            let mut at = |x: f32| {
                let mut moved = start.clone();
                moved[i] = x;
                self.executor.write(loc, bytemuck::cast_slice(&moved));
                loss(self)
            };
            let (high, low) = (start[i] + h, start[i] - h);
            let (up, down) = (at(high), at(low));
            // The distance that f32 really made of 2 h.
            pairs.push((f64::from(gradient[i]), (up - down) / f64::from(high - low)));
            noise = noise.max(3e-7 * up.abs().max(1.0) / f64::from(h));
        }
        self.executor.write(loc, bytemuck::cast_slice(&start));
        let largest = pairs.iter().fold(0.0f64, |m, p| m.max(p.1.abs()));
        for (i, (got, want)) in pairs.iter().enumerate() {
            let d = (got - want).abs();
            assert!(d <= TOLERANCE * largest + noise, "{what}, element {i}: {got} instead of {want} (of {largest})");
        }
    }
}

/// Applies the op under test to the tensors of these names.
type Build = Box<dyn Fn(&mut Graph, &HashMap<&str, TensorId>) -> TensorId>;

/// A small graph: its parameters with their starting values, other inputs, and the op under test.
struct Problem {
    label: String,
    params: Vec<(&'static str, Vec<usize>, Vec<f32>)>,
    inputs: Vec<(&'static str, Vec<u32>)>,
    build: Build,
}

impl Problem {
    fn new(
        label: &str,
        params: &[(&'static str, &[usize])],
        build: impl Fn(&mut Graph, &HashMap<&str, TensorId>) -> TensorId + 'static,
    ) -> Self {
        let fill = |(i, (name, shape)): (usize, &(&'static str, &[usize]))| {
            (*name, shape.to_vec(), values(i as u64 + 3, shape.iter().product(), 1.0))
        };
        let params = params.iter().enumerate().map(fill).collect();
        Self { label: label.into(), params, inputs: Vec::new(), build: Box::new(build) }
    }

    fn input(mut self, name: &'static str, words: Vec<u32>) -> Self {
        self.inputs.push((name, words));
        self
    }

    /// The graph up to the op's output.
    fn graph(&self) -> (Graph, TensorId) {
        let mut g = Graph::new();
        let mut ids = HashMap::new();
        for (name, shape, _) in &self.params {
            ids.insert(*name, g.param(name, shape));
        }
        for (name, words) in &self.inputs {
            // The only float among them is the factor of a scaled sum.
            let meta = if *name == "s" { Meta::f32(&[words.len()]) } else { Meta::u32(&[words.len()]) };
            ids.insert(*name, g.input(name, meta));
        }
        let out = (self.build)(&mut g, &ids);
        (g, out)
    }

    /// Checks the gradients of `sum(out * w)` for a fixed random w.
    fn check(&self) {
        let mut layout = Layout::default();
        self.params.iter().for_each(|(name, shape, _)| layout.add_param(name, shape));
        let mut cpu = Cpu::new(layout);

        let (mut g, out) = self.graph();
        let out_name = g.tensor(out).name.clone();
        let meta = g.tensor(out).meta.clone();
        let w = values(99, meta.len(), 1.0);
        let seed = g.input("w", meta);
        let sums = Sums { accumulate: &|| Arc::new(Accumulate) as Arc<dyn Op>, add: &|| Arc::new(Add) as Arc<dyn Op> };
        differentiate(&mut g, &[(out, seed)], &[], &|_| true, &sums).unwrap_or_else(|e| panic!("{}: {e}", self.label));
        let (backward, _) = cpu.add("backward", g);
        let (mut g, _) = self.graph();
        g.capture(&out_name).expect("the output");
        let (forward, plan) = cpu.add("forward", g);
        let out_loc = plan.loc(out);

        for (name, _, start) in &self.params {
            cpu.write(name, bytemuck::cast_slice(start));
        }
        for (name, words) in &self.inputs {
            cpu.write(name, bytemuck::cast_slice(words));
        }
        cpu.write("w", bytemuck::cast_slice(&w));
        cpu.run(backward);
        let mut loss = |cpu: &mut Cpu| -> f64 {
            cpu.run(forward);
            cpu.read(out_loc).iter().zip(&w).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        for (name, ..) in &self.params {
            let place = |cpu: &Cpu, name: &str| cpu.layout.find(name).unwrap_or_else(|| panic!("{name} has no place"));
            let (at, of) = (place(&cpu, name), place(&cpu, &gradient_name(name)));
            let gradient = cpu.read(of);
            assert!(gradient.iter().any(|g| *g != 0.0), "{}: the gradient of {name} is zero", self.label);
            cpu.compare(&format!("{}: {name}", self.label), at, &gradient, 1e-2, &mut loss);
        }
    }
}

fn apply(g: &mut Graph, op: impl Op + 'static, inputs: &[TensorId]) -> TensorId {
    g.apply1("out", op, inputs).expect("the op fits")
}

#[test]
fn matmul() {
    for bias in [false, true] {
        for (product, b) in [(Product::NN, [7, 5]), (Product::NT, [5, 7])] {
            let mut params: Vec<(&'static str, &[usize])> = vec![("a", &[4, 7]), ("b", &b)];
            if bias {
                params.push(("bias", &[5]));
            }
            let build = move |g: &mut Graph, t: &HashMap<&str, TensorId>| {
                let inputs: Vec<TensorId> = ["a", "b", "bias"].iter().filter_map(|name| t.get(name).copied()).collect();
                apply(g, MatMul::new(product).with_bias(bias), &inputs)
            };
            Problem::new(&format!("matmul {product:?}, bias {bias}"), &params, build).check();
        }
    }
}

#[test]
fn sums() {
    let shape: &[usize] = &[3, 5];
    Problem::new("add", &[("a", shape), ("b", shape)], |g, t| apply(g, Add, &[t["a"], t["b"]])).check();
    Problem::new("a tensor added to itself", &[("a", shape)], |g, t| apply(g, Add, &[t["a"], t["a"]])).check();
    // Two ways from a temporary to the output: their gradients are added.
    Problem::new("two uses of a temporary", &[("a", shape)], |g, t| {
        let x = g.apply1("x", ActivationOp(Activation::GeluTanh), &[t["a"]]).expect("fits");
        let y = g.apply1("y", ActivationOp(Activation::GeluErf), &[x]).expect("fits");
        apply(g, Add, &[x, y])
    })
    .check();
    Problem::new("scaled_add", &[("a", shape), ("b", shape)], |g, t| apply(g, ScaledAdd, &[t["a"], t["b"], t["s"]]))
        .input("s", vec![1.7f32.to_bits()])
        .check();
}

#[test]
fn activations() {
    for act in [Activation::GeluTanh, Activation::GeluErf, Activation::Relu] {
        let mut problem =
            Problem::new(&format!("{act:?}"), &[("x", &[5, 8])], move |g, t| apply(g, ActivationOp(act), &[t["x"]]));
        // Away from ReLU's corner, which differences would round.
        problem.params[0].2.iter_mut().for_each(|x| *x = 3.0 * *x + 0.05f32.copysign(*x));
        problem.check();
    }
}

#[test]
fn layer_norm() {
    for bias in [false, true] {
        let mut params: Vec<(&'static str, &[usize])> = vec![("x", &[4, 9]), ("weight", &[9])];
        if bias {
            params.push(("bias", &[9]));
        }
        Problem::new(&format!("layer_norm, bias {bias}"), &params, |g, t| {
            let inputs: Vec<TensorId> = ["x", "weight", "bias"].iter().filter_map(|n| t.get(n).copied()).collect();
            apply(g, LayerNorm { eps: 1e-5 }, &inputs)
        })
        .check();
    }
}

/// `[pos0, n, ids…]` with ids that come again, some of them outside the piece of the table.
fn step(rows: usize, vocab: u32) -> Vec<u32> {
    let mut words = vec![0, rows as u32];
    words.extend((0..rows as u32).map(|i| i * i % vocab));
    words
}

#[test]
fn embeddings() {
    for row0 in [0, 3] {
        let op = Embedding { rows: 12, row0 };
        Problem::new(&format!("embedding from row {row0}"), &[("table", &[4, 6])], move |g, t| {
            apply(g, op.clone(), &[t["step"], t["table"]])
        })
        .input("step", step(12, 7))
        .check();
    }
    // Three sequences of four; the table has more positions than they use.
    Problem::new("position_embedding", &[("x", &[12, 6]), ("table", &[5, 6])], |g, t| {
        apply(g, PositionEmbedding { seq: 4 }, &[t["step"], t["x"], t["table"]])
    })
    .input("step", step(12, 7))
    .check();
}

#[test]
fn attention() {
    // The last ones span more than one block of queries and more than one word of the mask.
    let shapes = [(1, 1, 1, 4), (2, 5, 3, 4), (3, 7, 2, 5), (1, 33, 1, 8), (1, 70, 1, 4)];
    for ((batch, seq, n_head, d), dropout) in shapes.into_iter().flat_map(|s| [0.0, 0.1, 0.6].map(|p| (s, p))) {
        if (seq, dropout) == (1, 0.6) {
            // Everything there is may be dropped.
            continue;
        }
        let shape = [batch * seq, 3 * n_head * d];
        let label = format!("causal_attention, {batch} of {seq}, {n_head} heads of {d}, dropout {dropout}");
        let mut problem = Problem::new(&label, &[("qkv", &shape)], move |g, t| {
            let mut inputs = vec![t["qkv"]];
            if dropout > 0.0 {
                let op = DropoutMask { heads: batch * n_head, seq, p: dropout, salt: 3 };
                inputs.push(g.apply1("mask", op, &[t["hyper"]]).expect("fits"));
            }
            let op = Arc::new(CausalAttention { n_head, seq, dropout });
            g.apply(&["out", "lse"], op, &inputs).expect("fits")[0]
        });
        problem.params[0].2.iter_mut().for_each(|x| *x *= 1.5);
        // Without dropout nothing reads it, so that it has no place.
        let problem = if dropout > 0.0 { problem.input("hyper", hyper_words()) } else { problem };
        problem.check();
    }
}

#[test]
fn dropout() {
    Problem::new("dropout", &[("x", &[8, 8])], |g, t| apply(g, Dropout { p: 0.4, salt: 5 }, &[t["x"], t["hyper"]]))
        .input("hyper", hyper_words())
        .check();
}

/// A whole training graph: its loss and the gradients of every trained parameter.
struct Whole {
    cpu: Cpu,
    trained: Vec<ParamSpec>,
    loss: usize,
    rows: usize,
}

impl Whole {
    fn new(
        config: &GptConfig,
        lora: Option<&LoraOptions>,
        shape: &TrainShape,
        slab_bytes: usize,
    ) -> (Self, Vec<Vec<f32>>) {
        let mut layout = Layout::new(slab_bytes);
        let base = param_specs(config);
        base.iter().for_each(|s| layout.add_param(&s.name, &s.shape));
        let adapters = lora.map_or_else(Vec::new, |lora| lora.specs(config));
        adapters.iter().for_each(|s| layout.add_adapter(&s.name, &s.shape));
        layout.add_training(if lora.is_some() { SlabSet::Adapter } else { SlabSet::Param });
        let mut cpu = Cpu::new(layout);
        let mut add = |pass: Pass| {
            let kind = GptPlan::Train(TrainShape { pass, ..shape.clone() });
            let graph = build(Parts { config, lora, layout: &cpu.layout, gated: false }, &kind).expect("a graph");
            cpu.add(&kind.name(), graph).0
        };
        // The loss with dropout, as the gradients see it: a pass that is only left before its gradients are used.
        let (gradients, loss) =
            (add(Pass::Gradients), add(if shape.dropout == 0 { Pass::Loss } else { Pass::Gradients }));
        let rows = shape.batch * shape.seq;
        let mut ids = vec![0, rows as u32];
        ids.extend((0..rows as u32).map(|i| (i * i + 3 * i) % config.vocab_size as u32));
        // Every fifth target does not count.
        let targets: Vec<u32> = (0..rows as u32)
            .map(|i| if i % 5 == 2 { u32::MAX } else { (i * 7 + 1) % config.vocab_size as u32 })
            .collect();
        cpu.write(&format!("batch({rows})"), bytemuck::cast_slice(&ids));
        cpu.write(&format!("targets({rows})"), bytemuck::cast_slice(&targets));
        cpu.write("hyper", bytemuck::cast_slice(&hyper_words()));
        if lora.is_some() {
            cpu.write("lora_scale:training", bytemuck::bytes_of(&0.8f32));
        }
        for (i, spec) in base.iter().chain(&adapters).enumerate() {
            let scale = if spec.name.contains("ln_") { 1.0 } else { 0.6 };
            let start = values(i as u64 + 1, spec.numel(), scale);
            for (loc, part) in cpu.layout.param_ranges(&spec.name, &spec.shape, 0..spec.numel()) {
                cpu.executor.write(loc, bytemuck::cast_slice(&start[part]));
            }
        }
        cpu.run(gradients);
        let trained = if lora.is_some() { adapters } else { base };
        let mut found = Vec::new();
        for spec in &trained {
            let ranges = cpu.layout.param_ranges(&gradient_name(&spec.name), &spec.shape, 0..spec.numel());
            found.push(ranges.into_iter().flat_map(|(loc, _)| cpu.read(loc)).collect());
        }
        (Self { cpu, trained, loss, rows }, found)
    }

    fn check(config: &GptConfig, lora: Option<&LoraOptions>, dropout: f32) {
        let shape = TrainShape { batch: 2, seq: config.n_ctx - 1, pass: Pass::Gradients, dropout: dropout.to_bits() };
        let (mut whole, gradients) = Self::new(config, lora, &shape, Layout::default().slab_bytes());
        let plan = whole.loss;
        let mut loss = |cpu: &mut Cpu| -> f64 {
            cpu.run(plan);
            let at = cpu.layout.find("metrics").expect("metrics");
            f64::from(cpu.read(at)[0])
        };
        assert!(whole.rows > 4);
        for (spec, gradient) in whole.trained.clone().iter().zip(gradients) {
            assert!(gradient.iter().any(|g| *g != 0.0), "{config:?}: the gradient of {} is zero", spec.name);
            let (loc, _) = whole.cpu.layout.param_ranges(&spec.name, &spec.shape, 0..spec.numel()).remove(0);
            whole.cpu.compare(&format!("{config:?}: {}", spec.name), loc, &gradient, 4e-3, &mut loss);
        }
    }
}

fn tiny() -> GptConfig {
    GptConfig { n_inner: 12, ..GptConfig::new(11, 6, 8, 2, 2) }
}

#[test]
fn whole_models() {
    Whole::check(&tiny(), None, 0.0);
    let untied =
        GptConfig { tie_word_embeddings: false, lm_head_bias: true, activation: Activation::GeluErf, ..tiny() };
    Whole::check(&untied, None, 0.0);
    Whole::check(&GptConfig { norm: NormPosition::Post, final_layer_norm: false, ..untied.clone() }, None, 0.0);
    Whole::check(&GptConfig { bias: false, lm_head_bias: true, ..tiny() }, None, 0.0);
    Whole::check(&tiny(), None, 0.2);
}

#[test]
fn whole_models_with_adapters() {
    let lora = LoraOptions { rank: 3, ..LoraOptions::default() };
    Whole::check(&tiny(), Some(&lora), 0.0);
    Whole::check(&tiny(), Some(&LoraOptions { dropout: 0.3, ..lora.clone() }), 0.1);
    let one = LoraOptions { targets: vec![LoraTarget::MlpOut], ..lora };
    Whole::check(&GptConfig { norm: NormPosition::Post, bias: false, ..tiny() }, Some(&one), 0.0);
}

/// A head in pieces, by small slabs and by many rows, gives the gradients of a head in one.
#[test]
fn a_head_in_pieces() {
    let config = GptConfig { lm_head_bias: true, ..GptConfig::new(300, 9, 8, 2, 1) };
    for tied in [true, false] {
        let config = GptConfig { tie_word_embeddings: tied, ..config.clone() };
        let shape = TrainShape { batch: 3, seq: 8, pass: Pass::Gradients, dropout: 0 };
        let (_, whole) = Whole::new(&config, None, &shape, Layout::default().slab_bytes());
        // 128 rows of 8 floats a piece.
        let (mut cut, pieces) = Whole::new(&config, None, &shape, 128 * 8 * 4);
        assert!(cut.cpu.layout.find("wte.weight#2").is_some(), "the table was not cut");
        assert!(cut.cpu.layout.find("grad:wte.weight").is_none());
        cut.cpu.run(cut.loss);
        for ((spec, a), b) in cut.trained.iter().zip(&pieces).zip(&whole) {
            let d = common::runner::difference(a, b);
            assert!(d < 1e-5, "tied {tied}: {} differs by {d:e}", spec.name);
        }
    }
}

/// How often each op stands in a training graph, and the names of the gradients it holds.
fn count(
    config: &GptConfig,
    lora: Option<&LoraOptions>,
    pass: Pass,
    dropout: f32,
) -> (HashMap<&'static str, usize>, Vec<String>) {
    let mut layout = Layout::default();
    param_specs(config).iter().for_each(|s| layout.add_param(&s.name, &s.shape));
    if let Some(lora) = lora {
        lora.specs(config).iter().for_each(|s| layout.add_adapter(&s.name, &s.shape));
    }
    layout.add_training(if lora.is_some() { SlabSet::Adapter } else { SlabSet::Param });
    let kind = GptPlan::Train(TrainShape { batch: 2, seq: 4, pass, dropout: dropout.to_bits() });
    let graph = build(Parts { config, lora, layout: &layout, gated: false }, &kind).expect("a graph");
    let mut ops = HashMap::new();
    graph.nodes.iter().for_each(|n| *ops.entry(n.op.name()).or_insert(0) += 1);
    let is_state = |t: &&gpt_playground::graph::Tensor| t.storage == Storage::State && t.name.starts_with("grad:");
    let states = graph.tensors.iter().filter(|t| t.updates.is_none()).filter(is_state).map(|t| t.name.clone());
    (ops, states.collect())
}

#[test]
fn dropout_is_for_training_alone() {
    let (config, of) = (tiny(), |ops: &HashMap<_, usize>| ["dropout", "dropout_mask"].map(|n| ops.get(n).copied()));
    let layers = config.n_layer;
    assert_eq!(of(&count(&config, None, Pass::Gradients, 0.0).0), [None; 2]);
    assert_eq!(of(&count(&config, None, Pass::Loss, 0.3).0), [None; 2]);
    // After the embedding and each sublayer, forward and backward; on each layer's probabilities, drawn once.
    let want = [Some(2 * (1 + 2 * layers)), Some(layers)];
    assert_eq!(of(&count(&config, None, Pass::Gradients, 0.3).0), want);
    assert_eq!(of(&count(&config, None, Pass::Update, 0.3).0), want);
}

#[test]
fn frozen_parameters_cost_nothing() {
    let config = tiny();
    let layers = config.n_layer;
    let (ops, gradients) = count(&config, None, Pass::Gradients, 0.0);
    let of = |name: &str| ops.get(name).copied().unwrap_or(0);
    assert_eq!(gradients.len(), param_specs(&config).len());
    assert_eq!((of("embedding_backward"), of("position_embedding_backward")), (1, 1));
    assert_eq!((of("layer_norm_backward"), of("layer_norm_backward_params")), (2 * layers + 1, 2 * layers + 1));

    let all = LoraOptions { rank: 2, ..LoraOptions::default() };
    let (ops, gradients) = count(&config, Some(&all), Pass::Gradients, 0.0);
    let of = |name: &str| ops.get(name).copied().unwrap_or(0);
    assert!(gradients.iter().all(|name| name.contains(".lora_")), "{gradients:?}");
    assert_eq!(gradients.len(), all.specs(&config).len());
    for frozen in ["embedding_backward", "position_embedding_backward", "layer_norm_backward_params", "bias_backward"] {
        assert_eq!(of(frozen), 0, "{frozen}");
    }
    // Nothing below the first adapter is wanted.
    assert_eq!((of("layer_norm_backward"), of("attention_backward")), (2 * layers, layers));

    let last = LoraOptions { targets: vec![LoraTarget::MlpOut], ..all };
    let (ops, _) = count(&config, Some(&last), Pass::Gradients, 0.0);
    let of = |name: &str| ops.get(name).copied().unwrap_or(0);
    assert_eq!((of("attention_backward"), of("activation_backward")), (layers - 1, layers - 1));
}
