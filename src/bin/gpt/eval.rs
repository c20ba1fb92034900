//! `gpt eval`

use super::say::{err, print_line};
use super::{ModelArgs, load, read};
use gpt_playground::error::{Error, Result};
use gpt_playground::inspect::evaluate;
use gpt_playground::message::Message;
use std::io::IsTerminal as _;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// The text, UTF-8.
    #[arg(long, value_name = "FILE")]
    text: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<()> {
    let tokenizer = load::tokenizer(&args.model.model)?;
    let text = String::from_utf8(read::whole(&args.text)?).map_err(|e| {
        Error::Input(Message::uncoded(format!("{} is not UTF-8 ({e}); convert it first", args.text.display())))
    })?;
    let ids = tokenizer.encode(&text)?;
    let mut model = load::model(&args.model).await?;
    // A text that opens with the model's first-of-document token has no need of another.
    let bos = model.config().bos_token_id.filter(|bos| ids.first() != Some(bos));
    let live = std::io::stderr().is_terminal();
    let progress = |done: usize, total: usize| {
        if live {
            err(&format!("\r{done} of {total} tokens"));
        }
    };
    let e = evaluate(&mut model, &ids, bos, text.len(), progress).await?;
    if live {
        err("\n");
    }
    if args.json {
        let object = serde_json::json!({
            "loss": e.loss,
            "perplexity": e.perplexity,
            "bits_per_byte": e.bits_per_byte,
            "tokens": e.tokens,
            "bytes": text.len(),
            "backend": model.backend(),
        });
        return print_line(&object.to_string());
    }
    print_line(&format!(
        "loss {:.4} nats per token, perplexity {:.3}, {:.4} bits per byte ({} tokens, {} bytes)",
        e.loss,
        e.perplexity,
        e.bits_per_byte,
        e.tokens,
        text.len()
    ))
}
