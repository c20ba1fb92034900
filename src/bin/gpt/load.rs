//! Models and tokenizers from a folder.

use super::ModelArgs;
use gpt_playground::config::GptConfig;
use gpt_playground::error::{Error, Result};
use gpt_playground::exec::Backend;
use gpt_playground::model::checkpoint::{Loader, ShardIndex};
use gpt_playground::model::{Model, ModelOptions};
use gpt_playground::tokenizer::{self, Tokenizer};
use gpt_playground::train::export::apply_adapter;
use gpt_playground::train::peft::{Adapter, CONFIG_FILE, WEIGHTS_FILE};
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

/// Bytes read at once.
const CHUNK: usize = 4 << 20;

/// A file's error in words.
pub(super) fn io_error(what: &str, e: &std::io::Error) -> Error {
    Error::Io(format!("{what}: {e}"))
}

/// Why a file could not be read, and where it is missing what should be there.
fn unreadable(path: &Path, e: &std::io::Error, advice: &str) -> Error {
    let what = path.display();
    match e.kind() {
        ErrorKind::NotFound => Error::Io(format!("there is no file {what}; {advice}")),
        _ => Error::Io(format!("{what} cannot be read: {e}")),
    }
}

/// A whole file that the user named.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| unreadable(path, &e, "check the path"))
}

/// A model's configuration.
pub(super) fn config(path: &Path) -> Result<GptConfig> {
    let advice =
        "a model's folder holds config.json, model.safetensors and the tokenizer's files, as on the Hugging Face hub";
    let text = std::fs::read(path).map_err(|e| unreadable(path, &e, advice))?;
    in_file(path, GptConfig::from_json(&text))
}

/// Names the file in front of what is wrong with its contents.
fn in_file<T>(path: &Path, result: Result<T>) -> Result<T> {
    let name = |text: String| format!("{}: {text}", path.display());
    result.map_err(|e| match e {
        Error::Config(text) => Error::Config(name(text)),
        Error::Checkpoint(text) => Error::Checkpoint(name(text)),
        Error::Tokenizer(text) => Error::Tokenizer(name(text)),
        other => other,
    })
}

/// The model that the options name, with its adapter if they name one.
pub(super) async fn model(args: &ModelArgs) -> Result<Model> {
    let mut model = base(&args.model, args.backend).await?;
    if let Some(dir) = &args.adapter {
        let adapter = adapter(dir, model.config())?;
        apply_adapter(&mut model, &adapter).await?;
        model.set_lora_strength(args.adapter_strength)?;
    }
    Ok(model)
}

/// An adapter's two files.
pub(super) fn adapter(dir: &Path, config: &GptConfig) -> Result<Adapter> {
    let file = |name: &str| {
        let path = dir.join(name);
        let advice = "an adapter's folder holds adapter_config.json and adapter_model.safetensors, as PEFT saves them";
        std::fs::read(&path).map_err(|e| unreadable(&path, &e, advice))
    };
    in_file(dir, Adapter::from_peft(&file(CONFIG_FILE)?, &file(WEIGHTS_FILE)?, config))
}

/// Reads the configuration and streams the weights into the backend.
pub(super) async fn base(dir: &Path, backend: Backend) -> Result<Model> {
    let config = config(&dir.join("config.json"))?;
    let options = ModelOptions { backend, ..ModelOptions::default() };
    let index = dir.join("model.safetensors.index.json");
    let (mut loader, files) = if index.exists() {
        let index = in_file(&index, ShardIndex::parse(&read(&index)?))?;
        (Loader::sharded(&config, &index)?, index.files())
    } else {
        (Loader::new(&config)?, vec!["model.safetensors".to_string()])
    };
    // Before any memory is taken: a download that lacks its largest file is the usual mistake.
    for path in files.iter().map(|name| dir.join(name)) {
        std::fs::metadata(&path).map_err(|e| unreadable(&path, &e, "it holds the model's weights; download it too"))?;
    }
    let mut model = Model::open(config, &options).await?;
    for path in files.iter().map(|name| dir.join(name)) {
        in_file(&path, feed(&mut loader, &mut model, &path))?;
    }
    loader.finish()?;
    Ok(model)
}

fn feed(loader: &mut Loader, model: &mut Model, path: &Path) -> Result<()> {
    let what = path.display().to_string();
    let mut file = File::open(path).map_err(|e| io_error(&what, &e))?;
    let mut chunk = vec![0; CHUNK];
    loop {
        let n = file.read(&mut chunk).map_err(|e| io_error(&what, &e))?;
        if n == 0 {
            return loader.end_file();
        }
        loader.push(&chunk[..n], &mut |name, first, values| model.write_param(name, first, values))?;
    }
}

/// Files of which one must be there for a folder to have a tokenizer.
const TOKENIZER_FILES: [&str; 3] = ["tokenizer.json", "vocab.json", "merges.txt"];

/// Reads the tokenizer of a folder, which may hold nothing else; `None` where it holds none.
pub(super) fn find_tokenizer(dir: &Path) -> Result<Option<Box<dyn Tokenizer>>> {
    if !TOKENIZER_FILES.iter().any(|name| dir.join(name).exists()) {
        return Ok(None);
    }
    in_file(dir, tokenizer::from_files(&|name| std::fs::read(dir.join(name)).ok())).map(Some)
}

/// As [`find_tokenizer`], where there must be one.
pub(super) fn tokenizer(dir: &Path) -> Result<Box<dyn Tokenizer>> {
    if !dir.is_dir() {
        return Err(Error::Io(format!("there is no folder {}; check the path", dir.display())));
    }
    find_tokenizer(dir)?.ok_or_else(|| {
        Error::Tokenizer(format!(
            "{} holds no tokenizer: add tokenizer.json, or vocab.json together with merges.txt",
            dir.display()
        ))
    })
}

/// The contents of tokenizer.json for a tokenizer that was read from a folder; empty without one. The file's own text where
/// there is one: nothing of it may be lost on the way.
pub(super) fn tokenizer_json(dir: &Path, tokenizer: Option<&dyn Tokenizer>) -> String {
    std::fs::read_to_string(dir.join("tokenizer.json"))
        .unwrap_or_else(|_| tokenizer.map_or_else(String::new, Tokenizer::to_json))
}
