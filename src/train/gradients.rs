//! The gradients of one step, to be looked at.

use super::data::Batch;
use super::divergence;
use super::options::TrainOptions;
use crate::error::Result;
use crate::exec::Advance;
use crate::model::{Model, Pass};
use crate::ops::{hyper, metrics};

/// The gradient of the mean loss over a step's micro-batches, of every trained parameter: (name, shape, values), before
/// any clipping. The model must be set up for training; its weights are not changed.
///
/// # Errors
/// [`Error::Overflow`](crate::error::Error::Overflow) where one is not finite; else as [`Model::enable_training`].
pub async fn gradients(
    model: &mut Model,
    options: &TrainOptions,
    batches: &[Batch],
) -> Result<Vec<(String, Vec<usize>, Vec<f32>)>> {
    model.abandon_step();
    let shape = options.shape(Pass::Gradients);
    let valid: usize = batches.iter().map(Batch::n_targets).sum();
    let mut words = [0; hyper::WORDS];
    words[hyper::LOSS_SCALE] = (1.0 / valid.max(1) as f32).to_bits();
    words[hyper::SEED_LOW] = options.seed as u32;
    words[hyper::SEED_HIGH] = (options.seed >> 32) as u32;
    for (micro, batch) in batches.iter().enumerate() {
        words[hyper::MICRO] = micro as u32;
        let run = model.begin_pass(&shape, &batch.inputs, &batch.targets, &words).await?;
        while model.executor().advance(run, web_time::Duration::MAX).await? == Advance::Working {}
    }
    let mut found = Vec::new();
    for spec in model.trained_specs() {
        let values = model.read_param(&crate::graph::gradient_name(&spec.name)).await?;
        found.push((spec.name, spec.shape, values));
    }
    model.abandon_step();
    let loss = model.read_metrics().await?[metrics::LOSS];
    let lost = found.iter().find(|(_, _, values)| values.iter().any(|x| !x.is_finite()));
    if !loss.is_finite() || lost.is_some() {
        model.clear_metrics();
        return Err(divergence::of_step(model, options, 0, batches, loss).await);
    }
    Ok(found)
}
