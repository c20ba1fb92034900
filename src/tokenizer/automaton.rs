//! Finds many words in a text at once, in a time that depends neither on how many they are nor on how they overlap.
//!
//! Aho and Corasick 1975, backwards: the words are read from their ends, and so is the text. The automaton then knows at each
//! position the longest word that *begins* there, which is what leftmost-longest matching asks for; forwards it would know
//! the longest that ends there, and would have to go back for every word that it hoped for in vain.

use super::added::AddedToken;

const ROOT: u32 = 0;
const NONE: u32 = u32::MAX;

/// So much of a text is searched at once, or as much as the longest word has, in bytes.
const BLOCK: usize = 64 << 10;

/// A set of added tokens. States are the ends of the tokens: the tree of the tokens read backwards, by index of its nodes.
#[derive(Debug, Clone)]
pub(super) struct Automaton {
    /// The byte that leads to a state.
    byte: Vec<u8>,
    /// The first state that one more byte leads to; the others follow by `next`.
    first: Vec<u32>,
    next: Vec<u32>,
    /// The state of the longest proper beginning of the bytes read that is a state too.
    fail: Vec<u32>,
    /// The index of the longest token that was read, and of the longest that is not special.
    found: Vec<[u32; 2]>,
    /// Bytes of the longest token.
    longest: usize,
    /// Whether a byte leads away from the root.
    ends: [bool; 256],
}

impl Automaton {
    /// The automaton of those of `tokens` that `chosen` names; none of them is empty. Of two of the same content the first
    /// is found.
    pub fn new(tokens: &[AddedToken], chosen: impl Fn(&AddedToken) -> bool) -> Automaton {
        let mut all = Automaton {
            byte: vec![0],
            first: vec![NONE],
            next: vec![NONE],
            fail: Vec::new(),
            found: vec![[NONE; 2]],
            longest: 0,
            ends: [false; 256],
        };
        for (index, token) in (0u32..).zip(tokens).filter(|(_, token)| chosen(token)) {
            let mut state = ROOT;
            for &byte in token.content.as_bytes().iter().rev() {
                state = all.child(state, byte).unwrap_or_else(|| all.add(state, byte));
            }
            all.longest = all.longest.max(token.content.len());
            for (at, found) in all.found[state as usize].iter_mut().enumerate() {
                if *found == NONE && (at == 0 || !token.special) {
                    *found = index;
                }
            }
        }
        all.connect();
        all
    }

    /// Whether there are no tokens.
    pub fn is_empty(&self) -> bool {
        self.longest == 0
    }

    fn add(&mut self, parent: u32, byte: u8) -> u32 {
        let state = self.byte.len() as u32;
        self.byte.push(byte);
        self.first.push(NONE);
        self.found.push([NONE; 2]);
        self.next.push(std::mem::replace(&mut self.first[parent as usize], state));
        self.ends[byte as usize] |= parent == ROOT;
        state
    }

    fn child(&self, state: u32, byte: u8) -> Option<u32> {
        let mut child = self.first[state as usize];
        while child != NONE && self.byte[child as usize] != byte {
            child = self.next[child as usize];
        }
        (child != NONE).then_some(child)
    }

    /// The state after one more byte.
    fn step(&self, mut state: u32, byte: u8) -> u32 {
        loop {
            match self.child(state, byte) {
                Some(child) => return child,
                None if state == ROOT => return ROOT,
                None => state = self.fail[state as usize],
            }
        }
    }

    /// Fills `fail`, and `found` with what it leads to: shorter beginnings first.
    fn connect(&mut self) {
        self.fail = vec![ROOT; self.byte.len()];
        let mut queue = vec![ROOT];
        let mut at = 0;
        while let Some(&state) = queue.get(at) {
            at += 1;
            let mut child = self.first[state as usize];
            while child != NONE {
                let c = child as usize;
                if state != ROOT {
                    self.fail[c] = self.step(self.fail[state as usize], self.byte[c]);
                }
                for i in 0..2 {
                    if self.found[c][i] == NONE {
                        self.found[c][i] = self.found[self.fail[c] as usize][i];
                    }
                }
                queue.push(child);
                child = self.next[c];
            }
        }
    }

    /// Calls `hit` with the position and the index of the leftmost token, the longest of those that begin there; then of the
    /// leftmost at or after the position that `hit` returns, and so on. Special tokens count only with `specials`.
    pub fn find(&self, text: &[u8], specials: bool, hit: &mut dyn FnMut(usize, usize) -> usize) {
        if self.is_empty() {
            return;
        }
        let kind = usize::from(!specials);
        let block = self.longest.max(BLOCK);
        let mut from = 0;
        // Positions at which a token begins, the last first, with its index.
        let mut hits: Vec<(usize, u32)> = Vec::new();
        for start in (0..text.len()).step_by(block) {
            let end = text.len().min(start + block);
            let mut state = ROOT;
            // A token that begins in this block may end in the next.
            for at in (start..text.len().min(end + self.longest - 1)).rev() {
                let byte = text[at];
                if state == ROOT && !self.ends[byte as usize] {
                    continue;
                }
                state = self.step(state, byte);
                let found = self.found[state as usize][kind];
                if found != NONE && at < end {
                    hits.push((at, found));
                }
            }
            for (at, found) in hits.drain(..).rev() {
                if at >= from {
                    from = hit(at, found as usize);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(content: &str, special: bool) -> AddedToken {
        AddedToken { id: 0, content: content.into(), special, normalized: false }
    }

    /// Each position looked at by itself.
    fn plainly(tokens: &[AddedToken], text: &str, specials: bool) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let fits =
                |t: &AddedToken| (specials || !t.special) && text.as_bytes()[at..].starts_with(t.content.as_bytes());
            // The last of the longest is the first in the list.
            let best = (0..tokens.len()).rev().filter(|&i| fits(&tokens[i])).max_by_key(|&i| tokens[i].content.len());
            match best {
                Some(i) => {
                    found.push((at, i));
                    at += tokens[i].content.len();
                }
                None => at += 1,
            }
        }
        found
    }

    fn quickly(tokens: &[AddedToken], text: &str, specials: bool) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        Automaton::new(tokens, |_| true).find(text.as_bytes(), specials, &mut |at, i| {
            found.push((at, i));
            at + tokens[i].content.len()
        });
        found
    }

    #[test]
    fn finds_what_looking_at_each_position_finds() {
        // Every choice of up to four of these words, some of them special, in every text of up to eight letters of two.
        let words = ["a", "b", "ab", "ba", "aab", "aba", "bb", "abab", "baaa", "ab"];
        let mut seed = 7u32;
        for _ in 0..400 {
            let mut draw = |n: u32| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 16) % n
            };
            let tokens: Vec<_> = (0..1 + draw(4)).map(|_| token(words[draw(10) as usize], draw(3) == 0)).collect();
            for bits in 0..256u32 {
                let text: String = (0..8).map(|i| if bits >> i & 1 == 1 { 'a' } else { 'b' }).collect();
                let text = &text[..1 + draw(8) as usize];
                for specials in [false, true] {
                    let (want, got) = (plainly(&tokens, text, specials), quickly(&tokens, text, specials));
                    assert_eq!(want, got, "{tokens:?} in {text}, {specials}");
                }
            }
        }
    }

    #[test]
    fn finds_across_blocks() {
        let tokens = [token("xyz", false), token(&"y".repeat(300), true), token("☃", false)];
        // The second block begins within each of the words in turn.
        for shift in 0..310 {
            let text = format!("{}xyz{}☃ {}", ".".repeat(BLOCK - shift), "y".repeat(301), "xyz".repeat(40_000));
            assert_eq!(quickly(&tokens, &text, true).len(), 3 + 40_000, "{shift}");
        }
    }

    /// Steps, not seconds, are what grows: these would take hours if each position were looked at by itself.
    #[test]
    fn many_long_words_that_begin_alike_are_no_trouble() {
        let long = "a".repeat(1 << 20);
        let tokens: Vec<_> = (0..20_000).map(|i| token(&format!("{}b{i}", &long[..100]), i % 2 == 0)).collect();
        assert_eq!(quickly(&tokens, &long, true), []);
        let tokens = [token("a", false), token(&format!("{long}b"), false)];
        assert_eq!(quickly(&tokens, &long, true).len(), 1 << 20);
    }
}
