//! Runs op cases on an executor and compares results.

use super::cases::{Case, Data, Fate};
use super::overflow_cases::says_overflow;
use gpt_playground::error::Result;
use gpt_playground::exec::Executor;
use gpt_playground::graph::{DType, Graph, Layout, Plan};
use std::sync::Arc;

/// An executor with the layout of all cases it ran.
pub struct Runner {
    pub executor: Executor,
    layout: Layout,
    ran: usize,
}

impl Runner {
    /// Wraps an executor.
    pub fn new(executor: Executor) -> Self {
        Self { executor, layout: Layout::default(), ran: 0 }
    }

    /// Compiles a case as a plan of its own.
    pub fn compile(&mut self, case: &Case) -> Result<Plan> {
        self.ran += 1;
        let mut graph = Graph::new();
        let prefix = format!("case {}", self.ran);
        let updated: Vec<usize> = case.op.updates().iter().map(|u| u.1).collect();
        let mut inputs = Vec::new();
        for (i, meta) in case.metas().into_iter().enumerate() {
            let name = format!("{prefix}.in{i}");
            inputs.push(if updated.contains(&i) { graph.state(&name, meta) } else { graph.input(&name, meta) });
        }
        let metas: Vec<_> = inputs.iter().map(|&t| graph.tensor(t).meta.clone()).collect();
        let count = case.op.infer(&metas.iter().collect::<Vec<_>>()).map_or(0, |o| o.len());
        let names: Vec<String> = (0..count).map(|o| format!("{prefix}.out{o}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        graph.apply(&names, Arc::clone(&case.op), &inputs)?;
        names.iter().try_for_each(|name| graph.capture(name).map(|_| ()))?;
        Plan::compile(&case.label, graph, &mut self.layout, &self.executor.limits())
    }

    /// Runs a case and returns its outputs as raw words with their types.
    pub async fn run(&mut self, case: &Case) -> Result<Vec<(DType, Vec<u32>)>> {
        let plan = Arc::new(self.compile(case)?);
        self.executor.allocate(&self.layout).await?;
        let index = self.executor.add_plan(Arc::clone(&plan)).await?;
        for (i, (_, data)) in case.inputs.iter().enumerate() {
            let loc = self.layout.find(&format!("case {}.in{i}", self.ran)).expect("the input has a place");
            match data {
                Data::F32(v) => self.executor.write(loc, bytemuck::cast_slice(v)),
                Data::U32(v) => self.executor.write(loc, bytemuck::cast_slice(v)),
            }
        }
        // What is not written must not look right by chance: poison the outputs that are not updates.
        let step = &plan.steps[0];
        for (o, &t) in step.outputs.iter().enumerate() {
            if !case.op.updates().iter().any(|u| u.0 == o) {
                let loc = plan.loc(t);
                self.executor.write(loc, bytemuck::cast_slice(&vec![7.7e36f32; loc.bytes / 4]));
            }
        }
        self.executor.run(index, 1).await?;
        let mut outputs = Vec::new();
        for &t in &step.outputs {
            outputs.push((plan.tensor(t).meta.dtype, self.executor.read_u32(plan.loc(t)).await?));
        }
        Ok(outputs)
    }
}

/// max |a - b| / max |b|; infinite where either is not finite and they differ.
pub fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len(), "lengths differ");
    let largest = b.iter().filter(|x| x.is_finite()).fold(0.0f32, |m, x| m.max(x.abs())).max(1e-30);
    a.iter().zip(b).fold(0.0f32, |worst, (x, y)| {
        let d = if x == y { 0.0 } else { (x - y).abs() / largest };
        if d.is_nan() { f32::INFINITY } else { worst.max(d) }
    })
}

/// Compares a case's outputs with the CPU's: floats within the case's tolerance, and not finite in both where the case says
/// so; words exactly, unless they are the control block, whose float fields are compared as such.
pub fn compare(case: &Case, got: &[(DType, Vec<u32>)], want: &[(DType, Vec<u32>)]) -> std::result::Result<(), String> {
    for (o, ((dtype, got), (_, want))) in got.iter().zip(want).enumerate() {
        let (got_f, want_f): (Vec<f32>, Vec<f32>) =
            (bytemuck::cast_slice(got).to_vec(), bytemuck::cast_slice(want).to_vec());
        let fates = case.fates.iter().find(|(of, _)| *of == o).map(|(_, fates)| fates.as_slice());
        let (got_f, want_f) = match fates {
            Some(fates) => (kept(&got_f, fates)?, kept(&want_f, fates).map_err(|e| format!("on the CPU: {e}"))?),
            None => (got_f, want_f),
        };
        if case.op.name() == "sample" && o == 0 {
            control_block(got, want, case.tolerance)?;
            if !case.fates.is_empty() && !says_overflow(got) {
                return Err("the control block does not say that a logit was not finite".into());
            }
        } else if *dtype == DType::F32 {
            let d = difference(&got_f, &want_f);
            if d > case.tolerance {
                let at = (0..got_f.len()).find(|&i| difference(&got_f[i..=i], &want_f[i..=i]) > case.tolerance);
                return Err(format!("output {o} differs by {d:e}, first at {at:?}"));
            }
        } else if let Some(i) = (0..got.len()).find(|&i| got[i] != want[i]) {
            return Err(format!("output {o} differs at {i}: {} instead of {}", got[i], want[i]));
        }
    }
    Ok(())
}

/// The elements that must be finite; an error where one is not, or one is that must not be.
fn kept(values: &[f32], fates: &[Fate]) -> std::result::Result<Vec<f32>, String> {
    assert_eq!(values.len(), fates.len(), "lengths differ");
    let wrong = |(x, fate): (&f32, &Fate)| *fate != Fate::Either && x.is_finite() != (*fate == Fate::Kept);
    if let Some(i) = values.iter().zip(fates).position(wrong) {
        return Err(format!("element {i} is {}, but must be {:?}", values[i], fates[i]));
    }
    Ok(values.iter().zip(fates).filter(|(_, fate)| **fate == Fate::Kept).map(|(x, _)| *x).collect())
}

fn control_block(got: &[u32], want: &[u32], tolerance: f32) -> std::result::Result<(), String> {
    use gpt_playground::ops::control::{RECORD, RING_START};
    for (i, (&g, &w)) in got.iter().zip(want).enumerate() {
        let field = i.checked_sub(RING_START).map(|r| r % RECORD);
        // Within a record: id, log-probability, entropy, rank, ten ids, ten log-probabilities.
        let float = matches!(field, Some(1 | 2 | 14..));
        let (a, b) = (f32::from_bits(g), f32::from_bits(w));
        let same = if float { a == b || (a - b).abs() <= tolerance * b.abs().max(1.0) } else { g == w };
        if !same {
            return Err(format!("control word {i} is {g} ({a}) instead of {w} ({b})"));
        }
    }
    Ok(())
}
