//! The AdamW optimizer.

use super::hyper::{self, want_hyper};
use super::tasks::{row_tasks, task_rows};
use super::{want_inputs, want_shape, wgsl};
use crate::cpu::vecops::{self, AdamWStep};
use crate::graph::{CpuArgs, DType, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// Floats that share a bit of the decay mask.
const BLOCK: usize = 64;

/// One step of AdamW over a slab (Loshchilov and Hutter 2019), in place; the gradient is zero afterwards:
///
/// ```text
/// g = grad min(1, CLIP / norm)                 (as it is if CLIP is 0)
/// m = BETA1 m + (1 - BETA1) g
/// v = BETA2 v + (1 - BETA2) g²
/// p = p (1 - LR WEIGHT_DECAY)                  (where the mask says so)
/// p = p - LR (m BIAS1) / (sqrt(v BIAS2) + EPS)
/// ```
///
/// Inputs: hyper, norm `(1)`, decay mask u32 (bit i is for floats `64 i..64 (i + 1)`), then of equal shapes parameters,
/// gradient, m and v (all updated). Outputs: these four. If the norm is not finite only the gradient is zeroed.
#[derive(Debug, Clone)]
pub struct AdamW;

impl Op for AdamW {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[7])?;
        want_hyper(inputs[0])?;
        want_shape(inputs[1], &[1], "norm")?;
        let slab = inputs[3];
        want_shape(inputs[2], &[slab.len().div_ceil(BLOCK).div_ceil(32)], "the decay mask")?;
        if inputs[2].dtype != DType::U32 {
            return Err(Message::uncoded("the decay mask must be u32"));
        }
        for (meta, what) in inputs[4..].iter().zip(["the gradient", "m", "v"]) {
            want_shape(meta, &slab.shape, what)?;
        }
        Ok(vec![slab.clone(); 4])
    }

    fn updates(&self) -> &[(usize, usize)] {
        &[(0, 3), (1, 4), (2, 5), (3, 6)]
    }

    fn commits(&self) -> bool {
        true
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let len = s.inputs[3].len();
        let k = Kernel::new("adamw", wgsl!("adamw"))
            .include(wgsl!("common/hyper"))
            .read("hyper", Elem::U32, 0)
            // As bits: shader compilers may assume that floats are finite.
            .read("norm", Elem::U32, 1)
            .read("decay", Elem::U32, 2)
            .write("param", Elem::F32, 0)
            .write("grad", Elem::F32, 1)
            .write("m", Elem::F32, 2)
            .write("v", Elem::F32, 3)
            .constant("LEN", len)
            .grid_1d(len.div_ceil(64));
        vec![k]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        row_tasks(s.inputs[3].len(), 2)
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let range = task_rows(args.shapes().inputs[3].len(), 2, task);
        let (words, norm, mask) = (args.u32(0), args.f32(1)[0], args.u32(2));
        let grad = &mut args.out_f32(1)[range.clone()];
        if !norm.is_finite() {
            grad.fill(0.0);
            return;
        }
        let param = &mut args.out_f32(0)[range.clone()];
        let (m, v) = (&mut args.out_f32(2)[range.clone()], &mut args.out_f32(3)[range.clone()]);
        let word = |at| hyper::float(words, at);
        let clip = word(hyper::CLIP);
        let step = AdamWStep {
            lr: word(hyper::LR),
            beta1: word(hyper::BETA1),
            beta2: word(hyper::BETA2),
            eps: word(hyper::EPS),
            bias1: word(hyper::BIAS1),
            bias2: word(hyper::BIAS2),
            clip: if clip > 0.0 && norm > clip { clip / norm } else { 1.0 },
            keep: 1.0,
        };
        let keep = 1.0 - step.lr * word(hyper::WEIGHT_DECAY);
        // Runs of blocks that all decay or all do not.
        let decays = |i: usize| mask[(range.start + i) / BLOCK / 32] >> ((range.start + i) / BLOCK % 32) & 1 == 1;
        let mut start = 0;
        while start < grad.len() {
            let decay = decays(start);
            let mut end = start + BLOCK;
            while end < grad.len() && decays(end) == decay {
                end += BLOCK;
            }
            let run = start..end.min(grad.len());
            let step = AdamWStep { keep: if decay { keep } else { 1.0 }, ..step };
            let (p, g) = (&mut param[run.clone()], &mut grad[run.clone()]);
            vecops::adamw(step, p, g, &mut m[run.clone()], &mut v[run]);
            start = end;
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        14 * s.inputs[3].len() as u64
    }
}
