//! Merging of neighbouring ops: an activation or a residual into the matmul before it, and the like.
//!
//! What can be merged is each op's own knowledge ([`Op::fuse`](super::Op::fuse)); this pass only finds pairs in which
//! the second op is the first one's only reader, and so never removes a tensor that anything else (a capture, a
//! gradient) wants to see.

use super::{Graph, Node, TensorId};

/// Fuses until nothing more fits.
pub(crate) fn fuse(graph: &mut Graph) {
    let mut i = 0;
    while i < graph.nodes.len() {
        match fuse_at(graph, i) {
            // The merged node stands where the consumer stood; node `i` is now another one and may itself be merged.
            Some((consumer, node)) => {
                graph.nodes[consumer] = node;
                graph.nodes.remove(i);
            }
            None => i += 1,
        }
    }
}

fn fuse_at(graph: &Graph, i: usize) -> Option<(usize, Node)> {
    let own = &graph.nodes[i];
    let readers = graph.readers();
    own.outputs.iter().filter(|t| readers[t.0] == 1 && !graph.captures.contains(t)).find_map(|&link| {
        let consumer = (i + 1..graph.nodes.len()).find(|&j| graph.nodes[j].inputs.contains(&link))?;
        // Moving the producer's work down to the consumer must not carry it past an update of something it reads.
        if graph.nodes[i + 1..consumer].iter().any(|n| changes_any(graph, n, &own.inputs)) {
            return None;
        }
        let fused = own.op.fuse(graph, own, &graph.nodes[consumer], link)?;
        Some((consumer, Node { op: fused.op, inputs: fused.inputs, outputs: fused.outputs }))
    })
}

fn changes_any(graph: &Graph, node: &Node, tensors: &[TensorId]) -> bool {
    node.outputs.iter().filter_map(|&o| graph.tensor(o).updates).any(|u| tensors.iter().any(|&t| same(graph, t, u)))
}

/// Whether two tensors are versions of one storage.
fn same(graph: &Graph, a: TensorId, b: TensorId) -> bool {
    root(graph, a) == root(graph, b)
}

/// The tensor whose storage `t` really is, through all in-place updates.
pub(crate) fn root(graph: &Graph, mut t: TensorId) -> TensorId {
    while let Some(u) = graph.tensor(t).updates {
        t = u;
    }
    t
}
