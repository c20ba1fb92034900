//! Makes few small files of the page's many scripts, with esbuild. Sources stay as they are: `serve` needs no bundle.

use crate::sh;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// The scripts that something outside of them names: the page, and the worker that it starts.
pub const ENTRIES: [&str; 2] = [PAGE, "www/worker.js"];
/// What `index.html` starts.
pub const PAGE: &str = "www/main.js";
/// What the inspector begins with; its panels are loaded from there.
pub const INSPECTOR: &str = "www/inspect/inspector.js";
/// Where all of it lies. `core/site.js` finds the page's files one folder above its own, whichever piece it is in.
const FOLDER: &str = "www/b/";
/// Browsers that have WebGPU or SIMD, module workers and the private file system.
const TARGET: &str = "--target=chrome113,firefox111,safari16.4";

/// What esbuild wrote.
#[derive(Debug, Deserialize)]
pub struct Bundle {
    outputs: BTreeMap<String, Output>,
}

#[derive(Debug, Deserialize)]
struct Output {
    imports: Vec<Import>,
    #[serde(rename = "entryPoint")]
    entry: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Import {
    path: String,
    kind: String,
    #[serde(default)]
    external: bool,
}

impl Bundle {
    /// Bundles the scripts of the working tree into the folder `out`, which has the site's layout.
    ///
    /// # Errors
    /// When esbuild fails.
    pub fn write(out: &Path) -> Result<Bundle> {
        let meta = sh::target_dir().join("bundle.json");
        let mut esbuild = sh::cmd("esbuild", ENTRIES);
        esbuild.args(["--bundle", "--splitting", "--format=esm", "--minify", "--charset=utf8", TARGET]);
        // `core/site.js` asks for it.
        esbuild.arg("--define:globalThis.BUNDLED=true");
        // What the pieces are called changes with what they hold.
        esbuild.args(["--entry-names=www/b/[name]", "--chunk-names=www/b/[name]-[hash]"]);
        esbuild.args([option("--outdir=", out), option("--metafile=", &meta), "--log-level=warning".into()]);
        sh::run(&mut esbuild)?;
        let text = fs::read_to_string(&meta).with_context(|| format!("cannot read {}", meta.display()))?;
        let mut bundle: Bundle = serde_json::from_str(&text).context("esbuild's report is not as expected")?;
        bundle.rebase(out)?;
        let elsewhere = bundle.outputs.keys().find(|path| !path.starts_with(FOLDER));
        ensure!(elsewhere.is_none(), "esbuild wrote {elsewhere:?}, which is not in {FOLDER}");
        Ok(bundle)
    }

    /// esbuild names its outputs from the working folder on; here they are named from `out` on.
    fn rebase(&mut self, out: &Path) -> Result<()> {
        let root = sh::root();
        let place = |path: &str| -> Result<String> {
            let full = root.join(path);
            let full = full.canonicalize().with_context(|| format!("esbuild did not write {}", full.display()))?;
            let inside = full.strip_prefix(out.canonicalize()?).context("esbuild wrote elsewhere")?;
            Ok(inside.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"))
        };
        let mut outputs = BTreeMap::new();
        for (path, mut output) in std::mem::take(&mut self.outputs) {
            for import in output.imports.iter_mut().filter(|import| !import.external) {
                import.path = place(&import.path)?;
            }
            outputs.insert(place(&path)?, output);
        }
        self.outputs = outputs;
        Ok(())
    }

    /// What a source has become.
    ///
    /// # Errors
    /// When it has no file of its own.
    pub fn file_of(&self, source: &str) -> Result<&str> {
        let own = self.outputs.iter().find(|(_, output)| output.entry.as_deref() == Some(source));
        Ok(own.with_context(|| format!("esbuild made no file of {source}"))?.0)
    }

    /// What comes when `sources` are loaded, themselves included, as paths of the site.
    ///
    /// # Errors
    /// When one of them has no file of its own.
    pub fn loaded_with(&self, sources: &[&str]) -> Result<BTreeSet<String>> {
        let mut waiting = Vec::new();
        for source in sources {
            waiting.push(self.file_of(source)?.to_string());
        }
        let mut found = BTreeSet::new();
        while let Some(path) = waiting.pop() {
            let output = self.outputs.get(&path).with_context(|| format!("esbuild does not tell of {path}"))?;
            if found.insert(path) {
                let at_once = |import: &&Import| import.kind == "import-statement" && !import.external;
                waiting.extend(output.imports.iter().filter(at_once).map(|import| import.path.clone()));
            }
        }
        Ok(found)
    }

    /// What those that are loaded already load later, as sources.
    pub fn later(&self, loaded: &BTreeSet<String>) -> Vec<&str> {
        let paths: BTreeSet<&str> = loaded
            .iter()
            .filter_map(|path| self.outputs.get(path))
            .flat_map(|output| output.imports.iter().filter(|import| import.kind == "dynamic-import"))
            .map(|import| import.path.as_str())
            .collect();
        paths.into_iter().filter_map(|path| self.outputs.get(path)?.entry.as_deref()).collect()
    }
}

/// Makes a script or style sheet small, in its place.
///
/// # Errors
/// When esbuild fails.
pub fn minify(file: &Path) -> Result<()> {
    let mut esbuild = sh::cmd("esbuild", [file.as_os_str()]);
    esbuild.args(["--minify", "--charset=utf8", "--allow-overwrite", "--log-level=warning", TARGET]);
    sh::read(esbuild.arg(option("--outfile=", file))).map(drop)
}

fn option(name: &str, path: &Path) -> OsString {
    let mut text = OsString::from(name);
    text.push(path);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_loaded_at_once_and_what_later() {
        let text = r#"{"outputs": {
            "main.js": {"entryPoint": "www/main.js", "imports": [
                {"path": "b/1.js", "kind": "import-statement"}, {"path": "b/2.js", "kind": "dynamic-import"}]},
            "b/1.js": {"imports": [{"path": "main.js", "kind": "import-statement"}, {"path": "x", "kind": "import-statement", "external": true}]},
            "b/2.js": {"entryPoint": "www/later.js", "imports": [{"path": "b/1.js", "kind": "import-statement"}]}}}"#;
        let bundle: Bundle = serde_json::from_str(text).expect("a report");
        let first = bundle.loaded_with(&["www/main.js"]).expect("found");
        assert_eq!(first.iter().map(String::as_str).collect::<Vec<_>>(), ["b/1.js", "main.js"]);
        assert_eq!(bundle.later(&first), ["www/later.js"]);
        let error = bundle.loaded_with(&["www/other.js"]).unwrap_err().to_string();
        assert!(error.contains("www/other.js"), "{error}");
    }
}
