//! The plan verifier: what WebGPU would refuse, or a wrong lifetime would corrupt, becomes an error that names the tensor.

use super::{Access, Arg, Buf, Elem, Kernel, Loc, Plan, Step, Storage, Target, TensorId};
use crate::error::{Error, Result};
use crate::message::{Message, message};
use std::collections::HashMap;

/// Device limits that a plan must respect, by default those that every WebGPU device has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one storage binding.
    pub binding_bytes: usize,
    /// Storage buffers per dispatch.
    pub bindings: usize,
    /// Workgroups per dimension of a grid.
    pub workgroups: usize,
    /// Alignment of a binding's offset.
    pub align: usize,
    /// Bytes of all temporaries of one plan.
    pub temp_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { binding_bytes: 128 << 20, bindings: 8, workgroups: 65_535, align: 256, temp_bytes: 2 << 30 }
    }
}

/// Checks aliasing, bindings, grid sizes, lifetimes and total size of a plan.
///
/// # Errors
/// [`Error::Plan`] with the plan, the op and the tensor at fault.
pub fn verify(plan: &Plan, limits: &Limits) -> Result<()> {
    let mut tenants = HashMap::new();
    let mut versions = HashMap::new();
    for (i, step) in plan.steps.iter().enumerate() {
        let fail = |reason: Message| {
            Error::Plan(message!(
                "plan.step",
                "{plan}, step {step} ({op}): {cause}",
                plan = plan.name,
                step = i,
                op = step.op.name(),
                cause = reason
            ))
        };
        check_lifetimes(plan, step, &mut tenants, &mut versions).map_err(fail)?;
        check_ranges(plan, step).map_err(fail)?;
        // Both targets, so that what is tested on a software adapter cannot fail on a real GPU alone.
        for kernel in [Target::Hardware, Target::Software].into_iter().flat_map(|t| plan.kernels(step, t)) {
            check_kernel(plan, step, &kernel, limits).map_err(fail)?;
        }
    }
    for &t in &plan.captures {
        let tensor = plan.tensor(t);
        let kept = match tensor.loc {
            None => false,
            Some(loc) => !matches!(loc.buf, Buf::Temp(_)) || tenants.get(&loc.buf) == Some(&home(plan, t)),
        };
        if !kept {
            return Err(Error::Plan(Message::uncoded(format!(
                "{}: {} is captured but overwritten before the end",
                plan.name, tensor.name
            ))));
        }
    }
    if plan.temp_bytes() > limits.temp_bytes {
        let (needs, most) = (plan.temp_bytes() >> 20, limits.temp_bytes >> 20);
        return Err(Error::Plan(message!(
            "memory.temporaries",
            "{plan} needs {needed} MiB for temporaries, more than the {allowed} MiB allowed; use a \
             shorter chunk or batch",
            plan = plan.name,
            needed = needs,
            allowed = most
        )));
    }
    Ok(())
}

/// The tensor that first had this tensor's place: an in-place update keeps its input's.
fn home(plan: &Plan, t: TensorId) -> TensorId {
    let mut at = t;
    while let Some((step, o)) = plan.steps.iter().find_map(|s| Some((s, s.outputs.iter().position(|&x| x == at)?))) {
        match step.op.updates().iter().find(|u| u.0 == o) {
            Some(u) => at = step.inputs[u.1],
            None => break,
        }
    }
    at
}

/// A temporary may be read only while it is what was last written to its slot, and written only once; of a tensor that
/// is updated in place only the newest version may be read.
fn check_lifetimes(
    plan: &Plan,
    step: &Step,
    tenants: &mut HashMap<Buf, TensorId>,
    versions: &mut HashMap<TensorId, TensorId>,
) -> Result<(), Message> {
    for &t in &step.inputs {
        let tensor = plan.tensor(t);
        let loc = tensor.loc.ok_or_else(|| Message::uncoded(format!("{} has no place", tensor.name)))?;
        let first = home(plan, t);
        if matches!(loc.buf, Buf::Temp(_)) && tenants.get(&loc.buf) != Some(&first) {
            let other = tenants.get(&loc.buf).map_or("nothing", |&o| plan.tensor(o).name.as_str());
            return Err(Message::uncoded(format!("reads {}, but its place holds {other}", tensor.name)));
        }
        if let Some(&newest) = versions.get(&first)
            && newest != t
        {
            return Err(Message::uncoded(format!(
                "reads {} after {} replaced it",
                tensor.name,
                plan.tensor(newest).name
            )));
        }
    }
    for (o, &t) in step.outputs.iter().enumerate() {
        let tensor = plan.tensor(t);
        let loc = tensor.loc.ok_or_else(|| Message::uncoded(format!("{} has no place", tensor.name)))?;
        if let Some(u) = step.op.updates().iter().find(|u| u.0 == o) {
            let old = step.inputs[u.1];
            if plan.tensor(old).loc != tensor.loc {
                return Err(Message::uncoded(format!(
                    "{} updates {}, but lives elsewhere",
                    tensor.name,
                    plan.tensor(old).name
                )));
            }
            versions.insert(home(plan, t), t);
        } else if matches!(loc.buf, Buf::Temp(_)) {
            tenants.insert(loc.buf, t);
        } else if tensor.storage != Storage::Temp {
            return Err(Message::uncoded(format!("writes {} without saying that it updates it", tensor.name)));
        }
        let ends = loc.offset + loc.bytes;
        if let Buf::Temp(slot) = loc.buf
            && ends > plan.slots[slot]
        {
            return Err(Message::uncoded(format!(
                "{} ends at byte {ends}, past its slot of {}",
                tensor.name, plan.slots[slot]
            )));
        }
    }
    Ok(())
}

/// What the CPU twin writes must not overlap what it reads, or anything else it writes.
fn check_ranges(plan: &Plan, step: &Step) -> Result<(), Message> {
    let updated: Vec<usize> = step.op.updates().iter().map(|u| u.1).collect();
    for (o, &t) in step.outputs.iter().enumerate() {
        let loc = plan.loc(t);
        let inputs = step.inputs.iter().enumerate().filter(|(i, _)| !updated.contains(i)).map(|(_, t)| t);
        for &other in inputs.chain(&step.outputs[o + 1..]) {
            if loc.overlaps(&plan.loc(other)) {
                return Err(Message::uncoded(format!("{} overlaps {}", plan.tensor(t).name, plan.tensor(other).name)));
            }
        }
    }
    Ok(())
}

fn check_kernel(plan: &Plan, step: &Step, kernel: &Kernel, limits: &Limits) -> Result<(), Message> {
    let name = kernel.name;
    if kernel.bindings.len() > limits.bindings {
        return Err(Message::uncoded(format!(
            "{name} binds {} buffers, more than {}",
            kernel.bindings.len(),
            limits.bindings
        )));
    }
    if let Some(n) = kernel.workgroups.iter().find(|&&n| n > limits.workgroups || n == 0) {
        return Err(message!(
            "plan.workgroups",
            "{shader} has {groups} workgroups in one dimension, not within 1 to {allowed}",
            shader = name,
            groups = n,
            allowed = limits.workgroups
        ));
    }
    let mut bound: Vec<(Access, Loc, &str)> = Vec::new();
    for b in &kernel.bindings {
        let t = match b.arg {
            Arg::Input(i) => step.inputs[i],
            Arg::Output(o) => step.outputs[o],
        };
        let (loc, label) = (plan.loc(t), plan.tensor(t).name.as_str());
        if loc.bytes > limits.binding_bytes {
            let most = limits.binding_bytes;
            return Err(message!(
                "plan.binding",
                "{tensor} takes {bytes} bytes, more than the {allowed} of one binding; use a smaller \
                 batch, a shorter context or a smaller model",
                tensor = label,
                bytes = loc.bytes,
                allowed = most
            ));
        }
        if loc.offset % limits.align != 0 {
            return Err(Message::uncoded(format!(
                "{label} starts at byte {}, not a multiple of {}",
                loc.offset, limits.align
            )));
        }
        if loc.bytes == 0 {
            return Err(Message::uncoded(format!("{label} is empty and cannot be bound")));
        }
        if b.elem == Elem::Vec4 && loc.bytes % 16 != 0 {
            return Err(Message::uncoded(format!(
                "{label} takes {} bytes, which is no whole number of vec4f",
                loc.bytes
            )));
        }
        if matches!(b.arg, Arg::Input(i) if step.op.updates().iter().any(|u| u.1 == i)) {
            return Err(Message::uncoded(format!(
                "{name} binds {label}, which it updates, as an input; bind the output instead"
            )));
        }
        for (access, other, other_label) in &bound {
            // WebGPU's usage scope is the whole buffer: reading one range while writing another is refused too.
            let mixed = *access != b.access && other.buf == loc.buf;
            let both = *access == Access::Write && b.access == Access::Write && other.overlaps(&loc);
            if mixed || both {
                return Err(Message::uncoded(format!(
                    "{name} binds {other_label} and {label}, which share a buffer, and writes one"
                )));
            }
        }
        bound.push((b.access, loc, label));
    }
    Ok(())
}
