//! Which attention probabilities are dropped.

use super::hyper::{self, want_hyper};
use super::sample::threefry_block;
use super::tasks::{row_tasks, task_rows};
use super::{want_inputs, wgsl};
use crate::graph::{CpuArgs, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// Probabilities whose bits share a word.
const BITS: usize = 32;

/// The dropout mask of causal attention (Srivastava et al. 2014, on the probabilities as in GPT-2's `attn_pdrop`), one bit
/// for each: 1 is kept. Drawn once a step and read by the forward and the backward pass.
///
/// Input: hyper. Output: u32 `(heads seq, ceil(seq / 32))`; bit `j % 32` of word `j / 32` of row `head seq + t` belongs to
/// the probability of key j for query t. Words that lie wholly behind the query, which sees none of their keys, are 0.
/// Word w takes the 32 halves (low first) of what Threefry-2x32 gives for the key `(SEED_LOW, SEED_HIGH ^ salt)` and the
/// counters `(8 w.., 65536 STEP + MICRO)`; a probability is dropped if its half is below [`DropoutMask::threshold`].
#[derive(Debug, Clone)]
pub struct DropoutMask {
    /// Heads of all sequences together.
    pub heads: usize,
    /// Positions of each sequence, T.
    pub seq: usize,
    /// Probability of dropping, from 0 to below 1; rounded to 1 / 65536.
    pub p: f32,
    /// Tells the masks of a model apart.
    pub salt: u32,
}

impl DropoutMask {
    /// Halves of a random word below this, of 65536, are dropped.
    pub fn threshold(p: f32) -> u32 {
        ((f64::from(p) * 65_536.0).round() as u32).min(65_535)
    }

    /// By what kept probabilities are multiplied: their expectation stays what it was, also after rounding p.
    pub fn scale(p: f32) -> f32 {
        (65_536.0 / f64::from(65_536 - Self::threshold(p))) as f32
    }

    /// Refuses what is no probability of dropping.
    pub(super) fn check(p: f32) -> Result<(), Message> {
        if (0.0..1.0).contains(&p) {
            return Ok(());
        }
        Err(Message::uncoded(format!("the probability of dropping must be from 0 to below 1, not {p}")))
    }

    /// Meta of a mask.
    pub(super) fn meta(heads: usize, seq: usize) -> Meta {
        Meta::u32(&[heads * seq, seq.div_ceil(BITS)])
    }
}

impl Op for DropoutMask {
    fn name(&self) -> &'static str {
        "dropout_mask"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[1])?;
        want_hyper(inputs[0])?;
        Self::check(self.p)?;
        if self.heads == 0 || self.seq == 0 {
            return Err(Message::uncoded("a mask needs at least one head and one position"));
        }
        Ok(vec![Self::meta(self.heads, self.seq)])
    }

    fn kernels(&self, s: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        let len = s.outputs[0].len();
        let k = Kernel::new("dropout_mask", wgsl!("dropout_mask"))
            .include(wgsl!("common/hyper"))
            .include(wgsl!("common/threefry"))
            .read("hyper", Elem::U32, 0)
            .write("mask", Elem::U32, 0)
            .constant("LEN", len)
            .constant("T", self.seq)
            .constant("WORDS", self.seq.div_ceil(BITS))
            .constant("SALT", self.salt)
            .constant("THRESHOLD", Self::threshold(self.p))
            .grid_1d(len.div_ceil(64));
        vec![k]
    }

    fn cpu_tasks(&self, _s: Shapes<'_>) -> usize {
        row_tasks(self.heads * self.seq, 2 * self.seq)
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let (hyper, mask) = (args.u32(0), args.out_u32(0));
        let key = [hyper[hyper::SEED_LOW], hyper[hyper::SEED_HIGH] ^ self.salt];
        let counter = hyper[hyper::STEP].wrapping_mul(65_536).wrapping_add(hyper[hyper::MICRO]);
        let (words, threshold) = (self.seq.div_ceil(BITS), Self::threshold(self.p));
        let mut random = [0; BITS / 2];
        for row in task_rows(self.heads * self.seq, 2 * self.seq, task) {
            for (i, word) in mask[row * words..][..words].iter_mut().enumerate() {
                *word = 0;
                if i * BITS <= row % self.seq {
                    threefry_block::<8>(key, 8 * (row * words + i) as u32, counter, &mut random);
                    for (pair, r) in random.iter().enumerate() {
                        let (low, high) = (r & 0xFFFF >= threshold, r >> 16 >= threshold);
                        *word |= (u32::from(low) | u32::from(high) << 1) << (2 * pair);
                    }
                }
            }
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        // Half of the square, twenty rounds for four bits.
        400 * s.outputs[0].len() as u64
    }
}
