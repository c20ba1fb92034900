//! Attention probabilities of one head, for looking at.

use super::kv_append::cache_dims;
use super::row::by_row;
use super::{want_inputs, wgsl};
use crate::cpu::vecops;
use crate::graph::{CpuArgs, DType, Elem, Kernel, Meta, Op, Shapes, Target};

/// The causal attention probabilities of the head that `select` names, recomputed from queries and cached keys.
///
/// Inputs: qkv `(T, 3 C)`, cache `(2, H, n_ctx, D)` with positions `0..pos0 + n` filled, step `[pos0, n, …]`, select
/// `(1)` u32, the head. Output `(T, n_ctx)`: row `t` holds the probabilities over keys `0..=pos0 + t`, then zeros; rows
/// `t >= n` are zeros.
#[derive(Debug, Clone)]
pub struct AttentionProbs;

impl Op for AttentionProbs {
    fn name(&self) -> &'static str {
        "attention_probs"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, String> {
        want_inputs(inputs, &[4])?;
        let (_, ctx, _) = cache_dims(inputs[1], inputs[0])?;
        if inputs[2].dtype != DType::U32 || inputs[3].dtype != DType::U32 {
            return Err("step and select must be u32".into());
        }
        Ok(vec![Meta::f32(&[inputs[0].shape[0], ctx])])
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let (t, h, ctx, d) = (s.input(0, 0), s.input(1, 1), s.input(1, 2), s.input(1, 3));
        let k = Kernel::new("attention_probs", wgsl!("attention_probs"))
            .read("qkv", Elem::F32, 0)
            .read("cache", Elem::F32, 1)
            .read("step", Elem::U32, 2)
            .read("select_head", Elem::U32, 3)
            .write("probs", Elem::F32, 0)
            .constant("H", h)
            .constant("CTX", ctx)
            .constant("D", d)
            .constant("SCALE", 1.0 / (d as f32).sqrt());
        vec![by_row(k, t, ctx, target)]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let s = args.shapes();
        let (h, ctx, d) = (s.input(1, 1), s.input(1, 2), s.input(1, 3));
        let (qkv, cache, step) = (args.f32(0), args.f32(1), args.u32(2));
        let head = (args.u32(3)[0] as usize).min(h - 1);
        let (pos0, n) = (step[0] as usize, step[1] as usize);
        let keys = &cache[head * ctx * d..][..ctx * d];
        let scale = 1.0 / (d as f32).sqrt();
        for (t, row) in args.out_f32(0).chunks_exact_mut(ctx).enumerate() {
            row.fill(0.0);
            if t >= n {
                continue;
            }
            let q = &qkv[t * 3 * h * d + head * d..][..d];
            let seen = &mut row[..(pos0 + t + 1).min(ctx)];
            for (p, key) in seen.iter_mut().zip(keys.chunks_exact(d)) {
                *p = scale * vecops::dot(q, key);
            }
            vecops::softmax(seen);
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        2 * (s.outputs[0].len() * s.input(1, 3)) as u64
    }
}
