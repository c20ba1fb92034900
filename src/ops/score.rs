//! How well each position predicted its target.

use super::row::by_row;
use super::{dims2, want_inputs, want_shape, wgsl};
use crate::cpu::vecops;
use crate::graph::{CpuArgs, DType, Elem, Kernel, Meta, Op, Shapes, Target};

/// For each row of logits: `[log-probability of the target, entropy, rank of the target, log-sum-exp]`, in nats.
///
/// Inputs: logits `(T, V)`, targets `(T)` u32, `u32::MAX` for none. Output `(T, 4)`. The rank counts tokens with a greater
/// logit, or an equal one and a lower id. Without a target, log-probability and rank are 0.
#[derive(Debug, Clone)]
pub struct Score;

impl Op for Score {
    fn name(&self) -> &'static str {
        "score"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, String> {
        want_inputs(inputs, &[2])?;
        let (t, _) = dims2(inputs[0], "logits")?;
        want_shape(inputs[1], &[t], "targets")?;
        if inputs[1].dtype != DType::U32 {
            return Err("targets must be u32".into());
        }
        Ok(vec![Meta::f32(&[t, 4])])
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let (rows, v) = (s.input(0, 0), s.input(0, 1));
        let k = Kernel::new("score", wgsl!("score"))
            .read("logits", Elem::F32, 0)
            .read("targets", Elem::U32, 1)
            .write("scores", Elem::F32, 0)
            .constant("V", v);
        vec![by_row(k, rows, v, target)]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let v = args.shapes().input(0, 1);
        let (logits, targets) = (args.f32(0), args.u32(1));
        for ((row, &target), out) in logits.chunks_exact(v).zip(targets).zip(args.out_f32(0).chunks_exact_mut(4)) {
            out.copy_from_slice(&score(row, target));
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        8 * s.inputs[0].len() as u64
    }
}

/// `[log-probability, entropy, rank, log-sum-exp]` of one row.
pub(super) fn score(row: &[f32], target: u32) -> [f32; 4] {
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
        // A logit of negative infinity has no part in the entropy, where 0 times infinity would be NaN.
        weighted += e.iter().zip(chunk).filter(|(e, _)| **e > 0.0).map(|(e, x)| e * (x - max)).sum::<f32>();
    }
    let entropy = log_sum - weighted / sum;
    let Some(&x) = row.get(target as usize) else { return [0.0, entropy, 0.0, max + log_sum] };
    let before = row[..target as usize].iter().filter(|&&y| y >= x).count();
    let after = row[target as usize..].iter().filter(|&&y| y > x).count();
    [x - max - log_sum, entropy, (before + after) as f32, max + log_sum]
}
