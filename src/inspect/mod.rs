//! Looking inside: scores of a text, captured tensors. Plain structs out.

mod eval;

pub use eval::{Evaluation, evaluate};
