//! `gpt train`

mod args;
#[cfg(test)]
mod faults;
mod log;
mod output;
mod start;
mod stream;

use super::say::{say, warn};
use gpt_playground::error::{Error, Result};
use gpt_playground::message::Message;
use gpt_playground::model::Model;
use gpt_playground::train::{Event, StepReport, TrainOptions, Trainer};
use indicatif::{ProgressBar, ProgressStyle};
use log::Log;
use output::Output;
use start::{Start, start};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(super) use args::Args;

/// How long the trainer works before the program looks whether it is to stop.
const SLICE: Duration = Duration::from_millis(100);

/// A bar on a terminal; nothing elsewhere.
fn bar(options: &TrainOptions, done: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} [{elapsed} < {eta}]");
    let bar =
        ProgressBar::new(u64::from(options.steps)).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_position(done as u64);
    bar.reset_eta();
    bar
}

/// A run under way: what it writes and what it has shown.
struct Run {
    output: Output,
    log: Log,
    bar: ProgressBar,
    save_every: usize,
    /// Steps done at the last save, or the last try.
    saved_at: usize,
    last: Option<StepReport>,
    validation: Option<(usize, f32)>,
    best: Option<(usize, f32)>,
}

impl Run {
    /// Says what went wrong and does not end the run.
    fn warn(&self, text: String) {
        self.bar.suspend(|| warn(text));
    }

    fn steps(&mut self, reports: &[StepReport], trainer: &Trainer) {
        for report in reports {
            self.log.step(report, trainer.evaluates_after(report.step));
        }
        if let Some(report) = reports.last() {
            self.last = Some(*report);
            self.bar.set_position(report.step as u64);
            self.show();
        }
    }

    fn show(&self) {
        let Some(last) = self.last else { return };
        let validation = self.validation.map_or_else(String::new, |(_, loss)| format!(", validation {loss:.4}"));
        self.bar.set_message(format!("loss {:.4}{validation}, {:.0} tokens/s", last.loss, last.tokens_per_second));
    }

    async fn evaluated(&mut self, model: &mut Model, step: usize, loss: f32, best: bool) {
        self.log.evaluated(step, loss);
        self.validation = Some((step, loss));
        self.show();
        if best {
            self.best = Some((step, loss));
            // Before the first step there is nothing worth keeping.
            if step > 0
                && let Err(e) = self.output.save_best(model, step).await
            {
                self.warn(format!("the weights of the lowest validation loss are not saved yet ({e})"));
            }
        }
    }

    /// Saves where it is time. What fails now may go well the next time, and training has not been in vain until the
    /// last.
    async fn save_in_time(&mut self, model: &mut Model, trainer: &mut Trainer) {
        let due = self.save_every > 0 && trainer.step() >= self.saved_at + self.save_every;
        // The line of a step that was saved stands in the log, with its evaluation.
        if !due || self.log.waits() {
            return;
        }
        self.saved_at = trainer.step();
        if let Err(e) = self.output.save(model, trainer).await {
            self.warn(format!("the run is not saved after step {} ({e}); training goes on", trainer.step()));
        }
    }

    /// Trains until all steps are done, which is `true`, or `stop` is set.
    async fn train(&mut self, model: &mut Model, trainer: &mut Trainer, stop: &AtomicBool) -> Result<bool> {
        loop {
            if let Some(trouble) = self.log.trouble() {
                self.warn(trouble);
            }
            if stop.load(Ordering::SeqCst) {
                return Ok(false);
            }
            match trainer.advance(model, SLICE).await? {
                Event::Working => {}
                Event::Steps(reports) => self.steps(&reports, trainer),
                Event::Evaluated { step, loss, best } => self.evaluated(model, step, loss, best).await,
                Event::Finished => return Ok(true),
            }
            self.save_in_time(model, trainer).await;
        }
    }

    /// Waits for steps that were given to the device.
    async fn drain(&mut self, model: &mut Model, trainer: &mut Trainer) -> Result<()> {
        loop {
            let reports = trainer.drain(model).await?;
            if reports.is_empty() {
                return Ok(());
            }
            self.steps(&reports, trainer);
        }
    }
}

pub(super) async fn run(args: Args, stop: impl FnOnce() -> std::sync::Arc<AtomicBool>) -> Result<()> {
    let Start { mut model, mut trainer, output, log } = start(&args).await?;
    // Until here there is nothing to save, and a signal ends the program at once.
    let stop = stop();
    let mut run = Run {
        output,
        log,
        bar: bar(trainer.options(), trainer.step()),
        save_every: args.save_every,
        saved_at: trainer.step(),
        last: None,
        validation: None,
        best: None,
    };
    let mut outcome = run.train(&mut model, &mut trainer, &stop).await;
    if outcome.is_ok()
        && let Err(e) = run.drain(&mut model, &mut trainer).await
    {
        outcome = Err(e);
    }
    run.log.flush();
    run.bar.finish_and_clear();
    // After an error too: the weights are those before the step that failed.
    let saved = run.output.save(&mut model, &mut trainer).await;
    // Only now: a log whose reader stands still keeps nothing from being saved.
    if let Some(trouble) = run.log.close(&stop) {
        warn(trouble);
    }
    let Run { mut output, last, validation, best, .. } = run;
    let step = trainer.step();
    let finished = match (outcome, saved) {
        (Ok(finished), Ok(())) => finished,
        (Ok(_), Err(e)) => return Err(output.not_saved(step, &e)),
        (Err(first), Ok(())) => return Err(first),
        (Err(first), Err(e)) => {
            return Err(Error::Io(Message::uncoded(format!("{first}; and {}", output.not_saved(step, &e)))));
        }
    };
    if best.is_some_and(|(at, _)| at == step)
        && let Err(e) = output.drop_best()
    {
        warn(format_args!("the best weights are the last, and those of before could not be removed: {e}"));
    }
    summary(&args, &output, step, finished, last, validation, best);
    Ok(())
}

/// The end in words, on standard error.
fn summary(
    args: &Args,
    output: &Output,
    step: usize,
    finished: bool,
    last: Option<StepReport>,
    validation: Option<(usize, f32)>,
    best: Option<(usize, f32)>,
) {
    let out = args.out.display();
    match last {
        Some(last) => say(format_args!("step {step}: loss {:.4}, {:.0} tokens/s", last.loss, last.tokens_per_second)),
        None => say(format_args!("step {step}: nothing was left to do; give more --steps")),
    }
    let kept = if output.has_best() { format!(", kept in {out}/best") } else { String::new() };
    match (validation, best) {
        (Some((at, loss)), Some((best, _))) if best == at => {
            say(format_args!("validation loss {loss:.4}, the lowest so far"));
        }
        (Some((_, loss)), Some((0, lowest))) => say(format_args!(
            "validation loss {loss:.4}, but {lowest:.4} before training: train with a lower --lr or on more text"
        )),
        (Some((_, loss)), Some((best, lowest))) => {
            say(format_args!("validation loss {loss:.4}; the lowest was {lowest:.4} after step {best}{kept}"));
        }
        (Some((_, loss)), None) => say(format_args!("validation loss {loss:.4}; an earlier one was lower{kept}")),
        (None, _) => {}
    }
    if finished {
        say(format_args!("wrote {out}"));
    } else {
        say(format_args!("stopped and saved; go on with --resume --out {out}"));
    }
}
