//! Training in the session.

mod adapter;
mod export;
mod messages;
mod plan;
mod run;
mod saved;
mod scratch;

use super::session::{Inner, loaded};
use crate::error::{Error, Result};
use crate::message::message;
use plan::Plan;
use std::ops::Range;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

fn is_gpu(inner: &Inner) -> bool {
    inner.model.backend() == "gpu"
}

/// What the browser failed with when it read or wrote a saved run.
fn failed(error: &JsValue) -> Error {
    let words = error.dyn_ref::<js_sys::Error>().map(|e| String::from(e.message()));
    let words = words.unwrap_or_else(|| format!("{error:?}"));
    Error::Io(message!(
        "saved.browser",
        "the browser could not read or write the saved run ({cause}); try again",
        cause = words
    ))
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

impl Inner {
    /// Forgets the run; the weights stay.
    fn end_run(&mut self) {
        self.writing = None;
        if let Some(mut trainer) = self.trainer.take() {
            trainer.settle(&mut self.model);
        }
    }
}
