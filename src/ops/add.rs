//! Element-wise sum: the residual connection.

use super::elementwise::{by_element, like_first};
use super::wgsl;
use crate::cpu::vecops;
use crate::error::Result;
use crate::graph::{Absorb, Backward, CpuArgs, Elem, Kernel, Meta, Node, Op, Shapes, Target};
use crate::message::Message;

/// `y = a + b`, equal shapes.
#[derive(Debug, Clone)]
pub struct Add;

impl Op for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        like_first(inputs, &["a", "b"])
    }

    fn absorbable(&self) -> Option<Absorb> {
        Some(Absorb::Add)
    }

    #[cfg(feature = "train")]
    fn backward(&self, g: &mut Backward<'_>, node: &Node) -> Result<()> {
        let dy = g.of_output(node)?;
        node.inputs.iter().try_for_each(|&t| g.add(t, dy))
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let k = Kernel::new("add", wgsl!("add")).read("a", Elem::F32, 0).read("b", Elem::F32, 1);
        vec![by_element(k.write("y", Elem::F32, 0), s.inputs[0].len())]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let y = args.out_f32(0);
        y.copy_from_slice(args.f32(0));
        vecops::add(y, args.f32(1));
    }
}
