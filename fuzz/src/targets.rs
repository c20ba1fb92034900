//! What every reader of other people's files must stand, whatever is in them: no panic, no more memory than they are worth,
//! and answers that agree with one another. Each target returns whether it took the input for a good one.
//!
//! The fuzzer calls these (`fuzz_targets`), and `tests/fuzz_corpus.rs` on what it has found before and on the seeds.

use gpt_playground::config::GptConfig;
use gpt_playground::error::{Error, Result};
use gpt_playground::exec::Backend;
use gpt_playground::model::checkpoint::{Checkpoint, Header, HeaderCheck, Loader, ShardIndex};
use gpt_playground::model::params::param_specs;
use gpt_playground::model::{Model, ModelOptions};
use gpt_playground::tokenizer::{self, StreamDecoder, Tokenizer};
use gpt_playground::train::peft::Adapter;
use gpt_playground::train::{check_state_from, read_state, restore};
use pollster::block_on;
use std::collections::BTreeMap;
use std::ops::Range;

/// A target: takes an input, and returns whether it was a good one.
pub type Target = fn(&[u8]) -> bool;

/// Every target by its name.
pub const TARGETS: [(&str, Target); 10] = [
    ("config", config),
    ("sizes", sizes),
    ("header", header),
    ("weights", weights),
    ("shard_index", shard_index),
    ("tokenizer", tokenizer),
    ("made_tokenizer", made_tokenizer),
    ("vocab_and_merges", vocab_and_merges),
    ("adapter", adapter),
    ("training_state", training_state),
];

/// The model that weights, lists of shards and saved runs are read for.
pub fn tiny() -> GptConfig {
    GptConfig::new(5, 3, 2, 1, 1)
}

/// The model that adapters are read for.
pub fn small() -> GptConfig {
    GptConfig::new(7, 4, 4, 2, 2)
}

/// One input of several parts: before each but the last stands its length, in two bytes, the lower one first.
pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    let mut all = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let part = &part[..part.len().min(usize::from(u16::MAX))];
        if at + 1 < parts.len() {
            all.extend((part.len() as u16).to_le_bytes());
        }
        all.extend_from_slice(part);
    }
    all
}

/// The parts that [`join`] put together; those that the input has no bytes for are empty.
fn split<const N: usize>(data: &[u8]) -> [&[u8]; N] {
    let mut rest = data;
    std::array::from_fn(|at| match rest.split_first_chunk::<2>() {
        Some((len, more)) if at + 1 < N => {
            let (part, after) = more.split_at(more.len().min(usize::from(u16::from_le_bytes(*len))));
            rest = after;
            part
        }
        _ => std::mem::take(&mut rest),
    })
}

/// An error's text is for a person: there is one, and it fits a screen.
fn readable(error: &Error) -> bool {
    let text = error.to_string();
    assert!(!text.is_empty() && text.chars().count() < 2000, "a message of {} characters", text.chars().count());
    false
}

/// Whether a reader took the input; its error must be readable.
fn took<T>(result: Result<T>) -> bool {
    result.map_or_else(|e| readable(&e), |_| true)
}

/// Any range of bytes that are all in memory, for the readers of files that lie elsewhere.
fn ranges(data: &[u8]) -> impl AsyncFnMut(Range<u64>) -> Result<Vec<u8>> {
    async |range: Range<u64>| Ok(data[range.start as usize..range.end as usize].to_vec())
}

/// `config.json`: what is read is written so that it is read the same again, and a model of it can be planned.
pub fn config(data: &[u8]) -> bool {
    let config = match GptConfig::from_json(data) {
        Ok(config) => config,
        Err(e) => return readable(&e),
    };
    config.validate().expect("what is read is valid");
    assert_eq!(GptConfig::from_json(config.to_json().as_bytes()).expect("what is written is read"), config);
    if config.n_layer <= 4 {
        let numel = param_specs(&config).iter().map(|spec| spec.numel() as u64).sum::<u64>();
        assert_eq!(numel, config.n_params() as u64);
        took(Model::dry_run(&config));
    }
    true
}

/// Numbers and choices from an input, which is at its end as if zeros followed.
struct Draw<'a>(&'a [u8]);

impl Draw<'_> {
    fn byte(&mut self) -> usize {
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        byte.into()
    }

    /// A number of up to 24 bits, as often small as large.
    fn size(&mut self) -> usize {
        let bits = self.byte() % 25;
        let number = self.byte() | self.byte() << 8 | self.byte() << 16;
        number & ((1 << bits) - 1)
    }

    fn flag(&mut self) -> bool {
        self.byte() % 2 == 1
    }
}

/// A configuration of any sizes: it is refused, or a model of it can be planned, or is refused then, without a panic and
/// without memory.
pub fn sizes(data: &[u8]) -> bool {
    let mut draw = Draw(data);
    let n_head = draw.size();
    let mut config =
        GptConfig::new(draw.size(), draw.size(), n_head.wrapping_mul(draw.size()), n_head, draw.size() % 5);
    if draw.flag() {
        config.n_inner = draw.size();
    }
    (config.tie_word_embeddings, config.bias, config.lm_head_bias) = (draw.flag(), draw.flag(), draw.flag());
    if draw.flag() {
        config.norm = gpt_playground::config::NormPosition::Post;
        config.final_layer_norm = draw.flag();
    }
    if let Err(e) = config.validate() {
        return readable(&e);
    }
    took(Model::dry_run(&config))
}

/// The header of a safetensors file: its tensors lie one after another, and it is read the same however it comes.
pub fn header(data: &[u8]) -> bool {
    let header = match Header::parse_head(data) {
        Ok(header) => header,
        Err(e) => return readable(&e),
    };
    let mut end = header.entries.first().map_or(header.file_len, |e| e.range.start);
    for entry in &header.entries {
        assert!(entry.range.start == end && entry.range.end >= end, "{entry:?}");
        end = entry.range.end;
    }
    assert_eq!(end, header.file_len);
    let whole = Header::parse_whole(data);
    assert_eq!(whole.is_ok(), header.check_len(data.len() as u64).is_ok());
    assert_eq!(block_on(Header::parse_from(data.len() as u64, ranges(data))), whole);
    took(whole)
}

type Values = BTreeMap<String, Vec<f32>>;

fn load_whole(data: &[u8], config: &GptConfig) -> Result<Values> {
    let checkpoint = Checkpoint::parse(data, config)?;
    let mut all = Values::new();
    for spec in param_specs(config) {
        let mut values = vec![0.0; spec.numel()];
        checkpoint.copy_f32(&spec.name, 0..spec.shape[0], &mut values)?;
        all.insert(spec.name, values);
    }
    Ok(all)
}

fn load_chunked(data: &[u8], config: &GptConfig, size: usize) -> Result<Values> {
    let (mut loader, mut all) = (Loader::new(config)?, Values::new());
    for chunk in data.chunks(size) {
        loader.push(chunk, &mut |name, first, values| {
            let held = all.entry(name.to_string()).or_default();
            assert_eq!(held.len(), first, "{name} comes in order");
            held.extend_from_slice(values);
            Ok(())
        })?;
    }
    loader.end_file()?;
    loader.finish()?;
    Ok(all)
}

/// A whole safetensors file for [`tiny`]: its values are the same at once and in chunks, and its header says so before.
pub fn weights(data: &[u8]) -> bool {
    let config = tiny();
    let size = data.first().map_or(1, |&n| usize::from(n) + 1);
    let (whole, chunked) = (load_whole(data, &config), load_chunked(data, &config, size));
    if let Err(e) = &chunked {
        readable(e);
    }
    assert_eq!(whole.is_ok(), chunked.is_ok(), "{whole:?} {chunked:?}");
    if let (Ok(whole), Ok(chunked)) = (&whole, &chunked) {
        assert_eq!(whole, chunked);
        let header = Header::parse_whole(data).expect("it was read");
        let mut check = HeaderCheck::new(&config).expect("it was read");
        check.file(&header).and_then(|()| check.finish()).expect("it was read");
    }
    took(whole)
}

/// `model.safetensors.index.json`: it names plain files, each once.
pub fn shard_index(data: &[u8]) -> bool {
    let index = match ShardIndex::parse(data) {
        Ok(index) => index,
        Err(e) => return readable(&e),
    };
    let files = index.files();
    assert!(files.windows(2).all(|two| two[0] < two[1]));
    assert!(files.iter().all(|file| !file.is_empty() && !file.contains(['/', '\\']) && file != ".."), "{files:?}");
    took(Loader::sharded(&tiny(), &index))
}

/// What encoding must be, whatever the vocabulary: ids that are in use, and the same after the tokenizer was written and read
/// again.
fn encodes(tokenizer: &dyn Tokenizer, text: &str) -> bool {
    let again = tokenizer.to_json();
    let again = tokenizer::from_files(&|name| Ok((name == "tokenizer.json").then(|| again.clone().into_bytes())));
    let again = again.expect("what is written is read");
    assert_eq!(again.vocab_size(), tokenizer.vocab_size());
    assert_eq!(again.added_tokens(), tokenizer.added_tokens());
    for (ids, same) in
        [(tokenizer.encode(text), again.encode(text)), (tokenizer.encode_ordinary(text), again.encode_ordinary(text))]
    {
        let Ok(ids) = ids else { continue };
        // Where bytes have no token, what is refused first may be taken later: added tokens stand in the written vocabulary.
        assert_eq!(Ok(&ids), same.as_ref());
        let mut stream = StreamDecoder::new();
        let mut streamed = String::new();
        for &id in &ids {
            let bytes = tokenizer.token_bytes(id).expect("an id in use");
            streamed.push_str(&stream.push(bytes));
            tokenizer.is_special(id);
        }
        streamed.push_str(&stream.finish());
        assert_eq!(streamed, tokenizer.decode(&ids));
    }
    let found = tokenizer.search(text, 20);
    assert!(found.len() <= 20 && found.iter().all(|&id| tokenizer.token_bytes(id).is_some()));
    for id in [tokenizer.eos(), tokenizer.bos(), tokenizer.id_of(text)].into_iter().flatten() {
        assert!(tokenizer.token_bytes(id).is_some());
    }
    took(tokenizer.encode(text))
}

/// `tokenizer.json`, `tokenizer_config.json` (none where it is empty), and a text.
pub fn tokenizer(data: &[u8]) -> bool {
    let [json, config, text] = split(data);
    let found = tokenizer::from_files(&|name| {
        Ok(match name {
            "tokenizer.json" => Some(json.to_vec()),
            "tokenizer_config.json" if !config.is_empty() => Some(config.to_vec()),
            _ => None,
        })
    });
    match found {
        Ok(tokenizer) => encodes(&*tokenizer, &String::from_utf8_lossy(text)),
        Err(e) => readable(&e),
    }
}

/// What the entries of a made tokenizer, and its texts, consist of: letters, GPT-2's stand-ins for spaces and broken
/// characters, and what must be escaped.
const LETTERS: [&str; 16] = ["a", "b", "ab", "Ġ", "Ċ", " ", "\n", "é", "Ã", "©", "☃", "<", "|", "\"", "\\", "'s"];

/// A `tokenizer.json` that is well-formed, with entries, merges and added tokens as the input says, and a text.
pub fn made_tokenizer(data: &[u8]) -> bool {
    let mut draw = Draw(data);
    let text = |draw: &mut Draw<'_>, most: usize| -> String {
        (0..draw.byte() % (most + 1)).map(|_| LETTERS[draw.byte() % LETTERS.len()]).collect()
    };
    let mut entries: Vec<String> = ["a", "b", "Ġ", "Ċ", "Ã", "©", "<", "|"].map(String::from).into();
    entries.truncate(draw.byte() % 9);
    for _ in 0..draw.byte() % 12 {
        let entry = text(&mut draw, 4);
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    let gap = draw.byte() % 3;
    let ids = entries.iter().enumerate().map(|(i, entry)| (entry.clone(), serde_json::json!(i * (gap + 1))));
    let vocab: serde_json::Map<_, _> = ids.collect();
    let any = |draw: &mut Draw<'_>| entries.get(draw.byte() % entries.len().max(1)).cloned().unwrap_or_default();
    let merges: Vec<_> = (0..draw.byte() % 12).map(|_| [any(&mut draw), any(&mut draw)]).collect();
    let added: Vec<_> = (0..draw.byte() % 6)
        .map(|_| {
            let (content, id) = match draw.flag() {
                true => {
                    let at = draw.byte() % entries.len().max(1);
                    (entries.get(at).cloned().unwrap_or_default(), at * (gap + 1))
                }
                false => (text(&mut draw, 4), entries.len() * (gap + 1) + draw.byte() % 6),
            };
            serde_json::json!({"id": id, "content": content, "special": draw.flag(), "normalized": draw.flag()})
        })
        .collect();
    let file = serde_json::json!({
        "added_tokens": added,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
        "model": {"type": "BPE", "vocab": vocab, "merges": merges},
    });
    let file = file.to_string().into_bytes();
    let found = tokenizer::from_files(&|name| Ok((name == "tokenizer.json").then(|| file.clone())));
    match found {
        Ok(tokenizer) => encodes(&*tokenizer, &text(&mut draw, 255)),
        Err(e) => readable(&e),
    }
}

/// `vocab.json`, `merges.txt`, and a text.
pub fn vocab_and_merges(data: &[u8]) -> bool {
    let [vocab, merges, text] = split(data);
    let found = tokenizer::from_files(&|name| {
        Ok(match name {
            "vocab.json" => Some(vocab.to_vec()),
            "merges.txt" => Some(merges.to_vec()),
            _ => None,
        })
    });
    match found {
        Ok(tokenizer) => encodes(&*tokenizer, &String::from_utf8_lossy(text)),
        Err(e) => readable(&e),
    }
}

/// `adapter_config.json` and `adapter_model.safetensors` for [`small`]: read the same in ranges, and again after writing.
pub fn adapter(data: &[u8]) -> bool {
    let [json, weights] = split(data);
    let base = small();
    let found = Adapter::from_peft(json, weights, &base);
    assert_eq!(block_on(Adapter::from_peft_file(json, weights.len() as u64, ranges(weights), &base)), found);
    let adapter = match found {
        Ok(adapter) => adapter,
        Err(e) => return readable(&e),
    };
    let files = adapter.to_peft(None).expect("what is read is written");
    let again = Adapter::from_peft(&files[0].1, &files[1].1, &base).expect("what is written is read");
    assert_eq!(again.tensors, adapter.tensors);
    true
}

/// `training_state.safetensors` of a run of [`tiny`]: what passes the check can be restored, unless values are damaged.
pub fn training_state(data: &[u8]) -> bool {
    let config = tiny();
    took(block_on(read_state(data)));
    if let Err(e) = block_on(check_state_from(&config, data.len() as u64, ranges(data))) {
        return readable(&e);
    }
    let options = ModelOptions { backend: Backend::Cpu, ..ModelOptions::default() };
    let mut model = block_on(Model::open(config, &options)).expect("a model");
    took(block_on(restore(&mut model, data)))
}
