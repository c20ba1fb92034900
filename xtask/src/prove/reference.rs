//! The native program against the reference implementations of PyTorch and Hugging Face: each proof is a script that
//! runs both and prints one line of evidence.

use super::Context;
use crate::sh;
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;

/// A script with the options that all of them take.
pub(super) fn script(context: &Context, name: &str, args: &[&str], scratch: &str) -> Result<Command> {
    let mut command = context.python()?;
    command.arg(format!("scripts/{name}.py")).args(args).arg("--gpt").arg(context.gpt()?);
    command.arg("--scratch").arg(context.scratch(scratch)?);
    // Progress bars would only clutter the message of a failure.
    command.env("HF_HUB_OFFLINE", "1").env("HF_HUB_DISABLE_PROGRESS_BARS", "1").env("TQDM_DISABLE", "1");
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}

/// Logits of the shipped model over several sequences, from one token to the full context.
///
/// # Errors
/// When a program fails or the difference is larger than the script's tolerance.
pub fn logits(context: &Context, backend: &str) -> Result<String> {
    let mut command = script(context, "prove_logits", &["--backend", backend], &format!("logits-{backend}"))?;
    sh::read(command.arg("--model").arg(context.shipped_model()))
}

/// `what` of `scripts/prove_shipped.py`: greedy text, captured tensors, or the loss of texts.
///
/// # Errors
/// When a program fails or the script finds a difference.
pub fn shipped(context: &Context, what: &str, backend: &str) -> Result<String> {
    let name = format!("{what}-{backend}");
    let mut command = script(context, "prove_shipped", &[what, "--backend", backend], &name)?;
    command.arg("--model").arg(context.shipped_model());
    if what == "eval" {
        command.args(["--text", "tests/fixtures/tokenizer/train.txt"]);
        texts(&mut command, context)?;
    }
    sh::read(&mut command)
}

/// The textbook GPT of plain PyTorch modules, at full size.
///
/// # Errors
/// As [`shipped`].
pub fn textbook(context: &Context, backend: &str) -> Result<String> {
    let name = format!("textbook-{backend}");
    let out = sh::read(&mut script(context, "model_fixtures", &["prove-textbook", "--backend", backend], &name)?)?;
    // The lines before it are about the model that was made.
    Ok(out.lines().last().unwrap_or_default().to_string())
}

/// A model of GPT-2's size and layout, on both backends.
///
/// # Errors
/// As [`shipped`].
pub fn gpt2(context: &Context) -> Result<String> {
    sh::read(&mut script(context, "prove_gpt2", &[], "gpt2")?)
}

/// Token ids of random Unicode, awkward cases and the texts of `--data`.
///
/// # Errors
/// As [`shipped`].
pub fn tokenizer(context: &Context) -> Result<String> {
    let mut command = script(context, "prove_tokenizer", &[], "tokenizer")?;
    command.arg("--model").arg(context.shipped_model());
    texts(&mut command, context)?;
    sh::read(&mut command)
}

/// Adds every `*.txt` of `--data`.
fn texts(command: &mut Command, context: &Context) -> Result<()> {
    let Some(folder) = context.data() else { return Ok(()) };
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|e| Ok(e?.path())).collect::<Result<_>>()?;
    found.retain(|path| path.extension().is_some_and(|e| e == "txt"));
    found.sort();
    for path in found {
        command.arg("--text").arg(path);
    }
    Ok(())
}
