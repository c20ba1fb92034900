//! Adding a multiple that the host or another op provides.

use super::elementwise::{by_element, like_first_scaled};
use super::tasks::{row_tasks, task_rows};
use super::{Scale, wgsl};
use crate::cpu::vecops;
use crate::error::Result;
use crate::graph::{Backward, CpuArgs, Elem, Kernel, Meta, Node, Op, Shapes, Target};
use crate::message::Message;

/// `y = a + s b`, and `a` where s is 0, whatever b is: what is switched off has no say.
///
/// Inputs: a and b of equal shapes, s `(1)`. Output: y, of their shape.
#[derive(Debug, Clone)]
pub struct ScaledAdd;

impl Op for ScaledAdd {
    fn name(&self) -> &'static str {
        "scaled_add"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        like_first_scaled(inputs, &["a", "b"])
    }

    #[cfg(feature = "train")]
    fn backward(&self, g: &mut Backward<'_>, node: &Node) -> Result<()> {
        let (a, b, s, dy) = (node.inputs[0], node.inputs[1], node.inputs[2], g.of_output(node)?);
        g.add(a, dy)?;
        if g.wants(b) {
            let d = g.graph.apply1(&g.name(b), Scale, &[dy, s])?;
            g.add(b, d)?;
        }
        Ok(())
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let k = Kernel::new("scaled_add", wgsl!("scaled_add")).read("a", Elem::F32, 0).read("b", Elem::F32, 1);
        vec![by_element(k.read("s", Elem::F32, 2).write("y", Elem::F32, 0), s.inputs[0].len())]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        row_tasks(s.inputs[0].len(), 1)
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let range = task_rows(args.shapes().inputs[0].len(), 1, task);
        let y = &mut args.out_f32(0)[range.clone()];
        y.copy_from_slice(&args.f32(0)[range.clone()]);
        if args.f32(2)[0] != 0.0 {
            vecops::axpy(y, args.f32(2)[0], &args.f32(1)[range]);
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        2 * s.outputs[0].len() as u64
    }
}
