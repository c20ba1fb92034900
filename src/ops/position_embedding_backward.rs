//! Gradient of the learned position embedding.

use super::{dims2, want_inputs, wgsl};
use crate::cpu::vecops;
use crate::graph::{CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// `grad_table[p] += Σ_b d_y[b seq + p]` for `p < seq`, in place: sequences of equal length, each from position 0.
///
/// Inputs: d_y `(M, C)` with M a multiple of `seq`, grad_table `(n_ctx, C)` (updated). Output: grad_table.
#[derive(Debug, Clone)]
pub struct PositionEmbeddingBackward {
    /// Positions of a sequence.
    pub seq: usize,
}

impl Op for PositionEmbeddingBackward {
    fn name(&self) -> &'static str {
        "position_embedding_backward"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[2])?;
        let (m, c) = dims2(inputs[0], "d_y")?;
        let (n_ctx, width) = dims2(inputs[1], "grad_table")?;
        if width != c {
            return Err(Message::uncoded(format!("d_y has {c} columns, but grad_table {width}")));
        }
        if self.seq == 0 || m % self.seq != 0 || self.seq > n_ctx {
            let seq = self.seq;
            return Err(Message::uncoded(format!(
                "{m} rows are no whole number of sequences of {seq} positions, of {n_ctx} at most"
            )));
        }
        Ok(vec![Meta::f32(&[n_ctx, c])])
    }

    fn updates(&self) -> &[(usize, usize)] {
        &[(0, 1)]
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let (m, c) = (s.input(0, 0), s.input(0, 1));
        let k = Kernel::new("position_embedding_backward", wgsl!("position_embedding_backward"))
            .read("d_y", Elem::F32, 0)
            .write("grad", Elem::F32, 0)
            .constant("BATCH", m / self.seq)
            .constant("LEN", self.seq * c)
            .grid_1d((self.seq * c).div_ceil(64));
        vec![k]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let len = self.seq * args.shapes().input(0, 1);
        let (d_y, grad) = (args.f32(0), args.out_f32(0));
        for d in d_y.chunks_exact(len) {
            vecops::add(&mut grad[..len], d);
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        s.inputs[0].len() as u64
    }
}
