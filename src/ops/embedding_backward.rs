//! Gradient of the token embedding.

use super::{STEP_IDS, dims2, want_inputs, want_shape, wgsl};
use crate::cpu::vecops;
use crate::graph::{CpuArgs, DType, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// `grad_table[ids[t] - row0] += d_y[t]` for every `t < n`, in the order of `t`, in place.
///
/// Inputs: d_y `(M, C)`, step `(2 + M)` = `[pos0, n, ids…]`, grad_table `(piece_rows, C)` (updated). Output: grad_table.
/// Ids in another piece of the table are passed over. On the GPU the rows of an id are summed by whoever has its first
/// one, so that the order is the same in every run.
#[derive(Debug, Clone)]
pub struct EmbeddingBackward {
    /// Number of ids, M.
    pub rows: usize,
    /// First id of this piece of the table.
    pub row0: usize,
}

impl Op for EmbeddingBackward {
    fn name(&self) -> &'static str {
        "embedding_backward"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[3])?;
        let (rows, c) = dims2(inputs[2], "grad_table")?;
        want_shape(inputs[0], &[self.rows, c], "d_y")?;
        if inputs[1].dtype != DType::U32 || inputs[1].len() < STEP_IDS + self.rows {
            return Err(Message::uncoded(format!("step must hold {} u32", STEP_IDS + self.rows)));
        }
        Ok(vec![Meta::f32(&[rows, c])])
    }

    fn updates(&self) -> &[(usize, usize)] {
        &[(0, 2)]
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let c = s.input(2, 1);
        let (lanes, wg_rows) = match target {
            Target::Hardware => (c.next_power_of_two().clamp(32, 128), 1),
            Target::Software => (1, 8),
        };
        let k = Kernel::new("embedding_backward", wgsl!("embedding_backward"))
            .read("d_y", Elem::F32, 0)
            .read("step", Elem::U32, 1)
            .write("grad", Elem::F32, 0)
            .constant("ROWS", self.rows)
            .constant("C", c)
            .constant("ROW0", self.row0)
            .constant("TABLE_ROWS", s.input(2, 0))
            .constant("LANES", lanes)
            .constant("WG_ROWS", wg_rows)
            .grid_1d(self.rows.div_ceil(wg_rows));
        vec![k]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let (rows, c) = (args.shapes().input(2, 0), args.shapes().input(2, 1));
        let (d_y, step, grad) = (args.f32(0), args.u32(1), args.out_f32(0));
        let n = step[1] as usize;
        for (&id, d) in step[STEP_IDS..].iter().zip(d_y.chunks_exact(c)).take(n) {
            let row = (id as usize).wrapping_sub(self.row0);
            if row < rows {
                vecops::add(&mut grad[row * c..][..c], d);
            }
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        s.inputs[0].len() as u64
    }
}
