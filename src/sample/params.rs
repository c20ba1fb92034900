//! What the user can turn, and what comes back for each token.

use crate::error::{Error, Result};
use crate::message::{Message, message};
use crate::ops::{control, settings};

/// How the next token is chosen. Applied in Hugging Face's order: repetition penalty, temperature, top-k, top-p, min-p.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingParams {
    /// Divides the logits: 0 always takes the likeliest token, 1 leaves the model's distribution, more flattens it. From
    /// 0.01, below which the division would only round away the differences that 0 keeps.
    pub temperature: f32,
    /// Only the k likeliest tokens; 0 is off.
    pub top_k: u32,
    /// Only the likeliest tokens that together have this probability (Holtzman et al. 2020); 1 is off.
    pub top_p: f32,
    /// Only tokens at least this part as likely as the likeliest (Nguyen et al. 2024); 0 is off.
    pub min_p: f32,
    /// Logits of tokens already in the text are divided by this if positive, else multiplied (Keskar et al. 2019); 1 is
    /// off.
    pub repetition_penalty: f32,
    /// Same seed, same text.
    pub seed: u64,
}

/// Calm and close to the model: nothing here changes what greedy decoding (temperature 0) picks.
impl Default for SamplingParams {
    fn default() -> Self {
        Self { temperature: 0.8, top_k: 40, top_p: 0.95, min_p: 0.0, repetition_penalty: 1.0, seed: 42 }
    }
}

impl SamplingParams {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Input`] that names the parameter and its range.
    pub fn validate(&self) -> Result<()> {
        let check = |name: Message, value: f32, fits: bool, range: Message| {
            if fits {
                return Ok(());
            }
            Err(Error::Input(message!(
                "options.range",
                "{name} is {value}; choose a number {range}",
                name,
                value,
                range
            )))
        };
        let Self { temperature: t, top_p, min_p, repetition_penalty: r, .. } = *self;
        let fits = t == 0.0 || (0.01..=100.0).contains(&t);
        check(
            message!("option.temperature", "temperature"),
            t,
            fits,
            message!("range.temperature", "from 0.01 to 100, or 0 to always take the likeliest token"),
        )?;
        check(
            Message::uncoded("top-p"),
            top_p,
            top_p > 0.0 && top_p <= 1.0,
            message!("range.top_p", "above 0 and at most 1 (off)"),
        )?;
        check(
            Message::uncoded("min-p"),
            min_p,
            (0.0..=1.0).contains(&min_p),
            message!("range.min_p", "from 0 (off) to 1"),
        )?;
        check(
            message!("option.repetition_penalty", "repetition penalty"),
            r,
            (0.01..=100.0).contains(&r),
            message!("range.repetition_penalty", "from 0.01 to 100; 1 is off"),
        )
    }

    /// The input `settings` of the decode plan; `stop` is the token that ends a text.
    pub fn to_words(&self, stop: Option<u32>) -> [u32; settings::WORDS] {
        let mut words = [0; settings::WORDS];
        words[settings::TEMPERATURE] = self.temperature.to_bits();
        words[settings::TOP_K] = self.top_k;
        words[settings::TOP_P] = self.top_p.to_bits();
        words[settings::MIN_P] = self.min_p.to_bits();
        words[settings::REPETITION_PENALTY] = self.repetition_penalty.to_bits();
        words[settings::SEED_LOW] = self.seed as u32;
        words[settings::SEED_HIGH] = (self.seed >> 32) as u32;
        words[settings::STOP] = stop.unwrap_or(u32::MAX);
        words
    }
}

/// What the device wrote about a sampled token. All figures are of the model's own distribution, before penalty,
/// temperature and cut-offs.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The token.
    pub id: u32,
    /// Natural logarithm of its probability.
    pub logprob: f32,
    /// Entropy of the distribution, in nats.
    pub entropy: f32,
    /// How many tokens were likelier.
    pub rank: u32,
    /// The ten likeliest tokens with their log-probabilities, likeliest first.
    pub top: Vec<(u32, f32)>,
}

impl Record {
    /// From one record of the ring.
    pub fn from_words(words: &[u32]) -> Self {
        let ids = &words[control::TOP_IDS..control::TOP_IDS + control::TOP];
        let logprobs = &words[control::TOP_LOGPROBS..control::TOP_LOGPROBS + control::TOP];
        let top = ids.iter().zip(logprobs).filter(|(id, _)| **id != u32::MAX);
        Self {
            id: words[control::RECORD_ID],
            logprob: f32::from_bits(words[control::LOGPROB]),
            entropy: f32::from_bits(words[control::ENTROPY]),
            rank: words[control::RANK],
            top: top.map(|(&id, &p)| (id, f32::from_bits(p))).collect(),
        }
    }
}
