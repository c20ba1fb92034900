//! Runs plans on the CPU, in slices of a time budget.

use crate::cpu::gemm::Scratch;
use crate::error::{Error, Result};
use crate::graph::{Advance, Buf, CpuArgs, Layout, Loc, Meta, Plan, RawSlice, RunId, Shapes, pool_slots};
use crate::message::message;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use web_time::{Duration, Instant};

/// A buffer whose 64-byte alignment lets vector loads stay within cache lines.
#[derive(Debug, Default)]
struct Buffer {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(64))]
struct Line([u32; 16]);

impl Buffer {
    fn grow(&mut self, bytes: usize) -> Result<()> {
        let lines = bytes.div_ceil(64);
        let more = lines.saturating_sub(self.lines.len());
        self.lines.try_reserve_exact(more).map_err(|_| no_room(bytes as u64))?;
        self.lines.resize(lines.max(self.lines.len()), Line::default());
        Ok(())
    }

    fn shrink(&mut self, bytes: usize) {
        self.lines.truncate(bytes.div_ceil(64));
        self.lines.shrink_to_fit();
    }

    fn bytes(&self) -> u64 {
        self.lines.len() as u64 * 64
    }

    fn words(&mut self) -> &mut [u32] {
        let len = self.lines.len() * 16;
        // SAFETY: `Line` is `repr(C)` over sixteen u32 and has no padding, so the vector is one array of u32.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), len) }
    }
}

/// Whether there is room for so many bytes more, before any of them is taken. Taken part by part, they would be gone where the
/// last part is refused: WebAssembly's memory never shrinks, and a system may promise each part and not have them all.
fn has_room(bytes: u64) -> bool {
    let mut left = usize::try_from(bytes).ok().filter(|_| bytes < usize::MAX as u64);
    let mut parts: Vec<Vec<u8>> = Vec::new();
    while let Some(more) = left.filter(|&left| left > 0) {
        // No allocation may be larger.
        let part = more.min(isize::MAX as usize);
        let mut reserved = Vec::new();
        if reserved.try_reserve_exact(part).is_err() {
            return false;
        }
        parts.push(reserved);
        left = Some(more - part);
    }
    // What is never looked at would never be reserved.
    std::hint::black_box(&parts);
    left.is_some()
}

fn no_room(bytes: u64) -> Error {
    let mib = bytes.div_ceil(1 << 20);
    Error::Device(message!(
        "memory.cpu",
        "there is no room for {needed} MiB more; close other tabs or use a smaller model",
        needed = mib
    ))
}

struct Prepared {
    plan: Arc<Plan>,
    commit: usize,
    steps: Vec<PreparedStep>,
}

struct PreparedStep {
    tasks: usize,
    inputs: Vec<Loc>,
    outputs: Vec<Loc>,
}

/// A run in progress: which plan, how often still, and how far.
#[derive(Debug, Clone, Copy)]
struct Run {
    plan: usize,
    repeats: usize,
    step: usize,
    task: usize,
}

/// Executes plans on the CPU.
#[derive(Default)]
pub struct CpuExecutor {
    buffers: HashMap<Buf, Buffer>,
    /// By index; `None` where one was removed, until another takes its place.
    plans: Vec<Option<Prepared>>,
    /// Most bytes of all buffers together.
    limit: Option<u64>,
    run: Option<Run>,
    /// Runs begun or dropped: the newest is the one in progress.
    runs: u64,
    scratch: Scratch,
}

impl CpuExecutor {
    /// An executor without plans or memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the most bytes that all buffers may take together; what would pass them is refused like what memory refuses.
    pub fn set_limit(&mut self, limit: Option<u64>) {
        self.limit = limit;
    }

    /// Allocates what the layout lists and is not there yet, zeroed.
    ///
    /// # Errors
    /// [`Error::Device`] when memory is refused: nothing is then allocated.
    pub fn allocate(&mut self, layout: &Layout) -> Result<()> {
        let missing = layout.buffers().into_iter().filter(|(buf, _)| !self.buffers.contains_key(buf));
        let missing: Vec<_> = missing.collect();
        self.check_room(missing.iter().map(|(_, bytes)| *bytes as u64).sum())?;
        let mut made = Vec::with_capacity(missing.len());
        for (buf, bytes) in missing {
            let mut buffer = Buffer::default();
            buffer.grow(bytes)?;
            made.push((buf, buffer));
        }
        self.buffers.extend(made);
        Ok(())
    }

    /// Refuses `more` bytes beside what there is where they would pass the limit, or memory has no room for them.
    fn check_room(&self, more: u64) -> Result<()> {
        let held: u64 = self.buffers.values().map(Buffer::bytes).sum();
        let allowed = self.limit.is_none_or(|limit| held + more <= limit);
        if allowed && has_room(more) { Ok(()) } else { Err(no_room(more)) }
    }

    /// Frees what the layout does not list. No plan may use it.
    pub fn release(&mut self, layout: &Layout) {
        let kept: HashSet<Buf> = layout.buffers().into_iter().map(|(buf, _)| buf).collect();
        self.buffers.retain(|buf, _| matches!(buf, Buf::Temp(_)) || kept.contains(buf));
    }

    /// Adds a plan and allocates its temporaries; returns its index. The layout's buffers must be allocated already.
    ///
    /// # Errors
    /// [`Error::Device`] when memory is refused: the plans there were then work as before.
    pub fn add_plan(&mut self, plan: Arc<Plan>) -> Result<usize> {
        // In place: beside the pool that there is, a larger one might not find room.
        if let Err(e) = self.grow_pool(&plan.slots) {
            self.shrink_pool();
            return Err(e);
        }
        let steps = plan
            .steps
            .iter()
            .map(|step| PreparedStep {
                tasks: plan.with_shapes(step, |s| step.op.cpu_tasks(s)).max(1),
                inputs: step.inputs.iter().map(|&t| plan.loc(t)).collect(),
                outputs: step.outputs.iter().map(|&t| plan.loc(t)).collect(),
            })
            .collect();
        let index = self.plans.iter().position(Option::is_none).unwrap_or_else(|| {
            self.plans.push(None);
            self.plans.len() - 1
        });
        self.plans[index] = Some(Prepared { commit: plan.commit(), plan, steps });
        Ok(index)
    }

    fn grow_pool(&mut self, slots: &[usize]) -> Result<()> {
        let more = slots.iter().enumerate().map(|(slot, &bytes)| {
            let has = self.buffers.get(&Buf::Temp(slot)).map_or(0, Buffer::bytes);
            (bytes as u64).saturating_sub(has)
        });
        self.check_room(more.sum())?;
        for (slot, &bytes) in slots.iter().enumerate() {
            self.buffers.entry(Buf::Temp(slot)).or_default().grow(bytes)?;
        }
        Ok(())
    }

    /// Frees temporaries that no plan needs.
    fn shrink_pool(&mut self) {
        let slots = pool_slots(self.plans.iter().flatten().map(|p| p.plan.as_ref()));
        self.buffers.retain(|buf, buffer| match buf {
            Buf::Temp(slot) if *slot >= slots.len() => false,
            Buf::Temp(slot) => {
                buffer.shrink(slots[*slot]);
                true
            }
            _ => true,
        });
    }

    /// Forgets plans and frees the temporaries that only they needed; what they were compiled against stays allocated.
    pub fn remove_plans(&mut self, plans: &[usize]) {
        self.cancel();
        plans.iter().for_each(|&index| self.plans[index] = None);
        self.shrink_pool();
    }

    /// Fills a buffer's range with zeros.
    pub fn clear(&mut self, loc: Loc) {
        self.words(loc).fill(0);
    }

    /// Copies bytes into a buffer.
    pub fn write(&mut self, loc: Loc, bytes: &[u8]) {
        let target: &mut [u8] = bytemuck::cast_slice_mut(self.words(loc));
        target[..bytes.len()].copy_from_slice(bytes);
    }

    /// Copies a range out.
    pub fn read(&mut self, loc: Loc) -> Vec<u8> {
        bytemuck::cast_slice(self.words(loc)).to_vec()
    }

    fn words(&mut self, loc: Loc) -> &mut [u32] {
        let buffer = self.buffers.get_mut(&loc.buf).expect("the buffer was allocated");
        &mut buffer.words()[loc.offset / 4..(loc.offset + loc.bytes) / 4]
    }

    /// Starts a run of a plan, `repeats` times over. A run in progress is dropped: what it had written so far stays.
    pub fn begin(&mut self, plan: usize, repeats: usize) -> RunId {
        self.cancel();
        self.run = (repeats > 0).then_some(Run { plan, repeats, step: 0, task: 0 });
        RunId(self.runs)
    }

    /// Drops the run in progress.
    pub fn cancel(&mut self) {
        self.run = None;
        self.runs += 1;
    }

    /// Works on a run until it ends or the budget is used up. At least one piece of work is done each time.
    pub fn advance(&mut self, run: RunId, budget: Duration) -> Advance {
        if run.0 != self.runs {
            return Advance::Lost;
        }
        let start = Instant::now();
        while let Some(mut run) = self.run {
            self.task(run);
            let prepared = prepared(&self.plans, run.plan);
            run.task += 1;
            if run.task == prepared.steps[run.step].tasks {
                (run.step, run.task) = (run.step + 1, 0);
            }
            if run.step == prepared.steps.len() {
                (run.step, run.repeats) = (0, run.repeats - 1);
            }
            self.run = (run.repeats > 0).then_some(run);
            // Half an update of the weights must never be left behind.
            let committing = run.step >= prepared.commit && run.step > 0;
            if start.elapsed() >= budget && !committing {
                break;
            }
        }
        if self.run.is_none() { Advance::Done } else { Advance::Working }
    }

    fn task(&mut self, run: Run) {
        let prepared = prepared(&self.plans, run.plan);
        let (plan, step) = (&prepared.plan, &prepared.plan.steps[run.step]);
        let locs = &prepared.steps[run.step];
        let input_metas: Vec<&Meta> = step.inputs.iter().map(|&t| &plan.tensor(t).meta).collect();
        let output_metas: Vec<&Meta> = step.outputs.iter().map(|&t| &plan.tensor(t).meta).collect();
        let inputs: Vec<RawSlice> = raw(&mut self.buffers, &locs.inputs, &input_metas);
        let outputs: Vec<RawSlice> = raw(&mut self.buffers, &locs.outputs, &output_metas);
        let shapes = Shapes { inputs: &input_metas, outputs: &output_metas };
        let mut args = CpuArgs { inputs: &inputs, outputs: &outputs, shapes, scratch: &mut self.scratch };
        step.op.cpu(&mut args, run.task);
    }
}

fn prepared(plans: &[Option<Prepared>], plan: usize) -> &Prepared {
    plans[plan].as_ref().expect("a plan that was not removed")
}

fn raw(buffers: &mut HashMap<Buf, Buffer>, locs: &[Loc], metas: &[&Meta]) -> Vec<RawSlice> {
    locs.iter()
        .zip(metas)
        .map(|(loc, meta)| {
            let words = buffers.get_mut(&loc.buf).expect("the buffer was allocated").words();
            let range = &mut words[loc.offset / 4..(loc.offset + loc.bytes) / 4];
            RawSlice { ptr: range.as_mut_ptr(), len: range.len(), dtype: meta.dtype }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_much_is_refused_before_any_of_it_is_taken() {
        // A petabyte, of which each part alone might be promised.
        let mut layout = Layout::new(1 << 30);
        for i in 0..1 << 20 {
            layout.add_param(&format!("{i}"), &[1, 1 << 28]);
        }
        let error = CpuExecutor::new().allocate(&layout).expect_err("no room").to_string();
        assert!(error.contains("there is no room for 1073741824 MiB"), "{error}");
        assert!(has_room(0) && has_room(1 << 20) && !has_room(u64::MAX));
    }
}
