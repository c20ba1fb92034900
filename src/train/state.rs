//! A training run on disk: weights, AdamW's moments, step and options, so that it can go on as if never interrupted. This
//! writes it, `restore` reads it.
//!
//! The file is a safetensors file. Its metadata describes the run; its last tensor, [`CHECKSUMS`], holds a CRC-32 of all
//! that stands before it, so that a damaged file is known as such, and not taken for a run that diverged.

use super::best::{Best, Weights};
use super::crc32::Crc32;
use super::options::TrainOptions;
use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::message::message;
use crate::model::Model;
use crate::model::checkpoint::{Dtype, Header, Pieces, write_header};
use serde::{Deserialize, Serialize};

/// Metadata key of the run's description.
pub(super) const KEY: &str = "gpt_playground.training";
/// Name of the checksums, a U32 tensor of one dimension: that of the header (its length too), then those of the tensors in
/// the order of their bytes. Also the value of [`CHECKED`].
pub(super) const CHECKSUMS: &str = "crc32";
/// Metadata key that says that there are checksums: files of earlier versions have none.
pub(super) const CHECKED: &str = "gpt_playground.checksums";

/// Where a run stood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingState {
    /// Steps done.
    pub step: usize,
    /// Lowest validation loss so far.
    pub best_loss: Option<f32>,
    /// Steps done when it was measured.
    #[serde(default)]
    pub best_step: usize,
    /// Steps done at the last validation.
    #[serde(default)]
    pub evaluated: Option<usize>,
    /// Whether the best weights were in use; the file's are those of the last step all the same.
    #[serde(default)]
    pub best_in_force: bool,
    /// What the frozen model is, beside which adapters are trained: see [`Trainer::set_base`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The run's options.
    pub options: TrainOptions,
    /// The weights of that loss, where they were kept. They are tensors of the file, not part of its description.
    #[serde(skip)]
    pub best_weights: Option<Weights>,
}

/// Names of a trained parameter's tensors in the file: itself and AdamW's moments.
pub(super) fn tensors_of(name: &str) -> [String; 3] {
    [name.to_string(), format!("exp_avg:{name}"), format!("exp_avg_sq:{name}")]
}

/// Name of a parameter's value with the lowest validation loss.
pub(super) fn best_name(name: &str) -> String {
    format!("best:{name}")
}

/// Writes the trained parameters, their moments, the best weights and the run's state as one safetensors file. A step under
/// way is broken off first, to be done again. Steps that were not told yet are told afterwards, as is a loss that is no
/// number: the file is then that of the step before it.
///
/// # Errors
/// [`Error::Device`] when the device failed.
pub async fn save(model: &mut Model, trainer: &mut Trainer) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    save_pieces(model, trainer, async |piece| {
        file.extend(piece);
        Ok(())
    })
    .await?;
    Ok(file)
}

/// The file of [`save`] in pieces, see [`Pieces`]: each is handed over before the next tensor is read.
///
/// # Errors
/// As [`save`], and what `piece` fails with.
pub async fn save_pieces(
    model: &mut Model,
    trainer: &mut Trainer,
    mut piece: impl AsyncFnMut(Vec<u8>) -> Result<()>,
) -> Result<()> {
    trainer.catch_up(model).await?;
    let best = trainer.best.as_ref();
    let state = TrainingState {
        step: trainer.done(),
        best_loss: best.map(|b| b.loss),
        best_step: best.map_or(0, |b| b.step),
        evaluated: trainer.evaluated,
        best_in_force: best.is_some_and(|b| b.in_force),
        base: trainer.base.clone(),
        options: trainer.options().clone(),
        best_weights: None,
    };
    // Those of best and last that the model does not hold.
    let (aside, in_force): (&[_], bool) = match best {
        Some(Best { aside: Some(weights), in_force, .. }) => (weights, *in_force),
        _ => (&[], false),
    };
    let specs = model.trained_specs();
    let mut listed: Vec<(String, &[usize])> = Vec::new();
    for spec in &specs {
        let [weight, first, second] = tensors_of(&spec.name);
        let weight = if in_force { best_name(&weight) } else { weight };
        listed.extend([weight, first, second].map(|name| (name, spec.shape.as_slice())));
    }
    for ((name, _), spec) in aside.iter().zip(&specs) {
        listed.push((if in_force { name.clone() } else { best_name(name) }, &spec.shape));
    }
    let (u32s, n_sums) = (Dtype::Other("U32".into()), [listed.len() + 1]);
    let mut tensors: Vec<_> = listed.iter().map(|(name, shape)| (name.as_str(), *shape, &Dtype::F32)).collect();
    tensors.push((CHECKSUMS, &n_sums, &u32s));
    let text = serde_json::to_string(&state)
        .map_err(|e| Error::Checkpoint(message!("saved.not_written", "the run cannot be saved: {cause}", cause = e)))?;
    let header = write_header(&tensors, &[(KEY, &text), (CHECKED, CHECKSUMS)])?;
    let mut sums = vec![Crc32::of(&header)];
    let mut pieces = Pieces::new(header);
    for name in specs.iter().flat_map(|spec| tensors_of(&spec.name)) {
        let values = model.read_param(&name).await?;
        sums.push(Crc32::of(bytemuck::cast_slice(&values)));
        let full = pieces.add(&name, &Dtype::F32, &values)?;
        drop(values);
        if let Some(full) = full {
            piece(full).await?;
        }
    }
    for (name, values) in aside {
        sums.push(Crc32::of(bytemuck::cast_slice(values)));
        if let Some(full) = pieces.add(name, &Dtype::F32, values)? {
            piece(full).await?;
        }
    }
    let mut last = pieces.finish();
    last.extend(sums.iter().flat_map(|sum| sum.to_le_bytes()));
    piece(last).await
}

/// Whether a file with this header is one that [`save`] wrote.
pub fn is_state(header: &Header) -> bool {
    header.metadata.contains_key(KEY)
}
