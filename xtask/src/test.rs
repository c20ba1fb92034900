//! `test`: every check there is, in an order that finds cheap mistakes first.

use crate::setup::{self, Browser};
use crate::sh::{self, cmd};
use crate::{build, dist};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Options of `test`.
#[derive(clap::Args)]
pub struct Args {
    /// Run only these steps (see --list); may be repeated
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// List the steps
    #[arg(long)]
    list: bool,
    /// Only the page tests whose file name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    page_filter: String,
}

/// The browser tests compile every shader on a software GPU, which takes longer than the runner's usual 20 s.
const WEB_TEST_TIMEOUT_S: &str = "900";

/// No page test, generating on a software GPU included, takes this long unless it hangs.
const PAGE_TEST_TIMEOUT_MS: &str = "--test-timeout=600000";

/// Stands in the page tests that measure time, and so run alone.
const MEASURES: &str = "// Measures time.";

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&Args) -> Result<()>,
}

/// In this order; the page is built before `types` because its declarations are part of what `tsc` checks.
const STEPS: &[Step] = &[
    Step { name: "format", what: "cargo fmt", run: |_| format() },
    Step { name: "clippy", what: "clippy, native", run: |_| clippy() },
    Step { name: "clippy-wasm", what: "clippy, wasm32", run: |_| clippy_wasm() },
    Step { name: "biome", what: "format and lints of the JavaScript", run: |_| biome() },
    Step { name: "native", what: "cargo test on the CPU and on Vulkan", run: |_| native() },
    Step { name: "build", what: "the page's wasm", run: |_| build_page() },
    Step { name: "dist", what: "the site as it ships, and its size", run: |_| shipped()?.check() },
    Step { name: "types", what: "tsc over the page's JavaScript", run: |_| types() },
    Step { name: "views", what: "unit tests of the views in Node.js", run: |_| views() },
    Step { name: "web", what: "the engine in headless Chromium", run: |_| web() },
    Step { name: "page", what: "the real page in Chromium", run: page },
    Step { name: "engines", what: "a newcomer's way in Chromium, Firefox and WebKitGTK", run: |_| engines() },
];

/// Runs the steps and stops at the first failure.
///
/// # Errors
/// When a step fails or a name in `--only` is unknown.
pub fn run(args: &Args) -> Result<()> {
    if args.list {
        STEPS.iter().for_each(|step| println!("{:<12} {}", step.name, step.what));
        return Ok(());
    }
    if let Some(unknown) = args.only.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        bail!("there is no test step `{unknown}`: see `cargo xtask test --list`");
    }
    let chosen = |step: &&Step| args.only.is_empty() || args.only.iter().any(|name| name == step.name);
    let steps: Vec<_> = STEPS.iter().filter(chosen).collect();
    let started = Instant::now();
    let mut times = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        println!("\n=== {}/{} {}: {}", index + 1, steps.len(), step.name, step.what);
        let begun = Instant::now();
        let outcome = (step.run)(args);
        let seconds = begun.elapsed().as_secs_f64();
        if outcome.is_err() {
            println!("=== {} FAILED after {seconds:.1} s (again: cargo xtask test --only {})", step.name, step.name);
        }
        outcome.with_context(|| format!("test step `{}` failed", step.name))?;
        println!("=== {} passed in {seconds:.1} s", step.name);
        times.push(format!("{} {seconds:.0} s", step.name));
    }
    println!("\nAll {} steps passed in {:.0} s: {}.", steps.len(), started.elapsed().as_secs_f64(), times.join(", "));
    Ok(())
}

fn format() -> Result<()> {
    setup::ensure_lints()?;
    sh::run(&mut cmd("cargo", ["fmt", "--all", "--check"]))
}

fn clippy() -> Result<()> {
    sh::run(&mut cmd("cargo", ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn clippy_wasm() -> Result<()> {
    setup::ensure_wasm_target()?;
    let target = ["--target", "wasm32-unknown-unknown"];
    sh::run(cmd("cargo", ["clippy", "--lib", "--tests"]).args(target).args(["--", "-D", "warnings"]))
}

fn biome() -> Result<()> {
    setup::ensure_npm()?;
    sh::run(&mut cmd("biome", ["check", "--error-on-warnings"]))
}

fn native() -> Result<()> {
    setup::ensure_vulkan()?;
    sh::run(&mut cmd("cargo", ["test", "--workspace"]))
}

fn build_page() -> Result<()> {
    setup::web()?;
    build::page()
}

/// The site as it ships, which the page tests open too.
fn shipped() -> Result<dist::Sizes> {
    build_page()?;
    dist::make(&sh::root().join("dist"))
}

fn types() -> Result<()> {
    setup::ensure_npm()?;
    // The page has a configuration of its own: Node's globals, which the tests use, do not exist there.
    sh::run(&mut cmd("tsc", ["--project", "www"]))?;
    sh::run(&mut cmd("tsc", ["--project", "tsconfig.json"]))
}

fn views() -> Result<()> {
    setup::ensure_npm()?;
    node_test(&find_tests("tests/views", "")?, &mut cmd("node", ["--test"]))
}

fn web() -> Result<()> {
    setup::wasm_tests()?;
    let browser = setup::ensure_browser()?;
    let driver = browser.driver.display().to_string();
    // The dev profile: its optimised kernels are fast enough, overflow and debug checks stay on, and no link-time
    // optimisation is spent on every test file.
    let pack = ["test", "--headless", "--chrome", "--mode", "no-install", "--chromedriver", &driver];
    let mut command = cmd("wasm-pack", pack);
    command.args([".", "--test", "web"]).env("WASM_BINDGEN_TEST_TIMEOUT", WEB_TEST_TIMEOUT_S);
    // Chromium needs a while to start on a machine that still writes out what it just compiled.
    command.env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60");
    sh::run(command.env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", webdriver_config(&browser)?))
}

/// `webdriver.json` with the browser that was found, so that this step and the page tests run the same one.
fn webdriver_config(browser: &Browser) -> Result<PathBuf> {
    let text = fs::read_to_string(sh::root().join("webdriver.json")).context("cannot read webdriver.json")?;
    let mut config: serde_json::Value = serde_json::from_str(&text).context("webdriver.json is not valid JSON")?;
    config["goog:chromeOptions"]["binary"] = browser.chrome.display().to_string().into();
    let path = sh::target_dir().join("webdriver.json");
    fs::create_dir_all(sh::target_dir())?;
    fs::write(&path, config.to_string()).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn page(args: &Args) -> Result<()> {
    shipped()?;
    let browser = setup::ensure_browser()?;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for file in find_tests("tests/page", &args.page_filter)? {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        if text.contains(MEASURES) { alone.push(file) } else { beside.push(file) }
    }
    // A test waits half of its time; but where time is measured, software rendering takes every core.
    for (files, concurrency) in [(beside, "--test-concurrency=2"), (alone, "--test-concurrency=1")] {
        if files.is_empty() {
            continue;
        }
        let mut command = cmd("node", ["--test", concurrency, "--test-reporter=spec"]);
        // A test that fails before it closes its browser must not keep the whole run waiting.
        command.args(["--test-force-exit", PAGE_TEST_TIMEOUT_MS]);
        command.env("CHROME", &browser.chrome).env("XTASK", crate::own::program()?);
        node_test(&files, &mut command)?;
    }
    Ok(())
}

/// One engine after the other: each takes both a core and memory, and none is waited for by the clock.
fn engines() -> Result<()> {
    build_page()?;
    let (browser, engines) = (setup::ensure_browser()?, setup::ensure_engines()?);
    let mut command = cmd("node", ["--test", "--test-reporter=spec", "--test-force-exit", PAGE_TEST_TIMEOUT_MS]);
    command.env("CHROME", &browser.chrome).env("XTASK", crate::own::program()?);
    command.env("FIREFOX", &engines.firefox).env("WEBKIT_DRIVER", &engines.webkit).env("XVFB", &engines.xvfb);
    node_test(&find_tests("tests/engines", "")?, &mut command)
}

/// The `*.test.mjs` and `*.test.js` files below a folder whose names contain `filter`.
fn find_tests(folder: &str, filter: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    test_files(&sh::root().join(folder), &mut files)?;
    files.retain(|file| file.file_name().is_some_and(|name| name.to_string_lossy().contains(filter)));
    files.sort();
    if files.is_empty() {
        bail!("no test file (*.test.mjs) in {folder} matches: a step without tests proves nothing");
    }
    Ok(files)
}

/// Runs Node's test runner. The files are named one by one because what the runner makes of a folder differs between versions of
/// Node.
fn node_test(files: &[PathBuf], command: &mut Command) -> Result<()> {
    let relative = files.iter().map(|file| file.strip_prefix(sh::root()).unwrap_or(file));
    sh::run(command.args(relative))
}

fn test_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            test_files(&path, found)?;
        } else if name.ends_with(".test.mjs") || name.ends_with(".test.js") {
            found.push(path);
        }
    }
    Ok(())
}
