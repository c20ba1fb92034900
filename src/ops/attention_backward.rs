//! Gradient of causal self-attention.

use super::attention::elem;
use super::causal_attention::BatchedHeads;
use super::{want_inputs, want_shape, wgsl};
use crate::cpu::gemm::{AttentionBackwardBlock, BACKWARD_QUERIES, attention_backward_block};
use crate::graph::{Access, Arg, Binding, CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// The backward pass of [`CausalAttention`](super::CausalAttention), after FlashAttention-2 (Dao 2023): the probabilities
/// are computed again from the scores and lse, and never stored as a matrix.
///
/// With `p = exp(q·kᵀ / sqrt(D) - lse)` on and below the diagonal, `delta = rowsum(d_out * out)` for each head and
/// `ds = p * (d_out·vᵀ - delta)`: `d_q = ds·k / sqrt(D)`, `d_k = dsᵀ·q / sqrt(D)`, `d_v = pᵀ·d_out`.
///
/// Where the forward pass dropped probabilities, `mask / (1 - dropout)` stands before `d_out` in `ds` and `d_v`; delta is
/// still the sum of p times its gradient, as out already has the mask.
///
/// Inputs: d_out `(M, C)`, qkv `(M, 3 C)`, out `(M, C)` and lse `(B H, seq)` as the forward pass made them; with dropout
/// its mask. Outputs: d_qkv `(M, 3 C)`, and delta `(B H, seq)`, which one of the two kernels hands to the other. Every sum
/// has a fixed order.
#[derive(Debug, Clone)]
pub struct AttentionBackward {
    /// Number of heads, H.
    pub n_head: usize,
    /// Positions of each sequence, T.
    pub seq: usize,
    /// Probability of dropping with which the mask was made; 0 is none, and no mask.
    pub dropout: f32,
}

impl AttentionBackward {
    fn dims(&self, s: Shapes<'_>) -> BatchedHeads {
        BatchedHeads::new(self.n_head, self.seq, s.inputs[1])
    }
}

impl Op for AttentionBackward {
    fn name(&self) -> &'static str {
        "attention_backward"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[4 + usize::from(self.dropout > 0.0)])?;
        let dims = BatchedHeads::infer(self.n_head, self.seq, inputs[1])?;
        want_shape(inputs[0], &dims.out().shape, "d_out")?;
        want_shape(inputs[2], &dims.out().shape, "out")?;
        want_shape(inputs[3], &dims.lse().shape, "lse")?;
        dims.want_mask(self.dropout, &inputs[4..])?;
        Ok(vec![inputs[1].clone(), dims.lse()])
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let dims = self.dims(s);
        let (e, tiled) = (elem(dims.d), dims.tiled(target));
        let grad = if e == Elem::Vec4 {
            wgsl!("common/heads_batch_grad_vec4")
        } else {
            wgsl!("common/heads_batch_grad_scalar")
        };
        let make = |name, source| dims.kernel(name, source).include(grad).read("d_out", e, 0).read("qkv", e, 1);
        let by_query = if tiled {
            make("attention_backward_q_tiled", wgsl!("attention_backward_q_tiled"))
        } else {
            make("attention_backward_q", wgsl!("attention_backward_q"))
        };
        let by_query = by_query
            .include(wgsl!("common/heads_batch_delta"))
            .read("out", Elem::F32, 2)
            .read("lse", Elem::F32, 3)
            .write("d_qkv", e, 0)
            .write("delta", Elem::F32, 1);
        let by_key = if tiled {
            make("attention_backward_kv_tiled", wgsl!("attention_backward_kv_tiled"))
        } else {
            make("attention_backward_kv", wgsl!("attention_backward_kv"))
        };
        let mut by_key = by_key.read("lse", Elem::F32, 3).write("d_qkv", e, 0);
        by_key.bindings.push(Binding { name: "delta", access: Access::Read, elem: Elem::F32, arg: Arg::Output(1) });
        let shape = |kernel| match dims.d {
            _ if !tiled => dims.by_row(kernel),
            0..=64 => dims.by_block(kernel, 16, 32, 16),
            65..=128 => dims.by_block(kernel, 16, 16, 16),
            _ => dims.by_block(kernel, 16, 8, 8),
        };
        [by_query, by_key].map(|kernel| shape(dims.dropping(kernel, self.dropout, 4))).into()
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        self.dims(s).heads() * self.seq.div_ceil(BACKWARD_QUERIES)
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let dims = self.dims(args.shapes());
        let BatchedHeads { h, t, d, .. } = dims;
        let c = h * d;
        let blocks = t.div_ceil(BACKWARD_QUERIES);
        let (head, block) = (task / blocks, task % blocks);
        let (row0, column) = (head / h * t, head % h * d);
        let (narrow, wide) = (row0 * c + column, row0 * 3 * c + column);
        let (d_out, qkv, out) = (&args.f32(0)[narrow..], &args.f32(1)[wide..], &args.f32(2)[narrow..]);
        let lse = &args.f32(3)[head * t..][..t];
        let (d_qkv, delta) = (&mut args.out_f32(0)[wide..], &mut args.out_f32(1)[head * t..][..t]);
        let shape = AttentionBackwardBlock { t, head_dim: d, qkv_stride: 3 * c, out_stride: c, scale: dims.scale() };
        let mask = dims.mask(self.dropout, head, || args.u32(4));
        attention_backward_block(&shape, block, qkv, [c, 2 * c], out, lse, d_out, mask, d_qkv, delta, args.scratch());
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        // Five products over half of the (T, T) square.
        5 * s.inputs[0].len() as u64 * self.seq as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::gemm::Scratch;
    use crate::graph::{DType, RawSlice};
    use crate::ops::CausalAttention;

    /// Runs every task of an op's CPU twin.
    fn run(op: &dyn Op, inputs: &[(&Meta, &[f32])]) -> Vec<Vec<f32>> {
        let metas: Vec<&Meta> = inputs.iter().map(|i| i.0).collect();
        let out_metas = op.infer(&metas).expect("shapes that fit");
        let out_metas: Vec<&Meta> = out_metas.iter().collect();
        let mut outs: Vec<Vec<f32>> = out_metas.iter().map(|m| vec![f32::NAN; m.len()]).collect();
        let raw = |ptr: *mut f32, len| RawSlice { ptr: ptr.cast(), len, dtype: DType::F32 };
        let ins: Vec<RawSlice> = inputs.iter().map(|i| raw(i.1.as_ptr().cast_mut(), i.1.len())).collect();
        let raw_outs: Vec<RawSlice> = outs.iter_mut().map(|o| raw(o.as_mut_ptr(), o.len())).collect();
        let shapes = Shapes { inputs: &metas, outputs: &out_metas };
        let mut scratch = Scratch::default();
        let mut args = CpuArgs { inputs: &ins, outputs: &raw_outs, shapes, scratch: &mut scratch };
        (0..op.cpu_tasks(shapes)).for_each(|task| op.cpu(&mut args, task));
        outs
    }

    /// Attention by its definition, in f64: out `(B T, H D)`.
    fn reference(qkv: &[f64], b: usize, t: usize, h: usize, d: usize) -> Vec<f64> {
        let c = h * d;
        let mut out = vec![0.0; b * t * c];
        for (bi, hi) in (0..b).flat_map(|bi| (0..h).map(move |hi| (bi, hi))) {
            let at = |row: usize, part: usize| &qkv[(bi * t + row) * 3 * c + part * c + hi * d..][..d];
            for i in 0..t {
                let score = |j| at(i, 0).iter().zip(at(j, 1)).map(|(x, y)| x * y).sum::<f64>() / (d as f64).sqrt();
                let weights: Vec<f64> = (0..=i).map(|j| f64::exp(score(j))).collect();
                let total: f64 = weights.iter().sum();
                for (j, w) in weights.iter().enumerate() {
                    for e in 0..d {
                        out[(bi * t + i) * c + hi * d + e] += w / total * at(j, 2)[e];
                    }
                }
            }
        }
        out
    }

    #[test]
    fn forward_and_gradient_agree_with_finite_differences_in_f64() {
        // Seventy positions are two blocks of queries.
        for (b, t, h, d, checked) in [(1, 1, 1, 1, 3), (2, 5, 2, 3, 180), (2, 9, 1, 4, 216), (1, 70, 2, 5, 300)] {
            let c = h * d;
            let value = |i: usize, seed: u64| {
                let bits = (i as u64 + 1).wrapping_mul(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
                bits as f32 / (1 << 23) as f32 - 1.0
            };
            let qkv: Vec<f32> = (0..b * t * 3 * c).map(|i| 2.0 * value(i, 3)).collect();
            let d_out: Vec<f32> = (0..b * t * c).map(|i| value(i, 7)).collect();
            let (wide, narrow) = (Meta::f32(&[b * t, 3 * c]), Meta::f32(&[b * t, c]));
            let forward = run(&CausalAttention { n_head: h, seq: t, dropout: 0.0 }, &[(&wide, &qkv)]);
            let exact: Vec<f64> = qkv.iter().map(|&x| f64::from(x)).collect();
            for (got, want) in forward[0].iter().zip(reference(&exact, b, t, h, d)) {
                assert!((f64::from(*got) - want).abs() < 1e-6, "out: {got} instead of {want}");
            }
            let lse = Meta::f32(&[b * h, t]);
            let op = AttentionBackward { n_head: h, seq: t, dropout: 0.0 };
            let inputs: [(&Meta, &[f32]); 4] =
                [(&narrow, &d_out), (&wide, &qkv), (&narrow, &forward[0]), (&lse, &forward[1])];
            let backward = run(&op, &inputs);
            let loss = |qkv: &[f64]| -> f64 {
                reference(qkv, b, t, h, d).iter().zip(&d_out).map(|(o, &g)| o * f64::from(g)).sum()
            };
            let step = (qkv.len() / checked).max(1);
            for i in (0..qkv.len()).step_by(step) {
                let moved = |by: f64| {
                    let mut x = exact.clone();
                    x[i] += by;
                    loss(&x)
                };
                let (got, want) = (f64::from(backward[0][i]), (moved(1e-4) - moved(-1e-4)) / 2e-4);
                assert!((got - want).abs() < 3e-6, "({b}, {t}, {h}, {d}), d_qkv[{i}]: {got} instead of {want}");
            }
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let (wide, narrow, lse) = (Meta::f32(&[12, 24]), Meta::f32(&[12, 8]), Meta::f32(&[4, 6]));
        let op = AttentionBackward { n_head: 2, seq: 6, dropout: 0.0 };
        assert_eq!(op.infer(&[&narrow, &wide, &narrow, &lse]), Ok(vec![wide.clone(), lse.clone()]));
        assert!(op.infer(&[&narrow, &wide, &narrow, &narrow]).unwrap_err().english().contains("lse must be [4, 6]"));
        let forward = |n_head, seq| CausalAttention { n_head, seq, dropout: 0.0 }.infer(&[&wide]);
        assert_eq!(forward(2, 6), Ok(vec![narrow, lse]));
        assert!(forward(5, 6).unwrap_err().english().contains("24 columns"));
        assert!(forward(2, 5).unwrap_err().english().contains("12 rows"));
        assert!(forward(0, 6).is_err() && forward(2, 0).is_err());
    }
}
