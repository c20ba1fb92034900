//! The repository alone is enough: nothing that only this working tree has is needed.

use super::Context;
use crate::sh::{self, cmd};
use anyhow::{Context as _, Result};

/// Clones the last commit and runs `cargo xtask dist` there, with a target directory of its own.
///
/// # Errors
/// When the clone does not build or its page is too large.
pub fn run(context: &Context) -> Result<String> {
    let clone = context.scratch("clone")?;
    sh::run(cmd("git", ["clone", "--quiet", "."]).arg(&clone))?;
    let commit = sh::read(&mut cmd("git", ["rev-parse", "--short", "HEAD"]))?;
    // Installed tools are found through PATH; everything of the project is built anew.
    let mut dist = cmd("cargo", ["xtask", "dist"]);
    let out = sh::read(dist.current_dir(&clone).env("CARGO_TARGET_DIR", clone.join("target")))?;
    let size = out.lines().find(|line| line.starts_with("First load")).context("dist printed no size")?;
    Ok(format!("commit {commit}: {size}"))
}
