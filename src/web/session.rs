//! One loaded model on one backend, as the Worker sees it.

use super::messages::{
    Answer, Bytes, CountersMessage, Info, OpenOptions, StartOptions, Started, StepMessage, Token, Tokenized, from_js,
    to_js,
};
use crate::config::GptConfig;
use crate::error::{Error, Result};
use crate::message::message;
use crate::model::checkpoint::{Header, HeaderCheck, Loader, ShardIndex};
use crate::model::{Model, ModelOptions};
use crate::sample::{Finish, Generation, SamplingParams, Step};
use crate::tokenizer::{self, StreamDecoder, Tokenizer};
use crate::train::Trainer;
use crate::train::export::native_only;
use crate::train::presets::Preset;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_time::Duration;

/// Tokens of one submit at most: keeps text flowing evenly.
const MOST_TOKENS: usize = 16;

pub(super) struct Inner {
    pub(super) model: Model,
    pub(super) loader: Option<Loader>,
    pub(super) writing: Option<Writing>,
    /// A run that was started or restored, paused unless `trainNext` is called.
    pub(super) trainer: Option<Trainer>,
}

pub(super) struct Writing {
    generation: Generation,
    stream: StreamDecoder,
}

/// A loaded model. Exports take `&self`: the model is moved out while an asynchronous call works with it, so that a second
/// call meanwhile gets an error instead of a panic.
#[wasm_bindgen]
pub struct Session {
    pub(super) tokenizer: Rc<dyn Tokenizer>,
    pub(super) inner: RefCell<Option<Inner>>,
    info: RefCell<Info>,
    stop: Cell<bool>,
    /// The token that stands before every document.
    pub(super) bos: Option<u32>,
    /// What a model that starts from random weights is trained with by default.
    #[cfg_attr(not(feature = "train"), allow(dead_code, reason = "only training reads it"))]
    pub(super) preset: Option<&'static Preset>,
}

/// Refuses what needs the weights, where they are not all there.
pub(super) fn loaded(inner: &Inner) -> Result<()> {
    match inner.loader {
        Some(_) => {
            Err(Error::Input(message!("model.not_loaded", "the model is not loaded yet; wait until loading is done")))
        }
        None => Ok(()),
    }
}

pub(super) fn busy() -> Error {
    Error::Input(message!("model.busy", "the model is still working on the last request; wait for its answer first"))
}

fn file(files: &js_sys::Object, name: &str) -> Option<Vec<u8>> {
    let value = js_sys::Reflect::get(files, &name.into()).ok()?;
    value.dyn_into::<js_sys::Uint8Array>().ok().map(|bytes| bytes.to_vec())
}

/// Compares the headers of weights files with the configuration, and with the files' lengths where they are known.
fn check_weights(config: &GptConfig, heads: &js_sys::Array, lengths: &[f64]) -> Result<()> {
    let mut check = HeaderCheck::new(config)?;
    for (i, head) in heads.iter().enumerate() {
        let header = Header::parse_head(&js_sys::Uint8Array::new(&head).to_vec())?;
        if let Some(&bytes) = lengths.get(i).filter(|&&bytes| bytes > 0.0) {
            header.check_len(bytes as u64)?;
        }
        check.file(&header)?;
    }
    check.finish()
}

fn info(model: &Model, tokenizer: &dyn Tokenizer) -> Info {
    let (config, memory) = (model.config(), model.memory());
    Info {
        backend: if model.backend() == "gpu" { "webgpu" } else { "cpu" },
        backend_reason: model.backend_reason().clone(),
        adapter: model.adapter(),
        n_params: config.n_params(),
        n_ctx: config.n_ctx,
        vocab_size: config.vocab_size,
        n_layer: config.n_layer,
        n_head: config.n_head,
        n_embd: config.n_embd,
        bytes: Bytes {
            weights: memory.weights,
            training: memory.training,
            kv: memory.state,
            temporaries: memory.temporaries,
        },
        trained: if model.lora().is_some() {
            "lora"
        } else if memory.training > 0 {
            "full"
        } else {
            ""
        },
        native: native_only(config, tokenizer),
    }
}

#[wasm_bindgen]
impl Session {
    /// Opens a backend and allocates a model. `options` is `{backend}`, `files` maps file names to `Uint8Array`:
    /// `config.json`, the tokenizer's files, and `model.safetensors.index.json` for weights in several files. `heads` are the
    /// first bytes of each weights file, as `Uint8Array`, with its header, which is checked before the model takes its memory;
    /// `lengths` are the files' lengths in bytes, 0 where they are not known.
    ///
    /// # Errors
    /// A readable `Error` when a file is missing or malformed, or the backend or its memory cannot be had.
    pub async fn open(
        options: JsValue,
        files: js_sys::Object,
        heads: js_sys::Array,
        lengths: Vec<f64>,
    ) -> Answer<Session> {
        let options: OpenOptions = from_js(options)?;
        let check = async |config: &GptConfig| check_weights(config, &heads, &lengths);
        Ok(Self::create(&options, &files, check).await?)
    }

    /// `check` looks at the weights before the model takes its memory.
    pub(super) async fn create(
        options: &OpenOptions,
        files: &js_sys::Object,
        check: impl AsyncFnOnce(&GptConfig) -> Result<()>,
    ) -> Result<Self> {
        let config = file(files, "config.json");
        let config = config.ok_or_else(|| {
            Error::Config(message!("config.missing", "config.json is missing; add it to the model's files"))
        })?;
        let config = GptConfig::from_json(&config)?;
        let tokenizer = tokenizer::from_files(&|name| Ok(file(files, name)))?;
        if tokenizer.vocab_size() > config.vocab_size {
            let (ids, rows) = (tokenizer.vocab_size(), config.vocab_size);
            return Err(Error::Tokenizer(message!(
                "tokenizer.too_large",
                "the tokenizer has {tokens} tokens, but the model's vocabulary only {vocabulary}; use \
                 the tokenizer that came with the model",
                tokens = ids,
                vocabulary = rows
            )));
        }
        let loader = match file(files, "model.safetensors.index.json") {
            Some(index) => Loader::sharded(&config, &ShardIndex::parse(&index)?)?,
            None => Loader::new(&config)?,
        };
        check(&config).await?;
        let options = ModelOptions { backend: options.backend.parse()?, ..ModelOptions::default() };
        let model = Model::open(config, &options).await?;
        Ok(Self::around(tokenizer.into(), model, Some(loader), None))
    }

    pub(super) fn around(
        tokenizer: Rc<dyn Tokenizer>,
        model: Model,
        loader: Option<Loader>,
        preset: Option<&'static Preset>,
    ) -> Self {
        Self {
            bos: model.config().bos_token_id.or_else(|| tokenizer.bos()),
            info: RefCell::new(info(&model, tokenizer.as_ref())),
            tokenizer,
            inner: RefCell::new(Some(Inner { model, loader, writing: None, trainer: None })),
            stop: Cell::new(false),
            preset,
        }
    }

    /// Runs `f` on the model, which nobody else has meanwhile; it is put back whatever `f` comes to.
    ///
    /// # Errors
    /// What `f` fails with, and where another call has the model.
    pub(super) async fn with_model<R>(&self, f: impl AsyncFnOnce(&mut Inner) -> Result<R>) -> Result<R> {
        let taken = self.inner.try_borrow_mut().ok().and_then(|mut slot| slot.take());
        let mut inner = taken.ok_or_else(busy)?;
        let result = f(&mut inner).await;
        *self.inner.borrow_mut() = Some(inner);
        result
    }

    /// Runs `f` on the model if no asynchronous call has it.
    ///
    /// # Errors
    /// As [`Session::with_model`].
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut Inner) -> Result<R>) -> Result<R> {
        let mut slot = self.inner.try_borrow_mut().map_err(|_| busy())?;
        f(slot.as_mut().ok_or_else(busy)?)
    }

    /// Feeds the next bytes of the weights file, in chunks of any size.
    ///
    /// # Errors
    /// A readable `Error` that names the tensor at fault. The session is then of no use.
    #[wasm_bindgen(js_name = loadChunk)]
    pub fn load_chunk(&self, bytes: &[u8]) -> Answer<()> {
        self.with(|inner| {
            let Inner { model, loader, .. } = inner;
            let loader = loader
                .as_mut()
                .ok_or_else(|| Error::Input(message!("model.loaded", "the weights are loaded already")))?;
            loader.push(bytes, &mut |name, first, values| model.write_param(name, first, values))
        })?;
        Ok(())
    }

    /// Ends one weights file; for weights in several files, after each.
    ///
    /// # Errors
    /// A readable `Error` when bytes are missing.
    #[wasm_bindgen(js_name = endFile)]
    pub fn end_file(&self) -> Answer<()> {
        Ok(self.with(|inner| inner.loader.as_mut().map_or(Ok(()), Loader::end_file))?)
    }

    /// Checks that every tensor arrived; returns `info()`.
    ///
    /// # Errors
    /// A readable `Error` that names what is missing.
    #[wasm_bindgen(js_name = finishLoading)]
    pub async fn finish_loading(&self) -> Answer<JsValue> {
        self.with(|inner| {
            let Some(loader) = &mut inner.loader else { return Ok(()) };
            // A file that `endFile` has not ended ends here.
            if loader.position() > 0 {
                loader.end_file()?;
            }
            loader.finish()?;
            // Only now: a model that lacks weights must not pass for a loaded one.
            inner.loader = None;
            Ok(())
        })?;
        self.info()
    }

    /// What is loaded and where it runs.
    ///
    /// # Errors
    /// Never in practice.
    pub fn info(&self) -> Answer<JsValue> {
        if let Ok(slot) = self.inner.try_borrow()
            && let Some(inner) = slot.as_ref()
        {
            *self.info.borrow_mut() = info(&inner.model, self.tokenizer.as_ref());
        }
        to_js(&*self.info.borrow())
    }

    /// Whether the device has failed for good: the session is then of no more use. `false` while a call has the model, whose
    /// error will tell.
    pub fn lost(&self) -> bool {
        self.inner.try_borrow().is_ok_and(|slot| slot.as_ref().is_some_and(|inner| inner.model.failed()))
    }

    /// GPU work done so far.
    ///
    /// # Errors
    /// While an asynchronous call works.
    pub fn counters(&self) -> Answer<JsValue> {
        let c = self.with(|inner| Ok(inner.model.counters()))?;
        to_js(&CountersMessage {
            dispatches: c.dispatches as f64,
            submits: c.submits as f64,
            readbacks: c.readbacks as f64,
            bytes_read: c.bytes_read as f64,
            bytes_written: c.bytes_written as f64,
        })
    }

    /// A text's token ids and their texts.
    ///
    /// # Errors
    /// A readable `Error` when the tokenizer cannot encode the text.
    pub fn tokenize(&self, text: &str) -> Answer<JsValue> {
        let ids = self.tokenizer.encode(text)?;
        let show = |id: &u32| String::from_utf8_lossy(self.tokenizer.token_bytes(*id).unwrap_or_default()).into_owned();
        let pieces = ids.iter().map(show).collect();
        to_js(&Tokenized { ids, pieces })
    }

    /// Begins to continue a prompt; a generation in progress is dropped. A document starts with the model's
    /// first-of-document token where it has one, and so an empty prompt is allowed there.
    ///
    /// # Errors
    /// A readable `Error` when the prompt is empty or a parameter is out of range.
    pub async fn start(&self, options: JsValue) -> Answer<JsValue> {
        let options: StartOptions = from_js(options)?;
        self.stop.set(false);
        let started = self.with(|inner| {
            loaded(inner)?;
            // A step under way is broken off, and done again when training goes on.
            if let Some(trainer) = &mut inner.trainer {
                trainer.settle(&mut inner.model);
            }
            let mut ids = self.tokenizer.encode(&options.prompt)?;
            if let Some(bos) = self.bos.filter(|bos| ids.first() != Some(bos)) {
                ids.insert(0, bos);
            }
            if ids.is_empty() {
                return Err(Error::Input(message!(
                    "prompt.empty",
                    "the prompt is empty; type some text for the model to continue"
                )));
            }
            let params = SamplingParams {
                temperature: options.temperature,
                top_k: options.top_k,
                top_p: options.top_p,
                min_p: options.min_p,
                repetition_penalty: options.repetition_penalty,
                seed: u64::from(options.seed),
            };
            let eos = inner.model.config().eos_token_id.or_else(|| self.tokenizer.eos());
            let stop = eos.filter(|_| options.stop_at_end);
            let generation = Generation::start(&mut inner.model, &ids, params, options.max_new_tokens as usize, stop)?;
            let context_used = generation.context_used();
            inner.writing = Some(Writing { generation, stream: StreamDecoder::new() });
            Ok(Started { prompt_tokens: ids.len(), context_used })
        })?;
        to_js(&started)
    }

    /// Works for about `budget_ms` and returns what came of it. `null` when there is nothing to do.
    ///
    /// # Errors
    /// A readable `Error` when the device failed, or when called again before the last call answered.
    pub async fn next(&self, budget_ms: f64) -> Answer<JsValue> {
        let budget = Duration::from_secs_f64(budget_ms.clamp(1.0, 10_000.0) / 1e3);
        let message = self.with_model(async |inner| self.step(inner, budget).await).await?;
        message.map_or(Ok(JsValue::NULL), |message| to_js(&message))
    }

    async fn step(&self, inner: &mut Inner, budget: Duration) -> Result<Option<StepMessage>> {
        // An error ends the generation: it is put back only after a step that left it unfinished.
        let Some(mut writing) = inner.writing.take() else { return Ok(None) };
        let message = self.write(&mut inner.model, &mut writing, budget).await?;
        if !matches!(message, StepMessage::Tokens { finished: Some(_), .. }) {
            inner.writing = Some(writing);
        }
        Ok(Some(message))
    }

    async fn write(&self, model: &mut Model, writing: &mut Writing, budget: Duration) -> Result<StepMessage> {
        let Writing { generation, stream } = writing;
        let mut tokens = Vec::new();
        let finished = if self.stop.take() {
            model.cancel();
            Some("stopped")
        } else {
            let (records, end) = match generation.next(model, budget, MOST_TOKENS).await? {
                Step::Prefill { done, total } => return Ok(StepMessage::Prefill { done, total }),
                Step::Tokens { records, finished } => (records, finished),
            };
            for (i, record) in records.iter().enumerate() {
                let is_stop = end == Some(Finish::Stop) && i + 1 == records.len();
                let bytes = self.tokenizer.token_bytes(record.id).filter(|_| !is_stop);
                let text = stream.push(bytes.unwrap_or_default());
                tokens.push(Token::new(record, text, self.tokenizer.as_ref()));
            }
            end.map(|end| match end {
                Finish::Stop => "end",
                Finish::Length => "length",
            })
        };
        if finished.is_some() {
            // A character that never got complete shows as a replacement character, as everywhere.
            let rest = stream.finish();
            if let (false, Some(last)) = (rest.is_empty(), tokens.last_mut()) {
                last.text.push_str(&rest);
            }
        }
        Ok(StepMessage::Tokens { tokens, context_used: generation.context_used(), finished })
    }

    /// Ends the generation: the next `next` says `stopped`. Never fails, may be called at any time.
    pub fn stop(&self) {
        self.stop.set(true);
    }
}
