//! What a run writes: its folder, and the first step's gradients.

use super::super::load::BASE_KEY;
use super::super::output::{BEST, Folder, Maker, OutFile, STATE_FILE};
use gpt_playground::config::GptConfig;
use gpt_playground::error::{Error, Result};
use gpt_playground::message::Message;
use gpt_playground::model::Model;
use gpt_playground::model::checkpoint::{Dtype, TensorOut, write_safetensors};
use gpt_playground::model::lora::LoraOptions;
use gpt_playground::model::params::param_specs;
use gpt_playground::train::export::{adapter, hf_files, hf_name};
use gpt_playground::train::peft::{self, peft_name, transpose};
use gpt_playground::train::{Trainer, save};
use serde_json::Value;

/// A tensor: its name, shape and values.
pub(super) type Named = (String, Vec<usize>, Vec<f32>);

/// A small text file: its name and contents.
type Text = (String, Vec<u8>);

/// The model beside which an adapter is trained.
pub(super) struct Base {
    /// Its folder, as the user names it.
    pub path: String,
    /// What its weights are.
    pub fingerprint: String,
}

/// What a run writes to its folder.
pub(super) struct Output {
    folder: Folder,
    /// Contents of tokenizer.json; empty where there is no tokenizer.
    tokenizer: String,
    base: Option<Base>,
    /// Whether the folder holds a save that the run can go on from.
    saved: bool,
    /// After which step the best weights in the folder were made, where there are some.
    best_step: Option<usize>,
    /// The small files as they were last written.
    texts: Vec<Text>,
}

/// The names of the files that a run writes beside [`STATE_FILE`]: first the weights'.
pub(super) fn file_names(lora: bool) -> &'static [&'static str] {
    match lora {
        true => &[peft::WEIGHTS_FILE, peft::CONFIG_FILE],
        false => &["model.safetensors", "config.json", "generation_config.json", "tokenizer.json"],
    }
}

/// The names of the tensors in the weights' file, in their order.
pub(super) fn tensor_names(config: &GptConfig, lora: Option<&LoraOptions>) -> Vec<String> {
    match lora {
        Some(lora) => lora.specs(config).iter().map(|spec| peft_name(&spec.name)).collect(),
        None => param_specs(config).iter().map(|spec| hf_name(&spec.name)).collect(),
    }
}

/// Whether two configurations of an adapter differ by nothing but where its base lies.
fn moved_base(before: &[u8], now: &[u8]) -> bool {
    let read = |bytes: &[u8]| -> Option<Value> {
        let mut json: Value = serde_json::from_slice(bytes).ok()?;
        json.as_object_mut()?.remove("base_model_name_or_path");
        Some(json)
    };
    read(before).is_some_and(|before| read(now) == Some(before))
}

impl Output {
    /// Of a run that begins, or goes on with what is `saved` in the folder.
    pub fn new(folder: Folder, tokenizer: String, base: Option<Base>, saved: bool) -> Self {
        Self { folder, tokenizer, base, saved, best_step: None, texts: Vec::new() }
    }

    fn weights(&self) -> &'static str {
        file_names(self.base.is_some())[0]
    }

    /// The files that a model is written to.
    fn names(&self) -> Vec<&'static str> {
        let all = file_names(self.base.is_some()).iter().copied();
        all.filter(|name| *name != "tokenizer.json" || !self.tokenizer.is_empty()).collect()
    }

    /// Looks for the best weights that an earlier process of this run had.
    ///
    /// # Errors
    /// [`Error::Io`] where that cannot be known.
    pub fn find_best(&mut self, trainer: &Trainer) -> Result<()> {
        if self.folder.holds_best(&self.names())? {
            self.best_step = trainer.best().map(|best| best.step);
        }
        Ok(())
    }

    /// Whether the best weights are in the folder.
    pub fn has_best(&self) -> bool {
        self.best_step.is_some()
    }

    /// The files of the model as it is now: small texts, and the weights.
    async fn files(&self, model: &mut Model) -> Result<(Vec<Text>, Vec<u8>)> {
        let files = match &self.base {
            Some(base) => adapter(model).await?.to_peft(Some(&base.path))?,
            None => hf_files(model, &self.tokenizer, Dtype::F32).await?,
        };
        let (weights, texts): (Vec<_>, Vec<_>) = files.into_iter().partition(|(name, _)| name == self.weights());
        let weights = weights.into_iter().next().map(|(_, bytes)| bytes);
        Ok((texts, weights.ok_or_else(|| Error::Checkpoint(Message::uncoded("the model has no weights")))?))
    }

    fn put_texts(&mut self, folder: &str, texts: Vec<Text>) -> Result<()> {
        for (name, bytes) in &texts {
            self.folder.put_text(&format!("{folder}{name}"), bytes, |before| moved_base(before, bytes))?;
        }
        self.texts = texts;
        Ok(())
    }

    fn put_weights(&mut self, folder: &str, bytes: &[u8], maker: Maker) -> Result<()> {
        let name = format!("{folder}{}", self.weights());
        let base = self.base.as_ref().map(|base| (BASE_KEY, base.fingerprint.as_str()));
        self.folder.put_weights(&name, bytes, maker, base.as_slice())
    }

    /// Saves the run: what it goes on from, with the small files that this needs, then the model as it is now. What of
    /// it can be written is written.
    ///
    /// # Errors
    /// The first that came; each file is then as it was before, or whole.
    pub async fn save(&mut self, model: &mut Model, trainer: &mut Trainer) -> Result<()> {
        let state = save(model, trainer).await?;
        // Written before the first of the others, so that a full disk leaves nothing of a run that cannot go on.
        let state = self.folder.prepare_state(&state);
        let files = self.files(model).await;
        let (texts, weights) = match files {
            Ok((texts, weights)) => (self.put_texts("", texts), Ok(weights)),
            Err(e) => (Err(e.clone()), Err(e)),
        };
        let state = match (state, &texts) {
            // A folder with a save has what belongs to it.
            (Ok(part), Err(e)) if !self.saved => {
                drop(part);
                return Err(e.clone());
            }
            (part, _) => part.and_then(|part| part.commit()),
        };
        self.saved |= state.is_ok();
        let weights = weights.and_then(|bytes| self.put_weights("", &bytes, Maker::Train));
        let best = self.keep_best(model, trainer).await;
        state.and(texts).and(weights).and(best)
    }

    /// Writes the weights of the lowest validation loss so far, which the model has now, after `step` steps.
    ///
    /// # Errors
    /// As [`Output::save`]; the next save tries it again.
    pub async fn save_best(&mut self, model: &mut Model, step: usize) -> Result<()> {
        let (texts, weights) = self.files(model).await?;
        // By the weights the folder is known for the run's.
        self.put_weights(&format!("{BEST}/"), &weights, Maker::Best)?;
        self.put_texts(&format!("{BEST}/"), texts)?;
        self.best_step = Some(step);
        Ok(())
    }

    /// Writes the best weights where the folder lacks them: they could not be written, or were the last of a run that
    /// has gone on. The last are in the folder anyway, and before the first step there is nothing worth keeping.
    async fn keep_best(&mut self, model: &mut Model, trainer: &mut Trainer) -> Result<()> {
        let here = [0, trainer.step()];
        let Some(best) = trainer.best().filter(|best| !here.contains(&best.step)) else { return Ok(()) };
        if self.best_step == Some(best.step) || !trainer.use_best(model, true).await? {
            return Ok(());
        }
        let saved = self.save_best(model, best.step).await;
        trainer.use_best(model, false).await?;
        saved
    }

    /// Removes the best weights, which are the last ones.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn drop_best(&mut self) -> Result<()> {
        self.folder.drop_best(self.weights(), &self.texts)?;
        self.best_step = None;
        Ok(())
    }

    /// What to say where the last save failed.
    pub fn not_saved(&self, step: usize, e: &Error) -> Error {
        let out = self.folder.path().display();
        let rest = match self.saved {
            true => {
                format!("{out} holds what was saved before; make room or mend what is wrong, and go on with --resume")
            }
            false => "nothing of it is saved".into(),
        };
        Error::Io(Message::uncoded(format!("the run is not saved after step {step}: {e}. {rest}")))
    }
}

/// The files that a run's folder may hold, by the names that messages call them by.
pub(super) fn places(dir: &std::path::Path) -> Vec<(String, std::path::PathBuf)> {
    let names = [true, false].into_iter().flat_map(|lora| file_names(lora).iter().copied());
    let names = names.flat_map(|name| [name.to_string(), format!("{BEST}/{name}")]).chain([STATE_FILE.to_string()]);
    names.map(|name| (format!("{name} of --out"), dir.join(&name))).collect()
}

/// Writes gradients under Hugging Face's names, those of adapters under PEFT's and in its (out, in) layout.
pub(super) fn dump_gradients(file: &OutFile, found: Vec<Named>) -> Result<()> {
    let rename = |(name, shape, data): Named| {
        if name.contains(".lora_") {
            return (peft_name(&name), vec![shape[1], shape[0]], transpose(&data, [shape[0], shape[1]]));
        }
        (hf_name(&name), shape, data)
    };
    let all: Vec<_> = found.into_iter().map(rename).collect();
    let tensors: Vec<TensorOut<'_>> = all
        .iter()
        .map(|(name, shape, data)| TensorOut { name: name.clone(), shape: shape.clone(), dtype: Dtype::F32, data })
        .collect();
    file.write(&write_safetensors(&tensors, &[("format", "pt"), Maker::Gradients.entry()])?)
}
