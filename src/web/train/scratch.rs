//! Models that begin from random weights.

use super::Plan;
use super::messages::{Planned, ScratchOptions};
use crate::error::{Error, Result};
use crate::message::message;
use crate::model::{Model, ModelOptions};
use crate::tokenizer::{Bpe, ByteTokenizer, CharTokenizer, Tokenizer};
use crate::train::presets::Preset;
use crate::web::messages::{Answer, from_js, to_js};
use crate::web::session::Session;
use serde_json::Value;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
impl Session {
    /// Makes a tokenizer from the text and a model with random weights. `options` is `{backend, preset, tokenizer, vocabSize,
    /// text, seed}`; the tokenizer is `char`, `byte` or `bpe`.
    ///
    /// # Errors
    /// A readable `Error` for an unknown preset or tokenizer, or where the backend or its memory cannot be had.
    #[wasm_bindgen(js_name = openScratch)]
    pub async fn open_scratch(options: JsValue) -> Answer<Session> {
        Ok(Self::scratch(&from_js(options)?).await?)
    }

    async fn scratch(options: &ScratchOptions) -> Result<Self> {
        let preset = Preset::find(&options.preset)?;
        let tokenizer: Rc<dyn Tokenizer> = match options.tokenizer.as_str() {
            "char" => Rc::new(CharTokenizer::train(&options.text)?),
            "byte" => Rc::new(ByteTokenizer::new()),
            "bpe" => Rc::new(Bpe::train(&options.text, options.vocab_size, &[])?),
            other => {
                return Err(Error::Input(message!(
                    "tokenizer.unknown_kind",
                    "there is no tokenizer '{name}'; choose among char, byte and bpe",
                    name = other
                )));
            }
        };
        let config = preset.config(tokenizer.vocab_size())?;
        let model_options = ModelOptions { backend: options.backend.parse()?, ..ModelOptions::default() };
        let mut model = Model::open(config, &model_options).await?;
        model.randomize(u64::from(options.seed))?;
        Ok(Self::around(tokenizer, model, None, Some(preset)))
    }

    /// The plan of a run that starts from random weights, before there is a model: the first argument is that of
    /// `openScratch`, the answer that of `trainPlan`. The tokens of a BPE, which would have to be trained first, are
    /// estimated.
    ///
    /// # Errors
    /// As `openScratch` and `trainPlan`.
    #[wasm_bindgen(js_name = scratchPlan)]
    pub fn scratch_plan(options: JsValue, given: JsValue) -> Answer<JsValue> {
        let (options, given) = (from_js(options)?, from_js(given)?);
        to_js(&plan(&options, &given)?)
    }
}

fn plan(options: &ScratchOptions, given: &Value) -> Result<Planned> {
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
    Ok(Plan::of_request(&preset.config(vocab)?, gpu, tokens, preset.options(), given)?.describe(0, None))
}
