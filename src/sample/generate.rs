//! The generation loop: prefill in chunks, then decode with sampling on the device. Pull-based: to stop, stop asking.

use super::params::{Record, SamplingParams};
use crate::error::{Error, Result};
use crate::exec::{Advance, RunId};
use crate::message::message;
use crate::model::{GptPlan, Model};
use crate::ops::control;
use web_time::{Duration, Instant};

/// Why a generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The stop token was sampled; it is the last record.
    Stop,
    /// As many tokens as asked for.
    Length,
}

/// What a call of [`Generation::next`] brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Prompt tokens processed so far, of all that had to be.
    Prefill {
        /// Done.
        done: usize,
        /// To be done in all.
        total: usize,
    },
    /// New tokens, possibly none yet (a slow step goes on in the next call).
    Tokens {
        /// In order.
        records: Vec<Record>,
        /// Set with the last ones.
        finished: Option<Finish>,
    },
}

/// What the executor is in the middle of.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Running {
    Nothing,
    /// A prefill chunk of this many ids.
    Chunk(usize, RunId),
    /// Decode steps.
    Decode(RunId),
}

/// A generation in progress.
#[derive(Debug)]
pub struct Generation {
    params: SamplingParams,
    stop: Option<u32>,
    /// The window that the model sees: prompt and what was sampled, from position 0.
    window: Vec<u32>,
    emitted: usize,
    max_new: usize,
    running: Running,
    /// Where the present prefill began.
    first: usize,
    /// Whether `control` on the device is set up for decoding.
    armed: bool,
    finished: Option<Finish>,
    /// Whether the logits after the window are not finite: what was sampled before is told first.
    overflowed: bool,
    /// Seconds a decode step took lately, on the GPU: decides how many go into one submit.
    step_seconds: f64,
}

impl Generation {
    /// Prepares to continue `prompt`. Keys and values that the cache already holds for a common prefix are kept. A prompt
    /// longer than the context keeps its last half context.
    ///
    /// # Errors
    /// [`Error::Input`] when the prompt is empty, an id is outside the vocabulary, or a parameter is out of range.
    pub fn start(
        model: &mut Model,
        prompt: &[u32],
        params: SamplingParams,
        max_new: usize,
        stop: Option<u32>,
    ) -> Result<Self> {
        params.validate()?;
        model.check_ids(prompt)?;
        if max_new == 0 {
            return Err(Error::Input(message!(
                "tokens.none_wanted",
                "the number of new tokens is 0; ask for at least one"
            )));
        }
        model.cancel();
        let mut generation = Self {
            params,
            stop,
            window: prompt.to_vec(),
            emitted: 0,
            max_new,
            running: Running::Nothing,
            first: 0,
            armed: false,
            finished: None,
            overflowed: false,
            step_seconds: 0.0,
        };
        if prompt.len() > model.config().n_ctx {
            generation.slide(model.config().n_ctx);
        }
        generation.rewind(model);
        Ok(generation)
    }

    /// Keeps the last half of the context, as the model cannot see further back.
    fn slide(&mut self, n_ctx: usize) {
        let keep = (n_ctx / 2).max(1);
        self.window.drain(..self.window.len() - keep);
    }

    /// Cuts the cache back to what it shares with the window, less the last token, which decoding feeds.
    fn rewind(&mut self, model: &mut Model) {
        let fed = &self.window[..self.window.len() - 1];
        let common = fed.iter().zip(&model.cached).take_while(|(a, b)| a == b).count();
        model.cached.truncate(common);
        self.first = common;
        self.armed = false;
    }

    /// Tokens the model sees now.
    pub fn context_used(&self) -> usize {
        self.window.len()
    }

    /// Works for about `budget`, but at least a piece of work, and says what came of it. On the GPU at most `most` tokens are
    /// decoded in one submit.
    ///
    /// # Errors
    /// [`Error::Device`] when the device failed; [`Error::Overflow`] when the logits are not finite, after the tokens sampled
    /// before were told. The generation is then over.
    pub async fn next(&mut self, model: &mut Model, budget: Duration, most: usize) -> Result<Step> {
        let start = Instant::now();
        if let Some(finished) = self.finished {
            return Ok(Step::Tokens { records: Vec::new(), finished: Some(finished) });
        }
        if self.overflowed {
            return Err(model.overflow(&self.window, message!("place.logits", "the logits")).await);
        }
        let fed = self.window.len() - 1;
        if model.cached.len() < fed {
            loop {
                self.prefill_slice(model, budget.saturating_sub(start.elapsed())).await?;
                if model.cached.len() >= fed || start.elapsed() >= budget {
                    break;
                }
            }
            let (done, total) = (model.cached.len() - self.first, fed - self.first);
            return Ok(Step::Prefill { done, total });
        }
        if !self.armed {
            self.arm(model).await?;
        }
        let mut records = Vec::new();
        while self.finished.is_none() && !self.overflowed && records.len() < most {
            let remaining = budget.saturating_sub(start.elapsed());
            let more = self.decode_slice(model, remaining, most - records.len()).await?;
            records.extend(more);
            if start.elapsed() >= budget || !self.armed {
                break;
            }
        }
        if self.overflowed && records.is_empty() {
            return Err(model.overflow(&self.window, message!("place.logits", "the logits")).await);
        }
        Ok(Step::Tokens { records, finished: self.finished })
    }

    async fn prefill_slice(&mut self, model: &mut Model, budget: Duration) -> Result<()> {
        let at = model.cached.len();
        let (n, run) = match self.running {
            Running::Chunk(n, run) => (n, run),
            _ => {
                let left = self.window.len() - 1 - at;
                let rows = model.chunk(left);
                let n = rows.min(left);
                let (index, _) = model.plan(&GptPlan::Prefill { rows }).await?;
                model.write_step(rows, at, &self.window[at..at + n])?;
                (n, model.executor().begin(index, 1))
            }
        };
        self.running = match model.executor().advance(run, budget).await? {
            Advance::Working => Running::Chunk(n, run),
            Advance::Done => {
                model.cached.extend_from_slice(&self.window[at..at + n]);
                Running::Nothing
            }
            // What the chunk has left in the cache is written over.
            Advance::Lost => Running::Nothing,
        };
        Ok(())
    }

    /// Writes sampling settings, history and control block for the window as it is.
    async fn arm(&mut self, model: &mut Model) -> Result<()> {
        model.plan(&GptPlan::Decode).await?;
        let (settings, history, control) = (model.place("settings")?, model.place("history")?, model.place("control")?);
        let last = self.window.len() - 1;
        let mut words = [0u32; control::RING_START];
        words[control::POS] = last as u32;
        words[control::N] = 1;
        words[control::ID] = self.window[last];
        words[control::STEP] = self.emitted as u32;
        words[control::REMAINING] = u32::try_from(self.max_new - self.emitted).unwrap_or(u32::MAX);
        let executor = model.executor();
        executor.write(settings, bytemuck::cast_slice(&self.params.to_words(self.stop)));
        executor.write(history, bytemuck::cast_slice(&self.window));
        executor.write(control, bytemuck::cast_slice(&words));
        self.armed = true;
        Ok(())
    }

    async fn decode_slice(&mut self, model: &mut Model, budget: Duration, most: usize) -> Result<Vec<Record>> {
        let begun = Instant::now();
        let on_cpu = model.backend() == "cpu";
        let mut steps = 1;
        let run = match self.running {
            Running::Decode(run) => run,
            _ => {
                if !on_cpu && self.step_seconds > 0.0 {
                    let fitting = (budget.as_secs_f64() / self.step_seconds) as usize;
                    steps = fitting.min(most).min(self.max_new - self.emitted).clamp(1, control::RING);
                }
                let (index, _) = model.plan(&GptPlan::Decode).await?;
                model.executor().begin(index, steps)
            }
        };
        if model.executor().advance(run, budget).await? == Advance::Working {
            self.running = Running::Decode(run);
            return Ok(Vec::new());
        }
        // Of a run that was lost, the whole steps count: the device's own state says how many.
        self.running = Running::Nothing;
        let place = model.place("control")?;
        let words = model.executor().read_u32(place).await?;
        let records = self.collect(model, &words)?;
        if !on_cpu {
            self.step_seconds = begun.elapsed().as_secs_f64() / steps as f64;
        }
        Ok(records)
    }

    /// Takes the new records out of the ring and follows the device's state.
    fn collect(&mut self, model: &mut Model, words: &[u32]) -> Result<Vec<Record>> {
        let sampled = words[control::STEP] as usize;
        let fresh = sampled.wrapping_sub(self.emitted);
        if fresh > control::RING || sampled > self.max_new {
            return Err(Error::Device(message!(
                "gpu.token_count",
                "the device reports {reported} tokens after {known}",
                reported = sampled,
                known = self.emitted
            )));
        }
        let mut records = Vec::with_capacity(fresh);
        for i in self.emitted..sampled {
            let at = control::RING_START + (i % control::RING) * control::RECORD;
            let record = Record::from_words(&words[at..at + control::RECORD]);
            // The token just fed is in the cache now; the one just sampled will be when it is fed.
            model.cached.push(*self.window.last().expect("a window is never empty"));
            self.window.push(record.id);
            records.push(record);
        }
        self.emitted = sampled;
        if words[control::N] == 0 {
            match words[control::FINISH] {
                control::FINISH_STOP => self.finished = Some(Finish::Stop),
                control::FINISH_LENGTH => self.finished = Some(Finish::Length),
                control::FINISH_OVERFLOW => {
                    self.overflowed = true;
                    // Some key or value may be what is not finite.
                    model.cached.clear();
                }
                // The context is full: go on with its later half.
                _ => {
                    self.slide(model.config().n_ctx);
                    model.cached.clear();
                    self.rewind(model);
                }
            }
        }
        Ok(records)
    }
}
