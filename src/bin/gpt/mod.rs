//! The commands and their options.

mod bench;
mod disk;
mod eval;
mod fingerprint;
mod generate;
mod load;
mod logits;
mod merge;
mod output;
mod read;
mod say;
mod signals;
mod tokenize;
mod train;

use clap::{Parser, Subcommand};
use gpt_playground::exec::Backend;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "gpt", about = "Run and look inside a GPT: the playground's engine at the command line.", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Continue a prompt.
    Generate(generate::Args),
    /// Write the logits of every position, and other tensors, to a safetensors file.
    Logits(logits::Args),
    /// Turn text on standard input into a JSON array of token ids, or back.
    Tokenize(tokenize::Args),
    /// Loss, perplexity and bits per byte over a whole text file.
    Eval(eval::Args),
    /// Fine-tune a model, train an adapter beside it, or train one from scratch.
    Train(Box<train::Args>),
    /// Write a model with an adapter merged into its weights.
    Merge(merge::Args),
    /// Measure decode and prefill speed, dispatches, bytes and memory.
    Bench(bench::Args),
}

/// Options of every command that runs a model.
#[derive(clap::Args)]
struct ModelArgs {
    /// Folder with config.json, model.safetensors and the tokenizer's files.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Where to run: auto takes a hardware GPU if there is one.
    #[arg(long, value_name = "cpu|gpu|auto", default_value = "auto")]
    backend: Backend,
    /// Folder of a LoRA adapter in PEFT's format, trained beside this model.
    #[arg(long, value_name = "DIR")]
    adapter: Option<PathBuf>,
    /// How strongly the adapter acts: 0 is the model without it, 1 as trained.
    #[arg(long, value_name = "X", default_value_t = 1.0, requires = "adapter", allow_negative_numbers = true)]
    adapter_strength: f32,
}

/// Reads a comma-separated list of token ids.
#[derive(Debug, Clone)]
struct Ids(Vec<u32>);

impl std::str::FromStr for Ids {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = |part: &str| {
            let part = part.trim();
            part.parse::<u32>().map_err(|_| format!("{part:?} is no token id; write ids as in 1,2,3"))
        };
        text.split(',').map(read).collect::<Result<_, _>>().map(Ids)
    }
}

/// Where there is no desktop, keeps the Vulkan layer that looks for its display from complaining on standard error: it
/// then looks in a folder that is not there, and finds none. Nothing is drawn here.
#[cfg(unix)]
fn keep_vulkan_quiet() {
    const KEY: &str = "XDG_RUNTIME_DIR";
    if std::env::var_os(KEY).is_none_or(|dir| !std::path::Path::new(&dir).is_absolute()) {
        // SAFETY: the program has no other thread yet that could read the environment.
        unsafe { std::env::set_var(KEY, "/nonexistent") };
    }
}

/// Runs the command that the arguments name.
pub(crate) fn main() -> ExitCode {
    #[cfg(unix)]
    keep_vulkan_quiet();
    let result = match Cli::parse().command {
        Command::Generate(args) => pollster::block_on(generate::run(args)),
        Command::Logits(args) => pollster::block_on(logits::run(args)),
        Command::Tokenize(args) => tokenize::run(&args),
        Command::Eval(args) => pollster::block_on(eval::run(args)),
        Command::Train(args) => pollster::block_on(train::run(*args, signals::asked_to_end)),
        Command::Merge(args) => pollster::block_on(merge::run(args)),
        Command::Bench(args) => pollster::block_on(bench::run(args)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            say::say(format_args!("error: {e}"));
            ExitCode::FAILURE
        }
    }
}
