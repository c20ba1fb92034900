//! Tokens that are looked for in the text before the model of the tokenizer sees it (HF's `added_tokens`).

use super::automaton::Automaton;

/// One entry of `added_tokens`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedToken {
    /// The id.
    pub id: u32,
    /// The text that becomes this id, such as `<|endoftext|>`.
    pub content: String,
    /// Whether it is a control token rather than part of the text.
    pub special: bool,
    /// HF's `normalized`: such tokens are looked for only after the others.
    pub normalized: bool,
}

/// A stretch of text between added tokens, or the id of one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Text without added tokens; not empty.
    Text(&'a str),
    /// An added token.
    Token(u32),
}

/// Splits text at its added tokens, in HF's two rounds.
#[derive(Debug, Clone)]
pub(super) struct AddedTokens {
    list: Vec<AddedToken>,
    /// Finds those that are not `normalized`, then those that are.
    rounds: [Automaton; 2],
}

impl AddedTokens {
    /// `list` in any order; entries without content are dropped, as they could match nowhere.
    pub fn new(mut list: Vec<AddedToken>) -> AddedTokens {
        list.retain(|t| !t.content.is_empty());
        let mut order: Vec<u64> = list.iter().zip(0u64..).map(|(t, i)| u64::from(t.id) << 32 | i).collect();
        order.sort_unstable();
        let mut list: Vec<_> = order.into_iter().map(|both| list[both as u32 as usize].clone()).collect();
        // Of two with one id the later counts, as in HF.
        list.dedup_by(|later, kept| {
            let same = later.id == kept.id;
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        let rounds = [false, true].map(|normalized| Automaton::new(&list, |t| t.normalized == normalized));
        AddedTokens { list, rounds }
    }

    /// In ascending order of the id, each id once.
    pub fn list(&self) -> &[AddedToken] {
        &self.list
    }

    /// The parts of `text` in order; with `specials` false, special tokens are left as text.
    pub fn split<'a>(&self, text: &'a str, specials: bool) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        self.cut(0, text, specials, &mut parts);
        if self.rounds[1].is_empty() {
            return parts;
        }
        let mut all = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Part::Text(t) => self.cut(1, t, specials, &mut all),
                token => all.push(token),
            }
        }
        all
    }

    /// One round: the leftmost token, and the longest of those that start there.
    fn cut<'a>(&self, round: usize, text: &'a str, specials: bool, out: &mut Vec<Part<'a>>) {
        let mut done = 0;
        self.rounds[round].find(text.as_bytes(), specials, &mut |at, found| {
            let token = &self.list[found];
            if done < at {
                out.push(Part::Text(&text[done..at]));
            }
            out.push(Part::Token(token.id));
            done = at + token.content.len();
            done
        });
        if done < text.len() {
            out.push(Part::Text(&text[done..]));
        }
    }
}
