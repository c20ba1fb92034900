//! Runs plans on the GPU: pipelines, bind groups and buffers are made once; a run only encodes and submits.

use super::pace::Pace;
use super::pipeline::Pipelines;
use super::{GpuContext, readback};
use crate::error::{Error, Result};
use crate::graph::{Advance, Buf, Layout, Loc, Plan, RunId, Target, pool_slots};
use crate::message::{Message, message};
use std::collections::{HashMap, HashSet};
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

struct Prepared {
    plan: Arc<Plan>,
    /// Estimated work of one run in floating-point operations.
    cost: f64,
    dispatches: Vec<Dispatch>,
}

/// Executes plans on the GPU.
pub struct GpuExecutor {
    cx: GpuContext,
    pipelines: Pipelines,
    buffers: Buffers,
    /// By index; `None` where one was removed, until another takes its place.
    plans: Vec<Option<Prepared>>,
    counters: Counters,
    run: Option<Run>,
    /// Runs begun or dropped: the newest is the one in progress.
    runs: u64,
    /// Follows every wait for the device.
    pace: Pace,
    /// Where the pace's times begin.
    started: Instant,
    /// Most bytes of all buffers together.
    limit: Option<u64>,
}

type Buffers = HashMap<Buf, wgpu::Buffer>;

impl GpuExecutor {
    /// An executor without plans or memory.
    pub fn new(cx: GpuContext) -> Self {
        // Careful guesses, until measured.
        let pace = Pace::new(match cx.kind {
            Target::Hardware => 2e11,
            Target::Software => 2e9,
        });
        let (pipelines, buffers, plans) = (Pipelines::default(), HashMap::new(), Vec::new());
        let (counters, started) = (Counters::default(), Instant::now());
        Self { cx, pipelines, buffers, plans, counters, run: None, runs: 0, pace, started, limit: None }
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

    /// Sets the most bytes that all buffers may take together; what would pass them is refused like what the device
    /// refuses.
    pub fn set_limit(&mut self, limit: Option<u64>) {
        self.limit = limit;
    }

    /// Allocates what the layout lists and is not there yet, zeroed.
    ///
    /// # Errors
    /// [`Error::Device`] when memory is refused: nothing is then allocated.
    pub async fn allocate(&mut self, layout: &Layout) -> Result<()> {
        let missing = layout.buffers().into_iter().filter(|(buf, _)| !self.buffers.contains_key(buf));
        let made = self.make(missing.map(|(buf, bytes)| (buf, layout.buffer_name(buf), bytes)).collect()).await?;
        self.buffers.extend(made);
        Ok(())
    }

    /// Frees what the layout does not list. No plan may use it.
    pub fn release(&mut self, layout: &Layout) {
        let kept: HashSet<Buf> = layout.buffers().into_iter().map(|(buf, _)| buf).collect();
        self.buffers.retain(|buf, buffer| {
            let keep = matches!(buf, Buf::Temp(_)) || kept.contains(buf);
            if !keep {
                buffer.destroy();
            }
            keep
        });
    }

    /// Makes zeroed buffers, given by label and bytes, which only the caller knows of yet: one that was refused is invalid,
    /// and so would be all that is built on it.
    async fn make(&self, wanted: Vec<(Buf, String, usize)>) -> Result<Buffers> {
        if wanted.is_empty() {
            self.cx.check()?;
            return Ok(Buffers::new());
        }
        let held: u64 = self.buffers.values().map(wgpu::Buffer::size).sum();
        let more: u64 = wanted.iter().map(|(_, _, bytes)| *bytes as u64).sum();
        if let Some(limit) = self.limit
            && held + more > limit
        {
            return Err(no_room(message!(
                "gpu.too_many_bytes",
                "{bytes} bytes are more than the {allowed} allowed",
                bytes = held + more,
                allowed = limit
            )));
        }
        let scope = self.cx.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        // A buffer that is larger than any may be is not out of memory but invalid.
        let invalid = self.cx.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let made: Buffers = wanted.iter().map(|(buf, label, bytes)| (*buf, self.create(label, *bytes))).collect();
        let invalid = invalid.pop().await;
        let result = match scope.pop().await.or(invalid) {
            Some(e) => Err(no_room(Message::uncoded(e.to_string()))),
            None => self.cx.check(),
        };
        if result.is_err() {
            destroy(made.values());
        }
        result.map(|()| made)
    }

    fn create(&self, label: &str, bytes: usize) -> wgpu::Buffer {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let size = buffer_size(bytes);
        self.cx.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size,
            usage,
            mapped_at_creation: false,
        })
    }

    /// Adds a plan: grows the pool of temporaries, makes pipelines and bind groups; returns its index.
    ///
    /// # Errors
    /// [`Error::Device`] when memory is refused or a shader does not compile: the plans there were then work as before.
    pub async fn add_plan(&mut self, plan: Arc<Plan>) -> Result<usize> {
        let wanted = plan.slots.iter().enumerate().map(|(slot, &bytes)| (slot, bytes));
        let made = self.make(self.temporaries(wanted, |has, wants| has < wants)).await?;
        let index = self.plans.iter().position(Option::is_none).unwrap_or(self.plans.len());
        self.adopt(made, Some((index, plan))).await?;
        Ok(index)
    }

    /// Labels for the slots of the pool that are not there yet, or whose bytes and wanted bytes are such that they must be
    /// replaced.
    fn temporaries(
        &self,
        wanted: impl Iterator<Item = (usize, usize)>,
        replace: impl Fn(u64, u64) -> bool,
    ) -> Vec<(Buf, String, usize)> {
        let label = |(slot, bytes): (usize, usize)| {
            let has = self.buffers.get(&Buf::Temp(slot)).map(wgpu::Buffer::size);
            let wants = has.is_none_or(|has| replace(has, buffer_size(bytes)));
            wants.then(|| (Buf::Temp(slot), format!("temporary {slot}"), bytes))
        };
        wanted.filter_map(label).collect()
    }

    /// Puts new buffers in the place of old ones and adds a plan, with all that is built on either; where the device refuses
    /// any of it, everything stays as it was.
    async fn adopt(&mut self, made: Buffers, new: Option<(usize, Arc<Plan>)>) -> Result<()> {
        let mut buffers = self.buffers.clone();
        let replaced: Vec<_> = made.iter().filter_map(|(buf, b)| buffers.insert(*buf, b.clone())).collect();
        let plans = self.plans.iter().enumerate().filter_map(|(i, p)| Some((i, Arc::clone(&p.as_ref()?.plan))));
        let mut plans: Vec<_> = if replaced.is_empty() { Vec::new() } else { plans.collect() };
        plans.extend(new);
        let scope = self.cx.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let invalid = self.cx.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let prepared: Vec<_> = plans.into_iter().map(|(i, plan)| (i, self.prepare(plan, &buffers))).collect();
        let invalid = invalid.pop().await;
        let refused = scope.pop().await;
        let last = prepared.last().map_or("", |(_, p)| p.plan.name.as_str());
        let result = match (refused, invalid) {
            (Some(e), _) => Err(no_room(Message::uncoded(e.to_string()))),
            (None, Some(e)) => Err(Error::Device(message!(
                "gpu.refused",
                "the GPU refused {what}: {cause}. Use the CPU backend",
                what = last,
                cause = e
            ))),
            (None, None) => self.cx.check(),
        };
        self.pipelines.settle(result.is_ok());
        if result.is_err() {
            destroy(made.values());
            return result;
        }
        // A run in progress has lost what it had written to them.
        if !replaced.is_empty() {
            self.cancel();
        }
        // What was submitted before may still use them: the device frees them after.
        destroy(&replaced);
        self.buffers = buffers;
        for (i, prepared) in prepared {
            self.plans.resize_with(self.plans.len().max(i + 1), || None);
            self.plans[i] = Some(prepared);
        }
        Ok(())
    }

    fn prepare(&mut self, plan: Arc<Plan>, buffers: &Buffers) -> Prepared {
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
                            buffer: &buffers[&loc.buf],
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
        Prepared { cost: dispatches.iter().map(|d| d.cost).sum(), plan, dispatches }
    }

    /// Copies bytes into a buffer; ordered before later runs.
    pub fn write(&mut self, loc: Loc, bytes: &[u8]) {
        self.counters.bytes_written += bytes.len() as u64;
        self.cx.queue.write_buffer(&self.buffers[&loc.buf], loc.offset as u64, bytes);
    }

    /// Starts a run of a plan, `repeats` times over; [`GpuExecutor::advance`] submits it. A run in progress is dropped.
    pub fn begin(&mut self, plan: usize, repeats: usize) -> RunId {
        self.cancel();
        self.run = (repeats > 0).then_some(Run { plan, repeats, next: 0 });
        RunId(self.runs)
    }

    /// Drops what was begun and not submitted yet.
    pub fn cancel(&mut self) {
        self.run = None;
        self.runs += 1;
    }

    /// Forgets plans and frees the temporaries that only they needed; pipelines and all other buffers stay.
    ///
    /// # Errors
    /// [`Error::Device`] when the device has failed.
    pub async fn remove_plans(&mut self, plans: &[usize]) -> Result<()> {
        self.cancel();
        plans.iter().for_each(|&index| self.plans[index] = None);
        let slots = pool_slots(self.plans.iter().flatten().map(|p| p.plan.as_ref()));
        self.buffers.retain(|buf, buffer| {
            let keep = !matches!(buf, Buf::Temp(slot) if slots.get(*slot).is_none_or(|&bytes| bytes == 0));
            if !keep {
                buffer.destroy();
            }
            keep
        });
        let wanted = slots.into_iter().enumerate().filter(|(_, bytes)| *bytes > 0);
        let smaller = self.temporaries(wanted, |has, wants| has > wants);
        if smaller.is_empty() {
            return self.cx.check();
        }
        match self.make(smaller).await {
            Ok(made) => self.adopt(made, None).await,
            // Where there is no room even for smaller ones beside them, the larger ones serve as well.
            Err(_) => self.cx.check(),
        }
    }

    /// Submits the run in progress, in one command buffer if the device can be expected to do it in a tenth of a second,
    /// else piece by piece, waiting for each, until it is submitted or the budget is used up; returns whether it is.
    ///
    /// # Errors
    /// [`Error::Device`] when the device has failed since.
    pub async fn advance(&mut self, run: RunId, budget: Duration) -> Result<Advance> {
        if run.0 != self.runs {
            return Ok(Advance::Lost);
        }
        let start = Instant::now();
        while let Some(run) = self.run {
            self.cx.check()?;
            if !self.pace.has_room(prepared(&self.plans, run.plan).cost * run.repeats as f64) {
                // Runs that pile up could not be stopped either.
                self.finish().await?;
            }
            let now = self.started.elapsed();
            let (cost, next) = self.submit(run);
            self.run = next;
            self.pace.submitted(cost, now);
            if next.is_none() {
                return Ok(Advance::Done);
            }
            self.finish().await?;
            let uninterruptible =
                next.is_some_and(|r| r.next > 0 && !prepared(&self.plans, r.plan).dispatches[r.next].interruptible);
            if start.elapsed() >= budget && !uninterruptible {
                return Ok(Advance::Working);
            }
        }
        Ok(Advance::Done)
    }

    /// Encodes and submits as much of a run as fits one submit; returns its cost and what is left.
    fn submit(&mut self, mut run: Run) -> (f64, Option<Run>) {
        let prepared = prepared(&self.plans, run.plan);
        let label = Some(prepared.plan.name.as_str());
        let mut encoder = self.cx.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label });
        let mut cost = 0.0;
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label, ..Default::default() });
            while run.repeats > 0 {
                let d = &prepared.dispatches[run.next];
                if cost > 0.0 && cost + d.cost > self.pace.submit_cost() {
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
        let asked = self.started.elapsed();
        let done = readback::finish(&self.cx).await;
        self.pace.waited(asked, self.started.elapsed());
        done
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
        self.counters.bytes_read += loc.bytes as u64;
        let asked = self.started.elapsed();
        let data = readback::read(&self.cx, &self.buffers[&loc.buf], loc.offset, loc.bytes).await;
        self.pace.waited(asked, self.started.elapsed());
        data
    }
}

fn prepared(plans: &[Option<Prepared>], plan: usize) -> &Prepared {
    plans[plan].as_ref().expect("a plan that was not removed")
}

/// Bytes of the buffer that holds so many: never zero, a multiple of 16.
fn buffer_size(bytes: usize) -> u64 {
    (bytes as u64).max(16).next_multiple_of(16)
}

fn no_room(reason: Message) -> Error {
    Error::Device(message!(
        "memory.gpu",
        "the GPU has no room for this model ({cause}); close other tabs, or use a smaller model \
         or the CPU backend",
        cause = reason
    ))
}

/// Frees device memory now: without this it waits for JavaScript's garbage collector, which does not know of it.
fn destroy<'a>(buffers: impl IntoIterator<Item = &'a wgpu::Buffer>) {
    buffers.into_iter().for_each(wgpu::Buffer::destroy);
}

impl Drop for GpuExecutor {
    fn drop(&mut self) {
        destroy(self.buffers.values());
        self.cx.device.destroy();
    }
}
