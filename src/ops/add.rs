//! Element-wise sum: the residual connection.

use super::{want_inputs, want_shape, wgsl};
use crate::cpu::vecops;
use crate::error::Result;
use crate::graph::{Absorb, Backward, CpuArgs, Elem, Kernel, Meta, Node, Op, Shapes, Target};

/// `y = a + b`, equal shapes.
#[derive(Debug, Clone)]
pub struct Add;

impl Op for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, String> {
        want_inputs(inputs, &[2])?;
        want_shape(inputs[1], &inputs[0].shape, "b")?;
        Ok(vec![Meta::f32(&inputs[0].shape)])
    }

    fn absorbable(&self) -> Option<Absorb> {
        Some(Absorb::Add)
    }

    fn backward(&self, g: &mut Backward<'_>, node: &Node) -> Result<()> {
        let dy = g.of_output(node)?;
        node.inputs.iter().try_for_each(|&t| g.add(t, dy))
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let len = s.inputs[0].len();
        let k = Kernel::new("add", wgsl!("add"))
            .read("a", Elem::F32, 0)
            .read("b", Elem::F32, 1)
            .write("y", Elem::F32, 0)
            .constant("LEN", len)
            .grid_1d(len.div_ceil(64));
        vec![k]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let y = args.out_f32(0);
        y.copy_from_slice(args.f32(0));
        vecops::add(y, args.f32(1));
    }
}
