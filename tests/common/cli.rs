//! The program `gpt`, run as a user runs it.

use super::models::path;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// `gpt` with these arguments.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpt"));
    command.args(args);
    command
}

/// Runs `gpt` with these arguments and standard input.
fn run(args: &[&str], input: &[u8]) -> Output {
    let mut command = command(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("gpt starts");
    // It may leave without reading; its answer says why.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child.wait_with_output().expect("gpt ends")
}

/// What a run said on standard error.
pub fn message(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

fn succeed(args: &[&str], input: &[u8]) -> Output {
    let out = run(args, input);
    assert!(out.status.success(), "gpt {args:?} ended with {}: {}", out.status, message(&out));
    out
}

/// Standard output of a run that must succeed.
pub fn gpt(args: &[&str]) -> Vec<u8> {
    gpt_with(args, b"")
}

/// Standard output of a run that is given `input` and must succeed.
pub fn gpt_with(args: &[&str], input: &[u8]) -> Vec<u8> {
    succeed(args, input).stdout
}

/// Standard error of a run that must succeed.
pub fn said(args: &[&str]) -> String {
    message(&succeed(args, b""))
}

/// The JSON that a run prints.
pub fn json(args: &[&str]) -> Value {
    serde_json::from_slice(&gpt(args)).unwrap_or_else(|e| panic!("gpt {args:?} printed no JSON: {e}"))
}

/// Asserts that a run fails with exit code 1, prints nothing to standard output, and names all of `words`.
pub fn refused(args: &[&str], input: &[u8], words: &[&str]) {
    fails(1, args, input, words);
}

/// As [`refused`], for what the options' own grammar does not allow, which ends with 2 as everywhere.
pub fn misused(args: &[&str], words: &[&str]) {
    fails(2, args, b"", words);
}

fn fails(code: i32, args: &[&str], input: &[u8], words: &[&str]) {
    let out = run(args, input);
    let message = message(&out);
    assert_eq!(out.status.code(), Some(code), "gpt {args:?}: {message}");
    assert_eq!(String::from_utf8_lossy(&out.stdout), "", "gpt {args:?}");
    for word in words {
        assert!(message.contains(word), "gpt {args:?} does not mention {word:?}: {message}");
    }
    assert!(!message.contains("panicked"), "gpt {args:?}: {message}");
}

/// A fixture's or shipped model's folder.
pub fn folder(name: &str) -> String {
    path(name, "config.json").parent().expect("a folder").display().to_string()
}

/// A file or folder among the fixtures.
pub fn fixture(path: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path).display().to_string()
}

/// A folder with a text in it.
pub struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().expect("a folder") };
        let line = "The quick brown fox jumps over the lazy dog, and the dog does not mind at all.\n";
        std::fs::write(place.at("text.txt"), line.repeat(40)).expect("written");
        place
    }

    /// The path of a file or folder in it.
    pub fn at(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// Writes a file, and the folders it lies in.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, bytes).expect("written");
        path.display().to_string()
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.at(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The objects of a log.
    pub fn log(&self, name: &str) -> Vec<Value> {
        let text = String::from_utf8(self.read(name)).expect("UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
    }

    /// The names in a folder.
    pub fn files(&self, name: &str) -> Vec<String> {
        let list = std::fs::read_dir(self.at(name)).expect("a folder");
        let mut names: Vec<String> =
            list.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Everything in a folder, and in the folders in it: what must not change where nothing may.
    pub fn contents(&self, name: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        collect(Path::new(&self.at(name)), &mut found);
        found
    }
}

fn collect(dir: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, found);
            // So that an empty folder counts too.
            found.insert(path, Vec::new());
        } else if path.is_file() {
            found.insert(path.clone(), std::fs::read(&path).expect("a file"));
        }
    }
}
