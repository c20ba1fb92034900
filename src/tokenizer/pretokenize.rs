//! GPT-2's pre-tokenizer: cuts text into the pieces that BPE then merges within.
//!
//! The pattern, from GPT-2's `encoder.py` and HF's `ByteLevel`, is
//! `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
//! and is scanned by hand here: a regex engine with Unicode tables would be many times the size of this whole module.

use super::unicode::{Class, class};

/// The pieces of `text`, in order; joined together they are the text again.
pub fn pieces(text: &str) -> Pieces<'_> {
    Pieces { rest: text }
}

/// Iterator over the pieces of a text, made by [`pieces`].
#[derive(Debug, Clone)]
pub struct Pieces<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (piece, rest) = self.rest.split_at(first_piece_len(self.rest));
        self.rest = rest;
        Some(piece)
    }
}

/// Length in bytes of the pattern's match at the start of `text`, which is not empty.
fn first_piece_len(text: &str) -> usize {
    if let Some(len) = contraction_len(text) {
        return len;
    }
    let after_space = text.strip_prefix(' ').unwrap_or(text);
    match after_space.chars().next().map(class) {
        Some(Class::Space) | None => space_len(text),
        Some(kind) => text.len() - after_space.len() + run_len(after_space, kind),
    }
}

/// `'s|'t|'re|'ve|'m|'ll|'d`, in lower case and with the ASCII apostrophe only.
fn contraction_len(text: &str) -> Option<usize> {
    match text.as_bytes() {
        [b'\'', b's' | b't' | b'm' | b'd', ..] => Some(2),
        [b'\'', b'r' | b'v', b'e', ..] | [b'\'', b'l', b'l', ..] => Some(3),
        _ => None,
    }
}

fn run_len(text: &str, kind: Class) -> usize {
    text.char_indices().find(|&(_, c)| class(c) != kind).map_or(text.len(), |(i, _)| i)
}

/// `\s+(?!\S)|\s+`: a run of white space gives its last character up to what follows it, unless it has only that one.
fn space_len(text: &str) -> usize {
    let run = run_len(text, Class::Space);
    if run == text.len() {
        return run;
    }
    let last = text[..run].chars().next_back().map_or(0, char::len_utf8);
    if last == run { run } else { run - last }
}
