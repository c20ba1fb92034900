//! LoRA adapters in the layout of Hugging Face PEFT: `adapter_config.json` and `adapter_model.safetensors`.
//!
//! | here | PEFT |
//! |---|---|
//! | `h.0.attn.c_attn.lora_A` (in, rank) | `base_model.model.transformer.h.0.attn.c_attn.lora_A.weight` (rank, in) |
//! | `h.0.attn.c_attn.lora_B` (rank, out) | `base_model.model.transformer.h.0.attn.c_attn.lora_B.weight` (out, rank) |
//!
//! PEFT keeps an adapter as two `nn.Linear`, whose weights are (out, in), whatever the layout of the layer it adapts.
//! That GPT-2's own linear layers are (in, out) is what `fan_in_fan_out` says; PEFT needs it to merge.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value, json};

use crate::config::GptConfig;
use crate::error::{Error, Result, short};
use crate::message::{Message, message, shown};
use crate::model::checkpoint::{Dtype, Header, TensorEntry, TensorOut, write_safetensors};
use crate::model::lora::{LoraOptions, LoraTarget};

/// Name of the configuration's file.
pub const CONFIG_FILE: &str = "adapter_config.json";
/// Name of the weights' file.
pub const WEIGHTS_FILE: &str = "adapter_model.safetensors";

/// One matrix of an adapter.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterTensor {
    /// `h.0.attn.c_attn.lora_A` or `h.0.attn.c_attn.lora_B`.
    pub name: String,
    /// (in, rank) or (rank, out).
    pub shape: [usize; 2],
    /// Row-major values.
    pub data: Vec<f32>,
}

/// A LoRA adapter of a GPT-2.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapter {
    /// Rank, alpha, dropout and layers.
    pub options: LoraOptions,
    /// In the order of [`LoraOptions::specs`].
    pub tensors: Vec<AdapterTensor>,
}

/// The name in PEFT's file of `h.0.attn.c_attn.lora_A`.
pub fn peft_name(name: &str) -> String {
    format!("base_model.model.transformer.{name}.weight")
}

/// The name here of a tensor in PEFT's file, also of an adapter for the model without a head, whose names lack
/// `transformer.`; `None` if it is no LoRA matrix of one of GPT-2's four linear layers.
pub fn native_name(peft: &str) -> Option<String> {
    let name = peft.strip_prefix("base_model.model.")?;
    let name = name.strip_prefix("transformer.").unwrap_or(name).strip_suffix(".weight")?;
    let (layer, rest) = name.strip_prefix("h.")?.split_once('.')?;
    let (module, matrix) = rest.rsplit_once('.')?;
    let number = layer.parse::<usize>().is_ok_and(|n| n.to_string() == layer);
    let known = LoraTarget::ALL.iter().any(|t| t.module() == module) && matches!(matrix, "lora_A" | "lora_B");
    (number && known).then(|| name.into())
}

impl Adapter {
    /// The two files, by name, as `peft.PeftModel.from_pretrained` loads them. `base_model` is the base's name or path,
    /// for the reader's information.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if a matrix does not have the size its shape says.
    pub fn to_peft(&self, base_model: Option<&str>) -> Result<Vec<(String, Vec<u8>)>> {
        let transposed: Vec<_> = self.tensors.iter().map(|t| transpose(&t.data, t.shape)).collect();
        let out = |(t, data)| {
            let AdapterTensor { name, shape, .. }: &AdapterTensor = t;
            TensorOut { name: peft_name(name), shape: vec![shape[1], shape[0]], dtype: Dtype::F32, data }
        };
        let tensors: Vec<TensorOut<'_>> =
            self.tensors.iter().zip(transposed.iter().map(Vec::as_slice)).map(out).collect();
        let weights = write_safetensors(&tensors, &[("format", "pt")])?;
        let config = config_to_json(&self.options, base_model).into_bytes();
        Ok(vec![(CONFIG_FILE.into(), config), (WEIGHTS_FILE.into(), weights)])
    }

    /// Reads the two files for a base model of this configuration. Layers that the adapter leaves alone in some of the
    /// blocks get zeros there, which change nothing.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if a file is damaged, the adapter is of another kind than plain LoRA on GPT-2's four
    /// linear layers, or its shapes do not fit the base model.
    pub fn from_peft(config_json: &[u8], weights: &[u8], base: &GptConfig) -> Result<Adapter> {
        let header = Header::parse_whole(weights).map_err(in_weights)?;
        let plan = Plan::new(config_json, &header, base)?;
        let mut tensors = Vec::with_capacity(plan.tensors.len());
        for tensor in &plan.tensors {
            // In range: parse_whole has compared every offset with the length of the file.
            let range = tensor.entry.map_or(0..0, |e| e.range.start as usize..e.range.end as usize);
            tensors.push(tensor.read(&weights[range])?);
        }
        Ok(Adapter { options: plan.options, tensors })
    }

    /// As [`Adapter::from_peft`], of weights in a file of `len` bytes that lies elsewhere: `read` gives any range of it. The
    /// header is checked against the base model first, so that nothing else of a file that does not fit is read.
    ///
    /// # Errors
    /// As [`Adapter::from_peft`], and what `read` fails with.
    pub async fn from_peft_file(
        config_json: &[u8],
        len: u64,
        mut read: impl AsyncFnMut(Range<u64>) -> Result<Vec<u8>>,
        base: &GptConfig,
    ) -> Result<Adapter> {
        let header = Header::parse_from(len, &mut read).await.map_err(in_weights)?;
        let plan = Plan::new(config_json, &header, base)?;
        let mut tensors = Vec::with_capacity(plan.tensors.len());
        for tensor in &plan.tensors {
            let bytes = match tensor.entry {
                Some(entry) => read(entry.range.clone()).await?,
                None => Vec::new(),
            };
            tensors.push(tensor.read(&bytes)?);
        }
        Ok(Adapter { options: plan.options, tensors })
    }
}

/// What an adapter's files hold for a base model, before any value is read.
struct Plan<'a> {
    options: LoraOptions,
    /// In the order of [`LoraOptions::specs`].
    tensors: Vec<Planned<'a>>,
}

/// One matrix that is to be read.
struct Planned<'a> {
    name: String,
    /// As in [`AdapterTensor`]: the file has it transposed.
    shape: [usize; 2],
    /// `None` where the adapter leaves the layer alone.
    entry: Option<&'a TensorEntry>,
}

impl<'a> Plan<'a> {
    fn new(config_json: &[u8], header: &'a Header, base: &GptConfig) -> Result<Plan<'a>> {
        let mut options = config_from_json(config_json)?;
        let mut found: BTreeMap<String, &TensorEntry> = BTreeMap::new();
        for entry in &header.entries {
            let Some(name) = native_name(&entry.name) else {
                return Err(error(message!(
                    "adapter.foreign_tensor",
                    "{file} holds the tensor {tensor}, which is no LoRA matrix of c_attn, attn.c_proj, c_fc \
                     or mlp.c_proj. Other layers, and weights trained beside LoRA, are not supported.",
                    file = WEIGHTS_FILE,
                    tensor = shown(&short(&entry.name))
                )));
            };
            if found.insert(name, entry).is_some() {
                return Err(error(message!(
                    "adapter.twice",
                    "{file} holds {tensor} twice.",
                    file = WEIGHTS_FILE,
                    tensor = shown(&short(&entry.name))
                )));
            }
        }
        // What target_modules means depends on PEFT's matching of names; the tensors say what it came to.
        let has = |target: &LoraTarget| found.keys().any(|name| name.contains(&format!(".{}.lora_", target.module())));
        options.targets = LoraTarget::ALL.into_iter().filter(has).collect();
        options
            .validate(base)
            .map_err(|e| error(message!("adapter.in_config", "adapter_config.json: {cause}.", cause = e.message())))?;

        let specs = options.specs(base);
        let mut tensors = Vec::with_capacity(specs.len());
        // A and B of a layer follow one another.
        for pair in specs.chunks(2) {
            let entries = [0, 1].map(|i| found.remove(&pair[i].name));
            let half = entries.iter().any(Option::is_some);
            for (spec, entry) in pair.iter().zip(entries) {
                let shape = [spec.shape[0], spec.shape[1]];
                match entry {
                    Some(entry) if entry.shape != [shape[1], shape[0]] => {
                        return Err(error(message!(
                            "adapter.shape",
                            "{tensor} has shape {shape}, but rank {rank} on this model needs {wanted}. Load the \
                             adapter beside the model it was trained on.",
                            tensor = shown(&short(&entry.name)),
                            shape = shown(&entry.shape),
                            rank = options.rank,
                            wanted = shown(&[shape[1], shape[0]])
                        )));
                    }
                    None if half => {
                        let name = peft_name(&spec.name);
                        return Err(error(message!(
                            "adapter.lacks",
                            "{file} has no {tensor}: it is incomplete.",
                            file = WEIGHTS_FILE,
                            tensor = shown(&name)
                        )));
                    }
                    entry => tensors.push(Planned { name: spec.name.clone(), shape, entry }),
                }
            }
        }
        match found.into_values().next() {
            Some(extra) => Err(error(message!(
                "adapter.block",
                "{tensor} belongs to a block that this model of {blocks} blocks does not have. Load the \
                 adapter beside the model it was trained on.",
                tensor = shown(&short(&extra.name)),
                blocks = base.n_layer
            ))),
            None => Ok(Plan { options, tensors }),
        }
    }
}

impl Planned<'_> {
    /// The matrix from its bytes in the file.
    fn read(&self, bytes: &[u8]) -> Result<AdapterTensor> {
        let [rows, columns] = self.shape;
        let data = match self.entry {
            Some(entry) => transpose(&decode(entry, bytes)?, [columns, rows]),
            None => vec![0.0; rows * columns],
        };
        Ok(AdapterTensor { name: self.name.clone(), shape: self.shape, data })
    }
}

/// `adapter_config.json`: what PEFT needs to rebuild the adapter; it fills in its own defaults for the rest.
pub fn config_to_json(options: &LoraOptions, base_model: Option<&str>) -> String {
    let number = |x: f64| if x.fract() == 0.0 && x < 1e15 { json!(x as u64) } else { json!(x) };
    let json = json!({
        "base_model_name_or_path": base_model,
        "bias": "none",
        "fan_in_fan_out": true,
        "inference_mode": true,
        "lora_alpha": number(options.alpha),
        "lora_dropout": options.dropout,
        "peft_type": "LORA",
        "r": options.rank,
        "target_modules": options.targets.iter().map(|t| t.name()).collect::<Vec<_>>(),
        "task_type": "CAUSAL_LM",
    });
    format!("{json:#}\n")
}

/// Rank, alpha and dropout from `adapter_config.json`; the targets are left empty, since the weights say them better.
/// `use_rslora` (Kalajdzievski 2023) divides alpha by the root of the rank: alpha is changed to what comes to the same.
///
/// # Errors
/// [`Error::Checkpoint`] if it is not LoRA, or a variant that computes something else.
pub fn config_from_json(bytes: &[u8]) -> Result<LoraOptions> {
    let map: Map<String, Value> = serde_json::from_slice(bytes).map_err(|e| {
        error(message!(
            "adapter.not_json",
            "{file} is not valid JSON ({cause}). Download it again.",
            file = CONFIG_FILE,
            cause = e
        ))
    })?;
    let get = |key: &str| map.get(key).filter(|v| !v.is_null());
    let kind = get("peft_type").and_then(Value::as_str).unwrap_or("");
    if kind != "LORA" {
        return Err(error(message!(
            "adapter.peft_type",
            "{file} has peft_type {value}; only \"LORA\" is supported.",
            file = CONFIG_FILE,
            value = shown(&short(kind))
        )));
    }
    let empty = |v: &Value| match v {
        Value::Bool(b) => !b,
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.is_empty(),
        Value::String(s) => s.is_empty() || s == "none",
        _ => false,
    };
    for key in [
        "use_dora",
        "use_qalora",
        "use_bdlora",
        "rank_pattern",
        "alpha_pattern",
        "bias",
        "lora_bias",
        "modules_to_save",
        "layer_replication",
        "target_parameters",
        "trainable_token_indices",
        "alora_invocation_tokens",
        "arrow_config",
        "kasa_config",
        "monteclora_config",
        "velora_config",
    ] {
        if let Some(value) = get(key).filter(|v| !empty(v)) {
            return Err(error(message!(
                "adapter.setting",
                "{file} sets {key} to {value}, which is not supported. Train or convert the adapter as \
                 plain LoRA.",
                file = CONFIG_FILE,
                key,
                value = short(&value.to_string())
            )));
        }
    }
    // These start from a changed base model, which the files do not hold.
    let init = get("init_lora_weights").and_then(Value::as_str).unwrap_or("").to_lowercase();
    if ["pissa", "olora", "corda", "loftq", "lora_ga"].iter().any(|name| init.starts_with(name)) {
        return Err(error(message!(
            "adapter.init",
            "{file} has init_lora_weights {value}, which changes the base model. Convert the adapter \
             to plain LoRA with PEFT (save_pretrained with path_initial_model_for_weight_conversion).",
            file = CONFIG_FILE,
            value = shown(&init)
        )));
    }
    let missing = |key: &str, what: Message| {
        error(message!(
            "adapter.no_key",
            "{file} has no {key} that is {wanted}.",
            file = CONFIG_FILE,
            key,
            wanted = what
        ))
    };
    let rank = get("r").and_then(Value::as_u64).filter(|r| (1..=1 << 14).contains(r));
    let rank = rank.ok_or_else(|| missing("r", message!("kind.positive", "a whole number from 1")))? as usize;
    let alpha = get("lora_alpha")
        .and_then(Value::as_f64)
        .ok_or_else(|| missing("lora_alpha", message!("kind.number", "a number")))?;
    let rslora = get("use_rslora").and_then(Value::as_bool).unwrap_or(false);
    let alpha = if rslora { alpha * (rank as f64).sqrt() } else { alpha };
    let dropout = get("lora_dropout").and_then(Value::as_f64).unwrap_or(0.0);
    Ok(LoraOptions { rank, alpha, dropout, targets: Vec::new() })
}

/// (rows, columns) to (columns, rows).
pub fn transpose(data: &[f32], [rows, columns]: [usize; 2]) -> Vec<f32> {
    if data.len() != rows * columns {
        // Left as it is, for the writer to refuse with the tensor's name.
        return data.to_vec();
    }
    (0..columns).flat_map(|j| (0..rows).map(move |i| data[i * columns + j])).collect()
}

fn decode(entry: &TensorEntry, bytes: &[u8]) -> Result<Vec<f32>> {
    let values: Vec<f32> = match entry.dtype {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
        Dtype::F16 => bytes.as_chunks().0.iter().map(|&b| half::f16::from_le_bytes(b).to_f32()).collect(),
        Dtype::BF16 => bytes.as_chunks().0.iter().map(|&b| half::bf16::from_le_bytes(b).to_f32()).collect(),
        Dtype::Other(ref other) => {
            return Err(error(message!(
                "adapter.dtype",
                "{tensor} has dtype {dtype}, not a float.",
                tensor = shown(&short(&entry.name)),
                dtype = short(other)
            )));
        }
    };
    match values.iter().find(|x| !x.is_finite()) {
        Some(x) => Err(error(message!(
            "adapter.not_finite",
            "{tensor} holds {value}: the adapter is damaged, or its training diverged.",
            tensor = shown(&short(&entry.name)),
            value = x
        ))),
        None => Ok(values),
    }
}

/// Names the weights' file in front of what is wrong with it.
fn in_weights(e: Error) -> Error {
    match e {
        Error::Checkpoint(e) => error(message!("adapter.in_weights", "adapter_model.safetensors: {cause}", cause = e)),
        other => other,
    }
}

fn error(message: Message) -> Error {
    Error::Checkpoint(message)
}

#[cfg(test)]
mod tests;
