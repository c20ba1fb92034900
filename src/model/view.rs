//! Looking at a text: a cache of its own, filled once, from which every view is drawn.

use super::Model;
use super::gpt::{GptPlan, TOP, targets_input};
use crate::error::Result;
use crate::exec::Advance;
use crate::message::message;
use web_time::Duration;

/// Work done between two chances to stop.
const SLICE: Duration = Duration::from_millis(30);

/// How far a long look is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Units of work done.
    pub done: usize,
    /// Units in all.
    pub total: usize,
}

/// What a long look calls between slices of work, with its progress: to give others their turn, or to end it with an
/// error, which the caller then gets.
pub trait Pace: AsyncFnMut(Progress) -> Result<()> {}
impl<F: AsyncFnMut(Progress) -> Result<()>> Pace for F {}

/// What the model said after one token.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Log-probability of the token that follows in the text, in nats; meaningless where none follows.
    pub logprob: f32,
    /// Of the distribution, in nats.
    pub entropy: f32,
    /// How many tokens are likelier than the one that follows; meaningless where none follows.
    pub rank: u32,
    /// The likeliest tokens with their log-probabilities, best first: ten, or the whole of a smaller vocabulary.
    pub top: Vec<(u32, f32)>,
}

/// What the views' cache holds.
#[derive(Debug, Default)]
pub(super) struct View {
    /// Ids whose keys and values are there, from position 0.
    pub ids: Vec<u32>,
    /// Of the first of them: figures. Queries and the residual stream are kept for these too.
    pub rows: Vec<Row>,
    /// A text with the logits after it.
    logits: Option<(Vec<u32>, Vec<f32>)>,
}

impl View {
    /// Forgets all from position `to` on.
    pub fn truncate(&mut self, to: usize) {
        self.ids.truncate(to);
        self.rows.truncate(to);
        self.logits = None;
    }
}

impl Model {
    /// Runs the model over a text for the views, as far as it was not looked at before, and returns what it said after each
    /// token. Keys and values are the views' own: nothing that is written later changes by it. Afterwards
    /// [`crate::inspect`] can show attention and the residual stream of these positions.
    ///
    /// # Errors
    /// [`Error::Input`] when the ids do not fit the context or the vocabulary; [`Error::Overflow`] when a logit is not finite;
    /// [`Error::Device`] when the device failed; what `pace` returned.
    pub async fn look(&mut self, ids: &[u32], pace: &mut impl Pace) -> Result<&[Row]> {
        self.check_ids(ids)?;
        self.check_room(ids.len())?;
        let common = ids.iter().zip(&self.view.ids).take_while(|(a, b)| a == b).count().min(self.view.rows.len());
        if common < ids.len() {
            // The last common row speaks of a token that followed it in the other text.
            let mut at = common.saturating_sub(1);
            self.view.truncate(at);
            let first = at;
            while at < ids.len() {
                let rows = self.view_rows(ids.len() - at);
                let n = rows.min(ids.len() - at);
                self.look_chunk(ids, at, n, rows, pace).await?;
                at += n;
                pace(Progress { done: at - first, total: ids.len() - first }).await?;
            }
        }
        Ok(&self.view.rows[..ids.len()])
    }

    async fn look_chunk(&mut self, ids: &[u32], at: usize, n: usize, rows: usize, pace: &mut impl Pace) -> Result<()> {
        let (index, _) = self.plan(&GptPlan::View { rows }).await?;
        self.write_step(rows, at, &ids[at..at + n])?;
        let following = &ids[at + 1..];
        self.write_targets(rows, &following[..n.min(following.len())])?;
        self.run_paced(index, pace).await?;
        let Some(figures) = self.read_figures(&GptPlan::View { rows }, n).await? else {
            return Err(self.overflow(&ids[..at + n], message!("place.logits", "the logits")).await);
        };
        self.view.ids.extend_from_slice(&ids[at..at + n]);
        self.view.rows.extend(figures);
        Ok(())
    }

    /// Reads the first `n` rows of the captures `scores`, `top.ids` and `top.logits` of a plan that has just run; `None` where
    /// one of its logits is not finite.
    pub(crate) async fn read_figures(&mut self, kind: &GptPlan, n: usize) -> Result<Option<Vec<Row>>> {
        let scores: Vec<f32> = self.read_capture(kind, "scores").await?;
        let ids: Vec<u32> = self.read_capture(kind, "top.ids").await?;
        let logits: Vec<f32> = self.read_capture(kind, "top.logits").await?;
        if scores[..4 * n].iter().any(|x| !x.is_finite()) {
            return Ok(None);
        }
        let k = TOP.min(self.config.vocab_size);
        let rows = scores.chunks_exact(4).zip(ids.chunks_exact(k).zip(logits.chunks_exact(k)));
        let rows = rows
            .take(n)
            .map(|(s, (ids, logits))| Row {
                logprob: s[0],
                entropy: s[1],
                rank: s[2] as u32,
                top: ids.iter().zip(logits).map(|(&id, &x)| (id, x - s[3])).collect(),
            })
            .collect();
        Ok(Some(rows))
    }

    /// The logits of what follows a text. Kept until the text or the model changes.
    ///
    /// # Errors
    /// As [`Model::look`].
    pub async fn last_logits(&mut self, ids: &[u32], pace: &mut impl Pace) -> Result<&[f32]> {
        self.check_ids(ids)?;
        if self.view.logits.as_ref().is_none_or(|(of, _)| of != ids) {
            self.look(ids, pace).await?;
            let last = ids.len() - 1;
            let logits = self.probe(&ids[last..], last, &["logits".to_string()], 0).await?.remove(0).1;
            self.view.logits = Some((ids.to_vec(), logits));
        }
        Ok(self.view.logits.as_ref().map_or(&[], |(_, logits)| logits))
    }

    /// Writes an input of a plan that has been made.
    pub(crate) fn write_input<T: bytemuck::NoUninit>(&mut self, name: &str, values: &[T]) -> Result<()> {
        let loc = self.place(name)?;
        self.executor.write(loc, bytemuck::cast_slice(values));
        Ok(())
    }

    /// Writes the tokens that a plan with `rows` rows is asked about; rows past them ask about none.
    pub(crate) fn write_targets(&mut self, rows: usize, targets: &[u32]) -> Result<()> {
        let mut wanted = targets.to_vec();
        wanted.resize(rows, u32::MAX);
        self.write_input(&targets_input(rows), &wanted)
    }

    /// Reads a capture of a plan that has just run.
    pub(crate) async fn read_capture<T: bytemuck::Pod>(&mut self, kind: &GptPlan, name: &str) -> Result<Vec<T>> {
        let (_, plan) = self.plan(kind).await?;
        let loc = plan.find(name)?.loc.expect("a found tensor has a place");
        Ok(bytemuck::pod_collect_to_vec(&self.executor.read(loc).await?))
    }

    /// Runs a plan to its end in slices.
    pub(crate) async fn run_paced(&mut self, index: usize, pace: &mut impl Pace) -> Result<()> {
        let run = self.executor.begin(index, 1);
        while self.executor.advance(run, SLICE).await? == Advance::Working {
            if let Err(e) = pace(Progress { done: 0, total: 0 }).await {
                self.executor.cancel();
                return Err(e);
            }
        }
        Ok(())
    }
}
