//! `gpt train`

mod args;
mod output;
mod start;

use gpt_playground::error::Result;
use gpt_playground::train::{Event, StepReport, TrainOptions};
use indicatif::{ProgressBar, ProgressStyle};
use output::{Log, dump_gradients};
use start::{Start, start};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(super) use args::Args;

/// How long the trainer works before the program looks whether it is to stop.
const SLICE: Duration = Duration::from_millis(100);

/// Set by Ctrl-C; the second time ends the program as usual.
fn interrupt() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    let handler = move || {
        if set.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    };
    // Where signals cannot be had, Ctrl-C ends the program without saving, as everywhere.
    let _ = ctrlc::set_handler(handler);
    flag
}

/// A bar on a terminal; nothing elsewhere.
fn bar(options: &TrainOptions, done: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} [{elapsed} < {eta}]");
    let bar =
        ProgressBar::new(u64::from(options.steps)).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_position(done as u64);
    bar.reset_eta();
    bar
}

/// What the run has shown so far.
#[derive(Default)]
struct Progress {
    last: Option<StepReport>,
    validation: Option<(usize, f32)>,
    best: Option<(usize, f32)>,
}

impl Progress {
    fn steps(&mut self, reports: &[StepReport], log: &mut Log, bar: &ProgressBar) -> Result<()> {
        reports.iter().try_for_each(|report| log.step(report))?;
        if let Some(report) = reports.last() {
            self.last = Some(*report);
            bar.set_position(report.step as u64);
            self.show(bar);
        }
        Ok(())
    }

    fn show(&self, bar: &ProgressBar) {
        let Some(last) = self.last else { return };
        let validation = self.validation.map_or_else(String::new, |(_, loss)| format!(", validation {loss:.4}"));
        bar.set_message(format!("loss {:.4}{validation}, {:.0} tokens/s", last.loss, last.tokens_per_second));
    }
}

pub(super) async fn run(args: Args) -> Result<()> {
    let Start { mut model, mut trainer, output, resumed, gradients } = start(&args).await?;
    if let (Some(path), Some(found)) = (&args.dump_gradients, gradients) {
        dump_gradients(path, found)?;
    }
    let mut log = Log::open(args.log.as_deref(), resumed)?;
    let stop = interrupt();
    let bar = bar(trainer.options(), trainer.step());
    let mut progress = Progress::default();
    let mut saved_at = trainer.step();
    let mut outcome = loop {
        if stop.load(Ordering::SeqCst) {
            break Ok(false);
        }
        match trainer.advance(&mut model, SLICE).await {
            Ok(Event::Working) => {}
            Ok(Event::Steps(reports)) => {
                progress.steps(&reports, &mut log, &bar)?;
                if args.save_every > 0 && trainer.step() >= saved_at + args.save_every {
                    output.save(&mut model, &mut trainer).await?;
                    saved_at = trainer.step();
                }
            }
            Ok(Event::Evaluated { step, loss, best }) => {
                log.evaluated(step, loss);
                progress.validation = Some((step, loss));
                progress.show(&bar);
                if best {
                    progress.best = Some((step, loss));
                    // Before the first step there is nothing worth keeping.
                    if step > 0 {
                        output.save_best(&mut model).await?;
                    }
                }
            }
            Ok(Event::Finished) => break Ok(true),
            Err(e) => break Err(e),
        }
    };
    while outcome.is_ok() {
        match trainer.drain(&mut model).await {
            Ok(reports) if reports.is_empty() => break,
            Ok(reports) => progress.steps(&reports, &mut log, &bar)?,
            Err(e) => outcome = Err(e),
        }
    }
    log.flush()?;
    bar.finish_and_clear();
    // After an error too: the weights are those before the step that failed.
    let saved = output.save(&mut model, &mut trainer).await;
    let finished = outcome?;
    saved?;
    summary(&args, trainer.step(), finished, &progress);
    if progress.best.is_some_and(|(step, _)| step == trainer.step()) {
        output.drop_best()?;
    }
    Ok(())
}

/// The end in words, on standard error.
fn summary(args: &Args, step: usize, finished: bool, progress: &Progress) {
    let out = args.out.display();
    match progress.last {
        Some(last) => eprintln!("step {step}: loss {:.4}, {:.0} tokens/s", last.loss, last.tokens_per_second),
        None => eprintln!("step {step}: nothing was left to do; give more --steps"),
    }
    match (progress.validation, progress.best) {
        (Some((at, loss)), Some((best, _))) if best == at => eprintln!("validation loss {loss:.4}, the lowest so far"),
        (Some((_, loss)), Some((0, lowest))) => {
            eprintln!(
                "validation loss {loss:.4}, but {lowest:.4} before training: train with a lower --lr or on more text"
            );
        }
        (Some((_, loss)), Some((best, lowest))) => {
            eprintln!("validation loss {loss:.4}; the lowest was {lowest:.4} after step {best}, kept in {out}/best");
        }
        (Some((_, loss)), None) => eprintln!("validation loss {loss:.4}; an earlier one was lower, kept in {out}/best"),
        (None, _) => {}
    }
    if finished {
        eprintln!("wrote {out}");
    } else {
        eprintln!("stopped and saved; go on with --resume --out {out}");
    }
}
