//! Several files as one download: a zip archive whose entries are stored as they are.
//!
//! Weights do not compress, and the libraries for zip add 23 kB (rawzip) to 42 kB (zip) to the page, gzipped, against 3 kB
//! for this. Format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (end).

pub use super::files::{
    adapter, adapter_files, apply_adapter, hf_files, hf_name, hf_pieces, merge_adapters, native_only,
};
use crate::error::{Error, Result};
use crate::message::{message, shown};

/// A zip archive, byte for byte the one that Python's `zipfile` makes of the same files, dated 1980-01-01, in pieces, so that
/// nobody need hold two copies of the weights: before each file's contents comes what [`StoredZip::entry`] returns, after
/// the last what [`StoredZip::finish`] returns.
#[derive(Debug, Default)]
pub struct StoredZip {
    names: Vec<String>,
    directory: Vec<u8>,
    offset: u64,
}

impl StoredZip {
    /// What stands before the contents of file `name`, a relative path with `/`: `len` bytes with the checksum `crc`.
    ///
    /// # Errors
    /// [`Error::Input`] if the name is unsafe or appears twice; [`Error::Io`] if the archive would pass 4 GiB, which takes an
    /// extension of the format.
    pub fn entry(&mut self, name: &str, len: u64, crc: u32) -> Result<Vec<u8>> {
        check_name(name)?;
        if self.names.iter().any(|n| n == name) {
            return Err(Error::Input(message!(
                "zip.name_twice",
                "Two files cannot be called '{name}' in one archive.",
                name
            )));
        }
        let size = fits(len)?;
        let offset = fits(self.offset)?;
        // What the local header and the directory's entry share. Bit 11: the name is UTF-8.
        let flags = if name.is_ascii() { 0 } else { 1u16 << 11 };
        let mut shared = Vec::with_capacity(26);
        for half in [VERSION, flags, STORED, 0, DATE] {
            shared.extend(half.to_le_bytes());
        }
        for word in [crc, size, size] {
            shared.extend(word.to_le_bytes());
        }
        shared.extend((name.len() as u16).to_le_bytes());
        // No extra field.
        shared.extend(0u16.to_le_bytes());

        let header = [b"PK\x03\x04", shared.as_slice(), name.as_bytes()].concat();
        self.directory.extend(b"PK\x01\x02");
        self.directory.extend((UNIX << 8 | VERSION).to_le_bytes());
        self.directory.extend(shared);
        // No comment, disk 0, no internal attributes; then a file's permissions.
        self.directory.extend([0; 6]);
        self.directory.extend((0o644u32 << 16).to_le_bytes());
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.offset += header.len() as u64 + len;
        self.names.push(name.into());
        Ok(header)
    }

    /// The directory, which ends the archive.
    ///
    /// # Errors
    /// As [`StoredZip::entry`], and if there are more than 65,534 files.
    pub fn finish(self) -> Result<Vec<u8>> {
        let count = u16::try_from(self.names.len()).ok().filter(|&n| n < u16::MAX);
        let count = count.ok_or_else(|| {
            Error::Io(message!(
                "zip.too_many_files",
                "{files} files are too many for one zip.",
                files = self.names.len()
            ))
        })?;
        let (size, offset) = (fits(self.directory.len() as u64)?, fits(self.offset)?);
        let mut out = self.directory;
        out.extend(b"PK\x05\x06\0\0\0\0");
        out.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
        out.extend([size.to_le_bytes(), offset.to_le_bytes()].concat());
        out.extend([0; 2]);
        Ok(out)
    }
}

/// Needs a reader of version 2.0, as Python writes.
const VERSION: u16 = 20;
const UNIX: u16 = 3;
const STORED: u16 = 0;
/// 1 January 1980, the earliest: the same files make the same archive.
const DATE: u16 = 1 << 5 | 1;

fn fits(n: u64) -> Result<u32> {
    // The largest value means "see the extension".
    u32::try_from(n).ok().filter(|&n| n < u32::MAX).ok_or_else(|| {
        Error::Io(message!(
            "zip.too_large",
            "The model is too large for one zip of at most 4 GiB; save its files one by one, or as \
             F16."
        ))
    })
}

/// Refuses names that some program would unpack outside the folder, or not at all.
fn check_name(name: &str) -> Result<()> {
    let safe = name.len() <= 255
        && !name.contains(['\\', ':', '\0'])
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if safe {
        Ok(())
    } else {
        Err(Error::Input(message!(
            "zip.name",
            "A file in an archive cannot be called {name}; choose a plain name.",
            name = shown(&name)
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Crc32;

    fn whole(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
        let (mut zip, mut out) = (StoredZip::default(), Vec::new());
        for (name, data) in files {
            out.extend(zip.entry(name, data.len() as u64, Crc32::of(data))?);
            out.extend(data);
        }
        out.extend(zip.finish()?);
        Ok(out)
    }

    #[test]
    fn as_python() {
        let all: Vec<u8> = (0..=255).collect();
        let files = [
            ("config.json".to_string(), b"{}\n".to_vec()),
            ("folder/empty.txt".to_string(), vec![]),
            ("mod\u{e8}le.bin".to_string(), all.repeat(5)),
        ];
        assert_eq!(whole(&files).unwrap(), include_bytes!("../../tests/fixtures/training/stored.zip"));
    }

    #[test]
    fn refuses_unsafe_names() {
        for name in ["", "/etc/passwd", "../x", "a/../b", "a//b", "a\\b", "C:x", "a/"] {
            assert!(whole(&[(name.to_string(), vec![])]).is_err(), "{name:?}");
        }
        let twice = [("a".to_string(), vec![]), ("a".to_string(), vec![1])];
        assert!(whole(&twice).unwrap_err().to_string().contains("Two files"));
    }

    #[test]
    fn refuses_four_gib() {
        let mut zip = StoredZip { offset: u64::from(u32::MAX), ..StoredZip::default() };
        assert!(zip.entry("a", 0, 0).unwrap_err().to_string().contains("4 GiB"));
    }
}
