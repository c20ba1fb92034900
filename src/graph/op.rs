//! What an op must say of itself: shape rule, GPU dispatches, CPU twin.

use super::autodiff::Backward;
use super::{DType, Graph, Kernel, Meta, Node, Target, TensorId};
use crate::cpu::gemm::Scratch;
use crate::error::Error;
use crate::message::Message;
use std::fmt;
use std::sync::Arc;

/// Shapes of the tensors of one op application.
#[derive(Debug, Clone, Copy)]
pub struct Shapes<'a> {
    /// Inputs, in the op's order.
    pub inputs: &'a [&'a Meta],
    /// Outputs, in the op's order.
    pub outputs: &'a [&'a Meta],
}

impl Shapes<'_> {
    /// Extent `dim` of input `i`.
    pub fn input(&self, i: usize, dim: usize) -> usize {
        self.inputs[i].shape[dim]
    }

    /// Extent `dim` of output `o`.
    pub fn output(&self, o: usize, dim: usize) -> usize {
        self.outputs[o].shape[dim]
    }
}

/// A producer and its only consumer, merged.
pub struct Fused {
    /// The op that does the work of both.
    pub op: Arc<dyn Op>,
    /// Its inputs.
    pub inputs: Vec<TensorId>,
    /// Its outputs.
    pub outputs: Vec<TensorId>,
}

/// One operation with its parameters. An op is one file: this trait's answers, its shader and its CPU twin.
pub trait Op: fmt::Debug + Send + Sync {
    /// The op's name, which is also its shader's file name and its label on the GPU.
    fn name(&self) -> &'static str;

    /// The shape rule: outputs from inputs.
    ///
    /// # Errors
    /// A sentence that says which extent does not fit; the graph adds the names.
    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message>;

    /// Pairs (output, input) that share storage because the op changes the input in place (a KV cache). Such an op
    /// touches that storage only through the output.
    fn updates(&self) -> &[(usize, usize)] {
        &[]
    }

    /// Merges `own`, a node of this op, with `next`, the only reader of its output `link`; `None` if it cannot. The
    /// merged node takes `next`'s place.
    fn fuse(&self, _graph: &Graph, _own: &Node, _next: &Node, _link: TensorId) -> Option<Fused> {
        None
    }

    /// For fusion: what kind of step this is to a producer that could absorb it.
    fn absorbable(&self) -> Option<Absorb> {
        None
    }

    /// The gradient rule: contributes to the gradients of `node`'s inputs, given those of its outputs.
    ///
    /// # Errors
    /// [`Error::Graph`](crate::error::Error::Graph) where the op has none, or shapes do not fit.
    #[cfg(feature = "train")]
    fn backward(&self, _g: &mut Backward<'_>, node: &Node) -> Result<(), Error> {
        Err(Error::Graph(Message::uncoded(format!("{} has no gradient rule (for {:?})", self.name(), node.outputs))))
    }

    /// Whether the op changes weights: once the first such op of a plan has begun, the rest of the run must not be
    /// interrupted, or the weights would be half one step's and half another's.
    fn commits(&self) -> bool {
        false
    }

    /// The GPU dispatches, in order; usually one.
    fn kernels(&self, shapes: Shapes<'_>, target: Target) -> Vec<Kernel>;

    /// Into how many pieces the CPU twin's work falls; each should take a few milliseconds at most, so that a run can
    /// be interrupted between them.
    fn cpu_tasks(&self, _shapes: Shapes<'_>) -> usize {
        1
    }

    /// The CPU twin: does piece `task` of the work.
    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize);

    /// Floating-point operations of one application, for reports and for sizing submits.
    fn flops(&self, shapes: Shapes<'_>) -> u64 {
        shapes.outputs.iter().map(|m| m.len() as u64).sum()
    }
}

/// Steps that a matmul can take into its epilogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Absorb {
    /// An element-wise activation.
    Activation(crate::config::Activation),
    /// `a + b` of equal shapes.
    Add,
    /// `a += b`, in place.
    Accumulate,
    /// Attention over a KV cache with this many heads.
    Attention {
        /// Number of heads.
        n_head: usize,
    },
}

/// A range of memory that an op's CPU twin may touch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawSlice {
    pub ptr: *mut u32,
    pub len: usize,
    pub dtype: DType,
}

/// The tensors of one op application on the CPU.
///
/// The executor hands out slices that do not overlap where one of them is written: the plan verifier has checked it.
pub struct CpuArgs<'a> {
    pub(crate) inputs: &'a [RawSlice],
    pub(crate) outputs: &'a [RawSlice],
    pub(crate) shapes: Shapes<'a>,
    pub(crate) scratch: &'a mut Scratch,
}

impl<'a> CpuArgs<'a> {
    /// Shapes of inputs and outputs.
    pub fn shapes(&self) -> Shapes<'a> {
        self.shapes
    }

    /// Input `i` as floats.
    pub fn f32(&self, i: usize) -> &'a [f32] {
        let s = self.inputs[i];
        assert_eq!(s.dtype, DType::F32, "input {i} is not f32");
        // SAFETY: the executor made this range from a live buffer of that length, four-byte aligned, any bit pattern is
        // a valid f32, and the verifier showed that no output of this step overlaps it.
        unsafe { std::slice::from_raw_parts(s.ptr.cast(), s.len) }
    }

    /// Input `i` as unsigned integers.
    pub fn u32(&self, i: usize) -> &'a [u32] {
        let s = self.inputs[i];
        assert_eq!(s.dtype, DType::U32, "input {i} is not u32");
        // SAFETY: as in `f32`.
        unsafe { std::slice::from_raw_parts(s.ptr, s.len) }
    }

    /// Output `o` as floats, to be written. An updated tensor holds its old values.
    pub fn out_f32(&mut self, o: usize) -> &'a mut [f32] {
        let s = self.outputs[o];
        assert_eq!(s.dtype, DType::F32, "output {o} is not f32");
        // SAFETY: as in `f32`; outputs of one step do not overlap each other either, and an op asks for each once.
        unsafe { std::slice::from_raw_parts_mut(s.ptr.cast(), s.len) }
    }

    /// Output `o` as unsigned integers, to be written.
    pub fn out_u32(&mut self, o: usize) -> &'a mut [u32] {
        let s = self.outputs[o];
        assert_eq!(s.dtype, DType::U32, "output {o} is not u32");
        // SAFETY: as in `out_f32`.
        unsafe { std::slice::from_raw_parts_mut(s.ptr, s.len) }
    }

    /// Reusable work space, with undefined contents.
    pub fn scratch(&mut self) -> &mut Scratch {
        self.scratch
    }
}
