//! In a real browser: every kernel compiled with its real constants and every op encoded once, a subset compared with
//! the CPU, and whole models on both backends.
#![cfg(target_arch = "wasm32")]

mod common;

use common::cases::cases;
use common::runner::{Runner, compare};
use gpt_playground::config::GptConfig;
use gpt_playground::exec::{Backend, Executor};
use gpt_playground::gpu::{GpuContext, GpuExecutor};
use gpt_playground::graph::Target;
use gpt_playground::model::checkpoint::Loader;
use gpt_playground::model::{Model, ModelOptions};
use gpt_playground::sample::{Generation, SamplingParams, Step};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_time::Duration;

wasm_bindgen_test_configure!(run_in_dedicated_worker);

async fn gpu(target: Target) -> Runner {
    let cx = GpuContext::open().await.unwrap_or_else(|e| panic!("this test needs WebGPU: {e}"));
    Runner::new(Executor::Gpu(Box::new(GpuExecutor::new(cx.with_target(target)))))
}

/// Runs every case on the device, which compiles and encodes it, and compares the small ones.
async fn agrees_on(target: Target) {
    let mut cpu = Runner::new(Executor::Cpu(Box::default()));
    let mut gpu = gpu(target).await;
    let mut failures = Vec::new();
    for case in cases() {
        let got = gpu.run(&case).await.unwrap_or_else(|e| panic!("{}: {e}", case.label));
        let want = cpu.run(&case).await.unwrap_or_else(|e| panic!("{}: {e}", case.label));
        if let (true, Err(e)) = (case.in_browser, compare(&case, &got, &want)) {
            failures.push(format!("{}: {e}", case.label));
        }
    }
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
    let reason = model.backend_reason().to_string();
    assert_eq!(model.backend() == "cpu", reason.contains("software"), "{reason}");
}
