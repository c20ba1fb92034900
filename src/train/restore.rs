//! Reading a training run that `state` wrote.

use super::crc32::Crc32;
use super::state::{CHECKED, CHECKSUMS, KEY, TrainingState, best_name, tensors_of};
use crate::config::GptConfig;
use crate::error::{Error, Result, parse_error};
use crate::message::{Message, message, shown};
use crate::model::checkpoint::{Dtype, Header};
use crate::model::params::{ParamSpec, param_specs};
use crate::model::{Model, Pass};
use std::collections::HashMap;
use std::ops::Range;

/// A tensor's name, and where its values lie in the file.
type Place = (String, Range<u64>);

/// A saved run of which all is known but the tensors' values.
struct Saved {
    header: Header,
    state: TrainingState,
    /// By tensor; nothing in files of before there were any.
    sums: HashMap<String, u32>,
}

/// What is to be read of a saved run for one model.
struct Wanted {
    specs: Vec<ParamSpec>,
    /// Weights and moments.
    tensors: Vec<Place>,
    /// The weights of the lowest validation loss, where they were kept.
    best: Option<Vec<Place>>,
}

fn error(message: Message) -> Error {
    Error::Checkpoint(message)
}

fn damaged(what: Message) -> Error {
    error(message!(
        "saved.damaged",
        "the saved run is damaged: {cause}. Open an earlier save of it, or start a new run",
        cause = what
    ))
}

impl Saved {
    async fn open(len: u64, mut read: impl AsyncFnMut(Range<u64>) -> Result<Vec<u8>>) -> Result<Saved> {
        let parsed = Header::parse_from(len, &mut read).await;
        let header = parsed.map_err(|e| match e {
            Error::Checkpoint(e) => {
                error(message!("saved.not_read", "the saved run cannot be read: {cause}", cause = e))
            }
            other => other,
        })?;
        let sums = checksums(&header, &mut read).await?;
        let text = header.metadata.get(KEY).ok_or_else(|| {
            error(message!("saved.none", "this file holds no training run; choose one that was saved while training"))
        })?;
        let state = serde_json::from_str(text).map_err(|e| {
            error(message!(
                "saved.description",
                "the saved run's description is damaged ({cause}); start a new run",
                cause = parse_error(&e)
            ))
        })?;
        Ok(Saved { header, state, sums })
    }

    /// Finds every tensor of a run of a model.
    fn find(&self, config: &GptConfig) -> Result<Wanted> {
        self.state.options.validate(config)?;
        let specs = match &self.state.options.lora {
            Some(lora) => lora.specs(config),
            None => param_specs(config),
        };
        let entries: HashMap<_, _> = self.header.entries.iter().map(|e| (e.name.as_str(), e)).collect();
        let place = |name: String, spec: &ParamSpec| {
            let Some(entry) = entries.get(name.as_str()) else { return Ok(None) };
            if entry.shape != spec.shape || entry.dtype != Dtype::F32 {
                let (got, want) = (&entry.shape, &spec.shape);
                return Err(error(message!(
                    "saved.shape",
                    "{tensor} has shape {saved} in the saved run, but {wanted} in this model; load the model \
                     it belongs to",
                    tensor = name,
                    saved = shown(&got),
                    wanted = shown(&want)
                )));
            }
            Ok(Some((name, entry.range.clone())))
        };
        let mut tensors = Vec::new();
        for spec in &specs {
            for name in tensors_of(&spec.name) {
                let missing =
                    || error(message!("saved.lacks", "the saved run lacks {tensor}; start a new run", tensor = name));
                tensors.push(place(name.clone(), spec)?.ok_or_else(missing)?);
            }
        }
        // Not there where the run was never validated, or saved when those of large models were not kept.
        let best = specs.iter().map(|spec| place(best_name(&spec.name), spec)).collect::<Result<_>>()?;
        Ok(Wanted { specs, tensors, best })
    }

    /// A tensor's values from its bytes. Where there is no checksum, only what no run holds is known to be damaged.
    fn values(&self, name: &str, bytes: &[u8]) -> Result<Vec<f32>> {
        let values: Vec<f32> = bytemuck::pod_collect_to_vec(bytes);
        match (self.sums.get(name), values.iter().find(|x| !x.is_finite())) {
            (Some(sum), _) if Crc32::of(bytes) != *sum => Err(damaged(message!(
                "saved.values_changed",
                "the values of {tensor} are not those that were written",
                tensor = name
            ))),
            (None, Some(x)) => Err(damaged(message!(
                "saved.not_numbers",
                "the values of {tensor} are no numbers: {value}",
                tensor = name,
                value = x
            ))),
            _ => Ok(values),
        }
    }
}

/// The checksums of the tensors, by name, after that of the header was compared.
async fn checksums(
    header: &Header,
    mut read: impl AsyncFnMut(Range<u64>) -> Result<Vec<u8>>,
) -> Result<HashMap<String, u32>> {
    let found = header.entries.iter().find(|e| e.name == CHECKSUMS);
    let Some(entry) = found else {
        return match header.metadata.contains_key(CHECKED) {
            true => Err(damaged(message!("saved.no_checksums", "its checksums are missing"))),
            false => Ok(HashMap::new()),
        };
    };
    let entries = &header.entries;
    let last = entries.last().is_some_and(|e| e.name == CHECKSUMS);
    if !last || entry.dtype.name() != "U32" || entry.shape != [entries.len()] {
        return Err(damaged(message!("saved.checksum_count", "its checksums are not as many as its tensors")));
    }
    let sums = read(entry.range.clone()).await?;
    let mut sums = sums.as_chunks().0.iter().map(|&sum| u32::from_le_bytes(sum));
    let start = entries.first().map_or(header.file_len, |e| e.range.start);
    if sums.next() != Some(Crc32::of(&read(0..start).await?)) {
        return Err(damaged(message!("saved.header_changed", "its header is not the one that was written")));
    }
    Ok(entries.iter().map(|e| e.name.clone()).zip(sums).collect())
}

/// Any range of a file that is all in memory.
fn within(bytes: &[u8]) -> impl AsyncFnMut(Range<u64>) -> Result<Vec<u8>> {
    async |range: Range<u64>| Ok(bytes[range.start as usize..range.end as usize].to_vec())
}

/// Where the run stood that [`save`](super::save) wrote, without its weights.
///
/// # Errors
/// [`Error::Checkpoint`] when the file is damaged or of another kind.
pub async fn read_state(bytes: &[u8]) -> Result<TrainingState> {
    read_state_from(bytes.len() as u64, within(bytes)).await
}

/// As [`read_state`], of a file of `len` bytes that lies elsewhere: `read` gives any range of it.
///
/// # Errors
/// As [`read_state`], and what `read` fails with.
pub async fn read_state_from(len: u64, read: impl AsyncFnMut(Range<u64>) -> Result<Vec<u8>>) -> Result<TrainingState> {
    Ok(Saved::open(len, read).await?.state)
}

/// As [`read_state_from`], for a model of this configuration, which need not be there yet: it has to have every tensor of the
/// run. This costs no memory, while the model does.
///
/// # Errors
/// As [`read_state_from`], and [`Error::Checkpoint`] naming a tensor that is missing or has another shape.
pub async fn check_state_from(
    config: &GptConfig,
    len: u64,
    read: impl AsyncFnMut(Range<u64>) -> Result<Vec<u8>>,
) -> Result<TrainingState> {
    let saved = Saved::open(len, read).await?;
    saved.find(config)?;
    Ok(saved.state)
}

/// Reads what [`save`](super::save) wrote: enables training in the model and fills weights and moments. The caller then goes
/// on by [`Trainer::resume`](super::Trainer::resume).
///
/// # Errors
/// As [`restore_from`].
pub async fn restore(model: &mut Model, bytes: &[u8]) -> Result<TrainingState> {
    restore_from(model, bytes.len() as u64, within(bytes)).await
}

/// As [`restore`], of a file of `len` bytes that lies elsewhere: `read` gives any range of it. A tensor is read at a time.
///
/// # Errors
/// [`Error::Checkpoint`] when the file is damaged or belongs to another model, naming the tensor. Nothing is changed before
/// every tensor was found with its shape; where a tensor's values are then found to be damaged, the model is of no more use.
/// What `read` fails with.
pub async fn restore_from(
    model: &mut Model,
    len: u64,
    mut read: impl AsyncFnMut(Range<u64>) -> Result<Vec<u8>>,
) -> Result<TrainingState> {
    let mut saved = Saved::open(len, &mut read).await?;
    let wanted = saved.find(model.config())?;
    let options = &saved.state.options;
    model.free_passes(Some(&options.shape(Pass::Update))).await?;
    model.enable_training(options.lora.as_ref(), options.seed).await?;
    for (name, range) in wanted.tensors {
        let values = saved.values(&name, &read(range).await?)?;
        model.write_param(&name, 0, &values)?;
    }
    if let Some(best) = wanted.best {
        let mut weights = Vec::with_capacity(best.len());
        for ((name, range), spec) in best.into_iter().zip(wanted.specs) {
            weights.push((spec.name, saved.values(&name, &read(range).await?)?));
        }
        saved.state.best_weights = Some(weights);
    }
    Ok(saved.state)
}
