//! `dist`: one folder of static files, the same paths as in the repository, and a limit on the first load.

use crate::{build, setup, sh, site};
use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};
use std::fs;
use std::io::Write;
use std::path::Path;

/// What a visitor downloads before a model: html, js, css, wasm and json, gzipped, in bytes.
const FIRST_LOAD_LIMIT: usize = 300_000;

/// Builds the page, writes `dist/`, prints the sizes.
///
/// # Errors
/// When the build fails or the first load is larger than the limit.
pub fn run() -> Result<()> {
    setup::web()?;
    build::page()?;
    let (root, out) = (sh::root(), sh::root().join("dist"));
    write(&root, &out)?;
    let sizes = measure(&out)?;
    println!("{:<44} {:>12} {:>12}", "file", "bytes", "gzipped");
    let mut first_load = 0;
    for size in &sizes {
        let gzipped = size.gzipped.map_or_else(|| "-".to_string(), |n| n.to_string());
        println!("{:<44} {:>12} {:>12}", size.path, size.bytes, gzipped);
        first_load += size.gzipped.unwrap_or(0);
    }
    println!("First load without a model: {first_load} bytes gzipped, limit {FIRST_LOAD_LIMIT}.");
    if first_load > FIRST_LOAD_LIMIT {
        bail!(
            "the first load is {} bytes over its limit: make the page or the wasm smaller",
            first_load - FIRST_LOAD_LIMIT
        );
    }
    println!("dist/ is ready: copy it to any static host.");
    Ok(())
}

/// Replaces `out` by a copy of the site at `root`.
fn write(root: &Path, out: &Path) -> Result<()> {
    if out.exists() {
        fs::remove_dir_all(out).with_context(|| format!("cannot clear {}", out.display()))?;
    }
    for file in site::files(root)? {
        let target = out.join(&file);
        fs::create_dir_all(target.parent().expect("a file below dist"))?;
        fs::copy(root.join(&file), &target).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    Ok(())
}

struct Size {
    path: String,
    bytes: usize,
    /// Only for what belongs to the first load.
    gzipped: Option<usize>,
}

fn measure(out: &Path) -> Result<Vec<Size>> {
    let models = format!("{}/models/", site::FOLDER);
    let mut sizes = Vec::new();
    for file in site::files(out)? {
        let data = fs::read(out.join(&file))?;
        let path = file.display().to_string();
        let gzipped = if path.starts_with(&models) { None } else { Some(gzip(&data)?) };
        sizes.push(Size { path, bytes: data.len(), gzipped });
    }
    Ok(sizes)
}

fn gzip(data: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data)?;
    Ok(encoder.finish()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dist_mirrors_the_site_and_models_are_not_first_load() {
        let dir = tempfile::tempdir().unwrap();
        let (root, out) = (dir.path().join("root"), dir.path().join("dist"));
        for (file, text) in
            [("index.html", "a"), ("www/main.js", "b"), ("www/models/m/model.safetensors", "c"), ("x.rs", "d")]
        {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), text).unwrap();
        }
        fs::create_dir_all(&out).unwrap();
        fs::write(out.join("stale.js"), "old").unwrap();
        write(&root, &out).unwrap();
        assert!(!out.join("stale.js").exists() && !out.join("x.rs").exists());
        let sizes = measure(&out).unwrap();
        let counted: Vec<_> = sizes.iter().map(|s| (s.path.as_str(), s.gzipped.is_some())).collect();
        assert_eq!(counted, [("index.html", true), ("www/main.js", true), ("www/models/m/model.safetensors", false)]);
    }
}
