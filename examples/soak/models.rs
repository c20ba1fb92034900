//! Opening and closing models: the shipped one and a tiny one in turn; each writes, is looked into and learns a little.

use crate::series::Series;
use crate::tokens::{open, write};
use gpt_playground::config::GptConfig;
use gpt_playground::error::Result;
use gpt_playground::exec::Backend;
use gpt_playground::model::{Model, ModelOptions};
use gpt_playground::train::{Dataset, Event, Source, TrainOptions, Trainer};
use pollster::block_on;
use std::path::Path;
use std::time::Duration;

/// A model with random weights.
fn tiny(backend: Backend) -> Result<Model> {
    let config = GptConfig::new(256, 64, 32, 4, 2);
    let mut model = block_on(Model::open(config, &ModelOptions { backend, ..ModelOptions::default() }))?;
    model.randomize(1)?;
    Ok(model)
}

/// Two steps, so that there are gradients and moments.
fn learn(model: &mut Model) -> Result<()> {
    let source = Source::Text(Dataset::new((0..400).map(|i| i * i % 256).collect(), 0.0, 16)?);
    let options = TrainOptions { steps: 2, batch_size: 1, context: 16, eval_every: 0, ..TrainOptions::default() };
    let mut trainer = block_on(Trainer::new(model, options, source))?;
    while block_on(trainer.advance(model, Duration::from_millis(30)))? != Event::Finished {}
    Ok(())
}

/// Opens and closes so many models.
///
/// # Errors
/// When one cannot be opened or the device fails.
pub fn soak(dir: &Path, backend: Backend, models: usize) -> Result<Series> {
    let mut series = Series::default();
    for i in 0..models {
        let mut model = if i % 2 == 0 { open(dir, backend)? } else { tiny(backend)? };
        write(&mut model, 12, i as u64)?;
        block_on(model.score(&[1, 2, 3, 4, 5, 6, 7, 8]))?;
        learn(&mut model)?;
        drop(model);
        series.sample(None);
    }
    Ok(series)
}
