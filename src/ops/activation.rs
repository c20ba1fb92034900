//! Element-wise activations: GELU in both forms, ReLU.

use super::{ActivationBackward, want_inputs, wgsl};
use crate::config::Activation;
use crate::cpu::vecops;
use crate::error::Result;
use crate::graph::{Absorb, Backward, CpuArgs, Elem, Kernel, Meta, Node, Op, Shapes, Target};
use crate::message::Message;

/// `y = act(x)` (Hendrycks and Gimpel 2016 for GELU).
#[derive(Debug, Clone)]
pub struct ActivationOp(
    /// Which one.
    pub Activation,
);

/// The number under which shaders know an activation; 0 is none.
pub(super) fn act_code(act: Option<Activation>) -> u32 {
    match act {
        None => 0,
        Some(Activation::GeluTanh) => 1,
        Some(Activation::GeluErf) => 2,
        Some(Activation::Relu) => 3,
    }
}

impl Op for ActivationOp {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[1])?;
        Ok(vec![Meta::f32(&inputs[0].shape)])
    }

    fn absorbable(&self) -> Option<Absorb> {
        Some(Absorb::Activation(self.0))
    }

    #[cfg(feature = "train")]
    fn backward(&self, g: &mut Backward<'_>, node: &Node) -> Result<()> {
        let (x, dy) = (node.inputs[0], g.of_output(node)?);
        let d = g.graph.apply1(&g.name(x), ActivationBackward(self.0), &[dy, x])?;
        g.add(x, d)
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let len = s.inputs[0].len();
        let k = Kernel::new("activation", wgsl!("activation"))
            .include(wgsl!("common/finite"))
            .include(wgsl!("common/activation"))
            .read("x", Elem::F32, 0)
            .write("y", Elem::F32, 0)
            .constant("LEN", len)
            .constant("ACT", act_code(Some(self.0)))
            .grid_1d(len.div_ceil(256));
        vec![k]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let y = args.out_f32(0);
        y.copy_from_slice(args.f32(0));
        match self.0 {
            Activation::GeluTanh => vecops::gelu_tanh(y),
            Activation::GeluErf => vecops::gelu_erf(y),
            Activation::Relu => vecops::relu(y),
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        12 * s.outputs[0].len() as u64
    }
}
