//! Models from the fixtures, and their reference tensors.

use gpt_playground::config::GptConfig;
use gpt_playground::exec::{Backend, Chosen, Executor};
use gpt_playground::model::checkpoint::Loader;
use gpt_playground::model::{Model, ModelOptions};
use gpt_playground::sample::{Finish, Generation, Record, SamplingParams, Step};
use pollster::block_on;
use safetensors::SafeTensors;
use std::path::PathBuf;
use std::time::Duration;

/// The small models with odd sizes, from Hugging Face's GPT-2 and from PyTorch's modules.
pub const SMALL: [&str; 4] = ["gpt2-tanh-f32", "gpt2-erf-f16", "gpt2-relu-bf16", "textbook"];

/// A file of a fixture, or of a shipped model.
pub fn path(name: &str, file: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let made = ["reference.safetensors", "inspect.safetensors"];
    let shipped = name == "storyteller" && !made.contains(&file);
    root.join(if shipped { "www/models" } else { "tests/fixtures/models" }).join(name).join(file)
}

/// A model of the fixtures on a backend.
pub fn open(name: &str, backend: Backend) -> Model {
    open_on(name, block_on(Executor::open(backend)).unwrap_or_else(|e| panic!("{name} on {backend:?}: {e}")))
}

/// A model of the fixtures on an executor.
pub fn open_on(name: &str, chosen: Chosen) -> Model {
    let config = GptConfig::from_json(&std::fs::read(path(name, "config.json")).expect("config.json")).expect("valid");
    let weights = std::fs::read(path(name, "model.safetensors")).expect("model.safetensors");
    let mut loader = Loader::new(&config).expect("a loader");
    let mut model = block_on(Model::on(config, chosen, &ModelOptions::default())).expect("room");
    loader.push(&weights, &mut |name, first, values| model.write_param(name, first, values)).expect("weights");
    loader.end_file().expect("a whole file");
    loader.finish().expect("all weights");
    model
}

/// What a generation brought, from its start to its end.
#[derive(Debug, PartialEq)]
pub struct Written {
    /// Tokens of the prompt that were fed before the first new one; those that the cache held are not among them.
    pub prefilled: usize,
    /// The new tokens.
    pub records: Vec<Record>,
    /// Why it ended.
    pub finish: Finish,
}

impl Written {
    /// The new tokens' ids.
    pub fn ids(&self) -> Vec<u32> {
        self.records.iter().map(|r| r.id).collect()
    }
}

/// Continues a prompt to the end.
pub fn generate(model: &mut Model, prompt: &[u32], params: &SamplingParams, n: usize) -> Written {
    let mut generation = Generation::start(model, prompt, params.clone(), n, None).expect("a start");
    let (mut prefilled, mut all) = (0, Vec::new());
    loop {
        match block_on(generation.next(model, Duration::from_millis(20), 7)).expect("a step") {
            // Where the context slides, there is a second one later.
            Step::Prefill { total, .. } if all.is_empty() => prefilled = total,
            Step::Prefill { .. } => {}
            Step::Tokens { records, finished } => {
                all.extend(records);
                if let Some(finish) = finished {
                    return Written { prefilled, records: all, finish };
                }
            }
        }
    }
}

/// A fixture's reference tensors.
pub struct Reference(Vec<u8>);

impl Reference {
    /// Reads a fixture's reference file.
    pub fn read(name: &str) -> Self {
        Self(std::fs::read(path(name, "reference.safetensors")).expect("reference.safetensors"))
    }

    /// Shape and bytes of a tensor.
    fn tensor(&self, name: &str) -> (Vec<usize>, Vec<u8>) {
        let file = SafeTensors::deserialize(&self.0).expect("a safetensors file");
        let view = file.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        (view.shape().to_vec(), view.data().to_vec())
    }

    /// A float tensor with its shape.
    pub fn f32(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let (shape, bytes) = self.tensor(name);
        (shape, bytemuck::pod_collect_to_vec(&bytes))
    }

    /// Token ids, stored as i64.
    pub fn ids(&self, name: &str) -> Vec<u32> {
        let values: Vec<i64> = bytemuck::pod_collect_to_vec(&self.tensor(name).1);
        values.into_iter().map(|v| u32::try_from(v).expect("an id")).collect()
    }
}
