//! A single file that a command was told to write.

use super::super::disk::{self, io_error};
use super::super::say::print_bytes;
use super::maker::{Maker, header};
use super::replace::Part;
use super::{check_parent, is_disk, is_stream, target};
use gpt_playground::error::{Error, Result};
use gpt_playground::message::Message;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A safetensors file that may be written.
pub(crate) struct OutFile {
    /// As the user calls it.
    path: PathBuf,
    place: Place,
}

enum Place {
    /// A file to make or to replace.
    File(PathBuf),
    /// A device or a named pipe.
    Stream,
}

/// Whether it is this program's standard output by another name.
pub(crate) fn is_stdout(path: &Path) -> bool {
    ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

impl OutFile {
    /// Looks, before there is any work to lose, whether the file can be written, and what would be lost.
    ///
    /// # Errors
    /// [`Error::Input`] where the file is another's, or cannot be; [`Error::Io`] where that cannot be known.
    pub fn check(path: &Path, maker: Maker) -> Result<Self> {
        let name = path.display();
        let fail = |e: std::io::Error| io_error(&format!("{name} cannot be written"), &e);
        let found = disk::find(path).map_err(fail)?;
        if is_disk(found.as_ref()) {
            return Err(Error::Input(Message::uncoded(format!("{name} is a whole disk; give the name of a file"))));
        }
        if is_stream(path, found.as_ref()) {
            return Ok(Self { path: path.into(), place: Place::Stream });
        }
        let file = target(path).map_err(fail)?;
        match found {
            Some(found) if found.is_dir() => {
                return Err(Error::Input(Message::uncoded(format!("{name} is a folder; give the name of a file"))));
            }
            // Nothing is lost of an empty file, such as one that was made to hold the place.
            Some(found) if found.len() > 0 => {
                if !header(&file).map_err(fail)?.is_some_and(|header| maker.made(&header)) {
                    let command = maker.entry().1;
                    return Err(Error::Input(Message::uncoded(format!(
                        "{name} exists and is not of `{command}`, so it stays as it is; give another name, or move it \
                         away"
                    ))));
                }
            }
            Some(_) => {}
            None => check_parent(path)?,
        }
        Ok(Self { path: path.into(), place: Place::File(file) })
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`Error::Io`]; what was there before is then still there.
    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        match &self.place {
            Place::File(file) => Part::write(file, &[bytes])?.commit(),
            // It may be a socket, which cannot be opened by a name.
            Place::Stream if is_stdout(&self.path) => print_bytes(bytes),
            Place::Stream => write_stream(&self.path, bytes),
        }
    }
}

/// Opens a device or a named pipe.
pub(crate) fn open_stream(path: &Path) -> Result<disk::File> {
    disk::stream(path).map_err(|e| {
        let name = path.display();
        #[cfg(unix)]
        if e.raw_os_error() == Some(libc::ENXIO) {
            return Error::Io(Message::uncoded(format!(
                "nobody reads from {name}; start its reader first, for example `cat {name} &`"
            )));
        }
        io_error(&format!("{name} cannot be written"), &e)
    })
}

/// How long a reader is left alone that has its hands full.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

fn write_stream(path: &Path, mut bytes: &[u8]) -> Result<()> {
    let mut stream = open_stream(path)?;
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(0) => return Err(Error::Io(Message::uncoded(format!("{} takes no more", path.display())))),
            Ok(n) => bytes = &bytes[n..],
            Err(e) if e.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(io_error(&format!("{} cannot be written", path.display()), &e)),
        }
    }
    Ok(())
}
