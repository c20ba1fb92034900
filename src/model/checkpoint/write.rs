//! Writes safetensors files, whole ([`write_safetensors`]) or piece by piece ([`write_header`], then [`Pieces`]).

use std::collections::HashSet;

use half::{bf16, f16};
use serde_json::{Map, json};

use super::header::bits;
use super::{Dtype, checkpoint_error, quote};
use crate::error::{Error, Result};
use crate::message::Message;

/// A tensor to be written.
#[derive(Debug, Clone)]
pub struct TensorOut<'a> {
    /// Name in the file.
    pub name: String,
    /// Row-major shape.
    pub shape: Vec<usize>,
    /// Element type in the file.
    pub dtype: Dtype,
    /// The values, as many as the shape says.
    pub data: &'a [f32],
}

/// A whole safetensors file in memory. Tensors of F32 come first, so that every value is aligned; otherwise the order is
/// kept. HF wants `metadata` to be `[("format", "pt")]`.
///
/// # Errors
/// [`Error::Checkpoint`](crate::error::Error::Checkpoint) naming the tensor, if a name appears twice, a shape and its
/// data differ in size, the dtype is not F32, F16 or BF16, or a value is too large for it.
pub fn write_safetensors(tensors: &[TensorOut<'_>], metadata: &[(&str, &str)]) -> Result<Vec<u8>> {
    let mut order: Vec<&TensorOut<'_>> = tensors.iter().collect();
    order.sort_by_key(|t| t.dtype != Dtype::F32);
    let specs: Vec<_> = order.iter().map(|t| (t.name.as_str(), t.shape.as_slice(), &t.dtype)).collect();
    let mut file = write_header(&specs, metadata)?;
    file.reserve_exact(order.iter().map(|t| t.data.len() * t.dtype.size()).sum());
    for tensor in order {
        if tensor.shape.iter().product::<usize>() != tensor.data.len() {
            return Err(checkpoint_error(Message::uncoded(format!(
                "Tensor {} of shape {:?} cannot be written from {} values.",
                quote(&tensor.name),
                tensor.shape,
                tensor.data.len()
            ))));
        }
        encode_f32(&tensor.name, &tensor.dtype, tensor.data, &mut file)?;
    }
    Ok(file)
}

/// The first bytes of a safetensors file, for `(name, shape, dtype)` of tensors whose values follow in this order. Any dtype
/// of the format will do whose elements take whole bytes.
///
/// # Errors
/// As [`write_safetensors`].
pub fn write_header(tensors: &[(&str, &[usize], &Dtype)], metadata: &[(&str, &str)]) -> Result<Vec<u8>> {
    let mut map = Map::new();
    if !metadata.is_empty() {
        map.insert("__metadata__".into(), json!(super::map_of(metadata.iter().copied())));
    }
    let mut names = HashSet::new();
    let mut begin = 0u64;
    for &(name, shape, dtype) in tensors {
        if !names.insert(name) || name == "__metadata__" {
            return Err(checkpoint_error(Message::uncoded(format!(
                "Two tensors cannot be written under one name, {}.",
                quote(name)
            ))));
        }
        let size =
            bits(dtype.name()).filter(|bits| bits.is_multiple_of(8)).ok_or_else(|| unsupported(name, dtype))? / 8;
        let end = shape
            .iter()
            .try_fold(size, |n, &d| n.checked_mul(d as u64))
            .and_then(|n| begin.checked_add(n))
            .ok_or_else(|| {
                checkpoint_error(Message::uncoded(format!("Tensor {} of shape {shape:?} is too large.", quote(name))))
            })?;
        map.insert(name.into(), json!({ "dtype": dtype.name(), "shape": shape, "data_offsets": [begin, end] }));
        begin = end;
    }
    let mut json = serde_json::Value::Object(map).to_string().into_bytes();
    // The format allows spaces at the end; they align the values that follow.
    json.resize(json.len().next_multiple_of(8), b' ');
    let mut header = (json.len() as u64).to_le_bytes().to_vec();
    header.append(&mut json);
    Ok(header)
}

/// Small tensors are put together to pieces of this size, in bytes.
const PIECE: usize = 8 << 20;

/// A file in pieces: a large model has no room for a second copy in WebAssembly's memory. A piece has 8 MiB, and at most the
/// tensor more that completes it.
#[derive(Debug)]
pub struct Pieces {
    bytes: Vec<u8>,
}

impl Pieces {
    /// A file that begins with `header`, see [`write_header`].
    pub fn new(header: Vec<u8>) -> Self {
        Self { bytes: header }
    }

    /// Adds the values of a tensor, in the header's order. Returns the piece that this completes.
    ///
    /// # Errors
    /// As [`encode_f32`].
    pub fn add(&mut self, name: &str, dtype: &Dtype, values: &[f32]) -> Result<Option<Vec<u8>>> {
        // Growing by doubling would take three times a large tensor.
        match values.len() * dtype.size() {
            small if small < PIECE => self.bytes.reserve(small),
            large => self.bytes.reserve_exact(large),
        }
        encode_f32(name, dtype, values, &mut self.bytes)?;
        Ok((self.bytes.len() >= PIECE).then(|| std::mem::take(&mut self.bytes)))
    }

    /// The last piece.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Appends `values` of tensor `name` to `out` in `dtype`, little-endian, rounding to nearest even.
///
/// # Errors
/// [`Error::Checkpoint`](crate::error::Error::Checkpoint) if `dtype` is not F32, F16 or BF16, or a finite value would
/// become infinite.
pub fn encode_f32(name: &str, dtype: &Dtype, values: &[f32], out: &mut Vec<u8>) -> Result<()> {
    if let Dtype::Other(_) = dtype {
        return Err(unsupported(name, dtype));
    }
    let too_large = |x: f32| {
        checkpoint_error(Message::uncoded(format!(
            "Tensor {} holds {x}, too large for {}: save it as F32.",
            quote(name),
            dtype.name()
        )))
    };
    match dtype {
        Dtype::F16 => {
            for &x in values {
                let y = f16::from_f32(x);
                if y.is_infinite() && x.is_finite() {
                    return Err(too_large(x));
                }
                out.extend_from_slice(&y.to_le_bytes());
            }
        }
        Dtype::BF16 => {
            for &x in values {
                let y = bf16::from_f32(x);
                if y.is_infinite() && x.is_finite() {
                    return Err(too_large(x));
                }
                out.extend_from_slice(&y.to_le_bytes());
            }
        }
        _ => {
            for x in values {
                out.extend_from_slice(&x.to_le_bytes());
            }
        }
    }
    Ok(())
}

fn unsupported(name: &str, dtype: &Dtype) -> Error {
    checkpoint_error(Message::uncoded(format!("Tensor {} cannot be written as {}.", quote(name), dtype.name())))
}
