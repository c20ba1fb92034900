//! Models to train from scratch, and options that suit a model, so that nobody has to choose a number.

use super::options::{LoraOptions, TrainOptions};
use super::schedule::Schedule;
use crate::config::GptConfig;
use crate::error::{Error, Result};
use crate::message::message;

/// A model to train from scratch, without its vocabulary, with the options to train it.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Short name, for the command line and the page.
    pub id: &'static str,
    /// One line for the person who chooses.
    pub description: &'static str,
    n_layer: usize,
    n_head: usize,
    n_embd: usize,
    n_ctx: usize,
    steps: u32,
    batch_size: usize,
    lr: f64,
    dropout: f64,
}

/// From small to large.
pub const PRESETS: [Preset; 4] = [
    Preset {
        id: "tiny",
        description: "about 0.1 million weights: learns words and a little spelling within a minute",
        n_layer: 2,
        n_head: 4,
        n_embd: 64,
        n_ctx: 64,
        steps: 1000,
        batch_size: 16,
        // Validation 1.94 after the 1,000 steps, against 2.09 at 2e-3; 1.6e-2 was better still, but is the edge.
        lr: 8e-3,
        dropout: 0.0,
    },
    Preset {
        id: "nanogpt-cpu",
        description: "0.8 million weights: nanoGPT's recipe for Shakespeare's characters on a CPU",
        n_layer: 4,
        n_head: 4,
        n_embd: 128,
        n_ctx: 64,
        steps: 2000,
        batch_size: 12,
        // The recipe's. 2e-3 is 0.03 ahead after 200 steps.
        lr: 1e-3,
        dropout: 0.0,
    },
    Preset {
        id: "small",
        description: "about 1 million weights that see twice as much text at a time",
        n_layer: 6,
        n_head: 4,
        n_embd: 128,
        n_ctx: 128,
        steps: 2000,
        batch_size: 12,
        // As nanogpt-cpu, of the same width: 2e-3 is only 0.01 ahead after 200 steps, which one seed cannot tell apart.
        lr: 1e-3,
        dropout: 0.0,
    },
    Preset {
        id: "10m",
        description: "10 million weights: nanoGPT's recipe for a GPU; hours without one",
        n_layer: 6,
        n_head: 6,
        n_embd: 384,
        n_ctx: 256,
        steps: 5000,
        batch_size: 64,
        // The recipe's; not measured here with batches of this size.
        lr: 1e-3,
        dropout: 0.2,
    },
];

impl Preset {
    /// The preset called `id`.
    ///
    /// # Errors
    /// [`Error::Input`] that lists the names.
    pub fn find(id: &str) -> Result<&'static Preset> {
        PRESETS.iter().find(|p| p.id == id).ok_or_else(|| {
            let names: Vec<&str> = PRESETS.iter().map(|p| p.id).collect();
            Error::Input(message!(
                "preset.unknown",
                "There is no preset '{name}'; choose among {known}",
                name = id,
                known = names.join(", ")
            ))
        })
    }

    /// The model for a vocabulary of `vocab_size` tokens. Hugging Face's GPT-2 can express it.
    ///
    /// # Errors
    /// [`Error::Config`] if the vocabulary is empty or too large.
    pub fn config(&self, vocab_size: usize) -> Result<GptConfig> {
        let config = GptConfig::new(vocab_size, self.n_ctx, self.n_embd, self.n_head, self.n_layer);
        config.validate()?;
        Ok(config)
    }

    /// nanoGPT's options for a text of this size: second moments that remember longer, as batches are small
    /// (0.03 better than 0.95 on tiny; 0.999 is no different), and a warm-up of 100 steps (30 is no different there).
    pub fn options(&self) -> TrainOptions {
        TrainOptions {
            steps: self.steps,
            batch_size: self.batch_size,
            context: self.n_ctx,
            lr: self.lr,
            schedule: Schedule::Cosine,
            warmup: 100,
            beta2: 0.99,
            dropout: self.dropout,
            eval_every: 250,
            ..TrainOptions::default()
        }
    }
}

/// A text of fewer tokens is too short to hold a part back ([`super::Dataset`]): the aim is then that it is recited.
const SHORT: usize = 1280;

/// Options to fine-tune a model of this size on `n_tokens` tokens of text, fully or by LoRA: measured on the shipped
/// model (`docs/training-defaults.md`), scaled by a rule for wider ones. Adapters that the model has are trained further.
pub fn fine_tuning(config: &GptConfig, n_tokens: usize, lora: bool, had: Option<&LoraOptions>) -> TrainOptions {
    // The first pair is measured: the compromise between texts of 20 kB, close to the model's and far from it, and a
    // book. Wider models' full rates fall about as 1 / width; the last LoRA rate is that of Hu et al. 2021 for GPT-2.
    let (full, adapters) = match config.n_embd {
        0..=256 => (5e-4, 4e-3),
        257..=512 => (2e-4, 1.6e-3),
        _ => (5e-5, 2e-4),
    };
    // 4 x 256 tokens: 0.2 nats better on unseen text than 4 x 128 for as many tokens in all; half of that is the longer
    // context, half the fewer, steadier steps. Wide models take less, for time and memory; that was not measured.
    let (most, context) = if config.n_embd > 512 { (2, config.n_ctx.min(128)) } else { (4, config.n_ctx.min(256)) };
    let new = || LoraOptions { rank: LoraOptions::default().rank.min(config.n_embd), ..LoraOptions::default() };
    let mut options = TrainOptions {
        context,
        // Where the text is a few windows only, more sequences would be the same ones again.
        batch_size: n_tokens.div_ceil(context.max(1)).clamp(1, most),
        lr: if lora { adapters } else { full },
        // Weights that are good already are not to be shrunk.
        weight_decay: 0.01,
        lora: lora.then(|| had.cloned().unwrap_or_else(new)),
        ..TrainOptions::default()
    };
    // Times that the text is seen. At least 80 steps, about where 20 kB of English have given what they can; at most
    // 500, less than two minutes of the shipped model on one core.
    const TIMES: u64 = 8;
    let steps = (n_tokens as u64).saturating_mul(TIMES).div_ceil(options.tokens_per_step());
    // 100 steps were enough to recite each English paragraph tried; this is twice as many.
    options.steps = if n_tokens < SHORT { 200 } else { steps.clamp(80, 500) as u32 };
    options.warmup = options.steps / 20;
    options.eval_every = options.steps / 10;
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::options::LoraTarget;

    #[test]
    fn sizes_are_as_described() {
        let millions = |id: &str| Preset::find(id).unwrap().config(65).unwrap().n_params() as f64 / 1e6;
        for (id, range) in [("tiny", 0.09..0.12), ("nanogpt-cpu", 0.78..0.83), ("small", 0.9..1.3), ("10m", 10.0..11.0)]
        {
            assert!(range.contains(&millions(id)), "{id}: {}", millions(id));
        }
        assert!(Preset::find("huge").unwrap_err().to_string().contains("nanogpt-cpu"));
    }

    #[test]
    fn adapters_there_are_get_trained_further() {
        let config = GptConfig::new(3, 8, 4, 1, 1);
        let had = LoraOptions { rank: 2, alpha: 3.0, dropout: 0.1, targets: vec![LoraTarget::MlpOut] };
        let new = fine_tuning(&config, 100, true, None);
        assert_eq!(new.lora.as_ref().map(|lora| lora.rank), Some(4), "no wider than the model");
        let further = fine_tuning(&config, 100, true, Some(&had));
        assert_eq!(further, TrainOptions { lora: Some(had.clone()), ..new });
        assert_eq!(fine_tuning(&config, 100, false, Some(&had)).lora, None);
    }

    #[test]
    fn options_fit_their_models() {
        for preset in &PRESETS {
            let config = preset.config(8192).unwrap();
            config.hf_compatible().unwrap();
            let options = preset.options();
            options.validate(&config).unwrap();
            assert!(preset.config(0).is_err());
            // The steps it has change nothing; fewer leave room after the warm-up, and are validated.
            assert_eq!(options.clone().in_steps(preset.steps), options);
            for steps in 1..200 {
                let short = options.clone().in_steps(steps);
                assert!(short.warmup < steps && (1..=steps).contains(&short.eval_every), "{}: {short:?}", preset.id);
            }
            assert_eq!(options.in_steps(u32::MAX).steps, u32::MAX);
        }
        for config in [GptConfig::new(3, 1, 4, 1, 1), GptConfig::new(50257, 1024, 768, 12, 12)] {
            for n_tokens in [0, 10, 100_000, usize::MAX / 8] {
                for lora in [false, true] {
                    let options = fine_tuning(&config, n_tokens, lora, None);
                    options.validate(&config).unwrap();
                    assert!(options.warmup < options.steps && options.eval_every > 0);
                    assert_eq!(options.clone().in_steps(options.steps), options);
                }
            }
        }
    }
}
