//! Finding an adapter and opening a device.

use super::fault::Fault;
use crate::error::{Error, Result};
use crate::graph::{Limits, Target};
use crate::message::{Message, message};
use std::sync::Arc;

/// What a device holds at the moment, as it counts by itself: all that was made and not yet freed, whoever made it. Zeros
/// in a browser, which does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// Buffers, those that results are read through included.
    pub buffers: usize,
    /// Bind groups.
    pub bind_groups: usize,
    /// Compute pipelines.
    pub pipelines: usize,
    /// Memory of the buffers, in bytes.
    pub bytes: usize,
}

/// An open device.
pub struct GpuContext {
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    /// Adapter and driver, for the page and for reports.
    pub name: String,
    /// Hardware or software.
    pub kind: Target,
    pub(super) fault: Fault,
}

impl GpuContext {
    /// Opens the best adapter there is.
    ///
    /// # Errors
    /// [`Error::Device`] when there is no adapter or it refuses a device; says what to install or to try.
    pub async fn open() -> Result<Self> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let adapter =
            instance.request_adapter(&options).await.map_err(|e| Error::Device(no_adapter(&e.to_string())))?;
        let info = adapter.get_info();
        let offered = adapter.limits();
        // WebGPU's defaults, whatever the adapter offers: what runs here runs everywhere.
        let mut limits = wgpu::Limits::downlevel_defaults();
        limits.max_storage_buffers_per_shader_stage = 8;
        limits.max_compute_workgroup_storage_size = 16 << 10;
        limits.max_storage_buffer_binding_size = 128 << 20;
        limits.max_buffer_size = 256 << 20;
        let limits = limits.using_alignment(offered);
        let (device, queue) = adapter
            .request_device(&wgpu::DeviceDescriptor {
                label: Some("gpt-playground"),
                required_limits: limits,
                ..Default::default()
            })
            .await
            .map_err(|e| {
                Error::Device(message!(
                    "gpu.refused_device",
                    "the GPU refused a device ({cause}); use the CPU backend",
                    cause = e
                ))
            })?;
        let fault = Fault::default();
        let at_error = fault.clone();
        device.on_uncaptured_error(Arc::new(move |e: wgpu::Error| at_error.record(Message::uncoded(e.to_string()))));
        // For whatever reason: one that was destroyed is of no use either. Who drops an executor asks it nothing more.
        let at_loss = fault.clone();
        device.set_device_lost_callback(move |_, text| {
            at_loss.record(message!("gpu.lost", "the GPU device was lost: {cause}", cause = text))
        });
        let known_software = ["swiftshader", "llvmpipe", "lavapipe", "basic render"];
        let name = [info.name.as_str(), info.driver.as_str(), info.driver_info.as_str()].join(" ").trim().to_string();
        let lower = name.to_ascii_lowercase();
        let software = info.device_type == wgpu::DeviceType::Cpu || known_software.iter().any(|s| lower.contains(s));
        let kind = if software { Target::Software } else { Target::Hardware };
        let name = if name.is_empty() { "WebGPU adapter".to_string() } else { name };
        Ok(Self { device, queue, name, kind, fault })
    }

    /// The same device with kernels shaped for another kind, so that tests run both on whatever adapter there is.
    pub fn with_target(self, kind: Target) -> Self {
        Self { kind, ..self }
    }

    /// What a plan may ask of this device.
    pub fn limits(&self) -> Limits {
        let l = self.device.limits();
        Limits {
            binding_bytes: l.max_storage_buffer_binding_size as usize,
            bindings: l.max_storage_buffers_per_shader_stage as usize,
            workgroups: l.max_compute_workgroups_per_dimension as usize,
            align: l.min_storage_buffer_offset_alignment as usize,
            ..Limits::default()
        }
    }

    /// What the device holds at the moment. What was freed lately counts until the device has been waited for.
    pub fn held(&self) -> Held {
        let held = self.device.get_internal_counters().hal;
        // Each thread adds and takes away by itself, so that a sum may be below zero for a moment.
        let [buffers, bind_groups, pipelines, bytes] =
            [held.buffers, held.bind_groups, held.compute_pipelines, held.buffer_memory]
                .map(|counter| usize::try_from(counter.read()).unwrap_or(0));
        Held { buffers, bind_groups, pipelines, bytes }
    }

    /// Reports a validation error, a lost device or exhausted memory that has arrived since the device was opened: such a
    /// device is of no more use, and says so from then on.
    ///
    /// # Errors
    /// [`Error::Device`] with the first such fault.
    pub fn check(&self) -> Result<()> {
        match self.fault.get() {
            Some(fault) => Err(Error::Device(message!(
                "gpu.failed",
                "the GPU failed: {cause}. Reload the model, or use the CPU backend",
                cause = fault
            ))),
            None => Ok(()),
        }
    }
}

fn no_adapter(reason: &str) -> Message {
    let advice = if cfg!(target_arch = "wasm32") {
        message!("gpu.use_a_browser", "use a browser with WebGPU, or the CPU backend")
    } else {
        Message::uncoded(
            "install a Vulkan driver (on Debian and Ubuntu: apt-get install mesa-vulkan-drivers libvulkan1), or use the CPU \
             backend",
        )
    };
    message!("gpu.none", "no GPU adapter was found ({cause}); {advice}", cause = reason, advice)
}
