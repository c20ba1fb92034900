//! Reading device memory back, without blocking the browser.

use super::GpuContext;
use crate::error::{Error, Result};
use crate::message::message;

/// Copies a range of a buffer to the host. Natively this waits; in the browser it suspends.
pub(crate) async fn read(cx: &GpuContext, buffer: &wgpu::Buffer, offset: usize, bytes: usize) -> Result<Vec<u8>> {
    let staging = cx.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("readback"),
        size: bytes as u64,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = cx.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("readback") });
    encoder.copy_buffer_to_buffer(buffer, offset as u64, &staging, 0, bytes as u64);
    cx.queue.submit([encoder.finish()]);
    let (answer, mapped) = cx.fault.wait();
    staging.map_async(wgpu::MapMode::Read, .., answer);
    poll(cx)?;
    let mapped = mapped.await.map_err(|e| e.to_string()).and_then(|done| done.map_err(|e| e.to_string()));
    let view = mapped.and_then(|()| staging.get_mapped_range(..).map_err(|e| e.to_string()));
    // What cannot be read now cannot be read later: the device has failed. A fault before this one explains it better.
    if let Err(e) = &view {
        cx.fault.record(message!("gpu.not_read", "it could not be read: {cause}", cause = e));
    }
    cx.check()?;
    let Ok(view) = view else { return Err(gone()) };
    let data = view.to_vec();
    drop(view);
    staging.unmap();
    staging.destroy();
    Ok(data)
}

/// Waits until the device has done everything submitted.
pub(crate) async fn finish(cx: &GpuContext) -> Result<()> {
    let (answer, done) = cx.fault.wait();
    cx.queue.on_submitted_work_done(move || answer(Ok(())));
    poll(cx)?;
    let done = done.await;
    cx.check()?;
    done.map_err(|_| gone())?.map_err(|_| gone())
}

fn gone() -> Error {
    Error::Device(message!("gpu.silent", "the GPU does not answer; use the CPU backend"))
}

/// Natively nothing moves unless the device is polled; a browser does it by itself.
fn poll(cx: &GpuContext) -> Result<()> {
    #[cfg(not(target_arch = "wasm32"))]
    cx.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|e| {
        Error::Device(crate::message::Message::uncoded(format!("the GPU did not finish ({e}); use the CPU backend")))
    })?;
    #[cfg(target_arch = "wasm32")]
    let _ = cx;
    Ok(())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::{GpuContext, finish, read};
    use pollster::block_on;

    fn buffer(cx: &GpuContext) -> wgpu::Buffer {
        cx.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 16,
            usage: wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        })
    }

    #[test]
    fn a_device_that_was_destroyed_is_lost_for_good() {
        let cx = block_on(GpuContext::open()).expect("a Vulkan driver");
        let data = buffer(&cx);
        assert_eq!(block_on(read(&cx, &data, 0, 16)), Ok(vec![0; 16]));
        cx.device.destroy();
        for _ in 0..2 {
            assert!(block_on(read(&cx, &data, 0, 16)).is_err());
            assert!(block_on(finish(&cx)).is_err());
            assert!(cx.check().is_err());
        }
    }
}
