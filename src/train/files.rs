//! A model as the files of a Hugging Face folder, and its adapters as PEFT's.

use super::peft::{Adapter, AdapterTensor};
use crate::config::GptConfig;
use crate::error::{Error, Result};
use crate::message::message;
use crate::model::Model;
use crate::model::checkpoint::{Dtype, Pieces, write_header};
use crate::model::lora::{lora_a, lora_b};
use crate::model::params::{ParamSpec, param_specs};
use crate::tokenizer::Tokenizer;

const WEIGHTS: &str = "model.safetensors";

/// The files of a folder that this program loads, and `transformers` too where
/// [`GptConfig::hf_compatible`] says so: `model.safetensors`, `config.json`, `generation_config.json` and, unless
/// `tokenizer_json` is empty, `tokenizer.json`. Adapters are merged into what is written, with the strength they have
/// now; the model itself stays as it is. Holds one copy of the weights at a time.
///
/// # Errors
/// [`Error::Checkpoint`] where a value does not fit `dtype`; [`Error::Overflow`] where merging the adapters makes a model whose
/// numbers overflow; [`Error::Device`] when the device failed.
pub async fn hf_files(model: &mut Model, tokenizer_json: &str, dtype: Dtype) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let weights = model.config().n_params() * dtype.size();
    hf_pieces(model, tokenizer_json, dtype, |name, mut piece| match files.last_mut() {
        Some((last, bytes)) if last == name => bytes.extend(piece),
        _ => {
            if name == WEIGHTS {
                piece.reserve_exact(weights);
            }
            files.push((name.into(), piece));
        }
    })
    .await?;
    Ok(files)
}

/// The files of [`hf_files`], one after another, each in pieces: see [`Pieces`]. Every piece comes with its file's name.
///
/// # Errors
/// As [`hf_files`].
pub async fn hf_pieces(
    model: &mut Model,
    tokenizer_json: &str,
    dtype: Dtype,
    mut piece: impl FnMut(&str, Vec<u8>),
) -> Result<()> {
    check_merge(model).await?;
    let config = model.config().clone();
    piece("config.json", config.to_json().into_bytes());
    piece("generation_config.json", generation_config(&config).into_bytes());
    let specs = param_specs(&config);
    let names: Vec<String> = specs.iter().map(|s| hf_name(&s.name)).collect();
    let listed: Vec<_> = names.iter().zip(&specs).map(|(n, s)| (n.as_str(), s.shape.as_slice(), &dtype)).collect();
    let mut weights = Pieces::new(write_header(&listed, &[("format", "pt")])?);
    for (spec, name) in specs.iter().zip(&names) {
        if let Some(full) = weights.add(name, &dtype, &merged(model, spec).await?)? {
            piece(WEIGHTS, full);
        }
    }
    piece(WEIGHTS, weights.finish());
    if !tokenizer_json.is_empty() {
        piece("tokenizer.json", tokenizer_json.as_bytes().to_vec());
    }
    Ok(())
}

/// What of a model's files Hugging Face's libraries cannot load: its `config`, and so the whole model, its `tokenizer` alone, or
/// nothing, an empty text.
pub fn native_only(config: &GptConfig, tokenizer: &dyn Tokenizer) -> &'static str {
    if config.hf_compatible().is_err() {
        "config"
    } else if tokenizer.native_only() {
        "tokenizer"
    } else {
        ""
    }
}

/// Hugging Face's name of a parameter, `transformer.wte.weight` for `wte.weight`.
pub fn hf_name(name: &str) -> String {
    if name.starts_with("lm_head.") { name.into() } else { format!("transformer.{name}") }
}

fn generation_config(config: &GptConfig) -> String {
    let json = serde_json::json!({
        "_from_model_config": true,
        "bos_token_id": config.bos_token_id,
        "eos_token_id": config.eos_token_id,
    });
    format!("{json:#}\n")
}

/// A weight with its adapter, if it has one, added: `W + scale * A B`.
async fn merged(model: &mut Model, spec: &ParamSpec) -> Result<Vec<f32>> {
    let mut values = model.read_param(&spec.name).await?;
    let Some(lora) = model.lora() else { return Ok(values) };
    let (rank, scale) = (lora.rank, model.lora_scale());
    let Some(layer) = spec.name.strip_suffix(".weight").filter(|layer| lora.covers(layer)) else { return Ok(values) };
    let (a, b) = (model.read_param(&lora_a(layer)).await?, model.read_param(&lora_b(layer)).await?);
    let out = spec.shape[1];
    for (row, a) in values.chunks_mut(out).zip(a.chunks(rank)) {
        for (&a, b) in a.iter().zip(b.chunks(out)) {
            row.iter_mut().zip(b).for_each(|(w, b)| *w += scale * a * b);
        }
    }
    Ok(values)
}

/// Tokens on which a model with adapters is tried before it is written.
const TRIED: usize = 16;

/// Refuses to merge adapters that act so strongly that a weight, or what the model computes from some tokens, overflows.
async fn check_merge(model: &mut Model) -> Result<()> {
    let Some(lora) = model.lora().cloned() else { return Ok(()) };
    let most = |values: &[f32]| values.iter().fold(0.0f64, |most, x| most.max(f64::from(x.abs())));
    for spec in param_specs(model.config()) {
        let Some(layer) = spec.name.strip_suffix(".weight").filter(|layer| lora.covers(layer)) else { continue };
        let (a, b) = (model.read_param(&lora_a(layer)).await?, model.read_param(&lora_b(layer)).await?);
        // Less than half of what parts the largest float from its neighbour cannot make it infinite.
        if f64::from(model.lora_scale().abs()) * lora.rank as f64 * most(&a) * most(&b) < 1e30 {
            continue;
        }
        if let Some(x) = merged(model, &spec).await?.iter().find(|x| !x.is_finite()) {
            return Err(Error::Overflow(message!(
                "adapter.merge_overflows",
                "the adapters cannot be merged: {tensor} would hold {value}. Lower their strength, or \
                 choose other adapters",
                tensor = spec.name,
                value = x
            )));
        }
    }
    let ids: Vec<u32> = (0..TRIED.min(model.config().n_ctx).min(model.config().vocab_size) as u32).collect();
    match model.probe(&ids, 0, &["logits".into()], 0).await {
        Err(e @ Error::Overflow(_)) => Err(e),
        // Where there is no room to try it, it is written untried.
        _ => Ok(()),
    }
}

/// Merges the adapters into the weights, with the strength they have now, and makes them change nothing from here on
/// (`B = 0`). The model computes what it did before.
///
/// # Errors
/// [`Error::Input`] when there are no adapters; [`Error::Overflow`] where the merged model's numbers would overflow, which leaves
/// all as it is; [`Error::Device`] when the device failed.
pub async fn merge_adapters(model: &mut Model) -> Result<()> {
    let lora = model.lora().cloned().ok_or_else(no_adapters)?;
    check_merge(model).await?;
    for spec in param_specs(model.config()) {
        if let Some(layer) = spec.name.strip_suffix(".weight").filter(|layer| lora.covers(layer)) {
            let values = merged(model, &spec).await?;
            model.write_param(&spec.name, 0, &values)?;
            model.write_param(&lora_b(layer), 0, &vec![0.0; lora.rank * spec.shape[1]])?;
        }
    }
    Ok(())
}

/// The model's adapters.
///
/// # Errors
/// As [`merge_adapters`].
pub async fn adapter(model: &mut Model) -> Result<Adapter> {
    let options = model.lora().cloned().ok_or_else(no_adapters)?;
    let mut tensors = Vec::new();
    for spec in options.specs(model.config()) {
        let data = model.read_param(&spec.name).await?;
        tensors.push(AdapterTensor { name: spec.name, shape: [spec.shape[0], spec.shape[1]], data });
    }
    Ok(Adapter { options, tensors })
}

/// The model's adapters as PEFT's two files, `adapter_config.json` and `adapter_model.safetensors`.
///
/// # Errors
/// As [`merge_adapters`].
pub async fn adapter_files(model: &mut Model) -> Result<Vec<(String, Vec<u8>)>> {
    adapter(model).await?.to_peft(None)
}

/// Gives the model these adapters at full strength.
///
/// # Errors
/// [`Error::Input`] when the model has other adapters or is being trained as a whole.
pub async fn apply_adapter(model: &mut Model, adapter: &Adapter) -> Result<()> {
    model.add_adapters(&adapter.options, 0).await?;
    adapter.tensors.iter().try_for_each(|t| model.write_param(&t.name, 0, &t.data))?;
    model.set_lora_strength(1.0)
}

fn no_adapters() -> Error {
    Error::Input(message!("lora.none_yet", "this model has no adapters; train or load some first"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::{Bpe, ByteTokenizer, CharTokenizer};

    #[test]
    fn what_others_cannot_load_is_known() {
        let gpt2 = GptConfig::new(256, 8, 4, 1, 1);
        let bare = GptConfig { bias: false, ..gpt2.clone() };
        let bpe = Bpe::train("a text, a longer text", 258, &[]).unwrap();
        let chars = CharTokenizer::train("a text").unwrap();
        assert_eq!(native_only(&gpt2, &bpe), "");
        assert_eq!(native_only(&gpt2, &chars), "tokenizer");
        assert_eq!(native_only(&gpt2, &ByteTokenizer::new()), "tokenizer");
        // Where the model cannot be loaded, its tokenizer does not matter.
        assert_eq!(native_only(&bare, &bpe), "config");
        assert_eq!(native_only(&bare, &chars), "config");
    }
}
