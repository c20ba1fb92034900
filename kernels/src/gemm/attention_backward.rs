//! Gradient of causal softmax attention of one head.
use super::attention::packed;
use super::{DropMask, Gemm, Layout, Scratch, grown};
use crate::vecops;

/// Queries computed together; keys after the last of them are never touched.
pub const BACKWARD_QUERIES: usize = 64;

/// The shape of one head's queries, keys and values, interleaved in wider rows.
#[derive(Debug, Clone, Copy)]
pub struct AttentionBackwardBlock {
    /// Number of positions T.
    pub t: usize,
    /// Floats per query, key and value.
    pub head_dim: usize,
    /// Row stride of `q`, `k`, `v` and their gradients.
    pub qkv_stride: usize,
    /// Row stride of `out` and its gradient.
    pub out_stride: usize,
    /// Factor on the scores that the forward pass used.
    pub scale: f32,
}

/// Adds what block `block` of [`BACKWARD_QUERIES`] queries contributes to the gradients of one head, by the formulas of
/// FlashAttention-2 (Dao 2023): `p = exp(scale q·kᵀ - lse)`, `delta = rowsum(d_out * out)`,
/// `ds = p * (d_out·vᵀ - delta)`, `d_q = scale ds·k`, `d_k += scale dsᵀ·q`, `d_v += pᵀ·d_out`. With the forward pass's
/// `mask`, `d_out·vᵀ` in ds and p in d_v go through it.
///
/// Blocks must run in order; the first one overwrites `d_k` and `d_v`. `q`, `k`, `v` and `d_qkv`'s three parts are
/// `(T, head_dim)` at `qkv_stride`, `out` and `d_out` at `out_stride`, `lse` and `delta` `(T)`. `qkv` and `d_qkv` begin
/// at the head's query; its key and value lie `parts[0]` and `parts[1]` floats further.
pub fn attention_backward_block(
    shape: &AttentionBackwardBlock,
    block: usize,
    qkv: &[f32],
    parts: [usize; 2],
    out: &[f32],
    lse: &[f32],
    d_out: &[f32],
    mask: Option<DropMask<'_>>,
    d_qkv: &mut [f32],
    delta: &mut [f32],
    scratch: &mut Scratch,
) {
    let AttentionBackwardBlock { t, head_dim: hd, qkv_stride: ld, out_stride: ldo, scale } = *shape;
    let i0 = block * BACKWARD_QUERIES;
    let rows = BACKWARD_QUERIES.min(t - i0);
    let keys = i0 + rows;
    let (q, k, v) = (&qkv[i0 * ld..], &qkv[parts[0]..], &qkv[parts[1]..]);
    let dy = &d_out[i0 * ldo..];
    if block == 0 {
        for row in 0..t {
            for part in parts {
                d_qkv[row * ld + part..][..hd].fill(0.0);
            }
        }
    }
    let mut scores = std::mem::take(&mut scratch.scores);
    let (p, ds) = grown(&mut scores, 2 * rows * keys).split_at_mut(rows * keys);
    let by_key = Gemm::new(Layout::NT, rows, keys, hd);
    packed(&by_key.strides(ld, ld, keys), q, k, p, scratch);
    packed(&by_key.strides(ldo, ld, keys), dy, v, ds, scratch);
    for i in 0..rows {
        let (lse, at) = (lse[i0 + i], (i0 + i) * ldo);
        let own_delta = vecops::dot(&d_out[at..at + hd], &out[at..at + hd]);
        delta[i0 + i] = own_delta;
        let (p, masked_p) = p[i * keys..(i + 1) * keys].split_at_mut(i0 + i + 1);
        let (ds, masked_ds) = ds[i * keys..(i + 1) * keys].split_at_mut(i0 + i + 1);
        p.iter_mut().for_each(|x| *x = scale * *x - lse);
        vecops::exp(p);
        if let Some(mask) = mask {
            mask.apply(i0 + i, ds);
        }
        ds.iter_mut().zip(&*p).for_each(|(x, p)| *x = scale * p * (*x - own_delta));
        if let Some(mask) = mask {
            mask.apply(i0 + i, p);
        }
        masked_p.fill(0.0);
        masked_ds.fill(0.0);
    }
    packed(&Gemm::new(Layout::NN, rows, hd, keys).strides(keys, ld, ld), ds, k, &mut d_qkv[i0 * ld..], scratch);
    let to_key = Gemm::new(Layout::TN, keys, hd, rows).accumulating(true);
    packed(&to_key.strides(keys, ld, ld), ds, q, &mut d_qkv[parts[0]..], scratch);
    packed(&to_key.strides(keys, ldo, ld), p, dy, &mut d_qkv[parts[1]..], scratch);
    scratch.scores = scores;
}
