//! Training as tests use it: its fixtures, models to train, runs pulled to their end.
use super::models::open;
use gpt_playground::config::GptConfig;
use gpt_playground::exec::Backend;
use gpt_playground::model::checkpoint::Loader;
use gpt_playground::model::lora::LoraOptions;
use gpt_playground::model::{Model, ModelOptions};
use gpt_playground::train::export::apply_adapter;
use gpt_playground::train::peft::Adapter;
use gpt_playground::train::{Dataset, Event, Source, StepReport, TrainOptions, Trainer};
use pollster::block_on;
use std::time::Duration;

pub const BACKENDS: [Backend; 2] = [Backend::Cpu, Backend::Gpu];

pub fn fixture(file: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/training/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Pulls a run to its end; returns its reports and evaluations.
pub fn run(model: &mut Model, trainer: &mut Trainer) -> (Vec<StepReport>, Vec<f32>) {
    let (mut steps, mut evaluations) = (Vec::new(), Vec::new());
    loop {
        match block_on(trainer.advance(model, Duration::from_millis(50))).expect("a step") {
            Event::Steps(reports) => steps.extend(reports),
            Event::Evaluated { loss, .. } => evaluations.push(loss),
            Event::Working => {}
            Event::Finished => return (steps, evaluations),
        }
    }
}

pub fn adapter_of(folder: &str, model: &Model) -> Adapter {
    let [config, weights] =
        ["adapter_config.json", "adapter_model.safetensors"].map(|f| fixture(&format!("{folder}/{f}")));
    Adapter::from_peft(&config, &weights, model.config()).expect("an adapter")
}

/// The model from which a fixture's training starts, and its adapters.
pub fn start(folder: &str, backend: Backend) -> (Model, Option<LoraOptions>) {
    let mut model = match folder {
        "textbook" => open("textbook", backend),
        "gpt2-erf-untied" => {
            let config = GptConfig::from_json(&fixture(&format!("{folder}/config.json"))).expect("a configuration");
            load(config, &fixture(&format!("{folder}/model.safetensors")), backend)
        }
        _ => open("gpt2-tanh-f32", backend),
    };
    let mut lora = None;
    if folder.starts_with("lora") {
        let adapter = adapter_of(folder, &model);
        block_on(apply_adapter(&mut model, &adapter)).expect("room for the adapter");
        lora = Some(adapter.options);
    }
    (model, lora)
}

/// A model from the bytes of its weights.
pub fn load(config: GptConfig, weights: &[u8], backend: Backend) -> Model {
    let mut loader = Loader::new(&config).expect("a loader");
    let options = ModelOptions { backend, ..ModelOptions::default() };
    let mut model = block_on(Model::open(config, &options)).expect("a backend");
    loader.push(weights, &mut |name, first, values| model.write_param(name, first, values)).expect("weights");
    loader.end_file().expect("a whole file");
    loader.finish().expect("all weights");
    model
}

/// A run that uses everything there is to use: dropout, accumulation, warm-up, validation.
pub fn rich(model: &Model, lora: Option<LoraOptions>) -> (TrainOptions, Source) {
    let vocab = model.config().vocab_size as u32;
    let tokens: Vec<u32> = (0..700u32).map(|i| (i * i * 7 + i * 3) % vocab).collect();
    let options = TrainOptions {
        steps: 7,
        batch_size: 2,
        context: 12,
        lr: 1e-3,
        warmup: 2,
        dropout: 0.1,
        grad_accum: 2,
        eval_every: 3,
        validation: 0.2,
        lora,
        ..TrainOptions::default()
    };
    (options, Source::Text(Dataset::new(tokens, 0.2, 12).expect("a text")))
}

/// A model for [`rich`]; adapters begin fresh.
pub fn fresh(lora: bool, backend: Backend) -> (Model, TrainOptions, Source) {
    let model = open("gpt2-tanh-f32", backend);
    let (options, source) = rich(&model, lora.then(|| LoraOptions { dropout: 0.2, ..LoraOptions::default() }));
    (model, options, source)
}

/// What the model holds of the parameters that are trained.
pub fn weights(model: &mut Model) -> Vec<Vec<f32>> {
    let specs = model.trained_specs();
    specs.iter().map(|spec| block_on(model.read_param(&spec.name)).expect("a weight")).collect()
}

/// Losses, to be compared to the last bit.
pub fn losses(steps: &[StepReport]) -> Vec<u32> {
    steps.iter().map(|s| s.loss.to_bits()).collect()
}
