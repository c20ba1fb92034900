//! Memory: what a run would take is known in full, and what is refused leaves everything as it was.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::training::{BACKENDS, rich, run};
use gpt_playground::config::GptConfig;
use gpt_playground::exec::{Backend, Executor};
use gpt_playground::gpu::{GpuContext, GpuExecutor};
use gpt_playground::graph::{Graph, Layout, Limits, Meta, Plan};
use gpt_playground::model::lora::LoraOptions;
use gpt_playground::model::{Memory, Model, ModelOptions, Pass, Preflight, TrainShape};
use gpt_playground::ops::{Embedding, Scale};
use gpt_playground::sample::{Generation, SamplingParams, Step};
use gpt_playground::train::{TrainOptions, Trainer};
use pollster::block_on;
use std::sync::Arc;
use std::time::Duration;

/// A model whose weights take more than a small batch, with this much memory.
fn open(backend: Backend, memory: Option<u64>) -> Model {
    let options = ModelOptions { backend, memory, ..ModelOptions::default() };
    let mut model = block_on(Model::open(GptConfig::new(97, 32, 64, 4, 2), &options)).expect("a model");
    model.randomize(3).expect("weights");
    model
}

/// Text with its log-probabilities, to the bit.
fn write(model: &mut Model) -> Vec<(u32, u32)> {
    let params = SamplingParams { seed: 5, ..SamplingParams::default() };
    let mut generation = Generation::start(model, &[3, 1, 4, 1, 5, 9, 2, 6], params, 12, None).expect("a start");
    let mut all = Vec::new();
    loop {
        let step = block_on(generation.next(model, Duration::from_millis(20), 7)).expect("a step");
        if let Step::Tokens { records, finished } = step {
            all.extend(records.iter().map(|r| (r.id, r.logprob.to_bits())));
            if finished.is_some() {
                return all;
            }
        }
    }
}

fn train(model: &mut Model, change: impl Fn(&mut TrainOptions)) -> Result<Vec<u32>, String> {
    let (mut options, source) = rich(model, None);
    change(&mut options);
    let mut trainer = block_on(Trainer::new(model, options, source)).map_err(|e| e.to_string())?;
    // The first pass makes the plan, which takes most of the memory.
    block_on(trainer.advance(model, Duration::ZERO)).map_err(|e| e.to_string())?;
    Ok(run(model, &mut trainer).0.iter().map(|s| s.loss.to_bits()).collect())
}

fn small(options: &mut TrainOptions) {
    (options.batch_size, options.steps) = (1, 3);
}

fn large(options: &mut TrainOptions) {
    (options.batch_size, options.steps) = (48, 1);
}

fn lora(options: &mut TrainOptions) {
    small(options);
    options.lora = Some(LoraOptions::default());
}

fn total(m: Memory) -> u64 {
    m.weights + m.training + m.state + m.temporaries
}

/// Memory after writing and a run, with room to build the pool of temporaries anew beside the one in use.
fn needs(backend: Backend, change: impl Fn(&mut TrainOptions)) -> u64 {
    let mut model = open(backend, None);
    write(&mut model);
    train(&mut model, change).expect("a run");
    total(model.memory()) + model.memory().temporaries
}

#[test]
fn refused_gradients_leave_a_model_that_writes_and_learns_otherwise() {
    for backend in BACKENDS {
        let mut model = open(backend, Some(needs(backend, lora)));
        let text = write(&mut model);
        let before = model.memory();
        assert!(before.weights * 3 > needs(backend, lora) - total(before), "the limit is not tight");
        for _ in 0..2 {
            let error = train(&mut model, small).expect_err("no room for all gradients");
            assert!(error.contains("no room"), "{error}");
            assert!(!model.trains() && model.lora().is_none());
            assert_eq!(model.memory(), before, "{backend:?}");
            assert_eq!(write(&mut model), text, "{backend:?}");
        }
        let losses = train(&mut model, lora).unwrap_or_else(|e| panic!("{backend:?}: {e}"));
        assert_eq!(losses, train(&mut open(backend, None), lora).expect("a run"), "{backend:?}");
    }
}

#[test]
fn a_refused_batch_leaves_a_model_that_writes_and_learns_in_smaller_ones() {
    for backend in BACKENDS {
        let mut model = open(backend, Some(needs(backend, small)));
        let text = write(&mut model);
        for _ in 0..2 {
            let error = train(&mut model, large).expect_err("no room for the batch");
            assert!(error.contains("no room"), "{error}");
            assert_eq!(write(&mut model), text, "{backend:?}");
        }
        let losses = train(&mut model, small).unwrap_or_else(|e| panic!("{backend:?}: {e}"));
        assert_eq!(losses, train(&mut open(backend, None), small).expect("a run"), "{backend:?}");
    }
}

#[test]
fn a_smaller_batch_gives_memory_back() {
    for backend in BACKENDS {
        let mut model = open(backend, None);
        write(&mut model);
        let fresh = model.memory();
        train(&mut model, large).expect("a run");
        let (_, after_large) = (write(&mut model), model.memory());
        let shape = |o: &TrainOptions| TrainShape {
            batch: o.batch_size,
            seq: o.context,
            pass: Pass::Update,
            dropout: (o.dropout as f32).to_bits(),
        };
        let (mut options, _) = rich(&model, None);
        small(&mut options);
        block_on(model.free_passes(Some(&shape(&options)))).expect("a device");
        assert_eq!(model.memory().temporaries, fresh.temporaries, "{backend:?}");
        assert!(model.memory().state < after_large.state, "{backend:?}");
        // The same weights in a model that never saw the large batch write and learn the same.
        let mut other = open(backend, None);
        for name in model.trained_specs().iter().map(|s| s.name.clone()) {
            let values = block_on(model.read_param(&name)).expect("a weight");
            other.write_param(&name, 0, &values).expect("written");
        }
        assert_eq!(write(&mut model), write(&mut other), "{backend:?}");
        let losses = train(&mut model, small).expect("a run");
        assert_eq!(losses, train(&mut other, small).expect("a run"), "{backend:?}");
        let small_run = model.memory();
        // What this run uses stays where it is.
        block_on(model.free_passes(Some(&shape(&options)))).expect("a device");
        assert_eq!(model.memory(), small_run);
        block_on(model.free_passes(None)).expect("a device");
        assert_eq!(model.memory().temporaries, fresh.temporaries);
    }
}

/// Whatever is made in a step is gone after it: buffers through which results are read, too.
#[test]
fn nothing_of_the_device_piles_up_with_texts_and_steps() {
    let mut model = open(Backend::Gpu, None);
    let (options, source) = rich(&model, None);
    let steps = options.steps as usize;
    let mut trainer = block_on(Trainer::new(&mut model, options.clone(), source)).expect("a run");
    run(&mut model, &mut trainer);
    write(&mut model);
    let first = model.held();
    assert!(first.buffers > 0 && first.bind_groups > 0 && first.pipelines > 0 && first.bytes > 0, "{first:?}");
    for round in 0..3 {
        let (_, source) = rich(&model, None);
        let mut trainer = block_on(Trainer::new(&mut model, options.clone(), source)).expect("a run");
        assert_eq!(run(&mut model, &mut trainer).0.len(), steps);
        block_on(gpt_playground::train::save(&mut model, &mut trainer)).expect("a save");
        write(&mut model);
        assert_eq!(model.held(), first, "round {round}");
    }
}

/// The weights of the lowest validation loss take as much as what is trained: everything, or the adapters.
#[test]
fn the_best_weights_are_counted_where_they_are_asked_for() {
    let shape = TrainShape { batch: 1, seq: 128, pass: Pass::Update, dropout: 0 };
    let config = GptConfig::new(50_257, 1024, 768, 12, 12);
    let needs = |lora: Option<&LoraOptions>| Preflight::compute(&config, lora, &shape).expect("a plan");
    let gpt2 = needs(None);
    assert_eq!((gpt2.best, gpt2.with_best().best), (0, gpt2.weights));
    assert_eq!(gpt2.with_best().total(), gpt2.total() + gpt2.weights);
    gpt2.with_best().check(3_200_000_000).expect("the smallest GPT-2 is fine-tuned as a whole in WebAssembly's memory");
    let lora = LoraOptions::default();
    let adapters: usize = lora.specs(&config).iter().map(|s| s.numel()).sum();
    assert_eq!(needs(Some(&lora)).with_best().best, 4 * adapters as u64);
}

/// What a device says of a buffer that is larger than any may be, rather than what a limit of our own says.
#[test]
fn a_gpu_that_refuses_a_buffer_goes_on_with_the_others() {
    let cx = block_on(GpuContext::open()).unwrap_or_else(|e| panic!("this test needs a GPU adapter: {e}"));
    let mut executor = Executor::Gpu(Box::new(GpuExecutor::new(cx)));
    let limits = Limits { binding_bytes: 1 << 30, ..Limits::default() };
    let mut layout = Layout::default();
    let mut graph = Graph::new();
    let x = graph.input("x", Meta::f32(&[4, 4]));
    let factor = graph.input("factor", Meta::f32(&[1]));
    let half = graph.apply1("half", Scale, &[x, factor]).expect("a graph");
    graph.apply1("quarter", Scale, &[half, factor]).expect("a graph");
    graph.capture("quarter").expect("a tensor");
    let plan = Arc::new(Plan::compile("good", graph, &mut layout, &limits).expect("a plan"));
    block_on(executor.allocate(&layout)).expect("room");
    let good = block_on(executor.add_plan(Arc::clone(&plan))).expect("room");
    let values: Vec<f32> = (0..16).map(|i| i as f32).collect();
    let works = |executor: &mut Executor, layout: &Layout| {
        executor.write(layout.find("x").expect("a place"), bytemuck::cast_slice(&values));
        executor.write(layout.find("factor").expect("a place"), bytemuck::bytes_of(&0.5f32));
        block_on(executor.run(good, 1)).expect("a run");
        let loc = plan.find("quarter").expect("a tensor").loc.expect("a place");
        let got = block_on(executor.read_f32(loc)).expect("values");
        assert!(got.iter().zip(&values).all(|(g, v)| *g == v / 4.0), "{got:?}");
    };
    works(&mut executor, &layout);
    // 282 MiB, of a table with a single row: as a temporary, and as a state.
    let (rows, width) = (9000, 8192);
    let mut graph = Graph::new();
    let step = graph.input("step", Meta::u32(&[2 + rows]));
    let table = graph.input("table", Meta::f32(&[1, width]));
    let factor = graph.input("factor", Meta::f32(&[1]));
    graph.apply1("small", Scale, &[table, factor]).expect("a graph");
    graph.apply1("wide", Embedding { rows, row0: 0 }, &[step, table]).expect("a graph");
    let mut wider = layout.clone();
    let plan = Arc::new(Plan::compile("wide", graph, &mut wider, &limits).expect("a plan"));
    block_on(executor.allocate(&wider)).expect("room for what it reads");
    for _ in 0..2 {
        let error =
            block_on(executor.add_plan(Arc::clone(&plan))).expect_err("larger than any buffer may be").to_string();
        assert!(error.contains("no room"), "{error}");
        works(&mut executor, &wider);
    }
    executor.release(&layout);
    works(&mut executor, &layout);
    let mut graph = Graph::new();
    let [wide, other] = ["wide", "other"].map(|name| graph.state(name, Meta::f32(&[rows, width])));
    graph.apply1("sum", gpt_playground::ops::Accumulate, &[wide, other]).expect("a graph");
    let mut wider = layout.clone();
    Plan::compile("states", graph, &mut wider, &limits).expect("a plan");
    for _ in 0..2 {
        let error = block_on(executor.allocate(&wider)).expect_err("larger than any buffer may be").to_string();
        assert!(error.contains("no room"), "{error}");
        works(&mut executor, &layout);
    }
}

fn gpt2(n_embd: usize, n_head: usize, n_layer: usize) -> GptConfig {
    GptConfig::new(50_257, 1024, n_embd, n_head, n_layer)
}

/// Sums that pass 4 GiB, and so would wrap in a `usize` of 32 bits.
#[test]
fn sums_of_bytes_are_whole() {
    let shape = |batch, seq| TrainShape { batch, seq, pass: Pass::Update, dropout: 0 };
    let medium = Preflight::compute(&gpt2(1024, 16, 24), None, &shape(1, 256)).expect("a plan");
    assert_eq!(medium.training, 3 * medium.weights);
    assert!((6_000_000_000..7_000_000_000).contains(&medium.total()), "{medium:?}");
    let error = medium.check(4_000_000_000).expect_err("too much").to_string();
    assert!(error.contains("MB there is room for; choose a smaller batch"), "{error}");
    assert!(medium.check(medium.total()).is_ok());
    // The whole logits and activations of 8 x 1024 tokens, which the verifier refuses by their sum.
    for batch in 4..=16 {
        let error =
            Preflight::compute(&gpt2(768, 12, 12), None, &shape(batch, 1024)).expect_err("too much").to_string();
        assert!(error.contains("batch"), "batch {batch}: {error}");
    }
    let error = Preflight::compute(&gpt2(768, 12, 12), None, &shape(4096, 1024)).expect_err("too much").to_string();
    assert!(error.contains("more than 2 GiB; use a smaller batch"), "{error}");
    let vocabulary = GptConfig::new(1 << 20, 1024, 1024, 16, 2);
    let wide = Preflight::compute(&vocabulary, None, &shape(1, 64)).expect("a plan");
    assert_eq!((wide.weights, wide.training), (vocabulary.n_params() as u64 * 4, 3 * wide.weights));
    let plan = gpt_playground::model::GptPlan::Train(shape(8, 1024));
    let config = gpt2(768, 12, 12);
    let mut layout = Layout::default();
    gpt_playground::model::params::param_specs(&config).iter().for_each(|s| layout.add_param(&s.name, &s.shape));
    layout.add_training(gpt_playground::graph::SlabSet::Param);
    let parts = gpt_playground::model::Parts { config: &config, lora: None, layout: &layout, gated: false };
    let graph = gpt_playground::model::build(parts, &plan).expect("a graph");
    let limits = Limits { temp_bytes: u64::MAX, ..Limits::default() };
    let plan = Plan::compile("train", graph, &mut layout, &limits).expect("a plan");
    assert!((5_000_000_000..6_000_000_000).contains(&plan.temp_bytes()), "{}", plan.temp_bytes());
    let flops: u64 = plan.steps.iter().map(|s| plan.with_shapes(s, |shapes| s.op.flops(shapes))).sum();
    // Six operations for each weight of a matrix and token (Kaplan et al. 2020), and attention's.
    assert!((5_000_000_000_000..12_000_000_000_000).contains(&flops), "{flops}");
}
