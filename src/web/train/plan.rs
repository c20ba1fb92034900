//! What a run would be: its options, its text, and whether it fits into memory.

use super::messages::{Planned, PreflightBytes};
use crate::config::GptConfig;
use crate::error::{Error, Result};
use crate::model::{Model, Pass, Preflight};
use crate::train::{Dataset, TrainOptions, merge_options};
use serde_json::Value;
use wasm_bindgen::JsValue;

/// What a run may take on the CPU, in bytes: WebAssembly's memory ends at 4 GiB, and the text, its tokens, a second KV cache, and
/// the tensor that is being saved need room too.
const CPU_LIMIT: u64 = 3_200_000_000;
/// What a saved run may take there to be opened, which may have begun on a GPU.
pub(super) const CPU_MOST: u64 = 3_600_000_000;
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
pub(super) struct Plan {
    pub options: TrainOptions,
    pub data: Dataset,
    pub preflight: Preflight,
    limit: u64,
}

impl Plan {
    pub fn new(config: &GptConfig, gpu: bool, tokens: Vec<u32>, options: TrainOptions) -> Result<Self> {
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
    pub fn of_request(
        config: &GptConfig,
        gpu: bool,
        tokens: Vec<u32>,
        mut defaults: TrainOptions,
        given: &Value,
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

    pub fn check_memory(&self) -> Result<()> {
        self.preflight.check(self.limit)
    }

    /// `model` is the one that the run would train, where there is one already.
    pub fn describe(&self, step: usize, model: Option<&Model>) -> Planned {
        Planned {
            options: self.options.clone(),
            notes: self.data.notes(),
            bytes: PreflightBytes::new(&self.preflight, self.limit),
            tokens: self.data.train().len() + self.data.validation().len(),
            validation_tokens: self.data.validation().len(),
            step,
            replaces: model.is_some_and(|model| model.replaces_adapters(self.options.lora.as_ref())),
        }
    }
}
