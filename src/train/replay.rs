//! Batches from a file instead of a text, for exact comparison with other implementations.

use super::data::{Batch, IGNORE};
use crate::error::{Error, Result};
use crate::message::Message;
use crate::model::checkpoint::Header;

/// Batches recorded in a safetensors file with `inputs` and `targets`, both (steps, B, T) of I64 or I32. A negative
/// target (PyTorch's -100) does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    steps: usize,
    batch_size: usize,
    context: usize,
    inputs: Vec<u32>,
    targets: Vec<u32>,
}

impl Replay {
    /// Reads and checks the file for a model of `vocab_size` tokens.
    ///
    /// # Errors
    /// [`Error::Input`] if a tensor is missing or has another dtype or shape than described, or an id is not in the
    /// vocabulary.
    pub fn parse(bytes: &[u8], vocab_size: usize) -> Result<Replay> {
        let header = Header::parse_whole(bytes).map_err(|e| error(&e.to_string()))?;
        let (shape, inputs) = tensor(&header, bytes, "inputs")?;
        let (target_shape, targets) = tensor(&header, bytes, "targets")?;
        let &[steps, batch_size, context] = shape else {
            return Err(error(&format!(
                "`inputs` has shape {shape:?}, but must have three dimensions, (steps, B, T)."
            )));
        };
        if shape != target_shape {
            return Err(error(&format!(
                "`inputs` has shape {shape:?} and `targets` {target_shape:?}: they must be equal."
            )));
        }
        if inputs.is_empty() {
            return Err(error(&format!("`inputs` has shape {shape:?}, so there is nothing to train on.")));
        }
        let id = |name: &str, id: i64| match u32::try_from(id) {
            Ok(small) if (small as usize) < vocab_size => Ok(small),
            _ => Err(error(&format!("`{name}` holds the id {id}, but the model has {vocab_size} tokens."))),
        };
        let inputs = inputs.into_iter().map(|x| id("inputs", x)).collect::<Result<_>>()?;
        let targets =
            targets.into_iter().map(|x| if x < 0 { Ok(IGNORE) } else { id("targets", x) }).collect::<Result<_>>()?;
        Ok(Replay { steps, batch_size, context, inputs, targets })
    }

    /// Batches in the file; with gradient accumulation each step uses several that follow one another.
    pub fn n_batches(&self) -> usize {
        self.steps
    }

    /// B.
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// T.
    pub fn context(&self) -> usize {
        self.context
    }

    /// Batch `i`, or `None` beyond the last.
    pub fn batch(&self, i: usize) -> Option<Batch> {
        let n = self.batch_size * self.context;
        let range = (i < self.steps).then(|| i * n..(i + 1) * n)?;
        Some(Batch { inputs: self.inputs[range.clone()].to_vec(), targets: self.targets[range].to_vec() })
    }
}

fn tensor<'a>(header: &'a Header, bytes: &[u8], name: &str) -> Result<(&'a [usize], Vec<i64>)> {
    let entry = header.entries.iter().find(|e| e.name == name);
    let entry =
        entry.ok_or_else(|| error(&format!("There is no tensor `{name}`; `inputs` and `targets` are needed.")))?;
    // In range: parse_whole has compared every offset with the length of the file.
    let data = &bytes[entry.range.start as usize..entry.range.end as usize];
    let values: Vec<i64> = match entry.dtype.name() {
        "I64" => data.as_chunks::<8>().0.iter().map(|&b| i64::from_le_bytes(b)).collect(),
        "I32" => data.as_chunks::<4>().0.iter().map(|&b| i64::from(i32::from_le_bytes(b))).collect(),
        other => return Err(error(&format!("`{name}` has dtype {other}, but must be I64 or I32."))),
    };
    if values.len() != entry.shape.iter().product::<usize>() {
        return Err(error(&format!("`{name}` of shape {:?} has {} values.", entry.shape, values.len())));
    }
    Ok((&entry.shape, values))
}

fn error(text: &str) -> Error {
    Error::Input(Message::uncoded(format!("The file to replay cannot be used. {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = include_bytes!("../../tests/fixtures/training/gpt2-tanh/batches.safetensors");

    #[test]
    fn reads_batches() {
        let replay = Replay::parse(FILE, 97).unwrap();
        assert_eq!((replay.n_batches(), replay.batch_size(), replay.context()), (20, 3, 32));
        let batch = replay.batch(0).unwrap();
        assert_eq!((batch.inputs.len(), batch.n_targets()), (96, 96 - 1 - 3));
        assert_eq!(batch.targets[2], IGNORE);
        // A target is the input that follows, in a row.
        assert_eq!(batch.targets[5..31], batch.inputs[6..32]);
        assert_eq!(replay.batch(3).unwrap().targets[..32], [IGNORE; 32]);
        assert!(replay.batch(19).is_some() && replay.batch(20).is_none());
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let message = |bytes: &[u8], vocab| Replay::parse(bytes, vocab).unwrap_err().to_string();
        assert!(message(FILE, 50).contains("has 50 tokens"), "{}", message(FILE, 50));
        assert!(message(&FILE[..FILE.len() - 1], 97).contains("cannot be used"));
        let renamed = |from: &str, to: &str| {
            assert_eq!(from.len(), to.len());
            let at = FILE.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
            let mut file = FILE.to_vec();
            file[at..at + to.len()].copy_from_slice(to.as_bytes());
            message(&file, 97)
        };
        assert!(renamed("targets", "turgets").contains("no tensor `targets`"));
        assert!(renamed("I64", "U64").contains("U64"));
        assert!(renamed("[20,3,32]", "[20,96,1]").contains("must be equal"));
    }
}
