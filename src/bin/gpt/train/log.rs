//! The run's log: one JSON object a line for each step. It never holds the run up, and never ends it.

use super::super::disk::{self, io_error};
use super::super::output::{belongs_to_a_model, check_parent, is_disk, is_stdout, is_stream, open_stream};
use super::stream::Stream;
use gpt_playground::error::{Error, Result};
use gpt_playground::message::Message;
use gpt_playground::train::StepReport;
use serde::Serialize;
use serde_json::{Map, Value};
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

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

/// What every line begins with.
const BEGINNING: &str = "{\"step\":";
const KEYS: [&str; 6] = ["step", "loss", "val_loss", "lr", "grad_norm", "tokens_per_second"];

/// The step of a log's line; `None` of any other text.
fn step_of(line: &[u8]) -> Option<u64> {
    let line: Map<String, Value> = serde_json::from_slice(line).ok()?;
    let known = line.len() >= 5 && line.keys().all(|key| KEYS.contains(&key.as_str()));
    if known { line.get("step")?.as_u64() } else { None }
}

/// Whether a line is the beginning of a log's line.
fn is_torn(line: &[u8]) -> bool {
    let beginning = BEGINNING.as_bytes();
    let begins = line.starts_with(beginning) || (!line.is_empty() && beginning.starts_with(line));
    begins && serde_json::from_slice::<Value>(line).is_err()
}

/// A log that may be written, and is not opened yet.
pub(super) struct Plan {
    path: PathBuf,
    stream: bool,
    /// Bytes that stay where a run is resumed; all of them where there is no number.
    keep: Option<u64>,
}

impl Plan {
    /// Looks, before there is any work to lose, whether the log can be added to. A run that goes on after step `kept`
    /// drops the lines at the log's end of later steps, which it will do again, and for this the whole log must be one.
    ///
    /// # Errors
    /// [`Error::Input`] where the file is something else; [`Error::Io`] where that cannot be known.
    pub fn check(path: &Path, kept: Option<usize>) -> Result<Self> {
        let name = path.display();
        let found = disk::find(path).map_err(|e| io_error(&format!("{name} cannot be read"), &e))?;
        if is_disk(found.as_ref()) {
            return Err(Error::Input(Message::uncoded(format!(
                "{name} is a whole disk; give --log the name of a file"
            ))));
        }
        let stream = is_stream(path, found.as_ref());
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let mut keep = None;
        match found {
            Some(found) if found.is_dir() => {
                return Err(Error::Input(Message::uncoded(format!(
                    "{name} is a folder; give --log the name of a file"
                ))));
            }
            Some(_) if !stream && belongs_to_a_model(&file) => {
                return Err(Error::Input(Message::uncoded(format!(
                    "{name} is a model's file; give --log another name"
                ))));
            }
            Some(_) if !stream => keep = kept.map(|step| lines_up_to(path, step)).transpose()?,
            None if !stream => check_parent(path)?,
            _ => {}
        }
        Ok(Self { path: path.into(), stream, keep })
    }

    /// Opens the log.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn open(self) -> Result<Log> {
        let sink = if is_stdout(&self.path) {
            Sink::Stream(Stream::new(std::io::stdout()))
        } else if self.stream {
            Sink::Stream(Stream::new(open_stream(&self.path)?))
        } else {
            let fail = |e: std::io::Error| io_error(&format!("{} cannot be written", self.path.display()), &e);
            let mut file = disk::append(&self.path).map_err(fail)?;
            if let Some(keep) = self.keep {
                file.cut(keep).map_err(fail)?;
            }
            // Of a program that was killed in the middle of a line.
            if file.last_byte().map_err(fail)?.is_some_and(|byte| byte != b'\n') {
                file.write_all(b"\n").map_err(fail)?;
            }
            Sink::File(file, Vec::new())
        };
        Ok(Log::new(Some((self.path, sink))))
    }
}

/// How many bytes of a log stay when its last lines of steps after `kept` are dropped.
fn lines_up_to(path: &Path, kept: usize) -> Result<u64> {
    let name = path.display();
    let fail = |e| io_error(&format!("{name} cannot be read"), &e);
    let mut file = BufReader::new(disk::open(path).map_err(fail)?);
    let (mut line, mut at, mut keep) = (Vec::new(), 0, 0);
    for number in 1.. {
        line.clear();
        at += file.read_until(b'\n', &mut line).map_err(fail)? as u64;
        if line.is_empty() {
            break;
        }
        line.pop_if(|byte| *byte == b'\n');
        match step_of(&line) {
            Some(step) if step <= kept as u64 => keep = at,
            Some(_) => {}
            // The program was killed as it wrote this.
            None if is_torn(&line) => {}
            None => {
                return Err(Error::Input(Message::uncoded(format!(
                    "line {number} of {name} is not of a log of `gpt train`, and --resume takes lines off a log's end; \
                     give another --log"
                ))));
            }
        }
    }
    Ok(keep)
}

enum Sink {
    /// A file, and what it has not taken yet.
    File(disk::File, Vec<u8>),
    Stream(Stream),
}

/// The log of a run, or none.
pub(super) struct Log {
    sink: Option<(PathBuf, Sink)>,
    /// The line of a step that is about to be evaluated.
    pending: Option<Line>,
    /// Why lines could not be written, the first time.
    trouble: Option<String>,
    told: bool,
}

impl Log {
    fn new(sink: Option<(PathBuf, Sink)>) -> Self {
        Self { sink, pending: None, trouble: None, told: false }
    }

    /// No log.
    pub fn none() -> Self {
        Self::new(None)
    }

    /// Adds a step's line, which waits where an evaluation belongs to it.
    pub fn step(&mut self, report: &StepReport, waits: bool) {
        self.flush();
        self.pending = Some(Line {
            step: report.step,
            loss: report.loss,
            val_loss: None,
            lr: report.lr,
            grad_norm: report.grad_norm,
            tokens_per_second: report.tokens_per_second.round(),
        });
        if !waits {
            self.flush();
        }
    }

    /// Whether the last line waits for an evaluation.
    pub fn waits(&self) -> bool {
        self.pending.is_some()
    }

    /// Adds a validation loss to the line of its step.
    pub fn evaluated(&mut self, step: usize, loss: f32) {
        if let Some(line) = self.pending.as_mut().filter(|line| line.step == step) {
            line.val_loss = Some(loss);
        }
        self.flush();
    }

    /// Writes the line that waits, after those that could not be written before.
    pub fn flush(&mut self) {
        let (Some(line), Some((_, sink))) = (self.pending.take(), &mut self.sink) else { return };
        // Numbers and fixed names cannot fail to become JSON.
        let Ok(line) = serde_json::to_string(&line) else { return };
        let line = format!("{line}\n").into_bytes();
        match sink {
            Sink::Stream(stream) => stream.send(line),
            Sink::File(file, waiting) => {
                waiting.extend(line);
                if let Err(e) = write(file, waiting) {
                    self.trouble.get_or_insert(e.to_string());
                }
            }
        }
    }

    /// What is to be told about the log, the first time that there is something.
    pub fn trouble(&mut self) -> Option<String> {
        let (path, sink) = self.sink.as_ref()?;
        if let Sink::Stream(stream) = sink {
            self.trouble = stream.trouble();
        }
        let trouble = self.trouble.as_ref().filter(|_| !self.told)?;
        self.told = true;
        Some(format!("the log {} cannot be written ({trouble}); training goes on", path.display()))
    }

    /// Ends the log. Waits for a reader that still reads; one that stands still is not waited for once `stop` is set.
    /// Returns what is to be told about it.
    pub fn close(mut self, stop: &AtomicBool) -> Option<String> {
        self.flush();
        let told = self.trouble();
        let Some((path, sink)) = self.sink.filter(|_| told.is_none() && !self.told) else {
            return told;
        };
        let (lost, why) = match sink {
            Sink::File(_, waiting) => (waiting.iter().filter(|byte| **byte == b'\n').count(), None),
            Sink::Stream(stream) => stream.close(stop),
        };
        let why = why.map_or_else(String::new, |why| format!(" ({why})"));
        (lost > 0).then(|| format!("the log {} lacks the last {lost} lines{why}", path.display()))
    }
}

/// Writes all of `waiting`, or leaves in it what was not taken: the next time begins there, in the middle of a line if
/// need be.
fn write(file: &mut disk::File, waiting: &mut Vec<u8>) -> std::io::Result<()> {
    while !waiting.is_empty() {
        match file.write(waiting) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => drop(waiting.drain(..n)),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
