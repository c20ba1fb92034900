//! The learning rate at each step.

use serde::{Deserialize, Serialize};

use super::options::TrainOptions;

/// How the learning rate goes on after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// It stays.
    Constant,
    /// It falls along half a cosine to [`TrainOptions::min_lr`] (Loshchilov and Hutter 2017, as in nanoGPT).
    Cosine,
}

/// The learning rate of `step`, counted from 0. During the warm-up of w steps it is `lr * (step + 1) / (w + 1)`; then
/// it is `lr`, or `min_lr + (lr - min_lr) * (1 + cos(pi * r)) / 2` with `r` the part of the remaining steps that is
/// over; from step `steps` on, `min_lr`. This is nanoGPT's `get_lr` with `lr_decay_iters = steps`.
pub fn learning_rate(options: &TrainOptions, step: u32) -> f64 {
    let TrainOptions { lr, warmup, steps, .. } = *options;
    if step < warmup {
        return lr * f64::from(step + 1) / (f64::from(warmup) + 1.0);
    }
    match options.schedule {
        Schedule::Constant => lr,
        Schedule::Cosine => {
            let min_lr = options.min_lr();
            if step >= steps {
                return min_lr;
            }
            let ratio = f64::from(step - warmup) / f64::from(steps - warmup);
            min_lr + 0.5 * (1.0 + (std::f64::consts::PI * ratio).cos()) * (lr - min_lr)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosine() -> TrainOptions {
        TrainOptions { lr: 1e-3, schedule: Schedule::Cosine, warmup: 5, steps: 20, ..TrainOptions::default() }
    }

    /// The fixture's rates come from nanoGPT's formula in Python.
    #[test]
    fn as_nanogpt() {
        let text = include_str!("../../tests/fixtures/training/gpt2-tanh/losses.json");
        let runs: serde_json::Value = serde_json::from_str(text).unwrap();
        let rates: Vec<f64> = serde_json::from_value(runs["cosine"]["learning_rates"].clone()).unwrap();
        assert_eq!(rates.len(), 20);
        for (step, rate) in rates.into_iter().enumerate() {
            assert!((learning_rate(&cosine(), step as u32) - rate).abs() < 1e-15, "step {step}");
        }
    }

    #[test]
    fn the_ends() {
        let o = cosine();
        assert_eq!(learning_rate(&o, 5), 1e-3);
        assert_eq!(learning_rate(&o, 20), 1e-4);
        assert_eq!(learning_rate(&o, u32::MAX), 1e-4);
        assert_eq!(learning_rate(&TrainOptions { min_lr: Some(0.0), ..o.clone() }, 20), 0.0);
        let constant = TrainOptions { schedule: Schedule::Constant, ..o };
        assert!((learning_rate(&constant, 0) - 1e-3 / 6.0).abs() < 1e-18);
        assert_eq!(learning_rate(&constant, 5), 1e-3);
        assert_eq!(learning_rate(&constant, 1_000_000), 1e-3);
    }

    /// A warm-up as long as the run, or longer, never divides by zero.
    #[test]
    fn only_warmup() {
        let o = TrainOptions { warmup: 20, ..cosine() };
        assert!((0..25).all(|step| learning_rate(&o, step).is_finite()));
        assert_eq!(learning_rate(&o, 20), 1e-4);
    }
}
