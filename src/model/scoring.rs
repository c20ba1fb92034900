//! Running the model over a given text: logits and other captured tensors, scores of each token.

use super::Model;
use super::gpt::GptPlan;
use crate::config::GptConfig;
use crate::error::Result;
use crate::graph::SLAB_BYTES;

impl Model {
    /// Runs the `Probe` plan over a chunk of ids at positions `pos0..` and returns the captured tensors with their
    /// shapes, in the order of `captures`. Positions before `pos0` must be in the cache.
    ///
    /// `head` is the head shown by `h.*.attn.probs`.
    ///
    /// # Errors
    /// [`Error::Input`] when the ids do not fit the context or the vocabulary; as [`Model::open`] otherwise.
    pub async fn probe(
        &mut self,
        ids: &[u32],
        pos0: usize,
        captures: &[String],
        head: u32,
    ) -> Result<Vec<(Vec<usize>, Vec<f32>)>> {
        self.check_ids(ids)?;
        self.check_room(pos0 + ids.len())?;
        // Rows follow the text: a probe is rare, and its captures should have the text's length.
        let kind = GptPlan::Probe { rows: ids.len(), captures: captures.to_vec() };
        let (index, plan) = self.plan(&kind).await?;
        self.write_step(ids.len(), pos0, ids)?;
        if let Ok(select) = plan.find("select") {
            let loc = select.loc.expect("a found tensor has a place");
            self.executor.write(loc, bytemuck::bytes_of(&head));
        }
        self.cached.truncate(pos0);
        self.executor.run(index, 1).await?;
        let mut found = Vec::with_capacity(captures.len());
        for name in captures {
            let tensor = plan.find(name)?;
            let values = self.executor.read_f32(tensor.loc.expect("a found tensor has a place")).await?;
            found.push((tensor.meta.shape.clone(), values));
        }
        self.cached.extend_from_slice(ids);
        Ok(found)
    }

    /// Scores ids in one context window: for each id after the first, `[log-probability, entropy, rank, log-sum-exp]`
    /// (see [`crate::ops::Score`]). `ids` may have one id more than the context holds, since the last is only a target.
    ///
    /// # Errors
    /// [`Error::Input`] when there are too many ids or one is outside the vocabulary; [`Error::Device`] when the device
    /// failed.
    pub async fn score(&mut self, ids: &[u32]) -> Result<Vec<[f32; 4]>> {
        self.check_ids(ids)?;
        let inputs = &ids[..ids.len().saturating_sub(1)];
        self.check_room(inputs.len())?;
        let rows = score_rows(&self.config);
        let (index, plan) = self.plan(&GptPlan::Score { rows }).await?;
        let (targets, scores) = (plan.find("targets")?.loc, plan.find("scores")?.loc);
        let (targets, scores) = (targets.expect("has a place"), scores.expect("has a place"));
        self.cached.clear();
        let mut found = Vec::with_capacity(inputs.len());
        for (i, chunk) in inputs.chunks(rows).enumerate() {
            self.write_step(rows, i * rows, chunk)?;
            let mut wanted = ids[i * rows + 1..][..chunk.len()].to_vec();
            wanted.resize(rows, u32::MAX);
            self.executor.write(targets, bytemuck::cast_slice(&wanted));
            self.executor.run(index, 1).await?;
            let values = self.executor.read_f32(scores).await?;
            found.extend(values.chunks_exact(4).take(chunk.len()).map(|v| [v[0], v[1], v[2], v[3]]));
        }
        self.cached.extend_from_slice(inputs);
        Ok(found)
    }
}

/// Rows of the score plan: its logits must fit one binding, and about 128 keep a submit short.
pub(super) fn score_rows(config: &GptConfig) -> usize {
    let most = (SLAB_BYTES / 4 / config.vocab_size).max(1);
    most.min(128).min(config.n_ctx)
}
