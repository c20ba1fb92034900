//! Causal self-attention of whole sequences, as training needs it: no cache, and the softmax denominators kept.

use super::attention::elem;
use super::{AttentionBackward, DropoutMask, dims2, want_inputs, want_shape, wgsl};
use crate::cpu::gemm::{AttentionBlock, DropMask, dropped_attention_block};
use crate::error::Result;
use crate::graph::{Backward, CpuArgs, DType, Elem, Kernel, Meta, Node, Op, Shapes, Target};
use crate::message::{Message, message};
use std::sync::Arc;

/// `out[t, h] = softmax(q·k / sqrt(D)) · v` over the keys `0..=t` of the same sequence (Vaswani et al. 2017; online softmax
/// by Milakov and Gimelshein 2018, tiled as in FlashAttention-2, Dao 2023).
///
/// Inputs: qkv `(M, 3 C)`, the `B = M / seq` sequences one after another; with dropout the mask of [`DropoutMask`], by which
/// probabilities are dropped and the others divided by 1 - p once the softmax is done. Outputs: `(M, C)`, and lse
/// `(B H, seq)`, of which row `b H + h` holds the natural logarithms of the softmax denominators, for
/// [`AttentionBackward`](super::AttentionBackward).
#[derive(Debug, Clone)]
pub struct CausalAttention {
    /// Number of heads, H.
    pub n_head: usize,
    /// Positions of each sequence, T.
    pub seq: usize,
    /// Probability of dropping with which the mask was made; 0 is none, and no mask.
    pub dropout: f32,
}

impl Op for CausalAttention {
    fn name(&self) -> &'static str {
        "causal_attention"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[1 + usize::from(self.dropout > 0.0)])?;
        let dims = BatchedHeads::infer(self.n_head, self.seq, inputs[0])?;
        dims.want_mask(self.dropout, &inputs[1..])?;
        Ok(vec![dims.out(), dims.lse()])
    }

    #[cfg(feature = "train")]
    fn backward(&self, g: &mut Backward<'_>, node: &Node) -> Result<()> {
        let (qkv, out, lse) = (node.inputs[0], node.outputs[0], node.outputs[1]);
        let d_out = g.of_output(node)?;
        let delta = g.unique(&format!("{}.delta", g.graph.tensor(out).name));
        let op = Arc::new(AttentionBackward { n_head: self.n_head, seq: self.seq, dropout: self.dropout });
        let mut inputs = vec![d_out, qkv, out, lse];
        inputs.extend(&node.inputs[1..]);
        let made = g.graph.apply(&[&g.name(qkv), &delta], op, &inputs)?;
        g.add(qkv, made[0])
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let dims = BatchedHeads::new(self.n_head, self.seq, s.inputs[0]);
        let (d, tiled) = (dims.d, dims.tiled(target));
        let (name, source) =
            if tiled { ("attention_tiled", wgsl!("attention_tiled")) } else { ("attention", wgsl!("attention")) };
        let store = if elem(d) == Elem::Vec4 {
            wgsl!("common/heads_batch_out_vec4")
        } else {
            wgsl!("common/heads_batch_out_scalar")
        };
        let kernel = dims
            .kernel(name, source)
            .include(wgsl!("common/finite"))
            .include(wgsl!("common/heads_batch_keys"))
            .include(store)
            .include(wgsl!("common/lse"))
            .read("qkv", elem(d), 0)
            .write("out", elem(d), 0)
            .write("lse", Elem::F32, 1);
        let kernel = dims.dropping(kernel, self.dropout, 1);
        if !tiled {
            return vec![dims.by_row(kernel)];
        }
        let (bq, bk, lanes) = match d {
            0..=64 => (16, 32, 16),
            65..=128 => (8, 16, 16),
            _ => (4, 8, 8),
        };
        vec![dims.by_block(kernel, bq, bk, lanes)]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        BatchedHeads::new(self.n_head, self.seq, s.inputs[0]).heads()
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, head: usize) {
        let dims = BatchedHeads::new(self.n_head, self.seq, args.shapes().inputs[0]);
        let BatchedHeads { h, t, d, .. } = dims;
        let c = h * d;
        let (row0, column) = (head / h * t, head % h * d);
        let (qkv, out, lse) = (&args.f32(0)[row0 * 3 * c + column..], args.out_f32(0), args.out_f32(1));
        let block = AttentionBlock {
            m: t,
            head_dim: d,
            q_stride: 3 * c,
            kv_stride: 3 * c,
            out_stride: c,
            pos0: 0,
            scale: dims.scale(),
        };
        let (out, lse) = (&mut out[row0 * c + column..], &mut lse[head * t..][..t]);
        let mask = dims.mask(self.dropout, head, || args.u32(1));
        dropped_attention_block(&block, qkv, &qkv[c..], &qkv[2 * c..], out, Some(lse), None, mask, args.scratch());
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        // Two products over half of the (T, T) square.
        2 * s.outputs[0].len() as u64 * self.seq as u64
    }
}

/// Extents of qkv `(B T, 3 H D)`.
pub(super) struct BatchedHeads {
    /// Sequences.
    pub b: usize,
    /// Positions of each.
    pub t: usize,
    /// Heads.
    pub h: usize,
    /// Width of a head.
    pub d: usize,
}

impl BatchedHeads {
    /// The extents of a qkv that may not fit.
    pub(super) fn infer(n_head: usize, seq: usize, qkv: &Meta) -> Result<Self, Message> {
        let (rows, width) = dims2(qkv, "qkv")?;
        if qkv.dtype != DType::F32 {
            return Err(Message::uncoded("qkv must be f32"));
        }
        if n_head == 0 || width % (3 * n_head) != 0 {
            return Err(Message::uncoded(format!(
                "qkv's {width} columns are not query, key and value of {n_head} heads"
            )));
        }
        if seq == 0 || rows % seq != 0 {
            return Err(Message::uncoded(format!("qkv's {rows} rows are not whole sequences of {seq} positions")));
        }
        let dims = Self::new(n_head, seq, qkv);
        if dims.heads() > 65_535 {
            let b = dims.b;
            return Err(message!(
                "plan.heads",
                "{sequences} sequences of {heads} heads are more than 65535 in all; use a smaller batch",
                sequences = b,
                heads = n_head
            ));
        }
        Ok(dims)
    }

    /// The extents of a qkv that has passed [`BatchedHeads::infer`].
    pub(super) fn new(n_head: usize, seq: usize, qkv: &Meta) -> Self {
        Self { b: qkv.shape[0] / seq, t: seq, h: n_head, d: qkv.shape[1] / (3 * n_head) }
    }

    /// Heads of all sequences together.
    pub(super) fn heads(&self) -> usize {
        self.b * self.h
    }

    /// Meta of `(M, C)`.
    pub(super) fn out(&self) -> Meta {
        Meta::f32(&[self.b * self.t, self.h * self.d])
    }

    /// Meta of one float per head and position.
    pub(super) fn lse(&self) -> Meta {
        Meta::f32(&[self.heads(), self.t])
    }

    /// Factor on the scores.
    pub(super) fn scale(&self) -> f32 {
        1.0 / (self.d as f32).sqrt()
    }

    /// Refuses what is not the mask that dropout needs.
    pub(super) fn want_mask(&self, dropout: f32, masks: &[&Meta]) -> Result<(), Message> {
        DropoutMask::check(dropout)?;
        let Some(mask) = masks.first() else { return Ok(()) };
        let wanted = DropoutMask::meta(self.heads(), self.t);
        want_shape(mask, &wanted.shape, "the mask")?;
        if mask.dtype == wanted.dtype { Ok(()) } else { Err(Message::uncoded("the mask must be u32")) }
    }

    /// Adds what a kernel needs to drop probabilities by the mask at `input`, or not to.
    pub(super) fn dropping(&self, kernel: Kernel, dropout: f32, input: usize) -> Kernel {
        if dropout == 0.0 {
            return kernel.include(wgsl!("common/dropped_none"));
        }
        let kernel = kernel.include(wgsl!("common/dropped")).read("mask", Elem::U32, input);
        kernel.constant("KEPT", DropoutMask::scale(dropout))
    }

    /// A head's part of the mask.
    pub(super) fn mask<'a>(&self, dropout: f32, head: usize, all: impl FnOnce() -> &'a [u32]) -> Option<DropMask<'a>> {
        let words = self.t.div_ceil(32);
        let bits = (dropout > 0.0).then(all)?;
        Some(DropMask { bits: &bits[head * self.t * words..], words, scale: DropoutMask::scale(dropout) })
    }

    /// Whether the kernel is the one for shared memory, which heads wider than 256 would not fit.
    pub(super) fn tiled(&self, target: Target) -> bool {
        target == Target::Hardware && self.d <= 256
    }

    /// A kernel with the constants and include that all share.
    pub(super) fn kernel(&self, name: &'static str, source: &'static str) -> Kernel {
        let vec4 = elem(self.d) == Elem::Vec4;
        Kernel::new(name, source)
            .include(if vec4 { wgsl!("common/heads_batch_vec4") } else { wgsl!("common/heads_batch_scalar") })
            .constant("T", self.t)
            .constant("H", self.h)
            .constant("HD", self.d)
            .constant("SCALE", self.scale())
    }

    /// One invocation for each position and head.
    pub(super) fn by_row(&self, kernel: Kernel) -> Kernel {
        kernel.constant("WG_X", 8u32).grid([self.t.div_ceil(8), self.heads(), 1])
    }

    /// One workgroup of `lanes * bq` for `bq` positions of a head, walking the others in blocks of `bk`.
    pub(super) fn by_block(&self, kernel: Kernel, bq: usize, bk: usize, lanes: usize) -> Kernel {
        let kernel = kernel.constant("BQ", bq).constant("BK", bk).constant("LANES", lanes);
        kernel.grid([self.t.div_ceil(bq), self.heads(), 1])
    }
}
