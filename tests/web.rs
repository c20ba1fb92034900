//! In a real browser: every variant of every kernel compiled and run, the small rows compared with the CPU, and whole
//! models on both backends.
#![cfg(target_arch = "wasm32")]

mod common;

use common::cases::{Case, cases};
use common::inspecting::{Fixture, equals};
use common::overflowing::{SPOILS, refuses_to_answer, refuses_to_train};
use common::runner::{Runner, compare};
use gpt_playground::config::GptConfig;
use gpt_playground::exec::{Backend, Executor};
use gpt_playground::gpu::{GpuContext, GpuExecutor};
use gpt_playground::graph::{Const, Kernel, Target};
use gpt_playground::model::checkpoint::{Dtype, Header, Loader, write_header};
use gpt_playground::model::params::param_specs;
use gpt_playground::model::{Model, ModelOptions, Pass, Preflight, TrainShape};
use gpt_playground::sample::{Generation, SamplingParams, Step};
use gpt_playground::train::export::apply_adapter;
use gpt_playground::train::peft::{Adapter, peft_name, transpose};
use gpt_playground::train::{Event, Replay, Source, TrainOptions, Trainer, gradients};
use gpt_playground::web::Session;
use std::collections::HashSet;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};
use web_time::{Duration, Instant};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

async fn gpu(target: Target) -> Runner {
    let cx = GpuContext::open().await.unwrap_or_else(|e| panic!("this test needs WebGPU: {e}"));
    Runner::new(Executor::Gpu(Box::new(GpuExecutor::new(cx.with_target(target)))))
}

/// What tells a kernel's variants apart: its text less the extents.
fn variant(op: &str, kernel: &Kernel) -> String {
    let elems: Vec<_> = kernel.bindings.iter().map(|b| (b.name, b.elem)).collect();
    let flags: Vec<_> = kernel.constants.iter().filter(|(_, value)| matches!(value, Const::Bool(_))).collect();
    format!("{op} {} {elems:?} {flags:?} {:?}", kernel.name, kernel.includes)
}

/// Runs the table on the device: the largest comparable row of each variant of each kernel, and every row that needs no
/// further compilation, which is what costs time here (shapes are constants). The native test runs all rows.
async fn agrees_on(target: Target) {
    let started = Instant::now();
    let mut cpu = Runner::new(Executor::Cpu(Box::default()));
    let mut gpu = gpu(target).await;
    let (mut failures, mut variants, mut texts, mut ran) = (Vec::new(), HashSet::new(), HashSet::new(), 0);
    // The table's later rows are the larger ones.
    let mut cases: Vec<Case> = cases().into_iter().rev().collect();
    cases.sort_by_key(|case| !case.in_browser);
    for case in &cases {
        let plan = cpu.compile(case).unwrap_or_else(|e| panic!("{}: {e}", case.label));
        let (step, op) = (&plan.steps[0], format!("{:?}", case.op));
        let (mut needed, mut known) = (Vec::new(), true);
        for kernel in plan.kernels(step, target) {
            let lens: Vec<usize> = kernel.bindings.iter().map(|b| plan.binding(step, b.arg).bytes / 4).collect();
            needed.push(kernel.wgsl(&lens));
            known &= !variants.insert(variant(&op, &kernel));
        }
        if known && !needed.iter().all(|text| texts.contains(text)) {
            continue;
        }
        texts.extend(needed);
        ran += 1;
        let got = gpu.run(case).await.unwrap_or_else(|e| panic!("{}: {e}", case.label));
        if !case.in_browser {
            continue;
        }
        let want = cpu.run(case).await.unwrap_or_else(|e| panic!("{}: {e}", case.label));
        if let Err(e) = compare(case, &got, &want) {
            failures.push(format!("{}: {e}", case.label));
        }
    }
    let Executor::Gpu(executor) = &gpu.executor else { unreachable!("the runner was made with a GPU") };
    let (seconds, pipelines) = (started.elapsed().as_secs_f64(), executor.pipelines());
    let (rows, variants) = (cases.len(), variants.len());
    console_log!("{target:?}: {ran} of {rows} rows, {variants} variants, {pipelines} pipelines, {seconds:.1} s");
    assert!(failures.is_empty(), "{} cases differ:\n{}", failures.len(), failures.join("\n"));
}

#[wasm_bindgen_test]
async fn software_kernels_compile_and_agree() {
    agrees_on(Target::Software).await;
}

#[wasm_bindgen_test]
async fn hardware_kernels_compile_and_agree() {
    agrees_on(Target::Hardware).await;
}

const CONFIG: &[u8] = include_bytes!("fixtures/models/gpt2-tanh-f32/config.json");
const WEIGHTS: &[u8] = include_bytes!("fixtures/models/gpt2-tanh-f32/model.safetensors");

async fn model(backend: Backend) -> Model {
    let config = GptConfig::from_json(CONFIG).expect("a configuration");
    let mut loader = Loader::new(&config).expect("a loader");
    let options = ModelOptions { backend, ..ModelOptions::default() };
    let mut model = Model::open(config, &options).await.unwrap_or_else(|e| panic!("{backend:?}: {e}"));
    for chunk in WEIGHTS.chunks(1000) {
        loader.push(chunk, &mut |name, first, values| model.write_param(name, first, values)).expect("weights");
    }
    loader.end_file().expect("a whole file");
    loader.finish().expect("all weights");
    model
}

async fn write(model: &mut Model, params: SamplingParams) -> Vec<u32> {
    let prompt: Vec<u32> = (0..20).collect();
    let mut generation = Generation::start(model, &prompt, params, 40, None).expect("a start");
    let mut ids = Vec::new();
    loop {
        if let Step::Tokens { records, finished } =
            generation.next(model, Duration::from_millis(50), 16).await.expect("a step")
        {
            ids.extend(records.iter().map(|r| r.id));
            if finished.is_some() {
                return ids;
            }
        }
    }
}

#[wasm_bindgen_test]
async fn both_backends_write_the_same_text() {
    let (mut cpu, mut gpu) = (model(Backend::Cpu).await, model(Backend::Gpu).await);
    let ids: Vec<u32> = (0..33).map(|i| i * 7 % 97).collect();
    let captures = ["logits".to_string()];
    let a = cpu.probe(&ids, 0, &captures, 0).await.expect("logits").remove(0).1;
    let b = gpu.probe(&ids, 0, &captures, 0).await.expect("logits").remove(0).1;
    let d = common::runner::difference(&b, &a);
    assert!(d < 1e-4, "logits differ by {d:e}");
    for temperature in [0.0, 1.0] {
        let params = SamplingParams { temperature, seed: 11, ..SamplingParams::default() };
        // 20 and 40 tokens pass the context of 33: sliding is part of the test.
        assert_eq!(write(&mut gpu, params.clone()).await, write(&mut cpu, params).await, "temperature {temperature}");
    }
}

#[wasm_bindgen_test]
async fn auto_avoids_a_software_adapter_and_says_why() {
    let model = model(Backend::Auto).await;
    // The tests run on SwiftShader; on a machine with a real GPU, auto takes that.
    let reason = model.backend_reason().english();
    assert_eq!(model.backend() == "cpu", reason.contains("software"), "{reason}");
}

const BATCHES: &[u8] = include_bytes!("fixtures/training/gpt2-tanh/batches.safetensors");
const GRADIENTS: &[u8] = include_bytes!("fixtures/training/gpt2-tanh/gradients.safetensors");
const ADAPTER_CONFIG: &[u8] = include_bytes!("fixtures/training/lora/adapter_config.json");
const ADAPTER: &[u8] = include_bytes!("fixtures/training/lora/adapter_model.safetensors");
const LORA_GRADIENTS: &[u8] = include_bytes!("fixtures/training/lora/gradients.safetensors");
const LORA_LOSSES: &str = include_str!("fixtures/training/lora/losses.json");
const LOSSES: &str = include_str!("fixtures/training/gpt2-tanh/losses.json");

/// A tensor of a safetensors file of floats.
fn tensor(file: &[u8], name: &str) -> Vec<f32> {
    let header = Header::parse_whole(file).expect("a header");
    let entry = header.entries.iter().find(|e| e.name == name).unwrap_or_else(|| panic!("{name}"));
    bytemuck::pod_collect_to_vec(&file[entry.range.start as usize..entry.range.end as usize])
}

/// A run of the fixtures' batches on a fresh model gives PyTorch's first gradients and its losses; with adapters PEFT's.
async fn equals_pytorch(backend: Backend, adapter: Option<&Adapter>, gradients_file: &[u8], losses: &str) {
    let runs: serde_json::Value = serde_json::from_str(losses).expect("losses");
    let want: Vec<f32> = runs["constant"]["losses"]
        .as_array()
        .expect("losses")
        .iter()
        .map(|v| v.as_f64().expect("a loss") as f32)
        .collect();
    let mut model = model(backend).await;
    if let Some(adapter) = adapter {
        apply_adapter(&mut model, adapter).await.expect("room for adapters");
    }
    let replay = Replay::parse(BATCHES, 97).expect("batches");
    let mut options: TrainOptions = serde_json::from_value(runs["constant"]["options"].clone()).expect("options");
    (options.batch_size, options.context, options.eval_every) = (replay.batch_size(), replay.context(), 0);
    options.lora = adapter.map(|a| a.options.clone());
    model.enable_training(options.lora.as_ref(), 0).await.expect("room");
    let batch = replay.batch(0).expect("a batch");
    for (name, shape, values) in gradients(&mut model, &options, std::slice::from_ref(&batch)).await.expect("gradients")
    {
        // PEFT stores A and B the other way round, under its own names.
        let want = match adapter {
            None => tensor(gradients_file, &name),
            Some(_) => transpose(&tensor(gradients_file, &peft_name(&name)), [shape[1], shape[0]]),
        };
        let d = common::runner::difference(&values, &want);
        assert!(d < 1e-3, "{backend:?}: the gradient of {name} differs by {d:e}");
    }
    let mut trainer = Trainer::new(&mut model, options, Source::Replay(replay)).await.expect("a run");
    let mut losses = Vec::new();
    loop {
        match trainer.advance(&mut model, Duration::from_millis(50)).await.expect("a step") {
            Event::Steps(steps) => losses.extend(steps.iter().map(|s| s.loss)),
            Event::Finished => break,
            Event::Working | Event::Evaluated { .. } => {}
        }
    }
    assert_eq!(losses.len(), want.len());
    for (i, (g, w)) in losses.iter().zip(&want).enumerate() {
        assert!((g - w).abs() < 1e-3 * w, "{backend:?}: step {} loses {g}, PyTorch {w}", i + 1);
    }
}

#[wasm_bindgen_test]
async fn gradients_and_losses_equal_pytorch() {
    let adapter = Adapter::from_peft(ADAPTER_CONFIG, ADAPTER, model(Backend::Cpu).await.config()).expect("an adapter");
    for backend in [Backend::Cpu, Backend::Gpu] {
        equals_pytorch(backend, None, GRADIENTS, LOSSES).await;
        equals_pytorch(backend, Some(&adapter), LORA_GRADIENTS, LORA_LOSSES).await;
    }
}

/// Sums of bytes pass what a `usize` of wasm32 holds.
#[wasm_bindgen_test]
fn a_run_that_needs_more_than_4_gib_is_refused() {
    let config = GptConfig::new(50_257, 1024, 1024, 16, 24);
    let shape = |batch, seq| TrainShape { batch, seq, pass: Pass::Update, dropout: 0 };
    let medium = Preflight::compute(&config, None, &shape(1, 256)).expect("a plan");
    assert!(medium.total() > 6_000_000_000, "{medium:?}");
    let error = medium.check(4_000_000_000).expect_err("too much").to_string();
    assert!(error.contains("choose a smaller batch, a shorter context, or LoRA"), "{error}");
    // Temporaries of 3 to 6 GiB.
    let config = GptConfig::new(50_257, 1024, 768, 12, 12);
    for batch in 4..=12 {
        let error = Preflight::compute(&config, None, &shape(batch, 1024)).expect_err("too much").to_string();
        assert!(error.contains("batch"), "batch {batch}: {error}");
    }
    // Tensors of 12 GiB, each.
    let error = Preflight::compute(&config, None, &shape(4096, 1024)).expect_err("too much").to_string();
    assert!(error.contains("more than 2 GiB; use a smaller batch"), "{error}");
    // A vocabulary of 4 GiB has pieces, none of them empty.
    let config = GptConfig::new(1 << 20, 1024, 1024, 16, 2);
    let wide = Preflight::compute(&config, None, &shape(1, 64)).expect("a plan");
    assert_eq!(wide.weights, config.n_params() as u64 * 4);
    assert_eq!(wide.training, 3 * wide.weights);
}

/// A field of a plain object, by its path.
fn field(object: &JsValue, path: &[&str]) -> JsValue {
    path.iter().fold(object.clone(), |at, key| js_sys::Reflect::get(&at, &(*key).into()).expect("an object"))
}

fn object(fields: &[(&str, JsValue)]) -> js_sys::Object {
    let made = js_sys::Object::new();
    for (key, value) in fields {
        js_sys::Reflect::set(&made, &(*key).into(), value).expect("a field");
    }
    made
}

const STORYTELLER: &[u8] = include_bytes!("../www/models/storyteller/config.json");
const TOKENIZER: &[u8] = include_bytes!("../www/models/storyteller/tokenizer.json");

/// The first bytes of the weights that a configuration asks for.
fn head(config: &[u8]) -> Vec<u8> {
    let specs = param_specs(&GptConfig::from_json(config).expect("a configuration"));
    let listed: Vec<_> = specs.iter().map(|s| (s.name.as_str(), s.shape.as_slice(), &Dtype::F32)).collect();
    write_header(&listed, &[]).expect("a header")
}

/// What a configuration claims costs nothing where the weights beside it are smaller, or are of a run.
#[wasm_bindgen_test]
async fn weights_are_compared_before_a_model_takes_its_memory() {
    let file = |bytes: &[u8]| JsValue::from(js_sys::Uint8Array::from(bytes));
    let mut huge: serde_json::Value = serde_json::from_slice(STORYTELLER).expect("a configuration");
    for (key, value) in [("n_embd", 3328), ("n_head", 26), ("n_inner", 8192), ("n_layer", 20), ("n_positions", 64)] {
        huge[key] = value.into();
    }
    let huge = huge.to_string();
    let pages = core::arch::wasm32::memory_size(0);
    let open = async |config: &[u8], head: &[u8], bytes: f64| {
        let files = object(&[("config.json", file(config)), ("tokenizer.json", file(TOKENIZER))]);
        let options = object(&[("backend", "cpu".into())]);
        let opened = Session::open(options.into(), files, js_sys::Array::of1(&file(head)), vec![bytes]).await;
        let error = JsValue::from(opened.err().expect("refused")).dyn_into::<js_sys::Error>().expect("an error");
        String::from(error.message())
    };
    let small = head(STORYTELLER);
    let error = open(huge.as_bytes(), &small, 0.0).await;
    assert!(error.contains("but the configuration asks for"), "{error}");
    // A header that claims as much as the configuration, over a file that has no more than the header.
    let large = head(huge.as_bytes());
    let error = open(huge.as_bytes(), &large, large.len() as f64).await;
    assert!(error.contains("truncated"), "{error}");
    assert!(open(huge.as_bytes(), &large[..100], 0.0).await.contains("ends inside its header"));
    // The same of a saved run.
    let files = object(&[("config.json", file(huge.as_bytes())), ("tokenizer.json", file(TOKENIZER))]);
    let state = web_sys::Blob::new_with_u8_array_sequence(&js_sys::Array::of1(&file(&large))).expect("a file");
    let opened = Session::open_run(object(&[("backend", "cpu".into())]).into(), files, state).await;
    let error = JsValue::from(opened.err().expect("refused")).dyn_into::<js_sys::Error>().expect("an error");
    assert!(String::from(error.message()).contains("truncated"));
    let grown = (core::arch::wasm32::memory_size(0) - pages) << 16;
    assert!(grown < 64 << 20, "{grown} bytes were taken");
}

/// What JavaScript is told of an error.
fn message(error: impl Into<JsValue>) -> String {
    error.into().dyn_into::<js_sys::Error>().expect("an error").message().into()
}

fn parsed(json: &str) -> JsValue {
    js_sys::JSON::parse(json).expect("JSON")
}

#[wasm_bindgen_test]
async fn a_session_that_lacks_weights_is_not_loaded() {
    let file = |bytes: &[u8]| JsValue::from(js_sys::Uint8Array::from(bytes));
    let files = object(&[("config.json", file(STORYTELLER)), ("tokenizer.json", file(TOKENIZER))]);
    let heads = js_sys::Array::of1(&file(&head(STORYTELLER)));
    let options = object(&[("backend", "cpu".into())]);
    let session = Session::open(options.into(), files, heads, Vec::new()).await.expect("a session");
    for _ in 0..2 {
        let error = JsValue::from(session.finish_loading().await.expect_err("no weights"));
        assert!(message(error.clone()).contains("lack"), "{error:?}");
        // By code and parameters it is worded in other languages; a parameter may be a message of its own.
        assert_eq!(field(&error, &["said", "code"]), "weights.lacks");
        assert_eq!(field(&error, &["said", "params", "tensor"]), "'h.0.attn.c_attn.bias'");
        assert_eq!(field(&error, &["said", "params", "advice", "code"]), "advice.no_gpt2");
        assert_eq!(field(&error, &["said", "text"]), message(error.clone()).as_str());
        let start = object(&[("prompt", "Once".into())]);
        let error = message(session.start(start.into()).await.expect_err("no weights"));
        assert!(error.contains("not loaded yet"), "{error}");
    }
    let error = session.start(object(&[("prompt", 5.0.into())]).into()).await.expect_err("no text");
    assert_eq!(field(&error.into(), &["said", "code"]), "request.not_read");
    // Bytes are numbers, not BigInts.
    let info = session.info().expect("info");
    for key in ["weights", "training", "kv", "temporaries"] {
        assert!(field(&info, &["bytes", key]).as_f64().is_some(), "{key}");
    }
    let options =
        [("backend", "cpu"), ("preset", "tiny"), ("tokenizer", "byte"), ("text", "Some words to learn from.")];
    let plan =
        Session::scratch_plan(object(&options.map(|(k, v)| (k, v.into()))).into(), parsed("{}")).expect("a plan");
    for key in ["weights", "training", "state", "temporaries", "total", "limit"] {
        assert!(field(&plan, &["bytes", key]).as_f64().is_some_and(|bytes| bytes > 0.0), "{key}");
    }
}

/// A device that says how much memory it has may be given less than WebAssembly could take.
#[wasm_bindgen_test]
fn a_small_device_has_a_lower_limit() {
    let navigator = js_sys::Reflect::get(&js_sys::global(), &"navigator".into()).expect("a navigator");
    let options =
        [("backend", "cpu"), ("preset", "tiny"), ("tokenizer", "byte"), ("text", "Some words to learn from.")];
    let limit = |gib: JsValue| {
        let descriptor = object(&[("value", gib), ("configurable", true.into())]);
        let navigator = navigator.unchecked_ref::<js_sys::Object>();
        js_sys::Object::define_property(navigator, &"deviceMemory".into(), &descriptor);
        let plan =
            Session::scratch_plan(object(&options.map(|(k, v)| (k, v.into()))).into(), parsed("{}")).expect("a plan");
        field(&plan, &["bytes", "limit"]).as_f64().expect("bytes")
    };
    assert_eq!(limit(0.5.into()), 0.375 * f64::from(1 << 30));
    assert_eq!(limit(2.0.into()), 1.5 * f64::from(1 << 30));
    let most = limit(JsValue::UNDEFINED);
    assert!(most > 3e9);
    assert_eq!(limit(8.0.into()), most, "a large one holds what WebAssembly can address");
    let navigator = navigator.unchecked_ref::<js_sys::Object>();
    js_sys::Reflect::delete_property(navigator, &"deviceMemory".into()).expect("as it was");
}

/// What the best weights take is counted where they will be: beside the others on the CPU, and nowhere without validation.
#[wasm_bindgen_test]
fn best_weights_are_counted() {
    let text = "Some words to learn from, again and again. ".repeat(40);
    let best = |backend: &str, given: &str| {
        let options = [("backend", backend), ("preset", "tiny"), ("tokenizer", "byte"), ("text", &text)];
        let plan =
            Session::scratch_plan(object(&options.map(|(k, v)| (k, v.into()))).into(), parsed(given)).expect("a plan");
        let bytes = |key| field(&plan, &["bytes", key]).as_f64().expect("bytes");
        let parts = ["weights", "training", "state", "temporaries", "best"].map(bytes);
        assert_eq!(bytes("total"), parts.iter().sum::<f64>());
        bytes("best") / bytes("weights")
    };
    assert_eq!(best("cpu", "{}"), 1.0);
    assert_eq!(best("webgpu", "{}"), 0.0);
    assert_eq!(best("cpu", r#"{"eval_every": 0}"#), 0.0);
    assert_eq!(best("cpu", r#"{"validation": 0}"#), 0.0);
}

#[wasm_bindgen_test]
async fn a_run_is_saved_in_pieces_and_comes_back() {
    let text = "Some words to learn from, again and again. ".repeat(8);
    let scratch = [("backend", "cpu"), ("preset", "nanogpt-cpu"), ("tokenizer", "byte"), ("text", &text)];
    let scratch = || JsValue::from(object(&scratch.map(|(k, v)| (k, v.into()))));
    let given = r#"{"steps": 4, "batch_size": 1, "context": 16, "eval_every": 2}"#;
    let request = object(&[("text", text.as_str().into()), ("options", parsed(given))]);
    let session = Session::open_scratch(scratch()).await.expect("a session");
    session.train_start(request.into()).await.expect("a start");
    let losses = async |session: &Session, count: usize| {
        let mut found = Vec::new();
        while found.len() < count {
            let told = session.train_next(1.0).await.expect("a piece of a step");
            for event in js_sys::Array::from(&field(&told, &["events"])) {
                if field(&event, &["type"]) == "step" {
                    found.push(field(&event, &["loss"]).as_f64().expect("a loss"));
                }
            }
        }
        found
    };
    losses(&session, 2).await;
    // Each piece waits until the one before it was taken.
    let keep = "if (globalThis.busy) throw new Error('two at once');
        globalThis.busy = true;
        (globalThis.pieces ??= []).push(piece);
        return new Promise((taken) => setTimeout(() => { globalThis.busy = false; taken(); }, 30));";
    session.save_state(js_sys::Function::new_with_args("piece", keep)).await.expect("a file");
    let pieces = js_sys::Array::from(&field(&js_sys::global(), &["pieces"]));
    assert!(pieces.length() > 1);
    let file = web_sys::Blob::new_with_u8_array_sequence(&pieces).expect("a file");

    // Where one finds no room, that is said in the words of who could not take it, and the run goes on.
    for body in ["throw new Error('the disk is full')", "return Promise.reject(new Error('the disk is full'))"] {
        let error = message(session.save_state(js_sys::Function::new_no_args(body)).await.expect_err("no room"));
        assert!(error.contains("the disk is full"), "{error}");
    }
    let rest = losses(&session, 2).await;
    let other = Session::open_scratch(scratch()).await.expect("a session");
    let planned = other.restore_state(file.clone(), text.clone()).await.expect("a run");
    assert_eq!(field(&planned, &["step"]), 2.0);
    assert_eq!(losses(&other, 2).await, rest);
    let short = file.slice_with_f64_and_f64(0.0, file.size() - 5.0).expect("a part");
    let error = message(other.restore_state(short, text.clone()).await.expect_err("a file that ends early"));
    assert!(error.contains("truncated"), "{error}");
}

#[wasm_bindgen_test]
async fn other_adapters_are_known_before_and_a_refused_start_keeps_the_run() {
    let text = "Some words to learn from, again and again. ".repeat(8);
    let scratch = [("backend", "cpu"), ("preset", "tiny"), ("tokenizer", "byte"), ("text", &text)];
    let session = Session::open_scratch(object(&scratch.map(|(k, v)| (k, v.into()))).into()).await.expect("a session");
    assert_eq!(field(&session.info().expect("info"), &["native"]), JsValue::from("tokenizer"));
    let request = |lora: bool, options: &str| -> JsValue {
        object(&[("text", text.as_str().into()), ("lora", lora.into()), ("options", parsed(options))]).into()
    };
    let few = r#"{"steps": 9, "batch_size": 1, "context": 16, "lora": {"rank": 2, "alpha": 5}}"#;
    let replaces = |planned: JsValue| field(&planned, &["replaces"]).as_bool().expect("a boolean");
    assert!(!replaces(session.train_plan(request(true, few)).expect("a plan")));
    assert!(!replaces(session.train_start(request(true, few)).await.expect("a start")));
    // By default the same adapters are trained further.
    let further = session.train_plan(request(true, "{}")).expect("a plan");
    assert_eq!(field(&further, &["options", "lora", "rank"]), 2.0);
    assert_eq!(field(&further, &["options", "lora", "alpha"]), 5.0);
    assert!(!replaces(further));
    let others = r#"{"lora": {"rank": 3}}"#;
    assert!(replaces(session.train_plan(request(true, others)).expect("a plan")));
    for (lora, options) in [(true, others), (false, "{}"), (true, r#"{"batch_size": 0}"#)] {
        assert!(session.train_start(request(lora, options)).await.is_err(), "{options}");
        // The run that was begun is still there.
        let events = session.train_next(1.0).await.expect("a piece of a step");
        assert!(!events.is_null(), "{options}");
    }
}

const INSPECT: &[u8] = include_bytes!("fixtures/models/gpt2-tanh-f32/inspect.safetensors");

#[wasm_bindgen_test]
async fn what_views_show_equals_transformers() {
    for backend in [Backend::Cpu, Backend::Gpu] {
        equals(&mut model(backend).await, &Fixture::new(INSPECT)).await;
    }
}

#[wasm_bindgen_test]
async fn numbers_that_overflow_are_named() {
    refuses_to_answer(&mut model(Backend::Cpu).await, &SPOILS).await;
    // Of those on the GPU what LayerNorm, softmax and the bounds of logits would hide: time is short here.
    let mut gpu = model(Backend::Gpu).await;
    refuses_to_answer(&mut gpu, &SPOILS[..2]).await;
    refuses_to_answer(&mut gpu, &SPOILS[7..]).await;
    refuses_to_train(&mut gpu).await;
}
