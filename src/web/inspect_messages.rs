//! What the inspector asks and is told, field by field as in `www/inspect/types.d.ts`.

use crate::inspect::{Ablation, FlowNode, Lens, Values};
use crate::model::{Progress, Row};
use crate::sample::SamplingParams;
use js_sys::{Float32Array, Uint32Array};
use serde::{Deserialize, Serialize};
use serde_wasm_bindgen::preserve;

/// A question.
#[derive(Debug, Deserialize)]
#[serde(tag = "what", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub(super) enum Request {
    Tokens {
        text: String,
    },
    Score {
        ids: Vec<u32>,
    },
    Next {
        ids: Vec<u32>,
        settings: Sampling,
        limit: usize,
        query: String,
    },
    Attention {
        ids: Vec<u32>,
        layer: usize,
        head: i32,
    },
    Rollout {
        ids: Vec<u32>,
        layer: usize,
    },
    Heads {
        ids: Vec<u32>,
        size: usize,
    },
    Lens {
        ids: Vec<u32>,
        from: usize,
        to: usize,
        target: String,
    },
    Ablate {
        ids: Vec<u32>,
        target: u32,
    },
    Flow,
    Values {
        ids: Vec<u32>,
        layer: i32,
    },
    Logits {
        ids: Vec<u32>,
        from: usize,
        to: usize,
    },
    /// Beside `other`, the other model's logits.
    Compare {
        ids: Vec<u32>,
        from: usize,
        to: usize,
    },
}

/// The settings that shape a distribution.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sampling {
    temperature: f32,
    top_k: u32,
    top_p: f32,
    min_p: f32,
    repetition_penalty: f32,
}

impl From<Sampling> for SamplingParams {
    fn from(s: Sampling) -> Self {
        let Sampling { temperature, top_k, top_p, min_p, repetition_penalty } = s;
        Self { temperature, top_k, top_p, min_p, repetition_penalty, seed: 0 }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct TokensMessage {
    pub ids: Vec<u32>,
    pub texts: Vec<String>,
    pub bytes: Vec<Vec<u8>>,
    pub ends: Vec<usize>,
    pub bos: bool,
}

/// Figures of rows, as columns.
#[derive(Debug, Default)]
struct Columns {
    logprob: Vec<f32>,
    entropy: Vec<f32>,
    rank: Vec<u32>,
    top_ids: Vec<u32>,
    top_logprobs: Vec<f32>,
}

impl Columns {
    fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Self {
        let mut found = Self::default();
        for row in rows {
            found.logprob.push(row.logprob);
            found.entropy.push(row.entropy);
            found.rank.push(row.rank);
            found.top_ids.extend(row.top.iter().map(|t| t.0));
            found.top_logprobs.extend(row.top.iter().map(|t| t.1));
        }
        found
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScoreMessage {
    pub rows: usize,
    #[serde(with = "preserve")]
    pub logprob: Float32Array,
    #[serde(with = "preserve")]
    pub entropy: Float32Array,
    #[serde(with = "preserve")]
    pub rank: Uint32Array,
    pub top: usize,
    #[serde(with = "preserve")]
    pub top_ids: Uint32Array,
    #[serde(with = "preserve")]
    pub top_logprobs: Float32Array,
    pub texts: Vec<(u32, String)>,
}

impl ScoreMessage {
    pub(super) fn new(rows: &[Row], texts: impl FnOnce(Vec<u32>) -> Vec<(u32, String)>) -> Self {
        let mut columns = Columns::of(rows);
        // In a longer text that was looked at before, something may follow the last token.
        if let (Some(logprob), Some(rank)) = (columns.logprob.last_mut(), columns.rank.last_mut()) {
            (*logprob, *rank) = (0.0, 0);
        }
        Self {
            rows: rows.len(),
            top: rows.first().map_or(0, |row| row.top.len()),
            logprob: columns.logprob.as_slice().into(),
            entropy: columns.entropy.as_slice().into(),
            rank: columns.rank.as_slice().into(),
            top_ids: columns.top_ids.as_slice().into(),
            top_logprobs: columns.top_logprobs.as_slice().into(),
            texts: texts(columns.top_ids),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct NextEntry {
    pub id: u32,
    pub text: String,
    pub logprob: f32,
    pub rank: usize,
    pub adjusted: f32,
    pub kept: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NextMessage {
    pub entries: Vec<NextEntry>,
    pub found: Vec<NextEntry>,
    pub vocab_size: usize,
    pub entropy: f32,
    pub adjusted_entropy: f32,
    pub kept: usize,
    pub kept_mass: f32,
}

#[derive(Debug, Serialize)]
pub(super) struct AttentionMessage {
    pub size: usize,
    #[serde(with = "preserve")]
    pub values: Float32Array,
}

#[derive(Debug, Serialize)]
pub(super) struct HeadsMessage {
    pub layers: usize,
    pub heads: usize,
    pub size: usize,
    #[serde(with = "preserve")]
    pub values: Float32Array,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LensMessage {
    pub levels: usize,
    pub from: usize,
    pub rows: usize,
    pub top: usize,
    #[serde(with = "preserve")]
    pub top_ids: Uint32Array,
    #[serde(with = "preserve")]
    pub top_logprobs: Float32Array,
    #[serde(with = "preserve")]
    pub logprob: Float32Array,
    #[serde(with = "preserve")]
    pub rank: Uint32Array,
    #[serde(with = "preserve")]
    pub entropy: Float32Array,
    #[serde(with = "preserve")]
    pub targets: Uint32Array,
    pub texts: Vec<(u32, String)>,
}

impl LensMessage {
    pub(super) fn new(lens: &Lens, from: usize, texts: impl FnOnce(Vec<u32>) -> Vec<(u32, String)>) -> Self {
        let columns = Columns::of(lens.levels.iter().flatten());
        let rows = lens.targets.len();
        let shown = columns.top_ids.iter().chain(&lens.targets).copied().filter(|&id| id != u32::MAX).collect();
        Self {
            levels: lens.levels.len(),
            from,
            rows,
            top: columns.top_ids.len() / (lens.levels.len() * rows),
            logprob: columns.logprob.as_slice().into(),
            entropy: columns.entropy.as_slice().into(),
            rank: columns.rank.as_slice().into(),
            top_ids: columns.top_ids.as_slice().into(),
            top_logprobs: columns.top_logprobs.as_slice().into(),
            targets: lens.targets.as_slice().into(),
            texts: texts(shown),
        }
    }
}

/// A head, or with -1 the MLP, switched off.
#[derive(Debug, Serialize)]
pub(super) struct UnitMessage {
    pub layer: usize,
    pub head: i32,
    pub logprob: f32,
    pub loss: f32,
}

#[derive(Debug, Serialize)]
pub(super) struct AblateMessage {
    pub logprob: f32,
    pub loss: f32,
    pub units: Vec<UnitMessage>,
}

impl From<&Ablation> for AblateMessage {
    fn from(found: &Ablation) -> Self {
        let units = found.effects.iter().map(|e| UnitMessage {
            layer: e.layer,
            head: e.head.map_or(-1, |head| head as i32),
            logprob: e.logprob,
            loss: e.loss,
        });
        Self { logprob: found.logprob, loss: found.loss, units: units.collect() }
    }
}

/// How far a long answer is.
#[derive(Debug, Serialize)]
pub(super) struct ProgressMessage {
    pub done: usize,
    pub total: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial: Option<AblateMessage>,
}

impl ProgressMessage {
    pub(super) fn new(progress: Progress, partial: Option<AblateMessage>) -> Self {
        Self { done: progress.done, total: progress.total, partial }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ParamMessage {
    pub name: String,
    pub shape: Vec<usize>,
}

#[derive(Debug, Serialize)]
pub(super) struct FlowNodeMessage {
    pub name: String,
    pub op: &'static str,
    pub inputs: Vec<String>,
    pub params: Vec<ParamMessage>,
    pub shape: Vec<Option<usize>>,
    pub layer: i32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FlowMessage {
    pub nodes: Vec<FlowNodeMessage>,
    pub n_params: usize,
}

impl FlowMessage {
    pub(super) fn new(nodes: &[FlowNode], n_params: usize) -> Self {
        let params = |node: &FlowNode| {
            let param =
                |(name, shape): &(String, Vec<usize>)| ParamMessage { name: name.clone(), shape: shape.clone() };
            node.params.iter().map(param).collect()
        };
        let nodes = nodes.iter().map(|node| FlowNodeMessage {
            name: node.name.clone(),
            op: node.op,
            inputs: node.inputs.clone(),
            params: params(node),
            shape: node.shape.clone(),
            layer: node.layer.map_or(-1, |layer| layer as i32),
        });
        Self { nodes: nodes.collect(), n_params }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct TensorMessage {
    pub name: String,
    pub shape: Vec<usize>,
    #[serde(with = "preserve")]
    pub values: Float32Array,
}

#[derive(Debug, Serialize)]
pub(super) struct HeadRowsMessage {
    pub heads: usize,
    pub keys: usize,
    #[serde(with = "preserve")]
    pub scores: Float32Array,
    #[serde(with = "preserve")]
    pub probs: Float32Array,
}

#[derive(Debug, Serialize)]
pub(super) struct ValuesMessage {
    pub tensors: Vec<TensorMessage>,
    pub attention: Option<HeadRowsMessage>,
}

impl From<&Values> for ValuesMessage {
    fn from(found: &Values) -> Self {
        let tensor = |(name, shape, values): &(String, Vec<usize>, Vec<f32>)| TensorMessage {
            name: name.clone(),
            shape: shape.clone(),
            values: values.as_slice().into(),
        };
        let attention = found.attention.as_ref().map(|rows| HeadRowsMessage {
            heads: rows.heads,
            keys: rows.keys,
            scores: rows.scores.as_slice().into(),
            probs: rows.probs.as_slice().into(),
        });
        Self { tensors: found.tensors.iter().map(tensor).collect(), attention }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogitsMessage {
    pub rows: usize,
    pub vocab_size: usize,
    #[serde(with = "preserve")]
    pub values: Float32Array,
}

#[derive(Debug, Serialize)]
pub(super) struct CompareMessage {
    pub from: usize,
    pub rows: usize,
    #[serde(with = "preserve")]
    pub kl: Float32Array,
}
