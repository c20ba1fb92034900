//! `dist`: one folder of static files that any host can serve at any path, and a limit on the first load.

use crate::bundle::{self, Bundle};
use crate::{build, setup, sh, site};
use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;

/// What a visitor downloads before a model, compressed, in bytes: all but models, and what a tab loads when opened.
const FIRST_LOAD_LIMIT: usize = 300_000;

/// What the page loads at once besides its scripts. The module for training is loaded with the Train tab.
const FIRST: [&str; 5] =
    [site::INDEX, "www/core/theme.js", "www/style.css", "www/pkg/gpt_playground.js", "www/pkg/gpt_playground_bg.wasm"];

/// Builds the page, writes `dist/`, prints the sizes.
///
/// # Errors
/// When the build fails or the first load is larger than the limit.
pub fn run() -> Result<()> {
    setup::web()?;
    build::page()?;
    let sizes = make(&sh::root().join("dist"))?;
    sizes.print();
    sizes.check()?;
    println!("dist/ is ready: copy it to any static host.");
    Ok(())
}

/// Replaces the folder `out` by the site as it ships, from what is built already.
///
/// # Errors
/// When a file cannot be written, or a script cannot be bundled.
pub fn make(out: &Path) -> Result<Sizes> {
    let root = sh::root();
    if out.exists() {
        fs::remove_dir_all(out).with_context(|| format!("cannot clear {}", out.display()))?;
    }
    copy(&root, out)?;
    let bundle = Bundle::write(out)?;
    let scripts = bundle.loaded_with(&bundle::ENTRIES)?;
    for file in site::files(out)? {
        let path = slashed(&file);
        let copied = stays(&path) && (path.ends_with(".js") || path.ends_with(".css"));
        if copied {
            bundle::minify(&out.join(&file))?;
        }
    }
    let index = out.join(site::INDEX);
    let text = fs::read_to_string(&index).with_context(|| format!("cannot read {}", index.display()))?;
    let own = bundle.file_of(bundle::PAGE)?;
    fs::write(&index, preload(&text, own, &bundle.loaded_with(&[bundle::PAGE])?))?;
    let inspector = bundle.loaded_with(&[bundle::INSPECTOR])?;
    let panels = bundle.loaded_with(&bundle.later(&inspector))?;
    let first = scripts.iter().cloned().chain(FIRST.map(String::from)).collect();
    let styles = site::files(out)?.iter().map(|file| slashed(file)).filter(|path| is_inspectors(path)).collect();
    Sizes::of(out, &first, &inspector.union(&panels).cloned().chain::<BTreeSet<String>>(styles).collect())
}

/// A style sheet of the inspector.
fn is_inspectors(path: &str) -> bool {
    path.starts_with("www/inspect/") && path.ends_with(".css")
}

fn slashed(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Whether a file of the site is shipped as a file of its own. The other scripts are in the bundle.
fn stays(path: &str) -> bool {
    let built = ["www/pkg/", "www/pkg-train/", "www/vendor/"].iter().any(|folder| path.starts_with(folder));
    built || path == "www/core/theme.js" || !path.ends_with(".js")
}

/// Copies the site at `root`, without what the bundle holds.
fn copy(root: &Path, out: &Path) -> Result<()> {
    for file in site::files(root)?.iter().filter(|file| stays(&slashed(file))) {
        let target = out.join(file);
        fs::create_dir_all(target.parent().expect("a file below dist"))?;
        fs::copy(root.join(file), &target).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    Ok(())
}

/// The page with the script `own`, and with hints to load early what that needs, in the place of its sources.
fn preload(page: &str, own: &str, scripts: &BTreeSet<String>) -> String {
    let others = scripts.iter().filter(|path| *path != own);
    let hints: String = others.map(|path| format!("  <link rel=\"modulepreload\" href=\"{path}\">\n")).collect();
    let mut text = String::new();
    for line in page.lines().filter(|line| !line.contains("rel=\"modulepreload\"")) {
        if line.contains("<script type=\"module\"") {
            text += &hints;
        }
        text += &line.replace(bundle::PAGE, own);
        text.push('\n');
    }
    text
}

#[derive(Default, Clone, Copy)]
struct Packed {
    gzip: usize,
    brotli: usize,
}

/// How large what was shipped is.
pub struct Sizes {
    /// Path, bytes, and compressed where it counts.
    files: Vec<(String, usize, Option<Packed>)>,
    first: Packed,
    inspector: Packed,
}

impl Sizes {
    /// `first` and `inspector`: what is loaded at once, and with the inspector and its panels.
    fn of(out: &Path, first: &BTreeSet<String>, inspector: &BTreeSet<String>) -> Result<Sizes> {
        let mut sizes = Sizes { files: Vec::new(), first: Packed::default(), inspector: Packed::default() };
        for file in site::files(out)? {
            let path = slashed(&file);
            let data = fs::read(out.join(&file)).with_context(|| format!("cannot read {path}"))?;
            let counts = first.contains(&path) || inspector.contains(&path);
            let packed = counts.then(|| Packed::of(&data)).transpose()?;
            if let Some(packed) = packed {
                let sum = if first.contains(&path) { &mut sizes.first } else { &mut sizes.inspector };
                sum.gzip += packed.gzip;
                sum.brotli += packed.brotli;
            }
            sizes.files.push((path, data.len(), packed));
        }
        if let Some(missing) = first.iter().find(|path| sizes.files.iter().all(|(file, ..)| file != *path)) {
            bail!("{missing} belongs to the first load and is not there");
        }
        Ok(sizes)
    }

    fn print(&self) {
        println!("{:<52} {:>10} {:>10} {:>10}", "file", "bytes", "gzip", "brotli");
        for (path, bytes, packed) in &self.files {
            match packed {
                Some(Packed { gzip, brotli }) => println!("{path:<52} {bytes:>10} {gzip:>10} {brotli:>10}"),
                None => println!("{path:<52} {bytes:>10} {:>10} {:>10}", "later", "later"),
            }
        }
        let Packed { gzip, brotli } = self.inspector;
        println!("Inspector with all its panels: {brotli} bytes by brotli ({gzip} by gzip).");
        let Packed { gzip, brotli } = self.first;
        println!("First load without a model: {brotli} bytes by brotli ({gzip} by gzip), limit {FIRST_LOAD_LIMIT}.");
    }

    /// # Errors
    /// When the first load is larger than the limit.
    pub fn check(&self) -> Result<()> {
        if self.first.brotli > FIRST_LOAD_LIMIT {
            bail!(
                "the first load is {} bytes over its limit: make the page or the wasm smaller",
                self.first.brotli - FIRST_LOAD_LIMIT
            );
        }
        Ok(())
    }
}

impl Packed {
    fn of(data: &[u8]) -> Result<Packed> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(data)?;
        let mut brotli = Vec::new();
        let (quality, window) = (11, 22);
        brotli::CompressorWriter::new(&mut brotli, 1 << 16, quality, window).write_all(data)?;
        Ok(Packed { gzip: gzip.finish()?.len(), brotli: brotli.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_that_are_bundled_do_not_ship() {
        let dir = tempfile::tempdir().unwrap();
        let (root, out) = (dir.path().join("root"), dir.path().join("dist"));
        for file in ["index.html", "www/main.js", "www/core/theme.js", "www/models/m/model.safetensors", "x.rs"] {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), "text").unwrap();
        }
        copy(&root, &out).unwrap();
        let shipped: Vec<_> = site::files(&out).unwrap().iter().map(|file| slashed(file)).collect();
        assert_eq!(shipped, ["index.html", "www/core/theme.js", "www/models/m/model.safetensors"]);
    }

    #[test]
    fn the_page_loads_early_what_it_needs_at_once() {
        let page = "<head>\n  <link rel=\"modulepreload\" href=\"www/app.js\">\n  <script type=\"module\" src=\"www/main.js\"></script>\n</head>\n";
        let scripts = ["www/b/1.js", "www/b/main.js"].map(String::from).into();
        assert_eq!(
            preload(page, "www/b/main.js", &scripts),
            "<head>\n  <link rel=\"modulepreload\" href=\"www/b/1.js\">\n  <script type=\"module\" src=\"www/b/main.js\"></script>\n</head>\n"
        );
    }

    #[test]
    fn only_the_first_load_is_limited() {
        let dir = tempfile::tempdir().unwrap();
        for (file, text) in [("index.html", "a"), ("www/a.js", "bb"), ("www/late.js", "ccc")] {
            fs::create_dir_all(dir.path().join(file).parent().unwrap()).unwrap();
            fs::write(dir.path().join(file), text).unwrap();
        }
        let names = |all: &[&str]| all.iter().map(|name| name.to_string()).collect::<BTreeSet<_>>();
        let sizes = Sizes::of(dir.path(), &names(&["index.html", "www/a.js"]), &names(&[])).unwrap();
        let counted: Vec<_> = sizes.files.iter().map(|(path, _, packed)| (path.as_str(), packed.is_some())).collect();
        assert_eq!(counted, [("index.html", true), ("www/a.js", true), ("www/late.js", false)]);
        assert!(sizes.check().is_ok());
        assert!(Sizes::of(dir.path(), &names(&["www/gone.js"]), &names(&[])).is_err());
    }
}
