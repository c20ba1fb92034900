//! Models and tokenizers from a folder.

use super::ModelArgs;
use super::disk::{self, io_error};
use super::fingerprint::Fingerprint;
use super::output::header;
use super::read::{self, Ranges, unreadable};
use super::say::warn;
use gpt_playground::config::GptConfig;
use gpt_playground::error::{Error, Result};
use gpt_playground::exec::Backend;
use gpt_playground::message::Message;
use gpt_playground::model::checkpoint::{Header, HeaderCheck, Loader, ShardIndex};
use gpt_playground::model::{Model, ModelOptions};
use gpt_playground::tokenizer::{self, Tokenizer};
use gpt_playground::train::export::apply_adapter;
use gpt_playground::train::peft::{Adapter, CONFIG_FILE, WEIGHTS_FILE};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

/// Bytes read at once.
const CHUNK: usize = 4 << 20;

/// Metadata key of an adapter's weights: the fingerprint of the base beside which they were trained.
pub(super) const BASE_KEY: &str = "gpt_playground.base";

/// Whether there is something of this name: an error is not nothing.
fn is_there(path: &Path) -> Result<bool> {
    disk::find(path).map(|found| found.is_some()).map_err(|e| unreadable(path, &e, ""))
}

/// Whether there is a folder of this name.
pub(super) fn is_folder(path: &Path) -> Result<bool> {
    disk::find(path).map(|found| found.is_some_and(|m| m.is_dir())).map_err(|e| unreadable(path, &e, ""))
}

/// Refuses to go on without a file.
pub(super) fn check_there(path: &Path, advice: &str) -> Result<()> {
    if is_there(path)? { Ok(()) } else { Err(unreadable(path, &ErrorKind::NotFound.into(), advice)) }
}

/// A model's configuration.
pub(super) fn config(path: &Path) -> Result<GptConfig> {
    let advice =
        "a model's folder holds config.json, model.safetensors and the tokenizer's files, as on the Hugging Face hub";
    in_file(path, GptConfig::from_json(&read::small(path, read::SMALL, advice)?))
}

/// Names the file in front of what is wrong with its contents.
pub(super) fn in_file<T>(path: &Path, result: Result<T>) -> Result<T> {
    let name = |of: Message| Message::uncoded(format!("{}: {}", path.display(), of.english()));
    result.map_err(|e| match e {
        Error::Config(what) => Error::Config(name(what)),
        Error::Checkpoint(what) => Error::Checkpoint(name(what)),
        Error::Tokenizer(what) => Error::Tokenizer(name(what)),
        other => other,
    })
}

/// The model that the options name, with its adapter if they name one.
pub(super) async fn model(args: &ModelArgs) -> Result<Model> {
    let Some(dir) = &args.adapter else { return base(&args.model, args.backend).await };
    let (mut model, fingerprint) = base_and_fingerprint(&args.model, args.backend).await?;
    let adapter = adapter(dir, model.config()).await?;
    check_base(dir, &args.model, &fingerprint)?;
    apply_adapter(&mut model, &adapter).await?;
    model.set_lora_strength(args.adapter_strength)?;
    Ok(model)
}

/// Says where an adapter was trained beside other weights, which is no error: they may be the same, tuned a little.
fn check_base(adapter: &Path, model: &Path, fingerprint: &str) -> Result<()> {
    let path = adapter.join(WEIGHTS_FILE);
    let header = header(&path).map_err(|e| unreadable(&path, &e, ""))?;
    let trained = header.and_then(|header| header.metadata.get(BASE_KEY).cloned());
    if trained.is_some_and(|trained| trained != fingerprint) {
        let (adapter, model) = (adapter.display(), model.display());
        warn(format_args!(
            "the adapter in {adapter} was trained beside other weights than those in {model}, so what comes out may make \
             no sense"
        ));
    }
    Ok(())
}

/// An adapter's two files.
pub(super) async fn adapter(dir: &Path, config: &GptConfig) -> Result<Adapter> {
    let advice = "an adapter's folder holds adapter_config.json and adapter_model.safetensors, as PEFT saves them";
    let json = read::small(&dir.join(CONFIG_FILE), read::SMALL, advice)?;
    let mut weights = Ranges::open(&dir.join(WEIGHTS_FILE), advice)?;
    let len = weights.len();
    in_file(dir, Adapter::from_peft_file(&json, len, async |range| weights.read(range), config).await)
}

/// Reads the configuration and streams the weights into the backend.
pub(super) async fn base(dir: &Path, backend: Backend) -> Result<Model> {
    base_seen(dir, backend, &mut |_, _| {}).await
}

/// As [`base`]; also which weights they are.
pub(super) async fn base_and_fingerprint(dir: &Path, backend: Backend) -> Result<(Model, String)> {
    let mut fingerprint = Fingerprint::default();
    let model = base_seen(dir, backend, &mut |name, values| fingerprint.add(name, values)).await?;
    Ok((model, fingerprint.finish()))
}

/// As [`base`]; `seen` is given every value, those of a parameter in order.
async fn base_seen(dir: &Path, backend: Backend, seen: &mut dyn FnMut(&str, &[f32])) -> Result<Model> {
    let config = config(&dir.join("config.json"))?;
    let options = ModelOptions { backend, ..ModelOptions::default() };
    let index = dir.join("model.safetensors.index.json");
    let (mut loader, files) = if is_there(&index)? {
        let index = in_file(&index, ShardIndex::parse(&read::small(&index, read::SMALL, "")?))?;
        (Loader::sharded(&config, &index)?, index.files())
    } else {
        (Loader::new(&config)?, vec!["model.safetensors".to_string()])
    };
    let files: Vec<PathBuf> = files.iter().map(|name| dir.join(name)).collect();
    // Before any memory is taken: a download that lacks its largest file is the usual mistake, and a configuration costs
    // nobody anything that asks for more than the weights hold.
    let mut check = HeaderCheck::new(&config)?;
    for path in &files {
        let mut file = Ranges::open(path, "it holds the model's weights; download it too")?;
        let len = file.len();
        let header = in_file(path, Header::parse_from(len, async |range| file.read(range)).await)?;
        in_file(path, check.file(&header))?;
    }
    // What is missing is missing from the only file, or from all of them.
    let whole = if let [only] = files.as_slice() { only } else { dir };
    in_file(whole, check.finish())?;
    let mut model = Model::open(config, &options).await?;
    for path in &files {
        in_file(path, feed(&mut loader, &mut model, path, seen))?;
    }
    loader.finish()?;
    Ok(model)
}

fn feed(loader: &mut Loader, model: &mut Model, path: &Path, seen: &mut dyn FnMut(&str, &[f32])) -> Result<()> {
    let what = path.display().to_string();
    let mut file = disk::open(path).map_err(|e| io_error(&what, &e))?;
    let mut chunk = vec![0; CHUNK];
    loop {
        let n = file.read(&mut chunk).map_err(|e| io_error(&what, &e))?;
        if n == 0 {
            return loader.end_file();
        }
        loader.push(&chunk[..n], &mut |name, first, values| {
            seen(name, values);
            model.write_param(name, first, values)
        })?;
    }
}

/// Files of which one must be there for a folder to have a tokenizer.
const TOKENIZER_FILES: [&str; 3] = ["tokenizer.json", "vocab.json", "merges.txt"];

/// Reads the tokenizer of a folder, which may hold nothing else; `None` where it holds none.
pub(super) fn find_tokenizer(dir: &Path) -> Result<Option<Box<dyn Tokenizer>>> {
    let mut there = false;
    for name in TOKENIZER_FILES {
        there |= is_there(&dir.join(name))?;
    }
    if !there {
        return Ok(None);
    }
    let file = |name: &str| {
        let path = dir.join(name);
        if is_there(&path)? { read::small(&path, read::TOKENIZER, "").map(Some) } else { Ok(None) }
    };
    in_file(dir, tokenizer::from_files(&file)).map(Some)
}

/// As [`find_tokenizer`], where there must be one.
pub(super) fn tokenizer(dir: &Path) -> Result<Box<dyn Tokenizer>> {
    if !is_folder(dir)? {
        return Err(Error::Io(Message::uncoded(format!("there is no folder {}; check the path", dir.display()))));
    }
    find_tokenizer(dir)?.ok_or_else(|| {
        Error::Tokenizer(Message::uncoded(format!(
            "{} holds no tokenizer: add tokenizer.json, or vocab.json together with merges.txt",
            dir.display()
        )))
    })
}

/// The contents of tokenizer.json for a tokenizer that was read from a folder; empty without one. The file's own text
/// where there is one: nothing of it may be lost on the way.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read.
pub(super) fn tokenizer_json(dir: &Path, tokenizer: Option<&dyn Tokenizer>) -> Result<String> {
    let path = dir.join("tokenizer.json");
    if !is_there(&path)? {
        return Ok(tokenizer.map_or_else(String::new, Tokenizer::to_json));
    }
    String::from_utf8(read::small(&path, read::TOKENIZER, "")?).map_err(|e| {
        Error::Tokenizer(Message::uncoded(format!("{} is not UTF-8 ({e}); download it again", path.display())))
    })
}
