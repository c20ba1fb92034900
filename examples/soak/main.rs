//! A soak of the native engine: it writes, trains, and opens and closes models for a long time in one process, and prints
//! what the process and the device held meanwhile. `cargo xtask prove --only soak` judges whether that stays flat.
//!
//! Each part prints one JSON object on one line: `{ "part": what was done, "series": [{ "name", "unit", "values", … }] }`.
#![cfg_attr(target_arch = "wasm32", allow(unused))]

#[cfg(not(target_arch = "wasm32"))]
mod models;
#[cfg(not(target_arch = "wasm32"))]
mod series;
#[cfg(not(target_arch = "wasm32"))]
mod tokens;
#[cfg(not(target_arch = "wasm32"))]
mod training;

#[cfg(not(target_arch = "wasm32"))]
#[derive(clap::Parser)]
struct Args {
    /// Where to run.
    #[arg(long, value_name = "cpu|gpu", default_value = "cpu")]
    backend: gpt_playground::exec::Backend,
    /// Folder of the model that writes.
    #[arg(long, value_name = "DIR", default_value = "www/models/storyteller")]
    model: std::path::PathBuf,
    /// Tokens to write.
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    tokens: usize,
    /// Steps to train.
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    steps: u32,
    /// Models to open and close.
    #[arg(long, value_name = "N", default_value_t = 100)]
    models: usize,
}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Args = clap::Parser::parse();
    let part = |what: String, series: series::Series| println!("{}", series.part(&what));
    part(format!("{} tokens", args.tokens), tokens::soak(&args.model, args.backend, args.tokens)?);
    part(format!("{} steps", args.steps), training::soak(args.backend, args.steps)?);
    part(format!("{} models", args.models), models::soak(&args.model, args.backend, args.models)?);
    Ok(())
}

#[cfg(target_arch = "wasm32")]
fn main() {}
