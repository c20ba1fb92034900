//! Adding a gradient to those gathered before.

use super::elementwise::{by_element, like_first};
use super::tasks::{row_tasks, task_rows};
use super::wgsl;
use crate::cpu::vecops;
use crate::graph::{Absorb, CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// `grad += d`, equal shapes, in place.
///
/// Inputs: grad (updated), d. Output: grad.
#[derive(Debug, Clone)]
pub struct Accumulate;

impl Op for Accumulate {
    fn name(&self) -> &'static str {
        "accumulate"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        like_first(inputs, &["grad", "d"])
    }

    fn updates(&self) -> &[(usize, usize)] {
        &[(0, 0)]
    }

    fn absorbable(&self) -> Option<Absorb> {
        Some(Absorb::Accumulate)
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let k = Kernel::new("accumulate", wgsl!("accumulate")).read("d", Elem::F32, 1);
        vec![by_element(k.write("grad", Elem::F32, 0), s.inputs[1].len())]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        row_tasks(s.inputs[1].len(), 1)
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let range = task_rows(args.shapes().inputs[1].len(), 1, task);
        vecops::add(&mut args.out_f32(0)[range.clone()], &args.f32(1)[range]);
    }
}
