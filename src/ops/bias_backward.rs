//! Gradient of a bias.

use super::column::by_column;
use super::tasks::{row_tasks, task_rows};
use super::{dims2, want_inputs, want_shape, wgsl};
use crate::cpu::vecops;
use crate::graph::{CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// `grad_bias += Σ_rows d_y`, in place.
///
/// Inputs: d_y `(M, N)`, grad_bias `(N)` (updated). Output: grad_bias.
#[derive(Debug, Clone)]
pub struct BiasBackward;

impl Op for BiasBackward {
    fn name(&self) -> &'static str {
        "bias_backward"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[2])?;
        let (_, n) = dims2(inputs[0], "d_y")?;
        want_shape(inputs[1], &[n], "grad_bias")?;
        Ok(vec![Meta::f32(&[n])])
    }

    fn updates(&self) -> &[(usize, usize)] {
        &[(0, 1)]
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let k = Kernel::new("bias_backward", wgsl!("bias_backward")).read("d_y", Elem::F32, 0).write(
            "grad_bias",
            Elem::F32,
            0,
        );
        vec![by_column(k, s.input(0, 0), s.input(0, 1), target)]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        row_tasks(s.input(0, 0), s.input(0, 1))
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let (rows, n) = (args.shapes().input(0, 0), args.shapes().input(0, 1));
        let (d_y, grad) = (args.f32(0), args.out_f32(0));
        for row in task_rows(rows, n, task) {
            vecops::add(grad, &d_y[row * n..][..n]);
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        s.inputs[0].len() as u64
    }
}
