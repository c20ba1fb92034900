//! Multiplying by a number that the host or another op provides.

use super::elementwise::{by_element, like_first_scaled};
use super::tasks::{row_tasks, task_rows};
use super::wgsl;
use crate::cpu::vecops;
use crate::graph::{CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// `y = s x`.
///
/// Inputs: x, s `(1)`. Output: y, of x's shape.
#[derive(Debug, Clone)]
pub struct Scale;

impl Op for Scale {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        like_first_scaled(inputs, &["x"])
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let k = Kernel::new("scale", wgsl!("scale")).read("x", Elem::F32, 0).read("s", Elem::F32, 1);
        vec![by_element(k.write("y", Elem::F32, 0), s.inputs[0].len())]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        row_tasks(s.inputs[0].len(), 1)
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let range = task_rows(args.shapes().inputs[0].len(), 1, task);
        let y = &mut args.out_f32(0)[range.clone()];
        y.copy_from_slice(&args.f32(0)[range]);
        vecops::scale(y, args.f32(1)[0]);
    }
}
