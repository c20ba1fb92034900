//! The soak: writing, training, opening and closing models for a long time, with memory flat.
//!
//! The engine's program and the page's script print series of what was held as the work went on; here is judged whether
//! they are flat, for all by one measure: the first quarter is warm-up, the second says how much is normal, and in the second
//! half neither the highest value nor the trend (the rise of the line of least squares from its beginning to its end) may
//! pass that by more than 2 % (of bytes) or the room that the series names, whichever is more.

use super::Context;
use crate::sh;
use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

/// Part of what is normal by which bytes may rise.
const PART: f64 = 0.02;

/// A part of the soak, as the programs print it.
#[derive(Deserialize)]
struct Part {
    /// What was done.
    part: String,
    series: Vec<Series>,
}

/// What was held of one thing, in the order in which it was sampled.
#[derive(Deserialize)]
struct Series {
    name: String,
    unit: Unit,
    /// How much more than normal is allowed at least.
    room: f64,
    /// Whether nothing may be added after the first sample.
    #[serde(default)]
    constant: bool,
    values: Vec<f64>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Unit {
    Bytes,
    Count,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Bytes => format!("{:.2} MB", value / 1e6),
            Self::Count => format!("{value:.0}"),
        }
    }
}

/// The line of least squares through the values: its rise from the first to the last.
fn rise(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let (mean_x, mean_y) = ((n - 1.0) / 2.0, values.iter().sum::<f64>() / n);
    let (mut products, mut squares) = (0.0, 0.0);
    for (x, y) in values.iter().enumerate() {
        let x = x as f64 - mean_x;
        products += x * (y - mean_y);
        squares += x * x;
    }
    if squares > 0.0 { products / squares * (n - 1.0) } else { 0.0 }
}

fn highest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// Whether a series is flat: the evidence, or what is not.
fn judge(series: &Series) -> Result<String> {
    let Series { name, unit, room, constant, values } = series;
    ensure!(values.len() >= 8, "{name}: {} samples say nothing", values.len());
    ensure!(values.iter().all(|value| value.is_finite()), "{name}: a sample is not a number");
    if *constant {
        let (first, most) = (values[0], highest(values));
        ensure!(most <= first, "{name} rose from {} to {}", unit.show(first), unit.show(most));
        return Ok(format!("{name} {}", unit.show(first)));
    }
    let half = values.len() / 2;
    let (normal, later) = (highest(&values[half / 2..half]), &values[half..]);
    let allowed = if *unit == Unit::Bytes { (normal * PART).max(*room) } else { *room };
    let (most, trend) = (highest(later), rise(later));
    let found = format!(
        "{name} {} in the second quarter, at most {} in the second half, trend {}{} (allowed {} more)",
        unit.show(normal),
        unit.show(most),
        if trend < 0.0 { "" } else { "+" },
        unit.show(trend),
        unit.show(allowed),
    );
    ensure!(most <= normal + allowed && trend <= allowed.max(0.5), "not flat: {found}");
    Ok(found)
}

/// Judges what a program printed.
fn parts(out: &str) -> Result<String> {
    let mut evidence = Vec::new();
    let mut wrong = Vec::new();
    for line in out.lines().filter(|line| line.starts_with('{')) {
        let part: Part = serde_json::from_str(line).with_context(|| format!("no part of a soak: {line}"))?;
        ensure!(!part.series.is_empty(), "{}: nothing was measured", part.part);
        for series in &part.series {
            match judge(series) {
                Ok(found) => evidence.push(format!("{}: {found}", part.part)),
                Err(error) => wrong.push(format!("{}: {error}", part.part)),
            }
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("; "));
    }
    ensure!(!evidence.is_empty(), "the soak printed nothing");
    Ok(evidence.join("; "))
}

/// The native engine on a backend, in one process.
///
/// # Errors
/// When it fails, or memory is not flat.
pub fn native(context: &Context, backend: &str) -> Result<String> {
    if backend == "gpu" {
        crate::setup::ensure_vulkan()?;
    }
    let run = ["run", "--release", "--quiet", "--example", "soak", "--", "--backend", backend, "--model"];
    let mut command = sh::cmd("cargo", run);
    // glibc's allocator then gives back at once what is freed, so that what is measured is what is held.
    command.env("MALLOC_MMAP_THRESHOLD_", "131072").env("MALLOC_TRIM_THRESHOLD_", "131072");
    let out = sh::read(command.arg(context.shipped_model()))?;
    let found = parts(&out)?;
    let measured = out.contains("resident set");
    Ok(if measured { found } else { format!("the resident set is not measured on this system; {found}") })
}

/// The real page in Chromium on a backend.
///
/// # Errors
/// When it fails, or memory is not flat.
pub fn page(_: &Context, backend: &str) -> Result<String> {
    crate::setup::web()?;
    crate::build::page()?;
    let browser = crate::setup::ensure_browser()?;
    let mut command = sh::cmd("node", ["scripts/prove_page_soak.mjs", backend]);
    command.env("CHROME", browser.chrome).env("XTASK", crate::own::program()?);
    parts(&sh::read(&mut command)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(values: Vec<f64>) -> Series {
        Series { name: "memory".into(), unit: Unit::Bytes, room: 4e6, constant: false, values }
    }

    #[test]
    fn what_only_warms_up_is_flat_and_what_goes_on_rising_is_not() {
        let warm: Vec<f64> = (0..40).map(|i| 100e6 + 50e6 * (1.0 - f64::from((10 - i).max(0)) / 10.0)).collect();
        let found = judge(&bytes(warm)).expect("flat");
        assert!(
            found.contains("at most 150.00 MB in the second half, trend +0.00 MB (allowed 4.00 MB more)"),
            "{found}"
        );
        // A leak that takes 10 MB over the second half, and one that shows in the trend alone, below an early peak.
        let leak = |i: i32| 100e6 + 0.5e6 * f64::from(i);
        let error = judge(&bytes((0..40).map(leak).collect())).expect_err("rises").to_string();
        assert!(error.contains("not flat: memory 109.50 MB"), "{error}");
        let peak = (0..40).map(|i| if i == 15 { 150e6 } else { leak(i) });
        assert!(judge(&bytes(peak.collect())).is_err());
    }

    #[test]
    fn a_saw_is_flat_and_a_step_is_not() {
        let saw = (0..40).map(|i| 100e6 + 10e6 * f64::from(i % 2)).collect();
        judge(&bytes(saw)).expect("flat");
        let step = (0..40).map(|i| if i < 35 { 100e6 } else { 105e6 }).collect();
        assert!(judge(&bytes(step)).is_err());
    }

    #[test]
    fn counts_have_no_room_and_constants_no_warm_up() {
        let count = |values: &[f64], constant| Series {
            name: "buffers".into(),
            unit: Unit::Count,
            room: 0.0,
            constant,
            values: values.to_vec(),
        };
        let warm = [1.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0];
        assert_eq!(judge(&count(&warm[1..], false)).unwrap_err().to_string(), "buffers: 7 samples say nothing");
        judge(&count(&warm, false)).expect("flat");
        let error = judge(&count(&warm, true)).expect_err("it rose").to_string();
        assert_eq!(error, "buffers rose from 1 to 3");
        let late = [3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 4.0];
        assert!(judge(&count(&late, false)).is_err());
    }

    #[test]
    fn every_part_is_judged_and_none_is_no_proof() {
        assert!(parts("nothing").is_err());
        let part = |last: u32| {
            format!(
                r#"{{"part":"8 models","series":[{{"name":"threads","unit":"count","room":0,"values":[4,4,4,4,4,4,4,{last}]}}]}}"#
            )
        };
        assert!(parts(&part(4)).expect("flat").starts_with("8 models: threads 4 in the second quarter"));
        let error = parts(&format!("{}\n{}", part(4), part(5))).expect_err("it rose").to_string();
        assert!(error.starts_with("8 models: not flat: threads"), "{error}");
    }
}
