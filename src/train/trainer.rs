//! The training loop, pull-based: to pause, stop pulling.
//!
//! A step is drawn, written and run from `(seed, step)` alone, so a step that was broken off can be done again, and a
//! resumed run gives the same losses as one that was never interrupted.

use super::best::Best;
use super::data::{Batch, Dataset};
use super::divergence;
use super::options::TrainOptions;
use super::replay::Replay;
use super::schedule::learning_rate;
use super::speed::Speed;
use super::state::TrainingState;
use crate::error::{Error, Result};
use crate::exec::{Advance, RunId};
use crate::message::{Message, message};
use crate::model::{Model, Pass};
use crate::ops::{hyper, metrics};
use web_time::{Duration, Instant};

/// Where batches come from.
pub enum Source {
    /// A text.
    Text(Dataset),
    /// Batches made elsewhere, for comparison with other implementations.
    Replay(Replay),
}

impl Source {
    /// The micro-batches of 0-based step `step`.
    ///
    /// # Errors
    /// [`Error::Input`] when a recording has no more.
    pub fn batches(&self, options: &TrainOptions, step: usize) -> Result<Vec<Batch>> {
        let o = options;
        let batch = |micro: u32| match self {
            Self::Text(data) => Ok(data.batch(step as u32, micro, o.batch_size, o.context, o.seed)),
            Self::Replay(replay) => {
                let index = step * o.grad_accum as usize + micro as usize;
                replay.batch(index).ok_or_else(|| {
                    let have = replay.n_batches();
                    Error::Input(Message::uncoded(format!(
                        "the replay file has {have} batches, but batch {} is wanted",
                        index + 1
                    )))
                })
            }
        };
        (0..o.grad_accum).map(batch).collect()
    }
}

/// What one optimiser step did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Its number, from 1.
    pub step: usize,
    /// Mean cross-entropy over the step's targets, in nats, before the update.
    pub loss: f32,
    /// Learning rate used.
    pub lr: f64,
    /// Norm of the gradient over all trained parameters, before clipping.
    pub grad_norm: f32,
    /// Tokens trained on per second lately.
    pub tokens_per_second: f64,
}

/// What a call of [`Trainer::advance`] brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Nothing to tell yet.
    Working,
    /// Steps done.
    Steps(Vec<StepReport>),
    /// The loss on the validation split after `step` steps.
    Evaluated {
        /// Steps done.
        step: usize,
        /// Mean cross-entropy in nats.
        loss: f32,
        /// Whether it is the lowest so far.
        best: bool,
    },
    /// All steps are done.
    Finished,
}

#[derive(Debug)]
enum Phase {
    Idle,
    /// In micro-batch `micro` of the step.
    Step {
        batches: Vec<Batch>,
        micro: usize,
    },
    /// In validation window `window`.
    Evaluation {
        windows: Vec<Batch>,
        window: usize,
    },
}

/// Sequences of an evaluation at most.
const MOST_WINDOWS: usize = 64;
/// On a GPU, losses are read back this late at most, unless another time is set.
const READ_EVERY: Duration = Duration::from_millis(150);

/// A training run.
pub struct Trainer {
    options: TrainOptions,
    source: Source,
    /// Steps whose work was given to the device.
    done: usize,
    /// Steps whose losses were read back.
    reported: usize,
    /// Steps read back that nobody has been told of.
    untold: Vec<StepReport>,
    /// What was found when they were, to be told after them.
    failure: Option<Error>,
    pub(super) evaluated: Option<usize>,
    phase: Phase,
    /// The pass that is under way, unless idle.
    run: RunId,
    pub(super) best: Option<Best>,
    pub(super) base: Option<String>,
    last_read: Instant,
    read_every: Duration,
    speed: Speed,
}

impl Trainer {
    /// Prepares the model and a run of `options.steps` steps.
    ///
    /// # Errors
    /// [`Error::Input`] for options out of range or a text that is too short; [`Error::Device`] when memory is refused.
    pub async fn new(model: &mut Model, options: TrainOptions, source: Source) -> Result<Self> {
        options.validate(model.config())?;
        // Before anything of a run before this one is dropped.
        model.check_training(options.lora.as_ref())?;
        model.free_passes(Some(&options.shape(Pass::Update))).await?;
        model.enable_training(options.lora.as_ref(), options.seed).await?;
        Ok(Self::with(options, source))
    }

    /// Goes on with a run whose weights and moments [`restore`](super::restore) has put into the model. `options` are the
    /// state's; those that differ (more steps, say) hold from here on.
    ///
    /// # Errors
    /// [`Error::Input`] for options out of range or for fewer steps than are done, or where the model was not restored to
    /// the same kind of training.
    pub fn resume(model: &Model, state: TrainingState, options: TrainOptions, source: Source) -> Result<Self> {
        options.validate(model.config())?;
        if state.step > options.steps as usize {
            let (done, asked) = (state.step, options.steps);
            return Err(Error::Input(message!(
                "saved.steps_done",
                "the saved run has already done {done} steps, more than the {asked} asked for; ask for \
                 more than {done} steps to train on, or begin a new run",
                done,
                asked
            )));
        }
        if !model.trains() || options.lora.as_ref() != model.lora() {
            return Err(Error::Input(message!(
                "saved.other_kind",
                "a saved run goes on with the adapters, or without, as it began"
            )));
        }
        let mut trainer = Self::with(options, source);
        let step = state.step;
        (trainer.done, trainer.reported, trainer.evaluated) = (step, step, state.evaluated);
        let (best_step, aside) = (state.best_step, state.best_weights);
        trainer.base = state.base;
        trainer.best = state.best_loss.map(|loss| Best { loss, step: best_step, aside, in_force: false });
        Ok(trainer)
    }

    fn with(options: TrainOptions, source: Source) -> Self {
        Self {
            options,
            source,
            done: 0,
            reported: 0,
            untold: Vec::new(),
            failure: None,
            evaluated: None,
            phase: Phase::Idle,
            run: RunId(0),
            best: None,
            base: None,
            last_read: Instant::now(),
            read_every: READ_EVERY,
            speed: Speed::default(),
        }
    }

    /// Whether an evaluation is due after `step` steps.
    fn is_evaluated(&self, step: usize) -> bool {
        let every = self.options.eval_every as usize;
        every > 0 && (step.is_multiple_of(every) || step >= self.options.steps as usize)
    }

    /// Whether an evaluation will follow the report of step `step`, before that of another.
    pub fn evaluates_after(&self, step: usize) -> bool {
        let held = matches!(&self.source, Source::Text(data) if data.validation().len() > 1);
        held && self.is_evaluated(step) && self.evaluated.is_none_or(|done| done < step)
    }

    /// Steps done whose losses were read back.
    pub fn step(&self) -> usize {
        self.reported
    }

    /// On a GPU, losses are read back when this much time has passed, or some thirty steps: more often shows them sooner,
    /// less often lets the device work without waiting.
    pub fn set_read_every(&mut self, time: Duration) {
        self.read_every = time;
    }

    /// Steps that the weights have seen, reported or not.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// The options.
    pub fn options(&self) -> &TrainOptions {
        &self.options
    }

    /// Names what the frozen model holds, beside which adapters are trained, for whoever goes on with the saved run:
    /// adapters fit any model of the same shape, but mean something beside this one only. The text is compared and not
    /// understood; a resumed run keeps the one it was saved with.
    pub fn set_base(&mut self, base: String) {
        self.base = Some(base);
    }

    /// Lowest validation loss so far.
    pub fn best_loss(&self) -> Option<f32> {
        self.best.as_ref().map(|b| b.loss)
    }

    /// Works for about `budget`. Where a GPU works by itself, several steps may be under way before their losses are read.
    ///
    /// # Errors
    /// [`Error::Device`] when the device failed; [`Error::Overflow`] when the loss is no longer a number: the weights are then
    /// those before that step, even where the device had begun later ones.
    pub async fn advance(&mut self, model: &mut Model, budget: Duration) -> Result<Event> {
        if self.best.as_ref().is_some_and(|b| b.in_force) {
            self.use_best(model, false).await?;
        }
        let start = Instant::now();
        self.speed.go(start);
        let event = self.work(model, start, budget).await;
        self.speed.pause();
        event
    }

    async fn work(&mut self, model: &mut Model, start: Instant, budget: Duration) -> Result<Event> {
        loop {
            if matches!(self.phase, Phase::Idle) {
                if let Some(event) = self.between_steps(model).await? {
                    return Ok(event);
                }
            } else {
                let budget = budget.saturating_sub(start.elapsed());
                match model.executor().advance(self.run, budget).await? {
                    Advance::Working => {}
                    Advance::Done => {
                        if let Some(event) = self.pass_done(model).await? {
                            return Ok(event);
                        }
                    }
                    // The model was used for something else: the step is done again.
                    Advance::Lost => self.settle(model),
                }
            }
            if start.elapsed() >= budget {
                return Ok(Event::Working);
            }
        }
    }

    /// Decides what comes next and begins it.
    async fn between_steps(&mut self, model: &mut Model) -> Result<Option<Event>> {
        if let Some(reports) = self.tell()? {
            return Ok(Some(Event::Steps(reports)));
        }
        let finished = self.done >= self.options.steps as usize;
        let evaluate = self.is_evaluated(self.done) && self.evaluated != Some(self.done);
        if self.reported < self.done {
            let late = self.last_read.elapsed() >= self.read_every || self.done - self.reported >= metrics::RING / 2;
            if model.backend() == "cpu" || late || finished || evaluate {
                self.read_back(model).await?;
                return Ok(self.tell()?.map(Event::Steps));
            }
        }
        if evaluate {
            let windows = match &self.source {
                Source::Text(data) => {
                    data.validation_batches(self.options.batch_size, self.options.context, MOST_WINDOWS)
                }
                Source::Replay(_) => Vec::new(),
            };
            if windows.is_empty() {
                self.evaluated = Some(self.done);
            } else {
                self.phase = Phase::Evaluation { windows, window: 0 };
                self.begin(model).await?;
                return Ok(None);
            }
        }
        if finished {
            return Ok(Some(Event::Finished));
        }
        let batches = self.source.batches(&self.options, self.done)?;
        self.phase = Phase::Step { batches, micro: 0 };
        self.begin(model).await?;
        Ok(None)
    }

    /// Begins the pass that the phase says.
    async fn begin(&mut self, model: &mut Model) -> Result<()> {
        let (pass, batches, index) = match &self.phase {
            Phase::Idle => return Ok(()),
            Phase::Step { batches, micro } if micro + 1 == batches.len() => (Pass::Update, batches, *micro),
            Phase::Step { batches, micro } => (Pass::Gradients, batches, *micro),
            Phase::Evaluation { windows, window } => (Pass::Loss, windows, *window),
        };
        let valid: usize = batches.iter().map(Batch::n_targets).sum();
        let words = self.words(valid, index);
        let batch = &batches[index];
        self.run = model.begin_pass(&self.options.shape(pass), &batch.inputs, &batch.targets, &words).await?;
        Ok(())
    }

    /// The input `hyper` of a pass: bias corrections are computed here in f64, as shaders' powers are loose.
    fn words(&self, valid: usize, micro: usize) -> [u32; hyper::WORDS] {
        let o = &self.options;
        let t = (self.done + 1) as f64;
        let correction = |beta: f64| 1.0 / (1.0 - beta.powf(t));
        let mut words = [0; hyper::WORDS];
        let floats = [
            (hyper::LR, learning_rate(o, self.done as u32)),
            (hyper::BETA1, o.beta1),
            (hyper::BETA2, o.beta2),
            (hyper::EPS, o.eps),
            (hyper::WEIGHT_DECAY, o.weight_decay),
            (hyper::BIAS1, correction(o.beta1)),
            (hyper::BIAS2, correction(o.beta2)),
            (hyper::CLIP, o.grad_clip),
            (hyper::LOSS_SCALE, 1.0 / valid.max(1) as f64),
        ];
        floats.into_iter().for_each(|(i, v)| words[i] = (v as f32).to_bits());
        words[hyper::STEP] = self.done as u32;
        words[hyper::SEED_LOW] = o.seed as u32;
        words[hyper::SEED_HIGH] = (o.seed >> 32) as u32;
        words[hyper::MICRO] = micro as u32;
        words
    }

    /// After a pass: the next one, or the end of the step or evaluation.
    async fn pass_done(&mut self, model: &mut Model) -> Result<Option<Event>> {
        match &mut self.phase {
            Phase::Idle => Ok(None),
            Phase::Step { batches, micro } => {
                *micro += 1;
                if *micro < batches.len() {
                    self.begin(model).await?;
                    return Ok(None);
                }
                self.phase = Phase::Idle;
                self.done += 1;
                Ok(None)
            }
            Phase::Evaluation { windows, window } => {
                *window += 1;
                if *window < windows.len() {
                    self.begin(model).await?;
                    return Ok(None);
                }
                let windows = std::mem::take(windows);
                self.phase = Phase::Idle;
                let loss = self.slot(model, self.done).await?.0;
                if !loss.is_finite() {
                    return Err(divergence::of_validation(model, &self.options, self.done, &windows).await);
                }
                self.evaluated = Some(self.done);
                let best = self.note_loss(model, loss).await?;
                Ok(Some(Event::Evaluated { step: self.done, loss, best }))
            }
        }
    }

    /// Loss and gradient norm in the ring for 0-based step `index`.
    async fn slot(&self, model: &mut Model, index: usize) -> Result<(f32, f32)> {
        let ring = model.read_metrics().await?;
        let at = index % metrics::RING * metrics::WORDS;
        Ok((ring[at], ring[at + 1]))
    }

    /// Breaks off what is under way as [`Trainer::settle`] does, and reports the steps that were done and not told. Nothing is
    /// left to tell once the list is empty.
    ///
    /// # Errors
    /// As [`Trainer::advance`].
    pub async fn drain(&mut self, model: &mut Model) -> Result<Vec<StepReport>> {
        self.catch_up(model).await?;
        Ok(self.tell()?.unwrap_or_default())
    }

    /// Breaks off what is under way and reads back what the steps given to the device came to: only then is it known how many
    /// of them changed the weights. Told are they, and a loss that is no number, by the next [`Trainer::advance`] or
    /// [`Trainer::drain`].
    pub(super) async fn catch_up(&mut self, model: &mut Model) -> Result<()> {
        self.settle(model);
        if self.reported < self.done { self.read_back(model).await } else { Ok(()) }
    }

    /// What was read back and not told: first the steps, then what ended them.
    fn tell(&mut self) -> Result<Option<Vec<StepReport>>> {
        if !self.untold.is_empty() {
            return Ok(Some(std::mem::take(&mut self.untold)));
        }
        self.failure.take().map_or(Ok(None), Err)
    }

    async fn read_back(&mut self, model: &mut Model) -> Result<()> {
        let ring = model.read_metrics().await?;
        let o = &self.options;
        let steps = self.done - self.reported;
        let tokens = (steps * o.grad_accum as usize * o.batch_size * o.context) as f64;
        let tokens_per_second = self.speed.after(tokens);
        self.last_read = Instant::now();
        for index in self.reported..self.done {
            let at = index % metrics::RING * metrics::WORDS;
            let (loss, grad_norm) = (ring[at], ring[at + 1]);
            if !loss.is_finite() || !grad_norm.is_finite() {
                // Neither this step nor those given to the device after it have changed the weights.
                self.done = index;
                model.clear_metrics();
                let batches = self.source.batches(o, index)?;
                self.failure = Some(divergence::of_step(model, o, index, &batches, loss).await);
                break;
            }
            self.untold.push(StepReport {
                step: index + 1,
                loss,
                lr: learning_rate(o, index as u32),
                grad_norm,
                tokens_per_second,
            });
        }
        self.reported = self.done;
        Ok(())
    }

    /// Breaks off a step that is under way, so that the model can be used for something else; the step is done again from
    /// its beginning later. Weights are never left half updated.
    pub fn settle(&mut self, model: &mut Model) {
        if !matches!(self.phase, Phase::Idle) {
            model.abandon_step();
            self.phase = Phase::Idle;
        }
    }
}
