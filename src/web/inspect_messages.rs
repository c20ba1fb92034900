//! What the inspector is told, field by field as in `www/inspect/types.d.ts`.

use super::object::{Fields, Maker, array};
use crate::error::Result;
use crate::inspect::{Ablation, Candidate, Distribution, FlowNode, Lens, Values};
use crate::model::{Progress, Row};
use crate::sample::SamplingParams;
use wasm_bindgen::JsValue;

/// Texts of ids, each once: what a message shows.
pub(super) type Texts<'a> = &'a dyn Fn(&[u32]) -> Vec<(u32, JsValue)>;

/// The settings that shape a distribution.
pub(super) fn sampling(request: &Fields<'_>) -> Result<SamplingParams> {
    let settings = request.get("settings");
    let settings = Fields(&settings);
    let number = |key: &str| Ok::<_, crate::error::Error>(settings.number(key)? as f32);
    Ok(SamplingParams {
        temperature: number("temperature")?,
        top_k: settings.index("topK")? as u32,
        top_p: number("topP")?,
        min_p: number("minP")?,
        repetition_penalty: number("repetitionPenalty")?,
        seed: 0,
    })
}

fn texts_field(maker: Maker, texts: Vec<(u32, JsValue)>) -> Maker {
    let pair = |(id, text): (u32, JsValue)| array([f64::from(id).into(), text]).into();
    maker.list("texts", texts.into_iter().map(pair))
}

/// Figures of rows, as columns.
fn columns<'a>(maker: Maker, rows: impl Iterator<Item = &'a Row> + Clone, shown: &[u32], texts: Texts<'_>) -> Maker {
    let top_ids: Vec<u32> = rows.clone().flat_map(|r| r.top.iter().map(|t| t.0)).collect();
    let top_logprobs: Vec<f32> = rows.clone().flat_map(|r| r.top.iter().map(|t| t.1)).collect();
    let logprob: Vec<f32> = rows.clone().map(|r| r.logprob).collect();
    let entropy: Vec<f32> = rows.clone().map(|r| r.entropy).collect();
    let rank: Vec<u32> = rows.clone().map(|r| r.rank).collect();
    let top = rows.clone().next().map_or(0, |r| r.top.len());
    let shown: Vec<u32> = top_ids.iter().chain(shown).copied().filter(|&id| id != u32::MAX).collect();
    let maker = maker
        .number("top", top)
        .words("topIds", &top_ids)
        .floats("topLogprobs", &top_logprobs)
        .floats("logprob", &logprob)
        .floats("entropy", &entropy)
        .words("rank", &rank);
    texts_field(maker, texts(&shown))
}

pub(super) fn score(rows: &[Row], texts: Texts<'_>) -> JsValue {
    let mut rows = rows.to_vec();
    // In a longer text that was looked at before, something may follow the last token.
    if let Some(last) = rows.last_mut() {
        (last.logprob, last.rank) = (0.0, 0);
    }
    columns(Maker::new().number("rows", rows.len()), rows.iter(), &[], texts).done()
}

pub(super) fn lens(found: &Lens, from: usize, texts: Texts<'_>) -> JsValue {
    let maker = Maker::new()
        .number("levels", found.levels.len())
        .number("from", from)
        .number("rows", found.targets.len())
        .words("targets", &found.targets);
    columns(maker, found.levels.iter().flatten(), &found.targets, texts).done()
}

fn entries(candidates: Vec<Candidate>, text: &dyn Fn(u32) -> JsValue) -> impl Iterator<Item = JsValue> {
    candidates.into_iter().map(move |c| {
        Maker::new()
            .number("id", c.id as usize)
            .with("text", text(c.id))
            .with("logprob", c.logprob)
            .number("rank", c.rank)
            .with("adjusted", c.adjusted)
            .with("kept", c.adjusted > 0.0)
            .done()
    })
}

pub(super) fn next(
    distribution: &Distribution,
    best: Vec<Candidate>,
    found: Vec<Candidate>,
    text: &dyn Fn(u32) -> JsValue,
) -> JsValue {
    let (kept, mass) = distribution.kept();
    Maker::new()
        .list("entries", entries(best, text))
        .list("found", entries(found, text))
        .number("vocabSize", distribution.logprobs.len())
        .with("entropy", distribution.entropy())
        .with("adjustedEntropy", distribution.adjusted_entropy())
        .number("kept", kept)
        .with("keptMass", mass)
        .done()
}

/// An attention map.
pub(super) fn square(size: usize, values: &[f32]) -> JsValue {
    Maker::new().number("size", size).floats("values", values).done()
}

/// Effects of units, of which head -1 is the MLP.
pub(super) fn ablation(found: &Ablation) -> JsValue {
    let unit = |e: &crate::inspect::Effect| {
        Maker::new()
            .number("layer", e.layer)
            .with("head", e.head.map_or(-1, |head| head as i32))
            .with("logprob", e.logprob)
            .with("loss", e.loss)
            .done()
    };
    let maker = Maker::new().with("logprob", found.logprob).with("loss", found.loss);
    maker.list("units", found.effects.iter().map(unit)).done()
}

/// How far a long answer is.
pub(super) fn progress(at: Progress, partial: Option<JsValue>) -> JsValue {
    let maker = Maker::new().number("done", at.done).number("total", at.total);
    match partial {
        Some(partial) => maker.with("partial", partial),
        None => maker,
    }
    .done()
}

fn shape(dims: impl Iterator<Item = Option<usize>>) -> JsValue {
    array(dims.map(|dim| dim.map_or(JsValue::NULL, |n| (n as f64).into()))).into()
}

pub(super) fn flow(nodes: &[FlowNode], n_params: usize) -> JsValue {
    let node = |node: &FlowNode| {
        let param = |(name, dims): &(String, Vec<usize>)| {
            Maker::new().with("name", name.as_str()).with("shape", shape(dims.iter().map(|&d| Some(d)))).done()
        };
        Maker::new()
            .with("name", node.name.as_str())
            .with("op", node.op)
            .list("inputs", node.inputs.iter().map(|name| name.as_str().into()))
            .list("params", node.params.iter().map(param))
            .with("shape", shape(node.shape.iter().copied()))
            .with("layer", node.layer.map_or(-1, |layer| layer as i32))
            .done()
    };
    Maker::new().list("nodes", nodes.iter().map(node)).number("nParams", n_params).done()
}

pub(super) fn values(found: &Values) -> JsValue {
    let tensor = |(name, dims, values): &(String, Vec<usize>, Vec<f32>)| {
        let maker = Maker::new().with("name", name.as_str()).with("shape", shape(dims.iter().map(|&d| Some(d))));
        maker.floats("values", values).done()
    };
    let attention = found.attention.as_ref().map_or(JsValue::NULL, |rows| {
        let maker = Maker::new().number("heads", rows.heads).number("keys", rows.keys);
        maker.floats("scores", &rows.scores).floats("probs", &rows.probs).done()
    });
    Maker::new().list("tensors", found.tensors.iter().map(tensor)).with("attention", attention).done()
}
