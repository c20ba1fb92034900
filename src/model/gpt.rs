//! From a configuration to a graph, one per plan kind.
//!
//! The blocks are GPT-2's (Radford et al. 2019), or the original transformer's where the LayerNorm comes after the
//! residual add (Vaswani et al. 2017). What changes from run to run (ids, position, valid length) is an input, so that
//! one plan serves every run of its kind.

use super::lora::{LoraOptions, TRAINING_SCALE, WRITING_SCALE, lora_a, lora_b};
use crate::config::{GptConfig, NormPosition};
use crate::error::Result;
use crate::graph::{Graph, Layout, Meta, TensorId, split_rows};
use crate::ops::{
    ActivationOp, Add, Attention, AttentionProbs, CausalAttention, Columns, Dropout, DropoutMask, Embedding, Gate,
    KvAppend, LayerNorm, MatMul, PositionEmbedding, Product, STEP_IDS, Sample, ScaledAdd, Score, StoreRows, TakeRows,
    TopK, control, settings,
};
use std::sync::Arc;

/// The closed list of plan kinds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GptPlan {
    /// Fills the KV cache from `rows` ids of the input `step` = `[pos0, n, ids…]`; no head, since the last token of a
    /// prompt goes through [`GptPlan::Decode`].
    Prefill {
        /// Most ids per run.
        rows: usize,
    },
    /// One token: reads the state `control`, runs the model, samples with the input `settings`, advances `control` and
    /// the state `history`.
    Decode,
    /// Scores the input `view:targets` over the views' cache; captures `scores` `(rows, 4)` (see [`Score`]).
    Score {
        /// Most ids per run.
        rows: usize,
    },
    /// [`GptPlan::Score`] for the views: also captures `top.ids` and `top.logits` (see [`TopK`]), and keeps queries and the
    /// residual stream of all positions in states.
    View {
        /// Most ids per run.
        rows: usize,
    },
    /// Attention probabilities of a layer, from what [`GptPlan::View`] kept: captures `probs`. See [`AttentionProbs`].
    Attend {
        /// The layer.
        layer: usize,
        /// Queries per run.
        rows: usize,
        /// Groups of keys.
        cells: usize,
        /// All heads, each for itself; else the head is an input.
        all_heads: bool,
    },
    /// The logit lens on a level of the residual stream that [`GptPlan::View`] kept: final LayerNorm and head; captures
    /// `scores`, `top.ids` and `top.logits`.
    Lens {
        /// 0 is the embedding, `l` the output of block `l - 1`.
        level: usize,
        /// Positions per run.
        rows: usize,
    },
    /// A batch through the model and, with `step`, back: see [`TrainShape`].
    Train(TrainShape),
    /// The forward pass over the views' cache, keeping what the host wants to look at.
    Probe {
        /// Most ids per run.
        rows: usize,
        /// Names of the tensors to keep: `logits`, `h.0` (a block's output), `h.0.attn.qkv`, `h.0.attn.out`, … For
        /// `h.0.attn.probs` the head is the input `pick`.
        captures: Vec<String>,
    },
}

/// A training pass over `batch` sequences of `seq` tokens: inputs `batch` = `[0, B T, ids…]`, `targets` `(B T)` and
/// `hyper`; adds the loss to the state `metrics`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TrainShape {
    /// Sequences, B.
    pub batch: usize,
    /// Tokens of each, T.
    pub seq: usize,
    /// What is trained.
    pub pass: Pass,
    /// Dropout probability after the embedding, on attention's probabilities and after each sublayer, as an f32's bits.
    pub dropout: u32,
}

/// How much of a training step a pass does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pass {
    /// The loss alone: evaluation.
    Loss,
    /// Loss and gradients, added to those there are: a micro-batch.
    Gradients,
    /// Gradients, then clipping and AdamW.
    Update,
}

impl GptPlan {
    /// Name for messages and GPU labels.
    pub fn name(&self) -> String {
        match self {
            Self::Prefill { rows } => format!("prefill({rows})"),
            Self::Decode => "decode".into(),
            Self::Score { rows } => format!("score({rows})"),
            Self::Train(t) => format!("train({}, {}, {:?})", t.batch, t.seq, t.pass),
            Self::View { rows } => format!("view({rows})"),
            Self::Attend { layer, rows, cells, .. } => format!("attend({layer}, {rows}, {cells})"),
            Self::Lens { level, rows } => format!("lens({level}, {rows})"),
            Self::Probe { rows, .. } => format!("probe({rows})"),
        }
    }
}

/// Likeliest tokens that views are told of each position, where the vocabulary has as many.
pub(crate) const TOP: usize = 10;

/// Name of the input with the tokens that views and scores ask about.
pub(crate) fn targets_input(rows: usize) -> String {
    format!("view:targets({rows})")
}

/// Name of the state that holds level `level` of the residual stream for the views.
fn level_state(level: usize) -> String {
    format!("view:level.{level}")
}

/// What of a model besides its configuration decides its graphs.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// Sizes and variants.
    pub config: &'a GptConfig,
    /// Low-rank adapters beside linear layers.
    pub lora: Option<&'a LoraOptions>,
    /// Where weights live: how large ones are cut, and what is trained.
    pub layout: &'a Layout,
    /// Whether heads and MLPs pass through the input `gates`, `n_layer` rows of `[head 0, …, head H - 1, MLP]`: 1 leaves one
    /// as it is, 0 switches it off. Training has no gates.
    pub gated: bool,
}

/// The key-value cache that a plan reads and fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cache {
    /// The text that is being written.
    Writing,
    /// The views', so that looking at a text never changes what is written.
    View,
}

/// Builds the graph of a plan kind.
///
/// # Errors
/// [`Error::Graph`](crate::error::Error::Graph) when shapes do not fit or a capture names no tensor.
pub fn build(parts: Parts<'_>, plan: &GptPlan) -> Result<Graph> {
    let Parts { config, lora, layout, gated } = parts;
    let cache = match plan {
        GptPlan::Prefill { .. } | GptPlan::Decode | GptPlan::Train(_) => Cache::Writing,
        _ => Cache::View,
    };
    let mut b = Builder { config, lora, layout, gated, cache, keeps: false, graph: Graph::new(), sequence: None };
    match plan {
        #[cfg(feature = "train")]
        GptPlan::Train(shape) => return super::train_graph::build(b, shape),
        #[cfg(not(feature = "train"))]
        GptPlan::Train(_) => {
            return Err(crate::error::Error::Graph(crate::message::message!(
                "training.not_built",
                "this build of the engine cannot train"
            )));
        }
        GptPlan::Prefill { rows } => {
            let step = b.step(*rows);
            b.blocks(step, *rows, &[])?;
        }
        GptPlan::Decode => {
            let step = b.graph.state("control", Meta::u32(&[control::WORDS]));
            let settings = b.graph.input("settings", Meta::u32(&[settings::WORDS]));
            let history = b.graph.state("history", Meta::u32(&[config.n_ctx]));
            let x = b.blocks(step, 1, &[])?;
            let logits = b.head(x, 1)?;
            b.graph.apply(
                &["control.next", "history.next", "adjusted"],
                Arc::new(Sample),
                &[logits, settings, step, history],
            )?;
        }
        GptPlan::Score { rows } => {
            let step = b.step(*rows);
            let targets = b.graph.input(&targets_input(*rows), Meta::u32(&[*rows]));
            let x = b.blocks(step, *rows, &[])?;
            let logits = b.head(x, *rows)?;
            b.graph.apply1("scores", Score, &[logits, targets])?;
            b.graph.capture("scores")?;
        }
        GptPlan::View { rows } => {
            let step = b.step(*rows);
            b.keeps = true;
            let x = b.blocks(step, *rows, &[])?;
            let logits = b.head(x, *rows)?;
            b.figures(logits, *rows)?;
        }
        GptPlan::Attend { layer, rows, cells, all_heads } => {
            let step = b.graph.input("view:step", Meta::u32(&[STEP_IDS]));
            let (q, cache) = (b.queries(*layer), b.cache(*layer));
            let pick = b.graph.input("pick", Meta::u32(&[2]));
            let op = AttentionProbs { rows: *rows, cells: *cells, all_heads: *all_heads };
            b.graph.apply1("probs", op, &[q, cache, step, pick])?;
            b.graph.capture("probs")?;
        }
        GptPlan::Lens { level, rows } => {
            let step = b.graph.input("view:step", Meta::u32(&[STEP_IDS]));
            let kept = b.level(*level);
            let x = b.graph.apply1("lens", TakeRows { rows: *rows }, &[kept, step])?;
            let logits = b.head(x, *rows)?;
            b.figures(logits, *rows)?;
        }
        GptPlan::Probe { rows, captures } => {
            let step = b.step(*rows);
            let x = b.blocks(step, *rows, captures)?;
            b.head(x, *rows)?;
            for name in captures {
                b.graph.capture(name)?;
            }
        }
    }
    Ok(b.graph)
}

/// Whole sequences without a cache, as in training.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sequence {
    /// Tokens of each sequence.
    pub seq: usize,
    /// Dropout probability; 0 is off.
    pub dropout: f32,
    /// The input that seeds dropout.
    pub hyper: TensorId,
}

/// Builds the parts that all plan kinds share.
pub(super) struct Builder<'a> {
    pub config: &'a GptConfig,
    pub lora: Option<&'a LoraOptions>,
    pub layout: &'a Layout,
    pub gated: bool,
    pub cache: Cache,
    /// Whether queries and the residual stream are kept for the views.
    pub keeps: bool,
    pub graph: Graph,
    /// `None` where keys and values go through the cache.
    pub sequence: Option<Sequence>,
}

impl Builder<'_> {
    fn step(&mut self, rows: usize) -> TensorId {
        self.graph.input(&format!("step({rows})"), Meta::u32(&[STEP_IDS + rows]))
    }

    /// Embeddings and all blocks: the residual stream `(rows, C)` before the final LayerNorm.
    pub(super) fn blocks(&mut self, step: TensorId, rows: usize, captures: &[String]) -> Result<TensorId> {
        let mut x = self.embed(step, rows)?;
        self.keep_level(0, x, step)?;
        for layer in 0..self.config.n_layer {
            x = self.block(layer, x, step, captures)?;
            self.keep_level(layer + 1, x, step)?;
        }
        Ok(x)
    }

    /// Keeps the residual stream for the views, where the plan does that.
    fn keep_level(&mut self, level: usize, x: TensorId, step: TensorId) -> Result<()> {
        if self.keeps {
            let kept = self.level(level);
            self.graph.apply1(&format!("{}.next", level_state(level)), StoreRows { start: 0 }, &[kept, x, step])?;
        }
        Ok(())
    }

    /// The state with level `level` of the residual stream, `(n_ctx, C)`.
    fn level(&mut self, level: usize) -> TensorId {
        self.graph.state(&level_state(level), Meta::f32(&[self.config.n_ctx, self.config.n_embd]))
    }

    /// The state with a layer's queries, `(n_ctx, C)`.
    fn queries(&mut self, layer: usize) -> TensorId {
        self.graph.state(&format!("view:h.{layer}.attn.q"), Meta::f32(&[self.config.n_ctx, self.config.n_embd]))
    }

    /// The state with a layer's keys and values, `(2, H, n_ctx, D)`.
    fn cache(&mut self, layer: usize) -> TensorId {
        let GptConfig { n_embd, n_head, n_ctx, .. } = *self.config;
        let name = match self.cache {
            Cache::Writing => format!("h.{layer}.attn.cache"),
            Cache::View => format!("view:h.{layer}.attn.cache"),
        };
        self.graph.state(&name, Meta::f32(&[2, n_head, n_ctx, n_embd / n_head]))
    }

    /// Scores and likeliest tokens of logits, captured.
    fn figures(&mut self, logits: TensorId, rows: usize) -> Result<()> {
        let targets = self.graph.input(&targets_input(rows), Meta::u32(&[rows]));
        self.graph.apply1("scores", Score, &[logits, targets])?;
        let top = TopK { k: TOP.min(self.config.vocab_size) };
        self.graph.apply(&["top.ids", "top.logits"], Arc::new(top), &[logits])?;
        ["scores", "top.ids", "top.logits"].into_iter().try_for_each(|name| self.graph.capture(name).map(|_| ()))
    }

    /// Lets `groups` groups of columns pass through their gates, where the plan has gates. `unit` is the first group's place
    /// in its layer's row of gates.
    fn gate(&mut self, name: &str, x: TensorId, layer: usize, unit: usize, groups: usize) -> Result<TensorId> {
        if !self.gated || self.sequence.is_some() {
            return Ok(x);
        }
        let GptConfig { n_layer, n_head, .. } = *self.config;
        let gates = self.graph.input("gates", Meta::f32(&[n_layer, n_head + 1]));
        self.graph.apply1(name, Gate { first: layer * (n_head + 1) + unit, groups }, &[x, gates])
    }

    fn embed(&mut self, step: TensorId, rows: usize) -> Result<TensorId> {
        let (vocab, c) = (self.config.vocab_size, self.config.n_embd);
        let mut sum: Option<TensorId> = None;
        for (i, piece) in split_rows("wte.weight", &[vocab, c], self.layout.slab_bytes()).into_iter().enumerate() {
            let table = self.graph.param(&piece.name, &[piece.rows.len(), c]);
            let op = Embedding { rows, row0: piece.rows.start };
            let part = self.graph.apply1(&format!("wte.out{}", suffix(i)), op, &[step, table])?;
            sum = Some(match sum {
                None => part,
                Some(before) => self.graph.apply1(&format!("wte.sum{}", suffix(i)), Add, &[before, part])?,
            });
        }
        let tokens = sum.expect("a vocabulary is not empty");
        let wpe = self.graph.param("wpe.weight", &[self.config.n_ctx, c]);
        let seq = self.sequence.map_or(rows, |s| s.seq);
        let x = self.graph.apply1("embed", PositionEmbedding { seq }, &[step, tokens, wpe])?;
        self.dropout("embed.dropout", x, 0)
    }

    /// Dropout while training, else nothing. `salt` makes each place draw its own mask.
    fn dropout(&mut self, name: &str, x: TensorId, salt: usize) -> Result<TensorId> {
        match self.sequence {
            Some(Sequence { dropout: p, hyper, .. }) if p > 0.0 => {
                self.graph.apply1(name, Dropout { p, salt: salt as u32 }, &[x, hyper])
            }
            _ => Ok(x),
        }
    }

    fn block(&mut self, layer: usize, x: TensorId, step: TensorId, captures: &[String]) -> Result<TensorId> {
        let h = format!("h.{layer}");
        match self.config.norm {
            NormPosition::Pre => {
                let normed = self.layer_norm(&format!("{h}.ln_1"), x)?;
                let attn = self.attention(layer, normed, step, captures)?;
                let mid = self.graph.apply1(&format!("{h}.mid"), Add, &[attn, x])?;
                let normed = self.layer_norm(&format!("{h}.ln_2"), mid)?;
                let mlp = self.mlp(layer, normed)?;
                self.graph.apply1(&h, Add, &[mlp, mid])
            }
            NormPosition::Post => {
                let attn = self.attention(layer, x, step, captures)?;
                let sum = self.graph.apply1(&format!("{h}.attn.residual"), Add, &[attn, x])?;
                let mid = self.layer_norm(&format!("{h}.ln_1"), sum)?;
                let mlp = self.mlp(layer, mid)?;
                let sum = self.graph.apply1(&format!("{h}.mlp.residual"), Add, &[mlp, mid])?;
                let out = self.layer_norm(&format!("{h}.ln_2"), sum)?;
                self.rename(out, &h)
            }
        }
    }

    /// Gives a block's output the block's name, whichever op made it.
    fn rename(&mut self, tensor: TensorId, name: &str) -> Result<TensorId> {
        self.graph.tensors[tensor.0].name = name.to_string();
        Ok(tensor)
    }

    pub(super) fn layer_norm(&mut self, name: &str, x: TensorId) -> Result<TensorId> {
        let c = self.config.n_embd;
        let mut inputs = vec![x, self.graph.param(&format!("{name}.weight"), &[c])];
        if self.config.bias {
            inputs.push(self.graph.param(&format!("{name}.bias"), &[c]));
        }
        self.graph.apply1(name, LayerNorm { eps: self.config.layer_norm_epsilon }, &inputs)
    }

    /// A linear layer with HF's Conv1D weight `(inputs, outputs)`, and its adapter where there is one; its output is
    /// `name`.
    fn linear(&mut self, weight: &str, name: &str, x: TensorId, inputs: usize, outputs: usize) -> Result<TensorId> {
        let mut args = vec![x, self.graph.param(&format!("{weight}.weight"), &[inputs, outputs])];
        if self.config.bias {
            args.push(self.graph.param(&format!("{weight}.bias"), &[outputs]));
        }
        let op = MatMul::new(Product::NN).with_bias(self.config.bias);
        let Some(lora) = self.lora.filter(|lora| lora.covers(weight)) else {
            return self.graph.apply1(name, op, &args);
        };
        // y = x W + b + scale (x A) B (Hu et al. 2021).
        let base = self.graph.apply1(&format!("{name}.base"), op, &args)?;
        let a = self.graph.param(&lora_a(weight), &[inputs, lora.rank]);
        let b = self.graph.param(&lora_b(weight), &[lora.rank, outputs]);
        // A run learns at full strength, whatever is set for writing.
        let scale = if self.sequence.is_some() { TRAINING_SCALE } else { WRITING_SCALE };
        let scale = self.graph.input(scale, Meta::f32(&[1]));
        let x = self.lora_dropout(lora, name, x)?;
        let low = self.graph.apply1(&format!("{name}.lora_A"), MatMul::new(Product::NN), &[x, a])?;
        let high = self.graph.apply1(&format!("{name}.lora_B"), MatMul::new(Product::NN), &[low, b])?;
        self.graph.apply1(name, ScaledAdd, &[base, high, scale])
    }

    fn lora_dropout(&mut self, lora: &LoraOptions, name: &str, x: TensorId) -> Result<TensorId> {
        match self.sequence {
            Some(Sequence { hyper, .. }) if lora.dropout > 0.0 => {
                // Any number that differs from place to place; those of the model's own dropout are small.
                let salt = name.bytes().fold(0x8000_0000u32, |h, c| h.wrapping_mul(31).wrapping_add(u32::from(c)));
                let op = Dropout { p: lora.dropout as f32, salt };
                self.graph.apply1(&format!("{name}.lora_dropout"), op, &[x, hyper])
            }
            _ => Ok(x),
        }
    }

    fn attention(&mut self, layer: usize, x: TensorId, step: TensorId, captures: &[String]) -> Result<TensorId> {
        let GptConfig { n_embd: c, n_head, n_ctx, .. } = *self.config;
        let h = format!("h.{layer}");
        let qkv = self.linear(&format!("{h}.attn.c_attn"), &format!("{h}.attn.qkv"), x, c, 3 * c)?;
        let out = if let Some(Sequence { seq, dropout, hyper }) = self.sequence {
            let mut inputs = vec![qkv];
            if dropout > 0.0 {
                let heads = self.graph.tensor(qkv).meta.shape[0] / seq * n_head;
                // Apart from the salts of the other places, which count from 0.
                let op = DropoutMask { heads, seq, p: dropout, salt: 0x4000_0000 + layer as u32 };
                inputs.push(self.graph.apply1(&format!("{h}.attn.mask"), op, &[hyper])?);
            }
            let names = [format!("{h}.attn.out"), format!("{h}.attn.lse")];
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            self.graph.apply(&names, Arc::new(CausalAttention { n_head, seq, dropout }), &inputs)?[0]
        } else {
            let cache = self.cache(layer);
            let cache = self.graph.apply1(&format!("{h}.attn.cache.next"), KvAppend, &[cache, qkv, step])?;
            let probs = format!("{h}.attn.probs");
            if self.keeps || captures.contains(&probs) {
                let kept = self.queries(layer);
                let q = self.graph.apply1(&format!("{h}.attn.q.next"), StoreRows { start: 0 }, &[kept, qkv, step])?;
                if captures.contains(&probs) {
                    let pick = self.graph.input("pick", Meta::u32(&[2]));
                    let op = AttentionProbs { rows: self.graph.shape(qkv)[0], cells: n_ctx, all_heads: false };
                    self.graph.apply1(&probs, op, &[q, cache, step, pick])?;
                }
            }
            self.graph.apply1(&format!("{h}.attn.out"), Attention { n_head }, &[qkv, cache, step])?
        };
        let out = self.gate(&format!("{h}.attn.gated"), out, layer, 0, n_head)?;
        let out = self.linear(&format!("{h}.attn.c_proj"), &format!("{h}.attn.proj"), out, c, c)?;
        self.dropout(&format!("{h}.attn.dropout"), out, 1 + 2 * layer)
    }

    fn mlp(&mut self, layer: usize, x: TensorId) -> Result<TensorId> {
        let GptConfig { n_embd: c, n_inner, activation, .. } = *self.config;
        let h = format!("h.{layer}");
        let inner = self.linear(&format!("{h}.mlp.c_fc"), &format!("{h}.mlp.fc"), x, c, n_inner)?;
        let inner = self.graph.apply1(&format!("{h}.mlp.act"), ActivationOp(activation), &[inner])?;
        let out = self.linear(&format!("{h}.mlp.c_proj"), &format!("{h}.mlp.proj"), inner, n_inner, c)?;
        let out = self.gate(&format!("{h}.mlp.gated"), out, layer, self.config.n_head, 1)?;
        self.dropout(&format!("{h}.mlp.dropout"), out, 2 + 2 * layer)
    }

    /// The parameter that turns the last hidden state into logits.
    pub(super) fn head_weight(&self) -> &'static str {
        if self.config.tie_word_embeddings { "wte.weight" } else { "lm_head.weight" }
    }

    /// Final LayerNorm and head: `logits` `(rows, vocab)`, one matmul for each piece of the head's weight.
    fn head(&mut self, mut x: TensorId, rows: usize) -> Result<TensorId> {
        let GptConfig { vocab_size: vocab, n_embd: c, .. } = *self.config;
        if self.config.final_layer_norm {
            x = self.layer_norm("ln_f", x)?;
        }
        let weight = self.head_weight();
        let bias = self.config.lm_head_bias;
        let pieces = split_rows(weight, &[vocab, c], self.layout.slab_bytes());
        let last = pieces.len() - 1;
        let mut logits: Option<TensorId> = None;
        for (i, piece) in pieces.into_iter().enumerate() {
            let mut inputs = vec![x, self.graph.param(&piece.name, &[piece.rows.len(), c])];
            if bias {
                inputs.push(self.graph.param("lm_head.bias", &[vocab]));
            }
            inputs.extend(logits);
            let mut op = MatMul::new(Product::NT).with_bias(bias);
            if last > 0 {
                op = op.into_columns(Columns { width: vocab, start: piece.rows.start, update: i > 0 });
            }
            let name = if i == last { "logits".to_string() } else { format!("logits#{i}") };
            logits = Some(self.graph.apply1(&name, op, &inputs)?);
        }
        debug_assert_eq!(self.graph.shape(logits.expect("at least one piece")), [rows, vocab]);
        Ok(logits.expect("a vocabulary is not empty"))
    }
}

fn suffix(i: usize) -> String {
    if i == 0 { String::new() } else { format!("#{i}") }
}
