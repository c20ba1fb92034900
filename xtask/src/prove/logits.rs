//! Logits of the native program against Hugging Face's `GPT2LMHeadModel`.

use super::Context;
use crate::sh;
use anyhow::Result;

/// Compares over several sequences, from one token to the full context, on one backend.
///
/// # Errors
/// When a program fails or the difference is larger than the script's tolerance.
pub fn run(context: &Context, backend: &str) -> Result<String> {
    let mut command = context.python()?;
    command.arg("scripts/prove_logits.py").arg("--gpt").arg(context.gpt()?);
    command.arg("--model").arg(context.shipped_model()).args(["--backend", backend]);
    command.arg("--scratch").arg(context.scratch(&format!("logits-{backend}"))?);
    sh::read(&mut command)
}
