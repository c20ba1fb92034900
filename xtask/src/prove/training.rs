//! Training: what it writes loads elsewhere, and it learns.

use super::Context;
use super::reference::script;
use crate::sh;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// `what` of `scripts/prove_exports.py` on both backends.
///
/// # Errors
/// When transformers or PEFT cannot load a file or computes something else.
pub fn exports(context: &Context, what: &str) -> Result<String> {
    let mut evidence = Vec::new();
    for backend in ["cpu", "gpu"] {
        let name = format!("export-{what}-{backend}");
        let mut command = script(context, "prove_exports", &[what, "--backend", backend], &name)?;
        let out = sh::read(command.arg("--model").arg(context.shipped_model()))?;
        evidence.push(format!("{backend}: {}", out.trim()));
    }
    Ok(evidence.join("; "))
}

/// What the page downloads, a model of GPT-2's size that was tuned as a whole there and an adapter, in transformers and PEFT.
///
/// # Errors
/// When the page fails, a file does not load, or something else is computed.
pub fn exports_page(context: &Context) -> Result<String> {
    crate::setup::web()?;
    crate::build::page()?;
    let browser = crate::setup::ensure_browser()?;
    let mut command = script(context, "prove_page_exports", &[], "export-page")?;
    sh::read(command.arg("--model").arg(context.shipped_model()).env("CHROME", browser.chrome))
}

fn gpt(context: &Context, args: &[&str]) -> Result<Command> {
    let mut command = sh::cmd(&context.gpt()?.to_string_lossy(), [] as [&str; 0]);
    command.args(args);
    Ok(command)
}

/// The highest validation loss that the recipe may end with.
const LIMIT: f64 = 1.90;

/// nanoGPT's recipe for tinyshakespeare on a CPU: 4 layers of 4 heads and 128 channels, 2,000 steps of 12 x 64 characters
/// without dropout.
///
/// # Errors
/// When the text is not among `--data`, or the validation loss is too high.
pub fn nanogpt(context: &Context) -> Result<String> {
    let text = context.data().map(|dir| dir.join("tinyshakespeare.txt")).filter(|path| path.is_file());
    let text = text.context("this proof needs the text: give --data DIR with tinyshakespeare.txt in it")?;
    let scratch = context.scratch("nanogpt")?;
    let log = scratch.join("log.jsonl");
    let begun = Instant::now();
    let mut train = gpt(context, &["train", "--preset", "nanogpt-cpu", "--backend", "cpu", "--seed", "1337"])?;
    sh::run(train.arg("--text").arg(text).arg("--out").arg(scratch.join("out")).arg("--log").arg(&log))?;
    let seconds = begun.elapsed().as_secs_f64();
    let log = std::fs::read_to_string(&log)?;
    let lines: Vec<Value> = log.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let last = lines.last().context("the log is empty")?;
    let loss = last["val_loss"].as_f64().context("the last step was not evaluated")?;
    ensure!(lines.len() == 2000, "{} steps instead of 2000", lines.len());
    // Written so that a NaN fails.
    ensure!(loss <= LIMIT, "the validation loss is {loss:.4}, over {LIMIT}");
    Ok(format!("validation loss {loss:.4} (limit {LIMIT}), training loss {:.4}; {seconds:.0} s", last["loss"]))
}

/// The same recipe in the page, in Chromium, on the CPU backend.
///
/// # Errors
/// As [`nanogpt`].
pub fn nanogpt_page(context: &Context) -> Result<String> {
    let text = context.data().map(|dir| dir.join("tinyshakespeare.txt")).filter(|path| path.is_file());
    let text = text.context("this proof needs the text: give --data DIR with tinyshakespeare.txt in it")?;
    crate::setup::web()?;
    crate::build::page()?;
    let browser = crate::setup::ensure_browser()?;
    let mut command = sh::cmd("node", ["scripts/prove_page_training.mjs"]);
    sh::read(command.arg(text).env("CHROME", browser.chrome))
}

const PARAGRAPH: &str = "Maple the goat kept seven brass buttons in a teapot, and on Thursdays she polished them by the \
                         canal until the frogs could see their own green chins. Nobody had asked her to.\n";

/// Whole words: cut in the middle of one, the tokens would be others.
const BEGIN: &str = "Maple the goat kept";

/// Learns a paragraph by heart and says it again from its first words, greedily.
fn recite(context: &Context, name: &str, train: &[&str], model: Option<&Path>) -> Result<usize> {
    let scratch = context.scratch(&format!("recital-{name}"))?;
    let (text, out) = (scratch.join("paragraph.txt"), scratch.join("out"));
    std::fs::write(&text, PARAGRAPH)?;
    let mut command = gpt(context, &["train", "--weight-decay", "0", "--grad-clip", "1", "--eval-every", "0"])?;
    command.args(train).arg("--text").arg(&text).arg("--out").arg(&out);
    let lora = train.contains(&"--lora-rank");
    if let Some(model) = model {
        command.arg("--model").arg(model);
    }
    sh::run(&mut command)?;
    let length = PARAGRAPH.len().to_string();
    let backend = train.iter().skip_while(|arg| **arg != "--backend").nth(1).unwrap_or(&"cpu");
    let mut command = gpt(context, &["generate", "--json", "--temperature", "0", "--repetition-penalty", "1"])?;
    command.args(["--ignore-eos", "--backend", backend, "--prompt", BEGIN, "--max-new-tokens", &length]);
    match model.filter(|_| lora) {
        Some(model) => command.arg("--model").arg(model).arg("--adapter").arg(&out),
        None => command.arg("--model").arg(&out),
    };
    let said: Value = serde_json::from_str(&sh::read(&mut command)?)?;
    let said = said["text"].as_str().context("no text")?;
    // What follows the text was never learned.
    let rest = PARAGRAPH.strip_prefix(BEGIN).context("the paragraph's beginning")?.trim_end();
    ensure!(said.starts_with(rest), "{name} recites {said:?}");
    Ok(rest.len())
}

/// A paragraph is memorised and recited exactly: by the shipped model, by an adapter beside it, and by a small model from
/// scratch, on both backends.
///
/// # Errors
/// When the recital differs by one letter.
pub fn recital(context: &Context) -> Result<String> {
    let model = context.shipped_model();
    let common = ["--steps", "150", "--batch-size", "2", "--backend", "cpu"];
    let full = recite(context, "full", &[&common[..], &["--lr", "1e-3"]].concat(), Some(model))?;
    let lora = [&common[..], &["--lora-rank", "16", "--lr", "1e-2"]].concat();
    recite(context, "lora", &lora, Some(model))?;
    for backend in ["cpu", "gpu"] {
        let scratch = ["--preset", "tiny", "--steps", "1000", "--batch-size", "4", "--backend", backend];
        recite(context, &format!("scratch-{backend}"), &scratch, None)?;
    }
    Ok(format!("{full} letters exactly: fine-tuned, by an adapter of rank 16, and from scratch on both backends"))
}
