//! Adding a gradient to those gathered before.

use super::tasks::{row_tasks, task_rows};
use super::{want_inputs, want_shape, wgsl};
use crate::cpu::vecops;
use crate::graph::{Absorb, CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};

/// `grad += d`, equal shapes, in place.
///
/// Inputs: grad (updated), d. Output: grad.
#[derive(Debug, Clone)]
pub struct Accumulate;

impl Op for Accumulate {
    fn name(&self) -> &'static str {
        "accumulate"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, String> {
        want_inputs(inputs, &[2])?;
        want_shape(inputs[1], &inputs[0].shape, "d")?;
        Ok(vec![Meta::f32(&inputs[0].shape)])
    }

    fn updates(&self) -> &[(usize, usize)] {
        &[(0, 0)]
    }

    fn absorbable(&self) -> Option<Absorb> {
        Some(Absorb::Accumulate)
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let len = s.inputs[1].len();
        let k = Kernel::new("accumulate", wgsl!("accumulate"))
            .read("d", Elem::F32, 1)
            .write("grad", Elem::F32, 0)
            .constant("LEN", len)
            .grid_1d(len.div_ceil(64));
        vec![k]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        row_tasks(s.inputs[1].len(), 1)
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let range = task_rows(args.shapes().inputs[1].len(), 1, task);
        vecops::add(&mut args.out_f32(0)[range.clone()], &args.f32(1)[range]);
    }
}
