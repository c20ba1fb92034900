//! Two models on the same text.

use super::check_range;
use super::distribution::log_softmax;
use crate::error::{Error, Result};
use crate::message::message;
use crate::model::{Model, Pace, damaged};
use crate::ops::usable;
use std::ops::Range;

/// Positions per run.
const ROWS: usize = 32;

/// Logits `(range, V)` of some positions of a text.
///
/// # Errors
/// [`Error::Input`] for a range outside the text; as [`Model::look`] otherwise.
pub async fn logits(model: &mut Model, ids: &[u32], range: Range<usize>, pace: &mut impl Pace) -> Result<Vec<f32>> {
    check_range(&range, ids)?;
    model.look(ids, pace).await?;
    let (v, per) = (model.config().vocab_size, ROWS.min(model.config().n_ctx));
    let mut found = Vec::with_capacity(range.len() * v);
    for start in range.clone().step_by(per) {
        let end = (start + per).min(range.end);
        let captures = ["logits".to_string()];
        let values = model.probe_rows(&ids[start..end], start, per, &captures, 0).await?.remove(0).1;
        found.extend_from_slice(&values[..(end - start) * v]);
    }
    Ok(found)
}

/// Kullback-Leibler divergence of the distributions of logits `p` from those of `q`, row by row of `v` logits, in nats:
/// what is lost by taking `q` for `p`.
///
/// # Errors
/// [`Error::Input`] when the two have different shapes; [`Error::Overflow`] when a logit is not finite.
pub fn kl_divergence(p: &[f32], q: &[f32], v: usize) -> Result<Vec<f32>> {
    if p.len() != q.len() || v == 0 || !p.len().is_multiple_of(v) {
        return Err(Error::Input(message!(
            "inspect.compare",
            "{these} and {those} logits in rows of {vocabulary} cannot be compared; both models need \
             the same vocabulary",
            these = p.len(),
            those = q.len(),
            vocabulary = v
        )));
    }
    if !usable(p) || !usable(q) {
        return Err(damaged(message!("place.logits", "the logits")));
    }
    let kl = |p: &[f32], q: &[f32]| -> f32 {
        log_softmax(p).zip(log_softmax(q)).map(|(p, q)| p.exp() * (p - q)).sum::<f64>().max(0.0) as f32
    };
    Ok(p.chunks_exact(v).zip(q.chunks_exact(v)).map(|(p, q)| kl(p, q)).collect())
}
