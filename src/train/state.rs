//! A training run on disk: weights, AdamW's moments, step and options, so that it can go on as if never interrupted.

use super::best::{Best, Weights};
use super::data::Batch;
use super::options::TrainOptions;
use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::exec::Advance;
use crate::model::checkpoint::{Dtype, Header, Pieces, write_header};
use crate::model::params::{ParamSpec, param_specs};
use crate::model::{Model, Pass};
use crate::ops::hyper;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Metadata key of the run's description.
const KEY: &str = "gpt_playground.training";

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
fn tensors_of(name: &str) -> [String; 3] {
    [name.to_string(), format!("exp_avg:{name}"), format!("exp_avg_sq:{name}")]
}

/// Name of a parameter's value with the lowest validation loss.
fn best_name(name: &str) -> String {
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
    let listed: Vec<_> = listed.iter().map(|(name, shape)| (name.as_str(), *shape, &Dtype::F32)).collect();
    let text = serde_json::to_string(&state).map_err(|e| Error::Checkpoint(format!("the run cannot be saved: {e}")))?;
    let mut pieces = Pieces::new(write_header(&listed, &[(KEY, &text)])?);
    for name in specs.iter().flat_map(|spec| tensors_of(&spec.name)) {
        let values = model.read_param(&name).await?;
        let full = pieces.add(&name, &Dtype::F32, &values)?;
        drop(values);
        if let Some(full) = full {
            piece(full).await?;
        }
    }
    for (name, values) in aside {
        if let Some(full) = pieces.add(name, &Dtype::F32, values)? {
            piece(full).await?;
        }
    }
    piece(pieces.finish()).await
}

/// Whether a file with this header is one that [`save`] wrote.
pub fn is_state(header: &Header) -> bool {
    header.metadata.contains_key(KEY)
}

fn description(header: &Header) -> Result<TrainingState> {
    let text = header.metadata.get(KEY).ok_or_else(|| {
        Error::Checkpoint("this file holds no training run; choose one that was saved while training".into())
    })?;
    serde_json::from_str(text)
        .map_err(|e| Error::Checkpoint(format!("the saved run's description is damaged ({e}); start a new run")))
}

/// Where the run stood that [`save`] wrote, without its weights.
///
/// # Errors
/// [`Error::Checkpoint`] when the file is damaged or of another kind.
pub fn read_state(bytes: &[u8]) -> Result<TrainingState> {
    description(&Header::parse_whole(bytes)?)
}

/// As [`read_state`], of a file of `len` bytes that lies elsewhere: `read` gives any range of it.
///
/// # Errors
/// As [`read_state`], and what `read` fails with.
pub async fn read_state_from(len: u64, read: impl AsyncFnMut(Range<u64>) -> Result<Vec<u8>>) -> Result<TrainingState> {
    description(&Header::parse_from(len, read).await?)
}

/// Reads what [`save`] wrote: enables training in the model and fills weights and moments. The caller then goes on by
/// [`Trainer::resume`].
///
/// # Errors
/// As [`restore_from`].
pub async fn restore(model: &mut Model, bytes: &[u8]) -> Result<TrainingState> {
    let read = async |range: Range<u64>| Ok(bytes[range.start as usize..range.end as usize].to_vec());
    restore_from(model, bytes.len() as u64, read).await
}

/// As [`restore`], of a file of `len` bytes that lies elsewhere: `read` gives any range of it. A tensor is read at a time.
///
/// # Errors
/// [`Error::Checkpoint`] when the file is damaged or belongs to another model, naming the tensor; nothing is changed
/// before every tensor has been checked. What `read` fails with.
pub async fn restore_from(
    model: &mut Model,
    len: u64,
    mut read: impl AsyncFnMut(Range<u64>) -> Result<Vec<u8>>,
) -> Result<TrainingState> {
    let header = Header::parse_from(len, &mut read).await?;
    let mut state = description(&header)?;
    state.options.validate(model.config())?;
    let specs = match &state.options.lora {
        Some(lora) => lora.specs(model.config()),
        None => param_specs(model.config()),
    };
    let mut found = Vec::new();
    for spec in &specs {
        for name in tensors_of(&spec.name) {
            let range = range_of(&header, &name, spec)?
                .ok_or_else(|| Error::Checkpoint(format!("the saved run lacks {name}; start a new run")))?;
            found.push((name, range));
        }
    }
    // Not there where the run was never validated, or saved when those of large models were not kept.
    let best: Option<Vec<_>> =
        specs.iter().map(|spec| range_of(&header, &best_name(&spec.name), spec)).collect::<Result<_>>()?;
    model.free_passes(Some(&state.options.shape(Pass::Update))).await?;
    model.enable_training(state.options.lora.as_ref(), state.options.seed).await?;
    let values = |bytes: Vec<u8>| -> Vec<f32> { bytemuck::pod_collect_to_vec(&bytes) };
    for (name, range) in found {
        model.write_param(&name, 0, &values(read(range).await?))?;
    }
    if let Some(best) = best {
        let mut weights = Vec::with_capacity(specs.len());
        for (range, spec) in best.into_iter().zip(specs) {
            weights.push((spec.name, values(read(range).await?)));
        }
        state.best_weights = Some(weights);
    }
    Ok(state)
}

/// Where a tensor's values lie in the file, if it is there.
fn range_of(header: &Header, name: &str, spec: &ParamSpec) -> Result<Option<Range<u64>>> {
    let Some(entry) = header.entries.iter().find(|e| e.name == name) else { return Ok(None) };
    if entry.shape != spec.shape || entry.dtype != Dtype::F32 {
        let (got, want) = (&entry.shape, &spec.shape);
        return Err(Error::Checkpoint(format!(
            "{name} has shape {got:?} in the saved run, but {want:?} in this model; load the model it belongs to"
        )));
    }
    Ok(Some(entry.range.clone()))
}

/// The gradient of the mean loss over a step's micro-batches, of every trained parameter: (name, shape, values), before
/// any clipping. The model must be set up for training; its weights are not changed.
///
/// # Errors
/// As [`Model::enable_training`].
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
    Ok(found)
}
