//! Reverse-mode differentiation of a graph: each op's gradient rule appends ordinary ops.
//!
//! Runs before fusion. Gradients of parameters are not temporaries but states, `grad:NAME`, that are added to: several
//! uses of a parameter (a tied head) and several micro-batches of a step sum up by themselves, and the optimiser sets them
//! back to zero. Frozen parameters get no gradient, and what only they would need is never computed.

use super::{Graph, Node, Op, Storage, TensorId};
use crate::error::{Error, Result};
use crate::message::Message;
use std::collections::HashMap;

/// What gradient rules work with.
pub struct Backward<'a> {
    /// The graph being extended.
    pub graph: &'a mut Graph,
    accumulate: &'a dyn Fn() -> std::sync::Arc<dyn Op>,
    sum: &'a dyn Fn() -> std::sync::Arc<dyn Op>,
    wanted: Vec<bool>,
    gradients: HashMap<TensorId, TensorId>,
    parameters: HashMap<TensorId, TensorId>,
}

/// How the ops that autodiff itself needs are made; this module knows no op by name.
pub struct Sums<'a> {
    /// Makes the op that adds its second input to its first, in place.
    pub accumulate: &'a dyn Fn() -> std::sync::Arc<dyn Op>,
    /// Makes the op that adds two tensors.
    pub add: &'a dyn Fn() -> std::sync::Arc<dyn Op>,
}

/// The name of a parameter's gradient.
pub fn gradient_name(parameter: &str) -> String {
    format!("grad:{parameter}")
}

/// Appends to `graph` what computes the gradients of all parameters that `trainable` accepts by name, given gradients
/// `seeds` = (tensor, its gradient) of a scalar loss. `begun` are parameters whose gradients were added to already, with
/// the newest version of each.
///
/// # Errors
/// [`Error::Graph`] when a node on the way has no gradient rule.
#[cfg(feature = "train")]
pub fn differentiate(
    graph: &mut Graph,
    seeds: &[(TensorId, TensorId)],
    begun: &[(TensorId, TensorId)],
    trainable: &dyn Fn(&str) -> bool,
    sums: &Sums<'_>,
) -> Result<()> {
    let nodes = graph.nodes.clone();
    let mut wanted: Vec<bool> =
        graph.tensors.iter().map(|t| t.storage == Storage::Param && trainable(&t.name)).collect();
    for node in &nodes {
        if node.inputs.iter().any(|t| wanted[t.0]) {
            node.outputs.iter().for_each(|t| wanted[t.0] = true);
        }
    }
    let gradients = seeds.iter().copied().collect();
    let parameters = begun.iter().copied().collect();
    let (accumulate, sum) = (sums.accumulate, sums.add);
    let mut backward = Backward { graph, accumulate, sum, wanted, gradients, parameters };
    for node in nodes.iter().rev() {
        let reached = node.outputs.iter().any(|t| backward.gradients.contains_key(t));
        if reached && node.inputs.iter().any(|&t| backward.wants(t)) {
            node.op.backward(&mut backward, node)?;
        }
    }
    Ok(())
}

impl Backward<'_> {
    /// Whether a gradient of this tensor is of use.
    pub fn wants(&self, tensor: TensorId) -> bool {
        self.wanted.get(tensor.0).copied().unwrap_or(false)
    }

    /// The gradient of a node's output, if anything after it contributed one.
    pub fn of(&self, tensor: TensorId) -> Option<TensorId> {
        self.gradients.get(&tensor).copied()
    }

    /// The gradient of a node's only interesting output.
    ///
    /// # Errors
    /// [`Error::Graph`] when there is none; [`differentiate`] calls rules only where there is.
    pub fn of_output(&self, node: &Node) -> Result<TensorId> {
        let found = node.outputs.iter().find_map(|&t| self.of(t));
        found.ok_or_else(|| Error::Graph(Message::uncoded(format!("{} has no gradient to pass on", node.op.name()))))
    }

    /// A name for a new tensor: `d_` and the name of what it is the gradient of, made unique.
    pub fn name(&self, of: TensorId) -> String {
        self.unique(&format!("d_{}", self.graph.tensor(of).name))
    }

    /// `base`, or with a number where that is taken.
    pub fn unique(&self, base: &str) -> String {
        let free = |name: &String| self.graph.find(name).is_none();
        std::iter::once(base.to_string())
            .chain((2..).map(|i| format!("{base}.{i}")))
            .find(free)
            .expect("some number is free")
    }

    /// Contributes `d` to the gradient of `tensor`. Does nothing where that is of no use.
    ///
    /// # Errors
    /// [`Error::Graph`] when the shapes differ.
    pub fn add(&mut self, tensor: TensorId, d: TensorId) -> Result<()> {
        if !self.wants(tensor) {
            return Ok(());
        }
        if self.graph.tensor(tensor).storage == Storage::Param {
            let old = self.parameter(tensor);
            let new = self.graph.apply(&[&self.version(tensor)], (self.accumulate)(), &[old, d])?;
            self.set_parameter(tensor, new[0]);
            return Ok(());
        }
        let total = match self.of(tensor) {
            None => d,
            Some(before) => self.graph.apply(&[&self.name(tensor)], (self.sum)(), &[before, d])?[0],
        };
        self.gradients.insert(tensor, total);
        Ok(())
    }

    /// The newest version of a parameter's gradient, for an op that adds to it in place.
    pub fn parameter(&mut self, parameter: TensorId) -> TensorId {
        if let Some(&version) = self.parameters.get(&parameter) {
            return version;
        }
        let tensor = self.graph.tensor(parameter).clone();
        let state = self.graph.state(&gradient_name(&tensor.name), tensor.meta);
        self.parameters.insert(parameter, state);
        state
    }

    /// A name for the next version of a parameter's gradient.
    pub fn version(&self, parameter: TensorId) -> String {
        self.unique(&format!("{}.sum", gradient_name(&self.graph.tensor(parameter).name)))
    }

    /// Records the version that an op made.
    pub fn set_parameter(&mut self, parameter: TensorId, version: TensorId) {
        self.parameters.insert(parameter, version);
    }
}
