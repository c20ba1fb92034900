//! Every call by which the page reaches what may fail (network, storage, locks, its worker) fails, once and for good, in Chromium.

use super::Context;
use crate::{build, setup, sh};
use anyhow::{Context as _, Result, bail};
use std::process::Stdio;

/// Runs the sessions of `tests/page/faults/all.mjs`, which prints a row for each fault.
///
/// # Errors
/// When the page did not do after a fault what it must.
pub fn run(_: &Context) -> Result<String> {
    setup::web()?;
    build::page()?;
    let browser = setup::ensure_browser()?;
    let mut command = sh::cmd("node", ["tests/page/faults/all.mjs"]);
    command.env("CHROME", &browser.chrome).env("XTASK", crate::own::program()?).stdout(Stdio::piped());
    let output = command.spawn().context("cannot start node")?.wait_with_output()?;
    let table = String::from_utf8_lossy(&output.stdout);
    println!("{table}");
    let evidence = table.lines().last().unwrap_or("it printed nothing");
    if !output.status.success() {
        bail!("{evidence}");
    }
    Ok(evidence.to_string())
}
