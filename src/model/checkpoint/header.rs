//! The header of a safetensors file: 8 bytes of length, then JSON that gives each tensor's dtype, shape and byte range.
//!
//! Format: <https://github.com/huggingface/safetensors#format>. The header can be read from the first bytes alone, so a
//! stream is checked before its weights arrive. All offsets are `u64`, so that no sum overflows in 32-bit wasm.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::{checkpoint_error, download_again, quote, sniff};
use crate::error::{Result, parse_error};
use crate::message::{Message, message, shown};

/// Element type of a tensor in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dtype {
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 half precision.
    F16,
    /// bfloat16: the upper half of an F32.
    BF16,
    /// Anything else, by the name in the file. No parameter may have it.
    Other(String),
}

/// Bits per element of a dtype by its name in a file; `None` where the format has no such dtype.
pub(super) fn bits(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "F64" | "I64" | "U64" | "C64" => 64,
        "F32" | "I32" | "U32" => 32,
        "F16" | "BF16" | "I16" | "U16" => 16,
        "F4" => 4,
        "F6_E2M3" | "F6_E3M2" => 6,
        "BOOL" | "I8" | "U8" => 8,
        other if other.starts_with("F8_") => 8,
        _ => return None,
    })
}

impl Dtype {
    /// Bytes per element; 0 for [`Dtype::Other`], whose tensors are never read.
    pub fn size(&self) -> usize {
        match self {
            Dtype::F32 => 4,
            Dtype::F16 | Dtype::BF16 => 2,
            Dtype::Other(_) => 0,
        }
    }

    /// Name in the file.
    pub fn name(&self) -> &str {
        match self {
            Dtype::F32 => "F32",
            Dtype::F16 => "F16",
            Dtype::BF16 => "BF16",
            Dtype::Other(name) => name,
        }
    }
}

/// One tensor of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorEntry {
    /// Name in the file.
    pub name: String,
    /// Element type.
    pub dtype: Dtype,
    /// Row-major shape.
    pub shape: Vec<usize>,
    /// Where its bytes are, counted from the start of the file.
    pub range: Range<u64>,
}

/// A checked header: names are unique, and byte ranges fit dtypes and shapes and cover the file without gaps or overlaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The tensors in the order of their bytes.
    pub entries: Vec<TensorEntry>,
    /// The free-form `__metadata__`.
    pub metadata: BTreeMap<String, String>,
    /// Length of the whole file in bytes.
    pub file_len: u64,
}

/// Longest accepted header. That of GPT-2 XL takes 60 kB.
const MAX_HEADER: u64 = 16 << 20;
/// Holds the header of most files.
const FIRST_READ: u64 = 64 << 10;
/// Highest accepted number of dimensions.
const MAX_RANK: usize = 8;

fn ends_inside(len: u64) -> crate::error::Error {
    checkpoint_error(message!(
        "weights.header_cut",
        "The weights file ends inside its header, after {bytes} bytes. {advice}",
        bytes = len,
        advice = download_again()
    ))
}

impl Header {
    /// Reads the header from the first bytes of a file, or returns `None` if it goes on beyond them. `prefix` may hold
    /// more than the header.
    ///
    /// # Errors
    /// [`Error::Checkpoint`](crate::error::Error::Checkpoint) if this is no safetensors file or its header is invalid.
    pub fn parse(prefix: &[u8]) -> Result<Option<Header>> {
        if let Some(kind) = sniff::other_format(prefix) {
            return Err(checkpoint_error(kind));
        }
        let Some((length, rest)) = prefix.split_first_chunk::<8>() else { return Ok(None) };
        let length = u64::from_le_bytes(*length);
        if !(2..=MAX_HEADER).contains(&length) {
            return Err(checkpoint_error(message!(
                "weights.header_length",
                "This is not a safetensors file, or it is damaged: its header would be {bytes} bytes \
                 long. Choose the model.safetensors of a GPT-2 model.",
                bytes = length
            )));
        }
        if rest.first().is_some_and(|&b| b != b'{') {
            return Err(checkpoint_error(message!(
                "weights.no_header",
                "This is not a safetensors file: no header begins after its first 8 bytes. Choose the \
                 model.safetensors of a GPT-2 model, or, if this is it: {advice}",
                advice = download_again()
            )));
        }
        match rest.get(..length as usize) {
            None => Ok(None),
            Some(json) => Header::parse_json(json).map(Some),
        }
    }

    /// Reads the header of a file that is wholly in memory, and checks that the file is as long as it should be.
    ///
    /// # Errors
    /// As [`Header::parse`], and if the file is truncated or has bytes after its last tensor.
    pub fn parse_whole(bytes: &[u8]) -> Result<Header> {
        let header = Header::parse_head(bytes)?;
        header.check_len(bytes.len() as u64)?;
        Ok(header)
    }

    /// As [`Header::parse`], of first bytes that must hold the whole header.
    ///
    /// # Errors
    /// As [`Header::parse`], and if the header goes on beyond them.
    pub fn parse_head(head: &[u8]) -> Result<Header> {
        Header::parse(head)?.ok_or_else(|| ends_inside(head.len() as u64))
    }

    /// As [`Header::parse_whole`], of a file of `len` bytes that lies elsewhere: `read` gives any range of it.
    ///
    /// # Errors
    /// As [`Header::parse_whole`], and what `read` fails with.
    pub async fn parse_from(len: u64, mut read: impl AsyncFnMut(Range<u64>) -> Result<Vec<u8>>) -> Result<Header> {
        let mut known = len.min(FIRST_READ);
        loop {
            if let Some(header) = Header::parse(&read(0..known).await?)? {
                header.check_len(len)?;
                return Ok(header);
            }
            if known == len {
                return Err(ends_inside(len));
            }
            known = len.min(2 * known);
        }
    }

    /// Compares the file's actual length in bytes with the one that the header implies.
    ///
    /// # Errors
    /// [`Error::Checkpoint`](crate::error::Error::Checkpoint) if the file is truncated, naming the tensor in which it ends,
    /// or has bytes after its last tensor.
    pub fn check_len(&self, actual: u64) -> Result<()> {
        if actual < self.file_len {
            let cut = self.entries.iter().find(|e| e.range.end > actual).map_or("?", |e| &e.name);
            return Err(checkpoint_error(message!(
                "weights.truncated",
                "The weights file is truncated: it should be {wanted} bytes long but ends after {bytes}, \
                 within tensor {tensor}. {advice}",
                wanted = self.file_len,
                bytes = actual,
                tensor = quote(cut),
                advice = download_again()
            )));
        }
        if actual > self.file_len {
            return Err(checkpoint_error(message!(
                "weights.too_long",
                "The weights file is longer than its header says: {bytes} bytes instead of {wanted}. \
                 {advice}",
                bytes = actual,
                wanted = self.file_len,
                advice = download_again()
            )));
        }
        Ok(())
    }

    fn parse_json(json: &[u8]) -> Result<Header> {
        let raw: RawHeader = serde_json::from_slice(json).map_err(|e| {
            checkpoint_error(message!(
                "weights.header",
                "The header of the weights file is damaged: {cause}. {advice}",
                cause = parse_error(&e),
                advice = download_again()
            ))
        })?;
        let data_start = 8 + json.len() as u64;
        let mut entries = Vec::with_capacity(raw.tensors.len());
        for (name, info) in raw.tensors {
            entries.push(info.check(name, data_start)?);
        }
        entries.sort_unstable_by_key(|e| (e.range.start, e.range.end));

        let mut end = data_start;
        for entry in &entries {
            if entry.range.start != end {
                let how = if entry.range.start < end {
                    message!("weights.overlaps", "overlaps the one before it")
                } else {
                    message!("weights.gap", "leaves a gap before it")
                };
                return Err(checkpoint_error(message!(
                    "weights.header_tensor",
                    "The header of the weights file is damaged: tensor {tensor} {what}. {advice}",
                    tensor = quote(&entry.name),
                    what = how,
                    advice = download_again()
                )));
            }
            end = entry.range.end;
        }
        Ok(Header { entries, metadata: raw.metadata, file_len: end })
    }
}

#[derive(Deserialize)]
struct RawInfo {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

impl RawInfo {
    fn check(self, name: String, data_start: u64) -> Result<TensorEntry> {
        let fail = |what: Message| {
            checkpoint_error(message!(
                "weights.header_tensor",
                "The header of the weights file is damaged: tensor {tensor} {what}. {advice}",
                tensor = quote(&name),
                what,
                advice = download_again()
            ))
        };
        let (begin, end) = self.data_offsets;
        if self.shape.len() > MAX_RANK {
            return Err(fail(message!("weights.dimensions", "has {count} dimensions", count = self.shape.len())));
        }
        let range = data_start
            .checked_add(begin)
            .zip(data_start.checked_add(end))
            .filter(|_| begin <= end)
            .map(|(begin, end)| begin..end)
            .ok_or_else(|| fail(message!("weights.offsets", "has impossible offsets {begin}..{end}", begin, end)))?;

        let Some(bits) = bits(&self.dtype) else {
            return Err(fail(message!(
                "weights.dtype_unknown",
                "has an unknown dtype {dtype}",
                dtype = quote(&self.dtype)
            )));
        };
        let total_bits = self.shape.iter().try_fold(bits, |product, &d| product.checked_mul(d));
        if total_bits != (end - begin).checked_mul(8) || total_bits.is_none() {
            return Err(fail(message!(
                "weights.size",
                "of dtype {dtype} and shape {shape} cannot fill the {bytes} bytes given to it",
                dtype = self.dtype,
                shape = shown(&self.shape),
                bytes = end - begin
            )));
        }
        let shape = self.shape.iter().map(|&d| usize::try_from(d)).collect::<std::result::Result<Vec<_>, _>>();
        let shape = shape.map_err(|_| {
            fail(message!("weights.shape", "has an impossible shape {shape}", shape = shown(&self.shape)))
        })?;
        let dtype = match self.dtype.as_str() {
            "F32" => Dtype::F32,
            "F16" => Dtype::F16,
            "BF16" => Dtype::BF16,
            _ => Dtype::Other(self.dtype),
        };
        Ok(TensorEntry { name, dtype, shape, range })
    }
}

/// The JSON as it stands. A map of serde's own would keep the last of two equal names without a word.
struct RawHeader {
    tensors: Vec<(String, RawInfo)>,
    metadata: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for RawHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct HeaderVisitor;
        impl<'de> Visitor<'de> for HeaderVisitor {
            type Value = RawHeader;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<RawHeader, A::Error> {
                let mut header = RawHeader { tensors: Vec::new(), metadata: BTreeMap::new() };
                let mut seen = HashSet::new();
                while let Some(name) = map.next_key::<String>()? {
                    if !seen.insert(name.clone()) {
                        return Err(A::Error::custom(format!("the name {} appears twice", quote(&name))));
                    }
                    let at = |e: A::Error| A::Error::custom(format!("tensor {}: {e}", quote(&name)));
                    if name == "__metadata__" {
                        header.metadata = map.next_value().map_err(at)?;
                    } else {
                        let info = map.next_value().map_err(at)?;
                        header.tensors.push((name, info));
                    }
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(HeaderVisitor)
    }
}
