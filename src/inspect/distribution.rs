//! What comes next: the whole distribution, and what the sampling settings make of it.

use crate::error::Result;
use crate::message::message;
use crate::model::damaged;
use crate::ops::{odds, usable};
use crate::sample::SamplingParams;

/// A token that may come next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Its id.
    pub id: u32,
    /// Log-probability of the model, in nats.
    pub logprob: f32,
    /// How many tokens are likelier; the lower id comes first among equals.
    pub rank: usize,
    /// Probability with which it is drawn under the settings.
    pub adjusted: f32,
}

/// The distribution of the next token, raw and as the settings shape it.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Log-probability of each token, in nats.
    pub logprobs: Vec<f32>,
    /// Probability with which each is drawn under the settings; 0 where it is ruled out.
    pub adjusted: Vec<f32>,
}

impl Distribution {
    /// From logits `(V)` and the tokens of the text so far, which the repetition penalty is about. The same code that
    /// samples on the CPU decides what is ruled out.
    ///
    /// # Errors
    /// [`Error::Input`](crate::error::Error::Input) when a setting is out of range;
    /// [`Error::Overflow`](crate::error::Error::Overflow) when a logit is not finite.
    pub fn new(logits: &[f32], params: &SamplingParams, seen: &[u32]) -> Result<Self> {
        params.validate()?;
        if !usable(logits) {
            return Err(damaged(message!("place.logits", "the logits")));
        }
        Ok(Self {
            logprobs: log_softmax(logits).map(|x| x as f32).collect(),
            adjusted: odds(logits, &params.to_words(None), seen),
        })
    }

    /// The `n` likeliest tokens, best first.
    pub fn best(&self, n: usize) -> Vec<Candidate> {
        self.ordered((0..self.logprobs.len() as u32).collect(), n)
    }

    /// The `n` likeliest of `ids`, best first.
    pub fn of(&self, ids: Vec<u32>, n: usize) -> Vec<Candidate> {
        self.ordered(ids, n)
    }

    fn ordered(&self, mut ids: Vec<u32>, n: usize) -> Vec<Candidate> {
        let order = |a: &u32, b: &u32| {
            let (x, y) = (self.logprobs[*a as usize], self.logprobs[*b as usize]);
            y.total_cmp(&x).then(a.cmp(b))
        };
        if n < ids.len() {
            ids.select_nth_unstable_by(n, order);
            ids.truncate(n);
        }
        ids.sort_unstable_by(order);
        ids.into_iter().map(|id| self.candidate(id)).collect()
    }

    fn candidate(&self, id: u32) -> Candidate {
        let logprob = self.logprobs[id as usize];
        let likelier = |(i, x): (usize, &f32)| *x > logprob || (*x == logprob && i < id as usize);
        let rank = self.logprobs.iter().enumerate().filter(|&(i, x)| likelier((i, x))).count();
        Candidate { id, logprob, rank, adjusted: self.adjusted[id as usize] }
    }

    /// Entropy of the model's distribution, in nats.
    pub fn entropy(&self) -> f32 {
        -self.logprobs.iter().map(|&l| l.exp() * l).sum::<f32>()
    }

    /// Entropy of what the settings make of it, in nats.
    pub fn adjusted_entropy(&self) -> f32 {
        -self.adjusted.iter().filter(|&&p| p > 0.0).map(|p| p * p.ln()).sum::<f32>()
    }

    /// How many tokens can be drawn, and the probability that the model gives them together.
    pub fn kept(&self) -> (usize, f32) {
        let kept = self.adjusted.iter().zip(&self.logprobs).filter(|(a, _)| **a > 0.0);
        kept.fold((0, 0.0), |(n, mass), (_, l)| (n + 1, mass + l.exp()))
    }
}

/// Log-probabilities of a row of logits, in nats.
pub(super) fn log_softmax(logits: &[f32]) -> impl Iterator<Item = f64> {
    let max = logits.iter().copied().fold(f32::MIN, f32::max);
    let sum: f64 = logits.iter().map(|&x| f64::from(x - max).exp()).sum();
    let lse = f64::from(max) + sum.ln();
    logits.iter().map(move |&x| f64::from(x) - lse)
}
