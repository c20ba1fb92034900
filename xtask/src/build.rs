//! Building the page: the wasm modules in `www/pkg` and `www/pkg-train` and the libraries in `www/vendor`.

use crate::names;
use crate::sh::{self, cmd};
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use wasm_bindgen_cli_support::Bindgen;

/// The wasm modules: (folder relative to the root, cargo's options). The page opens with the first, which is half the
/// size; the Train tab loads the second.
const MODULES: [(&str, &[&str]); 2] =
    [("www/pkg", &["--no-default-features"]), ("www/pkg-train", &["--no-default-features", "--features", "train"])];

/// What wasm-opt may use: the features that rustc's wasm has and every browser with SIMD knows.
const FEATURES: [&str; 7] = [
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Libraries of the page, copied from npm packages because the page has no bundler: (from, to).
const VENDOR: &[(&str, &str)] = &[
    ("node_modules/uplot/dist/uPlot.esm.js", "www/vendor/uPlot.esm.js"),
    ("node_modules/uplot/dist/uPlot.min.css", "www/vendor/uPlot.css"),
];

/// What the wasm is made of; if none of it is newer than the last build, that one still holds.
const INPUTS: &[&str] =
    &["src", "kernels", "shaders", "build.rs", "Cargo.toml", "Cargo.lock", ".cargo/config.toml", "package-lock.json"];

/// Builds all that the page loads and that is not in the repository.
///
/// # Errors
/// When a tool fails or a file cannot be written.
pub fn page() -> Result<()> {
    vendor()?;
    MODULES.into_iter().try_for_each(|(folder, options)| wasm(folder, options))
}

fn wasm(folder: &str, cargo: &[&str]) -> Result<()> {
    let root = sh::root();
    // The stamp is written last, so an interrupted build never passes for a finished one.
    let stamp = root.join(folder).join(".built");
    if let Ok(built) = modified(&stamp) {
        let newest = INPUTS.iter().filter_map(|input| newest(&root.join(input)).ok()).max();
        if newest.is_some_and(|newest| newest <= built) {
            return Ok(());
        }
        fs::remove_file(&stamp)?;
    }
    let begun = SystemTime::now();
    let build = ["build", "--lib", "--target", "wasm32-unknown-unknown", "--profile", "web"];
    sh::run(&mut cmd("cargo", build.iter().chain(cargo)))?;
    let name = "gpt_playground";
    let compiled = sh::target_dir().join("wasm32-unknown-unknown/web").join(format!("{name}.wasm"));
    let out = root.join(folder);
    fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    eprintln!("Writing the JavaScript bindings of {folder}");
    Bindgen::new()
        .input_path(&compiled)
        .out_name(name)
        .web(true)?
        .typescript(true)
        // The module finds its own file beside it.
        .omit_default_module_path(false)
        .generate(&out)
        .with_context(|| format!("wasm-bindgen cannot read {}", compiled.display()))?;
    let bound = out.join(format!("{name}_bg.wasm"));
    // Beside its target first: an interrupted build must not leave half a module.
    let optimized = out.join(format!("{name}_bg.opt.wasm"));
    // The linker puts the stack first, whose last kilobyte is never reached: so small numbers are no addresses, and many
    // additions can become the offsets of loads.
    let passes = ["--low-memory-unused", "-O3"];
    let paths: [OsString; 3] = [bound.clone().into(), "--output".into(), optimized.clone().into()];
    sh::run(cmd("wasm-opt", FEATURES).args(passes).args(paths))?;
    names::shorten(&optimized, &out.join(format!("{name}.js")), &FEATURES)?;
    fs::rename(&optimized, &bound).with_context(|| format!("cannot replace {}", bound.display()))?;
    let file = fs::File::create(&stamp).with_context(|| format!("cannot write {}", stamp.display()))?;
    // Sources saved while the build ran may have missed it.
    file.set_modified(begun)?;
    Ok(())
}

fn vendor() -> Result<()> {
    for (from, to) in VENDOR {
        let (from, to) = (sh::root().join(from), sh::root().join(to));
        if modified(&to).ok() == modified(&from).ok() && to.exists() {
            continue;
        }
        fs::create_dir_all(to.parent().expect("a file below www"))?;
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        fs::File::options().write(true).open(&to)?.set_modified(modified(&from)?)?;
    }
    Ok(())
}

fn modified(path: &Path) -> std::io::Result<SystemTime> {
    path.metadata()?.modified()
}

/// The newest modification time in a file or folder; folders count too, for files that were removed.
fn newest(path: &PathBuf) -> std::io::Result<SystemTime> {
    let mut latest = modified(path)?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            latest = latest.max(newest(&entry?.path())?);
        }
    }
    Ok(latest)
}
