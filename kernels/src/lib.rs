//! Fast f32 kernels on slices, under the CPU backend. They know nothing of tensors or graphs.
//!
//! A crate of its own so that the page can be built small while these are built fast.

pub mod gemm;
pub mod simd;
pub mod vecops;
