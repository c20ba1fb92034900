//! Gradient of LayerNorm with respect to its input.

use super::row::by_row;
use super::tasks::{row_tasks, task_rows};
use super::{dims2, want_inputs, want_shape, wgsl};
use crate::cpu::vecops;
use crate::graph::{CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// `d_x = rstd (g - mean(g) - x̂ mean(g x̂))` over each row, with `g = d_y weight`, `x̂ = (x - mean) rstd` and
/// `rstd = 1 / sqrt(var + eps)` (Ba et al. 2016, differentiated).
///
/// Inputs: d_y `(M, C)`, x `(M, C)`, weight `(C)`. Outputs: d_x `(M, C)`, stats `(M, 2)` = `[mean, rstd]`, which
/// [`LayerNormBackwardParams`](super::LayerNormBackwardParams) reads.
#[derive(Debug, Clone)]
pub struct LayerNormBackward {
    /// Added to the variance in the forward pass.
    pub eps: f32,
}

impl Op for LayerNormBackward {
    fn name(&self) -> &'static str {
        "layer_norm_backward"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[3])?;
        let (rows, c) = dims2(inputs[1], "x")?;
        want_shape(inputs[0], &[rows, c], "d_y")?;
        want_shape(inputs[2], &[c], "weight")?;
        Ok(vec![Meta::f32(&[rows, c]), Meta::f32(&[rows, 2])])
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let (rows, c) = (s.input(1, 0), s.input(1, 1));
        let k = Kernel::new("layer_norm_backward", wgsl!("layer_norm_backward"))
            .read("d_y", Elem::F32, 0)
            .read("x", Elem::F32, 1)
            .read("weight", Elem::F32, 2)
            .write("d_x", Elem::F32, 0)
            .write("stats", Elem::F32, 1)
            .constant("C", c)
            .constant("EPS", self.eps);
        vec![by_row(k, rows, c, target).include(wgsl!("common/finite")).include(wgsl!("common/row_moments"))]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        row_tasks(s.input(1, 0), s.input(1, 1))
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let (rows, c) = (args.shapes().input(1, 0), args.shapes().input(1, 1));
        let (d_y, x, weight) = (args.f32(0), args.f32(1), args.f32(2));
        let (d_x, stats) = (args.out_f32(0), args.out_f32(1));
        for row in task_rows(rows, c, task) {
            let at = row * c..(row + 1) * c;
            let (mean, rstd) =
                vecops::layer_norm_backward_row(&d_y[at.clone()], &x[at.clone()], weight, self.eps, &mut d_x[at]);
            stats[row * 2..][..2].copy_from_slice(&[mean, rstd]);
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        16 * s.outputs[0].len() as u64
    }
}
