//! What a run writes: its folder, its log, the first step's gradients.

use super::super::files::{check_no_weights, folder, write, write_all};
use super::super::load::io_error;
use super::start::Named;
use gpt_playground::error::{Error, Result};
use gpt_playground::model::Model;
use gpt_playground::model::checkpoint::{Dtype, TensorOut, write_safetensors};
use gpt_playground::train::export::{adapter, hf_files, hf_name};
use gpt_playground::train::peft::{peft_name, transpose};
use gpt_playground::train::{StepReport, Trainer, save};
use serde::Serialize;
use serde_json::Value;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The file that a run goes on from.
pub(super) const STATE_FILE: &str = "training_state.safetensors";

/// The folder a run writes to.
pub(super) struct Output {
    pub dir: PathBuf,
    /// Contents of tokenizer.json; empty where there is no tokenizer.
    pub tokenizer: String,
    /// The model beside which an adapter is trained.
    pub base: Option<String>,
}

impl Output {
    async fn export(&self, model: &mut Model, dir: &Path) -> Result<()> {
        let files = match model.lora() {
            Some(_) => adapter(model).await?.to_peft(self.base.as_deref())?,
            None => hf_files(model, &self.tokenizer, Dtype::F32).await?,
        };
        write_all(dir, &files)
    }

    /// Writes the model as it is now, and last what the run goes on from.
    pub async fn save(&self, model: &mut Model, trainer: &mut Trainer) -> Result<()> {
        let state = save(model, trainer).await?;
        self.export(model, &self.dir).await?;
        write(&self.dir.join(STATE_FILE), &state)
    }

    /// Writes the weights of the lowest validation loss so far.
    pub async fn save_best(&self, model: &mut Model) -> Result<()> {
        self.export(model, &self.dir.join("best")).await
    }

    /// Removes the best weights, which are the last ones.
    pub fn drop_best(&self) -> Result<()> {
        let best = self.dir.join("best");
        match std::fs::remove_dir_all(&best) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(io_error(&format!("{} cannot be removed", best.display()), &e))
            }
            _ => Ok(()),
        }
    }
}

/// A line of the log.
#[derive(Serialize)]
struct Line {
    step: usize,
    loss: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    val_loss: Option<f32>,
    lr: f64,
    grad_norm: f32,
    tokens_per_second: f64,
}

/// One JSON object a line for each step.
pub(super) struct Log {
    file: Option<(PathBuf, File)>,
    /// The last step's line, which waits for its evaluation.
    pending: Option<Line>,
}

impl Log {
    /// Begins a log, or goes on with one after step `kept`, dropping what a run that was cut short wrote later.
    pub fn open(path: Option<&Path>, kept: Option<usize>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self { file: None, pending: None }) };
        let fail = |e: std::io::Error| io_error(&format!("{} cannot be written", path.display()), &e);
        let mut lines = String::new();
        if let (Some(kept), Ok(text)) = (kept, std::fs::read_to_string(path)) {
            let step = |line: &str| serde_json::from_str::<Value>(line).ok()?["step"].as_u64();
            for line in text.lines().filter(|l| step(l).is_some_and(|s| s as usize <= kept)) {
                lines.push_str(line);
                lines.push('\n');
            }
        }
        let mut file = File::create(path).map_err(fail)?;
        file.write_all(lines.as_bytes()).map_err(fail)?;
        Ok(Self { file: Some((path.to_path_buf(), file)), pending: None })
    }

    pub fn step(&mut self, report: &StepReport) -> Result<()> {
        self.flush()?;
        self.pending = Some(Line {
            step: report.step,
            loss: report.loss,
            val_loss: None,
            lr: report.lr,
            grad_norm: report.grad_norm,
            tokens_per_second: report.tokens_per_second.round(),
        });
        Ok(())
    }

    /// Adds a validation loss to the line of its step.
    pub fn evaluated(&mut self, step: usize, loss: f32) {
        if let Some(line) = self.pending.as_mut().filter(|line| line.step == step) {
            line.val_loss = Some(loss);
        }
    }

    pub fn flush(&mut self) -> Result<()> {
        if let (Some(line), Some((path, file))) = (self.pending.take(), &mut self.file) {
            let line = serde_json::to_string(&line).map_err(|e| Error::Io(format!("{}: {e}", path.display())))?;
            let written = file.write_all(format!("{line}\n").as_bytes());
            written.map_err(|e| io_error(&format!("{} cannot be written", path.display()), &e))?;
        }
        Ok(())
    }
}

/// Writes gradients under Hugging Face's names, those of adapters under PEFT's and in its (out, in) layout.
pub(super) fn dump_gradients(path: &Path, found: Vec<Named>) -> Result<()> {
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
    write(path, &write_safetensors(&tensors, &[("format", "pt")])?)
}

/// Refuses a folder whose contents would be lost.
pub(super) fn check_free(dir: &Path) -> Result<()> {
    let name = dir.display();
    if dir.join(STATE_FILE).exists() {
        return Err(Error::Input(format!(
            "{name} holds a training run; add --resume to go on, or choose another --out"
        )));
    }
    check_no_weights(dir)?;
    // Now rather than after hours of training.
    folder(dir)
}
