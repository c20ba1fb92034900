//! A run as it goes on: pull-based like generation, and side by side with it. To pause, do not call `trainNext`.

use super::messages::{BestMessage, Planned, TrainEvents, TrainRequest};
use super::{Plan, is_gpu, loaded};
use crate::error::Result;
use crate::train::presets::fine_tuning;
use crate::train::{Event, Source, Trainer};
use crate::web::messages::{Answer, from_js, to_js};
use crate::web::session::{Inner, Session};
use wasm_bindgen::prelude::*;
use web_time::Duration;

impl Session {
    fn plan(&self, inner: &Inner, request: &TrainRequest) -> Result<Plan> {
        let tokens = self.tokenizer.encode(&request.text)?;
        let config = inner.model.config();
        let defaults = match self.preset {
            Some(preset) if !request.lora => preset.options(),
            _ => fine_tuning(config, tokens.len(), request.lora, inner.model.lora()),
        };
        Plan::of_request(config, is_gpu(inner), tokens, defaults, &request.options)
    }
}

#[wasm_bindgen]
impl Session {
    /// What a run would be, without starting it: `{options, notes, bytes, tokens, validationTokens, step, replaces}`. The
    /// request is `{text, lora, options}`, the options as JSON where they are not the defaults for this model and text. Where
    /// it `replaces` adapters that the model has, they have to be merged into the weights before it can start.
    ///
    /// # Errors
    /// A readable `Error` for options out of range or a text that is too short.
    #[wasm_bindgen(js_name = trainPlan)]
    pub fn train_plan(&self, request: JsValue) -> Answer<JsValue> {
        let request = from_js(request)?;
        to_js(&self.with(|inner| Ok(self.plan(inner, &request)?.describe(0, Some(&inner.model))))?)
    }

    /// Prepares a run; `trainNext` then works on it. A run there was is forgotten, its weights stay.
    ///
    /// # Errors
    /// As `trainPlan`, and where the run needs more memory than there is, or the model has other adapters or is trained in
    /// another way. Only a device that refuses memory also costs the run there was.
    #[wasm_bindgen(js_name = trainStart)]
    pub async fn train_start(&self, request: JsValue) -> Answer<JsValue> {
        let request = from_js(request)?;
        to_js(&self.with_model(async |inner| self.begin_run(inner, &request).await).await?)
    }

    async fn begin_run(&self, inner: &mut Inner, request: &TrainRequest) -> Result<Planned> {
        loaded(inner)?;
        let plan = self.plan(inner, request)?;
        plan.check_memory()?;
        inner.model.check_training(plan.options.lora.as_ref())?;
        let described = plan.describe(0, Some(&inner.model));
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
    pub async fn train_next(&self, budget_ms: f64) -> Answer<JsValue> {
        let budget = Duration::from_secs_f64(budget_ms.clamp(1.0, 10_000.0) / 1e3);
        let event = self.with_model(async |inner| {
            inner.writing = None;
            match &mut inner.trainer {
                Some(trainer) => trainer.advance(&mut inner.model, budget).await.map(Some),
                None => Ok(None),
            }
        });
        match event.await? {
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
    pub async fn train_drain(&self) -> Answer<JsValue> {
        let reports = self.with_model(async |inner| match &mut inner.trainer {
            Some(trainer) => trainer.drain(&mut inner.model).await,
            None => Ok(Vec::new()),
        });
        to_js(&TrainEvents::from(Event::Steps(reports.await?)))
    }

    /// Ends the run; the weights stay as they are.
    ///
    /// # Errors
    /// While an asynchronous call works.
    #[wasm_bindgen(js_name = trainStop)]
    pub fn train_stop(&self) -> Answer<()> {
        Ok(self.with(|inner| {
            inner.end_run();
            Ok(())
        })?)
    }

    /// The weights with the lowest validation loss: `{loss, step, inForce}`, or `null` where none are kept.
    ///
    /// # Errors
    /// While an asynchronous call works.
    #[wasm_bindgen(js_name = bestWeights)]
    pub fn best_weights(&self) -> Answer<JsValue> {
        to_js(&self.with(|inner| Ok(inner.trainer.as_ref().and_then(Trainer::best).map(BestMessage::from)))?)
    }

    /// Puts the weights with the lowest validation loss into the model, or those of the last step back. Writing and exports
    /// then use them; a run that goes on does so from the last. Returns `bestWeights()`.
    ///
    /// # Errors
    /// A readable `Error` when the device failed.
    #[wasm_bindgen(js_name = useBest)]
    pub async fn use_best(&self, best: bool) -> Answer<JsValue> {
        let used = self.with_model(async |inner| {
            inner.writing = None;
            match &mut inner.trainer {
                Some(trainer) => trainer.use_best(&mut inner.model, best).await,
                None => Ok(false),
            }
        });
        used.await?;
        self.best_weights()
    }
}
