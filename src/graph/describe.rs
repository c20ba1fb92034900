//! A plan in words: ops, shapes, bytes and peak memory, known before anything is allocated.

use super::{Layout, Plan};
use std::fmt::Write as _;

impl Plan {
    /// A table of the plan's steps, then its memory. `layout` must be the one it was compiled against.
    pub fn describe(&self, layout: &Layout) -> String {
        let mut text = format!("{}: {} ops, {} dispatches\n", self.name, self.steps.len(), self.dispatches());
        for step in &self.steps {
            let mflop = self.with_shapes(step, |s| step.op.flops(s)) as f64 / 1e6;
            let outputs: Vec<String> = step
                .outputs
                .iter()
                .map(|&t| {
                    let t = self.tensor(t);
                    let dims: Vec<String> = t.meta.shape.iter().map(usize::to_string).collect();
                    format!("{} ({})", t.name, dims.join(", "))
                })
                .collect();
            let _ = writeln!(text, "  {:<20} {:>10.3} MFLOP  {}", step.op.name(), mflop, outputs.join(", "));
        }
        let (temp, weights, states) = (self.temp_bytes(), layout.param_bytes(), layout.own_bytes());
        let _ = writeln!(
            text,
            "  temporaries {temp} bytes in {} slots, weights {weights} bytes, states and inputs {states} bytes",
            self.slots.len()
        );
        text
    }
}
