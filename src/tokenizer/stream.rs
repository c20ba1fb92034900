//! Decoding bytes that arrive a token at a time, without ever showing half a character.

/// Turns a stream of bytes into text. What [`StreamDecoder::push`] and [`StreamDecoder::finish`] return, joined, is
/// `String::from_utf8_lossy` of all the bytes together.
#[derive(Debug, Clone, Default)]
pub struct StreamDecoder {
    /// The beginning of a character whose end has not come yet: at most three bytes.
    tail: Vec<u8>,
}

impl StreamDecoder {
    /// A decoder at the start of a text.
    pub fn new() -> StreamDecoder {
        StreamDecoder::default()
    }

    /// The text that `bytes` complete. Bytes that can begin a character are held back until the rest of it comes; bytes
    /// that cannot be UTF-8 become U+FFFD.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.tail.extend_from_slice(bytes);
        let mut text = String::with_capacity(self.tail.len());
        let mut rest = self.tail.as_slice();
        loop {
            let error = match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    rest = &[];
                    break;
                }
                Err(error) => error,
            };
            let (valid, after) = rest.split_at(error.valid_up_to());
            text.push_str(&String::from_utf8_lossy(valid));
            rest = after;
            let Some(bad) = error.error_len() else { break };
            text.push(char::REPLACEMENT_CHARACTER);
            rest = &rest[bad..];
        }
        self.tail = rest.to_vec();
        text
    }

    /// The end of the text: U+FFFD if a character was left unfinished, else nothing. The decoder is then as new.
    pub fn finish(&mut self) -> String {
        let tail = std::mem::take(&mut self.tail);
        String::from_utf8_lossy(&tail).into_owned()
    }
}
