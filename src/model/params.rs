//! The one table of a model's parameters: name, shape, initialisation and weight decay.
//!
//! Loading, saving, initialising, the graph and the optimiser all read it, so that a parameter is described once.

use crate::config::GptConfig;

/// How a parameter starts when a model is trained from scratch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// All 0: biases.
    Zeros,
    /// All 1: LayerNorm weights.
    Ones,
    /// Normal with mean 0: embeddings and linear layers.
    Normal {
        /// Standard deviation.
        std: f32,
    },
}

/// One parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct ParamSpec {
    /// HF GPT-2 name without `transformer.`: `h.0.attn.c_attn.weight`, `lm_head.weight`.
    pub name: String,
    /// Row-major shape. Linear layers of the blocks are `(in, out)` (HF `Conv1D`), embeddings and the head `(vocab, C)`.
    pub shape: Vec<usize>,
    /// Starting value.
    pub init: Init,
    /// AdamW decays it: every tensor of two dimensions, embeddings included (nanoGPT).
    pub decay: bool,
}

impl ParamSpec {
    /// Number of elements.
    pub fn numel(&self) -> usize {
        self.shape.iter().product()
    }
}

/// GPT-2's standard deviation (HF `initializer_range`).
const INIT_STD: f32 = 0.02;

/// Every parameter of a model, in the order of the computation: `wte`, `wpe`, for each layer `ln_1`, `attn.c_attn`,
/// `attn.c_proj`, `ln_2`, `mlp.c_fc`, `mlp.c_proj`, then `ln_f`, `lm_head`; each weight before its bias. Parameters the
/// configuration does not have are left out (`lm_head.weight` when the head is tied).
///
/// Initialisation follows GPT-2 as nanoGPT does it: normal with std 0.02, and 0.02 / sqrt(2 n_layer) for the projections
/// that write to the residual stream.
pub fn param_specs(config: &GptConfig) -> Vec<ParamSpec> {
    let (vocab, c, inner) = (config.vocab_size, config.n_embd, config.n_inner);
    let normal = Init::Normal { std: INIT_STD };
    let residual = Init::Normal { std: INIT_STD / (2.0 * config.n_layer as f32).sqrt() };
    let mut table = Table { specs: Vec::new(), bias: config.bias };

    table.add("wte.weight", &[vocab, c], normal);
    table.add("wpe.weight", &[config.n_ctx, c], normal);
    for i in 0..config.n_layer {
        table.layer_norm(&format!("h.{i}.ln_1"), c);
        table.linear(&format!("h.{i}.attn.c_attn"), c, 3 * c, normal);
        table.linear(&format!("h.{i}.attn.c_proj"), c, c, residual);
        table.layer_norm(&format!("h.{i}.ln_2"), c);
        table.linear(&format!("h.{i}.mlp.c_fc"), c, inner, normal);
        table.linear(&format!("h.{i}.mlp.c_proj"), inner, c, residual);
    }
    if config.final_layer_norm {
        table.layer_norm("ln_f", c);
    }
    if !config.tie_word_embeddings {
        table.add("lm_head.weight", &[vocab, c], normal);
    }
    if config.lm_head_bias {
        table.add("lm_head.bias", &[vocab], Init::Zeros);
    }
    table.specs
}

struct Table {
    specs: Vec<ParamSpec>,
    bias: bool,
}

impl Table {
    fn add(&mut self, name: &str, shape: &[usize], init: Init) {
        self.specs.push(ParamSpec { name: name.into(), shape: shape.into(), init, decay: shape.len() == 2 });
    }

    fn layer_norm(&mut self, name: &str, width: usize) {
        self.add(&format!("{name}.weight"), &[width], Init::Ones);
        if self.bias {
            self.add(&format!("{name}.bias"), &[width], Init::Zeros);
        }
    }

    fn linear(&mut self, name: &str, n_in: usize, n_out: usize, init: Init) {
        self.add(&format!("{name}.weight"), &[n_in, n_out], init);
        if self.bias {
            self.add(&format!("{name}.bias"), &[n_out], Init::Zeros);
        }
    }
}
