//! The engine at the command line: generate, logits, tokenize, eval, train, bench.
#![cfg_attr(target_arch = "wasm32", allow(unused))]
// They panic where the reader has gone: see `say`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

#[cfg(not(target_arch = "wasm32"))]
#[path = "gpt/mod.rs"]
mod cli;

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    cli::main()
}

#[cfg(target_arch = "wasm32")]
fn main() {}
