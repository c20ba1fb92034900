//! Token embedding.

use super::{EmbeddingBackward, STEP_IDS, dims2, want_inputs, wgsl};
use crate::error::Result;
use crate::graph::{Backward, CpuArgs, DType, Elem, Kernel, Meta, Node, Op, Shapes, Target};
use crate::message::Message;

/// Looks token ids up in a table, or in the rows `row0..` of a table that had to be cut.
///
/// Inputs: step `(2 + T)` = `[pos0, n, ids…]` (or the decode control block, of which one id is read), table
/// `(rows, C)`. Output `(T, C)`: row `t` is `table[ids[t] - row0]`; zeros where `t >= n`, or where the id lies in another
/// piece of the table, so that the pieces' outputs add up to the embedding.
#[derive(Debug, Clone)]
pub struct Embedding {
    /// Number of ids, T.
    pub rows: usize,
    /// First id of this piece of the table.
    pub row0: usize,
}

impl Op for Embedding {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[2])?;
        let (_, c) = dims2(inputs[1], "table")?;
        if inputs[0].dtype != DType::U32 || inputs[0].len() < STEP_IDS + self.rows {
            return Err(Message::uncoded(format!("step must hold {} u32", STEP_IDS + self.rows)));
        }
        Ok(vec![Meta::f32(&[self.rows, c])])
    }

    #[cfg(feature = "train")]
    fn backward(&self, g: &mut Backward<'_>, node: &Node) -> Result<()> {
        let (step, table, dy) = (node.inputs[0], node.inputs[1], g.of_output(node)?);
        let old = g.parameter(table);
        let op = EmbeddingBackward { rows: self.rows, row0: self.row0 };
        let new = g.graph.apply1(&g.version(table), op, &[dy, step, old])?;
        g.set_parameter(table, new);
        Ok(())
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let (rows, c) = (self.rows, s.input(1, 1));
        let k = Kernel::new("embedding", wgsl!("embedding"))
            .read("step", Elem::U32, 0)
            .read("table", Elem::F32, 1)
            .write("y", Elem::F32, 0)
            .constant("ROWS", rows)
            .constant("C", c)
            .constant("ROW0", self.row0)
            .constant("TABLE_ROWS", s.input(1, 0))
            .grid_1d((rows * c).div_ceil(64));
        vec![k]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let (rows, c) = (args.shapes().input(1, 0), args.shapes().input(1, 1));
        let (step, table) = (args.u32(0), args.f32(1));
        let n = step[1] as usize;
        for (t, y) in args.out_f32(0).chunks_exact_mut(c).enumerate() {
            let row = (step[STEP_IDS + t] as usize).wrapping_sub(self.row0);
            if t < n && row < rows {
                y.copy_from_slice(&table[row * c..][..c]);
            } else {
                y.fill(0.0);
            }
        }
    }
}
