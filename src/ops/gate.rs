//! Switching heads and MLPs on and off.

use super::tasks::{row_tasks, task_rows};
use super::{dims2, want_inputs, wgsl};
use crate::graph::{CpuArgs, DType, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// `y[t, c] = gates[first + c / (C / groups)] x[t, c]`: a factor for each of `groups` equal groups of columns, which the
/// host writes (Michel et al. 2019: masked heads).
///
/// Inputs: x `(T, C)`, gates (at least `first + groups` floats). Output: `(T, C)`.
#[derive(Debug, Clone)]
pub struct Gate {
    /// Index of the first group's gate.
    pub first: usize,
    /// Number of groups: the heads, or 1 for a whole MLP.
    pub groups: usize,
}

impl Op for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[2])?;
        let (_, c) = dims2(inputs[0], "x")?;
        if self.groups == 0 || !c.is_multiple_of(self.groups) {
            return Err(Message::uncoded(format!("{c} columns are not {} equal groups", self.groups)));
        }
        if inputs[1].dtype != DType::F32 || inputs[1].len() < self.first + self.groups {
            return Err(Message::uncoded(format!("gates must hold {} floats", self.first + self.groups)));
        }
        Ok(vec![inputs[0].clone()])
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let (len, c) = (s.inputs[0].len(), s.input(0, 1));
        let k = Kernel::new("gate", wgsl!("gate"))
            .read("x", Elem::F32, 0)
            .read("gates", Elem::F32, 1)
            .write("y", Elem::F32, 0)
            .constant("LEN", len)
            .constant("C", c)
            .constant("FIRST", self.first)
            .constant("WIDTH", c / self.groups)
            .grid_1d(len.div_ceil(64));
        vec![k]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        row_tasks(s.input(0, 0), s.input(0, 1))
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let (rows, c) = (args.shapes().input(0, 0), args.shapes().input(0, 1));
        let range = task_rows(rows, c, task);
        let gates = &args.f32(1)[self.first..][..self.groups];
        let width = c / self.groups;
        let x = &args.f32(0)[range.start * c..range.end * c];
        let y = &mut args.out_f32(0)[range.start * c..range.end * c];
        for (i, (y, x)) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)).enumerate() {
            let gate = gates[i % self.groups];
            y.iter_mut().zip(x).for_each(|(y, x)| *y = gate * x);
        }
    }
}
