//! GPT-2's byte-level byte-pair encoding (Radford et al. 2019), with ids equal to those of HF's `tokenizers`.

use super::added::{AddedToken, AddedTokens, Part};
use super::merge::{Merges, TextMap};
use super::table::TokenTable;
use super::{Tokenizer, alphabet, error, pieces};
use crate::error::{Error, Result};
use crate::message::{message, shown};

/// Marks a byte that no token stands for.
const NO_TOKEN: u32 = u32::MAX;

/// GPT-2's end of text, which most vocabularies of this family use to separate documents.
pub(super) const END_OF_TEXT: &str = "<|endoftext|>";

/// A byte-level BPE tokenizer: read from files, or made from a text by [`Bpe::train`].
#[derive(Debug, Clone)]
pub struct Bpe {
    pub(super) table: TokenTable,
    pub(super) merges: Merges,
    pub(super) added: AddedTokens,
    /// Ids, ascending, whose entry in the vocabulary is their own text and not written in GPT-2's alphabet.
    verbatim: Vec<u64>,
    byte_ids: [u32; 256],
    pub(super) eos: Option<u32>,
    pub(super) bos: Option<u32>,
}

impl Bpe {
    /// Puts a tokenizer together. `vocab` and `merges` are written in GPT-2's alphabet, `merges` in order of rank.
    pub(super) fn build(vocab: &[(&str, u32)], merges: &[(&str, &str)], mut added: Vec<AddedToken>) -> Result<Bpe> {
        added.retain(|t| !t.content.is_empty());
        let ids: TextMap = vocab.iter().map(|(entry, id)| (entry.as_bytes(), *id)).collect();
        let mut added_ids = TextMap::new();
        for AddedToken { content, id, .. } in &added {
            if let Some(other) = added_ids.insert(content.as_bytes(), *id).filter(|other| other != id) {
                return Err(error(message!(
                    "tokenizer.id_twice",
                    "the token {token} stands twice in added_tokens, with the ids {first} and {second}: the \
                     tokenizer file is damaged",
                    token = shown(&content),
                    first = other,
                    second = id
                )));
            }
        }
        let mut verbatim: Vec<u64> = Vec::new();
        let mut tokens: Vec<(u32, Vec<u8>)> = Vec::with_capacity(vocab.len() + added.len());
        for &(entry, id) in vocab {
            let bytes = if added_ids.contains_key(entry.as_bytes()) { None } else { alphabet::read(entry) };
            tokens.push((
                id,
                bytes.unwrap_or_else(|| {
                    verbatim.push(id.into());
                    entry.as_bytes().to_vec()
                }),
            ));
        }
        for token in &added {
            match ids.get(token.content.as_bytes()) {
                Some(&id) if id == token.id => {}
                Some(&id) => {
                    return Err(error(message!(
                        "tokenizer.id_differs",
                        "the token {token} has the id {added} in added_tokens but {vocabulary} in the \
                         vocabulary: the tokenizer file is damaged",
                        token = shown(&token.content),
                        added = token.id,
                        vocabulary = id
                    )));
                }
                None => {
                    verbatim.push(token.id.into());
                    tokens.push((token.id, token.content.as_bytes().to_vec()));
                }
            }
        }
        verbatim.sort_unstable();
        if tokens.is_empty() {
            return Err(Error::Tokenizer(message!(
                "tokenizer.empty",
                "the vocabulary is empty: the tokenizer file is damaged"
            )));
        }
        let table = TokenTable::new(tokens.iter().map(|(id, bytes)| (*id, bytes.as_slice())))?;

        let mut known: Vec<[u32; 3]> = Vec::with_capacity(merges.len());
        let mut joined = String::new();
        for (rank, &(left, right)) in (0u32..).zip(merges) {
            joined.clear();
            joined.push_str(left);
            joined.push_str(right);
            let id = |token: &str| {
                ids.get(token.as_bytes()).copied().ok_or_else(|| {
                    error(message!(
                        "tokenizer.merge_lacks",
                        "merge {number} ({left} with {right}) needs the token {token}, which is not in the \
                         vocabulary: vocabulary and merges do not belong together",
                        number = rank,
                        left = shown(&left),
                        right = shown(&right),
                        token = shown(&token)
                    ))
                })
            };
            known.push([id(left)?, id(right)?, id(&joined)?]);
        }

        let mut utf8 = [0; 4];
        let byte_ids = std::array::from_fn(|b| {
            ids.get(alphabet::char_of(b as u8).encode_utf8(&mut utf8).as_bytes()).copied().unwrap_or(NO_TOKEN)
        });
        let eos = added.iter().find(|t| t.special && t.content == END_OF_TEXT).map(|t| t.id);
        let merges = Merges::new(&known, table.len());
        Ok(Bpe { table, merges, added: AddedTokens::new(added), verbatim, byte_ids, eos, bos: eos })
    }

    /// The vocabulary entry of a token, as it stands in a file.
    pub(super) fn entry(&self, id: u32) -> Option<String> {
        let bytes = self.token_bytes(id)?;
        let verbatim = self.verbatim.binary_search(&id.into()).is_ok();
        Some(if verbatim { String::from_utf8_lossy(bytes).into_owned() } else { alphabet::write(bytes) })
    }

    /// Whether every byte has a token, so that any text can be encoded.
    pub(super) fn covers_all_bytes(&self) -> bool {
        !self.byte_ids.contains(&NO_TOKEN)
    }

    fn encode_parts(&self, text: &str, specials: bool) -> Result<Vec<u32>> {
        let mut ids = Vec::with_capacity(text.len() / 3 + 1);
        // Where in `ids` a piece was encoded before: text repeats itself so much that most pieces are only copied.
        let mut seen = TextMap::new();
        let mut places: Vec<(usize, usize)> = Vec::new();
        let mut word = Vec::new();
        for part in self.added.split(text, specials) {
            let text = match part {
                Part::Text(text) => text,
                Part::Token(id) => {
                    ids.push(id);
                    continue;
                }
            };
            for piece in pieces(text) {
                if let Some(&place) = seen.get(piece.as_bytes()) {
                    let (start, end) = places[place as usize];
                    ids.extend_from_within(start..end);
                    continue;
                }
                word.clear();
                word.extend(piece.bytes().map(|b| self.byte_ids[b as usize]));
                if let Some(at) = word.iter().position(|&id| id == NO_TOKEN) {
                    return Err(no_token(piece, at));
                }
                self.merges.apply(&mut word);
                seen.insert(piece.as_bytes(), places.len() as u32);
                places.push((ids.len(), ids.len() + word.len()));
                ids.extend_from_slice(&word);
            }
        }
        Ok(ids)
    }
}

fn no_token(piece: &str, at: usize) -> Error {
    let c = piece.char_indices().take_while(|&(i, _)| i <= at).last().map_or(' ', |(_, c)| c);
    error(message!(
        "tokenizer.no_byte",
        "the vocabulary has no token for the byte 0x{byte}, which the character {character} \
         needs: leave the character out",
        byte = format!("{:02X}", piece.as_bytes()[at]),
        character = shown(&c)
    ))
}

impl Tokenizer for Bpe {
    fn vocab_size(&self) -> usize {
        self.table.len()
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.encode_parts(text, true)
    }

    fn encode_ordinary(&self, text: &str) -> Result<Vec<u32>> {
        self.encode_parts(text, false)
    }

    fn token_bytes(&self, id: u32) -> Option<&[u8]> {
        self.table.get(id)
    }

    fn id_of(&self, text: &str) -> Option<u32> {
        self.table.id_of(text.as_bytes())
    }

    fn to_json(&self) -> String {
        self.to_tokenizer_json()
    }

    fn added_tokens(&self) -> &[AddedToken] {
        self.added.list()
    }

    fn eos(&self) -> Option<u32> {
        self.eos
    }

    fn bos(&self) -> Option<u32> {
        self.bos
    }
}
