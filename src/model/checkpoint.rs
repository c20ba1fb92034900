//! Weights files: HF GPT-2 safetensors in and out, whole or as a stream, in one file or in shards.
//!
//! A file is checked against the configuration before one value is used: every parameter of
//! [`param_specs`] must be there with its shape and a supported dtype (F32, F16,
//! BF16). Values become f32 on the way to their destination, block by block, so that loading never holds a second copy of
//! the model, and a NaN or infinite weight is an error that names the tensor.
//!
//! Names may carry HF's `transformer.` prefix or not. What is not a parameter is skipped and listed: the causal masks
//! `h.*.attn.bias` and `h.*.attn.masked_bias` of old checkpoints, a redundant `lm_head.weight` beside a tied head (as in
//! HF, the tied head always uses `wte`), and tensors that no GPT-2 has.
//!
//! The header is parsed by this module rather than by the `safetensors` crate, whose reader needs the whole file at once,
//! does not say which tensor is wrong, keeps the last of two equal names silently, and adds offsets in `usize`, which is 32
//! bits in wasm. The tests hold the two against each other.

mod header;
mod loader;
mod matching;
mod sniff;
mod write;

use std::collections::BTreeMap;
use std::ops::Range;

pub use header::{Dtype, Header, TensorEntry};
pub use loader::{Loader, ShardIndex, Sink};
pub use write::{Pieces, TensorOut, encode_f32, write_header, write_safetensors};

use crate::config::GptConfig;
use crate::error::{Error, Result, short};
use crate::message::{Message, message};
use crate::model::params::param_specs;
use matching::Matcher;

/// A map of its entries. `collect` would sort them first, with code for each kind of entry that every visitor of the page
/// would load.
fn map_of<K: Ord, V>(entries: impl Iterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    map.extend(entries);
    map
}

/// The advice for a file that is damaged rather than of the wrong kind.
fn download_again() -> Message {
    message!("advice.download_again", "Download it again.")
}

/// Checks the headers of a checkpoint's files against a configuration, one file after another: what a file claims costs
/// nothing yet, while a model of that size costs its memory. So this comes before a model is opened.
#[derive(Debug)]
pub struct HeaderCheck(Matcher);

impl HeaderCheck {
    /// Begins with no file.
    ///
    /// # Errors
    /// [`Error::Config`] if `config` is invalid.
    pub fn new(config: &GptConfig) -> Result<HeaderCheck> {
        config.validate()?;
        Ok(HeaderCheck(Matcher::new(param_specs(config), config)))
    }

    /// Takes the next file's header.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if a parameter is there twice, or has another shape or dtype; the text names the tensor.
    pub fn file(&mut self, header: &Header) -> Result<()> {
        self.0.accept(header).map(drop)
    }

    /// All files were there.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if a parameter is missing; the text names it.
    pub fn finish(mut self) -> Result<()> {
        self.0.finish().map(drop)
    }
}

/// A checked view of a checkpoint whose bytes are all in memory.
#[derive(Debug)]
pub struct Checkpoint<'a> {
    tensors: BTreeMap<String, Tensor<'a>>,
    ignored: Vec<String>,
}

#[derive(Debug)]
struct Tensor<'a> {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: &'a [u8],
}

impl<'a> Checkpoint<'a> {
    /// Checks a whole safetensors file against `config`. Copies no values.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if the file is of another kind, damaged or truncated, or if a parameter is missing or has
    /// another shape or dtype; the text names the tensor. [`Error::Config`] if `config` is invalid.
    pub fn parse(bytes: &'a [u8], config: &GptConfig) -> Result<Checkpoint<'a>> {
        Checkpoint::parse_shards(&[bytes], config)
    }

    /// As [`Checkpoint::parse`], for a checkpoint in several files (those that `model.safetensors.index.json` lists), in
    /// any order.
    ///
    /// # Errors
    /// As [`Checkpoint::parse`], and if two files hold the same tensor.
    pub fn parse_shards(files: &[&'a [u8]], config: &GptConfig) -> Result<Checkpoint<'a>> {
        config.validate()?;
        let mut matcher = Matcher::new(param_specs(config), config);
        let mut tensors = BTreeMap::new();
        for &bytes in files {
            let header = Header::parse_whole(bytes)?;
            for (name, entry) in matcher.accept(&header)? {
                // In range: parse_whole has compared every offset with the length of the file.
                let bytes = &bytes[entry.range.start as usize..entry.range.end as usize];
                tensors.insert(name, Tensor { dtype: entry.dtype, shape: entry.shape, bytes });
            }
        }
        let ignored = matcher.finish()?;
        Ok(Checkpoint { tensors, ignored })
    }

    /// Names in the file of the tensors that are not parameters of this model and were skipped.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The dtype in which the file holds parameter `name`.
    pub fn dtype(&self, name: &str) -> Option<&Dtype> {
        self.tensors.get(name).map(|t| &t.dtype)
    }

    /// Copies `rows` (indices along the first dimension) of parameter `name` into `out` as f32, row-major. `name` is the
    /// one of [`param_specs`], whatever prefix the file uses.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if the model has no such parameter, if `rows` or the length of `out` do not fit its shape,
    /// or if a value is NaN or infinite.
    pub fn copy_f32(&self, name: &str, rows: Range<usize>, out: &mut [f32]) -> Result<()> {
        let Some(tensor) = self.tensors.get(name) else {
            return Err(checkpoint_error(Message::uncoded(format!("This model has no parameter '{name}'."))));
        };
        let n_rows = tensor.shape.first().copied().unwrap_or(1);
        let row = tensor.shape.iter().skip(1).product::<usize>();
        if rows.start > rows.end || rows.end > n_rows || out.len() != (rows.end - rows.start) * row {
            return Err(checkpoint_error(Message::uncoded(format!(
                "Rows {rows:?} of '{name}' {:?} do not fit a destination of {} values.",
                tensor.shape,
                out.len()
            ))));
        }
        let size = tensor.dtype.size();
        let first = rows.start * row;
        decode(name, &tensor.dtype, &tensor.bytes[first * size..rows.end * row * size], first, out)
    }
}

fn checkpoint_error(message: Message) -> Error {
    Error::Checkpoint(message)
}

/// A name from the file, quoted, escaped and cut short.
fn quote(name: &str) -> String {
    format!("'{}'", short(name).escape_debug())
}

/// Converts little-endian values of `dtype` to f32; `out.len() * dtype.size() == bytes.len()`. `first` is the index in
/// tensor `name` of the first value, for the error on a value that is not finite.
fn decode(name: &str, dtype: &Dtype, bytes: &[u8], first: usize, out: &mut [f32]) -> Result<()> {
    match dtype {
        Dtype::F32 => {
            for (x, b) in out.iter_mut().zip(bytes.chunks_exact(4)) {
                *x = f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
            }
        }
        Dtype::F16 => decode_half(bytes, out, |halves: &[half::f16], out| {
            half::slice::HalfFloatSliceExt::convert_to_f32_slice(halves, out);
        }),
        Dtype::BF16 => {
            for (x, b) in out.iter_mut().zip(bytes.chunks_exact(2)) {
                *x = f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16);
            }
        }
        Dtype::Other(found) => {
            return Err(checkpoint_error(message!(
                "weights.not_float",
                "Tensor {tensor} has dtype {dtype}, not a float.",
                tensor = quote(name),
                dtype = quote(found)
            )));
        }
    }
    // A fold without an early exit, which the compiler vectorises.
    if out.iter().fold(true, |finite, x| finite & x.is_finite()) {
        return Ok(());
    }
    let i = out.iter().position(|x| !x.is_finite()).unwrap_or(0);
    Err(checkpoint_error(message!(
        "weights.not_finite",
        "Tensor {tensor} holds {value} at element {element}: the weights are damaged, or their \
         training diverged. {advice}",
        tensor = quote(name),
        value = out[i],
        element = first + i,
        advice = download_again()
    )))
}

/// The bytes may lie at any address: they pass through a small aligned block.
fn decode_half(bytes: &[u8], out: &mut [f32], convert: impl Fn(&[half::f16], &mut [f32])) {
    let mut block = [half::f16::ZERO; 1024];
    for (out, bytes) in out.chunks_mut(block.len()).zip(bytes.chunks(2 * block.len())) {
        for (x, b) in block.iter_mut().zip(bytes.chunks_exact(2)) {
            *x = half::f16::from_le_bytes([b[0], b[1]]);
        }
        convert(&block[..out.len()], out);
    }
}
