//! Gradients of LayerNorm with respect to its weight and bias.

use super::column::by_column;
use super::tasks::{row_tasks, task_rows};
use super::{dims2, want_inputs, want_shape, wgsl};
use crate::cpu::vecops;
use crate::graph::{CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// `grad_weight += Σ_rows d_y (x - mean) rstd` and `grad_bias += Σ_rows d_y`, in place (Ba et al. 2016, differentiated).
///
/// Inputs: d_y `(M, C)`, x `(M, C)`, stats `(M, 2)` = `[mean, rstd]` from
/// [`LayerNormBackward`](super::LayerNormBackward), grad_weight `(C)` (updated), with `bias` also grad_bias `(C)`
/// (updated). Outputs: grad_weight, with `bias` also grad_bias.
#[derive(Debug, Clone)]
pub struct LayerNormBackwardParams {
    /// Whether the LayerNorm has a bias.
    pub bias: bool,
}

impl Op for LayerNormBackwardParams {
    fn name(&self) -> &'static str {
        "layer_norm_backward_params"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[4 + usize::from(self.bias)])?;
        let (rows, c) = dims2(inputs[1], "x")?;
        want_shape(inputs[0], &[rows, c], "d_y")?;
        want_shape(inputs[2], &[rows, 2], "stats")?;
        want_shape(inputs[3], &[c], "grad_weight")?;
        inputs.get(4).map_or(Ok(()), |b| want_shape(b, &[c], "grad_bias"))?;
        Ok(vec![Meta::f32(&[c]); inputs.len() - 3])
    }

    fn updates(&self) -> &[(usize, usize)] {
        if self.bias { &[(0, 3), (1, 4)] } else { &[(0, 3)] }
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let (rows, c) = (s.input(1, 0), s.input(1, 1));
        let mut k = Kernel::new("layer_norm_backward_params", wgsl!("layer_norm_backward_params"))
            .read("d_y", Elem::F32, 0)
            .read("x", Elem::F32, 1)
            .read("stats", Elem::F32, 2)
            .write("grad_weight", Elem::F32, 0);
        if self.bias {
            k = k.write("grad_bias", Elem::F32, 1);
        }
        let bias = if self.bias { wgsl!("common/grad_bias") } else { wgsl!("common/grad_bias_none") };
        vec![by_column(k.include(bias), rows, c, target)]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        row_tasks(s.input(1, 0), s.input(1, 1))
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let (rows, c) = (args.shapes().input(1, 0), args.shapes().input(1, 1));
        let (d_y, x, stats) = (args.f32(0), args.f32(1), args.f32(2));
        let grad_weight = args.out_f32(0);
        let mut grad_bias = self.bias.then(|| args.out_f32(1));
        for row in task_rows(rows, c, task) {
            let (d, x) = (&d_y[row * c..][..c], &x[row * c..][..c]);
            vecops::add_normalized_product(grad_weight, d, x, stats[row * 2], stats[row * 2 + 1]);
            if let Some(grad_bias) = &mut grad_bias {
                vecops::add(grad_bias, d);
            }
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        5 * s.inputs[0].len() as u64
    }
}
