//! Sampling on the device: what follows the logits in a decode step, in one dispatch.

mod cpu;
#[cfg(test)]
mod tests;
mod threefry;
mod words;

pub(crate) use cpu::odds;
pub(super) use threefry::threefry_block;
pub use words::{control, settings};

use super::score::LOGIT_MAX;
use super::{dims2, want_inputs, want_shape, wgsl};
use crate::graph::{CpuArgs, DType, Elem, Kernel, Meta, Op, Shapes, Target};
use crate::message::Message;

/// Probability 1 in the integers in which top-p counts.
const FIXED_ONE: f32 = 2_147_483_648.0;

/// Chooses the next token and advances the control block.
///
/// Inputs: logits `(1, V)`, `settings`, `control` (updated), history `(n_ctx)` (updated: the token at each position).
/// Outputs: control, history, and the adjusted logits `(1, V)`: after repetition penalty and temperature, before any
/// cut-off. With the temperatures and penalties that
/// [`SamplingParams::validate`](crate::sample::SamplingParams::validate) lets through they stay finite. Where a logit is not
/// [`usable`](super::usable), be it one that the options would rule out, nothing is sampled: the generation ends with
/// [`control::FINISH_OVERFLOW`], and the adjusted logits are zeros.
///
/// Order and meaning are Hugging Face's: repetition penalty on every token of `history[..=pos]`, temperature, top-k (ties
/// with the k-th are kept), top-p over what top-k left (the smallest set that reaches p), min-p. Then the Gumbel-max
/// trick with a counter-based generator, ties to the lowest id.
#[derive(Debug, Clone)]
pub struct Sample;

impl Op for Sample {
    fn name(&self) -> &'static str {
        "sample"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[4])?;
        let (rows, v) = dims2(inputs[0], "logits")?;
        if rows != 1 {
            return Err(Message::uncoded(format!("logits must be one row, not {rows}")));
        }
        want_shape(inputs[1], &[settings::WORDS], "settings")?;
        want_shape(inputs[2], &[control::WORDS], "control")?;
        if inputs[3].is_empty() || inputs[1..].iter().any(|m| m.dtype != DType::U32) {
            return Err(Message::uncoded("settings, control and history must be u32 and not empty"));
        }
        Ok(vec![inputs[2].clone(), inputs[3].clone(), Meta::f32(&[1, v])])
    }

    fn updates(&self) -> &[(usize, usize)] {
        &[(0, 2), (1, 3)]
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let threads = match target {
            Target::Hardware => 256u32,
            // One SIMD register of invocations: what SwiftShader runs at once.
            Target::Software => 4,
        };
        let k = Kernel::new("sample", wgsl!("sample"))
            .include(wgsl!("common/logit"))
            .include(wgsl!("common/threefry"))
            .include(wgsl!("common/pick"))
            .read("logits", Elem::F32, 0)
            .read("settings", Elem::U32, 1)
            .write("control", Elem::U32, 0)
            .write("history", Elem::U32, 1)
            .write("adjusted", Elem::F32, 2)
            .constant("V", s.input(0, 1))
            .constant("CTX", s.inputs[3].len())
            .constant("THREADS", threads)
            .constant("LOGIT_MAX", LOGIT_MAX)
            .constant("FINISH_OVERFLOW", control::FINISH_OVERFLOW)
            .constant("FIXED_ONE", FIXED_ONE)
            .constant("RING_START", control::RING_START)
            .constant("RING", control::RING)
            .constant("RECORD", control::RECORD)
            .constant("TOP", control::TOP);
        vec![k]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let (logits, settings) = (args.f32(0), args.u32(1));
        cpu::sample(logits, settings, args.out_u32(0), args.out_u32(1), args.out_f32(2));
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        20 * s.inputs[0].len() as u64
    }
}
