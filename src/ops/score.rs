//! How well each position predicted its target.

use super::row::by_row;
use super::{dims2, want_inputs, want_shape, wgsl};
use crate::cpu::vecops;
use crate::graph::{CpuArgs, DType, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// Logits farther from zero than this are refused: sums, differences and what temperature and penalty make of the others stay
/// finite.
pub(super) const LOGIT_MAX: f32 = 1e30;

/// Logits that one piece of the CPU twin's work takes: a few milliseconds.
const TASK_LOGITS: usize = 1 << 20;

/// For each row of logits: `[log-probability of the target, entropy, rank of the target, log-sum-exp]`, in nats.
///
/// Inputs: logits `(T, V)`, targets `(T)` u32, `u32::MAX` for none. Output `(T, 4)`. The rank counts tokens with a greater
/// logit, or an equal one and a lower id. Without a target, log-probability and rank are 0. Where a logit of the row is not
/// [`usable`], all four are NaN.
#[derive(Debug, Clone)]
pub struct Score;

impl Op for Score {
    fn name(&self) -> &'static str {
        "score"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[2])?;
        let (t, _) = dims2(inputs[0], "logits")?;
        want_shape(inputs[1], &[t], "targets")?;
        if inputs[1].dtype != DType::U32 {
            return Err(Message::uncoded("targets must be u32"));
        }
        Ok(vec![Meta::f32(&[t, 4])])
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let (rows, v) = (s.input(0, 0), s.input(0, 1));
        let k = Kernel::new("score", wgsl!("score"))
            .include(wgsl!("common/logit"))
            .read("logits", Elem::F32, 0)
            .read("targets", Elem::U32, 1)
            // As bits: shader compilers may assume that floats are finite.
            .write("scores", Elem::U32, 0)
            .constant("V", v)
            .constant("LOGIT_MAX", LOGIT_MAX);
        vec![by_row(k, rows, v, target)]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        s.input(0, 0).div_ceil(rows_per_task(s.input(0, 1)))
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let v = args.shapes().input(0, 1);
        let rows = rows_per_task(v);
        let (logits, targets) = (args.f32(0), args.u32(1));
        let outputs = args.out_f32(0).chunks_exact_mut(4);
        for ((row, &target), out) in logits.chunks_exact(v).zip(targets).zip(outputs).skip(task * rows).take(rows) {
            if !usable(row) {
                out.fill(f32::NAN);
                continue;
            }
            let f = figures(row, target);
            out.copy_from_slice(&[f.logprob, f.entropy, f.rank as f32, f.max + f.log_sum]);
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        8 * s.inputs[0].len() as u64
    }
}

/// Rows of one piece of the CPU twin's work.
pub(super) fn rows_per_task(v: usize) -> usize {
    (TASK_LOGITS / v).max(1)
}

/// Whether logits can be computed with: none is NaN, and all are within 1e30 of zero.
pub(crate) fn usable(logits: &[f32]) -> bool {
    logits.iter().all(|x| x.abs() <= LOGIT_MAX)
}

/// The `k` largest of some logits with their ids, largest first, the lower id first among equals.
pub(super) fn largest(logits: &[f32], k: usize) -> Vec<(f32, u32)> {
    let mut top = vec![(f32::NEG_INFINITY, u32::MAX); k];
    for (id, &x) in logits.iter().enumerate() {
        if x > top[k - 1].0 {
            // Behind its equals, which have lower ids.
            let at = top.partition_point(|t| t.0 >= x);
            top[at..].rotate_right(1);
            top[at] = (x, id as u32);
        }
    }
    top
}

/// Figures of one row of logits.
pub(super) struct Figures {
    /// Log-probability of the target, or 0.
    pub logprob: f32,
    /// In nats.
    pub entropy: f32,
    /// How many tokens are likelier than the target.
    pub rank: usize,
    /// The greatest logit.
    pub max: f32,
    /// Log-sum-exp less `max`. Kept apart: added to a large `max` it would be rounded away.
    pub log_sum: f32,
}

/// Figures of one row of usable logits.
pub(super) fn figures(row: &[f32], target: u32) -> Figures {
    let max = vecops::max(row);
    let sum = vecops::sum_exp(row, max);
    let log_sum = sum.ln();
    // H = log Σ e^(x - max) - Σ e^(x - max) (x - max) / Σ e^(x - max)
    let mut weighted = 0.0;
    let mut part = [0.0; 256];
    for chunk in row.chunks(part.len()) {
        let e = &mut part[..chunk.len()];
        e.iter_mut().zip(chunk).for_each(|(e, x)| *e = x - max);
        vecops::exp(e);
        weighted += e.iter().zip(chunk).map(|(e, x)| e * (x - max)).sum::<f32>();
    }
    let entropy = log_sum - weighted / sum;
    let Some(&x) = row.get(target as usize) else { return Figures { logprob: 0.0, entropy, rank: 0, max, log_sum } };
    let before = row[..target as usize].iter().filter(|&&y| y >= x).count();
    let after = row[target as usize..].iter().filter(|&&y| y > x).count();
    Figures { logprob: x - max - log_sum, entropy, rank: before + after, max, log_sum }
}
