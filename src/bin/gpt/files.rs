//! Files that are written.

use super::load::io_error;
use gpt_playground::error::{Error, Result};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

/// Replaces a file at once or not at all: a torn write never destroys the one before.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    let part = path.with_file_name(name);
    let fill = || -> std::io::Result<()> {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    };
    fill().map_err(|e| {
        let _ = std::fs::remove_file(&part);
        io_error(&format!("{} cannot be written", path.display()), &e)
    })
}

/// Makes a folder where there is none.
pub(super) fn folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|e| io_error(&format!("{} cannot be made", path.display()), &e))
}

/// Writes files into a folder, which is made where there is none.
pub(super) fn write_all(dir: &Path, files: &[(String, Vec<u8>)]) -> Result<()> {
    folder(dir)?;
    files.iter().try_for_each(|(name, bytes)| write(&dir.join(name), bytes))
}

/// Refuses a folder that holds weights, which would be lost.
pub(super) fn check_no_weights(dir: &Path) -> Result<()> {
    for file in ["model.safetensors", "adapter_model.safetensors", "model.safetensors.index.json"] {
        if dir.join(file).exists() {
            let name = dir.display();
            return Err(Error::Input(format!("{name} holds {file}, which would be lost; choose another --out")));
        }
    }
    Ok(())
}
