//! A run as a file, and back.

use super::messages::Planned;
use super::plan::{CPU_MOST, Plan};
use super::{failed, is_gpu, loaded, ranges};
use crate::config::GptConfig;
use crate::error::{Error, Result};
use crate::message::message;
use crate::train::{Source, Trainer, check_state_from, restore_from, save_pieces};
use crate::web::messages::{Answer, OpenOptions, from_js, to_js};
use crate::web::session::{Inner, Session};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
impl Session {
    /// The run as one file: trained weights, moments, step and options. `piece` gets it as `Uint8Array`s, one after another;
    /// the next is made when the promise that it returns is fulfilled.
    ///
    /// # Errors
    /// A readable `Error` when there is no run, the device failed, or `piece` did.
    #[wasm_bindgen(js_name = saveState)]
    pub async fn save_state(&self, piece: js_sys::Function) -> Answer<()> {
        let saved = self.with_model(async |inner| match &mut inner.trainer {
            Some(trainer) => {
                let hand_over = async |bytes: Vec<u8>| {
                    let copy = js_sys::Uint8Array::from(bytes.as_slice());
                    drop(bytes);
                    let taken = piece.call1(&JsValue::NULL, &copy).map_err(|e| failed(&e))?;
                    JsFuture::from(js_sys::Promise::resolve(&taken)).await.map(drop).map_err(|e| failed(&e))
                };
                save_pieces(&mut inner.model, trainer, hand_over).await
            }
            None => Err(Error::Input(message!("saved.nothing_to_save", "there is no training run to save"))),
        });
        Ok(saved.await?)
    }

    /// Allocates the model of a run that is trained as a whole, for `restoreState`. `options` and `files` are those of `open`,
    /// `file` is what `saveState` wrote, which is compared with the configuration before the model takes its memory.
    ///
    /// # Errors
    /// As `open`, and where the file is damaged or belongs to another model.
    #[wasm_bindgen(js_name = openRun)]
    pub async fn open_run(options: JsValue, files: js_sys::Object, file: web_sys::Blob) -> Answer<Session> {
        let options: OpenOptions = from_js(options)?;
        let (len, read) = ranges(&file);
        let check = async |config: &GptConfig| check_state_from(config, len, &read).await.map(drop);
        Ok(Self::create(&options, &files, check).await?)
    }

    /// Goes back to what `saveState` wrote, with the text of that run. A model that is trained as a whole needs no weights
    /// before; adapters need their base model loaded.
    ///
    /// # Errors
    /// A readable `Error` when the file is damaged or belongs to another model, or where the run does not fit into memory.
    #[wasm_bindgen(js_name = restoreState)]
    pub async fn restore_state(&self, file: web_sys::Blob, text: String) -> Answer<JsValue> {
        to_js(&self.with_model(async |inner| self.go_back(inner, &file, &text).await).await?)
    }

    async fn go_back(&self, inner: &mut Inner, file: &web_sys::Blob, text: &str) -> Result<Planned> {
        inner.end_run();
        let (len, read) = ranges(file);
        let options = check_state_from(inner.model.config(), len, &read).await?.options;
        let lora = options.lora.is_some();
        let plan = Plan::new(inner.model.config(), is_gpu(inner), self.tokenizer.encode(text)?, options)?;
        let needs = plan.preflight.total();
        if !is_gpu(inner) && needs > CPU_MOST {
            return Err(Error::Input(message!(
                "memory.run_on_cpu",
                "this run needs {needed} MB, and on the CPU there is room for {available} MB; open it \
                 with WebGPU",
                needed = needs / 1_000_000,
                available = CPU_MOST / 1_000_000
            )));
        }
        let state = restore_from(&mut inner.model, len, read).await?;
        if lora {
            loaded(inner)?;
        }
        // The file holds every weight.
        inner.loader = None;
        let described = plan.describe(state.step, Some(&inner.model));
        let best_in_force = state.best_in_force;
        let mut trainer = Trainer::resume(&inner.model, state, plan.options, Source::Text(plan.data))?;
        if best_in_force {
            trainer.use_best(&mut inner.model, true).await?;
        }
        inner.trainer = Some(trainer);
        Ok(described)
    }
}
