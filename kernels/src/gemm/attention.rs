//! Causal softmax attention of one head: one query (decode) or a block of queries (prefill).
use super::{Gemm, Layout, Scratch, grown, matvec_nn, matvec_nt};
use crate::vecops;

/// Queries computed together; keys after the last of them are never touched.
const QUERIES: usize = 64;

/// Attention of one query over the first `t_len` keys.
///
/// `q` is `(head_dim)`, `k` and `v` are `(t_len, head_dim)` or longer, `out` is `(head_dim)`. `scores` needs `t_len`
/// floats and holds the probabilities afterwards. Returns the natural logarithm of the sum of exponentials. Where a score
/// is NaN or infinite, all is NaN.
pub fn attention_row(
    q: &[f32],
    k: &[f32],
    v: &[f32],
    t_len: usize,
    scale: f32,
    scores: &mut [f32],
    out: &mut [f32],
) -> f32 {
    let hd = q.len();
    let scores = &mut scores[..t_len];
    matvec_nt(q, hd, 1, hd, k, hd, t_len, scores, t_len, scale, false);
    let (max, sum) = vecops::softmax(scores);
    out.fill(0.0);
    matvec_nn(scores, t_len, 1, t_len, v, hd, hd, out, hd);
    max + sum.ln()
}

/// The shape of a block of queries of one head.
#[derive(Debug, Clone, Copy)]
pub struct AttentionBlock {
    /// Number of queries M.
    pub m: usize,
    /// Floats per query, key and value.
    pub head_dim: usize,
    /// Row stride of `q`.
    pub q_stride: usize,
    /// Row stride of `k` and `v`.
    pub kv_stride: usize,
    /// Row stride of `out`.
    pub out_stride: usize,
    /// Absolute position of the first query: query `i` sees keys `0..=pos0 + i`.
    pub pos0: usize,
    /// Factor on the scores, usually `1 / sqrt(head_dim)`.
    pub scale: f32,
}

/// Which probabilities of one head dropout keeps.
#[derive(Debug, Clone, Copy)]
pub struct DropMask<'a> {
    /// From the head's first row on: bit `j % 32` of word `j / 32` of row i is 1 where query i keeps key j.
    pub bits: &'a [u32],
    /// Words of a row.
    pub words: usize,
    /// Factor on what is kept, `1 / (1 - p)`.
    pub scale: f32,
}

impl DropMask<'_> {
    /// Multiplies what row `row` keeps of its first `x.len()` keys; the others become 0.
    pub(super) fn apply(&self, row: usize, x: &mut [f32]) {
        for (x, word) in x.chunks_mut(32).zip(&self.bits[row * self.words..]) {
            for (i, x) in x.iter_mut().enumerate() {
                // All bits of the float or none, so that the compiler can use vectors.
                let kept = 0u32.wrapping_sub(u32::from(word & 1 << i != 0));
                *x = f32::from_bits((*x * self.scale).to_bits() & kept);
            }
        }
    }
}

/// Causal attention of a block of queries. The result for a query does not depend on which block it came in, nor on keys and
/// values after its own, be they NaN; where a score of its own is NaN or infinite, its result is NaN.
///
/// `q` is `(M, head_dim)`, `k` and `v` are `(pos0 + M, head_dim)` or longer, `out` is `(M, head_dim)`. `lse`, if given,
/// receives the log-sum-exp of each query `(M)`; `probs`, if given, the probabilities at its row stride, with zeros from
/// the first masked key up to `pos0 + M`.
pub fn attention_block(
    shape: &AttentionBlock,
    q: &[f32],
    k: &[f32],
    v: &[f32],
    out: &mut [f32],
    lse: Option<&mut [f32]>,
    probs: Option<(&mut [f32], usize)>,
    scratch: &mut Scratch,
) {
    dropped_attention_block(shape, q, k, v, out, lse, probs, None, scratch);
}

/// [`attention_block`] with dropout, if there is a mask, between the softmax and the sum over the values. `lse` and `probs`
/// are those of the softmax.
pub fn dropped_attention_block(
    shape: &AttentionBlock,
    q: &[f32],
    k: &[f32],
    v: &[f32],
    out: &mut [f32],
    mut lse: Option<&mut [f32]>,
    mut probs: Option<(&mut [f32], usize)>,
    mask: Option<DropMask<'_>>,
    scratch: &mut Scratch,
) {
    let s = *shape;
    let mut scores = std::mem::take(&mut scratch.scores);
    for i0 in (0..s.m).step_by(QUERIES) {
        let rows = QUERIES.min(s.m - i0);
        let keys = s.pos0 + i0 + rows;
        let p = grown(&mut scores, rows * keys);
        let q = &q[i0 * s.q_stride..];
        let qk = Gemm::new(Layout::NT, rows, keys, s.head_dim).strides(s.q_stride, s.kv_stride, keys);
        // Always the packed scheme, even for a last block of few queries: the same bits whatever the block.
        packed(&qk, q, k, p, scratch);
        for i in 0..rows {
            let (seen, masked) = p[i * keys..(i + 1) * keys].split_at_mut(s.pos0 + i0 + i + 1);
            vecops::scale(seen, s.scale);
            let (max, sum) = vecops::softmax(seen);
            masked.fill(0.0);
            if let Some(lse) = lse.as_deref_mut() {
                lse[i0 + i] = max + sum.ln();
            }
            if let Some((probs, ld)) = probs.as_mut() {
                let row = &mut probs[(i0 + i) * *ld..(i0 + i) * *ld + s.pos0 + s.m];
                row[..keys].copy_from_slice(&p[i * keys..(i + 1) * keys]);
                row[keys..].fill(0.0);
            }
            if let Some(mask) = mask {
                mask.apply(i0 + i, &mut p[i * keys..][..s.pos0 + i0 + i + 1]);
            }
        }
        let out = &mut out[i0 * s.out_stride..];
        // Only the block's own keys are masked in some of its rows.
        let own = v[(s.pos0 + i0) * s.kv_stride..].chunks(s.kv_stride).take(rows);
        if own.map(|v| vecops::overflow(&v[..s.head_dim])).sum::<f32>() == 0.0 {
            let pv = Gemm::new(Layout::NN, rows, s.head_dim, keys).strides(keys, s.kv_stride, s.out_stride);
            packed(&pv, p, v, out, scratch);
            continue;
        }
        // 0 times what is not finite is NaN: no row may touch the values that it does not see.
        for i in 0..rows {
            let (p, out) = (&p[i * keys..][..s.pos0 + i0 + i + 1], &mut out[i * s.out_stride..][..s.head_dim]);
            out.fill(0.0);
            matvec_nn(p, p.len(), 1, p.len(), v, s.kv_stride, s.head_dim, out, s.head_dim);
        }
    }
    scratch.scores = scores;
}

/// The whole product by the packed scheme, in strips of columns that keep the packed operand small.
pub(super) fn packed(g: &Gemm, a: &[f32], b: &[f32], c: &mut [f32], scratch: &mut Scratch) {
    g.check(a, b, c, &super::Epilogue::default());
    for n0 in (0..g.n).step_by(super::TASK_COLS) {
        g.packed(a, b, c, scratch, [0, g.m], [n0, (n0 + super::TASK_COLS).min(g.n)], [0, g.k]);
    }
}
