//! Tokens that are looked for in the text before the model of the tokenizer sees it (HF's `added_tokens`).

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

/// The indices of `keys` in ascending order of the key, then of the index.
fn order(keys: impl Iterator<Item = u32>) -> impl Iterator<Item = usize> {
    let mut order: Vec<u64> = keys.zip(0u64..).map(|(key, i)| u64::from(key) << 32 | i).collect();
    order.sort_unstable();
    order.into_iter().map(|both| both as u32 as usize)
}

/// Finds added tokens in a text: the leftmost, and the longest of those that start there.
#[derive(Debug, Clone)]
struct Matcher {
    /// `(content, id, special)`, longest first.
    tokens: Vec<(String, u32, bool)>,
    /// Whether any content begins with this byte.
    starts: [bool; 256],
}

impl Matcher {
    fn new<'a>(tokens: impl Iterator<Item = &'a AddedToken>) -> Matcher {
        let tokens: Vec<_> = tokens.collect();
        let tokens: Vec<_> = order(tokens.iter().map(|t| !(t.content.len() as u32)))
            .map(|i| (tokens[i].content.clone(), tokens[i].id, tokens[i].special))
            .collect();
        let mut starts = [false; 256];
        for (content, ..) in &tokens {
            starts[content.as_bytes()[0] as usize] = true;
        }
        Matcher { tokens, starts }
    }

    fn split<'a>(&self, text: &'a str, specials: bool, out: &mut Vec<Part<'a>>) {
        let bytes = text.as_bytes();
        let (mut done, mut at) = (0, 0);
        while at < bytes.len() && !self.tokens.is_empty() {
            let hit = if self.starts[bytes[at] as usize] {
                self.tokens.iter().find(|t| (specials || !t.2) && bytes[at..].starts_with(t.0.as_bytes()))
            } else {
                None
            };
            let Some((content, id, _)) = hit else {
                at += 1;
                continue;
            };
            if done < at {
                out.push(Part::Text(&text[done..at]));
            }
            out.push(Part::Token(*id));
            at += content.len();
            done = at;
        }
        if done < text.len() {
            out.push(Part::Text(&text[done..]));
        }
    }
}

/// Splits text at its added tokens, in HF's two rounds.
#[derive(Debug, Clone)]
pub(super) struct AddedTokens {
    list: Vec<AddedToken>,
    rounds: [Matcher; 2],
}

impl AddedTokens {
    /// `list` in any order; entries without content are dropped, as they could match nowhere.
    pub fn new(mut list: Vec<AddedToken>) -> AddedTokens {
        list.retain(|t| !t.content.is_empty());
        let list: Vec<_> = order(list.iter().map(|t| t.id)).map(|i| list[i].clone()).collect();
        let rounds = [false, true].map(|normalized| Matcher::new(list.iter().filter(|t| t.normalized == normalized)));
        AddedTokens { list, rounds }
    }

    pub fn list(&self) -> &[AddedToken] {
        &self.list
    }

    /// The parts of `text` in order; with `specials` false, special tokens are left as text.
    pub fn split<'a>(&self, text: &'a str, specials: bool) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        self.rounds[0].split(text, specials, &mut parts);
        if self.rounds[1].tokens.is_empty() {
            return parts;
        }
        let mut all = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Part::Text(t) => self.rounds[1].split(t, specials, &mut all),
                token => all.push(token),
            }
        }
        all
    }
}
