//! The graph of a training pass: the model over whole sequences, the loss, gradients, clipping and AdamW.

use super::gpt::{Builder, Pass, Sequence, TrainShape};
use crate::error::Result;
use crate::graph::{Graph, Meta, Op, SLAB_BYTES, SlabSet, Sums, TensorId, rows_name, slab_name, split_rows};
use crate::ops::{
    Accumulate, AdamW, Add, BiasBackward, CrossEntropyBackward, CrossEntropyStats, GradNorm, LossReport, MatMul,
    Product, STEP_IDS, SumSquares, hyper, metrics,
};
use std::ops::Range;
use std::sync::Arc;

/// Name of the input that says which blocks of 64 floats of slab `i` are decayed.
pub(super) fn decay_name(slab: usize) -> String {
    format!("decay.{slab}")
}

/// What is trained: adapters where there are any, else the weights.
pub(super) fn trained(lora: bool) -> SlabSet {
    if lora { SlabSet::Adapter } else { SlabSet::Param }
}

#[cfg(feature = "train")]
pub(super) fn build(mut b: Builder<'_>, shape: &TrainShape) -> Result<Graph> {
    let rows = shape.batch * shape.seq;
    let batch = b.graph.input(&format!("batch({rows})"), Meta::u32(&[STEP_IDS + rows]));
    let targets = b.graph.input(&format!("targets({rows})"), Meta::u32(&[rows]));
    let hyper = b.graph.input("hyper", Meta::u32(&[hyper::WORDS]));
    let metrics = b.graph.state("metrics", Meta::f32(&[metrics::LEN]));
    // Dropout is for training; evaluation runs the model as it is.
    let dropout = if shape.pass == Pass::Loss { 0.0 } else { f32::from_bits(shape.dropout) };
    b.sequence = Some(Sequence { seq: shape.seq, dropout, hyper });
    let mut x = b.blocks(batch, rows, &[])?;
    if b.config.final_layer_norm {
        x = b.layer_norm("ln_f", x)?;
    }
    let adapters = b.lora.is_some();
    let Loss { stats, d_x, begun } = loss(&mut b, x, rows, targets, hyper, shape.pass != Pass::Loss, !adapters)?;
    let metrics = b.graph.apply1("metrics.loss", LossReport, &[stats, targets, hyper, metrics])?;
    if let Some(d_x) = d_x {
        let sums = Sums { accumulate: &|| Arc::new(Accumulate) as Arc<dyn Op>, add: &|| Arc::new(Add) as Arc<dyn Op> };
        let trainable = |name: &str| name.contains(".lora_") == adapters;
        crate::graph::differentiate(&mut b.graph, &[(x, d_x)], &begun, &trainable, &sums)?;
    }
    if shape.pass == Pass::Update {
        update(&mut b, trained(adapters), hyper, metrics)?;
    }
    Ok(b.graph)
}

/// Rows of the head's weight whose logits fit one binding, as tensors of the graph: (weight, bias, first column).
fn head_ranges(b: &mut Builder<'_>, rows: usize) -> Vec<(TensorId, Option<TensorId>, usize)> {
    let (vocab, c) = (b.config.vocab_size, b.config.n_embd);
    let name = b.head_weight();
    // A multiple of 64 rows starts at a binding's alignment whatever the width.
    let most = (SLAB_BYTES / 4 / rows / 64 * 64).max(64);
    let mut ranges = Vec::new();
    for piece in split_rows(name, &[vocab, c], b.layout.slab_bytes()) {
        for start in (0..piece.rows.len()).step_by(most) {
            let part: Range<usize> = start..(start + most).min(piece.rows.len());
            let whole = part.len() == piece.rows.len();
            let tensor = if whole { piece.name.clone() } else { rows_name(&piece.name, &part) };
            let weight = b.graph.param(&tensor, &[part.len(), c]);
            let first = piece.rows.start + part.start;
            let bias = b.config.lm_head_bias.then(|| {
                let rows = first..first + part.len();
                let all = rows.len() == vocab;
                let tensor = if all { "lm_head.bias".to_string() } else { rows_name("lm_head.bias", &rows) };
                b.graph.param(&tensor, &[rows.len()])
            });
            ranges.push((weight, bias, first));
        }
    }
    ranges
}

/// The loss's part of the graph.
struct Loss {
    /// Statistics of each row's softmax.
    stats: TensorId,
    /// Gradient of the last hidden state.
    d_x: Option<TensorId>,
    /// The head's parameters with the newest version of their gradients.
    begun: Vec<(TensorId, TensorId)>,
}

/// Softmax cross-entropy over the head, in pieces of the vocabulary: statistics of each row first, then gradients, for
/// which the logits of each piece are computed again unless there is only one.
fn loss(
    b: &mut Builder<'_>,
    x: TensorId,
    rows: usize,
    targets: TensorId,
    hyper: TensorId,
    backward: bool,
    train_head: bool,
) -> Result<Loss> {
    let ranges = head_ranges(b, rows);
    let g = &mut b.graph;
    let logits = |g: &mut Graph, name: String, i: usize| {
        let (weight, bias, _) = ranges[i];
        let op = MatMul::new(Product::NT).with_bias(bias.is_some());
        let inputs: Vec<TensorId> = [x, weight].into_iter().chain(bias).collect();
        g.apply1(&name, op, &inputs)
    };
    let mut stats = None;
    let mut only = None;
    for (i, &(_, _, col0)) in ranges.iter().enumerate() {
        let part = logits(g, format!("logits.{i}"), i)?;
        let inputs: Vec<TensorId> = [part, targets].into_iter().chain(stats).collect();
        let op = CrossEntropyStats { col0, first: i == 0 };
        stats = Some(g.apply1(&format!("loss.stats.{i}"), op, &inputs)?);
        only = (ranges.len() == 1).then_some(part);
    }
    let stats = stats.expect("a vocabulary is not empty");
    if !backward {
        return Ok(Loss { stats, d_x: None, begun: Vec::new() });
    }
    let mut d_x = None;
    let mut begun = Vec::new();
    for (i, &(weight, bias, col0)) in ranges.iter().enumerate() {
        let part = match only {
            Some(part) => part,
            None => logits(g, format!("logits.{i}.again"), i)?,
        };
        let op = CrossEntropyBackward { col0 };
        let d = g.apply1(&format!("d_logits.{i}"), op, &[part, targets, stats, hyper])?;
        let product = MatMul::new(Product::NN);
        d_x = Some(match d_x {
            None => g.apply1(&format!("d_ln_f.{i}"), product, &[d, weight])?,
            Some(before) => g.apply1(&format!("d_ln_f.{i}"), product.accumulating(), &[d, weight, before])?,
        });
        if train_head {
            let grad = gradient(g, weight);
            let op = MatMul::new(Product::TN).accumulating();
            begun.push((weight, g.apply1(&format!("d_head.{i}"), op, &[d, x, grad])?));
            if let Some(bias) = bias {
                let grad = gradient(g, bias);
                begun.push((bias, g.apply1(&format!("d_head_bias.{i}"), BiasBackward, &[d, grad])?));
            }
        }
    }
    Ok(Loss { stats, d_x, begun })
}

/// The state of a parameter's gradient.
fn gradient(g: &mut Graph, parameter: TensorId) -> TensorId {
    let tensor = g.tensor(parameter).clone();
    g.state(&crate::graph::gradient_name(&tensor.name), tensor.meta)
}

/// Gradient norm over all slabs, then one AdamW dispatch a slab.
fn update(b: &mut Builder<'_>, set: SlabSet, hyper: TensorId, metrics: TensorId) -> Result<()> {
    let slabs: Vec<usize> = b.layout.slabs(set).iter().map(|bytes| bytes / 4).collect();
    let slots = slabs.len();
    let g = &mut b.graph;
    let whole = |g: &mut Graph, set: SlabSet, i: usize| g.state(&slab_name(set, i), Meta::f32(&[slabs[i]]));
    let mut partials = None;
    for slot in 0..slots {
        let inputs: Vec<TensorId> = [whole(g, SlabSet::Grad, slot)].into_iter().chain(partials).collect();
        partials = Some(g.apply1(&format!("norm.partials.{slot}"), SumSquares { slot, slots }, &inputs)?);
    }
    let Some(partials) = partials else { return Ok(()) };
    let made = g.apply(&["norm", "metrics.norm"], Arc::new(GradNorm), &[partials, hyper, metrics])?;
    for (i, n) in slabs.iter().enumerate() {
        let decay = g.input(&decay_name(i), Meta::u32(&[n.div_ceil(64).div_ceil(32)]));
        let mut inputs = vec![hyper, made[0], decay];
        inputs.extend([set, SlabSet::Grad, SlabSet::Moment1, SlabSet::Moment2].map(|set| whole(g, set, i)));
        let names = ["param", "grad", "moment1", "moment2"].map(|what| format!("adamw.{what}.{i}"));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        g.apply(&names, Arc::new(AdamW), &inputs)?;
    }
    Ok(())
}
