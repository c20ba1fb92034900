//! The CPU backend: runs the same plans through each op's CPU twin. It is the reference the shaders are tested against,
//! and the product's fallback where there is no usable GPU.

mod executor;

pub use executor::CpuExecutor;
pub use gpt_kernels::{gemm, simd, vecops};
