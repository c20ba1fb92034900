//! The weights with the lowest validation loss, kept beside those of the last step. One of the two is in the model, the
//! other is set aside here, so that both cost one copy.

use super::trainer::Trainer;
use crate::error::Result;
use crate::model::Model;

/// The values of every trained parameter, in the order of [`Model::trained_specs`].
pub type Weights = Vec<(String, Vec<f32>)>;

/// The lowest validation loss so far.
#[derive(Debug)]
pub(super) struct Best {
    pub(super) loss: f32,
    /// Steps done when it was measured.
    pub(super) step: usize,
    /// Of best and last weights those that the model does not hold; nothing where a saved run had none.
    pub(super) aside: Option<Weights>,
    /// Whether the model holds the best, and `aside` the last.
    pub(super) in_force: bool,
}

/// Best and last weights of a run, as [`Trainer::best`] tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BestWeights {
    /// The lowest validation loss, mean cross-entropy in nats.
    pub loss: f32,
    /// Steps done when it was measured.
    pub step: usize,
    /// Whether the model holds them; else it holds those of the last step.
    pub in_force: bool,
}

/// What the model holds of the parameters that are trained.
async fn copy(model: &mut Model) -> Result<Weights> {
    let specs = model.trained_specs();
    let mut weights = Vec::with_capacity(specs.len());
    for spec in specs {
        let values = model.read_param(&spec.name).await?;
        weights.push((spec.name, values));
    }
    Ok(weights)
}

/// Exchanges a weight of the model and one that is kept.
async fn swap(model: &mut Model, (name, values): &mut (String, Vec<f32>)) -> Result<()> {
    let held = model.read_param(name).await?;
    model.write_param(name, 0, values)?;
    *values = held;
    Ok(())
}

impl Trainer {
    /// The weights with the lowest validation loss, where they were kept.
    pub fn best(&self) -> Option<BestWeights> {
        let Best { loss, step, in_force, aside } = self.best.as_ref()?;
        aside.as_ref().map(|_| BestWeights { loss: *loss, step: *step, in_force: *in_force })
    }

    /// Puts the best weights into the model, or those of the last step back; the others are kept. A run that goes on puts
    /// the last back by itself. Returns whether the model now holds what was asked for: `false` where no best were kept.
    ///
    /// # Errors
    /// [`Error::Device`](crate::error::Error::Device) when the device failed.
    pub async fn use_best(&mut self, model: &mut Model, wanted: bool) -> Result<bool> {
        self.settle(model);
        let Some(best) = self.best.as_mut().filter(|b| b.aside.is_some()) else { return Ok(!wanted) };
        let Some(aside) = best.aside.as_mut().filter(|_| best.in_force != wanted) else { return Ok(true) };
        // One by one they change places: a second copy of all has no room beside a large model.
        for at in 0..aside.len() {
            if let Err(error) = swap(model, &mut aside[at]).await {
                // Neither is to be a mixture of both.
                for one in &mut aside[..at] {
                    swap(model, one).await?;
                }
                return Err(error);
            }
        }
        best.in_force = wanted;
        Ok(true)
    }

    /// After an evaluation: keeps the model's weights if no loss was lower.
    pub(super) async fn note_loss(&mut self, model: &mut Model, loss: f32) -> Result<bool> {
        let best = self.best.as_ref().is_none_or(|b| loss < b.loss);
        if best {
            // What was set aside before makes room first.
            self.best = None;
            let aside = Some(copy(model).await?);
            self.best = Some(Best { loss, step: self.done(), aside, in_force: false });
        }
        Ok(best)
    }
}
