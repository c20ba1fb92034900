//! The forward pass as a graph to draw.

use crate::error::Result;
use crate::graph::{Graph, Storage, Tensor};
use crate::model::Model;

/// An op of the forward pass, named by the tensor it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowNode {
    /// `h.0.attn.qkv` and the like: the names under which values are captured.
    pub name: String,
    /// Kind of op.
    pub op: &'static str,
    /// Tensors that it reads and another node makes.
    pub inputs: Vec<String>,
    /// Weights that it reads, with their shapes.
    pub params: Vec<(String, Vec<usize>)>,
    /// Extents of what it makes; `None` is the number of tokens.
    pub shape: Vec<Option<usize>>,
    /// The block it belongs to, if to one.
    pub layer: Option<usize>,
}

/// The nodes of the model's forward pass, as it is built before anything is fused, in the order in which they run.
///
/// # Errors
/// [`crate::error::Error::Graph`] never in practice: the model has been built before.
pub fn flow(model: &Model) -> Result<Vec<FlowNode>> {
    // What differs between one token and two is the number of tokens.
    let (one, two) = (model.forward_graph(1)?, model.forward_graph(2)?);
    let shown = |t: &&Tensor| t.storage == Storage::Temp;
    let nodes = one.nodes.iter().zip(&two.nodes).filter_map(|(node, other)| {
        let output = one.tensor(node.outputs[0]);
        // Writing keys and values down is no part of the mathematics.
        if !shown(&output) {
            return None;
        }
        let dims = output.meta.shape.iter().zip(two.shape(other.outputs[0]));
        Some(FlowNode {
            name: output.name.clone(),
            op: node.op.name(),
            inputs: tensors(&one, node).filter(shown).map(|t| t.name.clone()).collect(),
            params: tensors(&one, node)
                .filter(|t| t.storage == Storage::Param)
                .map(|t| (t.name.clone(), t.meta.shape.clone()))
                .collect(),
            shape: dims.map(|(&a, &b)| (a == b).then_some(a)).collect(),
            layer: layer_of(&output.name),
        })
    });
    Ok(nodes.collect())
}

fn tensors<'a>(graph: &'a Graph, node: &'a crate::graph::Node) -> impl Iterator<Item = &'a Tensor> {
    node.inputs.iter().map(|&t| graph.tensor(t))
}

/// The block that a tensor's name says it belongs to.
fn layer_of(name: &str) -> Option<usize> {
    name.strip_prefix("h.")?.split('.').next()?.parse().ok()
}
