//! Attention probabilities, for looking at.

use super::kv_append::cache_dims;
use super::row::by_row;
use super::{want_inputs, want_shape, wgsl};
use crate::cpu::vecops;
use crate::graph::{CpuArgs, DType, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// Causal attention probabilities, recomputed from kept queries and cached keys; keys may be taken together in groups,
/// whose probabilities are added up.
///
/// Inputs: q `(n_ctx, C)`, cache `(2, H, n_ctx, D)`, both with positions `0..pos0 + n` filled, step `[pos0, n, …]`, pick
/// `(2)` u32 = `[head, group size]`; a head of H or more means the mean over all. Output `(rows, cells)`, or with
/// `all_heads` `(H rows, cells)`, one head after another: cell `g` of row `t` holds the probability that query `pos0 + t`
/// gives the keys of group `g`; the last cell takes all keys that are left. Rows `t >= n` are zeros. Where a score is NaN or
/// infinite, the cells of all keys that the query sees are NaN.
#[derive(Debug, Clone)]
pub struct AttentionProbs {
    /// Queries.
    pub rows: usize,
    /// Groups of keys.
    pub cells: usize,
    /// Whether each head has rows of its own.
    pub all_heads: bool,
}

impl AttentionProbs {
    fn heads(&self, h: usize) -> usize {
        if self.all_heads { h } else { 1 }
    }
}

impl Op for AttentionProbs {
    fn name(&self) -> &'static str {
        "attention_probs"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[4])?;
        let qkv = match inputs[0].shape[..] {
            [rows, c] => Meta::f32(&[rows, 3 * c]),
            _ => return Err(Message::uncoded(format!("q must have two extents, not {:?}", inputs[0].shape))),
        };
        let (h, ctx, d) = cache_dims(inputs[1], &qkv)?;
        want_shape(inputs[0], &[ctx, h * d], "q")?;
        want_shape(inputs[3], &[2], "pick")?;
        if inputs[2].dtype != DType::U32 || inputs[3].dtype != DType::U32 {
            return Err(Message::uncoded("step and pick must be u32"));
        }
        if self.rows == 0 || self.cells == 0 {
            return Err(Message::uncoded("needs at least one row and one cell"));
        }
        Ok(vec![Meta::f32(&[self.heads(h) * self.rows, self.cells])])
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let (h, ctx, d) = (s.input(1, 1), s.input(1, 2), s.input(1, 3));
        let out = s.output(0, 0);
        let k = Kernel::new("attention_probs", wgsl!("attention_probs"))
            .include(wgsl!("common/finite"))
            .read("q", Elem::F32, 0)
            .read("cache", Elem::F32, 1)
            .read("step", Elem::U32, 2)
            .read("pick", Elem::U32, 3)
            .write("probs", Elem::F32, 0)
            .constant("CELLS", self.cells)
            .constant("ALL_HEADS", self.all_heads)
            .constant("H", h)
            .constant("CTX", ctx)
            .constant("D", d)
            .constant("SCALE", 1.0 / (d as f32).sqrt());
        vec![by_row(k, out, ctx, target).constant("QUERIES", self.rows)]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        self.heads(s.input(1, 1))
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let s = args.shapes();
        let (h, ctx, d) = (s.input(1, 1), s.input(1, 2), s.input(1, 3));
        let (q, cache, step, pick) = (args.f32(0), args.f32(1), args.u32(2), args.u32(3));
        let (pos0, n) = ((step[0] as usize).min(ctx), step[1] as usize);
        let (chosen, size) = (pick[0] as usize, (pick[1] as usize).max(1));
        let mean = !self.all_heads && chosen >= h;
        let heads = if self.all_heads {
            task..task + 1
        } else if mean {
            0..h
        } else {
            chosen..chosen + 1
        };
        let part = 1.0 / heads.len() as f32;
        let scale = 1.0 / (d as f32).sqrt();
        let rows = &mut args.out_f32(0)[task * self.rows * self.cells..][..self.rows * self.cells];
        let mut scores = vec![0.0; ctx];
        for (t, row) in rows.chunks_exact_mut(self.cells).enumerate() {
            row.fill(0.0);
            if t >= n || pos0 + t >= ctx {
                continue;
            }
            for head in heads.clone() {
                let keys = &cache[head * ctx * d..][..ctx * d];
                let query = &q[(pos0 + t) * h * d + head * d..][..d];
                let seen = &mut scores[..=pos0 + t];
                for (p, key) in seen.iter_mut().zip(keys.chunks_exact(d)) {
                    *p = scale * vecops::dot(query, key);
                }
                vecops::softmax(seen);
                for (j, p) in seen.iter().enumerate() {
                    row[(j / size).min(self.cells - 1)] += p * part;
                }
            }
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        let [heads, keys, width] = [1, 2, 3].map(|i| s.input(1, i) as u64);
        6 * heads * self.rows as u64 * keys * width
    }
}
