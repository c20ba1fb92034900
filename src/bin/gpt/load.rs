//! Models and tokenizers from a folder.

use super::ModelArgs;
use gpt_playground::config::GptConfig;
use gpt_playground::error::{Error, Result};
use gpt_playground::model::checkpoint::{Loader, ShardIndex};
use gpt_playground::model::{Model, ModelOptions};
use gpt_playground::tokenizer::{self, Tokenizer};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Bytes read at once.
const CHUNK: usize = 4 << 20;

/// A file's error in words.
pub(super) fn io_error(what: &str, e: &std::io::Error) -> Error {
    Error::Io(format!("{what}: {e}"))
}

/// A whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| io_error(&path.display().to_string(), &e))
}

/// Reads the configuration and streams the weights into the backend.
pub(super) async fn model(args: &ModelArgs) -> Result<Model> {
    let dir = &args.model;
    let config = GptConfig::from_json(&read(&dir.join("config.json"))?)?;
    let options = ModelOptions { backend: args.backend, ..ModelOptions::default() };
    let index = dir.join("model.safetensors.index.json");
    let (mut loader, files) = if index.exists() {
        let index = ShardIndex::parse(&read(&index)?)?;
        (Loader::sharded(&config, &index)?, index.files())
    } else {
        (Loader::new(&config)?, vec!["model.safetensors".to_string()])
    };
    let mut model = Model::open(config, &options).await?;
    for name in files {
        feed(&mut loader, &mut model, &dir.join(name))?;
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

/// Reads the tokenizer of a folder, which may hold nothing else.
pub(super) fn tokenizer(dir: &Path) -> Result<Box<dyn Tokenizer>> {
    tokenizer::from_files(&|name| std::fs::read(dir.join(name)).ok())
}
