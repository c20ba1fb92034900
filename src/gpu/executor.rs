//! Runs plans on the GPU: pipelines, bind groups and buffers are made once; a run only encodes and submits.

use super::pipeline::Pipelines;
use super::{GpuContext, readback};
use crate::error::{Error, Result};
use crate::graph::{Buf, Layout, Loc, Plan, Target};
use std::collections::HashMap;
use std::sync::Arc;
use web_time::{Duration, Instant};

/// What the executor has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Compute dispatches encoded.
    pub dispatches: u64,
    /// Command buffers submitted with compute work.
    pub submits: u64,
    /// Times the host waited for device data.
    pub readbacks: u64,
    /// Bytes read back.
    pub bytes_read: u64,
    /// Bytes written by the host.
    pub bytes_written: u64,
}

struct Dispatch {
    /// Estimated work in floating-point operations.
    cost: f64,
    /// Whether a run may be interrupted before it.
    interruptible: bool,
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    workgroups: [u32; 3],
}

/// A run in progress: which plan, how often still, and the next dispatch.
#[derive(Debug, Clone, Copy)]
struct Run {
    plan: usize,
    repeats: usize,
    next: usize,
}

/// No submit should keep a device busy longer: it would delay a stop, and a watchdog might reset the device.
const SUBMIT_SECONDS: f64 = 0.1;

struct Prepared {
    plan: Arc<Plan>,
    dispatches: Vec<Dispatch>,
}

/// Executes plans on the GPU.
pub struct GpuExecutor {
    cx: GpuContext,
    pipelines: Pipelines,
    buffers: HashMap<Buf, wgpu::Buffer>,
    plans: Vec<Prepared>,
    counters: Counters,
    run: Option<Run>,
    /// Floating-point operations per second, measured whenever the device is waited for.
    speed: f64,
    /// Operations submitted and not waited for.
    pending: f64,
}

impl GpuExecutor {
    /// An executor without plans or memory.
    pub fn new(cx: GpuContext) -> Self {
        // Careful guesses, until measured.
        let speed = match cx.kind {
            Target::Hardware => 2e11,
            Target::Software => 2e9,
        };
        let (pipelines, buffers, plans) = (Pipelines::default(), HashMap::new(), Vec::new());
        Self { cx, pipelines, buffers, plans, counters: Counters::default(), run: None, speed, pending: 0.0 }
    }

    /// The device.
    pub fn context(&self) -> &GpuContext {
        &self.cx
    }

    /// What has been done so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Number of distinct pipelines.
    pub fn pipelines(&self) -> usize {
        self.pipelines.len()
    }

    /// Allocates what the layout lists and is not there yet, zeroed.
    ///
    /// # Errors
    /// [`Error::Device`] when memory is refused.
    pub async fn allocate(&mut self, layout: &Layout) -> Result<()> {
        let scope = self.cx.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        for (buf, bytes) in layout.buffers() {
            if !self.buffers.contains_key(&buf) {
                let buffer = self.create(&layout.buffer_name(buf), bytes);
                self.buffers.insert(buf, buffer);
            }
        }
        let refused = scope.pop().await;
        self.settle(refused)
    }

    fn create(&self, label: &str, bytes: usize) -> wgpu::Buffer {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let size = bytes.max(16).next_multiple_of(16) as u64;
        self.cx.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size,
            usage,
            mapped_at_creation: false,
        })
    }

    fn settle(&self, refused: Option<wgpu::Error>) -> Result<()> {
        match refused {
            Some(e) => Err(Error::Device(format!(
                "the GPU has no room for this model ({e}); close other tabs, or use a smaller model or the CPU backend"
            ))),
            None => self.cx.check(),
        }
    }

    /// Adds a plan: grows the pool of temporaries, makes pipelines and bind groups; returns its index.
    ///
    /// # Errors
    /// [`Error::Device`] when memory is refused or a shader does not compile.
    pub async fn add_plan(&mut self, plan: Arc<Plan>) -> Result<usize> {
        let scope = self.cx.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let invalid = self.cx.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let mut grown = false;
        for (slot, &bytes) in plan.slots.iter().enumerate() {
            let buf = Buf::Temp(slot);
            if self.buffers.get(&buf).is_none_or(|b| b.size() < bytes as u64) {
                let buffer = self.create(&format!("temporary {slot}"), bytes);
                // The old buffer may still be used by work in flight; dropping the handle lets the device free it after.
                grown |= self.buffers.insert(buf, buffer).is_some();
            }
        }
        if grown {
            for i in 0..self.plans.len() {
                let earlier = Arc::clone(&self.plans[i].plan);
                self.plans[i].dispatches = self.prepare(&earlier);
            }
        }
        let dispatches = self.prepare(&plan);
        let invalid = invalid.pop().await;
        let refused = scope.pop().await;
        self.settle(refused)?;
        if let Some(e) = invalid {
            return Err(Error::Device(format!("the GPU refused {}: {e}. Use the CPU backend", plan.name)));
        }
        self.plans.push(Prepared { plan, dispatches });
        Ok(self.plans.len() - 1)
    }

    fn prepare(&mut self, plan: &Plan) -> Vec<Dispatch> {
        let mut dispatches = Vec::new();
        let commit = plan.commit();
        for (i, step) in plan.steps.iter().enumerate() {
            let kernels = plan.kernels(step, self.cx.kind);
            // A dispatch has costs of its own, about as much as a few thousand operations.
            let cost = plan.with_shapes(step, |s| step.op.flops(s)) as f64 / kernels.len().max(1) as f64 + 1e4;
            for kernel in kernels {
                let locs: Vec<Loc> = kernel.bindings.iter().map(|b| plan.binding(step, b.arg)).collect();
                let lens: Vec<usize> = locs.iter().map(|l| l.bytes / 4).collect();
                let (pipeline, layout) = self.pipelines.get(&self.cx, &kernel, &lens);
                let entries: Vec<_> = locs
                    .iter()
                    .enumerate()
                    .map(|(i, loc)| wgpu::BindGroupEntry {
                        binding: i as u32,
                        resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                            buffer: &self.buffers[&loc.buf],
                            offset: loc.offset as u64,
                            size: wgpu::BufferSize::new(loc.bytes as u64),
                        }),
                    })
                    .collect();
                let group = self.cx.device.create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some(kernel.name),
                    layout: &layout,
                    entries: &entries,
                });
                let workgroups = kernel.workgroups.map(|n| n as u32);
                dispatches.push(Dispatch { cost, interruptible: i <= commit, pipeline, group, workgroups });
            }
        }
        dispatches
    }

    /// Copies bytes into a buffer; ordered before later runs.
    pub fn write(&mut self, loc: Loc, bytes: &[u8]) {
        self.counters.bytes_written += bytes.len() as u64;
        self.cx.queue.write_buffer(&self.buffers[&loc.buf], loc.offset as u64, bytes);
    }

    /// Starts a run of a plan, `repeats` times over; [`GpuExecutor::advance`] submits it. A run in progress is dropped.
    pub fn begin(&mut self, plan: usize, repeats: usize) {
        self.run = (repeats > 0).then_some(Run { plan, repeats, next: 0 });
    }

    /// Drops what was begun and not submitted yet.
    pub fn cancel(&mut self) {
        self.run = None;
    }

    /// Forgets all plans; pipelines and buffers stay.
    pub fn clear_plans(&mut self) {
        self.run = None;
        self.plans.clear();
    }

    /// Submits the run in progress, in one command buffer if the device can be expected to do it in a tenth of a second,
    /// else piece by piece, waiting for each, until it is submitted or the budget is used up; returns whether it is.
    ///
    /// # Errors
    /// [`Error::Device`] when the device has failed since.
    pub async fn advance(&mut self, budget: Duration) -> Result<bool> {
        let start = Instant::now();
        while let Some(run) = self.run {
            self.cx.check()?;
            if self.pending > self.speed * SUBMIT_SECONDS {
                // Runs that pile up could not be stopped either.
                self.finish().await?;
            }
            let begun = Instant::now();
            let (cost, next) = self.submit(run);
            self.run = next;
            self.pending += cost;
            if next.is_none() {
                return Ok(true);
            }
            self.finish().await?;
            let seconds = begun.elapsed().as_secs_f64().max(1e-4);
            // Follows slowly: pieces differ, and the first one of a plan may compile.
            self.speed = (0.7 * self.speed + 0.3 * cost / seconds).max(1e8);
            let uninterruptible =
                next.is_some_and(|r| r.next > 0 && !self.plans[r.plan].dispatches[r.next].interruptible);
            if start.elapsed() >= budget && !uninterruptible {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Encodes and submits as much of a run as fits one submit; returns its cost and what is left.
    fn submit(&mut self, mut run: Run) -> (f64, Option<Run>) {
        let prepared = &self.plans[run.plan];
        let label = Some(prepared.plan.name.as_str());
        let mut encoder = self.cx.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label });
        let mut cost = 0.0;
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label, ..Default::default() });
            while run.repeats > 0 {
                let d = &prepared.dispatches[run.next];
                if cost > 0.0 && cost + d.cost > self.speed * SUBMIT_SECONDS {
                    break;
                }
                cost += d.cost;
                pass.set_pipeline(&d.pipeline);
                pass.set_bind_group(0, &d.group, &[]);
                pass.dispatch_workgroups(d.workgroups[0], d.workgroups[1], d.workgroups[2]);
                self.counters.dispatches += 1;
                run.next += 1;
                if run.next == prepared.dispatches.len() {
                    (run.next, run.repeats) = (0, run.repeats - 1);
                }
            }
        }
        self.cx.queue.submit([encoder.finish()]);
        self.counters.submits += 1;
        (cost, (run.repeats > 0).then_some(run))
    }

    /// Waits until the device has done everything submitted.
    async fn finish(&mut self) -> Result<()> {
        self.pending = 0.0;
        readback::finish(&self.cx).await
    }

    /// Fills a buffer's range with zeros; ordered before later runs.
    pub fn clear(&mut self, loc: Loc) {
        let mut encoder =
            self.cx.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("clear") });
        encoder.clear_buffer(&self.buffers[&loc.buf], loc.offset as u64, Some(loc.bytes as u64));
        self.cx.queue.submit([encoder.finish()]);
    }

    /// Copies a range out, after all work submitted before.
    ///
    /// # Errors
    /// [`Error::Device`] when the device has failed.
    pub async fn read(&mut self, loc: Loc) -> Result<Vec<u8>> {
        self.counters.readbacks += 1;
        self.pending = 0.0;
        self.counters.bytes_read += loc.bytes as u64;
        readback::read(&self.cx, &self.buffers[&loc.buf], loc.offset, loc.bytes).await
    }
}

impl Drop for GpuExecutor {
    fn drop(&mut self) {
        // Device memory must not wait for the garbage collector.
        self.buffers.values().for_each(wgpu::Buffer::destroy);
        self.cx.device.destroy();
    }
}
