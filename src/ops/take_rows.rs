//! Reading rows back that were kept.

use super::{dims2, want_inputs, wgsl};
use crate::graph::{CpuArgs, DType, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// Rows `pos0..pos0 + n` of what [`StoreRows`](super::StoreRows) kept.
///
/// Inputs: kept `(rows, W)`, step `[pos0, n, …]`. Output `(T, W)`; rows `t >= n` are zeros.
#[derive(Debug, Clone)]
pub struct TakeRows {
    /// Rows of the output, T.
    pub rows: usize,
}

impl Op for TakeRows {
    fn name(&self) -> &'static str {
        "take_rows"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[2])?;
        let (_, w) = dims2(inputs[0], "kept")?;
        if inputs[1].dtype != DType::U32 || inputs[1].len() < 2 {
            return Err(Message::uncoded("step must be u32 [pos0, n, …]"));
        }
        Ok(vec![Meta::f32(&[self.rows, w])])
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let (rows, w) = (s.input(0, 0), s.input(0, 1));
        let k = Kernel::new("take_rows", wgsl!("take_rows"))
            .read("kept", Elem::F32, 0)
            .read("step", Elem::U32, 1)
            .write("y", Elem::F32, 0)
            .constant("T", self.rows)
            .constant("ROWS", rows)
            .constant("W", w)
            .grid_1d((self.rows * w).div_ceil(64));
        vec![k]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let (rows, w) = (args.shapes().input(0, 0), args.shapes().input(0, 1));
        let (kept, step) = (args.f32(0), args.u32(1));
        let (pos0, n) = (step[0] as usize, step[1] as usize);
        for (t, y) in args.out_f32(0).chunks_exact_mut(w).enumerate() {
            if t < n && pos0 + t < rows {
                y.copy_from_slice(&kept[(pos0 + t) * w..][..w]);
            } else {
                y.fill(0.0);
            }
        }
    }
}
