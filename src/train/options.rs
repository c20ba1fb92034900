//! What can be set about a training run.

use serde::{Deserialize, Serialize};

use super::schedule::Schedule;
use crate::config::GptConfig;
use crate::error::{Error, Result};
use crate::message::{Message, message};
pub use crate::model::lora::{LoraOptions, LoraTarget};
use crate::model::{Pass, TrainShape};

/// One training run. The names are the command line's and nanoGPT's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainOptions {
    /// Optimiser steps.
    pub steps: u32,
    /// Sequences at a time, B.
    pub batch_size: usize,
    /// Tokens of each sequence, T; at most the model's context.
    pub context: usize,
    /// Highest learning rate.
    pub lr: f64,
    /// Where the cosine ends; a tenth of `lr` if not given.
    pub min_lr: Option<f64>,
    /// How the learning rate goes on after the warm-up.
    pub schedule: Schedule,
    /// Steps in which the learning rate rises.
    pub warmup: u32,
    /// Decoupled decay of the tensors of two dimensions, per step and unit of learning rate.
    pub weight_decay: f64,
    /// AdamW's decay of the gradient's mean.
    pub beta1: f64,
    /// AdamW's decay of the gradient's mean square.
    pub beta2: f64,
    /// AdamW's epsilon.
    pub eps: f64,
    /// Gradients are shortened to this norm where they are longer; 0 is off.
    pub grad_clip: f64,
    /// Batches whose gradients are added up to one step.
    pub grad_accum: u32,
    /// Probability of dropping an element after the embeddings, on attention's probabilities and after each sublayer.
    pub dropout: f64,
    /// Same seed, same run.
    pub seed: u64,
    /// Steps between two validations; 0 is off.
    pub eval_every: u32,
    /// Part of the text, from its end, that is held back for validation.
    pub validation: f64,
    /// Train adapters beside frozen weights instead of the weights.
    pub lora: Option<LoraOptions>,
}

/// For a model of unknown size; [`super::presets`] has numbers that were measured. AdamW's are nanoGPT's, checked by
/// one run each (one seed); steps, batch, context and warm-up are only short enough to try.
impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            steps: 500,
            batch_size: 8,
            context: 128,
            // Cautious, since the model may be of any width: the presets learn faster with 1e-3 and more.
            lr: 3e-4,
            min_lr: None,
            // nanoGPT's; a constant rate was as good over 300 steps from scratch.
            schedule: Schedule::Cosine,
            warmup: 20,
            // From 0 to 0.3 it moved the loss of short runs by less than 0.01.
            weight_decay: 0.1,
            beta1: 0.9,
            // 0.99 made no difference in fine-tuning; from scratch it was 0.03 better, so the presets have it.
            beta2: 0.95,
            eps: 1e-8,
            // From scratch 0.03 better than none; no difference in fine-tuning.
            grad_clip: 1.0,
            grad_accum: 1,
            dropout: 0.0,
            seed: 1337,
            eval_every: 50,
            validation: 0.1,
            lora: None,
        }
    }
}

/// Above this many micro-batches a step the counter of the dropout's random numbers would repeat.
const MAX_GRAD_ACCUM: u32 = 1 << 16;
const MAX_STEPS: u32 = 10_000_000;

impl TrainOptions {
    /// Where the cosine ends.
    pub fn min_lr(&self) -> f64 {
        self.min_lr.unwrap_or(self.lr / 10.0)
    }

    /// The same schedule in another number of steps: warm-up and the time between validations keep their part of the run.
    pub fn in_steps(self, steps: u32) -> Self {
        let part =
            |n: u32| (u64::from(n) * u64::from(steps) / u64::from(self.steps.max(1))).min(u64::from(u32::MAX)) as u32;
        // 0 is off and stays so; a short run is not to lose its validations.
        let eval_every = if self.eval_every == 0 { 0 } else { part(self.eval_every).max(1) };
        Self { steps, warmup: part(self.warmup), eval_every, ..self }
    }

    /// Whether the weights of the lowest validation loss will be kept, where `held` tokens are held back.
    pub fn keeps_best(&self, held: usize) -> bool {
        self.eval_every > 0 && held > 1
    }

    /// Tokens that one optimiser step sees.
    pub fn tokens_per_step(&self) -> u64 {
        self.batch_size as u64 * self.context as u64 * u64::from(self.grad_accum)
    }

    /// What the passes of a run over the model are compiled for.
    pub fn shape(&self, pass: Pass) -> TrainShape {
        TrainShape { batch: self.batch_size, seq: self.context, pass, dropout: (self.dropout as f32).to_bits() }
    }

    /// Checks the ranges, and that the model can be trained so.
    ///
    /// # Errors
    /// [`Error::Input`] naming the option and its range.
    pub fn validate(&self, config: &GptConfig) -> Result<()> {
        let n_ctx = config.n_ctx;
        check(message!("option.steps", "Steps"), f64::from(self.steps), (1..=MAX_STEPS).contains(&self.steps), || {
            message!("range.from_1", "from 1 to {most}", most = MAX_STEPS)
        })?;
        check(
            message!("option.batch_size", "Batch size"),
            self.batch_size as f64,
            (1..=4096).contains(&self.batch_size),
            || message!("range.from_1", "from 1 to {most}", most = 4096),
        )?;
        check(message!("option.context", "Context"), self.context as f64, (1..=n_ctx).contains(&self.context), || {
            message!("range.to_context", "from 1 to {most}, the longest text this model reads", most = n_ctx)
        })?;
        check(message!("option.lr", "Learning rate"), self.lr, self.lr > 0.0 && self.lr <= 1.0, || {
            message!("range.lr", "above 0 and at most 1; 0.0001 to 0.001 is usual")
        })?;
        check(
            message!("option.min_lr", "Final learning rate"),
            self.min_lr(),
            (0.0..=self.lr).contains(&self.min_lr()),
            || message!("range.min_lr", "from 0 to the learning rate, {most}", most = self.lr),
        )?;
        // A warm-up longer than the run is allowed: a run that is resumed may be given fewer steps than it had.
        check(
            message!("option.weight_decay", "Weight decay"),
            self.weight_decay,
            (0.0..=10.0).contains(&self.weight_decay),
            || message!("range.weight_decay", "from 0 (off) to 10; 0.1 is usual"),
        )?;
        for (name, beta) in
            [("beta1", self.beta1), ("beta2", self.beta2)].map(|(name, beta)| (Message::uncoded(name), beta))
        {
            check(name, beta, (0.0..1.0).contains(&beta), || message!("range.below_1", "from 0 to below 1"))?;
        }
        check(Message::uncoded("eps"), self.eps, self.eps > 0.0 && self.eps <= 1e-2, || {
            message!("range.epsilon", "above 0 and at most 0.01")
        })?;
        check(
            message!("option.grad_clip", "Gradient clipping"),
            self.grad_clip,
            (0.0..=1e6).contains(&self.grad_clip),
            || message!("range.grad_clip", "from 0 (off); 1 is usual"),
        )?;
        check(
            message!("option.grad_accum", "Gradient accumulation"),
            f64::from(self.grad_accum),
            (1..=MAX_GRAD_ACCUM).contains(&self.grad_accum),
            || message!("range.from_1", "from 1 to {most}", most = MAX_GRAD_ACCUM),
        )?;
        check_dropout(message!("option.dropout", "Dropout"), self.dropout)?;
        check(
            message!("option.validation", "Held back"),
            self.validation,
            (0.0..=0.5).contains(&self.validation),
            || message!("range.half", "from 0 (off) to 0.5"),
        )?;
        self.lora.as_ref().map_or(Ok(()), |lora| lora.validate(config))
    }
}

fn check_dropout(name: Message, p: f64) -> Result<()> {
    check(name, p, (0.0..=0.9).contains(&p), || message!("range.dropout", "from 0 (off) to 0.9; 0.1 is usual"))
}

fn check(name: Message, value: f64, fits: bool, range: impl Fn() -> Message) -> Result<()> {
    if fits {
        Ok(())
    } else {
        Err(Error::Input(message!(
            "options.range",
            "{name} is {value}; choose a number {range}",
            name,
            value,
            range = range()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Spoil = fn(&mut TrainOptions);

    #[test]
    fn names_what_is_wrong() {
        let config = GptConfig::new(65, 128, 64, 4, 2);
        TrainOptions::default().validate(&config).unwrap();
        let lora = TrainOptions { lora: Some(LoraOptions::default()), ..TrainOptions::default() };
        lora.validate(&config).unwrap();
        let wrong: [(&str, Spoil); 17] = [
            ("Steps", |o| o.steps = 0),
            ("Batch size", |o| o.batch_size = 0),
            ("Context", |o| o.context = 129),
            ("Learning rate", |o| o.lr = f64::NAN),
            ("Final learning rate", |o| o.min_lr = Some(1.0)),
            ("Weight decay", |o| o.weight_decay = -0.1),
            ("beta1", |o| o.beta1 = 1.0),
            ("beta2", |o| o.beta2 = f64::NAN),
            ("eps", |o| o.eps = 0.0),
            ("Gradient clipping", |o| o.grad_clip = f64::INFINITY),
            ("Gradient accumulation", |o| o.grad_accum = 0),
            ("Dropout", |o| o.dropout = 1.0),
            ("Held back", |o| o.validation = 0.6),
            ("LoRA rank", |o| o.lora.as_mut().unwrap().rank = 65),
            ("LoRA alpha", |o| o.lora.as_mut().unwrap().alpha = 0.0),
            ("LoRA has no layer", |o| o.lora.as_mut().unwrap().targets.clear()),
            ("LoRA lists c_attn twice", |o| o.lora.as_mut().unwrap().targets = vec![LoraTarget::AttnIn; 2]),
        ];
        for (name, spoil) in wrong {
            let mut options = lora.clone();
            spoil(&mut options);
            let error = options.validate(&config).expect_err(name).to_string();
            assert!(error.starts_with(name), "{name}: {error}");
        }
    }

    #[test]
    fn targets_have_names() {
        for target in LoraTarget::ALL {
            assert_eq!(LoraTarget::parse(target.name()), Ok(target));
            assert_eq!(LoraTarget::parse(target.module()), Ok(target));
        }
        assert!(LoraTarget::parse("c_proj").unwrap_err().to_string().contains("say which"));
    }

    #[test]
    fn survives_json() {
        let options = TrainOptions { lora: Some(LoraOptions::default()), ..TrainOptions::default() };
        let text = serde_json::to_string(&options).unwrap();
        assert!(text.contains(r#""targets":["c_attn","attn.c_proj","c_fc","mlp.c_proj"]"#), "{text}");
        assert_eq!(serde_json::from_str::<TrainOptions>(&text).unwrap(), options);
        assert_eq!(serde_json::from_str::<TrainOptions>("{}").unwrap(), TrainOptions::default());
        assert!(serde_json::from_str::<TrainOptions>(r#"{"stpes": 3}"#).is_err());
    }
}
