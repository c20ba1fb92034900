//! The shape of a model: one struct describes every member of the family, and reads and writes HF `config.json`.
//!
//! GPT-2 (Radford et al. 2019) is the centre of the family. Around it: blocks that normalise after the residual add
//! (Vaswani et al. 2017), GELU by tanh or erf (Hendrycks & Gimpel 2016) or ReLU, any inner width, a head of its own, and
//! layers without biases (nanoGPT's `bias=False`).
//!
//! # Which configurations other programs can load
//! A configuration that HF `GPT2LMHeadModel` can express is written with `"model_type": "gpt2"` and loads there
//! unchanged: pre-LayerNorm, with biases, with a final LayerNorm and a head without bias, tied or not. Every other member
//! is *native only*. It is written with `"model_type": "gpt_playground"` and these extra keys, so that another program
//! refuses it instead of loading it and computing something else:
//!
//! | key | values | meaning |
//! |---|---|---|
//! | `norm_position` | `"pre"` (default), `"post"` | LayerNorm before each sublayer, or after each residual add |
//! | `bias` | `true` (default), `false` | biases in the linear layers of the blocks and in every LayerNorm |
//! | `lm_head_bias` | `false` (default), `true` | a bias on the logits |
//! | `final_layer_norm` | `true` (default), `false` | LayerNorm between the last block and the head |
//!
//! The keys are also understood beside `"model_type": "gpt2"`.

mod keys;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::message::{Message, message};
use keys::{Keys, activation, check_supported, quote};

/// The nonlinearity between the two linear layers of a block's MLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activation {
    /// GELU by its tanh approximation: HF `gelu_new` (also `gelu_pytorch_tanh`, `gelu_fast`).
    GeluTanh,
    /// GELU by the error function: HF `gelu`.
    GeluErf,
    /// `max(x, 0)`: HF `relu`.
    Relu,
}

/// Where a block normalises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NormPosition {
    /// `x + attn(ln_1(x))`, `x + mlp(ln_2(x))`: GPT-2.
    Pre,
    /// `ln_1(x + attn(x))`, `ln_2(x + mlp(x))`: the original transformer.
    Post,
}

/// Sizes and variants of one model. Obtained from [`GptConfig::from_json`] or [`GptConfig::new`]; [`GptConfig::validate`]
/// holds for what `from_json` returns.
#[derive(Debug, Clone, PartialEq)]
pub struct GptConfig {
    /// Number of token ids, rows of `wte`.
    pub vocab_size: usize,
    /// Longest sequence in tokens, rows of `wpe` (HF `n_positions`).
    pub n_ctx: usize,
    /// Width of the residual stream.
    pub n_embd: usize,
    /// Attention heads per layer; divides `n_embd`.
    pub n_head: usize,
    /// Number of blocks.
    pub n_layer: usize,
    /// Width inside the MLP (HF `n_inner`; its `null` is resolved to `4 * n_embd`).
    pub n_inner: usize,
    /// Nonlinearity of the MLP.
    pub activation: Activation,
    /// LayerNorm before the sublayers or after the residual adds.
    pub norm: NormPosition,
    /// Added to the variance in every LayerNorm.
    pub layer_norm_epsilon: f32,
    /// The head uses `wte` (GPT-2) instead of a matrix of its own, `lm_head.weight`.
    pub tie_word_embeddings: bool,
    /// Linear layers of the blocks, and LayerNorms, have biases.
    pub bias: bool,
    /// The logits have a bias, `lm_head.bias`.
    pub lm_head_bias: bool,
    /// There is a LayerNorm, `ln_f`, between the last block and the head.
    pub final_layer_norm: bool,
    /// Token that opens a document.
    pub bos_token_id: Option<u32>,
    /// Token that closes a document: generation stops at it.
    pub eos_token_id: Option<u32>,
}

/// `model_type` of the configurations that HF GPT-2 cannot express.
const NATIVE_MODEL_TYPE: &str = "gpt_playground";

/// Upper limits, generous for anything a browser can run. A product of two of them, or a tensor's bytes, may pass the 32-bit
/// `usize` of wasm: such sums are made in `u64`.
const MAX_VOCAB: usize = 1 << 20;
const MAX_CTX: usize = 1 << 17;
const MAX_EMBD: usize = 1 << 14;
const MAX_INNER: usize = 1 << 17;
const MAX_LAYER: usize = 1 << 9;
/// Numbers in a matrix of a block, and in a block's keys and values: 128 MiB, what a WebGPU device lets a kernel see of a
/// buffer. Embedding and head, which may be larger, are computed in pieces.
const MAX_MATRIX: u64 = 1 << 25;
/// Room for GPT-2 XL (1.56e9); a count that also fits the 32-bit `usize` of wasm.
const MAX_PARAMS: u64 = 1 << 31;

impl GptConfig {
    /// A GPT-2 of the given sizes: pre-LayerNorm, tanh GELU, inner width `4 * n_embd`, tied head, biases, no special ids.
    /// The sizes are not checked; call [`GptConfig::validate`].
    pub fn new(vocab_size: usize, n_ctx: usize, n_embd: usize, n_head: usize, n_layer: usize) -> GptConfig {
        GptConfig {
            vocab_size,
            n_ctx,
            n_embd,
            n_head,
            n_layer,
            n_inner: n_embd.saturating_mul(4),
            activation: Activation::GeluTanh,
            norm: NormPosition::Pre,
            layer_norm_epsilon: 1e-5,
            tie_word_embeddings: true,
            bias: true,
            lm_head_bias: false,
            final_layer_norm: true,
            bos_token_id: None,
            eos_token_id: None,
        }
    }

    /// Reads a HF `config.json` (or one written by [`GptConfig::to_json`]).
    ///
    /// Keys that change nothing here (dropout, summary head, dtype, `reorder_and_upcast_attn`, which only concerns mixed
    /// precision) are ignored. A special token outside the vocabulary, such as the library's default 50256 in a small
    /// model, is read as absent.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key if the JSON is malformed, a size is missing, mistyped or beyond [`validate`]'s
    /// limits, or the model is of a kind that is not supported.
    ///
    /// [`validate`]: GptConfig::validate
    pub fn from_json(bytes: &[u8]) -> Result<GptConfig> {
        let value: Value = serde_json::from_slice(bytes).map_err(|e| {
            config_error(message!(
                "config.not_json",
                "config.json is not valid JSON ({cause}). Download it again, or use the config.json that \
                 came with the weights.",
                cause = e
            ))
        })?;
        let Value::Object(map) = value else {
            return Err(config_error(message!(
                "config.not_an_object",
                "config.json must hold one JSON object, such as {example}.",
                example = "{\"model_type\": \"gpt2\", ...}"
            )));
        };
        let keys = Keys(&map);
        check_supported(&keys)?;

        let vocab_size = keys.size(&["vocab_size"])?;
        let n_embd = keys.size(&["n_embd", "hidden_size"])?;
        let config = GptConfig {
            vocab_size,
            n_ctx: keys.size(&["n_positions", "max_position_embeddings", "n_ctx"])?,
            n_embd,
            n_head: keys.size(&["n_head", "num_attention_heads"])?,
            n_layer: keys.size(&["n_layer", "num_hidden_layers"])?,
            n_inner: match keys.get("n_inner") {
                None => n_embd.saturating_mul(4),
                Some(_) => keys.size(&["n_inner"])?,
            },
            activation: activation(keys.text("activation_function", "gelu_new")?)?,
            norm: match keys.text("norm_position", "pre")? {
                "pre" => NormPosition::Pre,
                "post" => NormPosition::Post,
                other => {
                    return Err(config_error(message!(
                        "config.norm_position",
                        "config.json: norm_position is {value}; use \"pre\" (GPT-2) or \"post\".",
                        value = quote(other)
                    )));
                }
            },
            layer_norm_epsilon: keys.number("layer_norm_epsilon", 1e-5)? as f32,
            tie_word_embeddings: keys.flag("tie_word_embeddings", true)?,
            bias: keys.flag("bias", true)?,
            lm_head_bias: keys.flag("lm_head_bias", false)?,
            final_layer_norm: keys.flag("final_layer_norm", true)?,
            bos_token_id: keys.token_id("bos_token_id", vocab_size)?,
            eos_token_id: keys.token_id("eos_token_id", vocab_size)?,
        };
        config.validate()?;
        Ok(config)
    }

    /// The configuration as `config.json`. `transformers` loads it unchanged where [`GptConfig::hf_compatible`] says so.
    pub fn to_json(&self) -> String {
        let hf = self.hf_compatible().is_ok();
        let mut map = json!({
            "activation_function": match self.activation {
                Activation::GeluTanh => "gelu_new",
                Activation::GeluErf => "gelu",
                Activation::Relu => "relu",
            },
            "add_cross_attention": false,
            "attn_pdrop": 0.0,
            "bos_token_id": self.bos_token_id,
            "dtype": "float32",
            "embd_pdrop": 0.0,
            "eos_token_id": self.eos_token_id,
            "initializer_range": 0.02,
            // By way of the shortest decimal, so that 1e-5 does not become 0.000009999999747378752.
            "layer_norm_epsilon": self.layer_norm_epsilon.to_string().parse::<f64>().unwrap_or(1e-5),
            "model_type": if hf { "gpt2" } else { NATIVE_MODEL_TYPE },
            "n_embd": self.n_embd,
            "n_head": self.n_head,
            "n_inner": self.n_inner,
            "n_layer": self.n_layer,
            "n_positions": self.n_ctx,
            "reorder_and_upcast_attn": false,
            "resid_pdrop": 0.0,
            "scale_attn_by_inverse_layer_idx": false,
            "scale_attn_weights": true,
            "tie_word_embeddings": self.tie_word_embeddings,
            "vocab_size": self.vocab_size,
        });
        if hf {
            map["architectures"] = json!(["GPT2LMHeadModel"]);
        } else {
            map["bias"] = json!(self.bias);
            map["final_layer_norm"] = json!(self.final_layer_norm);
            map["lm_head_bias"] = json!(self.lm_head_bias);
            map["norm_position"] = json!(match self.norm {
                NormPosition::Pre => "pre",
                NormPosition::Post => "post",
            });
        }
        format!("{map:#}\n")
    }

    /// Whether HF `GPT2LMHeadModel` can express this configuration; if not, the reason, for the person who exports.
    pub fn hf_compatible(&self) -> std::result::Result<(), String> {
        let reason = if self.norm == NormPosition::Post {
            "it normalises after the residual add (norm_position \"post\")"
        } else if !self.bias {
            "its layers have no biases (bias false)"
        } else if self.lm_head_bias {
            "its head has a bias (lm_head_bias true)"
        } else if !self.final_layer_norm {
            "it has no final LayerNorm (final_layer_norm false)"
        } else {
            return Ok(());
        };
        Err(format!("Hugging Face's GPT-2 cannot express this model: {reason}. It can be saved and loaded here only."))
    }

    /// Checks that every size is positive and within limits, that no matrix of a block is larger than a device computes with,
    /// that `n_head` divides `n_embd`, and that the special ids are in the vocabulary.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key.
    pub fn validate(&self) -> Result<()> {
        for (name, value, limit) in [
            (Message::uncoded("vocab_size"), self.vocab_size, MAX_VOCAB),
            (message!("config.n_positions", "n_positions (context length)"), self.n_ctx, MAX_CTX),
            (Message::uncoded("n_embd"), self.n_embd, MAX_EMBD),
            (Message::uncoded("n_head"), self.n_head, MAX_EMBD),
            (Message::uncoded("n_layer"), self.n_layer, MAX_LAYER),
            (Message::uncoded("n_inner"), self.n_inner, MAX_INNER),
        ] {
            if value == 0 || value > limit {
                return Err(config_error(message!(
                    "config.size",
                    "The model's {key} is {value}; it must be between 1 and {most}. Check config.json.",
                    key = name,
                    value,
                    most = limit
                )));
            }
        }
        if !self.n_embd.is_multiple_of(self.n_head) {
            return Err(config_error(message!(
                "config.heads",
                "The model's n_embd ({n_embd}) is not divisible by its n_head ({n_head}). Check \
                 config.json.",
                n_embd = self.n_embd,
                n_head = self.n_head
            )));
        }
        if !(self.layer_norm_epsilon > 0.0 && self.layer_norm_epsilon < 1.0) {
            return Err(config_error(message!(
                "config.epsilon",
                "The model's layer_norm_epsilon is {value}; it must be above 0 and below 1 (GPT-2 uses \
                 1e-5).",
                value = self.layer_norm_epsilon
            )));
        }
        for (name, id) in [("bos_token_id", self.bos_token_id), ("eos_token_id", self.eos_token_id)] {
            if let Some(id) = id.filter(|&id| id as usize >= self.vocab_size) {
                return Err(config_error(message!(
                    "config.token_id",
                    "The model's {key} is {id}, outside its vocabulary of {vocabulary}. Check config.json.",
                    key = name,
                    id,
                    vocabulary = self.vocab_size
                )));
            }
        }
        for (name, rows, columns) in [
            (message!("config.c_attn", "attention weight (c_attn)"), self.n_embd, 3 * self.n_embd),
            (message!("config.c_fc", "MLP weight (c_fc)"), self.n_embd, self.n_inner),
            (message!("config.kv_cache", "cache of keys and values"), 2 * self.n_ctx, self.n_embd),
        ] {
            if rows as u64 * columns as u64 > MAX_MATRIX {
                return Err(config_error(message!(
                    "config.matrix",
                    "The model's {what} would have {rows} x {columns} numbers, more than the {most} that one \
                     matrix may have. Choose a narrower model or a shorter context.",
                    what = name,
                    rows,
                    columns,
                    most = MAX_MATRIX
                )));
            }
        }
        if self.count_params() > MAX_PARAMS {
            return Err(config_error(message!(
                "config.too_many_parameters",
                "The model has {parameters} parameters; at most {most} are supported. Choose a smaller \
                 model.",
                parameters = self.count_params(),
                most = MAX_PARAMS
            )));
        }
        Ok(())
    }

    /// Width of one attention head. `n_head` must not be zero.
    pub fn head_dim(&self) -> usize {
        self.n_embd / self.n_head
    }

    /// Number of parameters; a tied head counts once. Equals the sum over [`param_specs`](crate::model::params::param_specs).
    pub fn n_params(&self) -> usize {
        self.count_params() as usize
    }

    /// In `u64`, where the limits of `validate` keep every product below 2^52.
    fn count_params(&self) -> u64 {
        let [v, t, c, f, l] = [self.vocab_size, self.n_ctx, self.n_embd, self.n_inner, self.n_layer].map(|x| x as u64);
        let bias = u64::from(self.bias);
        let layer_norm = c + bias * c;
        let block = 2 * layer_norm + 4 * c * c + 2 * c * f + bias * (5 * c + f);
        let head = u64::from(!self.tie_word_embeddings) * v * c + u64::from(self.lm_head_bias) * v;
        v * c + t * c + l * block + u64::from(self.final_layer_norm) * layer_norm + head
    }
}

fn config_error(message: Message) -> Error {
    Error::Config(message)
}
