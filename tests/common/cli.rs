//! The program `gpt`, run as a user runs it.

use super::models::path;
use serde_json::Value;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// Runs `gpt` with these arguments and standard input.
fn run(args: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpt"));
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
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
