//! Text to token ids and back.
//!
//! [`Bpe`] is GPT-2's byte-level BPE, [`ByteTokenizer`] and [`CharTokenizer`] serve models trained from scratch. All are
//! used through [`Tokenizer`]; [`from_files`] picks the right one for a model folder.

mod added;
mod alphabet;
mod automaton;
mod bpe;
mod byte;
mod char;
mod json;
mod merge;
mod pretokenize;
mod save;
mod stream;
mod table;
mod train;
mod unicode;

pub use added::AddedToken;
pub use bpe::Bpe;
pub use byte::ByteTokenizer;
pub use char::CharTokenizer;
pub use pretokenize::{Pieces, pieces};
pub use stream::StreamDecoder;

use crate::error::{Error, Result};
use crate::message::{Message, message};

/// Turns text into token ids in `0..vocab_size` and back.
pub trait Tokenizer: Send + Sync {
    /// One more than the largest id.
    fn vocab_size(&self) -> usize;

    /// The ids of `text`. Added tokens such as `<|endoftext|>` that stand in the text become their own id, as in HF.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] naming the character for which the vocabulary has no token.
    fn encode(&self, text: &str) -> Result<Vec<u32>>;

    /// As [`Tokenizer::encode`], but special tokens are read as plain text (HF's `encode_special_tokens`, tiktoken's
    /// `encode_ordinary`). For text from a stranger that must not be able to say "end of text".
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    fn encode_ordinary(&self, text: &str) -> Result<Vec<u32>>;

    /// The bytes a token stands for, which need not be whole UTF-8 characters; `None` for an id that is not in use.
    fn token_bytes(&self, id: u32) -> Option<&[u8]>;

    /// The token that stands for exactly `text` (`" the"`, with a real space); the lowest id where several do.
    fn id_of(&self, text: &str) -> Option<u32>;

    /// The contents of a `tokenizer.json` from which [`from_files`] makes this tokenizer again. For [`Bpe`] it is HF's
    /// layout, which the `tokenizers` library loads too; the others are read by this program only.
    fn to_json(&self) -> String;

    /// Whether only this program reads what [`Tokenizer::to_json`] writes.
    fn native_only(&self) -> bool {
        false
    }

    /// Tokens that are matched in the text before anything else, special ones and others: in ascending order of the id, each
    /// id once.
    fn added_tokens(&self) -> &[AddedToken] {
        &[]
    }

    /// The id that ends a text, if the tokenizer has one.
    fn eos(&self) -> Option<u32> {
        None
    }

    /// The id that begins a text, if the tokenizer has one.
    fn bos(&self) -> Option<u32> {
        None
    }

    /// Whether `id` is a special token, which a reader of the text would not want to see.
    fn is_special(&self, id: u32) -> bool {
        let added = self.added_tokens();
        added.binary_search_by_key(&id, |t| t.id).is_ok_and(|i| added[i].special)
    }

    /// The bytes of a sequence of ids. Ids that are not in use stand for nothing.
    fn decode_bytes(&self, ids: &[u32]) -> Vec<u8> {
        ids.iter().filter_map(|&id| self.token_bytes(id)).flatten().copied().collect()
    }

    /// The text of a sequence of ids, special tokens included; bytes that are not UTF-8 become U+FFFD. While ids are
    /// still arriving use [`StreamDecoder`].
    fn decode(&self, ids: &[u32]) -> String {
        String::from_utf8_lossy(&self.decode_bytes(ids)).into_owned()
    }

    /// Up to `limit` ids whose text contains `query`: equal ones first, then those that begin with it, then the rest;
    /// each by id. One leading space is not held against a token, so that `cat` also finds `" cat"` at once.
    fn search(&self, query: &str, limit: usize) -> Vec<u32> {
        let q = query.as_bytes();
        if q.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<u64> = Vec::new();
        for id in 0..self.vocab_size() as u32 {
            let Some(t) = self.token_bytes(id) else { continue };
            let bare = t.strip_prefix(b" ").unwrap_or(t);
            let class = if t == q {
                0
            } else if bare == q {
                1
            } else if t.starts_with(q) || bare.starts_with(q) {
                2
            } else if t.windows(q.len()).any(|w| w == q) {
                3
            } else {
                continue;
            };
            found.push(class << 32 | u64::from(id));
        }
        found.sort_unstable();
        found.truncate(limit);
        found.into_iter().map(|found| found as u32).collect()
    }
}

/// The tokenizer of a model folder. `files` gives the bytes of a file by name, or `None` where there is no such file.
///
/// Reads `tokenizer.json`, else `vocab.json` with `merges.txt`; in both cases `tokenizer_config.json`, where there is one,
/// says which tokens begin and end a text.
///
/// # Errors
/// [`Error::Tokenizer`] where the files are missing, broken or use a component that is not supported; what `files` fails with.
pub fn from_files(files: &dyn Fn(&str) -> Result<Option<Vec<u8>>>) -> Result<Box<dyn Tokenizer>> {
    let config = files("tokenizer_config.json")?;
    if let Some(bytes) = files("tokenizer.json")? {
        return json::tokenizer_json(&bytes, config.as_deref());
    }
    match (files("vocab.json")?, files("merges.txt")?) {
        (Some(vocab), Some(merges)) => {
            let bpe = Bpe::from_vocab_and_merges(&vocab, &merges)?;
            Ok(Box::new(json::with_config(bpe, config.as_deref())?))
        }
        (Some(_), None) => Err(missing(message!("tokenizer.no_merges", "merges.txt is missing beside vocab.json"))),
        (None, Some(_)) => Err(missing(message!("tokenizer.no_vocab", "vocab.json is missing beside merges.txt"))),
        (None, None) => Err(missing(message!("tokenizer.none", "the model has no tokenizer"))),
    }
}

fn error(message: Message) -> Error {
    Error::Tokenizer(message)
}

fn missing(what: Message) -> Error {
    Error::Tokenizer(message!(
        "tokenizer.missing",
        "{what}: add tokenizer.json, or vocab.json together with merges.txt",
        what
    ))
}
