//! Finds a model's parameters among the tensors of its files.

use std::collections::{BTreeMap, HashSet};

use super::{Dtype, Header, TensorEntry, checkpoint_error, quote};
use crate::config::GptConfig;
use crate::error::Result;
use crate::message::{Message, message, shown};
use crate::model::params::ParamSpec;

/// Collects what one or more files hold against what the model needs.
#[derive(Debug)]
pub(super) struct Matcher {
    /// Shape of every parameter.
    wanted: BTreeMap<String, Vec<usize>>,
    found: HashSet<String>,
    ignored: Vec<String>,
    /// Shape of the `lm_head.weight` that may stand redundantly beside a tied head.
    tied_head: Option<Vec<usize>>,
}

impl Matcher {
    pub(super) fn new(specs: Vec<ParamSpec>, config: &GptConfig) -> Matcher {
        Matcher {
            wanted: super::map_of(specs.into_iter().map(|s| (s.name, s.shape))),
            found: HashSet::new(),
            ignored: Vec::new(),
            tied_head: config.tie_word_embeddings.then(|| vec![config.vocab_size, config.n_embd]),
        }
    }

    /// The parameters in one file, by their names in `param_specs`, in the order of their bytes.
    pub(super) fn accept(&mut self, header: &Header) -> Result<Vec<(String, TensorEntry)>> {
        let mut matched = Vec::new();
        for entry in &header.entries {
            let name = entry.name.strip_prefix("transformer.").unwrap_or(&entry.name);
            let Some(shape) = self.wanted.get(name) else {
                if let Some(shape) = self.tied_head.as_ref().filter(|_| name == "lm_head.weight") {
                    check(entry, shape)?;
                }
                self.ignored.push(entry.name.clone());
                continue;
            };
            check(entry, shape)?;
            if !self.found.insert(name.to_string()) {
                return Err(checkpoint_error(message!(
                    "weights.twice",
                    "The weights hold tensor {tensor} twice (with and without \"transformer.\", or in two \
                     files). Choose one set of weights.",
                    tensor = quote(name)
                )));
            }
            matched.push((name.to_string(), entry.clone()));
        }
        Ok(matched)
    }

    /// Checks that every parameter was in some file; takes out the names of all other tensors.
    pub(super) fn finish(&mut self) -> Result<Vec<String>> {
        self.check_complete()?;
        Ok(std::mem::take(&mut self.ignored))
    }

    /// Fails, naming the first of them, if parameters have not been found yet.
    pub(super) fn check_complete(&self) -> Result<()> {
        let mut missing = self.wanted.iter().filter(|(name, _)| !self.found.contains(*name));
        let Some((name, shape)) = missing.next() else { return Ok(()) };
        let others = match missing.count() {
            0 => Message::uncoded(""),
            n => message!("weights.more", " and {count} more", count = n),
        };
        let advice = if self.found.is_empty() {
            message!("advice.no_gpt2", "None of its tensors belongs to a GPT-2: choose the weights of a GPT-2 model.")
        } else if name.starts_with("lm_head") {
            message!(
                "advice.own_head",
                "config.json asks for a head of its own: if the model's head is tied, set \
                 tie_word_embeddings to true and lm_head_bias to false."
            )
        } else {
            message!(
                "advice.same_model_all_parts",
                "Make sure that config.json and the weights come from the same model, and that all parts \
                 of the weights are there."
            )
        };
        Err(checkpoint_error(message!(
            "weights.lacks",
            "The weights lack tensor {tensor} of shape {shape}{more}. {advice}",
            tensor = quote(name),
            shape = shown(&shape),
            more = others,
            advice
        )))
    }
}

fn check(entry: &TensorEntry, shape: &[usize]) -> Result<()> {
    if entry.shape != shape {
        let transposed = shape.len() == 2 && entry.shape.iter().rev().eq(shape);
        let advice = if transposed {
            message!(
                "advice.transposed",
                "It seems to be stored transposed, as (out, in): GPT-2 stores linear layers as (in, out)."
            )
        } else {
            message!("advice.same_model", "Make sure that config.json and the weights come from the same model.")
        };
        return Err(checkpoint_error(message!(
            "weights.tensor_shape",
            "Tensor {tensor} has shape {shape}, but the configuration asks for {wanted}. {advice}",
            tensor = quote(&entry.name),
            shape = shown(&entry.shape),
            wanted = shown(&shape),
            advice
        )));
    }
    if let Dtype::Other(dtype) = &entry.dtype {
        return Err(checkpoint_error(message!(
            "weights.dtype",
            "Tensor {tensor} has dtype {dtype}; F32, F16 and BF16 are supported. Choose a version of \
             the model in one of these.",
            tensor = quote(&entry.name),
            dtype = quote(dtype)
        )));
    }
    Ok(())
}
