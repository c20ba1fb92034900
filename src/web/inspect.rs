//! The views' questions, and their answers as plain objects.

use super::inspect_messages::{
    AblateMessage, AttentionMessage, CompareMessage, FlowMessage, HeadsMessage, LensMessage, LogitsMessage, NextEntry,
    NextMessage, ProgressMessage, Request, ScoreMessage, TokensMessage, ValuesMessage,
};
use super::messages::{js_error, to_js};
use super::session::{Inner, Session};
use crate::error::{Error, Result};
use crate::inspect::{self, Candidate, Distribution, LensTarget};
use crate::model::Progress;
use crate::sample::SamplingParams;
use crate::tokenizer::StreamDecoder;
use js_sys::Float32Array;
use std::collections::BTreeSet;
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
    /// A readable `Error`; `error.cancelled` where `between` ended it.
    pub async fn inspect(&self, request: JsValue, between: js_sys::Function) -> Result<JsValue, JsError> {
        // The other model's logits are no plain array, and serde can read nothing else here: they are taken out first.
        let key = JsValue::from_str("other");
        let other = js_sys::Reflect::get(&request, &key).ok().and_then(|v| v.dyn_into::<Float32Array>().ok());
        if let (Some(_), Some(request)) = (&other, request.dyn_ref::<js_sys::Object>()) {
            js_sys::Reflect::delete_property(request, &key).map_err(|_| JsError::new("inspect: not a plain object"))?;
        }
        let request: Request =
            serde_wasm_bindgen::from_value(request).map_err(|e| JsError::new(&format!("inspect: {e}")))?;
        if let Request::Tokens { text } = &request {
            return self.tokens(text).map_err(|e| js_error(&e)).and_then(|message| to_js(&message));
        }
        let mut inner = self.take()?;
        let result = self.look(&mut inner, request, other, &Breaks(&between)).await;
        self.put_back(inner);
        result.map_err(|e| js_error(&e))
    }

    /// Switches heads and MLPs off (0) and on (1): for each layer a row of `[head 0, …, MLP]`; `null` switches all on.
    ///
    /// # Errors
    /// A readable `Error` when the number of gates is wrong.
    #[wasm_bindgen(js_name = setGates)]
    pub fn set_gates(&self, gates: Option<Vec<f32>>) -> Result<(), JsError> {
        self.with(|inner| {
            settle(inner);
            let gates = gates.unwrap_or_else(|| vec![1.0; inner.model.gate_count()]);
            inner.model.set_gates(&gates)
        })
    }
}

/// Breaks off a training step under way, which is done again when training goes on.
fn settle(inner: &mut Inner) {
    if let Some(trainer) = &mut inner.trainer {
        trainer.settle(&mut inner.model);
    }
}

fn message(value: &impl serde::Serialize) -> Result<JsValue> {
    serde_wasm_bindgen::to_value(value).map_err(|e| Error::Input(e.to_string()))
}

impl Session {
    fn text_of(&self, id: u32) -> String {
        String::from_utf8_lossy(self.tokenizer.token_bytes(id).unwrap_or_default()).into_owned()
    }

    /// Ids with their texts, each once.
    fn texts(&self, ids: impl IntoIterator<Item = u32>) -> Vec<(u32, String)> {
        let ids: BTreeSet<u32> = ids.into_iter().collect();
        ids.into_iter().map(|id| (id, self.text_of(id))).collect()
    }

    fn tokens(&self, text: &str) -> Result<TokensMessage> {
        let mut ids = self.tokenizer.encode(text)?;
        let mut stream = StreamDecoder::new();
        let mut end = 0;
        let mut ends: Vec<usize> = Vec::with_capacity(ids.len() + 1);
        for id in &ids {
            end += stream.push(self.tokenizer.token_bytes(*id).unwrap_or_default()).encode_utf16().count();
            ends.push(end);
        }
        let bos = self.bos.filter(|bos| ids.first() != Some(bos));
        if let Some(bos) = bos {
            ids.insert(0, bos);
            ends.insert(0, 0);
        }
        let bytes = ids.iter().map(|&id| self.tokenizer.token_bytes(id).unwrap_or_default().to_vec()).collect();
        let texts = ids.iter().map(|&id| self.text_of(id)).collect();
        Ok(TokensMessage { ids, texts, bytes, ends, bos: bos.is_some() })
    }

    async fn look(
        &self,
        inner: &mut Inner,
        request: Request,
        other: Option<Float32Array>,
        breaks: &Breaks<'_>,
    ) -> Result<JsValue> {
        settle(inner);
        let model = &mut inner.model;
        let v = model.config().vocab_size;
        let pace = &mut async |p: Progress| {
            let told = if p.total > 0 { message(&ProgressMessage::new(p, None))? } else { JsValue::NULL };
            breaks.take(told).await
        };
        match request {
            Request::Tokens { text } => message(&self.tokens(&text)?),
            Request::Score { ids } => {
                let rows = model.look(&ids, pace).await?;
                message(&ScoreMessage::new(rows, |ids| self.texts(ids)))
            }
            Request::Next { ids, settings, limit, query } => {
                let logits = model.last_logits(&ids, pace).await?;
                let distribution = Distribution::new(logits, &SamplingParams::from(settings), &ids)?;
                message(&self.next_message(&distribution, limit, &query))
            }
            Request::Attention { ids, layer, head } => {
                let head = usize::try_from(head).ok();
                let values = inspect::attention(model, &ids, layer, head, pace).await?;
                message(&AttentionMessage { size: ids.len(), values: values.as_slice().into() })
            }
            Request::Rollout { ids, layer } => {
                let values = inspect::rollout(model, &ids, layer, pace).await?;
                message(&AttentionMessage { size: ids.len(), values: values.as_slice().into() })
            }
            Request::Heads { ids, size } => {
                let (size, values) = inspect::head_maps(model, &ids, size, pace).await?;
                let (layers, heads) = (model.config().n_layer, model.config().n_head);
                message(&HeadsMessage { layers, heads, size, values: values.as_slice().into() })
            }
            Request::Lens { ids, from, to, target } => {
                let target = if target == "next" { LensTarget::Next } else { LensTarget::Answer };
                let lens = inspect::lens(model, &ids, from..to, target, pace).await?;
                message(&LensMessage::new(&lens, from, |ids| self.texts(ids)))
            }
            Request::Ablate { ids, target } => {
                // The units are told when there are new ones, since a message costs more than a slice.
                let mut told = usize::MAX;
                let pace = &mut async |p: Progress, found: &inspect::Ablation| {
                    let fresh = found.effects.len() != told;
                    told = found.effects.len();
                    let partial = AblateMessage::from(found);
                    let told = if fresh { message(&ProgressMessage::new(p, Some(partial)))? } else { JsValue::NULL };
                    breaks.take(told).await
                };
                message(&AblateMessage::from(&inspect::ablate(model, &ids, target, pace).await?))
            }
            Request::Flow => message(&FlowMessage::new(&inspect::flow(model)?, model.config().n_params())),
            Request::Values { ids, layer } => {
                let values = inspect::values(model, &ids, usize::try_from(layer).ok(), pace).await?;
                message(&ValuesMessage::from(&values))
            }
            Request::Logits { ids, from, to } => {
                let values = inspect::logits(model, &ids, from..to, pace).await?;
                message(&LogitsMessage { rows: to - from, vocab_size: v, values: values.as_slice().into() })
            }
            Request::Compare { ids, from, to } => {
                let other =
                    other.ok_or_else(|| Error::Input("compare needs the other model's logits".into()))?.to_vec();
                let own = inspect::logits(model, &ids, from..to, pace).await?;
                let kl = inspect::kl_divergence(&own, &other, v)?;
                message(&CompareMessage { from, rows: to - from, kl: kl.as_slice().into() })
            }
        }
    }

    fn next_message(&self, distribution: &Distribution, limit: usize, query: &str) -> NextMessage {
        let entry = |c: Candidate| NextEntry {
            id: c.id,
            text: self.text_of(c.id),
            logprob: c.logprob,
            rank: c.rank,
            adjusted: c.adjusted,
            kept: c.adjusted > 0.0,
        };
        let (kept, kept_mass) = distribution.kept();
        NextMessage {
            entries: distribution.best(limit).into_iter().map(entry).collect(),
            found: distribution.of(self.search(query), MOST_FOUND).into_iter().map(entry).collect(),
            vocab_size: distribution.logprobs.len(),
            entropy: distribution.entropy(),
            adjusted_entropy: distribution.adjusted_entropy(),
            kept,
            kept_mass,
        }
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
