//! The ops: one file each, with parameters, shape rule, GPU dispatch and CPU twin.
//!
//! Adding one takes a shader, a file here, a line in [`SHADERS`] and a row in the op test's table; a test checks that the
//! four agree.

mod activation;
mod add;
mod attention;
mod attention_decode;
mod attention_probs;
mod embedding;
mod kv_append;
mod layer_norm;
mod matmul;
mod position_embedding;
mod row;
mod sample;
mod score;
mod softmax;

pub use activation::ActivationOp;
pub use add::Add;
pub use attention::Attention;
pub use attention_decode::AttentionDecode;
pub use attention_probs::AttentionProbs;
pub use embedding::Embedding;
pub use kv_append::KvAppend;
pub use layer_norm::LayerNorm;
pub use matmul::{Columns, MatMul, Product};
pub use position_embedding::PositionEmbedding;
pub use sample::{Sample, control, settings};
pub use score::Score;
pub use softmax::Softmax;

/// The text of a file under `shaders/`.
macro_rules! wgsl {
    ($name:literal) => {
        include_str!(concat!("../../shaders/", $name, ".wgsl"))
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
    "activation",
    "add",
    "attention",
    "attention_decode",
    "attention_probs",
    "attention_tiled",
    "embedding",
    "kv_append",
    "layer_norm",
    "matmul",
    "matmul_tiled",
    "matvec",
    "matvec_t",
    "position_embedding",
    "sample",
    "score",
    "softmax",
];

use crate::graph::Meta;

/// Number of positions in a `step` tensor before its token ids: `[pos0, n, id 0, id 1, …]`. `pos0` is the absolute
/// position of the first id, `n` how many ids are valid. The decode control block begins the same way.
pub const STEP_IDS: usize = 2;

/// The extents of a two-dimensional input.
fn dims2(meta: &Meta, what: &str) -> Result<(usize, usize), String> {
    match meta.shape[..] {
        [a, b] if a > 0 && b > 0 => Ok((a, b)),
        _ => Err(format!("{what} must have two non-zero extents, not {:?}", meta.shape)),
    }
}

/// Refuses a tensor whose extents are not these.
fn want_shape(meta: &Meta, shape: &[usize], what: &str) -> Result<(), String> {
    if meta.shape == shape { Ok(()) } else { Err(format!("{what} must be {shape:?}, not {:?}", meta.shape)) }
}

/// Refuses a wrong number of inputs.
fn want_inputs(inputs: &[&Meta], counts: &[usize]) -> Result<(), String> {
    if counts.contains(&inputs.len()) { Ok(()) } else { Err(format!("needs {counts:?} inputs, not {}", inputs.len())) }
}
