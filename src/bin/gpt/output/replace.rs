//! A file is replaced at once or not at all: a torn write never destroys the one before.

use super::super::disk::{self, io_error};
use super::super::say::warn;
use gpt_playground::error::Result;
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// What the names of half-written files end in. Firefox and wget have other files that end in `.part`.
const END: &str = ".gpt-part";

/// A file that is written and has not yet its name. It is removed unless it gets it.
pub(crate) struct Part {
    part: PathBuf,
    path: PathBuf,
    named: bool,
}

/// Whether this is a half-written `file` that a process left which was killed.
pub(super) fn is_part_of(name: &OsStr, file: &str) -> bool {
    let name = name.to_string_lossy();
    name.strip_prefix(file).and_then(|rest| rest.strip_suffix(END)).is_some_and(|rest| {
        rest.strip_prefix('.').is_some_and(|number| number.chars().all(|c| c.is_ascii_digit() || c == '-'))
    })
}

/// Makes a file beside `path` that no other process writes to.
fn create(path: &Path) -> io::Result<(disk::File, PathBuf)> {
    let mut n = 0;
    loop {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}-{n}{END}", std::process::id()));
        let part = path.with_file_name(name);
        match disk::create_new(&part) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists && n < 1000 => n += 1,
            made => return made.map(|file| (file, part)),
        }
    }
}

impl Part {
    /// Writes the parts of a file one after another, up to the disk itself.
    pub fn write(path: &Path, parts: &[&[u8]]) -> Result<Self> {
        let fill = || {
            let (mut file, part) = create(path)?;
            let part = Self { part, path: path.into(), named: false };
            parts.iter().try_for_each(|bytes| file.write_all(bytes))?;
            if let Some(before) = disk::find(path)? {
                file.set_permissions(&before)?;
            }
            file.sync()?;
            Ok(part)
        };
        fill().map_err(|e| io_error(&format!("{} cannot be written", path.display()), &e))
    }

    /// Takes the place of the file before.
    pub fn commit(mut self) -> Result<()> {
        let renamed = disk::rename(&self.part, &self.path);
        self.named = renamed.is_ok();
        renamed.map_err(|e| io_error(&format!("{} cannot be written", self.path.display()), &e))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.named
            && let Err(e) = disk::remove(&self.part)
        {
            warn(format_args!("{} is half written and cannot be removed: {e}", self.part.display()));
        }
    }
}
