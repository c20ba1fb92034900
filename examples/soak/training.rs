//! Training: step after step, with validation and saves in between, from which the run goes on.

use crate::series::Series;
use gpt_playground::config::GptConfig;
use gpt_playground::error::Result;
use gpt_playground::exec::Backend;
use gpt_playground::model::{Model, ModelOptions};
use gpt_playground::train::{Dataset, Event, Source, TrainOptions, Trainer, restore, save};
use pollster::block_on;
use std::time::Duration;

const VOCABULARY: u32 = 256;
const CONTEXT: usize = 32;
/// Steps between two saves.
const SAVE_EVERY: u32 = 50;
/// How many saves are written until the run goes on from one, as after a reload.
const RESUME_EVERY: u32 = 5;

/// Where batches come from; the same each time.
fn source() -> Result<Source> {
    let tokens: Vec<u32> = (0..4000u32).map(|i| (i * i * 7 + i * 3) % VOCABULARY).collect();
    Ok(Source::Text(Dataset::new(tokens, 0.1, CONTEXT)?))
}

/// Trains a tiny model for so many steps.
///
/// # Errors
/// When the device fails.
pub fn soak(backend: Backend, steps: u32) -> Result<Series> {
    let config = GptConfig::new(VOCABULARY as usize, CONTEXT, 32, 4, 2);
    let mut model = block_on(Model::open(config, &ModelOptions { backend, ..ModelOptions::default() }))?;
    model.randomize(1)?;
    let options = TrainOptions {
        steps,
        batch_size: 2,
        context: CONTEXT,
        dropout: 0.1,
        grad_accum: 2,
        eval_every: SAVE_EVERY,
        ..TrainOptions::default()
    };
    let mut trainer = block_on(Trainer::new(&mut model, options, source()?))?;
    let mut series = Series::default();
    let (mut saves, mut finished) = (0, false);
    while !finished {
        let target = (saves + 1) * SAVE_EVERY;
        while !finished && trainer.step() < target as usize {
            finished = block_on(trainer.advance(&mut model, Duration::from_millis(30)))? == Event::Finished;
        }
        let saved = block_on(save(&mut model, &mut trainer))?;
        saves += 1;
        if saves % RESUME_EVERY == 0 && !finished {
            let state = block_on(restore(&mut model, &saved))?;
            let options = state.options.clone();
            trainer = Trainer::resume(&model, state, options, source()?)?;
        }
        drop(saved);
        series.sample(Some(&model));
    }
    Ok(series)
}
