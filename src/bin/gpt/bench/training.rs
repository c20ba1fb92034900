//! `gpt bench --train`

use super::super::load;
use super::super::say::print_line;
use super::Args;
use gpt_playground::config::GptConfig;
use gpt_playground::error::Result;
use gpt_playground::model::{Model, ModelOptions};
use gpt_playground::train::{Dataset, Event, Source, TrainOptions, Trainer};
use std::time::{Duration, Instant};

/// The model whose training is compared with other libraries' in the browser.
fn standard() -> GptConfig {
    GptConfig::new(256, 128, 128, 4, 4)
}

/// Steps until all buffers and pipelines are there.
const WARM_UP: usize = 3;

pub(super) async fn run(args: &Args) -> Result<()> {
    let mut model = match (&args.model, &args.config) {
        (Some(dir), _) => load::base(dir, args.backend).await?,
        (None, path) => {
            let config = path.as_ref().map_or_else(|| Ok(standard()), |path| load::config(path))?;
            let mut model =
                Model::open(config, &ModelOptions { backend: args.backend, ..ModelOptions::default() }).await?;
            model.randomize(1)?;
            model
        }
    };
    let options = TrainOptions {
        steps: WARM_UP as u32 + args.steps,
        batch_size: args.batch_size,
        context: args.context.min(model.config().n_ctx),
        dropout: args.dropout,
        eval_every: 0,
        ..TrainOptions::default()
    };
    let vocab = model.config().vocab_size as u32;
    let tokens = (0..20_000u32).map(|i| i.wrapping_mul(2_654_435_761) % vocab).collect();
    let source = Source::Text(Dataset::new(tokens, 0.0, options.context)?);
    let tokens = options.tokens_per_step() as f64;
    let mut trainer = Trainer::new(&mut model, options, source).await?;
    let (mut begun, mut first, mut last) = (None, 0, 0);
    let mut counters = model.counters();
    loop {
        match trainer.advance(&mut model, Duration::from_millis(200)).await? {
            Event::Steps(reports) => {
                last = reports.last().map_or(last, |r| r.step);
                if begun.is_none() && last >= WARM_UP {
                    (begun, first, counters) = (Some(Instant::now()), last, model.counters());
                }
            }
            Event::Finished => break,
            Event::Working | Event::Evaluated { .. } => {}
        }
    }
    let n = (last - first).max(1) as f64;
    let seconds = begun.map_or(0.0, |t| t.elapsed().as_secs_f64()) / n;
    let after = model.counters();
    let dispatches = (after.dispatches - counters.dispatches) as f64 / n;
    let submits = (after.submits - counters.submits) as f64 / n;
    let memory = model.memory();
    let device_bytes = memory.weights + memory.training + memory.state + memory.temporaries;
    if args.json {
        let object = serde_json::json!({
            "backend": model.backend(),
            "adapter": model.adapter(),
            "train_ms_per_step": 1e3 * seconds,
            "train_tokens_per_second": tokens / seconds,
            "train_dispatches_per_step": dispatches,
            "train_submits_per_step": submits,
            "train_device_bytes": device_bytes,
        });
        return print_line(&object.to_string());
    }
    print_line(&format!(
        "{} {}\n  {:.1} ms a training step of {tokens} tokens, {:.0} tokens/s\n  per step: {dispatches:.1} dispatches, \
         {submits:.1} submits\n  device memory {:.1} MiB",
        model.backend(),
        model.adapter(),
        1e3 * seconds,
        tokens / seconds,
        device_bytes as f64 / f64::from(1 << 20),
    ))
}
