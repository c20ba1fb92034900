//! `gpt tokenize`

use super::disk::io_error;
use super::load;
use super::say::{print_bytes, print_line};
use gpt_playground::error::{Error, Result};
use gpt_playground::message::Message;
use std::io::Read as _;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Folder with tokenizer.json, or vocab.json and merges.txt.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Read a JSON array of ids and write the text.
    #[arg(long)]
    decode: bool,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let tokenizer = load::tokenizer(&args.model)?;
    let mut input = Vec::new();
    std::io::stdin().lock().read_to_end(&mut input).map_err(|e| io_error("standard input", &e))?;
    if args.decode {
        let ids: Vec<u32> = serde_json::from_slice(&input).map_err(|e| {
            Error::Input(Message::uncoded(format!(
                "standard input is no JSON array of ids ({e}); write it as in [1, 2, 3]"
            )))
        })?;
        if let Some(id) = ids.iter().find(|&&id| tokenizer.token_bytes(id).is_none()) {
            let size = tokenizer.vocab_size();
            return Err(Error::Input(Message::uncoded(format!("there is no token {id}; this vocabulary has {size}"))));
        }
        // Bytes, not text: ids need not end at a character.
        let bytes = tokenizer.decode_bytes(&ids);
        return print_bytes(&bytes);
    }
    let text = String::from_utf8(input).map_err(|e| {
        Error::Input(Message::uncoded(format!("standard input is not UTF-8 ({e}); convert the text first")))
    })?;
    print_line(&serde_json::json!(tokenizer.encode(&text)?).to_string())
}
