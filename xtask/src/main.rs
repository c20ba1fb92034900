//! The project's commands: `cargo xtask serve | test | prove | dist | bench`. Each installs what it lacks.

mod bench;
mod build;
mod bundle;
mod dist;
mod http;
mod names;
mod own;
mod prove;
mod serve;
mod setup;
mod sh;
mod site;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's commands; each installs what it lacks.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the page and serve it, on 127.0.0.1 unless told otherwise
    Serve(serve::Args),
    /// Run every check: format, lints, native tests, types, browser tests
    Test(test::Args),
    /// Run the proofs that take longer than a minute and print a table of what they proved
    Prove(prove::Args),
    /// Write dist/: static files that any host can serve
    Dist,
    /// Measure decode and prefill speed on every backend and print one table
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(args) => serve::run(&args),
        Command::Dist => dist::run(),
        // These start servers of their own.
        Command::Test(args) => own::keep().and_then(|()| test::run(&args)),
        Command::Prove(args) => own::keep().and_then(|()| prove::run(&args)),
        Command::Bench(args) => own::keep().and_then(|()| bench::run(&args)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The chain of causes is what helps the user; a stack trace of this program is not.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
