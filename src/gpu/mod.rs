//! The GPU backend: runs plans on WebGPU (in the browser) or Vulkan, Metal or D3D12 (natively). It knows no op by name.

mod context;
mod executor;
mod fault;
mod pace;
mod pipeline;
mod readback;

pub use context::{GpuContext, Held};
pub use executor::{Counters, GpuExecutor};
