//! `gpt logits`

use super::output::{Maker, OutFile};
use super::{Ids, ModelArgs, load};
use gpt_playground::error::{Error, Result};
use gpt_playground::message::Message;
use gpt_playground::model::checkpoint::{Dtype, TensorOut, write_safetensors};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Token ids, at most the model's context.
    #[arg(long, value_name = "1,2,3")]
    ids: Ids,
    /// The file to write: tensor `logits` (T, V), and those captured. Of files that exist only another of this command
    /// is replaced.
    #[arg(long, value_name = "FILE.safetensors")]
    out: PathBuf,
    /// Another tensor to write, for example h.0 (a block's output), h.0.attn.qkv, h.0.mlp.act, h.0.attn.probs; may be
    /// repeated. An unknown name lists those there are.
    #[arg(long, value_name = "NAME")]
    capture: Vec<String>,
    /// The head whose probabilities h.*.attn.probs shows.
    #[arg(long, value_name = "N", default_value_t = 0)]
    head: u32,
}

pub(super) async fn run(args: Args) -> Result<()> {
    let out = OutFile::check(&args.out, Maker::Logits)?;
    let mut model = load::model(&args.model).await?;
    if args.head as usize >= model.config().n_head {
        let (head, n) = (args.head, model.config().n_head);
        return Err(Error::Input(Message::uncoded(format!(
            "there is no head {head}; this model has heads 0 to {}",
            n - 1
        ))));
    }
    let mut captures = vec!["logits".to_string()];
    for name in args.capture {
        if !captures.contains(&name) {
            captures.push(name);
        }
    }
    let found = model.probe(&args.ids.0, 0, &captures, args.head).await?;
    let tensors: Vec<TensorOut<'_>> = captures
        .iter()
        .zip(&found)
        .map(|(name, (shape, data))| TensorOut { name: name.clone(), shape: shape.clone(), dtype: Dtype::F32, data })
        .collect();
    out.write(&write_safetensors(&tensors, &[("format", "pt"), Maker::Logits.entry()])?)
}
