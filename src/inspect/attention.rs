//! Where heads look: maps of one head or of a layer's mean, small maps of all heads, attention rollout.

use crate::error::{Error, Result};
use crate::message::{message, shown};
use crate::model::{GptPlan, Model, Pace, Progress};
use std::ops::Range;

/// Queries per run.
const ROWS: usize = 256;

/// The attention map of one head, or with `None` the mean over the layer's heads: `(T, T)`, row `q` holding the
/// probabilities that query `q` gives to keys `0..=q`, then zeros.
///
/// # Errors
/// [`Error::Input`] for a layer or head that the model does not have; as [`Model::look`] otherwise.
pub async fn attention(
    model: &mut Model,
    ids: &[u32],
    layer: usize,
    head: Option<usize>,
    pace: &mut impl Pace,
) -> Result<Vec<f32>> {
    check(model, layer, head)?;
    model.look(ids, pace).await?;
    map(model, ids, layer, head, pace).await
}

fn check(model: &Model, layer: usize, head: Option<usize>) -> Result<()> {
    let (layers, heads) = (model.config().n_layer, model.config().n_head);
    if layer >= layers || head.is_some_and(|h| h >= heads) {
        return Err(Error::Input(message!(
            "inspect.head",
            "there is no layer {layer} with head {head}; this model has {layers} layers of {heads} \
             heads, counted from 0",
            layer,
            head = shown(&head),
            layers,
            heads
        )));
    }
    Ok(())
}

async fn map(
    model: &mut Model,
    ids: &[u32],
    layer: usize,
    head: Option<usize>,
    pace: &mut impl Pace,
) -> Result<Vec<f32>> {
    let n = ids.len();
    let (n_ctx, n_head) = (model.config().n_ctx, model.config().n_head);
    let kind = GptPlan::Attend { layer, rows: ROWS.min(n_ctx), cells: n_ctx, all_heads: false };
    let pick = [head.unwrap_or(n_head) as u32, 1];
    let mut found = Vec::with_capacity(n * n);
    for start in (0..n).step_by(ROWS) {
        let count = ROWS.min(n - start);
        let values = attend(model, ids, &kind, start..start + count, pick, pace).await?;
        values.chunks_exact(n_ctx).take(count).for_each(|row| found.extend_from_slice(&row[..n]));
    }
    Ok(found)
}

/// Runs an `Attend` plan for some of the text's queries.
async fn attend(
    model: &mut Model,
    ids: &[u32],
    kind: &GptPlan,
    queries: Range<usize>,
    pick: [u32; 2],
    pace: &mut impl Pace,
) -> Result<Vec<f32>> {
    let (index, _) = model.plan(kind).await?;
    model.write_input("view:step", &[queries.start as u32, queries.len() as u32])?;
    model.write_input("pick", &pick)?;
    model.run_paced(index, pace).await?;
    let values: Vec<f32> = model.read_capture(kind, "probs").await?;
    match kind {
        GptPlan::Attend { layer, .. } if values.iter().any(|x| !x.is_finite()) => {
            Err(model.overflow(ids, message!("place.scores", "block {block}'s attention scores", block = layer)).await)
        }
        _ => Ok(values),
    }
}

/// Small maps of all heads: `size`, then `(layers, heads, size, size)`. Where the text has more than `size` tokens, a cell is
/// the probability that the cell's queries give to its keys on average; `size` is otherwise the number of tokens.
///
/// # Errors
/// As [`Model::look`]; [`Error::Input`] when `size` is 0.
pub async fn head_maps(model: &mut Model, ids: &[u32], size: usize, pace: &mut impl Pace) -> Result<(usize, Vec<f32>)> {
    if size == 0 {
        return Err(Error::Input(message!("inspect.no_cells", "maps of 0 cells show nothing; ask for at least one")));
    }
    model.look(ids, pace).await?;
    let (n, n_layer, n_head) = (ids.len(), model.config().n_layer, model.config().n_head);
    let rows = ROWS.min(model.config().n_ctx);
    let group = n.div_ceil(size);
    let cells = n.div_ceil(group);
    let mut maps = vec![0.0; n_layer * n_head * cells * cells];
    for layer in 0..n_layer {
        let kind = GptPlan::Attend { layer, rows, cells: size, all_heads: true };
        for start in (0..n).step_by(rows) {
            let count = rows.min(n - start);
            let values = attend(model, ids, &kind, start..start + count, [0, group as u32], pace).await?;
            for (head, values) in values.chunks_exact(rows * size).enumerate() {
                let map = &mut maps[(layer * n_head + head) * cells * cells..][..cells * cells];
                for (t, row) in values.chunks_exact(size).take(count).enumerate() {
                    let cell_row = (start + t) / group;
                    let queries = group.min(n - cell_row * group) as f32;
                    let to = &mut map[cell_row * cells..][..cells];
                    to.iter_mut().zip(row).for_each(|(to, p)| *to += p / queries);
                }
            }
        }
        pace(Progress { done: layer + 1, total: n_layer }).await?;
    }
    Ok((cells, maps))
}

/// Attention rollout up to and including `layer` (Abnar and Zuidema 2020, "Quantifying Attention Flow in Transformers"):
/// the product over layers of `(mean attention + identity) / 2`, `(T, T)`.
///
/// # Errors
/// As [`attention`].
pub async fn rollout(model: &mut Model, ids: &[u32], layer: usize, pace: &mut impl Pace) -> Result<Vec<f32>> {
    check(model, layer, None)?;
    model.look(ids, pace).await?;
    let n = ids.len();
    let mut found: Vec<f32> = (0..n * n).map(|i| if i / n == i % n { 1.0 } else { 0.0 }).collect();
    for l in 0..=layer {
        let a = map(model, ids, l, None, pace).await?;
        // Rows from below upwards: row q needs only rows 0..=q of what was before, itself included.
        for q in (0..n).rev() {
            let mut row = vec![0.0; q + 1];
            for (k, &p) in a[q * n..=q * n + q].iter().enumerate() {
                let weight = 0.5 * p + if k == q { 0.5 } else { 0.0 };
                row.iter_mut().zip(&found[k * n..=k * n + k]).for_each(|(r, f)| *r += weight * f);
            }
            found[q * n..=q * n + q].copy_from_slice(&row);
            if q % 64 == 0 {
                pace(Progress { done: l, total: layer + 1 }).await?;
            }
        }
    }
    Ok(found)
}
