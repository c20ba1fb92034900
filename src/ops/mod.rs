//! The ops: one file each, with parameters, shape rule, GPU dispatch and CPU twin.
//!
//! Adding one takes a shader, a file here, a line in [`SHADERS`] and a row in the op test's table; a test checks that the
//! four agree.

mod accumulate;
mod activation;
mod activation_backward;
mod adamw;
mod add;
mod attention;
mod attention_backward;
mod attention_decode;
mod attention_probs;
mod bias_backward;
mod causal_attention;
mod column;
mod cross_entropy_backward;
mod cross_entropy_stats;
mod dropout;
mod dropout_mask;
mod elementwise;
mod embedding;
mod embedding_backward;
mod gate;
mod grad_norm;
pub mod hyper;
mod kv_append;
mod layer_norm;
mod layer_norm_backward;
mod layer_norm_backward_params;
mod loss_report;
mod matmul;
mod position_embedding;
mod position_embedding_backward;
mod row;
mod sample;
mod scale;
mod scaled_add;
mod score;
mod softmax;
mod store_rows;
mod sum_squares;
mod take_rows;
mod tasks;
mod top_k;

pub use accumulate::Accumulate;
pub use activation::ActivationOp;
pub use activation_backward::ActivationBackward;
pub use adamw::AdamW;
pub use add::Add;
pub use attention::Attention;
pub use attention_backward::AttentionBackward;
pub use attention_decode::AttentionDecode;
pub use attention_probs::AttentionProbs;
pub use bias_backward::BiasBackward;
pub use causal_attention::CausalAttention;
pub use cross_entropy_backward::CrossEntropyBackward;
pub use cross_entropy_stats::CrossEntropyStats;
pub use dropout::Dropout;
pub use dropout_mask::DropoutMask;
pub use embedding::Embedding;
pub use embedding_backward::EmbeddingBackward;
pub use gate::Gate;
pub use grad_norm::GradNorm;
pub use hyper::metrics;
pub use kv_append::KvAppend;
pub use layer_norm::LayerNorm;
pub use layer_norm_backward::LayerNormBackward;
pub use layer_norm_backward_params::LayerNormBackwardParams;
pub use loss_report::LossReport;
pub use matmul::{Columns, MatMul, Product};
pub use position_embedding::PositionEmbedding;
pub use position_embedding_backward::PositionEmbeddingBackward;
pub(crate) use sample::odds;
pub use sample::{Sample, control, settings};
pub use scale::Scale;
pub use scaled_add::ScaledAdd;
pub use score::Score;
pub(crate) use score::usable;
pub use softmax::Softmax;
pub use store_rows::StoreRows;
pub use sum_squares::SumSquares;
pub use take_rows::TakeRows;
pub use top_k::TopK;

/// The text of a file under `shaders/`, without comments (`build.rs`).
macro_rules! wgsl {
    ($name:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/shaders/", $name, ".wgsl"))
    };
}
pub(crate) use wgsl;

macro_rules! shaders {
    ($($name:literal),* $(,)?) => {
        /// Every kernel: its name and the text of its shader file.
        pub const SHADERS: &[(&str, &str)] = &[$(($name, wgsl!($name))),*];
    };
}

shaders![
    "accumulate",
    "activation",
    "activation_backward",
    "adamw",
    "add",
    "attention",
    "attention_backward_kv",
    "attention_backward_kv_tiled",
    "attention_backward_q",
    "attention_backward_q_tiled",
    "attention_decode",
    "attention_probs",
    "attention_tiled",
    "bias_backward",
    "cross_entropy_backward",
    "cross_entropy_stats",
    "dropout",
    "dropout_mask",
    "embedding",
    "embedding_backward",
    "gate",
    "grad_norm",
    "kv_append",
    "layer_norm",
    "layer_norm_backward",
    "layer_norm_backward_params",
    "loss_report",
    "matmul",
    "matmul_tiled",
    "matvec",
    "matvec_t",
    "position_embedding",
    "position_embedding_backward",
    "sample",
    "scale",
    "scaled_add",
    "score",
    "softmax",
    "store_rows",
    "sum_squares",
    "take_rows",
    "top_k",
];

use crate::graph::Meta;
use crate::message::Message;

/// Number of positions in a `step` tensor before its token ids: `[pos0, n, id 0, id 1, …]`. `pos0` is the absolute
/// position of the first id, `n` how many ids are valid. The decode control block begins the same way.
pub const STEP_IDS: usize = 2;

/// The extents of a two-dimensional input.
fn dims2(meta: &Meta, what: &str) -> Result<(usize, usize), Message> {
    match meta.shape[..] {
        [a, b] if a > 0 && b > 0 => Ok((a, b)),
        _ => Err(Message::uncoded(format!("{what} must have two non-zero extents, not {:?}", meta.shape))),
    }
}

/// Refuses a tensor whose extents are not these.
fn want_shape(meta: &Meta, shape: &[usize], what: &str) -> Result<(), Message> {
    if meta.shape == shape {
        Ok(())
    } else {
        Err(Message::uncoded(format!("{what} must be {shape:?}, not {:?}", meta.shape)))
    }
}

/// Refuses a wrong number of inputs.
fn want_inputs(inputs: &[&Meta], counts: &[usize]) -> Result<(), Message> {
    if counts.contains(&inputs.len()) {
        Ok(())
    } else {
        Err(Message::uncoded(format!("needs {counts:?} inputs, not {}", inputs.len())))
    }
}
