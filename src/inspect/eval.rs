//! How well a model predicts a text.

use crate::error::{Error, Result};
use crate::message::Message;
use crate::model::Model;

/// A model's loss on a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// Tokens scored.
    pub tokens: usize,
    /// Mean negative log-probability, in nats per token.
    pub loss: f64,
    /// `e^loss`.
    pub perplexity: f64,
    /// Sum of negative log-probabilities in bits, over the text's bytes.
    pub bits_per_byte: f64,
}

/// Scores a whole text of `bytes` bytes, given as ids: windows of the model's context that overlap by half, every token
/// scored once, in the first window that holds it. The first id is scored only where `bos` is given, since otherwise
/// nothing precedes it. `progress` is told how many tokens are scored, and how many there are.
///
/// # Errors
/// [`Error::Input`] when fewer than two tokens are given (`bos` counted), or an id is outside the vocabulary;
/// [`Error::Device`] when the device failed.
pub async fn evaluate(
    model: &mut Model,
    ids: &[u32],
    bos: Option<u32>,
    bytes: usize,
    mut progress: impl FnMut(usize, usize),
) -> Result<Evaluation> {
    let mut all: Vec<u32> = bos.into_iter().collect();
    all.extend_from_slice(ids);
    if all.len() < 2 {
        return Err(Error::Input(Message::uncoded("the text is too short to score: give at least two tokens")));
    }
    let window = model.config().n_ctx;
    if window < 2 {
        return Err(Error::Input(Message::uncoded("a model with a context of one token cannot score a text")));
    }
    let stride = window / 2;
    let (mut nats, mut scored, mut start) = (0.0f64, 0, 0);
    loop {
        let end = (start + window).min(all.len());
        // Row i scores token start + i + 1. A window of one token has none.
        let rows = model.score(&all[start..end]).await?;
        // Tokens 1..=scored are done; row 0 of this window scores token start + 1.
        let fresh = scored - start;
        nats -= rows[fresh.min(rows.len())..].iter().map(|r| f64::from(r[0])).sum::<f64>();
        scored = end - 1;
        progress(scored, all.len() - 1);
        if end == all.len() {
            break;
        }
        start += stride;
    }
    let loss = nats / scored as f64;
    let bits_per_byte = nats / std::f64::consts::LN_2 / bytes.max(1) as f64;
    Ok(Evaluation { tokens: scored, loss, perplexity: loss.exp(), bits_per_byte })
}
