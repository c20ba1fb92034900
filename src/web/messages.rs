//! What crosses the boundary, as plain objects.

use crate::error::{Error, Result};
use crate::message::{Message, message};
use crate::sample::Record;
use crate::tokenizer::Tokenizer;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

/// Options of `Session.open`; files come beside it, as bytes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenOptions {
    /// `auto`, `cpu` or `webgpu`.
    pub backend: String,
}

/// Options of `Session.start`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct StartOptions {
    pub prompt: String,
    pub temperature: f32,
    pub top_k: u32,
    pub top_p: f32,
    pub min_p: f32,
    pub repetition_penalty: f32,
    pub seed: u32,
    pub max_new_tokens: u32,
    pub stop_at_end: bool,
}

impl Default for StartOptions {
    fn default() -> Self {
        let p = crate::sample::SamplingParams::default();
        Self {
            prompt: String::new(),
            temperature: p.temperature,
            top_k: p.top_k,
            top_p: p.top_p,
            min_p: p.min_p,
            repetition_penalty: p.repetition_penalty,
            seed: 0,
            max_new_tokens: 100,
            stop_at_end: true,
        }
    }
}

/// Memory in bytes. In 64 bits, which reach JavaScript as numbers: what a model takes may pass 4 GiB.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Bytes {
    pub weights: u64,
    /// Gradients and moments.
    pub training: u64,
    pub kv: u64,
    pub temporaries: u64,
}

/// What `Session.info` says.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Info {
    pub backend: &'static str,
    pub backend_reason: Message,
    pub adapter: String,
    pub n_params: usize,
    pub n_ctx: usize,
    pub vocab_size: usize,
    pub n_layer: usize,
    pub n_head: usize,
    pub n_embd: usize,
    pub bytes: Bytes,
    /// What is set up for training: `full`, `lora`, or empty for nothing.
    pub trained: &'static str,
    /// What of its files Hugging Face's libraries cannot load: `config`, `tokenizer`, or empty for nothing.
    pub native: &'static str,
}

/// What `Session.start` says.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Started {
    pub prompt_tokens: usize,
    pub context_used: usize,
}

/// An alternative that the model considered.
#[derive(Debug, Serialize)]
pub(super) struct Alternative {
    pub id: u32,
    pub text: String,
    pub logprob: f32,
}

/// A sampled token.
#[derive(Debug, Serialize)]
pub(super) struct Token {
    pub id: u32,
    /// The characters this token completed; empty while one is incomplete.
    pub text: String,
    pub logprob: f32,
    pub entropy: f32,
    pub rank: u32,
    pub top: Vec<Alternative>,
}

impl Token {
    /// A record with its text.
    pub(super) fn new(record: &Record, text: String, tokenizer: &dyn Tokenizer) -> Self {
        let show = |id: u32| String::from_utf8_lossy(tokenizer.token_bytes(id).unwrap_or_default()).into_owned();
        let top = record.top.iter().map(|&(id, logprob)| Alternative { id, text: show(id), logprob }).collect();
        Self { id: record.id, text, logprob: record.logprob, entropy: record.entropy, rank: record.rank, top }
    }
}

/// What `Session.next` says.
#[derive(Debug, Serialize)]
#[serde(tag = "phase", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub(super) enum StepMessage {
    Prefill { done: usize, total: usize },
    Tokens { tokens: Vec<Token>, context_used: usize, finished: Option<&'static str> },
}

/// What `Session.tokenize` says.
#[derive(Debug, Serialize)]
pub(super) struct Tokenized {
    pub ids: Vec<u32>,
    pub pieces: Vec<String>,
}

/// What `Session.counters` says: work done on the GPU so far, zeros on the CPU.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CountersMessage {
    pub dispatches: f64,
    pub submits: f64,
    pub readbacks: f64,
    pub bytes_read: f64,
    pub bytes_written: f64,
}

/// An error on its way to JavaScript: an `Error` with the words of the terminal, whose `said` is the [`Message`] as an object.
#[derive(Debug)]
pub struct Thrown(Error);

/// What the session answers, or throws.
pub(super) type Answer<T> = std::result::Result<T, Thrown>;

impl From<Error> for Thrown {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Thrown> for JsValue {
    // Once, not in each call that may fail.
    #[cold]
    #[inline(never)]
    fn from(Thrown(error): Thrown) -> Self {
        let thrown = js_sys::Error::new(&error.to_string());
        if let Ok(said) = serde_wasm_bindgen::to_value(&error.message()) {
            // Setting a field of a fresh object cannot fail.
            let _ = js_sys::Reflect::set(&thrown, &"said".into(), &said);
        }
        thrown.into()
    }
}

/// An object for JavaScript.
pub(super) fn to_js(value: &impl Serialize) -> Answer<JsValue> {
    serde_wasm_bindgen::to_value(value).map_err(|e| Error::Input(Message::uncoded(e.to_string())).into())
}

/// An object of JavaScript's.
///
/// # Errors
/// [`Error::Input`] naming the field that does not fit.
pub(super) fn from_js<T: serde::de::DeserializeOwned>(value: JsValue) -> Result<T> {
    serde_wasm_bindgen::from_value(value).map_err(|e| {
        Error::Input(message!("request.not_read", "the engine cannot read the page's request: {cause}", cause = e))
    })
}
