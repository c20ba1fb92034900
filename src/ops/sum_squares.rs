//! Partial sums of squares: the first half of a gradient's norm.

use super::row::by_row;
use super::tasks::{row_tasks, task_rows};
use super::{want_inputs, want_shape, wgsl};
use crate::cpu::vecops;
use crate::graph::{CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// Partial sums that one slab gives.
pub(super) const PARTIALS: usize = 256;

/// `partials[256 slot + i] = Σ x²` over the i-th of 256 equal stretches of a slab; the last ones may be empty.
///
/// Inputs: slab `(n)`, and unless `slot` is 0 partials `(256 slots)` (updated). Output: partials `(256 slots)`. Every
/// slot must be written before [`GradNorm`](super::GradNorm) reads them.
#[derive(Debug, Clone)]
pub struct SumSquares {
    /// Which slab this is.
    pub slot: usize,
    /// How many slabs there are.
    pub slots: usize,
}

impl Op for SumSquares {
    fn name(&self) -> &'static str {
        "sum_squares"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[if self.slot == 0 { 1 } else { 2 }])?;
        let shape = [self.slots * PARTIALS];
        inputs.get(1).map_or(Ok(()), |p| want_shape(p, &shape, "partials"))?;
        if self.slot >= self.slots || inputs[0].is_empty() {
            let (slot, slots, n) = (self.slot, self.slots, inputs[0].len());
            return Err(Message::uncoded(format!(
                "slot {slot} must be one of {slots}, and the slab of {n} floats must not be empty"
            )));
        }
        Ok(vec![Meta::f32(&shape)])
    }

    fn updates(&self) -> &[(usize, usize)] {
        if self.slot == 0 { &[] } else { &[(0, 1)] }
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let len = s.inputs[0].len();
        let stretch = len.div_ceil(PARTIALS);
        let k = Kernel::new("sum_squares", wgsl!("sum_squares"))
            .read("slab", Elem::F32, 0)
            .write("partials", Elem::F32, 0)
            .constant("LEN", len)
            .constant("STRETCH", stretch)
            .constant("START", self.slot * PARTIALS);
        vec![by_row(k, PARTIALS, stretch, target)]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        row_tasks(PARTIALS, s.inputs[0].len().div_ceil(PARTIALS))
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let (slab, partials) = (args.f32(0), args.out_f32(0));
        let stretch = slab.len().div_ceil(PARTIALS);
        for i in task_rows(PARTIALS, stretch, task) {
            let range = (i * stretch).min(slab.len())..((i + 1) * stretch).min(slab.len());
            partials[self.slot * PARTIALS + i] = vecops::sum_squares(&slab[range]);
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        2 * s.inputs[0].len() as u64
    }
}
