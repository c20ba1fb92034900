//! Dropout, and its own gradient.

use super::hyper::{self, want_hyper};
use super::sample::threefry_block;
use super::tasks::{row_tasks, task_rows};
use super::{want_inputs, wgsl};
use crate::error::Result;
use crate::graph::{Backward, CpuArgs, Elem, Kernel, Meta, Node, Op, Shapes, Target};
use crate::message::Message;

/// `y = x / (1 - p)` where an element is kept, else 0 (Srivastava et al. 2014). Applied to d_y with the same `salt` it is
/// the gradient.
///
/// Inputs: x, hyper. Output: y, of x's shape. Elements 2 i and 2 i + 1 are dropped if the first and the second word of
/// Threefry-2x32 with key `(SEED_LOW, SEED_HIGH ^ salt)` and counter `(i, 65536 STEP + MICRO)` are below `p 2^32`: the
/// same ones on CPU and GPU, in the forward and in the backward pass.
#[derive(Debug, Clone)]
pub struct Dropout {
    /// Probability of dropping an element, from 0 to below 1.
    pub p: f32,
    /// Tells the dropouts of a model apart.
    pub salt: u32,
}

impl Dropout {
    /// An element is dropped if its random word is below this.
    fn threshold(&self) -> u32 {
        (f64::from(self.p) * 4_294_967_296.0) as u32
    }

    /// By what the kept elements are multiplied.
    fn scale(&self) -> f32 {
        (1.0 / (1.0 - f64::from(self.p))) as f32
    }
}

impl Op for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[2])?;
        want_hyper(inputs[1])?;
        if !(0.0..1.0).contains(&self.p) {
            return Err(Message::uncoded(format!("the probability must be from 0 to below 1, not {}", self.p)));
        }
        Ok(vec![Meta::f32(&inputs[0].shape)])
    }

    #[cfg(feature = "train")]
    fn backward(&self, g: &mut Backward<'_>, node: &Node) -> Result<()> {
        let (x, hyper, dy) = (node.inputs[0], node.inputs[1], g.of_output(node)?);
        let d = g.graph.apply1(&g.name(x), self.clone(), &[dy, hyper])?;
        g.add(x, d)
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let len = s.inputs[0].len();
        let k = Kernel::new("dropout", wgsl!("dropout"))
            .include(wgsl!("common/hyper"))
            .include(wgsl!("common/threefry"))
            .read("x", Elem::F32, 0)
            .read("hyper", Elem::U32, 1)
            .write("y", Elem::F32, 0)
            .constant("LEN", len)
            .constant("SALT", self.salt)
            .constant("THRESHOLD", self.threshold())
            .constant("SCALE", self.scale())
            .grid_1d(len.div_ceil(128));
        vec![k]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        row_tasks(s.inputs[0].len(), 4)
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        // Tasks begin at a multiple of the block below, since they are a power of two long.
        let range = task_rows(args.shapes().inputs[0].len(), 4, task);
        let words = args.u32(1);
        let key = [words[hyper::SEED_LOW], words[hyper::SEED_HIGH] ^ self.salt];
        let counter = words[hyper::STEP].wrapping_mul(65_536).wrapping_add(words[hyper::MICRO]);
        let (threshold, scale) = (self.threshold(), self.scale());
        let (x, y) = (&args.f32(0)[range.clone()], &mut args.out_f32(0)[range.clone()]);
        let mut random = [0; 2 * BLOCK];
        for (i, (x, y)) in x.chunks(2 * BLOCK).zip(y.chunks_mut(2 * BLOCK)).enumerate() {
            threefry_block::<BLOCK>(key, (range.start / 2 + i * BLOCK) as u32, counter, &mut random);
            for ((y, x), &r) in y.iter_mut().zip(x).zip(&random) {
                *y = if r < threshold { 0.0 } else { x * scale };
            }
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        40 * s.outputs[0].len() as u64
    }
}

/// Counters worked on at a time, so that the compiler can use vectors.
const BLOCK: usize = 8;
