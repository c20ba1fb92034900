//! Running the model over a given text: logits and other captured tensors, scores of each token.

use super::Model;
use super::gpt::GptPlan;
use super::overflow::first_lost;
use super::view::{Pace, Progress};
use crate::config::GptConfig;
use crate::error::{Error, Result};
use crate::graph::{SLAB_BYTES, Storage};
use crate::message::{Message, message};

impl Model {
    /// Runs the `Probe` plan over a chunk of ids at positions `pos0..` of the views' cache and returns the captured tensors
    /// with their shapes, in the order of `captures`. Positions before `pos0` must have been looked at.
    ///
    /// `head` is the head shown by `h.*.attn.probs`.
    ///
    /// # Errors
    /// [`Error::Input`] when the ids do not fit the context or the vocabulary, or positions before `pos0` are unknown;
    /// [`Error::Overflow`] when a captured tensor holds what is not finite; as [`Model::open`] otherwise.
    pub async fn probe(
        &mut self,
        ids: &[u32],
        pos0: usize,
        captures: &[String],
        head: u32,
    ) -> Result<Vec<(Vec<usize>, Vec<f32>)>> {
        // Rows follow the text: a probe is rare, and its captures should have the text's length.
        self.probe_rows(ids, pos0, ids.len(), captures, head).await
    }

    /// [`Model::probe`] with a plan of `rows` rows, of which the ids fill the first; the others are zeros or meaningless.
    pub(crate) async fn probe_rows(
        &mut self,
        ids: &[u32],
        pos0: usize,
        rows: usize,
        captures: &[String],
        head: u32,
    ) -> Result<Vec<(Vec<usize>, Vec<f32>)>> {
        let found = self.capture_rows(ids, pos0, rows, captures, head).await?;
        let (_, plan) = self.plan(&GptPlan::Probe { rows, captures: captures.to_vec() }).await?;
        for (name, (_, values)) in captures.iter().zip(&found) {
            // What is kept from run to run has rows of its own, and may hold anything behind the text.
            if plan.find(name)?.storage == Storage::Temp
                && first_lost(name, &values[..values.len() / rows * ids.len()]).is_some()
            {
                let text = [&self.view.ids[..pos0], ids].concat();
                return Err(self.overflow(&text, Message::uncoded(name)).await);
            }
        }
        Ok(found)
    }

    /// [`Model::probe_rows`], whatever the numbers are.
    pub(super) async fn capture_rows(
        &mut self,
        ids: &[u32],
        pos0: usize,
        rows: usize,
        captures: &[String],
        head: u32,
    ) -> Result<Vec<(Vec<usize>, Vec<f32>)>> {
        self.check_ids(ids)?;
        self.check_room(pos0 + ids.len())?;
        if self.view.ids.len() < pos0 {
            let has = self.view.ids.len();
            return Err(Error::Input(message!(
                "inspect.from",
                "{tokens} tokens were looked at, so that nothing can go on from {from}",
                tokens = has,
                from = pos0
            )));
        }
        let kind = GptPlan::Probe { rows, captures: captures.to_vec() };
        let (index, plan) = self.plan(&kind).await?;
        self.write_step(rows, pos0, ids)?;
        if plan.find("pick").is_ok() {
            self.write_input("pick", &[head, 1])?;
        }
        // Looking at known positions again leaves them as they are.
        if self.view.ids[pos0..].get(..ids.len()) != Some(ids) {
            self.view.truncate(pos0);
        }
        self.executor.run(index, 1).await?;
        let mut found = Vec::with_capacity(captures.len());
        for name in captures {
            let tensor = plan.find(name)?;
            let values = self.executor.read_f32(tensor.loc.expect("a found tensor has a place")).await?;
            found.push((tensor.meta.shape.clone(), values));
        }
        if self.view.ids.len() < pos0 + ids.len() {
            self.view.ids.extend_from_slice(ids);
        }
        Ok(found)
    }

    /// Scores ids in one context window: for each id after the first, `[log-probability, entropy, rank, log-sum-exp]`
    /// (see [`crate::ops::Score`]). `ids` may have one id more than the context holds, since the last is only a target.
    /// Uses the views' cache, so that a text that is being written goes on unchanged.
    ///
    /// # Errors
    /// [`Error::Input`] when there are too many ids or one is outside the vocabulary; [`Error::Overflow`] when a logit is not
    /// finite; [`Error::Device`] when the device failed.
    pub async fn score(&mut self, ids: &[u32]) -> Result<Vec<[f32; 4]>> {
        self.score_paced(ids, &mut async |_| Ok(())).await
    }

    /// [`Model::score`] that can be ended, and tells how many of the ids it has read.
    ///
    /// # Errors
    /// Also what `pace` returned.
    pub async fn score_paced(&mut self, ids: &[u32], pace: &mut impl Pace) -> Result<Vec<[f32; 4]>> {
        self.check_ids(ids)?;
        let inputs = &ids[..ids.len().saturating_sub(1)];
        self.check_room(inputs.len())?;
        let rows = self.view_rows(inputs.len());
        let kind = GptPlan::Score { rows };
        let (index, _) = self.plan(&kind).await?;
        self.view.truncate(0);
        let mut found = Vec::with_capacity(inputs.len());
        for (i, chunk) in inputs.chunks(rows).enumerate() {
            self.write_step(rows, i * rows, chunk)?;
            self.write_targets(rows, &ids[i * rows + 1..][..chunk.len()])?;
            self.run_paced(index, pace).await?;
            let values: Vec<f32> = self.read_capture(&kind, "scores").await?;
            let values = &values[..4 * chunk.len()];
            if values.iter().any(|x| !x.is_finite()) {
                return Err(self
                    .overflow(&ids[..i * rows + chunk.len()], message!("place.logits", "the logits"))
                    .await);
            }
            found.extend(values.chunks_exact(4).map(|v| [v[0], v[1], v[2], v[3]]));
            pace(Progress { done: found.len(), total: inputs.len() }).await?;
        }
        self.view.ids.extend_from_slice(inputs);
        Ok(found)
    }

    /// Rows of a plan with the head that takes `wanted` ids, or as many of them as one run should.
    pub(super) fn view_rows(&self, wanted: usize) -> usize {
        self.chunk(wanted).min(score_rows(&self.config))
    }
}

/// Most rows of a plan with the head: its logits must fit one binding, and about 128 keep a submit short.
pub(super) fn score_rows(config: &GptConfig) -> usize {
    let most = (SLAB_BYTES / 4 / config.vocab_size).max(1);
    most.min(128).min(config.n_ctx)
}
