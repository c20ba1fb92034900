//! Models and adapters as files.

use super::loaded;
use crate::error::Result;
use crate::model::checkpoint::Dtype;
use crate::train::Crc32;
use crate::train::export::{StoredZip, adapter_files, hf_pieces};
use crate::web::messages::Answer;
use crate::web::object::{Maker, array};
use crate::web::session::{Inner, Session};
use wasm_bindgen::prelude::*;

/// `[{name, bytes}]`.
fn files_to_js(files: Vec<(String, Vec<u8>)>) -> JsValue {
    let file = |(name, bytes): (String, Vec<u8>)| {
        Maker::new().with("name", name).with("bytes", js_sys::Uint8Array::from(bytes.as_slice())).done()
    };
    array(files.into_iter().map(file)).into()
}

#[wasm_bindgen]
impl Session {
    /// `config.json` and `tokenizer.json` of the model, as `[{name, bytes}]`.
    ///
    /// # Errors
    /// While an asynchronous call works.
    #[wasm_bindgen(js_name = modelFiles)]
    pub fn model_files(&self) -> Answer<JsValue> {
        let config = self.with(|inner| Ok(inner.model.config().to_json()))?;
        let files = [("config.json", config), ("tokenizer.json", self.tokenizer.to_json())];
        Ok(files_to_js(files.into_iter().map(|(name, text)| (name.to_string(), text.into_bytes())).collect()))
    }

    /// The model as one zip, in pieces, a list of `Uint8Array` to be put one after another: `model` is a Hugging Face folder,
    /// adapters merged; `adapter` is PEFT's two files.
    ///
    /// # Errors
    /// A readable `Error` when there are no adapters or the device failed.
    #[wasm_bindgen(js_name = exportZip)]
    pub async fn export_zip(&self, kind: String) -> Answer<js_sys::Array> {
        Ok(self.with_model(async |inner| self.export(inner, kind == "adapter").await).await?)
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
}
