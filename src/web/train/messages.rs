//! What crosses the boundary while training, as plain objects.

use crate::message::Message;
use crate::model::Preflight;
use crate::train::{BestWeights, Event, StepReport, TrainOptions};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Options of `Session.trainPlan` and `Session.trainStart`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TrainRequest {
    /// The text to learn from.
    pub text: String,
    /// Adapters instead of the weights.
    #[serde(default)]
    pub lora: bool,
    /// [`TrainOptions`], as far as they are not the defaults.
    #[serde(default)]
    pub options: Value,
}

/// Options of `Session.openScratch`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScratchOptions {
    pub backend: String,
    /// A name from [`crate::train::presets::PRESETS`].
    pub preset: String,
    /// `char`, `byte` or `bpe`.
    pub tokenizer: String,
    /// Tokens of a BPE.
    #[serde(default)]
    pub vocab_size: usize,
    /// The text that the tokenizer is made from.
    pub text: String,
    #[serde(default)]
    pub seed: u32,
}

/// Memory in bytes; see [`Bytes`](crate::web::messages::Bytes).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PreflightBytes {
    pub weights: u64,
    pub training: u64,
    pub state: u64,
    pub temporaries: u64,
    /// Of the weights with the lowest validation loss, on the CPU; with a GPU they are not in its memory.
    pub best: u64,
    pub total: u64,
    /// More than this is refused.
    pub limit: u64,
}

impl PreflightBytes {
    pub(super) fn new(preflight: &Preflight, limit: u64) -> Self {
        let Preflight { weights, training, state, temporaries, best } = *preflight;
        Self { weights, training, state, temporaries, best, total: preflight.total(), limit }
    }
}

/// What `Session.trainPlan`, `trainStart` and `restoreState` say.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Planned {
    pub options: TrainOptions,
    pub notes: Vec<Message>,
    pub bytes: PreflightBytes,
    pub tokens: usize,
    pub validation_tokens: usize,
    /// Steps done.
    pub step: usize,
    /// The model has adapters, and the run trains others.
    pub replaces: bool,
}

/// What `Session.bestWeights` says.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BestMessage {
    pub loss: f32,
    pub step: usize,
    pub in_force: bool,
}

impl From<BestWeights> for BestMessage {
    fn from(best: BestWeights) -> Self {
        Self { loss: best.loss, step: best.step, in_force: best.in_force }
    }
}

/// One event of a run.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub(super) enum TrainEvent {
    Step { step: usize, loss: f32, lr: f64, grad_norm: f32, tokens_per_second: f64 },
    Evaluated { step: usize, loss: f32, best: bool },
    Finished,
}

/// What `Session.trainNext` says.
#[derive(Debug, Serialize)]
pub(super) struct TrainEvents {
    pub events: Vec<TrainEvent>,
}

impl From<Event> for TrainEvents {
    fn from(event: Event) -> Self {
        let step = |r: StepReport| TrainEvent::Step {
            step: r.step,
            loss: r.loss,
            lr: r.lr,
            grad_norm: r.grad_norm,
            tokens_per_second: r.tokens_per_second,
        };
        let events = match event {
            Event::Working => Vec::new(),
            Event::Steps(reports) => reports.into_iter().map(step).collect(),
            Event::Evaluated { step, loss, best } => vec![TrainEvent::Evaluated { step, loss, best }],
            Event::Finished => vec![TrainEvent::Finished],
        };
        Self { events }
    }
}
