//! The bytes of every token, both ways.

use super::error;
use crate::error::{Error, Result};
use crate::message::{message, shown};

/// Ids above this are refused: no GPT has a vocabulary so large, and a hostile file must not make us allocate for it.
pub(super) const MAX_ID: u32 = (1 << 20) - 1;

const UNUSED: (u32, u32) = (u32::MAX, u32::MAX);

/// Id to bytes and bytes to id, in three flat allocations.
#[derive(Debug, Clone)]
pub(super) struct TokenTable {
    bytes: Vec<u8>,
    /// `(start, end)` into `bytes` by id.
    spans: Vec<(u32, u32)>,
    /// The ids in use, ordered by their bytes, then by id.
    by_text: Vec<u32>,
}

impl TokenTable {
    /// A table of `(id, bytes)`; ids may come in any order and leave gaps.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] for an id that is out of range or given twice.
    pub fn new<'a>(tokens: impl Iterator<Item = (u32, &'a [u8])> + Clone) -> Result<TokenTable> {
        let mut spans = Vec::new();
        let mut bytes: Vec<u8> = Vec::with_capacity(tokens.clone().map(|(_, t)| t.len()).sum());
        for (id, token) in tokens {
            if id > MAX_ID {
                return Err(error(message!(
                    "tokenizer.id_range",
                    "token {token} has the id {id}; the largest supported is {most}: the tokenizer file is \
                     damaged",
                    token = shown(&String::from_utf8_lossy(token)),
                    id,
                    most = MAX_ID
                )));
            }
            if spans.len() <= id as usize {
                spans.resize(id as usize + 1, UNUSED);
            }
            if spans[id as usize] != UNUSED {
                let (start, end) = spans[id as usize];
                return Err(error(message!(
                    "tokenizer.same_id",
                    "the tokens {first} and {second} have the same id {id}: the tokenizer file is damaged",
                    first = shown(&String::from_utf8_lossy(&bytes[start as usize..end as usize])),
                    second = shown(&String::from_utf8_lossy(token)),
                    id
                )));
            }
            let start = bytes.len();
            bytes.extend_from_slice(token);
            let end = u32::try_from(bytes.len()).map_err(|_| {
                Error::Tokenizer(message!(
                    "tokenizer.over_4_gib",
                    "the vocabulary is larger than 4 GiB: the tokenizer file is damaged"
                ))
            })?;
            spans[id as usize] = (start as u32, end);
        }
        let mut table = TokenTable { bytes, spans, by_text: Vec::new() };
        let mut by_text: Vec<u32> = (0..table.len() as u32).filter(|&id| table.get(id).is_some()).collect();
        by_text.sort_unstable_by_key(|&id| (table.get(id), id));
        table.by_text = by_text;
        Ok(table)
    }

    /// One more than the largest id.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// The bytes of a token; `None` for an id that is not in use.
    pub fn get(&self, id: u32) -> Option<&[u8]> {
        let &(start, end) = self.spans.get(id as usize)?;
        self.bytes.get(start as usize..end as usize)
    }

    /// The lowest id with exactly these bytes.
    pub fn id_of(&self, bytes: &[u8]) -> Option<u32> {
        let i = self.by_text.partition_point(|&id| self.get(id) < Some(bytes));
        self.by_text.get(i).copied().filter(|&id| self.get(id) == Some(bytes))
    }
}
