//! Training in the session: pull-based like generation, and side by side with it. To pause, do not call `trainNext`.

use super::messages::{OpenOptions, js_error, to_js};
use super::session::{Inner, Session};
use super::train_messages::{BestMessage, Planned, PreflightBytes, ScratchOptions, TrainEvents, TrainRequest};
use crate::config::GptConfig;
use crate::error::{Error, Result};
use crate::model::checkpoint::Dtype;
use crate::model::{Model, ModelOptions, Pass, Preflight};
use crate::tokenizer::{Bpe, ByteTokenizer, CharTokenizer, Tokenizer};
use crate::train::export::{StoredZip, adapter_files, apply_adapter, hf_pieces};
use crate::train::peft::Adapter;
use crate::train::presets::{Preset, fine_tuning};
use crate::train::{
    Crc32, Dataset, Event, Source, TrainOptions, Trainer, check_state_from, merge_options, restore_from, save_pieces,
};
use std::ops::Range;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_time::Duration;

/// What a run may take on the CPU, in bytes: WebAssembly's memory ends at 4 GiB, and the text, its tokens, a second KV cache, and
/// the tensor that is being saved need room too.
const CPU_LIMIT: u64 = 3_200_000_000;
/// What a saved run may take there to be opened, which may have begun on a GPU.
const CPU_MOST: u64 = 3_600_000_000;
/// What a run may take on a GPU.
const GPU_LIMIT: u64 = 4_000_000_000;

/// What a run may take here, in bytes: of a device that says how much memory it has at most three quarters, since the browser
/// and the system need the rest.
fn limit(gpu: bool) -> u64 {
    let most = if gpu { GPU_LIMIT } else { CPU_LIMIT };
    let get = |object: &JsValue, key: &str| js_sys::Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED);
    // In GiB; not every browser says.
    let memory = get(&get(&js_sys::global(), "navigator"), "deviceMemory").as_f64();
    memory.map_or(most, |gib| most.min((gib * 0.75 * f64::from(1 << 30)) as u64))
}

/// A run that could be started: its options, its text, its memory.
struct Plan {
    options: TrainOptions,
    data: Dataset,
    preflight: Preflight,
    limit: u64,
}

impl Plan {
    fn new(config: &GptConfig, gpu: bool, tokens: Vec<u32>, options: TrainOptions) -> Result<Self> {
        options.validate(config)?;
        let data = Dataset::new(tokens, options.validation, options.context)?;
        let shape = options.shape(Pass::Update);
        let mut preflight = Preflight::compute(config, options.lora.as_ref(), &shape)?;
        if !gpu && options.keeps_best(data.validation().len()) {
            preflight = preflight.with_best();
        }
        Ok(Self { options, data, preflight, limit: limit(gpu) })
    }

    /// From what the person set, the rest by default.
    fn of_request(
        config: &GptConfig,
        gpu: bool,
        tokens: Vec<u32>,
        mut defaults: TrainOptions,
        given: &str,
    ) -> Result<Self> {
        // A short text needs no padding.
        defaults.context = Dataset::new(tokens.clone(), defaults.validation, defaults.context)?.context().max(1);
        let options = merge_options(&defaults, given)?;
        if options.batch_size != defaults.batch_size || options.grad_accum != defaults.grad_accum {
            return Self::new(config, gpu, tokens, options);
        }
        // The usual batch, in as many parts as the memory asks for.
        let mut smaller = options.clone();
        loop {
            match Self::new(config, gpu, tokens.clone(), smaller.clone()) {
                Ok(plan) if plan.check_memory().is_ok() => return Ok(plan),
                Err(e) if !matches!(e, Error::Plan(_)) => return Err(e),
                _ if smaller.batch_size < 2 => return Self::new(config, gpu, tokens, options),
                _ => {
                    smaller.batch_size /= 2;
                    smaller.grad_accum *= 2;
                }
            }
        }
    }

    fn check_memory(&self) -> Result<()> {
        self.preflight.check(self.limit)
    }

    /// `model` is the one that the run would train, where there is one already.
    fn describe(&self, step: usize, model: Option<&Model>) -> Result<Planned> {
        let options = serde_json::to_string(&self.options)
            .map_err(|e| Error::Input(format!("the options cannot be written: {e}")))?;
        Ok(Planned {
            options,
            notes: self.data.notes(),
            bytes: PreflightBytes::new(&self.preflight, self.limit),
            tokens: self.data.train().len() + self.data.validation().len(),
            validation_tokens: self.data.validation().len(),
            step,
            replaces: model.is_some_and(|model| model.replaces_adapters(self.options.lora.as_ref())),
        })
    }
}

fn is_gpu(inner: &Inner) -> bool {
    inner.model.backend() == "gpu"
}

fn loaded(inner: &Inner) -> Result<()> {
    match inner.loader {
        Some(_) => Err(Error::Input("the model is not loaded yet; wait until loading is done".into())),
        None => Ok(()),
    }
}

fn request(value: JsValue) -> Result<TrainRequest, JsError> {
    serde_wasm_bindgen::from_value(value).map_err(|e| JsError::new(&format!("the training request: {e}")))
}

/// What the browser failed with when it read or wrote a saved run.
fn failed(error: &JsValue) -> Error {
    let words = error.dyn_ref::<js_sys::Error>().map(|e| String::from(e.message()));
    let words = words.unwrap_or_else(|| format!("{error:?}"));
    Error::Io(format!("the browser could not read or write the saved run ({words}); try again"))
}

/// The length of a file, and what reads any range of it.
fn ranges(file: &web_sys::Blob) -> (u64, impl AsyncFn(Range<u64>) -> Result<Vec<u8>>) {
    let read = async |range: Range<u64>| {
        let part = file.slice_with_f64_and_f64(range.start as f64, range.end as f64).map_err(|e| failed(&e))?;
        let bytes = JsFuture::from(part.array_buffer()).await.map_err(|e| failed(&e))?;
        Ok(js_sys::Uint8Array::new(&bytes).to_vec())
    };
    (file.size() as u64, read)
}

/// `[{name, bytes}]` for JS.
fn files_to_js(files: Vec<(String, Vec<u8>)>) -> Result<JsValue, JsError> {
    let list = js_sys::Array::new();
    for (name, bytes) in files {
        let file = js_sys::Object::new();
        let set = |key: &str, value: &JsValue| js_sys::Reflect::set(&file, &key.into(), value);
        set("name", &name.into())
            .and_then(|_| set("bytes", &js_sys::Uint8Array::from(bytes.as_slice())))
            .map_err(|_| JsError::new("a file could not be handed over"))?;
        list.push(&file);
    }
    Ok(list.into())
}

#[wasm_bindgen]
impl Session {
    /// Makes a tokenizer from the text and a model with random weights. `options` is `{backend, preset, tokenizer, vocabSize,
    /// text, seed}`; the tokenizer is `char`, `byte` or `bpe`.
    ///
    /// # Errors
    /// A readable `Error` for an unknown preset or tokenizer, or where the backend or its memory cannot be had.
    #[wasm_bindgen(js_name = openScratch)]
    pub async fn open_scratch(options: JsValue) -> Result<Session, JsError> {
        let options: ScratchOptions =
            serde_wasm_bindgen::from_value(options).map_err(|e| JsError::new(&format!("openScratch: {e}")))?;
        Self::scratch(&options).await.map_err(|e| js_error(&e))
    }

    async fn scratch(options: &ScratchOptions) -> Result<Self> {
        let preset = Preset::find(&options.preset)?;
        let tokenizer: Rc<dyn Tokenizer> = match options.tokenizer.as_str() {
            "char" => Rc::new(CharTokenizer::train(&options.text)?),
            "byte" => Rc::new(ByteTokenizer::new()),
            "bpe" => Rc::new(Bpe::train(&options.text, options.vocab_size, &[])?),
            other => {
                return Err(Error::Input(format!("there is no tokenizer '{other}'; choose among char, byte and bpe")));
            }
        };
        let config = preset.config(tokenizer.vocab_size())?;
        let model_options = ModelOptions { backend: options.backend.parse()?, ..ModelOptions::default() };
        let mut model = Model::open(config, &model_options).await?;
        model.randomize(u64::from(options.seed))?;
        Ok(Self::around(tokenizer, model, None, Some(preset)))
    }

    fn plan(&self, inner: &Inner, request: &TrainRequest) -> Result<Plan> {
        let tokens = self.tokenizer.encode(&request.text)?;
        let config = inner.model.config();
        let defaults = match self.preset {
            Some(preset) if !request.lora => preset.options(),
            _ => fine_tuning(config, tokens.len(), request.lora, inner.model.lora()),
        };
        Plan::of_request(config, is_gpu(inner), tokens, defaults, &request.options)
    }

    /// The plan of a run that starts from random weights, before there is a model: the first argument is that of
    /// `openScratch`, the answer that of `trainPlan`. The tokens of a BPE, which would have to be trained first, are
    /// estimated.
    ///
    /// # Errors
    /// As `openScratch` and `trainPlan`.
    #[wasm_bindgen(js_name = scratchPlan)]
    pub fn scratch_plan(options: JsValue, given: &str) -> Result<JsValue, JsError> {
        let options: ScratchOptions =
            serde_wasm_bindgen::from_value(options).map_err(|e| JsError::new(&format!("scratchPlan: {e}")))?;
        let planned = || {
            let preset = Preset::find(&options.preset)?;
            let tokenizer: Option<Box<dyn Tokenizer>> = match options.tokenizer.as_str() {
                "char" => Some(Box::new(CharTokenizer::train(&options.text)?)),
                "byte" => Some(Box::new(ByteTokenizer::new())),
                _ => None,
            };
            let (vocab, tokens) = match tokenizer {
                Some(tokenizer) => (tokenizer.vocab_size(), tokenizer.encode(&options.text)?),
                None => (options.vocab_size, vec![0; options.text.len().div_ceil(3)]),
            };
            let gpu = options.backend == "webgpu";
            Plan::of_request(&preset.config(vocab)?, gpu, tokens, preset.options(), given)?.describe(0, None)
        };
        to_js(&planned().map_err(|e: Error| js_error(&e))?)
    }

    /// What a run would be, without starting it: `{options, notes, bytes, tokens, validationTokens, step, replaces}`. The
    /// request is `{text, lora, options}`, the options as JSON where they are not the defaults for this model and text. Where
    /// it `replaces` adapters that the model has, they have to be merged into the weights before it can start.
    ///
    /// # Errors
    /// A readable `Error` for options out of range or a text that is too short.
    #[wasm_bindgen(js_name = trainPlan)]
    pub fn train_plan(&self, request_value: JsValue) -> Result<JsValue, JsError> {
        let request = request(request_value)?;
        to_js(&self.with(|inner| self.plan(inner, &request)?.describe(0, Some(&inner.model)))?)
    }

    /// Prepares a run; `trainNext` then works on it. A run there was is forgotten, its weights stay.
    ///
    /// # Errors
    /// As `trainPlan`, and where the run needs more memory than there is, or the model has other adapters or is trained in
    /// another way. Only a device that refuses memory also costs the run there was.
    #[wasm_bindgen(js_name = trainStart)]
    pub async fn train_start(&self, request_value: JsValue) -> Result<JsValue, JsError> {
        let request = request(request_value)?;
        let mut inner = self.take()?;
        let result = self.begin_run(&mut inner, &request).await;
        self.put_back(inner);
        to_js(&result.map_err(|e| js_error(&e))?)
    }

    async fn begin_run(&self, inner: &mut Inner, request: &TrainRequest) -> Result<Planned> {
        loaded(inner)?;
        let plan = self.plan(inner, request)?;
        plan.check_memory()?;
        inner.model.check_training(plan.options.lora.as_ref())?;
        let described = plan.describe(0, Some(&inner.model))?;
        // From here on nothing is refused any more.
        inner.end_run();
        let trainer = Trainer::new(&mut inner.model, plan.options, Source::Text(plan.data)).await?;
        inner.trainer = Some(trainer);
        Ok(described)
    }

    /// Works for about `budget_ms`: `{events}`, each a step, an evaluation, or the end. `null` when there is no run.
    ///
    /// # Errors
    /// A readable `Error` when the device failed, or the loss is no longer a number: the weights are then those of before.
    #[wasm_bindgen(js_name = trainNext)]
    pub async fn train_next(&self, budget_ms: f64) -> Result<JsValue, JsError> {
        let mut inner = self.take()?;
        inner.writing = None;
        let result = match &mut inner.trainer {
            Some(trainer) => {
                let budget = Duration::from_secs_f64(budget_ms.clamp(1.0, 10_000.0) / 1e3);
                trainer.advance(&mut inner.model, budget).await.map(Some)
            }
            None => Ok(None),
        };
        self.put_back(inner);
        match result.map_err(|e| js_error(&e))? {
            Some(event) => to_js(&TrainEvents::from(event)),
            None => Ok(JsValue::NULL),
        }
    }

    /// Breaks off a step that is under way, to be done again if the run goes on, and reads back what the steps before it came
    /// to: `{events}`, with no events once nothing is left to tell.
    ///
    /// # Errors
    /// As `trainNext`.
    #[wasm_bindgen(js_name = trainDrain)]
    pub async fn train_drain(&self) -> Result<JsValue, JsError> {
        let mut inner = self.take()?;
        let result = match &mut inner.trainer {
            Some(trainer) => trainer.drain(&mut inner.model).await,
            None => Ok(Vec::new()),
        };
        self.put_back(inner);
        to_js(&TrainEvents::from(Event::Steps(result.map_err(|e| js_error(&e))?)))
    }

    /// Ends the run; the weights stay as they are.
    ///
    /// # Errors
    /// While an asynchronous call works.
    #[wasm_bindgen(js_name = trainStop)]
    pub fn train_stop(&self) -> Result<(), JsError> {
        self.with(|inner| {
            inner.end_run();
            Ok(())
        })
    }

    /// The weights with the lowest validation loss: `{loss, step, inForce}`, or `null` where none are kept.
    ///
    /// # Errors
    /// While an asynchronous call works.
    #[wasm_bindgen(js_name = bestWeights)]
    pub fn best_weights(&self) -> Result<JsValue, JsError> {
        to_js(&self.with(|inner| Ok(inner.trainer.as_ref().and_then(Trainer::best).map(BestMessage::from)))?)
    }

    /// Puts the weights with the lowest validation loss into the model, or those of the last step back. Writing and exports
    /// then use them; a run that goes on does so from the last. Returns `bestWeights()`.
    ///
    /// # Errors
    /// A readable `Error` when the device failed.
    #[wasm_bindgen(js_name = useBest)]
    pub async fn use_best(&self, best: bool) -> Result<JsValue, JsError> {
        let mut inner = self.take()?;
        inner.writing = None;
        let result = match &mut inner.trainer {
            Some(trainer) => trainer.use_best(&mut inner.model, best).await,
            None => Ok(false),
        };
        self.put_back(inner);
        result.map_err(|e| js_error(&e))?;
        self.best_weights()
    }

    /// The run as one file: trained weights, moments, step and options. `piece` gets it as `Uint8Array`s, one after another;
    /// the next is made when the promise that it returns is fulfilled.
    ///
    /// # Errors
    /// A readable `Error` when there is no run, the device failed, or `piece` did.
    #[wasm_bindgen(js_name = saveState)]
    pub async fn save_state(&self, piece: js_sys::Function) -> Result<(), JsError> {
        let mut inner = self.take()?;
        let result = match &mut inner.trainer {
            Some(trainer) => {
                let hand_over = async |bytes: Vec<u8>| {
                    let copy = js_sys::Uint8Array::from(bytes.as_slice());
                    drop(bytes);
                    let taken = piece.call1(&JsValue::NULL, &copy).map_err(|e| failed(&e))?;
                    JsFuture::from(js_sys::Promise::resolve(&taken)).await.map(drop).map_err(|e| failed(&e))
                };
                save_pieces(&mut inner.model, trainer, hand_over).await
            }
            None => Err(Error::Input("there is no training run to save".into())),
        };
        self.put_back(inner);
        result.map_err(|e| js_error(&e))
    }

    /// Allocates the model of a run that is trained as a whole, for `restoreState`. `options` and `files` are those of `open`,
    /// `file` is what `saveState` wrote, which is compared with the configuration before the model takes its memory.
    ///
    /// # Errors
    /// As `open`, and where the file is damaged or belongs to another model.
    #[wasm_bindgen(js_name = openRun)]
    pub async fn open_run(options: JsValue, files: js_sys::Object, file: web_sys::Blob) -> Result<Session, JsError> {
        let options: OpenOptions =
            serde_wasm_bindgen::from_value(options).map_err(|e| JsError::new(&format!("openRun: {e}")))?;
        let (len, read) = ranges(&file);
        let check = async |config: &GptConfig| check_state_from(config, len, &read).await.map(drop);
        Self::create(&options, &files, check).await.map_err(|e| js_error(&e))
    }

    /// Goes back to what `saveState` wrote, with the text of that run. A model that is trained as a whole needs no weights
    /// before; adapters need their base model loaded.
    ///
    /// # Errors
    /// A readable `Error` when the file is damaged or belongs to another model, or where the run does not fit into memory.
    #[wasm_bindgen(js_name = restoreState)]
    pub async fn restore_state(&self, file: web_sys::Blob, text: String) -> Result<JsValue, JsError> {
        let mut inner = self.take()?;
        let result = self.go_back(&mut inner, &file, &text).await;
        self.put_back(inner);
        to_js(&result.map_err(|e| js_error(&e))?)
    }

    async fn go_back(&self, inner: &mut Inner, file: &web_sys::Blob, text: &str) -> Result<Planned> {
        inner.end_run();
        let (len, read) = ranges(file);
        let options = check_state_from(inner.model.config(), len, &read).await?.options;
        let lora = options.lora.is_some();
        let plan = Plan::new(inner.model.config(), is_gpu(inner), self.tokenizer.encode(text)?, options)?;
        let needs = plan.preflight.total();
        if !is_gpu(inner) && needs > CPU_MOST {
            return Err(Error::Input(format!(
                "this run needs {} MB, and on the CPU there is room for {} MB; open it with WebGPU",
                needs / 1_000_000,
                CPU_MOST / 1_000_000
            )));
        }
        let state = restore_from(&mut inner.model, len, read).await?;
        if lora {
            loaded(inner)?;
        }
        // The file holds every weight.
        inner.loader = None;
        let described = plan.describe(state.step, Some(&inner.model))?;
        let best_in_force = state.best_in_force;
        let mut trainer = Trainer::resume(&inner.model, state, plan.options, Source::Text(plan.data))?;
        if best_in_force {
            trainer.use_best(&mut inner.model, true).await?;
        }
        inner.trainer = Some(trainer);
        Ok(described)
    }

    /// `config.json` and `tokenizer.json` of the model, as `[{name, bytes}]`.
    ///
    /// # Errors
    /// While an asynchronous call works.
    #[wasm_bindgen(js_name = modelFiles)]
    pub fn model_files(&self) -> Result<JsValue, JsError> {
        let config = self.with(|inner| Ok(inner.model.config().to_json()))?;
        let files = [("config.json", config), ("tokenizer.json", self.tokenizer.to_json())];
        files_to_js(files.into_iter().map(|(name, text)| (name.to_string(), text.into_bytes())).collect())
    }

    /// The model as one zip, in pieces, a list of `Uint8Array` to be put one after another: `model` is a Hugging Face folder,
    /// adapters merged; `adapter` is PEFT's two files.
    ///
    /// # Errors
    /// A readable `Error` when there are no adapters or the device failed.
    #[wasm_bindgen(js_name = exportZip)]
    pub async fn export_zip(&self, kind: String) -> Result<js_sys::Array, JsError> {
        let mut inner = self.take()?;
        let result = self.export(&mut inner, kind == "adapter").await;
        self.put_back(inner);
        result.map_err(|e| js_error(&e))
    }

    async fn export(&self, inner: &mut Inner, adapter: bool) -> Result<js_sys::Array> {
        loaded(inner)?;
        if let Some(trainer) = &mut inner.trainer {
            trainer.settle(&mut inner.model);
        }
        // They leave WebAssembly's memory piece by piece: a second copy of a large model has no room in it.
        let mut files: Vec<(String, Crc32, u64, Vec<js_sys::Uint8Array>)> = Vec::new();
        let mut add = |name: &str, bytes: Vec<u8>| {
            if files.last().is_none_or(|(last, ..)| last != name) {
                files.push((name.into(), Crc32::default(), 0, Vec::new()));
            }
            if let Some((_, crc, len, pieces)) = files.last_mut() {
                crc.update(&bytes);
                *len += bytes.len() as u64;
                pieces.push(js_sys::Uint8Array::from(bytes.as_slice()));
            }
        };
        match adapter {
            true => adapter_files(&mut inner.model).await?.into_iter().for_each(|(name, bytes)| add(&name, bytes)),
            false => hf_pieces(&mut inner.model, &self.tokenizer.to_json(), Dtype::F32, add).await?,
        }
        let (mut zip, all) = (StoredZip::default(), js_sys::Array::new());
        for (name, crc, len, pieces) in files {
            all.push(&js_sys::Uint8Array::from(zip.entry(&name, len, crc.sum())?.as_slice()));
            pieces.iter().for_each(|piece| {
                all.push(piece);
            });
        }
        all.push(&js_sys::Uint8Array::from(zip.finish()?.as_slice()));
        Ok(all)
    }

    /// Adds an adapter in PEFT's format to the model, from the contents of its configuration and the file of its weights.
    ///
    /// # Errors
    /// A readable `Error` when the files are damaged, do not fit the model, or the model has other adapters.
    #[wasm_bindgen(js_name = addAdapter)]
    pub async fn add_adapter(&self, config: Vec<u8>, weights: web_sys::Blob) -> Result<(), JsError> {
        let mut inner = self.take()?;
        let result = add_adapter(&mut inner, &config, &weights).await;
        self.put_back(inner);
        result.map_err(|e| js_error(&e))
    }

    /// How strongly the adapters act when the model writes: 0 is the base model, 1 the adapted one. Training is at 1.
    ///
    /// # Errors
    /// A readable `Error` when there are no adapters.
    #[wasm_bindgen(js_name = setLoraStrength)]
    pub fn set_lora_strength(&self, strength: f32) -> Result<(), JsError> {
        self.with(|inner| inner.model.set_lora_strength(strength))
    }
}

async fn add_adapter(inner: &mut Inner, config: &[u8], weights: &web_sys::Blob) -> Result<()> {
    loaded(inner)?;
    inner.end_run();
    let (len, read) = ranges(weights);
    let adapter = Adapter::from_peft_file(config, len, read, inner.model.config()).await?;
    apply_adapter(&mut inner.model, &adapter).await
}

impl Inner {
    /// Forgets the run; the weights stay.
    fn end_run(&mut self) {
        self.writing = None;
        if let Some(mut trainer) = self.trainer.take() {
            trainer.settle(&mut self.model);
        }
    }
}
