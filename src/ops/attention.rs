//! Causal softmax attention of a chunk of queries over the KV cache.

use super::kv_append::{attention_output, cache_dims};
use super::wgsl;
use crate::cpu::gemm::{AttentionBlock, attention_block};
use crate::graph::{Absorb, CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// `out[t, h] = softmax(q·k / sqrt(D)) · v` over keys `0..=pos0 + t` (Vaswani et al. 2017; online softmax by Milakov and
/// Gimelshein 2018, tiled as in FlashAttention-2, Dao 2023).
///
/// Inputs: qkv `(T, 3 C)`, cache `(2, H, n_ctx, D)` already holding positions `0..pos0 + n`, step `[pos0, n, …]`. Output
/// `(T, C)`; rows `t >= n` are zeros. A query with a score that is NaN or infinite gets NaN.
#[derive(Debug, Clone)]
pub struct Attention {
    /// Number of heads, H.
    pub n_head: usize,
}

impl Op for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        let output = attention_output(inputs)?;
        let (h, _, _) = cache_dims(inputs[1], inputs[0])?;
        if h != self.n_head {
            return Err(Message::uncoded(format!("the cache has {h} heads, not {}", self.n_head)));
        }
        Ok(vec![output])
    }

    fn absorbable(&self) -> Option<Absorb> {
        Some(Absorb::Attention { n_head: self.n_head })
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let (t, d) = (s.input(0, 0), s.input(1, 3));
        // Wider heads than 256 would not fit shared memory.
        let tiled = target == Target::Hardware && d <= 256;
        let kernel = if tiled {
            Kernel::new("attention_tiled", wgsl!("attention_tiled"))
        } else {
            Kernel::new("attention", wgsl!("attention"))
        };
        let kernel =
            heads(kernel, s).include(wgsl!("common/lse_none")).include(wgsl!("common/dropped_none")).constant("T", t);
        let kernel = kernel.read("kv", elem(d), 1).read("range", Elem::U32, 2).write("out", elem(d), 0);
        if !tiled {
            return vec![kernel.constant("WG_X", 8u32).grid([t.div_ceil(8), self.n_head, 1])];
        }
        let (bq, bk, lanes) = match d {
            0..=64 => (16, 32, 16),
            65..=128 => (8, 16, 16),
            _ => (4, 8, 8),
        };
        let kernel = kernel.constant("BQ", bq).constant("BK", bk).constant("LANES", lanes);
        vec![kernel.grid([t.div_ceil(bq), self.n_head, 1])]
    }

    fn cpu_tasks(&self, _s: Shapes<'_>) -> usize {
        self.n_head
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, head: usize) {
        let s = args.shapes();
        let (t, h, ctx, d) = (s.input(0, 0), s.input(1, 1), s.input(1, 2), s.input(1, 3));
        let c = h * d;
        let (qkv, cache, step, out) = (args.f32(0), args.f32(1), args.u32(2), args.out_f32(0));
        let pos0 = (step[0] as usize).min(ctx);
        let n = (step[1] as usize).min(t).min(ctx - pos0);
        for row in n..t {
            out[row * c + head * d..][..d].fill(0.0);
        }
        if n == 0 {
            return;
        }
        let (k, v) = (&cache[head * ctx * d..][..ctx * d], &cache[(h + head) * ctx * d..][..ctx * d]);
        let scale = 1.0 / (d as f32).sqrt();
        let block = AttentionBlock { m: n, head_dim: d, q_stride: 3 * c, kv_stride: d, out_stride: c, pos0, scale };
        attention_block(&block, &qkv[head * d..], k, v, &mut out[head * d..], None, None, args.scratch());
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        4 * s.input(0, 0) as u64 * s.input(1, 2) as u64 * (s.input(0, 1) / 3) as u64
    }
}

/// How kernels see tensors whose rows are heads of width `d`.
pub(super) fn elem(d: usize) -> Elem {
    if d.is_multiple_of(4) { Elem::Vec4 } else { Elem::F32 }
}

/// The constants, include and first binding that attention kernels share.
pub(super) fn heads(kernel: Kernel, s: Shapes<'_>) -> Kernel {
    let (h, ctx, d) = (s.input(1, 1), s.input(1, 2), s.input(1, 3));
    let include = if d.is_multiple_of(4) { wgsl!("common/heads_vec4") } else { wgsl!("common/heads_scalar") };
    kernel
        .include(wgsl!("common/finite"))
        .include(include)
        .constant("H", h)
        .constant("HD", d)
        .constant("CTX", ctx)
        .constant("SCALE", 1.0 / (d as f32).sqrt())
        .read("qkv", elem(d), 0)
}
