//! `gpt merge`

use super::output::{Folder, Maker};
use super::say::say;
use super::{ModelArgs, load};
use gpt_playground::error::{Error, Result};
use gpt_playground::message::Message;
use gpt_playground::model::checkpoint::Dtype;
use gpt_playground::train::export::hf_files;
use std::path::{Path, PathBuf};

/// Write a model with an adapter merged into its weights: a whole model, which needs the adapter no more.
///
/// The folder gets model.safetensors, config.json, generation_config.json and, where the model has one, tokenizer.json,
/// as from `gpt train`.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Folder to write; must hold no model yet.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) async fn run(args: Args) -> Result<()> {
    if args.model.adapter.is_none() {
        return Err(Error::Input(Message::uncoded("give --adapter, the folder of the adapter to merge")));
    }
    let mut folder = Folder::open(&args.out)?;
    folder.check_free()?;
    folder.check_writable()?;
    let dir: &Path = &args.model.model;
    let tokenizer = load::tokenizer_json(dir, load::find_tokenizer(dir)?.as_deref())?;
    let mut model = load::model(&args.model).await?;
    let files = hf_files(&mut model, &tokenizer, Dtype::F32).await?;
    folder.clean(&files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
    let (weights, texts): (Vec<_>, Vec<_>) = files.iter().partition(|(name, _)| name.ends_with(".safetensors"));
    // First what there may be no room for.
    for (name, bytes) in weights {
        folder.put_weights(name, bytes, Maker::Merge, &[])?;
    }
    for (name, bytes) in texts {
        folder.put_text(name, bytes, |_| false)?;
    }
    say(format_args!("wrote {}", args.out.display()));
    Ok(())
}
