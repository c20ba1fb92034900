//! The views' questions, and their answers as plain objects.

use super::inspect_messages as messages;
use super::messages::Answer;
use super::object::{Fields, Maker, array};
use super::session::{Inner, Session};
use crate::error::{Error, Result};
use crate::inspect::{self, Distribution, LensTarget};
use crate::message::{message, shown};
use crate::model::Progress;
use crate::tokenizer::StreamDecoder;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Most tokens that a search brings.
const MOST_FOUND: usize = 20;

/// Hands the thread to others between slices of work. The function is given a progress message or `null`, and returns a
/// promise; `true` ends the work.
struct Breaks<'a>(&'a js_sys::Function);

impl Breaks<'_> {
    async fn take(&self, message: JsValue) -> Result<()> {
        let ended = |_: JsValue| Error::Cancelled;
        let promise = self.0.call1(&JsValue::NULL, &message).map_err(ended)?;
        let stop = JsFuture::from(js_sys::Promise::resolve(&promise)).await.map_err(ended)?;
        if stop.is_truthy() { Err(Error::Cancelled) } else { Ok(()) }
    }
}

#[wasm_bindgen]
impl Session {
    /// Answers one question of the inspector (`InspectRequest` in `www/inspect/types.d.ts`). `between` is called between
    /// slices of work with a progress message or `null`; it returns a promise, and `true` ends the work.
    ///
    /// # Errors
    /// A readable `Error`; its code is `cancelled` where `between` ended it.
    pub async fn inspect(&self, request: JsValue, between: js_sys::Function) -> Answer<JsValue> {
        let fields = Fields(&request);
        let what = fields.text("what")?;
        // Needs no model, and is asked also while one works.
        if what == "tokens" {
            return Ok(self.tokens(&fields.text("text")?)?);
        }
        let breaks = Breaks(&between);
        Ok(self.with_model(async |inner| self.look(inner, &what, &fields, &breaks).await).await?)
    }

    /// Switches heads and MLPs off (0) and on (1): for each layer a row of `[head 0, …, MLP]`; `null` switches all on.
    ///
    /// # Errors
    /// A readable `Error` when the number of gates is wrong.
    #[wasm_bindgen(js_name = setGates)]
    pub fn set_gates(&self, gates: Option<Vec<f32>>) -> Answer<()> {
        Ok(self.with(|inner| {
            let gates = gates.unwrap_or_else(|| vec![1.0; inner.model.gate_count()]);
            // A training step is broken off only where something changes.
            if gates != inner.model.gates() {
                settle(inner);
            }
            inner.model.set_gates(&gates)
        })?)
    }
}

/// Breaks off a training step under way, which is done again when training goes on.
fn settle(inner: &mut Inner) {
    if let Some(trainer) = &mut inner.trainer {
        trainer.settle(&mut inner.model);
    }
}

impl Session {
    /// A token's text, in which a byte `b` that is a part of a character stands as the lone surrogate 0xDC00 + `b`: tokens of
    /// different bytes then read differently.
    fn text_of(&self, id: u32) -> JsValue {
        let bytes = self.tokenizer.token_bytes(id).unwrap_or_default();
        if let Ok(text) = std::str::from_utf8(bytes) {
            return text.into();
        }
        let mut units: Vec<u16> = Vec::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            units.extend(chunk.valid().encode_utf16());
            units.extend(chunk.invalid().iter().map(|&b| 0xdc00 + u16::from(b)));
        }
        js_sys::JsString::from_char_code(&units).into()
    }

    /// Ids with their texts, each once.
    fn texts(&self, ids: &[u32]) -> Vec<(u32, JsValue)> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().map(|id| (id, self.text_of(id))).collect()
    }

    fn tokens(&self, text: &str) -> Result<JsValue> {
        let mut ids = self.tokenizer.encode(text)?;
        let mut stream = StreamDecoder::new();
        let mut end = 0;
        let mut ends: Vec<u32> = Vec::with_capacity(ids.len() + 1);
        for id in &ids {
            end += stream.push(self.tokenizer.token_bytes(*id).unwrap_or_default()).encode_utf16().count() as u32;
            ends.push(end);
        }
        let bos = self.bos.filter(|bos| ids.first() != Some(bos));
        if let Some(bos) = bos {
            ids.insert(0, bos);
            ends.insert(0, 0);
        }
        let numbers = |values: &[u32]| array(values.iter().map(|&n| f64::from(n).into()));
        let bytes = |id: &u32| {
            let bytes = self.tokenizer.token_bytes(*id).unwrap_or_default();
            numbers(&bytes.iter().map(|&b| u32::from(b)).collect::<Vec<_>>()).into()
        };
        let maker = Maker::new().with("ids", numbers(&ids)).with("ends", numbers(&ends)).with("bos", bos.is_some());
        let maker = maker.list("texts", ids.iter().map(|&id| self.text_of(id)));
        Ok(maker.list("bytes", ids.iter().map(bytes)).done())
    }

    async fn look(&self, inner: &mut Inner, what: &str, ask: &Fields<'_>, breaks: &Breaks<'_>) -> Result<JsValue> {
        settle(inner);
        let model = &mut inner.model;
        if what == "flow" {
            return Ok(messages::flow(&inspect::flow(model)?, model.config().n_params()));
        }
        let ids = ask.words("ids")?;
        let v = model.config().vocab_size;
        let texts = |ids: &[u32]| self.texts(ids);
        let range = || Ok::<_, Error>(ask.index("from")?..ask.index("to")?);
        let pace = &mut async |p: Progress| {
            breaks.take(if p.total > 0 { messages::progress(p, None) } else { JsValue::NULL }).await
        };
        Ok(match what {
            "score" => messages::score(model.look(&ids, pace).await?, &texts),
            "next" => {
                let params = messages::sampling(ask)?;
                let logits = model.last_logits(&ids, pace).await?;
                let distribution = Distribution::new(logits, &params, &ids)?;
                let best = distribution.best(ask.index("limit")?);
                let found = distribution.of(self.search(&ask.text("query")?), MOST_FOUND);
                messages::next(&distribution, best, found, &|id| self.text_of(id))
            }
            "attention" => {
                let (layer, head) = (ask.index("layer")?, ask.option("head")?);
                messages::square(ids.len(), &inspect::attention(model, &ids, layer, head, pace).await?)
            }
            "rollout" => messages::square(ids.len(), &inspect::rollout(model, &ids, ask.index("layer")?, pace).await?),
            "heads" => {
                let (size, values) = inspect::head_maps(model, &ids, ask.index("size")?, pace).await?;
                let (layers, heads) = (model.config().n_layer, model.config().n_head);
                let maker = Maker::new().number("layers", layers).number("heads", heads).number("size", size);
                maker.floats("values", &values).done()
            }
            "lens" => {
                let target = if ask.text("target")? == "next" { LensTarget::Next } else { LensTarget::Answer };
                let range = range()?;
                messages::lens(&inspect::lens(model, &ids, range.clone(), target, pace).await?, range.start, &texts)
            }
            "ablate" => {
                // Only what is new is told, since a message costs more than a slice.
                let (mut told, mut units) = (usize::MAX, usize::MAX);
                let pace = &mut async |p: Progress, found: &inspect::Ablation| {
                    let (moved, fresh) = (p.done != told, found.effects.len() != units);
                    (told, units) = (p.done, found.effects.len());
                    let partial = fresh.then(|| messages::ablation(found));
                    breaks.take(if moved || fresh { messages::progress(p, partial) } else { JsValue::NULL }).await
                };
                messages::ablation(&inspect::ablate(model, &ids, ask.index("target")? as u32, pace).await?)
            }
            "values" => messages::values(&inspect::values(model, &ids, ask.option("layer")?, pace).await?),
            "logits" => {
                let range = range()?;
                let values = inspect::logits(model, &ids, range.clone(), pace).await?;
                let maker = Maker::new().number("rows", range.len()).number("vocabSize", v);
                maker.floats("values", &values).done()
            }
            "compare" => {
                let range = range()?;
                let own = inspect::logits(model, &ids, range.clone(), pace).await?;
                let kl = inspect::kl_divergence(&own, &ask.floats("other")?, v)?;
                Maker::new().number("from", range.start).number("rows", range.len()).floats("kl", &kl).done()
            }
            other => {
                return Err(Error::Input(message!(
                    "inspect.unknown",
                    "inspect: there is no question {question}",
                    question = shown(&other)
                )));
            }
        })
    }

    /// Tokens whose text holds `query`, or the one whose id it is (`#123`).
    fn search(&self, query: &str) -> Vec<u32> {
        let size = self.tokenizer.vocab_size() as u32;
        if let Some(id) = query.strip_prefix('#').and_then(|id| id.parse::<u32>().ok()) {
            return if id < size { vec![id] } else { Vec::new() };
        }
        if query.is_empty() {
            return Vec::new();
        }
        let holds = |id: &u32| {
            let bytes = self.tokenizer.token_bytes(*id).unwrap_or_default();
            bytes.windows(query.len()).any(|part| part == query.as_bytes())
        };
        (0..size).filter(holds).collect()
    }
}
