//! Everything that the program writes.
//!
//! One rule: it changes or deletes only what it made itself, and says so where it refuses. What is its own it knows by
//! the contents ([`Maker`]): the safetensors files that it writes name their maker, and a small text file is written
//! only where there is none, or left alone where it is as it would be written. A file is replaced at once or not at
//! all, and only a file is: to a device or a named pipe the bytes are written, and a link stays, its target is
//! replaced.

mod file;
mod folder;
mod maker;
mod replace;

pub(super) use file::{OutFile, PAUSE, is_stdout, open_stream};
pub(super) use folder::{BEST, Folder, STATE_FILE, belongs_to_a_model};
pub(super) use maker::{Maker, header};

use super::disk::{self, Metadata, io_error};
use gpt_playground::error::{Error, Result};
use gpt_playground::message::Message;
use std::io;
use std::path::{Path, PathBuf};

/// More links than this one after another lead in a circle.
const MOST_LINKS: usize = 40;

/// Where the links that end `path` lead in the end, which may be nothing yet.
fn target(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match disk::find_link(&path)? {
            Some(found) if found.is_symlink() => {
                let next = disk::read_link(&path)?;
                path = path.parent().unwrap_or(Path::new("")).join(next);
            }
            _ => return Ok(path),
        }
    }
    Err(io::Error::other("its links lead in a circle"))
}

/// Whether a path belongs to the system, so that what it leads to is never replaced: `/dev/stdout` may be a file of the
/// shell's.
fn is_system(path: &Path) -> bool {
    path.starts_with("/dev") || path.starts_with("/proc")
}

/// Whether bytes are written to it as they come: a device, a named pipe or a socket, in short no file and no folder.
pub(super) fn is_stream(path: &Path, found: Option<&Metadata>) -> bool {
    is_system(path) || found.is_some_and(|m| !m.is_file() && !m.is_dir())
}

/// Whether it is a whole disk, which nobody means to write to.
#[cfg(unix)]
pub(super) fn is_disk(found: Option<&Metadata>) -> bool {
    found.is_some_and(|m| std::os::unix::fs::FileTypeExt::is_block_device(&m.file_type()))
}

/// Whether it is a whole disk: here none has a file's name.
#[cfg(not(unix))]
pub(super) fn is_disk(_: Option<&Metadata>) -> bool {
    false
}

/// Refuses a file in a folder that is not there.
pub(super) fn check_parent(path: &Path) -> Result<()> {
    let target = target(path).map_err(|e| io_error(&format!("{} cannot be written", path.display()), &e))?;
    let folder = target.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let found = disk::find(folder).map_err(|e| io_error(&format!("{} cannot be read", folder.display()), &e))?;
    match found {
        Some(found) if found.is_dir() => Ok(()),
        _ => {
            let (path, folder) = (path.display(), folder.display());
            Err(Error::Input(Message::uncoded(format!("{path} cannot be written: there is no folder {folder}"))))
        }
    }
}

/// What two names of one file have in common.
#[derive(PartialEq)]
enum Identity {
    /// The disk, and the number of the file on it.
    #[cfg(unix)]
    Number(u64, u64),
    /// Its full path.
    Path(PathBuf),
}

/// Which file this is, also of one that is not there yet; `None` of what is no file, such as a device, which may be
/// written to by many names.
fn identity(path: &Path) -> io::Result<Option<Identity>> {
    let target = target(path)?;
    if let Some(found) = disk::find(&target)? {
        #[cfg(unix)]
        let number = {
            use std::os::unix::fs::MetadataExt as _;
            Identity::Number(found.dev(), found.ino())
        };
        #[cfg(not(unix))]
        let number = Identity::Path(disk::full_path(&target)?);
        return Ok(found.is_file().then_some(number));
    }
    let parent = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let parent = if disk::find(parent)?.is_some() { disk::full_path(parent)? } else { parent.into() };
    Ok(Some(Identity::Path(parent.join(target.file_name().unwrap_or_default()))))
}

/// Refuses outputs that are one file with another output or with what is read. Each has the name that messages call it
/// by.
pub(super) fn check_apart(outputs: &[(String, PathBuf)], inputs: &[(String, PathBuf)]) -> Result<()> {
    let mut seen: Vec<(&str, Identity)> = Vec::new();
    // An input may be given twice, as may a text.
    for (at, (name, path)) in inputs.iter().chain(outputs).enumerate() {
        let found = identity(path).map_err(|e| io_error(&path.display().to_string(), &e))?;
        let Some(found) = found else { continue };
        if at >= inputs.len()
            && let Some((other, _)) = seen.iter().find(|(_, known)| *known == found)
        {
            let path = path.display();
            return Err(Error::Input(Message::uncoded(format!(
                "{name} and {other} are one file, {path}; give them different names"
            ))));
        }
        seen.push((name, found));
    }
    Ok(())
}
