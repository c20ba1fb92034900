//! `dist`: one folder of static files, the same paths as in the repository, and a limit on the first load.

use crate::{build, setup, sh, site};
use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};
use std::fs;
use std::io::Write;
use std::path::Path;

/// What a visitor downloads before a model, compressed, in bytes: all but models, and what a tab loads when opened.
const FIRST_LOAD_LIMIT: usize = 300_000;

/// Beginnings of the paths below `www` that are loaded later or not at all.
const LATER: [&str; 17] = [
    "models/storyteller/",
    "pkg-train/",
    "samples/",
    "vendor/",
    "models/bases.js",
    "core/crc32.js",
    "core/fingerprint.js",
    "models/remains.js",
    "models/tuned.js",
    "models/zip",
    "core/i18n/engine.zh.js",
    "train/view.js",
    "train/after_view",
    "train/settings_view",
    "train/text_view",
    "train/chart.js",
    "train/words.",
];

/// Likewise, of what a wide window loads by itself once the model can write, and a narrow one when it is asked for.
const INSPECTOR: [&str; 1] = ["inspect/"];

/// Builds the page, writes `dist/`, prints the sizes.
///
/// # Errors
/// When the build fails or the first load is larger than the limit.
pub fn run() -> Result<()> {
    setup::web()?;
    build::page()?;
    let (root, out) = (sh::root(), sh::root().join("dist"));
    write(&root, &out)?;
    minify(&out)?;
    let sizes = measure(&out)?;
    println!("{:<44} {:>10} {:>10} {:>10}", "file", "bytes", "gzip", "brotli");
    let (mut total, mut inspector) = (Packed::default(), Packed::default());
    for size in &sizes {
        let Size { path, bytes, packed } = size;
        let Some(Packed { gzip, brotli }) = packed else {
            println!("{path:<44} {bytes:>10} {:>10} {:>10}", "later", "later");
            continue;
        };
        println!("{path:<44} {bytes:>10} {gzip:>10} {brotli:>10}");
        let sum = if is_one_of(path, &INSPECTOR) { &mut inspector } else { &mut total };
        sum.gzip += gzip;
        sum.brotli += brotli;
    }
    println!("Inspector with all its panels: {} bytes by brotli ({} by gzip).", inspector.brotli, inspector.gzip);
    let Packed { gzip, brotli } = total;
    println!("First load without a model: {brotli} bytes by brotli ({gzip} by gzip), limit {FIRST_LOAD_LIMIT}.");
    if brotli > FIRST_LOAD_LIMIT {
        bail!(
            "the first load is {} bytes over its limit: make the page or the wasm smaller",
            brotli - FIRST_LOAD_LIMIT
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

/// Takes comments and spaces out of the JavaScript: its types and explanations are for the repository.
fn minify(out: &Path) -> Result<()> {
    for file in site::files(out)? {
        if file.extension().is_some_and(|e| e == "js") {
            let path = out.join(&file).display().to_string();
            sh::read(&mut sh::cmd(
                "terser",
                [path.as_str(), "--module", "--compress", "--mangle", "--output", path.as_str()],
            ))?;
        }
    }
    Ok(())
}

#[derive(Default, Clone, Copy)]
struct Packed {
    gzip: usize,
    brotli: usize,
}

struct Size {
    path: String,
    bytes: usize,
    /// Only for what belongs to the first load.
    packed: Option<Packed>,
}

fn measure(out: &Path) -> Result<Vec<Size>> {
    let mut sizes = Vec::new();
    for file in site::files(out)? {
        let data = fs::read(out.join(&file))?;
        let path = file.display().to_string();
        let packed =
            if is_one_of(&path, &LATER) { None } else { Some(Packed { gzip: gzip(&data)?, brotli: brotli(&data)? }) };
        sizes.push(Size { path, bytes: data.len(), packed });
    }
    Ok(sizes)
}

fn is_one_of(path: &str, beginnings: &[&str]) -> bool {
    let inside = path.strip_prefix(site::FOLDER).and_then(|rest| rest.strip_prefix('/'));
    inside.is_some_and(|inside| beginnings.iter().any(|beginning| inside.starts_with(beginning)))
}

fn gzip(data: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data)?;
    Ok(encoder.finish()?.len())
}

fn brotli(data: &[u8]) -> Result<usize> {
    let mut packed = Vec::new();
    let (quality, window) = (11, 22);
    brotli::CompressorWriter::new(&mut packed, 1 << 16, quality, window).write_all(data)?;
    Ok(packed.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dist_mirrors_the_site_and_models_are_not_first_load() {
        let dir = tempfile::tempdir().unwrap();
        let (root, out) = (dir.path().join("root"), dir.path().join("dist"));
        for (file, text) in [
            ("index.html", "a"),
            ("www/main.js", "b"),
            ("www/models/storyteller/model.safetensors", "c"),
            ("x.rs", "d"),
        ] {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), text).unwrap();
        }
        fs::create_dir_all(&out).unwrap();
        fs::write(out.join("stale.js"), "old").unwrap();
        write(&root, &out).unwrap();
        assert!(!out.join("stale.js").exists() && !out.join("x.rs").exists());
        let sizes = measure(&out).unwrap();
        let counted: Vec<_> = sizes.iter().map(|s| (s.path.as_str(), s.packed.is_some())).collect();
        assert_eq!(
            counted,
            [("index.html", true), ("www/main.js", true), ("www/models/storyteller/model.safetensors", false)]
        );
    }
}
