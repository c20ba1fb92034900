//! The tokenizer whose ids are the characters that occur in a text, as nanoGPT's `shakespeare_char`.

use super::Tokenizer;
use super::table::TokenTable;
use crate::error::{Error, Result};
use crate::message::{message, shown};

/// One token for each distinct character of the training text, numbered in order of code point.
#[derive(Debug, Clone)]
pub struct CharTokenizer {
    table: TokenTable,
}

impl CharTokenizer {
    /// The tokenizer of all characters in `text`.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the text is empty.
    pub fn train(text: &str) -> Result<CharTokenizer> {
        let Some(last) = text.chars().max() else { return CharTokenizer::from_chars(&[]) };
        let mut occurs = vec![false; last as usize + 1];
        for c in text.chars() {
            occurs[c as usize] = true;
        }
        let chars: Vec<char> = ('\0'..=last).filter(|&c| occurs[c as usize]).collect();
        CharTokenizer::from_chars(&chars)
    }

    /// The tokenizer in which `chars[id]` has the id `id`.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if there are no characters, or one stands there twice.
    pub fn from_chars(chars: &[char]) -> Result<CharTokenizer> {
        if chars.is_empty() {
            return Err(Error::Tokenizer(message!(
                "tokenizer.no_characters",
                "a character tokenizer needs at least one character: the text is empty"
            )));
        }
        let tokens: Vec<String> = chars.iter().map(char::to_string).collect();
        let table = TokenTable::new((0u32..).zip(tokens.iter().map(|t| t.as_bytes())))?;
        if let Some(twice) = (0u32..).zip(&tokens).find(|(id, t)| table.id_of(t.as_bytes()) != Some(*id)) {
            return Err(Error::Tokenizer(message!(
                "tokenizer.character_twice",
                "the character {character} stands twice in \"chars\" of tokenizer.json: each must occur \
                 once",
                character = shown(&twice.1)
            )));
        }
        Ok(CharTokenizer { table })
    }
}

impl Tokenizer for CharTokenizer {
    fn vocab_size(&self) -> usize {
        self.table.len()
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.encode_ordinary(text)
    }

    fn encode_ordinary(&self, text: &str) -> Result<Vec<u32>> {
        let mut utf8 = [0; 4];
        text.chars()
            .map(|c| {
                self.table.id_of(c.encode_utf8(&mut utf8).as_bytes()).ok_or_else(|| {
                    Error::Tokenizer(message!(
                        "tokenizer.unknown_character",
                        "the character {character} (U+{code}) did not occur in the text this character tokenizer \
                         was made from: leave it out, or use a byte or BPE tokenizer",
                        character = shown(&c),
                        code = format!("{:04X}", c as u32)
                    ))
                })
            })
            .collect()
    }

    fn token_bytes(&self, id: u32) -> Option<&[u8]> {
        self.table.get(id)
    }

    fn id_of(&self, text: &str) -> Option<u32> {
        self.table.id_of(text.as_bytes())
    }

    fn to_json(&self) -> String {
        let all: Vec<u32> = (0..self.vocab_size() as u32).collect();
        serde_json::json!({ "type": "char", "chars": self.decode(&all) }).to_string()
    }

    fn native_only(&self) -> bool {
        true
    }
}
