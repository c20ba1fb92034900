//! The likeliest tokens of each position.

use super::row::by_row;
use super::score::{LOGIT_MAX, largest, rows_per_task, usable};
use super::{dims2, want_inputs, wgsl};
use crate::graph::{CpuArgs, DType, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// The `k` largest logits of each row, largest first, the lower id first among equals. Where a logit of the row cannot be
/// computed with (see [`Score`](super::Score)), all ids are 0 and all values NaN.
///
/// Input: logits `(T, V)`, V from `k` to 2^24. Outputs: ids `(T, k)` u32, and their logits `(T, k)`.
#[derive(Debug, Clone)]
pub struct TopK {
    /// How many.
    pub k: usize,
}

impl Op for TopK {
    fn name(&self) -> &'static str {
        "top_k"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[1])?;
        let (t, v) = dims2(inputs[0], "logits")?;
        if self.k == 0 || self.k > v || v > 1 << 24 {
            return Err(Message::uncoded(format!("cannot take the {} largest of {v}", self.k)));
        }
        Ok(vec![Meta::u32(&[t, self.k]), Meta { dtype: DType::F32, shape: vec![t, self.k] }])
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let (rows, v) = (s.input(0, 0), s.input(0, 1));
        let k = Kernel::new("top_k", wgsl!("top_k"))
            .include(wgsl!("common/logit"))
            .read("logits", Elem::F32, 0)
            .write("ids", Elem::U32, 0)
            // As bits: shader compilers may assume that floats are finite.
            .write("values", Elem::U32, 1)
            .constant("V", v)
            .constant("K", self.k)
            .constant("LOGIT_MAX", LOGIT_MAX);
        vec![by_row(k, rows, v, target)]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        s.input(0, 0).div_ceil(rows_per_task(s.input(0, 1)))
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let (k, v) = (self.k, args.shapes().input(0, 1));
        let rows = rows_per_task(v);
        let outputs = args.out_u32(0).chunks_exact_mut(k).zip(args.out_f32(1).chunks_exact_mut(k));
        for (row, (ids, values)) in args.f32(0).chunks_exact(v).zip(outputs).skip(task * rows).take(rows) {
            if !usable(row) {
                ids.fill(0);
                values.fill(f32::NAN);
                continue;
            }
            let top = largest(row, k);
            for (i, (x, id)) in top.into_iter().enumerate() {
                (ids[i], values[i]) = (id, x);
            }
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        2 * s.inputs[0].len() as u64
    }
}
