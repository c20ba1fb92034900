//! Writing keys and values into the fixed-capacity KV cache.

use super::{AttentionDecode, dims2, want_inputs, wgsl};
use crate::graph::{Absorb, CpuArgs, Elem, Fused, Graph, Kernel, Meta, Node, Op, Shapes, Target, TensorId};
use crate::message::Message;
use std::sync::Arc;

/// Copies the keys and values of `n` new positions into the cache, in place.
///
/// Inputs: cache `(2, H, n_ctx, D)` (updated), qkv `(T, 3 C)` with C = H D, step `[pos0, n, …]`. Output: the cache.
/// Positions at or past `n_ctx` are dropped.
#[derive(Debug, Clone)]
pub struct KvAppend;

impl Op for KvAppend {
    fn name(&self) -> &'static str {
        "kv_append"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[3])?;
        cache_dims(inputs[0], inputs[1])?;
        Ok(vec![inputs[0].clone()])
    }

    fn updates(&self) -> &[(usize, usize)] {
        &[(0, 0)]
    }

    fn fuse(&self, graph: &Graph, own: &Node, next: &Node, link: TensorId) -> Option<Fused> {
        let Some(Absorb::Attention { n_head }) = next.op.absorbable() else { return None };
        // One query only: several would need each other's keys from the cache before it is written.
        let (qkv, step) = (own.inputs[1], own.inputs[2]);
        let one = graph.shape(qkv)[0] == 1 && next.inputs == [qkv, link, step];
        let one = one && graph.shape(own.inputs[0])[3] <= AttentionDecode::WIDEST;
        one.then(|| Fused {
            op: Arc::new(AttentionDecode { n_head }),
            inputs: own.inputs.clone(),
            outputs: [own.outputs.clone(), next.outputs.clone()].concat(),
        })
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let (t, c) = (s.input(1, 0), s.input(1, 1) / 3);
        let k = Kernel::new("kv_append", wgsl!("kv_append"))
            .read("qkv", Elem::F32, 1)
            .read("step", Elem::U32, 2)
            .write("cache", Elem::F32, 0)
            .constant("T", t)
            .constant("H", s.input(0, 1))
            .constant("CTX", s.input(0, 2))
            .constant("D", s.input(0, 3))
            .grid_1d((t * 2 * c).div_ceil(64));
        vec![k]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let s = args.shapes();
        let (h, ctx, d) = (s.input(0, 1), s.input(0, 2), s.input(0, 3));
        let (qkv, step, cache) = (args.f32(1), args.u32(2), args.out_f32(0));
        append(cache, qkv, h, ctx, d, step[0] as usize, step[1] as usize);
    }
}

/// Copies `n` rows of keys and values to positions `pos0..` of the cache.
pub(super) fn append(cache: &mut [f32], qkv: &[f32], h: usize, ctx: usize, d: usize, pos0: usize, n: usize) {
    let c = h * d;
    for (t, row) in qkv.chunks_exact(3 * c).enumerate().take(n) {
        let position = pos0 + t;
        if position >= ctx {
            break;
        }
        for (which, values) in row[c..].chunks_exact(c).enumerate() {
            for (head, values) in values.chunks_exact(d).enumerate() {
                cache[((which * h + head) * ctx + position) * d..][..d].copy_from_slice(values);
            }
        }
    }
}

/// (H, n_ctx, D) of a cache that fits this qkv.
pub(super) fn cache_dims(cache: &Meta, qkv: &Meta) -> Result<(usize, usize, usize), Message> {
    let (_, width) = dims2(qkv, "qkv")?;
    match cache.shape[..] {
        [2, h, ctx, d] if 3 * h * d == width && ctx > 0 => Ok((h, ctx, d)),
        _ => Err(Message::uncoded(format!("a cache of {:?} does not fit qkv rows of {width}", cache.shape))),
    }
}

/// The inputs and the output of attention over a cache: shared shape rule.
pub(super) fn attention_output(inputs: &[&Meta]) -> Result<Meta, Message> {
    want_inputs(inputs, &[3])?;
    cache_dims(inputs[1], inputs[0])?;
    Ok(Meta::f32(&[inputs[0].shape[0], inputs[0].shape[1] / 3]))
}
