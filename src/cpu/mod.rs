//! The CPU backend: runs the same plans through each op's CPU twin. It is the reference the shaders are tested against,
//! and the product's fallback where there is no usable GPU.

mod executor;
pub mod gemm;
pub mod simd;
pub mod vecops;

pub use executor::CpuExecutor;
