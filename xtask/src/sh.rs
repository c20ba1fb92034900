//! Running other programs: each command is echoed to standard error, and a failure says which command it was.

use anyhow::{Context, Result, bail};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository's root").to_path_buf()
}

/// Where the tools that the commands install are kept: below `target`, so that deleting it deletes everything.
pub fn tools_dir() -> PathBuf {
    target_dir().join("tools")
}

/// Cargo's target directory.
pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// A command run in the repository's root that finds the project's own tools first.
pub fn cmd<S: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = S>) -> Command {
    let path = tool_path();
    // Windows starts only `.exe` files by name alone, npm and others are `.cmd` files: so resolve the name here.
    let found = which::which_in(program, Some(&path), root()).unwrap_or_else(|_| PathBuf::from(program));
    let mut command = Command::new(found);
    command.args(args).current_dir(root()).env("PATH", path);
    // What cargo tells xtask about xtask is not for the programs below: it would make build scripts run again.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_BIN_") {
            command.env_remove(&*name);
        }
    }
    command
}

/// `PATH` with the project's own tools in front.
fn tool_path() -> OsString {
    let own = [tools_dir().join("bin"), root().join("node_modules/.bin")];
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(own.into_iter().chain(std::env::split_paths(&rest))).unwrap_or(rest)
}

/// Finds a program as [`cmd`] does.
pub fn find(program: &str) -> Option<PathBuf> {
    which::which_in(program, Some(tool_path()), root()).ok()
}

/// Echoes and runs a command, its output going to the terminal.
///
/// # Errors
/// When it cannot be started or does not exit with 0.
pub fn run(command: &mut Command) -> Result<()> {
    let line = describe(command);
    eprintln!("$ {line}");
    // Standard output is for what the user asked xtask for (`serve` prints its address there).
    command.stdout(std::io::stderr());
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs a command quietly and returns its standard output.
///
/// # Errors
/// When it cannot be started or does not exit with 0; the message holds what it wrote to standard error.
pub fn read(command: &mut Command) -> Result<String> {
    let line = describe(command);
    let out = output(command).with_context(|| format!("cannot start `{line}`"))?;
    if !out.status.success() {
        bail!("`{line}` failed ({})\n{}", out.status, String::from_utf8_lossy(&out.stderr).trim_end());
    }
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_string())
}

/// Whether a command runs and exits with 0; what it prints is thrown away.
pub fn succeeds(command: &mut Command) -> bool {
    output(command).is_ok_and(|out| out.status.success())
}

fn output(command: &mut Command) -> std::io::Result<Output> {
    command.stdin(Stdio::null()).output()
}

/// The command as one would type it.
fn describe(command: &Command) -> String {
    let root = root();
    let program = Path::new(command.get_program());
    let program = match program.strip_prefix(&root) {
        Ok(own) => own.display().to_string(),
        Err(_) => program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy().into_owned(),
    };
    let args = command.get_args().map(|arg| {
        let arg = arg.to_string_lossy();
        if arg.is_empty() || arg.contains(char::is_whitespace) { format!("'{arg}'") } else { arg.into_owned() }
    });
    std::iter::once(program).chain(args).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_named() {
        let error = run(&mut cmd("cargo", ["no-such-subcommand", "two words"])).unwrap_err().to_string();
        assert!(error.contains("cargo no-such-subcommand 'two words'"), "{error}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = read(&mut cmd("no-such-program-anywhere", ["x"])).unwrap_err().to_string();
        assert!(error.contains("cannot start `no-such-program-anywhere x`"), "{error}");
    }

    #[test]
    fn root_is_the_workspace() {
        assert!(root().join("xtask/src/sh.rs").is_file());
    }
}
