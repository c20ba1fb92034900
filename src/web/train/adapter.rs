//! Adapters from files, and how strongly they act.

use super::{loaded, ranges};
use crate::error::Result;
use crate::train::export::apply_adapter;
use crate::train::peft::Adapter;
use crate::web::messages::Answer;
use crate::web::session::{Inner, Session};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
impl Session {
    /// Adds an adapter in PEFT's format to the model, from the contents of its configuration and the file of its weights.
    ///
    /// # Errors
    /// A readable `Error` when the files are damaged, do not fit the model, or the model has other adapters.
    #[wasm_bindgen(js_name = addAdapter)]
    pub async fn add_adapter(&self, config: Vec<u8>, weights: web_sys::Blob) -> Answer<()> {
        Ok(self.with_model(async |inner| add_adapter(inner, &config, &weights).await).await?)
    }

    /// How strongly the adapters act when the model writes: 0 is the base model, 1 the adapted one. Training is at 1.
    ///
    /// # Errors
    /// A readable `Error` when there are no adapters.
    #[wasm_bindgen(js_name = setLoraStrength)]
    pub fn set_lora_strength(&self, strength: f32) -> Answer<()> {
        Ok(self.with(|inner| inner.model.set_lora_strength(strength))?)
    }
}

async fn add_adapter(inner: &mut Inner, config: &[u8], weights: &web_sys::Blob) -> Result<()> {
    loaded(inner)?;
    inner.end_run();
    let (len, read) = ranges(weights);
    let adapter = Adapter::from_peft_file(config, len, read, inner.model.config()).await?;
    apply_adapter(&mut inner.model, &adapter).await
}
