//! What made a file.

use super::super::disk;
use gpt_playground::error::{Error, Result};
use gpt_playground::message::Message;
use gpt_playground::model::checkpoint::Header;
use serde_json::{Map, Value, json};
use std::io::{self, Read as _};
use std::path::Path;

/// The command that made a safetensors file, and what for. A file is replaced by its own kind alone: logits never take
/// the place of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maker {
    /// The weights of a run's last step.
    Train,
    /// Those of its lowest validation loss.
    Best,
    /// A model with an adapter in its weights.
    Merge,
    /// Logits and captured tensors.
    Logits,
    /// The gradients of a run's first step.
    Gradients,
}

/// Metadata key of the maker.
const KEY: &str = "gpt_playground.made_by";
/// A longer header is none of this program's.
const MOST_HEADER: u64 = 16 << 20;

impl Maker {
    /// The entry of the metadata.
    pub fn entry(self) -> (&'static str, &'static str) {
        let text = match self {
            Self::Train => "gpt train",
            Self::Best => "gpt train, lowest validation loss",
            Self::Merge => "gpt merge",
            Self::Logits => "gpt logits",
            Self::Gradients => "gpt train --dump-gradients",
        };
        (KEY, text)
    }

    /// Whether a file with this header was made so.
    pub fn made(self, header: &Header) -> bool {
        header.metadata.get(KEY).is_some_and(|text| text == self.entry().1)
    }
}

/// The header of a safetensors file; `None` of any other.
pub(crate) fn header(path: &Path) -> io::Result<Option<Header>> {
    let mut file = disk::open(path)?;
    let mut start = Vec::new();
    file.by_ref().take(8).read_to_end(&mut start)?;
    let Some(length) = start.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)) else { return Ok(None) };
    if length > MOST_HEADER {
        return Ok(None);
    }
    file.take(length).read_to_end(&mut start)?;
    Ok(Header::parse(&start).ok().flatten())
}

/// A safetensors file that was just made, with more entries in its metadata, in two parts: another header, and the
/// values.
pub(super) fn with_metadata<'a>(file: &'a [u8], entries: &[(&str, &str)]) -> Result<(Vec<u8>, &'a [u8])> {
    let no_file = || Error::Checkpoint(Message::uncoded("the weights to be written are no safetensors file"));
    let (length, rest) = file.split_first_chunk().ok_or_else(no_file)?;
    let (json, values) = rest.split_at_checked(u64::from_le_bytes(*length) as usize).ok_or_else(no_file)?;
    let mut header: Map<String, Value> = serde_json::from_slice(json).map_err(|_| no_file())?;
    let metadata = header.entry("__metadata__").or_insert_with(|| json!({}));
    for (key, value) in entries {
        metadata[key] = json!(value);
    }
    let mut text = Value::Object(header).to_string().into_bytes();
    // Spaces align the values.
    text.resize(text.len().next_multiple_of(8), b' ');
    let mut start = (text.len() as u64).to_le_bytes().to_vec();
    start.append(&mut text);
    Ok((start, values))
}
