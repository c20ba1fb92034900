//! What the commands need on the machine: each `ensure_*` finds it, else installs it, else says exactly what to install.

use crate::sh::{self, cmd};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;

const WASM_PACK: &str = "0.15.1";
const CARGO_FUZZ: &str = "0.13.2";
const WASM_TARGET: &str = "wasm32-unknown-unknown";
/// Node 20 is the first with a stable test runner.
const NODE_MAJOR: u32 = 20;

/// Everything that building the page needs.
///
/// # Errors
/// When something is missing and cannot be installed here.
pub fn web() -> Result<()> {
    ensure_wasm_target()?;
    ensure_npm()
}

/// What running the Rust tests in a browser needs besides: wasm-pack and wasm-bindgen's test runner.
///
/// # Errors
/// When something is missing and cannot be installed here.
pub fn wasm_tests() -> Result<()> {
    ensure_wasm_target()?;
    ensure_cargo_tool("wasm-pack", "wasm-pack", WASM_PACK)?;
    ensure_cargo_tool("wasm-bindgen", "wasm-bindgen-cli", &locked_version("wasm-bindgen")?)
}

/// `cargo fuzz`.
///
/// # Errors
/// When it is missing and cannot be installed.
pub fn ensure_fuzzer() -> Result<()> {
    ensure_cargo_tool("cargo-fuzz", "cargo-fuzz", CARGO_FUZZ)
}

/// `cargo fmt` and `cargo clippy`, which a minimal toolchain lacks.
///
/// # Errors
/// When they are missing and rustup cannot add them.
pub fn ensure_lints() -> Result<()> {
    for (tool, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if !sh::succeeds(&mut cmd("cargo", [tool, "--version"])) {
            sh::run(&mut cmd("rustup", ["component", "add", component])).with_context(|| {
                format!("cargo {tool} is missing: install the `{component}` component of your Rust toolchain")
            })?;
        }
    }
    Ok(())
}

/// The standard library for wasm.
///
/// # Errors
/// When it is missing and rustup cannot add it.
pub fn ensure_wasm_target() -> Result<()> {
    // Asking rustc works for toolchains without rustup too.
    let lib = sh::read(&mut cmd("rustc", ["--print", "target-libdir", "--target", WASM_TARGET]))?;
    if fs::read_dir(&lib).is_ok_and(|mut files| files.next().is_some()) {
        return Ok(());
    }
    sh::run(&mut cmd("rustup", ["target", "add", WASM_TARGET])).with_context(|| {
        format!("the Rust target {WASM_TARGET} is missing: install it with your toolchain's package manager")
    })
}

/// A program from crates.io at one exact version: on the `PATH`, else installed below `target/tools`.
fn ensure_cargo_tool(program: &str, package: &str, version: &str) -> Result<()> {
    // wasm-pack compares the versions in the same way and so takes what it finds here, without downloading.
    let installed = sh::read(&mut cmd(program, ["--version"])).unwrap_or_default();
    if installed.split_whitespace().nth(1) == Some(version) {
        return Ok(());
    }
    let pinned = format!("={version}");
    let tools = sh::tools_dir();
    let install = |locked: &[&str]| {
        let mut command = cmd("cargo", ["install", package, "--force", "--version", &pinned, "--root"]);
        // These run for a second or two per build: compiling them quickly saves minutes.
        command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env_remove("CARGO_TARGET_DIR");
        sh::run(command.arg(&tools).args(locked))
    };
    eprintln!("{program} {version} is missing: installing it below {} (a few minutes, once)", tools.display());
    // The lock file of the tool may name a release that was withdrawn since; then the newest compatible ones do.
    install(&["--locked"]).or_else(|_| install(&[])).with_context(|| format!("could not install {package} {version}"))
}

/// The version of a dependency in Cargo.lock.
fn locked_version(package: &str) -> Result<String> {
    let lock = fs::read_to_string(sh::root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    find_locked(&lock, package).with_context(|| format!("Cargo.lock does not list {package}"))
}

fn find_locked(lock: &str, package: &str) -> Option<String> {
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{package}\""));
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"').map(str::to_string)
}

/// Node.js and the packages of package-lock.json.
///
/// # Errors
/// When Node.js is missing or too old, or `npm ci` fails.
pub fn ensure_npm() -> Result<()> {
    let version = sh::read(&mut cmd("node", ["--version"])).unwrap_or_default();
    let major = version.trim_start_matches('v').split('.').next().and_then(|n| n.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MAJOR) || sh::find("npm").is_none() {
        let found = if version.is_empty() { "none".to_string() } else { version };
        bail!("Node.js {NODE_MAJOR} or newer with npm is needed (found: {found}): install it from https://nodejs.org");
    }
    let lock = fs::read(sh::root().join("package-lock.json")).context("cannot read package-lock.json")?;
    // A copy of the lock file inside node_modules says what was installed; times of files do not survive a clone.
    let stamp = sh::root().join("node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    sh::run(&mut cmd("npm", ["ci", "--no-audit", "--no-fund"]))?;
    fs::write(&stamp, lock).with_context(|| format!("cannot write {}", stamp.display()))
}

/// A browser of the Chromium family and the ChromeDriver that belongs to it.
pub struct Browser {
    /// The browser's executable.
    pub chrome: PathBuf,
    /// ChromeDriver's executable.
    pub driver: PathBuf,
}

/// Finds Chromium or Google Chrome with ChromeDriver, or installs both through apt.
/// `CHROME` and `CHROMEDRIVER` in the environment go first.
///
/// # Errors
/// When they are missing and cannot be installed here.
pub fn ensure_browser() -> Result<Browser> {
    if find_chrome()?.is_none() || find_driver()?.is_none() {
        apt_install(&["chromium", "chromium-driver"]).context(
            "Chromium (or Google Chrome) and ChromeDriver of the same version are needed: install both, \
             or name them in the environment variables CHROME and CHROMEDRIVER",
        )?;
    }
    let chrome = find_chrome()?.context("no Chromium was found after its installation: set CHROME to its path")?;
    let driver =
        find_driver()?.context("no ChromeDriver was found after its installation: set CHROMEDRIVER to its path")?;
    Ok(Browser { chrome, driver })
}

/// Firefox, and WebKitGTK's small browser with the screen in memory that it is shown on.
pub struct Engines {
    /// Firefox's executable.
    pub firefox: PathBuf,
    /// WebKitWebDriver's executable; it knows its browser.
    pub webkit: PathBuf,
    /// Xvfb's executable.
    pub xvfb: PathBuf,
}

/// Finds Firefox, WebKitWebDriver and Xvfb, or installs them through apt.
/// `FIREFOX`, `WEBKIT_DRIVER` and `XVFB` in the environment go first.
///
/// # Errors
/// When one is missing and cannot be installed here.
pub fn ensure_engines() -> Result<Engines> {
    if find_engines()?.is_none() {
        apt_install(&["firefox-esr", "webkit2gtk-driver", "xvfb"]).context(
            "Firefox, WebKitWebDriver (of WebKitGTK, which runs on Linux) and Xvfb are needed: install them, or name \
             them in the environment variables FIREFOX, WEBKIT_DRIVER and XVFB",
        )?;
    }
    find_engines()?.context(
        "Firefox, WebKitWebDriver or Xvfb was not found after its installation: set FIREFOX, WEBKIT_DRIVER, XVFB",
    )
}

fn find_engines() -> Result<Option<Engines>> {
    let firefox =
        find_tool("FIREFOX", &["firefox-esr", "firefox"], &["/Applications/Firefox.app/Contents/MacOS/firefox"])?;
    let webkit = find_tool("WEBKIT_DRIVER", &["WebKitWebDriver"], &["/usr/libexec/WebKitWebDriver"])?;
    let xvfb = find_tool("XVFB", &["Xvfb"], &[])?;
    Ok(firefox.zip(webkit).zip(xvfb).map(|((firefox, webkit), xvfb)| Engines { firefox, webkit, xvfb }))
}

fn find_chrome() -> Result<Option<PathBuf>> {
    find_tool(
        "CHROME",
        &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"],
        &[
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
            "/Applications/Chromium.app/Contents/MacOS/Chromium",
            r"C:\Program Files\Google\Chrome\Application\chrome.exe",
            r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
        ],
    )
}

fn find_driver() -> Result<Option<PathBuf>> {
    find_tool(
        "CHROMEDRIVER",
        &["chromedriver"],
        &["/usr/lib/chromium/chromedriver", "/usr/lib/chromium-browser/chromedriver"],
    )
}

fn find_tool(variable: &str, names: &[&str], places: &[&str]) -> Result<Option<PathBuf>> {
    if let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from) {
        if !path.is_file() {
            bail!("{variable} names {}, which is not a file: correct it or unset it", path.display());
        }
        return Ok(Some(path));
    }
    let on_path = names.iter().find_map(|name| sh::find(name));
    Ok(on_path.or_else(|| places.iter().map(PathBuf::from).find(|path| path.is_file())))
}

/// A Vulkan driver for the native GPU tests on Linux (Mesa's software driver will do); other systems bring Metal or DirectX.
///
/// # Errors
/// When it is missing and cannot be installed here.
pub fn ensure_vulkan() -> Result<()> {
    if !cfg!(target_os = "linux") || has_vulkan() {
        return Ok(());
    }
    apt_install(&["mesa-vulkan-drivers", "libvulkan1"]).context(
        "a Vulkan loader and driver are needed: install your distribution's packages (Mesa's software driver will do)",
    )?;
    if !has_vulkan() {
        bail!("no Vulkan driver was found after its installation: name one in VK_DRIVER_FILES");
    }
    Ok(())
}

fn has_vulkan() -> bool {
    let loader = ["/sbin/ldconfig", "ldconfig"]
        .iter()
        .any(|name| sh::read(&mut cmd(name, ["-p"])).is_ok_and(|libraries| libraries.contains("libvulkan.so.1")));
    let named = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].iter().any(|name| std::env::var_os(name).is_some());
    let listed = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"]
        .iter()
        .any(|dir| fs::read_dir(dir).is_ok_and(|mut files| files.next().is_some()));
    loader && (named || listed)
}

/// Installs Debian packages; only root on a system with apt can.
fn apt_install(packages: &[&str]) -> Result<()> {
    let by_hand = format!("apt-get install {}", packages.join(" "));
    if sh::find("apt-get").is_none() {
        bail!("there is no apt-get here to install them (on Debian: `{by_hand}`)");
    }
    if sh::read(&mut cmd("id", ["-u"])).ok().as_deref() != Some("0") {
        bail!("run `sudo {by_hand}`");
    }
    sh::run(&mut cmd("apt-get", ["update"]))?;
    let mut install = cmd("apt-get", ["install", "-y", "--no-install-recommends"]);
    sh::run(install.args(packages).env("DEBIAN_FRONTEND", "noninteractive"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locked_version_is_of_the_very_package() {
        let lock =
            "[[package]]\nname = \"a-b\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"a\"\nversion = \"2.3.4\"\n";
        assert_eq!(find_locked(lock, "a").as_deref(), Some("2.3.4"));
        assert_eq!(find_locked(lock, "b"), None);
    }
}
