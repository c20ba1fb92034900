//! Loads weights from a stream: from the network, from a dropped file read in slices, or from shards one after another.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::matching::Matcher;
use super::{Header, TensorEntry, checkpoint_error, decode, download_again, quote};
use crate::config::GptConfig;
use crate::error::{Result, parse_error};
use crate::message::message;
use crate::model::params::{ParamSpec, param_specs};

/// Values handed to the sink at once, at most (64 KiB of f32).
const BLOCK: usize = 16 << 10;
/// Bytes by which a file of another kind is recognised, before more of it is kept.
const SNIFF: usize = 64;

/// Receives `(name, first, values)`: a parameter's name in [`param_specs`], the row-major index of the first value, and
/// values that follow one another. Its error ends the loading.
pub type Sink<'a> = dyn FnMut(&str, usize, &[f32]) -> Result<()> + 'a;

/// Turns the bytes of a checkpoint, in pieces of any size, into f32 values at known places of known parameters.
///
/// Memory stays below the header's size plus one block, whatever the size of the model. The header is checked as soon as
/// it is complete, so that a wrong file fails before its weights are transferred. After an error the loader must be
/// dropped.
///
/// ```no_run
/// # use gpt_playground::{config::GptConfig, error::Result, model::checkpoint::Loader};
/// # fn load(config: &GptConfig, chunks: Vec<Vec<u8>>) -> Result<()> {
/// let mut loader = Loader::new(config)?;
/// for chunk in chunks {
///     loader.push(&chunk, &mut |name, first, values| {
///         println!("{name}: {} values from element {first}", values.len());
///         Ok(())
///     })?;
/// }
/// loader.end_file()?;
/// let ignored = loader.finish()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Loader {
    matcher: Matcher,
    sharded: bool,
    state: State,
    block: Vec<f32>,
}

#[derive(Debug)]
enum State {
    /// Between the start of a file and the end of its header.
    Header(Vec<u8>),
    Data(Data),
}

#[derive(Debug)]
struct Data {
    header: Header,
    /// Parameters still to come, in reverse order of their bytes: the current one is last.
    wanted: Vec<(String, TensorEntry)>,
    /// Bytes of the file consumed so far.
    pos: u64,
    /// The first bytes of a value that a chunk ended in.
    carry: Vec<u8>,
}

impl Loader {
    /// For a checkpoint in one file.
    ///
    /// # Errors
    /// [`Error::Config`](crate::error::Error::Config) if `config` is invalid.
    pub fn new(config: &GptConfig) -> Result<Loader> {
        config.validate()?;
        Ok(Loader::with_specs(param_specs(config), config, false))
    }

    /// For a checkpoint in several files: push the bytes of each of [`ShardIndex::files`], and call
    /// [`Loader::end_file`] after each. The order of the files does not matter.
    ///
    /// # Errors
    /// As [`Loader::new`], and [`Error::Checkpoint`](crate::error::Error::Checkpoint) if the index lacks a parameter.
    pub fn sharded(config: &GptConfig, index: &ShardIndex) -> Result<Loader> {
        config.validate()?;
        let specs = param_specs(config);
        if let Some(spec) = specs.iter().find(|s| index.file_of(&s.name).is_none()) {
            return Err(checkpoint_error(message!(
                "weights.index_lacks",
                "model.safetensors.index.json lists no file for tensor '{tensor}'. Make sure that it and \
                 config.json come from the same model.",
                tensor = spec.name
            )));
        }
        Ok(Loader::with_specs(specs, config, true))
    }

    fn with_specs(specs: Vec<ParamSpec>, config: &GptConfig, sharded: bool) -> Loader {
        let matcher = Matcher::new(specs, config);
        Loader { matcher, sharded, state: State::Header(Vec::new()), block: vec![0.0; BLOCK] }
    }

    /// Length of the current file, once its header has arrived.
    pub fn file_len(&self) -> Option<u64> {
        match &self.state {
            State::Header(_) => None,
            State::Data(data) => Some(data.header.file_len),
        }
    }

    /// Bytes of the current file consumed so far.
    pub fn position(&self) -> u64 {
        match &self.state {
            State::Header(buffer) => buffer.len() as u64,
            State::Data(data) => data.pos,
        }
    }

    /// Consumes the next bytes of the current file and hands the values in them to `sink`. Every element of every
    /// parameter arrives exactly once, those of one parameter in order.
    ///
    /// # Errors
    /// As [`Checkpoint::parse`](super::Checkpoint::parse); an error for a NaN or infinite value, naming the tensor; and
    /// whatever `sink` returns.
    pub fn push(&mut self, chunk: &[u8], sink: &mut Sink<'_>) -> Result<()> {
        let State::Header(buffer) = &mut self.state else { return self.push_data(chunk, sink) };
        // Takes no more than the header into the buffer; a chunk may be as large as the file.
        let mut taken = 0;
        loop {
            let need = match buffer.first_chunk::<8>() {
                None => 8,
                // A length beyond all limits is refused by Header::parse below, before anything is kept for it.
                Some(length) => u64::from_le_bytes(*length).saturating_add(8),
            };
            let stop = if buffer.len() < SNIFF { need.min(SNIFF as u64) } else { need };
            let more = stop.saturating_sub(buffer.len() as u64).min((chunk.len() - taken) as u64) as usize;
            buffer.extend_from_slice(&chunk[taken..taken + more]);
            taken += more;
            // Parsing happens at the two places where it can say something new: early, and at the end.
            if (buffer.len() == SNIFF || buffer.len() as u64 == need)
                && let Some(header) = Header::parse(buffer)?
            {
                let mut wanted = self.matcher.accept(&header)?;
                if !self.sharded {
                    self.matcher.check_complete()?;
                }
                wanted.reverse();
                let pos = buffer.len() as u64;
                self.state = State::Data(Data { header, wanted, pos, carry: Vec::with_capacity(4) });
                return self.push_data(&chunk[taken..], sink);
            }
            if taken == chunk.len() {
                return Ok(());
            }
        }
    }

    fn push_data(&mut self, mut chunk: &[u8], sink: &mut Sink<'_>) -> Result<()> {
        let State::Data(data) = &mut self.state else { return Ok(()) };
        let end = data.pos.saturating_add(chunk.len() as u64);
        if end > data.header.file_len {
            return data.header.check_len(end);
        }
        while let Some((name, entry)) = data.wanted.last() {
            let skip = entry.range.start.saturating_sub(data.pos).min(chunk.len() as u64);
            chunk = &chunk[skip as usize..];
            data.pos += skip;
            if chunk.is_empty() {
                return Ok(());
            }
            let take = (entry.range.end - data.pos).min(chunk.len() as u64) as usize;
            let (mut bytes, rest) = chunk.split_at(take);
            let size = entry.dtype.size();
            // Divided before it is narrowed: bytes may pass 2^32 in wasm where elements do not.
            let mut first = ((data.pos - entry.range.start) / size as u64) as usize;

            if !data.carry.is_empty() {
                let (head, tail) = bytes.split_at(bytes.len().min(size - data.carry.len()));
                data.carry.extend_from_slice(head);
                bytes = tail;
                if data.carry.len() == size {
                    decode(name, &entry.dtype, &data.carry, first, &mut self.block[..1])?;
                    sink(name, first, &self.block[..1])?;
                    data.carry.clear();
                    first += 1;
                }
            }
            let (whole, partial) = bytes.split_at(bytes.len() / size * size);
            for piece in whole.chunks(BLOCK * size) {
                let values = &mut self.block[..piece.len() / size];
                decode(name, &entry.dtype, piece, first, values)?;
                sink(name, first, values)?;
                first += values.len();
            }
            data.carry.extend_from_slice(partial);

            data.pos += take as u64;
            chunk = rest;
            if data.pos == entry.range.end {
                data.wanted.pop();
            }
        }
        data.pos = end;
        Ok(())
    }

    /// Ends the current file, and makes the loader ready for the next one.
    ///
    /// # Errors
    /// [`Error::Checkpoint`](crate::error::Error::Checkpoint) if the file is truncated.
    pub fn end_file(&mut self) -> Result<()> {
        match &self.state {
            State::Header(buffer) => {
                // Too short a file may still be of a recognisable kind.
                Header::parse_whole(buffer)?;
            }
            State::Data(data) => data.header.check_len(data.pos)?,
        }
        self.state = State::Header(Vec::new());
        Ok(())
    }

    /// Ends the checkpoint, after [`Loader::end_file`] for its last file. Returns the names of the tensors that were
    /// skipped because they are not parameters. After an error the loader is as before: more may be pushed.
    ///
    /// # Errors
    /// [`Error::Checkpoint`](crate::error::Error::Checkpoint) if a file was not ended or a parameter is missing.
    pub fn finish(&mut self) -> Result<Vec<String>> {
        if !matches!(&self.state, State::Header(buffer) if buffer.is_empty()) {
            return Err(checkpoint_error(message!(
                "weights.not_to_the_end",
                "The last weights file has not been read to its end. {advice}",
                advice = download_again()
            )));
        }
        self.matcher.finish()
    }
}

/// `model.safetensors.index.json`: which file of a sharded checkpoint holds which tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardIndex {
    /// From the name without `transformer.` to the file's name.
    weight_map: BTreeMap<String, String>,
}

impl ShardIndex {
    /// Reads the index.
    ///
    /// # Errors
    /// [`Error::Checkpoint`](crate::error::Error::Checkpoint) if it is no such index, or names a file outside its own
    /// folder.
    pub fn parse(json: &[u8]) -> Result<ShardIndex> {
        #[derive(Deserialize)]
        struct Raw {
            weight_map: BTreeMap<String, String>,
        }
        let raw: Raw = serde_json::from_slice(json).map_err(|e| {
            checkpoint_error(message!(
                "weights.index_not_read",
                "model.safetensors.index.json cannot be read: {cause}. {advice}",
                cause = parse_error(&e),
                advice = download_again()
            ))
        })?;
        if let Some(file) = raw.weight_map.values().find(|f| f.is_empty() || f.contains(['/', '\\', ':']) || *f == "..")
        {
            return Err(checkpoint_error(message!(
                "weights.index_name",
                "model.safetensors.index.json names the file {file}, which is not a plain file name. \
                 {advice}",
                file = quote(file),
                advice = download_again()
            )));
        }
        let plain = |name: String| name.strip_prefix("transformer.").map(str::to_string).unwrap_or(name);
        Ok(ShardIndex { weight_map: super::map_of(raw.weight_map.into_iter().map(|(name, file)| (plain(name), file))) })
    }

    /// The files, sorted by name, each once.
    pub fn files(&self) -> Vec<String> {
        super::map_of(self.weight_map.values().map(|file| (file.clone(), ()))).into_keys().collect()
    }

    /// The file that holds parameter `name` (without `transformer.`).
    pub fn file_of(&self, name: &str) -> Option<&str> {
        self.weight_map.get(name).map(String::as_str)
    }
}
