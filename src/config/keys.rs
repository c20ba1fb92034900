//! Reads the keys of `config.json`: typed, with errors that name the key, and refusing what would be computed wrongly.

use serde_json::{Map, Value};

use super::{Activation, NATIVE_MODEL_TYPE, config_error};
use crate::error::{Error, Result, short};
use crate::message::{Message, message};

/// A value from the file, quoted, escaped and cut short.
pub(super) fn quote(text: &str) -> String {
    format!("{:?}", short(text))
}

/// Refuses what would be computed wrongly: other architectures and GPT-2 options that are not implemented.
pub(super) fn check_supported(keys: &Keys<'_>) -> Result<()> {
    let gpt2_class = keys
        .get("architectures")
        .and_then(Value::as_array)
        .is_some_and(|list| list.iter().any(|v| v.as_str().is_some_and(|s| s.starts_with("GPT2"))));
    match keys.get("model_type").map(|v| v.as_str().unwrap_or("?")) {
        Some("gpt2" | NATIVE_MODEL_TYPE) => {}
        None if gpt2_class => {}
        found => {
            let found = found.map_or(message!("config.no_model_type", "no model_type"), |t| {
                message!("config.model_type_is", "model_type {name}", name = quote(t))
            });
            return Err(config_error(message!(
                "config.model_type",
                "config.json has {found}. Supported are models of the GPT-2 architecture: \"gpt2\" (such \
                 as gpt2, distilgpt2, TinyStories trained as GPT-2) and \"{native}\".",
                found,
                native = NATIVE_MODEL_TYPE
            )));
        }
    }
    for (key, bad, why) in [
        ("scale_attn_weights", false, message!("config.unscaled", "attention without the 1/sqrt(head_dim) scale")),
        (
            "scale_attn_by_inverse_layer_idx",
            true,
            message!("config.scaled_by_layer", "attention scaled by the layer's index"),
        ),
        ("add_cross_attention", true, message!("config.cross_attention", "cross-attention to an encoder")),
    ] {
        if keys.flag(key, !bad)? == bad {
            return Err(config_error(message!(
                "config.unsupported",
                "config.json sets {key} to {value}: {what} is not supported. Choose a plain GPT-2 model.",
                key,
                value = bad,
                what = why
            )));
        }
    }
    if keys.get("quantization_config").is_some() {
        return Err(config_error(message!(
            "config.quantised",
            "config.json has a quantization_config: quantised weights are not supported. Choose the \
             model's F32, F16 or BF16 version."
        )));
    }
    Ok(())
}

pub(super) fn activation(name: &str) -> Result<Activation> {
    match name {
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
        "gelu" | "gelu_python" => Ok(Activation::GeluErf),
        "relu" => Ok(Activation::Relu),
        other => Err(config_error(message!(
            "config.activation",
            "config.json: activation_function {name} is not supported. Supported: gelu_new, \
             gelu_pytorch_tanh, gelu_fast, gelu, relu.",
            name = quote(other)
        ))),
    }
}

/// Typed access to the keys of `config.json`; `null` counts as absent, as in HF.
pub(super) struct Keys<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Keys<'a> {
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|v| !v.is_null())
    }

    /// The first of `names` (the usual one first, then its aliases) that is present.
    pub(super) fn size(&self, names: &[&str]) -> Result<usize> {
        let Some((key, value)) = names.iter().find_map(|&key| self.get(key).map(|v| (key, v))) else {
            return Err(config_error(message!(
                "config.no_key",
                "config.json has no {key}. Use the config.json that came with the weights.",
                key = names[0]
            )));
        };
        value
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .ok_or_else(|| self.mistyped(key, value, message!("kind.whole", "a whole number")))
    }

    pub(super) fn number(&self, key: &str, default: f64) -> Result<f64> {
        self.get(key).map_or(Ok(default), |v| {
            v.as_f64().ok_or_else(|| self.mistyped(key, v, message!("kind.number", "a number")))
        })
    }

    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool> {
        self.get(key).map_or(Ok(default), |v| {
            v.as_bool().ok_or_else(|| self.mistyped(key, v, message!("kind.flag", "true or false")))
        })
    }

    pub(super) fn text(&self, key: &str, default: &'static str) -> Result<&'a str> {
        self.get(key)
            .map_or(Ok(default), |v| v.as_str().ok_or_else(|| self.mistyped(key, v, message!("kind.text", "a text"))))
    }

    /// HF allows a list for `eos_token_id`; its first entry is the model's own.
    pub(super) fn token_id(&self, key: &str, vocab_size: usize) -> Result<Option<u32>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let first = match value.as_array() {
            Some(list) if list.is_empty() => return Ok(None),
            Some(list) => &list[0],
            None => value,
        };
        // -1 is how some libraries write "none".
        if first.as_i64().is_some_and(|id| id < 0) {
            return Ok(None);
        }
        let id = first.as_u64().ok_or_else(|| self.mistyped(key, value, message!("kind.token_id", "a token id")))?;
        Ok((id < vocab_size as u64).then_some(id as u32))
    }

    fn mistyped(&self, key: &str, value: &Value, wanted: Message) -> Error {
        config_error(message!(
            "config.kind",
            "config.json: {key} is {value}, but must be {wanted}.",
            key,
            value = quote(&value.to_string()),
            wanted
        ))
    }
}
