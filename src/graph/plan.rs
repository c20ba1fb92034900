//! From a graph to a plan: fused, every tensor placed, temporaries sharing slots by lifetime.

use super::fuse::{fuse, root};
use super::layout::{buffer_bytes, total};
use super::{
    Arg, Buf, Graph, Kernel, Layout, Limits, Loc, Meta, Op, Shapes, Storage, Target, Tensor, TensorId, verify,
};
use crate::error::{Error, Result};
use crate::message::{Message, message};
use std::sync::Arc;

/// A tensor of a plan with its place.
#[derive(Debug, Clone)]
pub struct PlanTensor {
    /// Its name in the graph.
    pub name: String,
    /// Element type and shape.
    pub meta: Meta,
    /// Where it lives.
    pub storage: Storage,
    /// The place, or `None` where fusion left no use of it.
    pub loc: Option<Loc>,
}

/// One op application of a plan.
#[derive(Debug, Clone)]
pub struct Step {
    /// The op.
    pub op: Arc<dyn Op>,
    /// Tensors read.
    pub inputs: Vec<TensorId>,
    /// Tensors written.
    pub outputs: Vec<TensorId>,
}

/// A compiled graph: what executors run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The plan kind with its extents, `prefill(128)` and the like.
    pub name: String,
    /// Tensors; a [`TensorId`] indexes this.
    pub tensors: Vec<PlanTensor>,
    /// Ops in order.
    pub steps: Vec<Step>,
    /// Bytes of each slot of temporaries.
    pub slots: Vec<usize>,
    /// Tensors that are still in place when the run ends.
    pub captures: Vec<TensorId>,
}

impl Plan {
    /// Compiles a graph: fuses, places every tensor, and verifies the result.
    ///
    /// # Errors
    /// [`Error::Plan`] naming the tensor that breaks a rule.
    pub fn compile(name: &str, mut graph: Graph, layout: &mut Layout, limits: &Limits) -> Result<Self> {
        fuse(&mut graph);
        check_sizes(name, &graph)?;
        let mut plan = Self {
            name: name.to_string(),
            tensors: Vec::with_capacity(graph.tensors.len()),
            steps: Vec::with_capacity(graph.nodes.len()),
            slots: Vec::new(),
            captures: graph.captures.clone(),
        };
        let used = used_tensors(&graph);
        for (i, t) in graph.tensors.iter().enumerate() {
            let persistent = t.storage != Storage::Temp && t.updates.is_none();
            let loc = if persistent && used[i] { Some(layout.place(t)?) } else { None };
            plan.tensors.push(PlanTensor { name: t.name.clone(), meta: t.meta.clone(), storage: t.storage, loc });
        }
        plan.place_temporaries(&graph);
        for node in graph.nodes {
            plan.steps.push(Step { op: node.op, inputs: node.inputs, outputs: node.outputs });
        }
        verify(&plan, limits)?;
        Ok(plan)
    }

    /// Gives each temporary a slot that is free for the whole of its life. A step's outputs are placed before its
    /// inputs are released, so that no kernel reads what it writes.
    fn place_temporaries(&mut self, graph: &Graph) {
        let mut last_use = vec![0; graph.tensors.len()];
        for (i, node) in graph.nodes.iter().enumerate() {
            for &t in node.inputs.iter().chain(&node.outputs) {
                last_use[root(graph, t).0] = i;
            }
        }
        for &t in &graph.captures {
            last_use[root(graph, t).0] = usize::MAX;
        }
        let mut free: Vec<usize> = Vec::new();
        for (i, node) in graph.nodes.iter().enumerate() {
            for &t in &node.outputs {
                let home = root(graph, t);
                if home != t {
                    self.tensors[t.0].loc = self.tensors[home.0].loc;
                } else if graph.tensor(t).storage == Storage::Temp {
                    let bytes = buffer_bytes(&graph.tensor(t).meta);
                    let slot = take_slot(&mut self.slots, &mut free, bytes);
                    let used = graph.tensor(t).meta.bytes();
                    self.tensors[t.0].loc = Some(Loc { buf: Buf::Temp(slot), offset: 0, bytes: used });
                }
            }
            let mut ended: Vec<TensorId> = node.inputs.iter().chain(&node.outputs).map(|&t| root(graph, t)).collect();
            ended.sort_unstable();
            ended.dedup();
            for t in ended {
                if let (true, Some(Loc { buf: Buf::Temp(slot), .. })) = (last_use[t.0] == i, self.tensors[t.0].loc) {
                    free.push(slot);
                }
            }
        }
    }

    /// The tensor of this id.
    pub fn tensor(&self, id: TensorId) -> &PlanTensor {
        &self.tensors[id.0]
    }

    /// The place of a tensor that this plan uses, by name.
    ///
    /// # Errors
    /// [`Error::Plan`] when the plan has no such tensor, or fusion removed it.
    pub fn find(&self, name: &str) -> Result<&PlanTensor> {
        self.tensors.iter().find(|t| t.name == name && t.loc.is_some()).ok_or_else(|| {
            Error::Plan(Message::uncoded(format!(
                "{} keeps no tensor named {name:?}; capture it when the plan is built",
                self.name
            )))
        })
    }

    /// The place of a tensor of a step. Compilation gives every tensor of every step one.
    pub fn loc(&self, id: TensorId) -> Loc {
        self.tensors[id.0].loc.expect("every tensor of a step has a place")
    }

    /// The place that a kernel's binding shows.
    pub fn binding(&self, step: &Step, arg: Arg) -> Loc {
        match arg {
            Arg::Input(i) => self.loc(step.inputs[i]),
            Arg::Output(o) => self.loc(step.outputs[o]),
        }
    }

    /// Runs `f` with the shapes of a step.
    pub fn with_shapes<R>(&self, step: &Step, f: impl FnOnce(Shapes<'_>) -> R) -> R {
        let inputs: Vec<&Meta> = step.inputs.iter().map(|&t| &self.tensors[t.0].meta).collect();
        let outputs: Vec<&Meta> = step.outputs.iter().map(|&t| &self.tensors[t.0].meta).collect();
        f(Shapes { inputs: &inputs, outputs: &outputs })
    }

    /// The GPU dispatches of a step.
    pub fn kernels(&self, step: &Step, target: Target) -> Vec<Kernel> {
        self.with_shapes(step, |shapes| step.op.kernels(shapes, target))
    }

    /// Number of GPU dispatches of one run.
    pub fn dispatches(&self) -> usize {
        self.steps.iter().map(|s| self.kernels(s, Target::Hardware).len()).sum()
    }

    /// The first step that changes weights, from which a run must not be interrupted; the number of steps if none does.
    pub fn commit(&self) -> usize {
        self.steps.iter().position(|s| s.op.commits()).unwrap_or(self.steps.len())
    }

    /// Bytes of temporaries if no other plan shared the pool.
    pub fn temp_bytes(&self) -> u64 {
        total(&self.slots)
    }
}

/// Bytes of each slot of the pool that these plans share.
pub fn pool_slots<'a>(plans: impl IntoIterator<Item = &'a Plan>) -> Vec<usize> {
    let mut slots: Vec<usize> = Vec::new();
    for plan in plans {
        slots.resize(slots.len().max(plan.slots.len()), 0);
        slots.iter_mut().zip(&plan.slots).for_each(|(most, &bytes)| *most = bytes.max(*most));
    }
    slots
}

/// Refuses tensors that a 32-bit `usize` could not index, on every platform alike, before anything is computed from their
/// sizes.
fn check_sizes(name: &str, graph: &Graph) -> Result<()> {
    // Eight times the elements fit 32 bits where the bytes fit 31: memory is given out in pieces of at most that.
    let times = |n: u32, &extent: &usize| n.checked_mul(u32::try_from(extent).ok()?);
    let large = |t: &&Tensor| t.meta.shape.iter().try_fold(8, times).is_none();
    match graph.tensors.iter().find(large) {
        Some(t) => Err(Error::Plan(message!(
            "plan.tensor",
            "{plan}: {tensor} would take more than 2 GiB; use a smaller batch, a shorter context or \
             a smaller model",
            plan = name,
            tensor = t.name
        ))),
        None => Ok(()),
    }
}

fn used_tensors(graph: &Graph) -> Vec<bool> {
    let mut used = vec![false; graph.tensors.len()];
    for &t in graph.nodes.iter().flat_map(|n| n.inputs.iter().chain(&n.outputs)) {
        used[root(graph, t).0] = true;
        used[t.0] = true;
    }
    used
}

/// Best fit: the smallest free slot that is large enough, else the largest free one grown, else a new one.
fn take_slot(slots: &mut Vec<usize>, free: &mut Vec<usize>, bytes: usize) -> usize {
    let fitting = free.iter().enumerate().filter(|(_, s)| slots[**s] >= bytes).min_by_key(|(_, s)| slots[**s]);
    let choice = fitting.or_else(|| free.iter().enumerate().max_by_key(|(_, s)| slots[**s])).map(|(i, _)| i);
    match choice {
        Some(i) => {
            let slot = free.swap_remove(i);
            slots[slot] = slots[slot].max(bytes);
            slot
        }
        None => {
            slots.push(bytes);
            slots.len() - 1
        }
    }
}
