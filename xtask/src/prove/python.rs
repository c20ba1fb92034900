//! A Python environment with the reference implementations that the proofs compare with.

use crate::sh::{self, cmd};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// What the proofs' scripts import.
const MODULES: &str = "import numpy, torch, transformers, tokenizers, safetensors, peft";
const PACKAGES: &[&str] = &["numpy", "torch", "transformers", "tokenizers", "safetensors", "peft"];

/// The interpreter in `PROVE_PYTHON`, else one in a virtual environment below `target`, made on first use.
///
/// # Errors
/// When there is no Python 3 or a package cannot be installed.
pub fn ensure() -> Result<PathBuf> {
    if let Some(python) = std::env::var_os("PROVE_PYTHON").filter(|path| !path.is_empty()).map(PathBuf::from) {
        if !ready(&python) {
            bail!("PROVE_PYTHON ({}) cannot run `{MODULES}`: install {} there", python.display(), PACKAGES.join(" "));
        }
        return Ok(python);
    }
    let venv = sh::target_dir().join("prove-venv");
    let python = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !ready(&python) {
        let system = ["python3", "python"].into_iter().find(|name| sh::find(name).is_some());
        let system = system.context("Python 3 is needed for this proof: install it, or name one in PROVE_PYTHON")?;
        let venv = venv.display().to_string();
        sh::run(&mut cmd(system, ["-m", "venv", &venv]))
            .context("cannot make a virtual environment (on Debian: `apt-get install python3-venv`)")?;
        sh::run(cmd(&python.to_string_lossy(), ["-m", "pip", "install"]).args(PACKAGES))?;
    }
    Ok(python)
}

fn ready(python: &Path) -> bool {
    sh::succeeds(&mut cmd(&python.to_string_lossy(), ["-c", MODULES]))
}
