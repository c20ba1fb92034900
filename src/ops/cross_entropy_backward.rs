//! Gradient of the mean cross-entropy with respect to the logits.

use super::hyper::{self, IGNORE, want_hyper, want_targets};
use super::tasks::{row_tasks, task_rows};
use super::{dims2, want_inputs, want_shape, wgsl};
use crate::cpu::vecops;
use crate::graph::{CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// `d_logits = (softmax(logits) - onehot(target)) LOSS_SCALE`, zeros in rows without a target, in place of the logits
/// (Bridle 1990).
///
/// Inputs: logits `(M, V)` of the vocabulary's columns `col0..col0 + V` (updated), targets u32 `(M)`, stats `(M, 4)` of
/// the whole vocabulary from [`CrossEntropyStats`](super::CrossEntropyStats), hyper. Output: d_logits `(M, V)`.
#[derive(Debug, Clone)]
pub struct CrossEntropyBackward {
    /// The vocabulary entry of the first column.
    pub col0: usize,
}

impl Op for CrossEntropyBackward {
    fn name(&self) -> &'static str {
        "cross_entropy_backward"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[4])?;
        let (m, v) = dims2(inputs[0], "logits")?;
        want_targets(inputs[1], m)?;
        want_shape(inputs[2], &[m, 4], "stats")?;
        want_hyper(inputs[3])?;
        Ok(vec![Meta::f32(&[m, v])])
    }

    fn updates(&self) -> &[(usize, usize)] {
        &[(0, 0)]
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let (m, v) = (s.input(0, 0), s.input(0, 1));
        let k = Kernel::new("cross_entropy_backward", wgsl!("cross_entropy_backward"))
            .include(wgsl!("common/hyper"))
            .read("targets", Elem::U32, 1)
            .read("stats", Elem::F32, 2)
            .read("hyper", Elem::U32, 3)
            .write("logits", Elem::F32, 0)
            .constant("LEN", m * v)
            .constant("V", v)
            .constant("COL0", self.col0)
            .grid_1d((m * v).div_ceil(64));
        vec![k]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        row_tasks(s.input(0, 0), s.input(0, 1))
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let (m, v) = (args.shapes().input(0, 0), args.shapes().input(0, 1));
        let (targets, stats, logits) = (args.u32(1), args.f32(2), args.out_f32(0));
        let scale = hyper::float(args.u32(3), hyper::LOSS_SCALE);
        for row in task_rows(m, v, task) {
            let x = &mut logits[row * v..][..v];
            if targets[row] == IGNORE {
                x.fill(0.0);
                continue;
            }
            let (max, sum) = (stats[row * 4], stats[row * 4 + 1]);
            vecops::scaled_softmax(x, max, scale / sum);
            if let Some(x) = x.get_mut((targets[row] as usize).wrapping_sub(self.col0)) {
                *x -= scale;
            }
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        4 * s.inputs[0].len() as u64
    }
}
