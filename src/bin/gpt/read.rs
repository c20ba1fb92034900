//! Files that are read: whole, up to a limit, or range by range.

use super::disk::{self, io_error};
use gpt_playground::error::{Error, Result};
use gpt_playground::message::Message;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::Path;

/// Most bytes of a configuration or a list of shards. What is larger is something else, or is meant to fill the memory.
pub(super) const SMALL: u64 = 16 << 20;
/// Most bytes of a tokenizer's file: the largest that is known, of 262,144 tokens, has 33 MB.
pub(super) const TOKENIZER: u64 = 64 << 20;

/// Why a file could not be read, and where it is missing what should be there.
pub(super) fn unreadable(path: &Path, e: &io::Error, advice: &str) -> Error {
    let what = path.display();
    match e.kind() {
        ErrorKind::NotFound => Error::Io(Message::uncoded(format!("there is no file {what}; {advice}"))),
        _ => Error::Io(Message::uncoded(format!("{what} cannot be read: {e}"))),
    }
}

/// A whole file that the user named, such as a text.
pub(super) fn whole(path: &Path) -> Result<Vec<u8>> {
    disk::read(path).map_err(|e| unreadable(path, &e, "check the path"))
}

/// A whole file of at most `most` bytes; no more of it is read. `advice` says what should be there where there is none.
pub(super) fn small(path: &Path, most: u64, advice: &str) -> Result<Vec<u8>> {
    let bytes = disk::read_first(path, most + 1).map_err(|e| unreadable(path, &e, advice))?;
    if bytes.len() as u64 > most {
        let (what, mib) = (path.display(), most >> 20);
        return Err(Error::Io(Message::uncoded(format!(
            "{what} is larger than {mib} MiB, which no such file of a model is; check what it is"
        ))));
    }
    Ok(bytes)
}

/// So much is read at once where less is asked for: what follows is asked for next.
const BLOCK: u64 = 1 << 20;

/// A file of which ranges are read, so that little more of it is held than is asked for.
pub(super) struct Ranges {
    file: disk::File,
    len: u64,
    what: String,
    /// The block that was read last, and where it begins.
    block: Vec<u8>,
    start: u64,
}

impl Ranges {
    /// Opens a file. `advice` says what should be there where there is none.
    pub fn open(path: &Path, advice: &str) -> Result<Ranges> {
        let fail = |e: io::Error| unreadable(path, &e, advice);
        let what = path.display().to_string();
        let found = disk::find(path).map_err(fail)?.ok_or_else(|| fail(ErrorKind::NotFound.into()))?;
        // A pipe would keep whoever opens it waiting, and has no ranges.
        if !found.is_file() {
            return Err(Error::Io(Message::uncoded(format!("{what} is no file; {advice}"))));
        }
        Ok(Ranges { file: disk::open(path).map_err(fail)?, len: found.len(), what, block: Vec::new(), start: 0 })
    }

    /// Length of the file in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// The bytes of a range, which must lie within the file.
    pub fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>> {
        let fail = |e: io::Error| io_error(&format!("{} cannot be read", self.what), &e);
        if range.end - range.start > BLOCK {
            return self.file.read_range(range).map_err(fail);
        }
        if range.start < self.start || range.end > self.start + self.block.len() as u64 {
            let end = self.len.min(range.start + BLOCK).max(range.end);
            self.block = self.file.read_range(range.start..end).map_err(fail)?;
            self.start = range.start;
        }
        let [from, to] = [range.start, range.end].map(|at| (at - self.start) as usize);
        Ok(self.block[from..to].to_vec())
    }
}
