//! The norm of the whole gradient.

use super::hyper::{self, metrics, want_hyper, want_metrics};
use super::row::by_row;
use super::{want_inputs, wgsl};
use crate::cpu::vecops;
use crate::graph::{CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// `norm = sqrt(Σ partials)`, also written to the step's record in the ring of metrics (Pascanu et al. 2013).
///
/// Inputs: partials from [`SumSquares`](super::SumSquares), hyper, metrics (updated). Outputs: norm `(1)`, metrics. Where
/// the norm or the step's loss is not finite, the norm is infinite, which [`AdamW`](super::AdamW) heeds, and
/// [`metrics::HALTED`] is set: then it is infinite in the steps after as well.
#[derive(Debug, Clone)]
pub struct GradNorm;

impl Op for GradNorm {
    fn name(&self) -> &'static str {
        "grad_norm"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[3])?;
        if inputs[0].is_empty() {
            return Err(Message::uncoded("partials must not be empty"));
        }
        want_hyper(inputs[1])?;
        want_metrics(inputs[2])?;
        Ok(vec![Meta::f32(&[1]), inputs[2].clone()])
    }

    fn updates(&self) -> &[(usize, usize)] {
        &[(1, 2)]
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let len = s.inputs[0].len();
        let k = Kernel::new("grad_norm", wgsl!("grad_norm"))
            .include(wgsl!("common/hyper"))
            .include(wgsl!("common/finite"))
            .read("partials", Elem::F32, 0)
            .read("hyper", Elem::U32, 1)
            // As bits: shader compilers may assume that floats are finite.
            .write("norm", Elem::U32, 0)
            .write("metrics", Elem::U32, 1)
            .constant("LEN", len);
        vec![by_row(k, 1, len, target)]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let norm = vecops::sum(args.f32(0)).sqrt();
        let (record, ring) = (hyper::slot(args.u32(1)), args.out_f32(1));
        if !norm.is_finite() || !ring[record + metrics::LOSS].is_finite() {
            ring[metrics::HALTED] = 1.0;
        }
        let norm = if ring[metrics::HALTED] == 0.0 { norm } else { f32::INFINITY };
        args.out_f32(0)[0] = norm;
        ring[record + metrics::NORM] = norm;
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        s.inputs[0].len() as u64
    }
}
