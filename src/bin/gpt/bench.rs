//! `gpt bench`

mod training;

use super::load;
use super::say::print_line;
use clap::ArgGroup;
use gpt_playground::error::{Error, Result};
use gpt_playground::exec::Backend;
use gpt_playground::message::Message;
use gpt_playground::model::{Model, ModelOptions};
use gpt_playground::sample::{Generation, SamplingParams, Step};
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[derive(clap::Args)]
#[command(group(ArgGroup::new("source").args(["model", "config"])))]
pub(super) struct Args {
    /// Folder of a model.
    #[arg(long, value_name = "DIR", required_unless_present_any = ["config", "train"])]
    model: Option<PathBuf>,
    /// A config.json alone: weights are random.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to run.
    #[arg(long, value_name = "cpu|gpu|auto", default_value = "auto")]
    backend: Backend,
    /// Tokens of the prompt.
    #[arg(long, value_name = "N", default_value_t = 256)]
    prefill: usize,
    /// Tokens to decode after it.
    #[arg(long, value_name = "N", default_value_t = 64)]
    decode: usize,
    /// Repetitions; the best is printed, since a shared machine only ever slows things down.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// Measure training instead, of a model of 4 layers by 128 and 256 tokens unless another is given.
    #[arg(long)]
    train: bool,
    /// Sequences at a time, in training.
    #[arg(long, value_name = "B", default_value_t = 8, requires = "train")]
    batch_size: usize,
    /// Tokens of each sequence, in training.
    #[arg(long, value_name = "T", default_value_t = 128, requires = "train")]
    context: usize,
    /// Probability of dropping an element, in training.
    #[arg(long, value_name = "X", default_value_t = 0.0, requires = "train")]
    dropout: f64,
    /// Training steps to measure.
    #[arg(long, value_name = "N", default_value_t = 10, requires = "train", value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Print the plans instead of running them.
    #[arg(long)]
    describe: bool,
}

pub(super) async fn run(args: Args) -> Result<()> {
    if args.train {
        return training::run(&args).await;
    }
    let config_path = args.config.clone().or_else(|| args.model.as_ref().map(|m| m.join("config.json")));
    let config_path = config_path.ok_or_else(|| Error::Input(Message::uncoded("give --model or --config")))?;
    let config = load::config(&config_path)?;
    if args.describe {
        return Model::dry_run(&config)?.iter().try_for_each(|text| print_line(text));
    }
    let mut model = match &args.model {
        Some(dir) => load::base(dir, args.backend).await?,
        None => {
            let options = ModelOptions { backend: args.backend, ..ModelOptions::default() };
            let mut model = Model::open(config.clone(), &options).await?;
            model.randomize(1)?;
            model
        }
    };
    // At least two of each: the first decoded token belongs to the prefill.
    let prefill = args.prefill.min(config.n_ctx).max(2);
    let decode = args.decode.min(config.n_ctx).max(2);
    let params = SamplingParams { temperature: 0.8, ..SamplingParams::default() };
    let forever = Duration::from_secs(3600);
    let (mut prefill_speed, mut decode_speed) = (0.0f64, 0.0f64);
    let mut per_token = [0.0; 5];
    // One more run first: it compiles the pipelines and grows the buffers.
    for round in 0..=args.repeat {
        // Another prompt each time, or the cache would answer.
        let prompt: Vec<u32> =
            (0..prefill as u32).map(|i| (i * 7 + round * 13 + 1) % config.vocab_size as u32).collect();
        let mut generation = Generation::start(&mut model, &prompt, params.clone(), 1, None)?;
        let start = Instant::now();
        // The first call prefills; the second decodes one token and so waits for the device.
        while let Step::Prefill { .. } = generation.next(&mut model, forever, 1).await? {}
        let prefill_seconds = start.elapsed().as_secs_f64();

        let short = &prompt[..prefill.min(config.n_ctx.saturating_sub(decode)).max(1)];
        let mut generation = Generation::start(&mut model, short, params.clone(), decode, None)?;
        while let Step::Prefill { .. } = generation.next(&mut model, forever, 1).await? {}
        let before = model.counters();
        let start = Instant::now();
        let mut tokens = 0;
        while let Step::Tokens { records, finished: None } =
            generation.next(&mut model, Duration::from_millis(50), 16).await?
        {
            tokens += records.len();
        }
        let after = model.counters();
        if round > 0 {
            let n = decode.saturating_sub(1).max(1) as f64;
            prefill_speed = prefill_speed.max(prefill as f64 / prefill_seconds);
            decode_speed = decode_speed.max(n / start.elapsed().as_secs_f64());
            per_token = [
                (after.dispatches - before.dispatches) as f64 / n,
                (after.submits - before.submits) as f64 / n,
                (after.readbacks - before.readbacks) as f64 / n,
                (after.bytes_read - before.bytes_read) as f64 / n,
                (after.bytes_written - before.bytes_written) as f64 / n,
            ];
        }
        debug_assert!(tokens <= decode);
    }
    let memory = model.memory();
    let device_bytes = memory.weights + memory.state + memory.temporaries;
    if args.json {
        let object = serde_json::json!({
            "backend": model.backend(),
            "adapter": model.adapter(),
            "prefill_tokens_per_second": prefill_speed,
            "decode_tokens_per_second": decode_speed,
            "dispatches_per_token": per_token[0],
            "submits_per_token": per_token[1],
            "readbacks_per_token": per_token[2],
            "bytes_read_per_token": per_token[3],
            "bytes_written_per_token": per_token[4],
            "device_bytes": device_bytes,
        });
        return print_line(&object.to_string());
    }
    print_line(&format!(
        "{} {}\n  prefill {prefill_speed:.0} tokens/s ({prefill} tokens), decode {decode_speed:.1} tokens/s\n  \
         per decoded token: {:.1} dispatches, {:.2} submits, {:.2} readbacks, {:.0} bytes read, {:.0} written\n  \
         device memory {:.1} MiB: weights {}, cache and inputs {}, temporaries {} bytes",
        model.backend(),
        model.adapter(),
        per_token[0],
        per_token[1],
        per_token[2],
        per_token[3],
        per_token[4],
        device_bytes as f64 / f64::from(1 << 20),
        memory.weights,
        memory.state,
        memory.temporaries
    ))
}
