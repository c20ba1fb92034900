//! What each head and each MLP is worth: switched off one at a time.

use crate::error::{Error, Result};
use crate::message::message;
use crate::model::{Model, Pace, Progress};

/// What a text's end looks like with something switched off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// The layer.
    pub layer: usize,
    /// The head, or `None` for the MLP.
    pub head: Option<usize>,
    /// Log-probability of the target, in nats.
    pub logprob: f32,
    /// Mean negative log-probability of the text's own tokens, in nats; 0 for a text of one token.
    pub loss: f32,
}

/// The effects of all units.
#[derive(Debug, Clone, PartialEq)]
pub struct Ablation {
    /// The target's log-probability with nothing more switched off than was.
    pub logprob: f32,
    /// The text's loss likewise.
    pub loss: f32,
    /// One for each unit done so far, layer by layer, the heads before the MLP.
    pub effects: Vec<Effect>,
}

/// What [`ablate`] calls between slices of work, with what it has found so far and its progress: in tokens read, of the text
/// once for the start and once for each unit.
pub trait AblationPace: AsyncFnMut(Progress, &Ablation) -> Result<()> {}
impl<F: AsyncFnMut(Progress, &Ablation) -> Result<()>> AblationPace for F {}

/// Switches off each head and each MLP in turn, on top of what is off already, and measures the log-probability of `target`
/// after the text (as in Michel et al. 2019, with zeros in place of the head's output). The gates are afterwards as before,
/// however it ends, and so is the cache of a text that is being written.
///
/// # Errors
/// [`Error::Input`] when the text or the target does not fit the model; [`Error::Device`] when the device failed; what
/// `pace` returned.
pub async fn ablate(model: &mut Model, ids: &[u32], target: u32, pace: &mut impl AblationPace) -> Result<Ablation> {
    model.check_ids(ids)?;
    model.check_ids(&[target])?;
    let before = model.gates();
    // Only the views' cache is filled under other gates. What is being written keeps its keys and values, which are those of
    // the gates that are in force again afterwards.
    let cached = std::mem::take(&mut model.cached);
    let result = run(model, ids, target, &before, pace).await;
    model.set_gates(&before)?;
    model.cached = cached;
    result
}

async fn run(
    model: &mut Model,
    ids: &[u32],
    target: u32,
    before: &[f32],
    pace: &mut impl AblationPace,
) -> Result<Ablation> {
    let mut text = ids.to_vec();
    text.push(target);
    let per_layer = model.config().n_head + 1;
    let units = before.len();
    let mut found = Ablation { logprob: 0.0, loss: 0.0, effects: Vec::with_capacity(units) };
    let at = |tokens: usize| Progress { done: tokens, total: (units + 1) * ids.len() };
    (found.logprob, found.loss) = {
        let mut read = 0;
        let mut pace = async |p: Progress| {
            read = read.max(p.done);
            pace(at(read), &found).await
        };
        measure(model, &text, &mut pace).await?
    };
    for unit in 0..units {
        let mut read = (unit + 1) * ids.len();
        pace(at(read), &found).await?;
        let mut gates = before.to_vec();
        gates[unit] = 0.0;
        model.set_gates(&gates)?;
        let (logprob, loss) = {
            let mut pace = async |p: Progress| {
                read = read.max((unit + 1) * ids.len() + p.done);
                pace(at(read), &found).await
            };
            measure(model, &text, &mut pace).await?
        };
        let head = Some(unit % per_layer).filter(|&h| h + 1 < per_layer);
        found.effects.push(Effect { layer: unit / per_layer, head, logprob, loss });
    }
    Ok(found)
}

/// The log-probability of the last token, and the loss on those before it.
async fn measure(model: &mut Model, text: &[u32], pace: &mut impl Pace) -> Result<(f32, f32)> {
    let scores = model.score_paced(text, pace).await?;
    let (last, rest) =
        scores.split_last().ok_or_else(|| Error::Input(message!("text.no_tokens", "the text has no tokens")))?;
    let loss = -rest.iter().map(|s| s[0]).sum::<f32>() / rest.len().max(1) as f32;
    Ok((last[0], loss))
}
