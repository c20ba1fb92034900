//! The words of the tensors by which the host steers a training step and reads its results.
//!
//! The input `hyper` holds [`WORDS`] u32: floats as their bits, and a few counters. The state of [`metrics`] is a ring of
//! floats.

use super::want_shape;
use crate::graph::{DType, Meta};
use crate::message::Message;

/// Learning rate (f32).
pub const LR: usize = 0;
/// Decay of the mean of gradients (f32).
pub const BETA1: usize = 1;
/// Decay of the mean of squared gradients (f32).
pub const BETA2: usize = 2;
/// Added to the root of the second moment (f32).
pub const EPS: usize = 3;
/// Decoupled weight decay (f32).
pub const WEIGHT_DECAY: usize = 4;
/// `1 / (1 - BETA1^t)` for the t-th step, from 1 (f32).
pub const BIAS1: usize = 5;
/// `1 / (1 - BETA2^t)` (f32).
pub const BIAS2: usize = 6;
/// Largest gradient norm, 0 for no clipping (f32).
pub const CLIP: usize = 7;
/// One over the number of targets of the whole step that are not ignored (f32).
pub const LOSS_SCALE: usize = 8;
/// Number of the step.
pub const STEP: usize = 9;
/// Low half of the seed of dropout.
pub const SEED_LOW: usize = 10;
/// High half of the seed of dropout.
pub const SEED_HIGH: usize = 11;
/// Number of the micro-batch within the step.
pub const MICRO: usize = 12;
/// All words.
pub const WORDS: usize = 16;

/// The target of a row that takes no part in the loss.
pub const IGNORE: u32 = u32::MAX;

/// The state `metrics`: a ring of records of floats; step s has record `s % RING`. Behind it, one word for all steps, and
/// padding.
pub mod metrics {
    /// Records in the ring.
    pub const RING: usize = 64;
    /// Floats of a record.
    pub const WORDS: usize = 4;
    /// Of a record: mean loss of the step, in nats per target.
    pub const LOSS: usize = 0;
    /// Of a record: norm of the whole gradient, before clipping; infinite of a step that changed nothing.
    pub const NORM: usize = 1;
    /// Not of a record: not 0 from the first step on whose loss or norm was not finite. Steps then change nothing until the
    /// host sets it to 0 again, however many were under way.
    pub const HALTED: usize = RING * WORDS;
    /// All floats.
    pub const LEN: usize = HALTED + WORDS;
}

/// A float of the `hyper` words.
pub(super) fn float(words: &[u32], at: usize) -> f32 {
    f32::from_bits(words[at])
}

/// First float of this step's record in the ring.
pub(super) fn slot(words: &[u32]) -> usize {
    words[STEP] as usize % metrics::RING * metrics::WORDS
}

/// Refuses what are not `hyper` words.
pub(super) fn want_hyper(meta: &Meta) -> Result<(), Message> {
    want_shape(meta, &[WORDS], "hyper")?;
    if meta.dtype == DType::U32 { Ok(()) } else { Err(Message::uncoded("hyper must be u32")) }
}

/// Refuses what is no ring of metrics.
pub(super) fn want_metrics(meta: &Meta) -> Result<(), Message> {
    want_shape(meta, &[metrics::LEN], "metrics")
}

/// Refuses what is not one u32 for each of `rows` rows.
pub(super) fn want_targets(meta: &Meta, rows: usize) -> Result<(), Message> {
    want_shape(meta, &[rows], "targets")?;
    if meta.dtype == DType::U32 { Ok(()) } else { Err(Message::uncoded("targets must be u32")) }
}
