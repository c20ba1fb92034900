//! Learned position embedding.

use super::{PositionEmbeddingBackward, dims2, want_inputs, wgsl};
use crate::error::Result;
use crate::graph::{Backward, CpuArgs, DType, Elem, Kernel, Meta, Node, Op, Shapes, Target};
use crate::message::Message;

/// `y[t] = x[t] + table[pos0 + t % seq]`, rows `t >= n` copied unchanged. In a batch, sequences of `seq` rows follow one
/// another; else `seq` is T.
///
/// Inputs: step `[pos0, n, …]`, x `(T, C)`, table `(n_ctx, C)`. Output `(T, C)`.
#[derive(Debug, Clone)]
pub struct PositionEmbedding {
    /// Rows of one sequence.
    pub seq: usize,
}

impl Op for PositionEmbedding {
    fn name(&self) -> &'static str {
        "position_embedding"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[3])?;
        let (t, c) = dims2(inputs[1], "x")?;
        let (_, width) = dims2(inputs[2], "table")?;
        if inputs[0].dtype != DType::U32 || inputs[0].len() < 2 {
            return Err(Message::uncoded("step must hold at least two u32"));
        }
        if self.seq == 0 || t % self.seq != 0 {
            return Err(Message::uncoded(format!("{t} rows are no whole number of sequences of {}", self.seq)));
        }
        if width != c {
            return Err(Message::uncoded(format!("x has {c} columns, but the table {width}")));
        }
        Ok(vec![Meta::f32(&[t, c])])
    }

    #[cfg(feature = "train")]
    fn backward(&self, g: &mut Backward<'_>, node: &Node) -> Result<()> {
        let (x, table, dy) = (node.inputs[1], node.inputs[2], g.of_output(node)?);
        if g.wants(table) {
            let old = g.parameter(table);
            let op = PositionEmbeddingBackward { seq: self.seq };
            let new = g.graph.apply1(&g.version(table), op, &[dy, old])?;
            g.set_parameter(table, new);
        }
        g.add(x, dy)
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let (rows, c) = (s.input(1, 0), s.input(1, 1));
        let k = Kernel::new("position_embedding", wgsl!("position_embedding"))
            .read("step", Elem::U32, 0)
            .read("x", Elem::F32, 1)
            .read("table", Elem::F32, 2)
            .write("y", Elem::F32, 0)
            .constant("ROWS", rows)
            .constant("C", c)
            .constant("SEQ", self.seq)
            .constant("TABLE_ROWS", s.input(2, 0))
            .grid_1d((rows * c).div_ceil(64));
        vec![k]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let (table_rows, c) = (args.shapes().input(2, 0), args.shapes().input(1, 1));
        let (step, x, table) = (args.u32(0), args.f32(1), args.f32(2));
        let (pos0, n) = (step[0] as usize, step[1] as usize);
        for (t, y) in args.out_f32(0).chunks_exact_mut(c).enumerate() {
            y.copy_from_slice(&x[t * c..][..c]);
            let position = pos0 + t % self.seq;
            if t < n && position < table_rows {
                y.iter_mut().zip(&table[position * c..][..c]).for_each(|(y, p)| *y += p);
            }
        }
    }
}
