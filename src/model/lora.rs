//! Low-rank adapters (Hu et al. 2021, "LoRA"): which layers have one, and their parameters.

use super::params::{Init, ParamSpec};
use crate::config::GptConfig;
use crate::error::{Error, Result};
use crate::message::{Message, message};
use serde::{Deserialize, Serialize};

/// Which of a block's four linear layers LoRA adapts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LoraTarget {
    /// Queries, keys and values.
    #[serde(rename = "c_attn")]
    AttnIn,
    /// The output of attention.
    #[serde(rename = "attn.c_proj")]
    AttnOut,
    /// The first layer of the MLP.
    #[serde(rename = "c_fc")]
    MlpIn,
    /// The second layer of the MLP.
    #[serde(rename = "mlp.c_proj")]
    MlpOut,
}

impl LoraTarget {
    /// All four, in the order of the computation.
    pub const ALL: [LoraTarget; 4] = [Self::AttnIn, Self::AttnOut, Self::MlpIn, Self::MlpOut];

    /// The name by which PEFT and the command line choose it: `c_attn`, `attn.c_proj`, `c_fc`, `mlp.c_proj`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AttnIn => "c_attn",
            Self::AttnOut => "attn.c_proj",
            Self::MlpIn => "c_fc",
            Self::MlpOut => "mlp.c_proj",
        }
    }

    /// The module's name within its block: `attn.c_attn`, `attn.c_proj`, `mlp.c_fc`, `mlp.c_proj`.
    pub fn module(self) -> &'static str {
        match self {
            Self::AttnIn => "attn.c_attn",
            Self::AttnOut => "attn.c_proj",
            Self::MlpIn => "mlp.c_fc",
            Self::MlpOut => "mlp.c_proj",
        }
    }

    /// Width of the layer's input and of its output.
    pub fn widths(self, config: &GptConfig) -> (usize, usize) {
        let (c, inner) = (config.n_embd, config.n_inner);
        match self {
            Self::AttnIn => (c, 3 * c),
            Self::AttnOut => (c, c),
            Self::MlpIn => (c, inner),
            Self::MlpOut => (inner, c),
        }
    }

    /// From [`LoraTarget::name`] or [`LoraTarget::module`].
    ///
    /// # Errors
    /// [`Error::Input`] that lists the names.
    pub fn parse(name: &str) -> Result<LoraTarget> {
        Self::ALL.into_iter().find(|t| t.name() == name || t.module() == name).ok_or_else(|| {
            Error::Input(Message::uncoded(format!(
                "LoRA cannot adapt '{name}'; choose among c_attn, attn.c_proj, c_fc and mlp.c_proj{}",
                if name == "c_proj" { " (there are two c_proj: say which)" } else { "" }
            )))
        })
    }
}

/// Low-rank adapters (Hu et al. 2021): the frozen `x W` of a layer becomes `x W + alpha / rank * (x A) B`, with `A`
/// (in, rank) and `B` (rank, out) trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoraOptions {
    /// Inner width of the adapters.
    pub rank: usize,
    /// Strength: the adapters' output is multiplied by `alpha / rank`.
    pub alpha: f64,
    /// Probability with which an element of an adapter's input is dropped in training.
    pub dropout: f64,
    /// The layers adapted, in every block.
    pub targets: Vec<LoraTarget>,
}

impl Default for LoraOptions {
    fn default() -> Self {
        Self { rank: 8, alpha: 16.0, dropout: 0.0, targets: LoraTarget::ALL.to_vec() }
    }
}

impl LoraOptions {
    /// `alpha / rank`, by which the adapters' output is multiplied.
    pub fn scale(&self) -> f32 {
        (self.alpha / self.rank as f64) as f32
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Input`] naming the option and its range.
    pub fn validate(&self, config: &GptConfig) -> Result<()> {
        let limit = config.n_embd;
        if !(1..=limit).contains(&self.rank) {
            let rank = self.rank;
            return Err(Error::Input(message!(
                "lora.rank",
                "LoRA rank is {value}; choose one from 1 to {most}, the width of the model; 4 to 16 is \
                 usual",
                value = rank,
                most = limit
            )));
        }
        if !(self.alpha > 0.0 && self.alpha <= 1e4) {
            let alpha = self.alpha;
            return Err(Error::Input(message!(
                "lora.alpha",
                "LoRA alpha is {value}; choose a number above 0 and at most 10000; twice the rank is \
                 usual",
                value = alpha
            )));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            let dropout = self.dropout;
            return Err(Error::Input(message!(
                "lora.dropout",
                "LoRA dropout is {value}; choose a number from 0 (off) to below 1",
                value = dropout
            )));
        }
        if self.targets.is_empty() {
            return Err(Error::Input(message!(
                "lora.no_layers",
                "LoRA has no layer to adapt; choose at least one of c_attn, attn.c_proj, c_fc and \
                 mlp.c_proj"
            )));
        }
        let mut targets = self.targets.clone();
        targets.sort_unstable();
        match targets.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::Input(message!(
                "lora.layer_twice",
                "LoRA lists {layer} twice; name each layer once",
                layer = pair[0].name()
            ))),
            None => Ok(()),
        }
    }
}

/// The input by which adapters' output is multiplied when the model writes: a (1) tensor, `alpha / rank` times the strength.
pub(super) const WRITING_SCALE: &str = "lora_scale";
/// The same while it learns and validates: `alpha / rank`.
pub(super) const TRAINING_SCALE: &str = "lora_scale:training";

/// Name of a layer's A `(in, r)`, in the orientation of `x · A`.
pub fn lora_a(layer: &str) -> String {
    format!("{layer}.lora_A")
}

/// Name of a layer's B `(r, out)`.
pub fn lora_b(layer: &str) -> String {
    format!("{layer}.lora_B")
}

impl LoraOptions {
    /// Whether the layer `h.N.attn.c_attn` (say) has an adapter.
    pub fn covers(&self, layer: &str) -> bool {
        let name = layer.strip_prefix("h.").and_then(|rest| rest.split_once('.')).map(|(_, name)| name);
        self.targets.iter().any(|t| Some(t.module()) == name)
    }

    /// The adapters' parameters, A before B for each layer. A starts normal with the deviation of PEFT's uniform (PyTorch's
    /// Kaiming rule with a = √5: 1/√(3 in)); B starts at 0, so that the adapter begins by changing nothing.
    pub fn specs(&self, config: &GptConfig) -> Vec<ParamSpec> {
        let mut specs = Vec::new();
        for i in 0..config.n_layer {
            for target in LoraTarget::ALL.into_iter().filter(|t| self.targets.contains(t)) {
                let layer = format!("h.{i}.{}", target.module());
                let (inputs, outputs) = target.widths(config);
                let init = Init::Normal { std: 1.0 / (3.0 * inputs as f32).sqrt() };
                specs.push(ParamSpec { name: lora_a(&layer), shape: vec![inputs, self.rank], init, decay: true });
                let shape = vec![self.rank, outputs];
                specs.push(ParamSpec { name: lora_b(&layer), shape, init: Init::Zeros, decay: true });
            }
        }
        specs
    }
}
