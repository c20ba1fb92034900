//! A folder that a command was told to write: a model, an adapter, a run.

use super::super::disk::{self, File, TryLockError, io_error};
use super::super::say::warn;
use super::maker::{Maker, header, with_metadata};
use super::replace::{Part, is_part_of};
use super::target;
use gpt_playground::error::{Error, Result};
use gpt_playground::message::Message;
use gpt_playground::model::checkpoint::Header;
use gpt_playground::train::is_state;
use std::path::{Path, PathBuf};

/// The file that a run goes on from.
pub(crate) const STATE_FILE: &str = "training_state.safetensors";
/// The folder in a run's for the weights of its lowest validation loss.
pub(crate) const BEST: &str = "best";

/// The folder of one command, which keeps others out of it.
pub(crate) struct Folder {
    dir: PathBuf,
    /// Held as long as this lives.
    _lock: Option<File>,
    /// Files of a version of this program that did not write their maker's name.
    adopted: Vec<PathBuf>,
    /// Files that were found changed, which has been said.
    told: Vec<PathBuf>,
    /// The folder for the best weights was there before, with nothing in it.
    best_stays: bool,
    /// The folder was made and has nothing in it yet.
    idle: bool,
}

impl Drop for Folder {
    /// A command that was refused leaves no empty folder behind.
    fn drop(&mut self) {
        if self.idle {
            let _ = disk::remove_empty_folder(&self.dir);
        }
    }
}

/// What may be replaced.
#[derive(Clone, Copy)]
enum Own {
    State,
    Weights(Maker),
}

impl Own {
    fn made(self, header: &Header) -> bool {
        match self {
            Self::State => is_state(header),
            Self::Weights(maker) => maker.made(header),
        }
    }
}

/// Whether transformers, peft or this program take a file of this name for part of a model.
pub(crate) fn belongs_to_a_model(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "config.json",
        "generation_config.json",
        "adapter_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "chat_template.jinja",
        "vocab.json",
        "vocab.txt",
        "merges.txt",
        STATE_FILE,
    ];
    const STEMS: [&str; 6] = ["model", "adapter_model", "pytorch_model", "tf_model", "flax_model", "consolidated"];
    const ENDS: [&str; 9] = [".safetensors", ".bin", ".index.json", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".onnx"];
    let weights = STEMS.iter().any(|stem| name.starts_with(stem)) || name.contains("-of-");
    NAMES.contains(&name) || name.ends_with(".gguf") || (weights && ENDS.iter().any(|end| name.ends_with(end)))
}

/// Some names as a sentence has them.
fn in_words(names: &[String]) -> String {
    const SHOWN: usize = 6;
    match names {
        [one] => one.clone(),
        [most @ .., last] if names.len() <= SHOWN => format!("{} and {last}", most.join(", ")),
        _ => format!("{} and {} more files", names[..SHOWN].join(", "), names.len() - SHOWN),
    }
}

/// Opens what is locked for a folder. Where a folder cannot be opened, a file in it stands for it.
fn open_lock(dir: &Path) -> std::io::Result<File> {
    if cfg!(unix) { disk::open(dir) } else { disk::append(&dir.join(".gpt-lock")) }
}

fn lock(dir: &Path) -> Result<Option<File>> {
    let name = dir.display();
    let opened = open_lock(dir).map_err(TryLockError::Error);
    match opened.and_then(|file| file.try_lock().map(|()| file)) {
        Ok(file) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(Error::Input(Message::uncoded(format!(
            "another gpt is writing to {name}; wait until it has ended, or choose another --out"
        )))),
        Err(TryLockError::Error(e)) => {
            warn(format_args!(
                "{name} cannot be kept for this program alone ({e}); let no other gpt write to it meanwhile"
            ));
            Ok(None)
        }
    }
}

impl Folder {
    /// Makes the folder where there is none, and keeps other processes of this program out of it until this is dropped.
    ///
    /// # Errors
    /// [`Error::Input`] where another one writes to it; [`Error::Io`] where it cannot be made.
    pub fn open(dir: &Path) -> Result<Self> {
        let fail = |e: std::io::Error| io_error(&format!("{} cannot be made", dir.display()), &e);
        let before = disk::find(dir).map_err(fail)?;
        if before.as_ref().is_some_and(|m| !m.is_dir()) {
            return Err(Error::Input(Message::uncoded(format!(
                "{} is no folder; choose another --out",
                dir.display()
            ))));
        }
        disk::make_folder(dir).map_err(fail)?;
        let lock = lock(dir)?;
        let mut folder = Self {
            dir: dir.into(),
            _lock: lock,
            adopted: Vec::new(),
            told: Vec::new(),
            best_stays: false,
            idle: before.is_none(),
        };
        let best = folder.dir.join(BEST);
        folder.best_stays = disk::find(&best).map_err(folder.cannot_read())?.is_some() && !folder.has_best()?;
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    fn cannot_read(&self) -> impl Fn(std::io::Error) -> Error {
        let name = self.dir.display().to_string();
        move |e| io_error(&format!("{name} cannot be read"), &e)
    }

    /// Refuses a folder that holds a model or a part of one, which would be lost, or mixed with another.
    ///
    /// # Errors
    /// [`Error::Input`] naming the files.
    pub fn check_free(&self) -> Result<()> {
        let dir = self.dir.display();
        let names = disk::list(&self.dir).map_err(self.cannot_read())?;
        let names: Vec<String> = names.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        if names.iter().any(|name| name == STATE_FILE) {
            return Err(Error::Input(Message::uncoded(format!(
                "{dir} holds a training run; add --resume to go on, or choose another --out"
            ))));
        }
        let (weights, mut texts): (Vec<_>, Vec<_>) =
            names.into_iter().filter(|name| belongs_to_a_model(name)).partition(|name| name.ends_with(".safetensors"));
        let mut found = weights;
        found.append(&mut texts);
        if !found.is_empty() {
            let found = in_words(&found);
            return Err(Error::Input(Message::uncoded(format!(
                "{dir} holds {found}, which would be lost or mixed with another model; choose another --out"
            ))));
        }
        Ok(())
    }

    /// Refuses a folder in which there is something where the best weights belong.
    ///
    /// # Errors
    /// [`Error::Input`] saying what to do.
    pub fn check_best_free(&self) -> Result<()> {
        if self.has_best()? { Err(self.foreign_best()) } else { Ok(()) }
    }

    /// Whether there is something where the best weights belong. An empty folder is nothing.
    fn has_best(&self) -> Result<bool> {
        let best = self.dir.join(BEST);
        match disk::find(&best).map_err(self.cannot_read())? {
            None => Ok(false),
            Some(found) if !found.is_dir() => Ok(true),
            Some(_) => Ok(!disk::list(&best).map_err(self.cannot_read())?.is_empty()),
        }
    }

    fn foreign_best(&self) -> Error {
        let best = self.dir.join(BEST);
        Error::Input(Message::uncoded(format!(
            "{} is not of this run, which would write its best weights there; rename it, choose another --out, or turn \
             validation off with --eval-every 0",
            best.display()
        )))
    }

    /// Checks that the weights which a run will replace are its own. Versions of this program that wrote no maker's
    /// name are known by the order of the tensors, `names`, in which no other program writes them. `best` says whether
    /// the folder for the best weights will be needed.
    ///
    /// # Errors
    /// [`Error::Input`] naming the file that is not the run's.
    pub fn check_own(&mut self, weights: &str, names: &[String], best: bool) -> Result<()> {
        let best_weights = format!("{BEST}/{weights}");
        for (name, maker) in [(weights, Maker::Train), (best_weights.as_str(), Maker::Best)] {
            if maker == Maker::Best && !(best && self.has_best()?) {
                continue;
            }
            let path = self.target(name)?;
            let found = match disk::find(&path).map_err(self.cannot_read())? {
                Some(found) if found.is_file() => header(&path).map_err(self.cannot_read())?,
                _ => None,
            };
            let old = |h: &Header| {
                let plain = h.metadata.len() == 1 && h.metadata.get("format").is_some_and(|f| f == "pt");
                plain && h.entries.iter().map(|entry| &entry.name).eq(names)
            };
            match found {
                Some(header) if maker.made(&header) => {}
                Some(header) if old(&header) => self.adopted.push(path),
                _ if maker == Maker::Best => return Err(self.foreign_best()),
                _ => self.may_replace(&path, Own::Weights(maker))?,
            }
        }
        Ok(())
    }

    /// Tries whether the folder can be written, now rather than after hours of training.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot.
    pub fn check_writable(&self) -> Result<()> {
        Part::write(&self.dir.join(STATE_FILE), &[]).map(drop)
    }

    /// Whether all these files of the best weights are there.
    ///
    /// # Errors
    /// [`Error::Io`] where that cannot be known.
    pub fn holds_best(&self, files: &[&str]) -> Result<bool> {
        for file in files {
            if disk::find(&self.dir.join(BEST).join(file)).map_err(self.cannot_read())?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes half-written files of a process that was killed. Only while no other can be writing them.
    pub fn clean(&self, files: &[&str]) {
        if self._lock.is_none() {
            return;
        }
        for dir in [self.dir.clone(), self.dir.join(BEST)] {
            let names = match disk::list(&dir) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                Err(e) => {
                    warn(format_args!("{} cannot be read: {e}", dir.display()));
                    continue;
                }
                Ok(names) => names,
            };
            for name in names.iter().filter(|name| files.iter().any(|file| is_part_of(name, file))) {
                let path = dir.join(name);
                if let Err(e) = disk::remove(&path) {
                    warn(format_args!("{} is half written and cannot be removed: {e}", path.display()));
                }
            }
        }
    }

    /// The file that a name in the folder means.
    fn target(&self, name: &str) -> Result<PathBuf> {
        let path = self.dir.join(name);
        target(&path).map_err(|e| io_error(&path.display().to_string(), &e))
    }

    /// Whether the file may be written, as it is now: somebody may have put another there during a long run.
    fn may_replace(&self, path: &Path, own: Own) -> Result<()> {
        let fail = |e| io_error(&format!("{} cannot be read", path.display()), &e);
        let free = match disk::find(path).map_err(fail)? {
            None => true,
            Some(found) if !found.is_file() => false,
            Some(_) if self.adopted.iter().any(|known| known == path) => true,
            Some(_) => header(path).map_err(fail)?.is_some_and(|header| own.made(&header)),
        };
        if free {
            return Ok(());
        }
        let name = path.display();
        Err(Error::Input(Message::uncoded(format!(
            "{name} is not of this run, so it stays as it is; move it away, or choose another --out"
        ))))
    }

    fn make_parent(&self, name: &str) -> Result<()> {
        let Some((folder, _)) = name.rsplit_once('/') else { return Ok(()) };
        let folder = self.dir.join(folder);
        disk::make_folder(&folder).map_err(|e| io_error(&format!("{} cannot be made", folder.display()), &e))
    }

    /// Writes weights, with `entries` in their metadata beside the maker's.
    ///
    /// # Errors
    /// [`Error::Input`] where another's file has the name; [`Error::Io`]. What was there before is then still there.
    pub fn put_weights(&mut self, name: &str, bytes: &[u8], maker: Maker, entries: &[(&str, &str)]) -> Result<()> {
        let path = self.target(name)?;
        self.may_replace(&path, Own::Weights(maker))?;
        self.make_parent(name)?;
        let (header, values) = with_metadata(bytes, &[&[maker.entry()], entries].concat())?;
        self.idle = false;
        Part::write(&path, &[&header, values])?.commit()?;
        self.adopted.retain(|known| *known != path);
        Ok(())
    }

    /// Writes what a run goes on from, up to its name, which [`Part::commit`] gives it.
    ///
    /// # Errors
    /// As [`Folder::put_weights`].
    pub fn prepare_state(&mut self, bytes: &[u8]) -> Result<Part> {
        let path = self.target(STATE_FILE)?;
        self.may_replace(&path, Own::State)?;
        self.idle = false;
        Part::write(&path, &[bytes])
    }

    /// Writes a small text file where there is none, or where `replaces` knows the one that is there for this
    /// program's. One that was changed stays as it is, which is said once.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn put_text(&mut self, name: &str, bytes: &[u8], replaces: impl Fn(&[u8]) -> bool) -> Result<()> {
        let path = self.target(name)?;
        let before =
            disk::read_if_there(&path).map_err(|e| io_error(&format!("{} cannot be read", path.display()), &e))?;
        match before {
            Some(before) if before == bytes => Ok(()),
            Some(before) if !replaces(&before) => {
                if !self.told.contains(&path) {
                    warn(format_args!("{} is not as this program would write it, and stays as it is", path.display()));
                    self.told.push(path);
                }
                Ok(())
            }
            _ => {
                self.make_parent(name)?;
                self.idle = false;
                Part::write(&path, &[bytes])?.commit()
            }
        }
    }

    /// Removes the best weights and the texts beside them, given as they were written; another's files stay, and with
    /// them the folder.
    ///
    /// # Errors
    /// [`Error::Io`] where something cannot be removed.
    pub fn drop_best(&self, weights: &str, texts: &[(String, Vec<u8>)]) -> Result<()> {
        let best = self.dir.join(BEST);
        let fail = |e: std::io::Error| io_error(&format!("{} cannot be removed", best.display()), &e);
        // By the weights the folder is known for the run's, so they go last.
        for (name, bytes) in texts {
            let path = best.join(name);
            if disk::read_if_there(&path).map_err(fail)?.is_some_and(|before| before == *bytes) {
                disk::remove(&path).map_err(fail)?;
            }
        }
        let path = best.join(weights);
        if disk::find_link(&path).map_err(fail)?.is_some() {
            self.may_replace(&path, Own::Weights(Maker::Best))?;
            disk::remove(&path).map_err(fail)?;
        }
        match disk::list(&best) {
            Ok(names) if names.is_empty() && !self.best_stays => disk::remove_empty_folder(&best).map_err(fail),
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(fail(e)),
            _ => Ok(()),
        }
    }
}
