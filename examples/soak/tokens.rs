//! Writing: generation after generation, over a context that is full again and again.

use crate::series::Series;
use gpt_playground::config::GptConfig;
use gpt_playground::error::{Error, Result};
use gpt_playground::exec::Backend;
use gpt_playground::message::Message;
use gpt_playground::model::checkpoint::Loader;
use gpt_playground::model::{Model, ModelOptions};
use gpt_playground::sample::{Generation, SamplingParams, Step};
use pollster::block_on;
use std::path::Path;
use std::time::Duration;

/// Tokens of a generation: several contexts.
const EACH: usize = 500;

/// Opens a model from its folder.
pub fn open(dir: &Path, backend: Backend) -> Result<Model> {
    let read = |name: &str| {
        let path = dir.join(name);
        std::fs::read(&path).map_err(|e| Error::Io(Message::uncoded(format!("{} cannot be read: {e}", path.display()))))
    };
    let config = GptConfig::from_json(&read("config.json")?)?;
    let mut loader = Loader::new(&config)?;
    let mut model = block_on(Model::open(config, &ModelOptions { backend, ..ModelOptions::default() }))?;
    loader.push(&read("model.safetensors")?, &mut |name, first, values| model.write_param(name, first, values))?;
    loader.end_file()?;
    loader.finish()?;
    Ok(model)
}

/// Writes `n` tokens; `seed` decides which.
pub fn write(model: &mut Model, n: usize, seed: u64) -> Result<()> {
    let vocab = model.config().vocab_size as u32;
    let prompt: Vec<u32> = (0..8).map(|i| (i * 31 + seed as u32 * 7) % vocab).collect();
    let params = SamplingParams { seed, ..SamplingParams::default() };
    let mut generation = Generation::start(model, &prompt, params, n, None)?;
    loop {
        if let Step::Tokens { finished: Some(_), .. } = block_on(generation.next(model, Duration::from_millis(30), 64))?
        {
            return Ok(());
        }
    }
}

/// Writes so many tokens with the model in this folder.
///
/// # Errors
/// When the model cannot be opened or the device fails.
pub fn soak(dir: &Path, backend: Backend, tokens: usize) -> Result<Series> {
    let mut model = open(dir, backend)?;
    let mut series = Series::default();
    for (seed, done) in (0..tokens).step_by(EACH).enumerate() {
        write(&mut model, EACH.min(tokens - done), seed as u64)?;
        series.sample(Some(&model));
    }
    Ok(series)
}
