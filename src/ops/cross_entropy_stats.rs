//! What the cross-entropy loss needs to know of each row of logits.

use super::hyper::want_targets;
use super::row::by_row;
use super::tasks::{row_tasks, task_rows};
use super::{dims2, want_inputs, want_shape, wgsl};
use crate::cpu::vecops;
use crate::graph::{CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// No logit is smaller: the first piece's maximum is one of its logits.
const LOWEST: f32 = f32::MIN;

/// `[max, Σ exp(x - max), target's logit, 0]` of each row, gathered over pieces of the vocabulary (Milakov and
/// Gimelshein 2018, "Online normalizer calculation for softmax").
///
/// Inputs: logits `(M, V)` of the vocabulary's columns `col0..col0 + V`, targets u32 `(M)` of the whole vocabulary
/// (`u32::MAX` = ignored), and unless `first` stats `(M, 4)` of the earlier pieces (updated). Output: stats `(M, 4)`. Where a
/// logit is NaN or infinite, the sum is NaN.
#[derive(Debug, Clone)]
pub struct CrossEntropyStats {
    /// The vocabulary entry of the first column.
    pub col0: usize,
    /// Whether this is the first piece.
    pub first: bool,
}

impl Op for CrossEntropyStats {
    fn name(&self) -> &'static str {
        "cross_entropy_stats"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[if self.first { 2 } else { 3 }])?;
        let (m, _) = dims2(inputs[0], "logits")?;
        want_targets(inputs[1], m)?;
        inputs.get(2).map_or(Ok(()), |s| want_shape(s, &[m, 4], "stats"))?;
        Ok(vec![Meta::f32(&[m, 4])])
    }

    fn updates(&self) -> &[(usize, usize)] {
        if self.first { &[] } else { &[(0, 2)] }
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let (m, v) = (s.input(0, 0), s.input(0, 1));
        let k = Kernel::new("cross_entropy_stats", wgsl!("cross_entropy_stats"))
            .include(wgsl!("common/finite"))
            .read("logits", Elem::F32, 0)
            .read("targets", Elem::U32, 1)
            .write("stats", Elem::F32, 0)
            .constant("V", v)
            .constant("COL0", self.col0)
            .constant("FIRST", self.first);
        vec![by_row(k, m, v, target)]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        row_tasks(s.input(0, 0), s.input(0, 1))
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let (m, v) = (args.shapes().input(0, 0), args.shapes().input(0, 1));
        let (logits, targets, stats) = (args.f32(0), args.u32(1), args.out_f32(0));
        for row in task_rows(m, v, task) {
            let (x, stats) = (&logits[row * v..][..v], &mut stats[row * 4..][..4]);
            if self.first {
                stats.copy_from_slice(&[LOWEST, 0.0, 0.0, 0.0]);
            }
            let max = vecops::max(x).max(stats[0]);
            let earlier = stats[1] * (stats[0] - max).exp();
            stats[1] = earlier + vecops::sum_exp(x, max) + vecops::overflow(x);
            stats[0] = max;
            if let Some(&x) = x.get((targets[row] as usize).wrapping_sub(self.col0)) {
                stats[2] = x;
            }
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        4 * s.inputs[0].len() as u64
    }
}
