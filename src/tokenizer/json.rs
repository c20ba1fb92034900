//! Reading tokenizer files: HF's `tokenizer.json`, GPT-2's `vocab.json` with `merges.txt`, and this program's own.

use serde_json::Value;

use super::added::AddedToken;
use super::bpe::{Bpe, END_OF_TEXT};
use super::{ByteTokenizer, CharTokenizer, Tokenizer, error};
use crate::error::{Error, Result, short};
use crate::message::{Message, message, shown};

/// Most bytes of all added tokens together: each takes some memory for the search in the text.
const MAX_ADDED: usize = 4 << 20;

impl Bpe {
    /// Reads HF's `tokenizer.json`. `truncation` and `padding` are settings for batches and are ignored.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the file is broken, or naming the component that is not GPT-2's.
    pub fn from_tokenizer_json(bytes: &[u8]) -> Result<Bpe> {
        from_value(&parse(bytes, "tokenizer.json")?)
    }

    /// Reads GPT-2's `vocab.json` and `merges.txt`. `<|endoftext|>`, where the vocabulary has it, is a special token.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if a file is broken or the two do not belong together.
    pub fn from_vocab_and_merges(vocab: &[u8], merges: &[u8]) -> Result<Bpe> {
        let vocab = parse(vocab, "vocab.json")?;
        let vocab = vocab_entries(&vocab, Message::uncoded("vocab.json"))?;
        let text = std::str::from_utf8(merges).map_err(|e| {
            error(message!(
                "tokenizer.merges_not_text",
                "merges.txt is not UTF-8 text ({cause}): download it again",
                cause = e
            ))
        })?;
        let mut pairs = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if !line.is_empty() && !line.starts_with("#version") {
                pairs.push(pair(line).ok_or_else(|| {
                    error(message!(
                        "tokenizer.merges_line",
                        "line {number} of merges.txt is {line}, not two tokens with a space between: the file is \
                         damaged",
                        number = number + 1,
                        line = shown(&line)
                    ))
                })?);
            }
        }
        let end = vocab.iter().find(|(entry, _)| *entry == END_OF_TEXT);
        let added = end.map(|&(entry, id)| special(id, entry)).into_iter().collect();
        Bpe::build(&vocab, &pairs, added)
    }
}

/// A special token as HF makes them.
pub(super) fn special(id: u32, content: &str) -> AddedToken {
    AddedToken { id, content: content.to_string(), special: true, normalized: false }
}

/// Whichever tokenizer `tokenizer.json` describes.
pub(super) fn tokenizer_json(bytes: &[u8], config: Option<&[u8]>) -> Result<Box<dyn Tokenizer>> {
    let file = parse(bytes, "tokenizer.json")?;
    match file.get("type").map(|t| t.as_str().unwrap_or("")) {
        None => Ok(Box::new(with_config(from_value(&file)?, config)?)),
        Some("byte") => Ok(Box::new(ByteTokenizer::new())),
        Some("char") => {
            let chars = file
                .get("chars")
                .and_then(Value::as_str)
                .ok_or_else(|| broken(message!("tokenizer.chars_kind", "\"chars\" is not a string")))?;
            Ok(Box::new(CharTokenizer::from_chars(&chars.chars().collect::<Vec<_>>())?))
        }
        Some(other) => Err(broken(message!(
            "tokenizer.type_kind",
            "its type {name} is neither \"byte\" nor \"char\"",
            name = shown(&other)
        ))),
    }
}

/// Takes the begin and end of text from `tokenizer_config.json`.
pub(super) fn with_config(mut bpe: Bpe, config: Option<&[u8]>) -> Result<Bpe> {
    let Some(config) = config else { return Ok(bpe) };
    let config = parse(config, "tokenizer_config.json")?;
    let token = |key: &str| {
        // Older files wrap the text in an object.
        let value = config.get(key)?;
        let text = value.as_str().or_else(|| value.get("content")?.as_str())?;
        bpe.id_of(text)
    };
    let (eos, bos) = (token("eos_token"), token("bos_token"));
    bpe.eos = eos.or(bpe.eos);
    bpe.bos = bos.or(bpe.bos);
    Ok(bpe)
}

fn parse(bytes: &[u8], name: &str) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|e| {
        error(message!(
            "tokenizer.not_json",
            "{file} is not valid JSON ({cause}): it may be cut off, download it again",
            file = name,
            cause = e
        ))
    })
}

fn broken(what: Message) -> Error {
    error(message!("tokenizer.damaged", "tokenizer.json is damaged or not a tokenizer: {what}", what))
}

fn unsupported(what: Message) -> Error {
    error(message!(
        "tokenizer.unsupported",
        "tokenizer.json uses {what}, which is not supported: choose a model with GPT-2's \
         byte-level BPE tokenizer",
        what
    ))
}

fn type_of(component: &Value) -> Option<&str> {
    component.get("type").and_then(Value::as_str)
}

/// The type of a component in words, with those inside it where it is a sequence.
fn kind(component: &Value) -> Message {
    let kind = type_of(component)
        .map_or(message!("tokenizer.no_type", "of unknown type"), |name| Message::uncoded(short(name)));
    let parts =
        ["normalizers", "pretokenizers", "processors", "decoders"].iter().find_map(|k| component.get(k)?.as_array());
    let Some(parts) = parts else { return kind };
    let parts = parts.iter().map(|part| self::kind(part).english()).collect::<Vec<_>>().join(", ");
    message!("tokenizer.kind_of", "{kind} of [{parts}]", kind, parts)
}

/// A component of the file; `None` where it is `null` or absent.
fn component<'a>(file: &'a Value, key: &str) -> Option<&'a Value> {
    file.get(key).filter(|v| !v.is_null())
}

fn flag(object: &Value, key: &str, default: bool) -> bool {
    component(object, key).map_or(default, |v| v.as_bool().unwrap_or(true))
}

fn from_value(file: &Value) -> Result<Bpe> {
    let model = file
        .get("model")
        .filter(|m| m.is_object())
        .ok_or_else(|| broken(message!("tokenizer.lacks_model", "it has no \"model\"")))?;
    check_model(model)?;
    if let Some(normalizer) = component(file, "normalizer") {
        return Err(unsupported(message!("tokenizer.normalizer", "the normalizer {kind}", kind = kind(normalizer))));
    }
    check_pre_tokenizer(component(file, "pre_tokenizer"))?;
    if let Some(processor) = component(file, "post_processor") {
        check_post_processor(processor)?;
    }
    if let Some(decoder) = component(file, "decoder").filter(|d| type_of(d) != Some("ByteLevel")) {
        return Err(unsupported(message!("tokenizer.decoder", "the decoder {kind}", kind = kind(decoder))));
    }

    let vocab =
        model.get("vocab").ok_or_else(|| broken(message!("tokenizer.lacks_vocab", "its model has no \"vocab\"")))?;
    let vocab = vocab_entries(vocab, message!("tokenizer.vocab_place", "\"vocab\" of tokenizer.json"))?;
    let merges = model
        .get("merges")
        .and_then(Value::as_array)
        .ok_or_else(|| broken(message!("tokenizer.lacks_merges", "its model has no list of \"merges\"")))?;
    let merges = merges
        .iter()
        .enumerate()
        .filter(|(_, m)| !m.as_str().is_some_and(|m| m.starts_with("#version")))
        .map(|(i, merge)| {
            let both = match merge {
                Value::String(merge) => pair(merge),
                Value::Array(merge) => match merge.as_slice() {
                    [Value::String(left), Value::String(right)] => Some((left.as_str(), right.as_str())),
                    _ => None,
                },
                _ => None,
            };
            both.ok_or_else(|| {
                broken(message!(
                    "tokenizer.merge_kind",
                    "merge {number} is {merge}, not a pair of tokens",
                    number = i,
                    merge
                ))
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let added = match component(file, "added_tokens") {
        Some(list) => added_tokens(list)?,
        None => Vec::new(),
    };
    let bpe = Bpe::build(&vocab, &merges, added)?;
    if let Some(unk) = component(model, "unk_token").filter(|_| !bpe.covers_all_bytes()) {
        return Err(unsupported(message!(
            "tokenizer.unk",
            "the unk_token {token} for bytes without a token",
            token = unk
        )));
    }
    Ok(bpe)
}

fn check_model(model: &Value) -> Result<()> {
    // The oldest files leave the type out.
    if component(model, "type").is_some_and(|t| t != "BPE") {
        return Err(unsupported(message!("tokenizer.model", "the model {kind}", kind = kind(model))));
    }
    if let Some(p) = component(model, "dropout").filter(|p| p.as_f64() != Some(0.0)) {
        return Err(unsupported(message!("tokenizer.bpe_dropout", "the BPE model with dropout={value}", value = p)));
    }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
        if let Some(value) = component(model, key).filter(|v| *v != "") {
            return Err(unsupported(message!("tokenizer.bpe_key", "the BPE model with {key}={value}", key, value)));
        }
    }
    for key in ["byte_fallback", "ignore_merges"] {
        if flag(model, key, false) {
            return Err(unsupported(message!("tokenizer.bpe_flag", "the BPE model with {key}=true", key)));
        }
    }
    Ok(())
}

fn check_pre_tokenizer(pre_tokenizer: Option<&Value>) -> Result<()> {
    let Some(pre) = pre_tokenizer else {
        return Err(unsupported(message!("tokenizer.no_pre_tokenizer", "no pre_tokenizer")));
    };
    if type_of(pre) != Some("ByteLevel") {
        return Err(unsupported(message!("tokenizer.pre_tokenizer", "the pre_tokenizer {kind}", kind = kind(pre))));
    }
    if flag(pre, "add_prefix_space", true) {
        return Err(unsupported(message!(
            "tokenizer.prefix_space",
            "the pre_tokenizer ByteLevel with add_prefix_space=true"
        )));
    }
    if !flag(pre, "use_regex", true) {
        return Err(unsupported(message!("tokenizer.no_regex", "the pre_tokenizer ByteLevel with use_regex=false")));
    }
    Ok(())
}

/// Allows what leaves the ids of a single text alone.
fn check_post_processor(processor: &Value) -> Result<()> {
    let name = kind(processor);
    match processor.get("type").and_then(Value::as_str) {
        Some("ByteLevel") => Ok(()),
        Some("Sequence") => {
            let all = processor.get("processors").and_then(Value::as_array);
            all.ok_or_else(|| {
                broken(message!(
                    "tokenizer.lacks_processors",
                    "its post_processor Sequence has no list of \"processors\""
                ))
            })?
            .iter()
            .try_for_each(check_post_processor)
        }
        Some("TemplateProcessing") => {
            let single = processor.get("single").and_then(Value::as_array);
            let single = single.ok_or_else(|| {
                broken(message!(
                    "tokenizer.lacks_single",
                    "its post_processor TemplateProcessing has no list \"single\""
                ))
            })?;
            if let Some(token) = single.iter().find_map(|piece| piece.get("SpecialToken")) {
                let id = token.get("id").unwrap_or(&Value::Null);
                return Err(unsupported(message!(
                    "tokenizer.template_token",
                    "the post_processor TemplateProcessing, which adds the token {token}",
                    token = id
                )));
            }
            match single.as_slice() {
                [piece] if piece.get("Sequence").is_some_and(|s| s.get("id").is_some_and(|id| id == "A")) => Ok(()),
                _ => Err(unsupported(message!(
                    "tokenizer.template_single",
                    "the post_processor TemplateProcessing with a \"single\" other than the text once"
                ))),
            }
        }
        _ => Err(unsupported(message!("tokenizer.post_processor", "the post_processor {kind}", kind = name))),
    }
}

fn added_tokens(list: &Value) -> Result<Vec<AddedToken>> {
    let list =
        list.as_array().ok_or_else(|| broken(message!("tokenizer.added_kind", "\"added_tokens\" is not a list")))?;
    let content = |token: &Value| token.get("content").and_then(Value::as_str).map_or(0, str::len);
    let bytes: usize = list.iter().map(content).sum();
    if bytes > MAX_ADDED {
        return Err(unsupported(message!(
            "tokenizer.added_bytes",
            "added tokens of {bytes} bytes in all, more than {most}",
            bytes,
            most = MAX_ADDED
        )));
    }
    list.iter()
        .map(|token| {
            let content = token.get("content").and_then(Value::as_str);
            let id = token.get("id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
            let (Some(content), Some(id)) = (content, id) else {
                return Err(broken(message!(
                    "tokenizer.added_lacks",
                    "the added token {token} has no \"content\" or no usable \"id\"",
                    token
                )));
            };
            for key in ["single_word", "lstrip", "rstrip"] {
                if flag(token, key, false) {
                    return Err(unsupported(message!(
                        "tokenizer.added_flag",
                        "the added token {token} with {flag}=true",
                        token = shown(&content),
                        flag = key
                    )));
                }
            }
            let special = flag(token, "special", false);
            let normalized = flag(token, "normalized", !special);
            Ok(AddedToken { id, content: content.to_string(), special, normalized })
        })
        .collect()
}

fn vocab_entries(vocab: &Value, place: Message) -> Result<Vec<(&str, u32)>> {
    let vocab = vocab.as_object().ok_or_else(|| {
        error(message!(
            "tokenizer.vocab_kind",
            "{place} is not an object of tokens and their ids: the file is damaged",
            place
        ))
    })?;
    vocab
        .iter()
        .map(|(entry, id)| match id.as_u64().and_then(|id| u32::try_from(id).ok()) {
            Some(number) => Ok((entry.as_str(), number)),
            None => Err(error(message!(
                "tokenizer.id_kind",
                "the id of {token} in {place} is {id}, not a whole number that fits: the file is damaged",
                token = shown(&entry),
                place,
                id
            ))),
        })
        .collect()
}

/// `"left right"`: exactly one space, as tokens cannot hold any.
fn pair(merge: &str) -> Option<(&str, &str)> {
    merge.split_once(' ').filter(|(_, right)| !right.contains(' '))
}
