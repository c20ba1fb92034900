//! The tokenizer whose ids are the bytes of the text.

use super::Tokenizer;
use crate::error::Result;

/// 256 tokens, one for each byte value.
#[derive(Debug, Clone)]
pub struct ByteTokenizer {
    bytes: [u8; 256],
}

impl ByteTokenizer {
    /// The tokenizer; there is only one.
    pub fn new() -> ByteTokenizer {
        ByteTokenizer { bytes: std::array::from_fn(|i| i as u8) }
    }
}

impl Default for ByteTokenizer {
    fn default() -> Self {
        ByteTokenizer::new()
    }
}

impl Tokenizer for ByteTokenizer {
    fn vocab_size(&self) -> usize {
        256
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.encode_ordinary(text)
    }

    fn encode_ordinary(&self, text: &str) -> Result<Vec<u32>> {
        Ok(text.bytes().map(u32::from).collect())
    }

    fn token_bytes(&self, id: u32) -> Option<&[u8]> {
        self.bytes.get(id as usize..)?.get(..1)
    }

    fn id_of(&self, text: &str) -> Option<u32> {
        match text.as_bytes() {
            [byte] => Some(u32::from(*byte)),
            _ => None,
        }
    }

    fn to_json(&self) -> String {
        r#"{"type": "byte"}"#.to_string()
    }

    fn native_only(&self) -> bool {
        true
    }
}
