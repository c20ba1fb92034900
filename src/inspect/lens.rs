//! The logit lens: what the model would say if it stopped after a block.

use super::check_range;
use crate::error::Result;
use crate::message::message;
use crate::model::{GptPlan, Model, Pace, Progress, Row};
use std::ops::Range;

/// Positions per run.
const ROWS: usize = 16;

/// Whose probability is followed through the levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LensTarget {
    /// The token that the whole model finds likeliest.
    Answer,
    /// The token that follows in the text.
    Next,
}

/// What each level says after each of some positions.
#[derive(Debug, Clone, PartialEq)]
pub struct Lens {
    /// For each position the token followed; `u32::MAX` where the text ends and nothing follows.
    pub targets: Vec<u32>,
    /// For each level, from the embedding to the last block's output, a row for each position; log-probability and rank
    /// are the target's.
    pub levels: Vec<Vec<Row>>,
}

/// Reads every level of the residual stream with the final LayerNorm and the head (nostalgebraist 2020, "interpreting GPT:
/// the logit lens"), after positions `range` of a text. The last level is the model's own answer.
///
/// # Errors
/// [`Error::Input`](crate::error::Error::Input) for a range outside the text; as [`Model::look`] otherwise.
pub async fn lens(
    model: &mut Model,
    ids: &[u32],
    range: Range<usize>,
    target: LensTarget,
    pace: &mut impl Pace,
) -> Result<Lens> {
    check_range(&range, ids)?;
    let rows = model.look(ids, pace).await?;
    let targets: Vec<u32> = match target {
        LensTarget::Answer => rows[range.clone()].iter().map(|row| row.top[0].0).collect(),
        LensTarget::Next => range.clone().map(|r| ids.get(r + 1).copied().unwrap_or(u32::MAX)).collect(),
    };
    let per = ROWS.min(model.config().n_ctx);
    let count = model.config().n_layer + 1;
    let mut levels = Vec::with_capacity(count);
    for level in 0..count {
        let kind = GptPlan::Lens { level, rows: per };
        let mut found = Vec::with_capacity(range.len());
        for (i, part) in targets.chunks(per).enumerate() {
            let (index, _) = model.plan(&kind).await?;
            model.write_targets(per, part)?;
            model.write_input("view:step", &[(range.start + i * per) as u32, part.len() as u32])?;
            model.run_paced(index, pace).await?;
            let Some(figures) = model.read_figures(&kind, part.len()).await? else {
                return Err(model
                    .overflow(ids, message!("place.lens_logits", "the logits of level {level}", level))
                    .await);
            };
            found.extend(figures);
        }
        levels.push(found);
        pace(Progress { done: level + 1, total: count }).await?;
    }
    Ok(Lens { targets, levels })
}
