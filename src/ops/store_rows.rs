//! Keeping rows for looking at later: queries, and the residual stream.

use super::{dims2, want_inputs, wgsl};
use crate::graph::{CpuArgs, DType, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// Copies columns `start..start + W` of `n` new rows to rows `pos0..` of a state, in place.
///
/// Inputs: kept `(rows, W)` (updated), x `(T, X)`, step `[pos0, n, …]`. Output: kept. Rows past its end are dropped.
#[derive(Debug, Clone)]
pub struct StoreRows {
    /// First column that is kept.
    pub start: usize,
}

impl Op for StoreRows {
    fn name(&self) -> &'static str {
        "store_rows"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[3])?;
        let ((_, w), (_, x)) = (dims2(inputs[0], "kept")?, dims2(inputs[1], "x")?);
        if self.start + w > x {
            return Err(Message::uncoded(format!("columns {}..{} are not in rows of {x}", self.start, self.start + w)));
        }
        if inputs[2].dtype != DType::U32 || inputs[2].len() < 2 {
            return Err(Message::uncoded("step must be u32 [pos0, n, …]"));
        }
        Ok(vec![inputs[0].clone()])
    }

    fn updates(&self) -> &[(usize, usize)] {
        &[(0, 0)]
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let (t, w) = (s.input(1, 0), s.input(0, 1));
        let k = Kernel::new("store_rows", wgsl!("store_rows"))
            .read("x", Elem::F32, 1)
            .read("step", Elem::U32, 2)
            .write("kept", Elem::F32, 0)
            .constant("T", t)
            .constant("X", s.input(1, 1))
            .constant("START", self.start)
            .constant("ROWS", s.input(0, 0))
            .constant("W", w)
            .grid_1d((t * w).div_ceil(64));
        vec![k]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let s = args.shapes();
        let (rows, w, t, x) = (s.input(0, 0), s.input(0, 1), s.input(1, 0), s.input(1, 1));
        let (values, step, kept) = (args.f32(1), args.u32(2), args.out_f32(0));
        let pos0 = (step[0] as usize).min(rows);
        let n = (step[1] as usize).min(t).min(rows - pos0);
        for (to, from) in kept[pos0 * w..(pos0 + n) * w].chunks_exact_mut(w).zip(values.chunks_exact(x)) {
            to.copy_from_slice(&from[self.start..self.start + w]);
        }
    }
}
