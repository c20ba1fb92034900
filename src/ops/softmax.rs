//! Softmax over rows.

use super::row::by_row;
use super::{dims2, want_inputs, wgsl};
use crate::cpu::vecops;
use crate::graph::{CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// `y = exp(x - max) / sum(exp(x - max))` over each row of x `(T, C)`; NaN in a row with an element that is not finite.
#[derive(Debug, Clone)]
pub struct Softmax;

impl Op for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[1])?;
        let (t, c) = dims2(inputs[0], "x")?;
        Ok(vec![Meta::f32(&[t, c])])
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let (rows, c) = (s.input(0, 0), s.input(0, 1));
        let k = Kernel::new("softmax", wgsl!("softmax"))
            .include(wgsl!("common/finite"))
            .read("x", Elem::F32, 0)
            .write("y", Elem::F32, 0)
            .constant("C", c);
        vec![by_row(k, rows, c, target)]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let c = args.shapes().input(0, 1);
        let y = args.out_f32(0);
        y.copy_from_slice(args.f32(0));
        y.chunks_exact_mut(c).for_each(|row| {
            vecops::softmax(row);
        });
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        8 * s.outputs[0].len() as u64
    }
}
