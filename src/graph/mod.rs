//! A model is a static graph of named tensors; plans are compiled from it and executed by a backend.
//!
//! [`Graph`] is the builder: every op is added by [`Graph::apply`], which runs the op's shape rule at once, so a wrong
//! shape is reported where it is built and by tensor name. Nothing here knows any op by name: ops implement [`Op`].

mod autodiff;
mod describe;
mod fuse;
mod kernel;
mod layout;
mod op;
mod plan;
mod run;
mod verify;

#[cfg(feature = "train")]
pub use autodiff::differentiate;
pub use autodiff::{Backward, Sums, gradient_name};
pub use kernel::{Access, Arg, Binding, Const, Elem, Kernel, Target};
pub(crate) use layout::total;
pub use layout::{Buf, COMPANIONS, Layout, Loc, Piece, SLAB_BYTES, SlabSet, rows_name, slab_name, split_rows};
pub(crate) use op::RawSlice;
pub use op::{Absorb, CpuArgs, Fused, Op, Shapes};
pub use plan::{Plan, PlanTensor, Step, pool_slots};
pub use run::{Advance, RunId};
pub use verify::{Limits, verify};

use crate::error::{Error, Result};
use crate::message::{Message, message, shown};
use std::sync::Arc;

/// Element type of a tensor; both kinds are four bytes wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DType {
    /// 32-bit float.
    F32,
    /// 32-bit unsigned integer (token ids, positions, counters).
    U32,
}

/// Where a tensor lives and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Storage {
    /// A weight: lives in the parameter slabs.
    Param,
    /// Survives between runs and is changed by ops: KV cache, decode control block, Adam moments.
    State,
    /// Written by the host before a run: token ids, step scalars, gates.
    Input,
    /// Lives within one run, from its producer to its last reader.
    Temp,
}

/// Index of a tensor in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TensorId(pub usize);

/// Element type and shape: what a shape rule computes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Element type.
    pub dtype: DType,
    /// Extents, outermost first; row-major and contiguous.
    pub shape: Vec<usize>,
}

impl Meta {
    /// An f32 tensor of this shape.
    pub fn f32(shape: &[usize]) -> Self {
        Self { dtype: DType::F32, shape: shape.to_vec() }
    }

    /// A u32 tensor of this shape.
    pub fn u32(shape: &[usize]) -> Self {
        Self { dtype: DType::U32, shape: shape.to_vec() }
    }

    /// Number of elements; the largest `usize` where there are more, so that what is too large never looks small.
    pub fn len(&self) -> usize {
        self.shape.iter().fold(1, |n: usize, &extent| n.saturating_mul(extent))
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Size in bytes, bounded like [`Meta::len`].
    pub fn bytes(&self) -> usize {
        self.len().saturating_mul(4)
    }
}

/// A named tensor of a graph.
#[derive(Debug, Clone)]
pub struct Tensor {
    /// Name, unique in the graph: HF names for parameters, `h.3.attn.qkv` and the like for the rest.
    pub name: String,
    /// Element type and shape.
    pub meta: Meta,
    /// Where it lives.
    pub storage: Storage,
    /// The tensor whose storage this one updates, if an op wrote it in place.
    pub updates: Option<TensorId>,
}

/// An op applied to tensors.
#[derive(Debug, Clone)]
pub struct Node {
    /// The op with its parameters.
    pub op: Arc<dyn Op>,
    /// Tensors read, in the op's order.
    pub inputs: Vec<TensorId>,
    /// Tensors written, in the op's order.
    pub outputs: Vec<TensorId>,
}

/// A static graph of named tensors, built once per plan kind.
#[derive(Debug, Default, Clone)]
pub struct Graph {
    /// All tensors; a [`TensorId`] indexes this.
    pub tensors: Vec<Tensor>,
    /// All nodes, in an order in which they can run.
    pub nodes: Vec<Node>,
    /// Tensors that must survive the run to be read by the host.
    pub captures: Vec<TensorId>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    fn leaf(&mut self, name: &str, meta: Meta, storage: Storage) -> TensorId {
        if let Some(found) = self.find(name) {
            return found;
        }
        self.tensors.push(Tensor { name: name.to_string(), meta, storage, updates: None });
        TensorId(self.tensors.len() - 1)
    }

    /// A weight of this name; asking twice gives the same tensor (a tied head reads `wte.weight`).
    pub fn param(&mut self, name: &str, shape: &[usize]) -> TensorId {
        self.leaf(name, Meta::f32(shape), Storage::Param)
    }

    /// A tensor that survives between runs.
    pub fn state(&mut self, name: &str, meta: Meta) -> TensorId {
        self.leaf(name, meta, Storage::State)
    }

    /// A tensor that the host writes before a run.
    pub fn input(&mut self, name: &str, meta: Meta) -> TensorId {
        self.leaf(name, meta, Storage::Input)
    }

    /// Applies an op with one output, which gets `name`.
    ///
    /// # Errors
    /// [`Error::Graph`], naming the op and its input tensors, when the shape rule refuses them or the name is taken.
    pub fn apply1(&mut self, name: &str, op: impl Op + 'static, inputs: &[TensorId]) -> Result<TensorId> {
        let outputs = self.apply(&[name], Arc::new(op), inputs)?;
        Ok(outputs[0])
    }

    /// Applies an op; its outputs get `names`, in the op's order.
    ///
    /// # Errors
    /// [`Error::Graph`], naming the op and its input tensors, when the shape rule refuses them or a name is taken.
    pub fn apply(&mut self, names: &[&str], op: Arc<dyn Op>, inputs: &[TensorId]) -> Result<Vec<TensorId>> {
        let metas: Vec<&Meta> = inputs.iter().map(|&t| &self.tensors[t.0].meta).collect();
        let outputs = op.infer(&metas).map_err(|reason| {
            let given: Vec<String> = inputs.iter().map(|&t| self.label(t)).collect();
            Error::Graph(message!(
                "graph.op",
                "{op} for {names} cannot take ({given}): {cause}",
                op = op.name(),
                names = shown(&names),
                given = given.join(", "),
                cause = reason
            ))
        })?;
        if outputs.len() != names.len() {
            let (op, want, got) = (op.name(), outputs.len(), names.len());
            return Err(Error::Graph(Message::uncoded(format!(
                "{op} has {want} outputs, but {got} names were given: {names:?}"
            ))));
        }
        let mut ids = Vec::with_capacity(outputs.len());
        for (o, meta) in outputs.into_iter().enumerate() {
            if self.find(names[o]).is_some() {
                return Err(Error::Graph(Message::uncoded(format!(
                    "two tensors would be named {:?}; give one another name",
                    names[o]
                ))));
            }
            let target = op.updates().iter().find(|u| u.0 == o).map(|u| inputs[u.1]);
            let storage = target.map_or(Storage::Temp, |t| self.tensors[t.0].storage);
            self.tensors.push(Tensor { name: names[o].to_string(), meta, storage, updates: target });
            ids.push(TensorId(self.tensors.len() - 1));
        }
        self.nodes.push(Node { op, inputs: inputs.to_vec(), outputs: ids.clone() });
        Ok(ids)
    }

    /// The tensor of this name.
    pub fn find(&self, name: &str) -> Option<TensorId> {
        self.tensors.iter().position(|t| t.name == name).map(TensorId)
    }

    /// The tensor of this id.
    pub fn tensor(&self, id: TensorId) -> &Tensor {
        &self.tensors[id.0]
    }

    /// Extents of a tensor.
    pub fn shape(&self, id: TensorId) -> &[usize] {
        &self.tensors[id.0].meta.shape
    }

    /// `name (2, 3)`: how messages call a tensor.
    pub fn label(&self, id: TensorId) -> String {
        let t = self.tensor(id);
        let dims: Vec<String> = t.meta.shape.iter().map(usize::to_string).collect();
        format!("{} ({})", t.name, dims.join(", "))
    }

    /// Marks a tensor to be kept until the end of the run, so that the host can read it.
    ///
    /// # Errors
    /// [`Error::Graph`] with the names that exist, when there is no such tensor.
    pub fn capture(&mut self, name: &str) -> Result<TensorId> {
        let id = self.find(name).ok_or_else(|| {
            let names: Vec<&str> =
                self.tensors.iter().filter(|t| t.storage == Storage::Temp).map(|t| t.name.as_str()).collect();
            Error::Graph(Message::uncoded(format!(
                "there is no tensor named {name:?} to capture; there are: {}",
                names.join(", ")
            )))
        })?;
        if !self.captures.contains(&id) {
            self.captures.push(id);
        }
        Ok(id)
    }

    /// How often each tensor is read, captures counted as one read.
    pub(crate) fn readers(&self) -> Vec<usize> {
        let mut count = vec![0; self.tensors.len()];
        for &t in self.nodes.iter().flat_map(|n| &n.inputs).chain(&self.captures) {
            count[t.0] += 1;
        }
        count
    }
}
