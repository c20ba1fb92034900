//! `gpt generate`

use super::say::{print, print_line, say, warn};
use super::{Ids, ModelArgs, load};
use clap::ArgGroup;
use gpt_playground::error::{Error, Result};
use gpt_playground::message::Message;
use gpt_playground::sample::{Generation, SamplingParams, Step};
use gpt_playground::tokenizer::StreamDecoder;
use std::time::{Duration, Instant};

#[derive(clap::Args)]
#[command(group(ArgGroup::new("input").required(true).args(["prompt", "prompt_ids"])))]
pub(super) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Text to continue.
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// Token ids to continue; then no tokenizer is needed.
    #[arg(long, value_name = "1,2,3")]
    prompt_ids: Option<Ids>,
    /// Put the model's first-of-document token before the prompt.
    #[arg(long)]
    bos: bool,
    /// How many tokens to write at most.
    #[arg(long, value_name = "N", default_value_t = 100)]
    max_new_tokens: usize,
    /// 0 always takes the likeliest token; 1 samples from the model's own distribution.
    #[arg(long, value_name = "X", default_value_t = SamplingParams::default().temperature)]
    temperature: f32,
    /// Sample among the K likeliest tokens only; 0 is off.
    #[arg(long, value_name = "K", default_value_t = SamplingParams::default().top_k)]
    top_k: u32,
    /// Sample among the likeliest tokens that together have this probability; 1 is off.
    #[arg(long, value_name = "P", default_value_t = SamplingParams::default().top_p)]
    top_p: f32,
    /// Drop tokens less likely than this part of the likeliest one's probability; 0 is off.
    #[arg(long, value_name = "P", default_value_t = SamplingParams::default().min_p)]
    min_p: f32,
    /// Divide the logits of tokens already in the text by this; 1 is off.
    #[arg(long, value_name = "X", default_value_t = SamplingParams::default().repetition_penalty)]
    repetition_penalty: f32,
    /// The same seed gives the same text.
    #[arg(long, value_name = "S", default_value_t = SamplingParams::default().seed)]
    seed: u64,
    /// Go on past the end-of-text token.
    #[arg(long)]
    ignore_eos: bool,
    /// Print one JSON object when done, instead of the text as it comes.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<()> {
    let tokenizer = match &args.prompt_ids {
        None => Some(load::tokenizer(&args.model.model)?),
        // Ids are asked for, so a tokenizer is not needed; without one the new text stays empty.
        Some(_) => load::find_tokenizer(&args.model.model).unwrap_or_else(|e| {
            warn(format_args!("{e}; the new ids are not turned into text"));
            None
        }),
    };
    let mut model = load::model(&args.model).await?;
    let mut prompt = match (&args.prompt_ids, &args.prompt, &tokenizer) {
        (Some(ids), _, _) => ids.0.clone(),
        (None, Some(text), Some(tokenizer)) => tokenizer.encode(text)?,
        _ => return Err(Error::Input(Message::uncoded("give --prompt or --prompt-ids"))),
    };
    if args.bos {
        let bos = model.config().bos_token_id;
        prompt.insert(
            0,
            bos.ok_or_else(|| Error::Input(Message::uncoded("config.json names no bos_token_id; leave --bos out")))?,
        );
    }
    if prompt.is_empty() {
        return Err(Error::Input(Message::uncoded(
            "the prompt is empty; give some text, or --bos to start a document",
        )));
    }
    let params = SamplingParams {
        temperature: args.temperature,
        top_k: args.top_k,
        top_p: args.top_p,
        min_p: args.min_p,
        repetition_penalty: args.repetition_penalty,
        seed: args.seed,
    };
    let stop = model.config().eos_token_id.filter(|_| !args.ignore_eos);
    let mut generation = Generation::start(&mut model, &prompt, params, args.max_new_tokens, stop)?;
    let (mut ids, mut logprobs, mut text) = (Vec::new(), Vec::new(), String::new());
    let mut stream = StreamDecoder::new();
    // Decoding time: from the end of the prefill on.
    let mut decoding: Option<Instant> = None;
    let show = |piece: &str, text: &mut String| -> Result<()> {
        if !args.json {
            print(piece)?;
        }
        text.push_str(piece);
        Ok(())
    };
    loop {
        let started = Instant::now();
        let step = match generation.next(&mut model, Duration::from_millis(200), 64).await {
            Ok(step) => step,
            Err(e) => {
                // What was written stands, on a line of its own.
                if !args.json && !ids.is_empty() {
                    print_line(&stream.finish())?;
                }
                return Err(e);
            }
        };
        let Step::Tokens { records, finished } = step else { continue };
        decoding.get_or_insert(started);
        for record in records {
            ids.push(record.id);
            logprobs.push(record.logprob);
            if let Some(bytes) = tokenizer.as_ref().and_then(|t| t.token_bytes(record.id)) {
                show(&stream.push(bytes), &mut text)?;
            }
        }
        if finished.is_some() {
            break;
        }
    }
    show(&stream.finish(), &mut text)?;
    let seconds = decoding.map_or(0.0, |t| t.elapsed().as_secs_f64());
    let speed = if seconds > 0.0 { ids.len() as f64 / seconds } else { 0.0 };
    if args.json {
        let object = serde_json::json!({
            "prompt_ids": prompt,
            "ids": ids,
            "text": text,
            "logprobs": logprobs,
            "tokens_per_second": speed,
            "backend": model.backend(),
        });
        return print_line(&object.to_string());
    }
    print_line("")?;
    let (backend, reason) = (model.backend(), model.backend_reason());
    say(format_args!("{} tokens, {speed:.1} tokens/s on {backend} ({})", ids.len(), reason.english()));
    Ok(())
}
