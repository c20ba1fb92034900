//! Takes comments and indentation out of the shaders that are built into the program: a third of their size, which every
//! visitor of the page would load.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=shaders");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    for folder in ["shaders", "shaders/common"] {
        let target = Path::new(&out).join(folder);
        fs::create_dir_all(&target)?;
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if let (Some("wgsl"), Some(name)) = (path.extension().and_then(|e| e.to_str()), path.file_name()) {
                fs::write(target.join(name), bare(&fs::read_to_string(&path)?))?;
            }
        }
    }
    Ok(())
}

/// WGSL has no strings, so `//` always starts a comment.
fn bare(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).flat_map(|line| [line, "\n"]).collect()
}
