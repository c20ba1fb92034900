//! The real values of one token on its way through a block.

use super::flow::flow;
use crate::cpu::vecops;
use crate::error::{Error, Result};
use crate::message::{message, shown};
use crate::model::{Model, Pace};

/// What one token's query meets, for each head.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadRows {
    /// Heads, H.
    pub heads: usize,
    /// Keys, the token's own included.
    pub keys: usize,
    /// Scaled scores `q·k / sqrt(D)`, `(H, keys)`.
    pub scores: Vec<f32>,
    /// Their softmax, `(H, keys)`.
    pub probs: Vec<f32>,
}

/// One token's values.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// Name, shape and values of each tensor, in the order of [`flow`]; the first extent, the number of tokens, is 1.
    pub tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
    /// Of a block.
    pub attention: Option<HeadRows>,
}

/// The values at the last of `ids`: of all tensors of a block, or with `None` of those outside the blocks.
///
/// # Errors
/// [`Error::Input`] for a block that the model does not have; as [`Model::look`] otherwise.
pub async fn values(model: &mut Model, ids: &[u32], layer: Option<usize>, pace: &mut impl Pace) -> Result<Values> {
    if layer.is_some_and(|l| l >= model.config().n_layer) {
        let layers = model.config().n_layer;
        return Err(Error::Input(message!(
            "inspect.block",
            "there is no block {block}; this model has {blocks}, counted from 0",
            block = shown(&layer),
            blocks = layers
        )));
    }
    model.look(ids, pace).await?;
    let names: Vec<String> = flow(model)?.into_iter().filter(|n| n.layer == layer).map(|n| n.name).collect();
    let last = ids.len() - 1;
    let found = model.probe(&ids[last..], last, &names, 0).await?;
    let tensors: Vec<_> = names.into_iter().zip(found).map(|(name, (shape, values))| (name, shape, values)).collect();
    let attention = match layer {
        Some(layer) => {
            let rows = head_rows(model, &tensors, layer, ids.len()).await?;
            if rows.scores.iter().any(|x| !x.is_finite()) {
                return Err(model
                    .overflow(ids, message!("place.scores", "block {block}'s attention scores", block = layer))
                    .await);
            }
            Some(rows)
        }
        None => None,
    };
    Ok(Values { tensors, attention })
}

/// Scores and probabilities of a query with all the keys there are.
async fn head_rows(
    model: &mut Model,
    tensors: &[(String, Vec<usize>, Vec<f32>)],
    layer: usize,
    keys: usize,
) -> Result<HeadRows> {
    let (heads, ctx) = (model.config().n_head, model.config().n_ctx);
    let d = model.config().n_embd / heads;
    let qkv = tensors.iter().find(|t| t.0 == format!("h.{layer}.attn.qkv"));
    let qkv = &qkv
        .ok_or_else(|| Error::Graph(message!("inspect.no_attention", "block {block} has no attention", block = layer)))?
        .2;
    let place = model.place(&format!("view:h.{layer}.attn.cache"))?;
    let cache = model.executor().read_f32(place).await?;
    let scale = 1.0 / (d as f32).sqrt();
    let mut scores = Vec::with_capacity(heads * keys);
    for (head, query) in qkv.chunks_exact(d).take(heads).enumerate() {
        let of_head = cache[head * ctx * d..].chunks_exact(d).take(keys);
        scores.extend(of_head.map(|key| scale * vecops::dot(query, key)));
    }
    let mut probs = scores.clone();
    probs.chunks_exact_mut(keys).for_each(|row| {
        vecops::softmax(row);
    });
    Ok(HeadRows { heads, keys, scores, probs })
}
