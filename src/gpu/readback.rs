//! Reading device memory back, without blocking the browser.

use super::GpuContext;
use crate::error::{Error, Result};

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
    let (sender, receiver) = futures_channel::oneshot::channel();
    staging.map_async(wgpu::MapMode::Read, .., move |result| {
        // The receiver is gone only if the caller was dropped, who then wants no answer.
        let _ = sender.send(result);
    });
    poll(cx)?;
    let mapped = receiver.await;
    // A fault explains a failed mapping better than the mapping's own error.
    cx.check()?;
    match mapped {
        Ok(Ok(())) => {}
        Ok(Err(e)) => return Err(Error::Device(format!("reading from the GPU failed ({e}); use the CPU backend"))),
        Err(_) => return Err(Error::Device("the GPU went away while it was read; use the CPU backend".into())),
    }
    let view = staging
        .get_mapped_range(..)
        .map_err(|e| Error::Device(format!("reading from the GPU failed ({e}); use the CPU backend")))?;
    let data = view.to_vec();
    drop(view);
    staging.unmap();
    staging.destroy();
    Ok(data)
}

/// Waits until the device has done everything submitted.
pub(crate) async fn finish(cx: &GpuContext) -> Result<()> {
    let (sender, receiver) = futures_channel::oneshot::channel();
    cx.queue.on_submitted_work_done(move || {
        // As above.
        let _ = sender.send(());
    });
    poll(cx)?;
    let done = receiver.await;
    cx.check()?;
    done.map_err(|_| Error::Device("the GPU went away while it worked; use the CPU backend".into()))
}

/// Natively nothing moves unless the device is polled; a browser does it by itself.
fn poll(cx: &GpuContext) -> Result<()> {
    #[cfg(not(target_arch = "wasm32"))]
    cx.device
        .poll(wgpu::PollType::wait_indefinitely())
        .map_err(|e| Error::Device(format!("the GPU did not finish ({e}); use the CPU backend")))?;
    #[cfg(target_arch = "wasm32")]
    let _ = cx;
    Ok(())
}
