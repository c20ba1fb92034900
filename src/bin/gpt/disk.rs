//! The file system. Every call of it that this program makes is one of these, so that a test can count them and make
//! each of them fail (`faults`), and so that an error never looks like a file that is not there.

#[cfg(test)]
pub(super) mod faults;

use gpt_playground::error::Error;
use gpt_playground::message::Message;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
pub(super) use std::fs::{Metadata, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A file's error in words.
pub(super) fn io_error(what: &str, e: &io::Error) -> Error {
    Error::Io(Message::uncoded(format!("{what}: {e}")))
}

/// Where a test decides whether the next call fails.
fn call(_name: &str, _path: &Path) -> io::Result<()> {
    #[cfg(test)]
    faults::next(_name, _path)?;
    Ok(())
}

/// An open file.
#[derive(Debug)]
pub(super) struct File {
    file: fs::File,
    path: PathBuf,
    /// In a test: the disk has become full in the middle of a write.
    full: bool,
}

fn open_as(name: &str, path: &Path, options: &OpenOptions) -> io::Result<File> {
    call(name, path)?;
    Ok(File { file: options.open(path)?, path: path.into(), full: false })
}

/// Opens a file, or where the system allows it a folder, for reading.
pub(super) fn open(path: &Path) -> io::Result<File> {
    open_as("open", path, OpenOptions::new().read(true))
}

/// Makes a file where nothing has its name.
pub(super) fn create_new(path: &Path) -> io::Result<File> {
    open_as("create", path, OpenOptions::new().write(true).create_new(true))
}

/// Opens a file to add to its end, and to read; makes it where there is none.
pub(super) fn append(path: &Path) -> io::Result<File> {
    open_as("append", path, OpenOptions::new().read(true).append(true).create(true))
}

/// Opens what is no file on a disk, such as a device or a named pipe, to write to it. Does not wait for a pipe's
/// reader: where there is none, that is an error.
pub(super) fn stream(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOCTTY);
    open_as("stream", path, &options)
}

impl File {
    /// Writes what there is to the disk itself.
    pub fn sync(&self) -> io::Result<()> {
        call("sync", &self.path)?;
        // A test pulls no plug, and has no time for this.
        if cfg!(test) { Ok(()) } else { self.file.sync_all() }
    }

    /// Cuts the file off after `len` bytes.
    pub fn cut(&self, len: u64) -> io::Result<()> {
        call("cut", &self.path)?;
        self.file.set_len(len)
    }

    /// Gives the file another one's permissions.
    pub fn set_permissions(&self, of: &Metadata) -> io::Result<()> {
        call("permissions", &self.path)?;
        self.file.set_permissions(of.permissions())
    }

    /// Keeps other programs that ask for this from going on. The system lets go when this program ends, however it
    /// ends.
    pub fn try_lock(&self) -> Result<(), TryLockError> {
        call("lock", &self.path).map_err(TryLockError::Error)?;
        self.file.try_lock()
    }

    /// The bytes of a range, which must lie within the file.
    pub fn read_range(&mut self, range: Range<u64>) -> io::Result<Vec<u8>> {
        call("read", &self.path)?;
        self.file.seek(SeekFrom::Start(range.start))?;
        let mut bytes = vec![0; (range.end - range.start) as usize];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Its last byte; `None` of an empty file.
    pub fn last_byte(&mut self) -> io::Result<Option<u8>> {
        call("seek", &self.path)?;
        if self.file.seek(SeekFrom::End(0))? == 0 {
            return Ok(None);
        }
        self.file.seek(SeekFrom::End(-1))?;
        let mut byte = [0];
        self.read_exact(&mut byte)?;
        Ok(Some(byte[0]))
    }
}

impl Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        call("read", &self.path)?;
        self.file.read(buffer)
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if std::mem::take(&mut self.full) {
            return Err(ErrorKind::StorageFull.into());
        }
        match call("write", &self.path) {
            Ok(()) => self.file.write(bytes),
            // A full disk takes what it has room for, and then no more.
            Err(_) => {
                self.full = true;
                self.file.write(&bytes[..bytes.len().div_ceil(2)])
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A whole file.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    call("read", path)?;
    fs::read(path)
}

fn there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        other => other.map(Some),
    }
}

/// The first bytes of a file: all, or the first `most`.
pub(super) fn read_first(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    call("read", path)?;
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A whole file, where there is one.
pub(super) fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    there(read(path))
}

/// What a path leads to, where there is something.
pub(super) fn find(path: &Path) -> io::Result<Option<Metadata>> {
    call("find", path)?;
    there(fs::metadata(path))
}

/// As [`find`], of a link the link itself.
pub(super) fn find_link(path: &Path) -> io::Result<Option<Metadata>> {
    call("find", path)?;
    there(fs::symlink_metadata(path))
}

/// What a link says.
pub(super) fn read_link(path: &Path) -> io::Result<PathBuf> {
    call("link", path)?;
    fs::read_link(path)
}

/// The one name of an existing file that has no links and no dots in it.
pub(super) fn full_path(path: &Path) -> io::Result<PathBuf> {
    call("find", path)?;
    fs::canonicalize(path)
}

/// The names in a folder, sorted.
pub(super) fn list(dir: &Path) -> io::Result<Vec<OsString>> {
    call("list", dir)?;
    let mut names = fs::read_dir(dir)?.map(|e| Ok(e?.file_name())).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Makes a folder, and those it lies in, where there is none.
pub(super) fn make_folder(dir: &Path) -> io::Result<()> {
    call("folder", dir)?;
    fs::create_dir_all(dir)
}

/// Gives a file another name, in place of what had that name.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    call("rename", to)?;
    fs::rename(from, to)
}

/// Removes a file.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    call("remove", path)?;
    fs::remove_file(path)
}

/// Removes a folder with nothing in it.
pub(super) fn remove_empty_folder(dir: &Path) -> io::Result<()> {
    call("remove", dir)?;
    fs::remove_dir(dir)
}
