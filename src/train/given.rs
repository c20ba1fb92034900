//! Options as somebody sets them: some of them, as JSON, over the defaults.

use super::options::TrainOptions;
use crate::error::{Error, Result};
use crate::message::{Message, message};
use serde_json::Value;

/// `defaults` with what `given`, an object or null, sets otherwise; objects within are merged likewise. Where the number
/// of steps is given, warm-up and the time between validations follow it, unless they are given too.
///
/// # Errors
/// [`Error::Input`] naming the option that is no whole number where it must be one, or what else is wrong with `given`.
pub fn merge_options(defaults: &TrainOptions, given: &Value) -> Result<TrainOptions> {
    let wrong = |e: serde_json::Error| {
        Error::Input(message!("options.not_read", "the options of the run are wrong: {cause}", cause = e))
    };
    if !given.is_null() && !given.is_object() {
        return Err(wrong(serde::de::Error::custom(format!("{given} is no object"))));
    }
    let steps = given.get("steps").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let defaults = steps.map_or_else(|| defaults.clone(), |steps| defaults.clone().in_steps(steps));
    let defaults = serde_json::to_value(defaults).map_err(wrong)?;
    let with = |given: Value| {
        let mut all = defaults.clone();
        if !given.is_null() {
            merge(&mut all, given);
        }
        serde_json::from_value(all)
    };
    let found: serde_json::Result<TrainOptions> = with(given.clone());
    found.map_err(|e| {
        let fits = |path: &[&str], value: &Value| {
            let nested = path.iter().rev().fold(value.clone(), |inner, key| serde_json::json!({ *key: inner }));
            with(nested).is_ok()
        };
        not_whole(given, &fits).unwrap_or_else(|| wrong(e))
    })
}

/// The options that count something, by their place in the JSON, and as messages call them.
fn counts() -> [(&'static [&'static str], Message); 8] {
    [
        (&["steps"], message!("option.steps", "Steps")),
        (&["batch_size"], message!("option.batch_size", "Batch size")),
        (&["context"], message!("option.context", "Context")),
        (&["warmup"], message!("option.warmup", "Warm-up")),
        (&["grad_accum"], message!("option.grad_accum", "Gradient accumulation")),
        (&["eval_every"], message!("option.eval_every", "Validate every")),
        (&["seed"], message!("option.seed", "Seed")),
        (&["lora", "rank"], message!("option.lora_rank", "LoRA rank")),
    ]
}

/// The first option that counts something and was given no whole number. `fits` says whether an option takes a value.
fn not_whole(given: &Value, fits: &dyn Fn(&[&str], &Value) -> bool) -> Option<Error> {
    for (path, label) in counts() {
        let value = path.iter().try_fold(given, |value, key| value.get(key));
        if let Some(value) = value.filter(|value| value.is_number() && !fits(path, value)) {
            return Some(Error::Input(message!(
                "options.whole",
                "{name} is {value}; choose a whole number, not below 0 and not too large",
                name = label,
                value
            )));
        }
    }
    None
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::lora::LoraOptions;
    use crate::train::presets::Preset;
    use serde_json::json;

    #[test]
    fn given_options_replace_defaults() {
        let lora = LoraOptions { rank: 4, ..LoraOptions::default() };
        let defaults = TrainOptions { steps: 7, lora: Some(lora.clone()), ..TrainOptions::default() };
        assert_eq!(merge_options(&defaults, &Value::Null).unwrap(), defaults);
        let found = merge_options(&defaults, &json!({"lr": 0.5, "lora": {"alpha": 3}})).unwrap();
        let lora = Some(LoraOptions { alpha: 3.0, ..lora });
        assert_eq!(found, TrainOptions { lr: 0.5, lora, ..defaults.clone() });
    }

    #[test]
    fn the_schedule_follows_the_steps() {
        let tiny = Preset::find("tiny").unwrap().options();
        let with = |given: Value| {
            let found = merge_options(&tiny, &given).unwrap();
            (found.steps, found.warmup, found.eval_every)
        };
        assert_eq!(with(json!({"lr": 0.5})), (1000, 100, 250));
        assert_eq!(with(json!({"steps": 1000})), (1000, 100, 250));
        assert_eq!(with(json!({"steps": 100})), (100, 10, 25));
        assert_eq!(with(json!({"steps": 10000})), (10_000, 1000, 2500));
        // Each that is given is left as it is, and the other follows.
        assert_eq!(with(json!({"steps": 100, "warmup": 3})), (100, 3, 25));
        assert_eq!(with(json!({"steps": 100, "eval_every": 0})), (100, 10, 0));
        assert_eq!(with(json!({"steps": 2})), (2, 0, 1));
    }

    #[test]
    fn what_is_no_count_is_named() {
        let defaults = TrainOptions { lora: Some(LoraOptions::default()), ..TrainOptions::default() };
        for (given, want) in [
            (json!({"steps": -5}), "Steps is -5; choose a whole number"),
            (json!({"steps": 3, "batch_size": 2.5}), "Batch size is 2.5; "),
            (json!({"warmup": 1e20}), "Warm-up is 1e+20; "),
            (json!({"seed": -1}), "Seed is -1; "),
            (json!({"lora": {"rank": 0.5}}), "LoRA rank is 0.5; "),
            (json!({"stpes": 3}), "the options of the run are wrong: unknown field `stpes`"),
            (json!([1]), "the options of the run are wrong"),
        ] {
            let error = merge_options(&defaults, &given).expect_err("refused").to_string();
            assert!(error.starts_with(want), "{given}: {error}");
        }
    }
}
