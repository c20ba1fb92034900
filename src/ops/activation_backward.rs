//! Gradients of the element-wise activations.

use super::activation::act_code;
use super::tasks::{row_tasks, task_rows};
use super::{want_inputs, want_shape, wgsl};
use crate::config::Activation;
use crate::cpu::vecops;
use crate::graph::{CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// `d_x = d_y act'(x)` (Hendrycks and Gimpel 2016, differentiated; ReLU has slope 0 at 0).
///
/// Inputs: d_y, x, of equal shapes. Output: d_x.
#[derive(Debug, Clone)]
pub struct ActivationBackward(
    /// Which one.
    pub Activation,
);

impl Op for ActivationBackward {
    fn name(&self) -> &'static str {
        "activation_backward"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[2])?;
        want_shape(inputs[1], &inputs[0].shape, "x")?;
        Ok(vec![Meta::f32(&inputs[0].shape)])
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let len = s.inputs[0].len();
        let k = Kernel::new("activation_backward", wgsl!("activation_backward"))
            .include(wgsl!("common/finite"))
            .include(wgsl!("common/activation"))
            .read("d_y", Elem::F32, 0)
            .read("x", Elem::F32, 1)
            .write("d_x", Elem::F32, 0)
            .constant("LEN", len)
            .constant("ACT", act_code(Some(self.0)))
            .grid_1d(len.div_ceil(256));
        vec![k]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        row_tasks(s.inputs[0].len(), 1)
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let range = task_rows(args.shapes().inputs[0].len(), 1, task);
        let (x, d_x) = (&args.f32(1)[range.clone()], &mut args.out_f32(0)[range.clone()]);
        d_x.copy_from_slice(&args.f32(0)[range]);
        match self.0 {
            Activation::GeluTanh => vecops::gelu_tanh_backward(d_x, x),
            Activation::GeluErf => vecops::gelu_erf_backward(d_x, x),
            Activation::Relu => vecops::relu_backward(d_x, x),
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        20 * s.outputs[0].len() as u64
    }
}
