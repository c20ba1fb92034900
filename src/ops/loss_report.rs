//! The mean loss of a step, where the host can read it.

use super::hyper::{self, IGNORE, metrics, want_hyper, want_metrics, want_targets};
use super::row::by_row;
use super::{dims2, want_inputs, want_shape, wgsl};
use crate::graph::{CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// Adds `LOSS_SCALE Σ (max + ln sum - target's logit)` over the rows with a target to the step's loss in the ring of
/// metrics; the first micro-batch sets it.
///
/// Inputs: stats `(M, 4)` from [`CrossEntropyStats`](super::CrossEntropyStats), targets u32 `(M)`, hyper, metrics
/// (updated). Output: metrics.
#[derive(Debug, Clone)]
pub struct LossReport;

impl Op for LossReport {
    fn name(&self) -> &'static str {
        "loss_report"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[4])?;
        let (m, _) = dims2(inputs[0], "stats")?;
        want_shape(inputs[0], &[m, 4], "stats")?;
        want_targets(inputs[1], m)?;
        want_hyper(inputs[2])?;
        want_metrics(inputs[3])?;
        Ok(vec![inputs[3].clone()])
    }

    fn updates(&self) -> &[(usize, usize)] {
        &[(0, 3)]
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let m = s.input(0, 0);
        let k = Kernel::new("loss_report", wgsl!("loss_report"))
            .include(wgsl!("common/hyper"))
            .include(wgsl!("common/finite"))
            .read("stats", Elem::F32, 0)
            .read("targets", Elem::U32, 1)
            .read("hyper", Elem::U32, 2)
            .write("metrics", Elem::F32, 0)
            .constant("M", m);
        vec![by_row(k, 1, m, target)]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let (stats, targets, words) = (args.f32(0), args.u32(1), args.u32(2));
        let rows = stats.chunks_exact(4).zip(targets).filter(|(_, t)| **t != IGNORE);
        let sum: f32 = rows.map(|(s, _)| s[0] + s[1].ln() - s[2]).sum();
        let loss = sum * hyper::float(words, hyper::LOSS_SCALE);
        let word = &mut args.out_f32(0)[hyper::slot(words) + metrics::LOSS];
        *word = if words[hyper::MICRO] == 0 { loss } else { *word + loss };
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        8 * s.input(0, 0) as u64
    }
}
