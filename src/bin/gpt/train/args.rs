//! The options of `gpt train`.

use clap::ArgGroup;
use gpt_playground::error::{Error, Result};
use gpt_playground::exec::Backend;
use gpt_playground::message::Message;
use gpt_playground::train::options::{LoraOptions, LoraTarget};
use gpt_playground::train::{Schedule, TrainOptions};
use std::path::PathBuf;

/// Fine-tune a model, train an adapter beside it, or train one from scratch.
///
/// The folder gets model.safetensors, config.json, generation_config.json and tokenizer.json, which `transformers`
/// loads; with --lora-rank adapter_config.json and adapter_model.safetensors, which `peft` loads. They are the weights
/// of the last step; where an earlier evaluation was better, its weights are in the folder `best` inside.
/// training_state.safetensors is what --resume goes on from. Ctrl-C saves and ends, as do SIGTERM and SIGHUP; a second
/// Ctrl-C ends at once, without saving.
///
/// Numbers that are not given suit the model's size and the length of the text.
#[derive(clap::Args)]
#[command(group(ArgGroup::new("start").args(["model", "config", "preset"])))]
#[command(group(ArgGroup::new("data").required(true).args(["text", "replay"])))]
pub(in super::super) struct Args {
    /// Folder of the model to train.
    #[arg(long, value_name = "DIR", required_unless_present_any = ["config", "preset", "resume"])]
    pub model: Option<PathBuf>,
    /// A config.json: train such a model from scratch, with the tokenizer's vocabulary.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Train from scratch: a model that is known to learn, with options that suit it.
    #[arg(long, value_name = "tiny|nanogpt-cpu|small|10m")]
    pub preset: Option<String>,
    /// Of a model from scratch: characters of the text, bytes, BPE of N tokens learned from the text, or that of a
    /// folder.
    #[arg(long, value_name = "char|byte|bpe:N|DIR", default_value = "char", conflicts_with_all = ["model", "replay"])]
    pub tokenizer: String,
    /// Text to train on, UTF-8; its end is held back for validation.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub text: Vec<PathBuf>,
    /// Batches to train on instead: tensors `inputs` and `targets` (steps, B, T) of token ids; a negative target is
    /// ignored. Needs no tokenizer.
    #[arg(long, value_name = "FILE.safetensors", conflicts_with_all = ["batch_size", "context"])]
    pub replay: Option<PathBuf>,
    /// Folder to write; must hold no file of a model yet, unless --resume is given. No two programs write one at a
    /// time.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Go on with the run saved in --out. Options given now replace the saved ones; --model only says where the base of
    /// an adapter lies now.
    #[arg(long, conflicts_with_all = ["config", "preset", "tokenizer", "dump_gradients"])]
    pub resume: bool,
    /// Save every N steps; 0 saves at the end only.
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub save_every: usize,
    /// Append one JSON object a step: step, loss, val_loss (where evaluated), lr, grad_norm, tokens_per_second. May be
    /// a pipe or /dev/stdout. With --resume, lines at its end of steps that were not saved are dropped, so give each
    /// run a log of its own.
    #[arg(long, value_name = "FILE.jsonl")]
    pub log: Option<PathBuf>,
    /// Write the gradient of every trained parameter in the first step, before clipping. Of files that exist only
    /// another of this option is replaced.
    #[arg(long, value_name = "FILE.safetensors")]
    pub dump_gradients: Option<PathBuf>,
    /// Where to run: auto takes a hardware GPU if there is one.
    #[arg(long, value_name = "cpu|gpu|auto", default_value = "auto")]
    pub backend: Backend,

    /// Train adapters of this inner width beside the frozen weights.
    #[arg(long, value_name = "R", conflicts_with_all = ["config", "preset"])]
    lora_rank: Option<usize>,
    /// The adapters' output is multiplied by alpha / rank [default: twice the rank].
    #[arg(long, value_name = "A", requires = "lora_rank")]
    lora_alpha: Option<f64>,
    /// Probability of dropping an element of an adapter's input.
    #[arg(long, value_name = "P", requires = "lora_rank")]
    lora_dropout: Option<f64>,
    /// Layers to adapt [default: all four].
    #[arg(long, value_name = "c_attn,attn.c_proj,c_fc,mlp.c_proj", value_delimiter = ',', requires = "lora_rank")]
    lora_targets: Vec<String>,

    /// Optimiser steps.
    #[arg(long, value_name = "N")]
    steps: Option<u32>,
    /// Sequences at a time.
    #[arg(long, value_name = "B")]
    batch_size: Option<usize>,
    /// Tokens of each sequence.
    #[arg(long, value_name = "T")]
    pub context: Option<usize>,
    /// Highest learning rate.
    #[arg(long, value_name = "X")]
    lr: Option<f64>,
    /// Where the cosine ends [default: a tenth of --lr].
    #[arg(long, value_name = "X")]
    min_lr: Option<f64>,
    /// How the learning rate goes on after the warm-up.
    #[arg(long, value_name = "constant|cosine", value_parser = schedule)]
    schedule: Option<Schedule>,
    /// Steps in which the learning rate rises [default: follows --steps].
    #[arg(long, value_name = "N")]
    warmup: Option<u32>,
    /// AdamW's decoupled decay of matrices and embeddings.
    #[arg(long, value_name = "X")]
    weight_decay: Option<f64>,
    /// AdamW's decay of the gradient's mean.
    #[arg(long, value_name = "X")]
    beta1: Option<f64>,
    /// AdamW's decay of the gradient's mean square.
    #[arg(long, value_name = "X")]
    beta2: Option<f64>,
    /// AdamW's epsilon.
    #[arg(long, value_name = "X")]
    eps: Option<f64>,
    /// Longest norm of the gradient; 0 is off.
    #[arg(long, value_name = "X")]
    grad_clip: Option<f64>,
    /// Batches a step.
    #[arg(long, value_name = "N")]
    grad_accum: Option<u32>,
    /// Probability of dropping an element after the embeddings, on attention's probabilities and after each sublayer.
    #[arg(long, value_name = "X")]
    dropout: Option<f64>,
    /// The same seed gives the same run.
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Steps between two evaluations on the text held back; 0 is off [default: follows --steps].
    #[arg(long, value_name = "N")]
    eval_every: Option<u32>,
    /// Part of the text that is held back.
    #[arg(long, value_name = "X")]
    validation: Option<f64>,
}

fn schedule(text: &str) -> std::result::Result<Schedule, String> {
    match text {
        "constant" => Ok(Schedule::Constant),
        "cosine" => Ok(Schedule::Cosine),
        other => Err(format!("there is no schedule {other:?}; choose constant or cosine")),
    }
}

impl Args {
    /// The adapters asked for.
    pub fn lora(&self) -> Result<Option<LoraOptions>> {
        let Some(rank) = self.lora_rank else { return Ok(None) };
        let mut targets = self.lora_targets.iter().map(|t| LoraTarget::parse(t)).collect::<Result<Vec<_>>>()?;
        targets.sort_unstable();
        let targets = if targets.is_empty() { LoraTarget::ALL.to_vec() } else { targets };
        let alpha = self.lora_alpha.unwrap_or(2.0 * rank as f64);
        Ok(Some(LoraOptions { rank, alpha, dropout: self.lora_dropout.unwrap_or(0.0), targets }))
    }

    /// What was given and does nothing, in words.
    pub fn ignored(&self) -> Option<&'static str> {
        let validates = self.validation.is_some() || self.eval_every.is_some_and(|every| every > 0);
        let ignored = self.replay.is_some() && validates;
        ignored.then_some("--replay has no text to hold back, so --eval-every and --validation do nothing")
    }

    /// Whether the number of steps was given.
    pub fn has_steps(&self) -> bool {
        self.steps.is_some()
    }

    /// `base` with what was given instead. Warm-up and the time between evaluations follow the number of steps, except
    /// of a run that has begun and of one that is to be compared with another.
    pub fn options(&self, base: TrainOptions) -> Result<TrainOptions> {
        let lora = self.lora()?;
        if self.resume && lora.is_some() && lora != base.lora {
            let advice =
                "the saved run trains other adapters; leave the --lora options out, or train into another folder";
            return Err(Error::Input(Message::uncoded(advice)));
        }
        let base = match self.steps {
            Some(steps) if !self.resume && self.replay.is_none() => base.in_steps(steps),
            Some(steps) => TrainOptions { steps, ..base },
            None => base,
        };
        Ok(TrainOptions {
            steps: base.steps,
            batch_size: self.batch_size.unwrap_or(base.batch_size),
            context: self.context.unwrap_or(base.context),
            lr: self.lr.unwrap_or(base.lr),
            min_lr: self.min_lr.or(base.min_lr),
            schedule: self.schedule.unwrap_or(base.schedule),
            warmup: self.warmup.unwrap_or(base.warmup),
            weight_decay: self.weight_decay.unwrap_or(base.weight_decay),
            beta1: self.beta1.unwrap_or(base.beta1),
            beta2: self.beta2.unwrap_or(base.beta2),
            eps: self.eps.unwrap_or(base.eps),
            grad_clip: self.grad_clip.unwrap_or(base.grad_clip),
            grad_accum: self.grad_accum.unwrap_or(base.grad_accum),
            dropout: self.dropout.unwrap_or(base.dropout),
            seed: self.seed.unwrap_or(base.seed),
            eval_every: self.eval_every.unwrap_or(base.eval_every),
            validation: self.validation.unwrap_or(base.validation),
            lora: lora.or(base.lora),
        })
    }
}
