//! This program, for those that start it again. `cargo test` may build `target/debug/xtask` anew while it runs, with other features
//! of what it depends on; the file that it was started from is then gone. So a copy is made before anything is built.

use crate::sh;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, UNIX_EPOCH};

/// No command runs longer: a copy this old is nobody's.
const LONGEST_RUN: Duration = Duration::from_secs(24 * 3600);

static COPY: OnceLock<PathBuf> = OnceLock::new();

/// Copies this program into `target/xtask-kept`, where it stays for the commands that follow. To be called before anything is built.
///
/// # Errors
/// When the copy cannot be written.
pub fn keep() -> Result<()> {
    let me = std::env::current_exe().context("this program does not find its own file")?;
    let copy = kept(&me, &sh::target_dir().join("xtask-kept"))?;
    // Twice the same is no fault.
    COPY.get_or_init(|| copy);
    Ok(())
}

/// The copy's path.
///
/// # Errors
/// When [`keep`] was not called.
pub fn program() -> Result<&'static Path> {
    let copy = COPY.get();
    ensure!(copy.is_some(), "this program was not copied before it began");
    Ok(copy.expect("it is there"))
}

/// A copy of `program` in `dir` under a name that tells this build from others. Old ones are removed.
fn kept(program: &Path, dir: &Path) -> Result<PathBuf> {
    let meta = fs::metadata(program).with_context(|| format!("cannot read {}", program.display()))?;
    let built = meta.modified()?.duration_since(UNIX_EPOCH)?.as_nanos();
    let name = format!("xtask-{built}-{}{}", meta.len(), std::env::consts::EXE_SUFFIX);
    let copy = dir.join(&name);
    if copy.is_file() {
        return Ok(copy);
    }
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    for entry in fs::read_dir(dir)?.flatten() {
        let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
        if age > LONGEST_RUN {
            // On Windows a program that runs cannot be removed: it goes next time.
            let _ = fs::remove_file(entry.path());
        }
    }
    // Written under another name first: two commands may begin at once, and neither must start half a program.
    let part = dir.join(format!("{name}.{}.part", std::process::id()));
    fs::copy(program, &part).with_context(|| format!("cannot write {}", part.display()))?;
    if let Err(error) = fs::rename(&part, &copy) {
        let _ = fs::remove_file(&part);
        // The other command may have been first.
        ensure!(copy.is_file(), "cannot write {}: {error}", copy.display());
    }
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn a_copy_stays_when_the_program_is_built_anew_but_not_for_ever() {
        let dir = tempfile::tempdir().expect("a folder");
        let (program, copies) = (dir.path().join("xtask"), dir.path().join("kept"));
        fs::write(&program, "first").expect("written");
        let first = kept(&program, &copies).expect("kept");
        assert_eq!(kept(&program, &copies).expect("kept again"), first);
        fs::write(&program, "the second").expect("written");
        assert_eq!(fs::read(&first).expect("still there"), b"first");
        let second = kept(&program, &copies).expect("kept");
        assert_eq!(fs::read(&second).expect("there"), b"the second");
        assert!(first.is_file(), "somebody may run it");

        let file = fs::File::options().write(true).open(&first).expect("opened");
        file.set_modified(SystemTime::now() - 2 * LONGEST_RUN).expect("made old");
        fs::write(&program, "third, again longer").expect("written");
        kept(&program, &copies).expect("kept");
        assert!(second.is_file() && !first.exists(), "copies do not pile up");
    }
}
