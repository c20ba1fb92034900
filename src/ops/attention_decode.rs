//! Attention of one new token, with its key and value appended to the cache in the same dispatch.

use super::attention::elem;
use super::kv_append::{append, cache_dims};
use super::{want_inputs, wgsl};
use crate::cpu::gemm::attention_row;
use crate::graph::{CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// [`KvAppend`](super::KvAppend) and [`Attention`](super::Attention) of a single query, fused: one dispatch fewer a layer.
///
/// Inputs: cache `(2, H, n_ctx, D)` (updated), qkv `(1, 3 C)`, step `[pos, n, …]`. Outputs: the cache, and `(1, C)`. Where
/// `n` is 0 nothing is appended and the second output is zeros. A head with a score that is NaN or infinite gets NaN.
#[derive(Debug, Clone)]
pub struct AttentionDecode {
    /// Number of heads, H.
    pub n_head: usize,
}

impl AttentionDecode {
    /// Widest heads it serves on every device: a thread for each four numbers of one.
    pub(super) const WIDEST: usize = 4 * 256;
}

impl Op for AttentionDecode {
    fn name(&self) -> &'static str {
        "attention_decode"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[3])?;
        let (h, _, d) = cache_dims(inputs[0], inputs[1])?;
        if h != self.n_head || inputs[1].shape[0] != 1 {
            return Err(Message::uncoded(format!(
                "needs one query and {} heads, not {:?} and {h}",
                self.n_head, inputs[1].shape
            )));
        }
        Ok(vec![inputs[0].clone(), Meta::f32(&[1, h * d])])
    }

    fn updates(&self) -> &[(usize, usize)] {
        &[(0, 0)]
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let (h, ctx, d) = (s.input(0, 1), s.input(0, 2), s.input(0, 3));
        let vec4 = d.is_multiple_of(4);
        let heads = if vec4 { wgsl!("common/heads_vec4") } else { wgsl!("common/heads_scalar") };
        let append = if vec4 { wgsl!("common/append_vec4") } else { wgsl!("common/append_scalar") };
        let least = d.div_ceil(4);
        let threads = match target {
            Target::Hardware => least.next_power_of_two().max(64),
            Target::Software => least.next_power_of_two().max(16),
        };
        let k = Kernel::new("attention_decode", wgsl!("attention_decode"))
            .include(wgsl!("common/finite"))
            .include(heads)
            .include(append)
            .constant("H", h)
            .constant("HD", d)
            .constant("CTX", ctx)
            .constant("SCALE", 1.0 / (d as f32).sqrt())
            .constant("THREADS", threads)
            .read("qkv", elem(d), 1)
            .read("range", Elem::U32, 2)
            .write("kv", elem(d), 0)
            .write("out", elem(d), 1)
            .grid([h, 1, 1]);
        vec![k]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let s = args.shapes();
        let (h, ctx, d) = (s.input(0, 1), s.input(0, 2), s.input(0, 3));
        let (qkv, step, cache, out) = (args.f32(1), args.u32(2), args.out_f32(0), args.out_f32(1));
        let (pos, n) = (step[0] as usize, step[1] as usize);
        if n == 0 || pos >= ctx {
            out.fill(0.0);
            return;
        }
        append(cache, qkv, h, ctx, d, pos, 1);
        let scale = 1.0 / (d as f32).sqrt();
        let scores = args.scratch().scores(ctx);
        for head in 0..h {
            let (k, v) = (&cache[head * ctx * d..][..ctx * d], &cache[(h + head) * ctx * d..][..ctx * d]);
            attention_row(&qkv[head * d..][..d], k, v, pos + 1, scale, scores, &mut out[head * d..][..d]);
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        4 * s.input(0, 2) as u64 * (s.input(1, 1) / 3) as u64
    }
}
