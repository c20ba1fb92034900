//! Runs plans on the CPU, in slices of a time budget.

use crate::cpu::gemm::Scratch;
use crate::error::{Error, Result};
use crate::graph::{Advance, Buf, CpuArgs, Layout, Loc, Meta, Plan, RawSlice, RunId, Shapes, pool_slots};
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
        self.lines.try_reserve_exact(more).map_err(|_| no_room(bytes))?;
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

fn no_room(bytes: usize) -> Error {
    let mib = bytes.div_ceil(1 << 20);
    Error::Device(format!("there is no room for a buffer of {mib} MiB; close other tabs or use a smaller model"))
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
        let mut made = Vec::new();
        for (buf, bytes) in layout.buffers() {
            if !self.buffers.contains_key(&buf) {
                let mut buffer = Buffer::default();
                let before: u64 = made.iter().map(|(_, b): &(Buf, Buffer)| b.bytes()).sum();
                self.check_limit(before, bytes)?;
                buffer.grow(bytes)?;
                made.push((buf, buffer));
            }
        }
        self.buffers.extend(made);
        Ok(())
    }

    /// Refuses `bytes` more beside what there is and `before` bytes that are not in it yet.
    fn check_limit(&self, before: u64, bytes: usize) -> Result<()> {
        let Some(limit) = self.limit else { return Ok(()) };
        let held: u64 = self.buffers.values().map(Buffer::bytes).sum();
        if held + before + bytes as u64 <= limit { Ok(()) } else { Err(no_room(bytes)) }
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
        for (slot, &bytes) in slots.iter().enumerate() {
            let has = self.buffers.get(&Buf::Temp(slot)).map_or(0, Buffer::bytes);
            self.check_limit(0, (bytes as u64).saturating_sub(has) as usize)?;
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
