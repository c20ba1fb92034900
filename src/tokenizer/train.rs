//! Learning BPE merges from a text (Sennrich et al. 2016, on bytes as in GPT-2).

use std::collections::{BinaryHeap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use super::added::{AddedTokens, Part};
use super::json::special;
use super::merge::TextMap;
use super::table::MAX_ID;
use super::{Bpe, alphabet, pieces};
use crate::error::{Error, Result};
use crate::message::{Message, message};

/// Pieces longer than this are cut for counting: each merge walks through every piece it occurs in, so one endless
/// piece (a text without spaces) would make training quadratic.
const LONGEST_PIECE: usize = 512;

/// A pair that occurs once only teaches the text by heart.
const MIN_COUNT: i64 = 2;

/// Multiplicative hashing of one `u64`: SipHash would take longer than everything else in a merge.
#[derive(Default, Clone)]
struct PairHasher(u64);

impl Hasher for PairHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.write_u64(u64::from(b));
        }
    }

    fn write_u64(&mut self, x: u64) {
        let h = (self.0 ^ x).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = h ^ (h >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A hash map keyed by a pair of ids.
type PairMap<V> = HashMap<u64, V, BuildHasherDefault<PairHasher>>;

/// The key of the pair `(left, right)`.
fn pair_key(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

/// A distinct piece of the text.
struct Word {
    tokens: Vec<u32>,
    count: i64,
}

/// A pair that may be merged; the greatest comes first: the most frequent, and of those the one with the lowest ids.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    count: i64,
    pair: std::cmp::Reverse<u64>,
}

/// What is known of one pair.
#[derive(Default)]
struct Seen {
    /// How often it occurs in the text.
    count: i64,
    /// The words that hold it, or held it once.
    words: Vec<u32>,
    /// Whether it stands among the merges already.
    learned: bool,
}

fn add(pairs: &mut PairMap<Seen>, pair: u64, count: i64, word: u32) {
    let seen = pairs.entry(pair).or_default();
    seen.count += count;
    if seen.words.last() != Some(&word) {
        seen.words.push(word);
    }
}

impl Bpe {
    /// Learns a vocabulary of `vocab_size` tokens from `text`: first `special_tokens`, then the 256 bytes, then merges.
    /// The special tokens themselves are not learned from. Of several pairs that are equally frequent, the one whose left
    /// id is lowest is merged first, then the one whose right id is: HF's `BpeTrainer` with `min_frequency=2` and the full
    /// byte alphabet gives the same tokens. The vocabulary stays smaller where no pair occurs twice any more.
    ///
    /// # Errors
    /// [`Error::Input`] if `vocab_size` has no room for the bytes and special tokens, or is too large, or a special token
    /// is empty or given twice.
    pub fn train(text: &str, vocab_size: usize, special_tokens: &[&str]) -> Result<Bpe> {
        let smallest = 256 + special_tokens.len();
        if vocab_size < smallest || vocab_size > MAX_ID as usize + 1 {
            return Err(Error::Input(message!(
                "tokenizer.vocabulary_size",
                "a BPE vocabulary of {asked} tokens cannot be made: choose from {least} (256 bytes and \
                 {special} special tokens) to {most}",
                asked = vocab_size,
                least = smallest,
                special = special_tokens.len(),
                most = MAX_ID + 1
            )));
        }
        let mut distinct = TextMap::new();
        if let Some(bad) =
            special_tokens.iter().find(|t| alphabet_clash(t) || distinct.insert(t.as_bytes(), 0).is_some())
        {
            return Err(Error::Input(Message::uncoded(format!(
                "the special token {bad:?} is a single character or shorter, or given twice: use one like \"<|endoftext|>\""
            ))));
        }
        let added: Vec<_> = (0u32..).zip(special_tokens).map(|(id, content)| special(id, content)).collect();

        let mut entries: Vec<String> = special_tokens.iter().map(|t| t.to_string()).collect();
        entries.extend(alphabet::bytes_by_char().map(|b| alphabet::char_of(b).to_string()));
        let mut byte_ids = [0u32; 256];
        for (id, byte) in (special_tokens.len() as u32..).zip(alphabet::bytes_by_char()) {
            byte_ids[byte as usize] = id;
        }
        let words = count_words(text, &AddedTokens::new(added.clone()), &byte_ids);
        let merges = learn(words, &mut entries, special_tokens.len() as u32, vocab_size);

        let vocab: Vec<(&str, u32)> = entries.iter().map(String::as_str).zip(0..).collect();
        let merges: Vec<(&str, &str)> =
            merges.iter().map(|&(l, r)| (entries[l as usize].as_str(), entries[r as usize].as_str())).collect();
        Bpe::build(&vocab, &merges, added)
    }
}

/// A special token of one character could be a byte's entry in the vocabulary.
fn alphabet_clash(token: &str) -> bool {
    token.chars().nth(1).is_none()
}

/// The distinct pieces of the text in the order in which they first occur.
fn count_words(text: &str, added: &AddedTokens, byte_ids: &[u32; 256]) -> Vec<Word> {
    let mut index = TextMap::new();
    let mut words: Vec<Word> = Vec::new();
    for part in added.split(text, true) {
        let Part::Text(text) = part else { continue };
        for word in pieces(text).flat_map(|piece| piece.as_bytes().chunks(LONGEST_PIECE)) {
            let i = *index.entry(word).or_insert_with(|| {
                words.push(Word { tokens: word.iter().map(|&b| byte_ids[b as usize]).collect(), count: 0 });
                words.len() as u32 - 1
            });
            words[i as usize].count += 1;
        }
    }
    words
}

/// Merges until there are `vocab_size` entries, the first of them `specials`; appends the new ones to `entries` and
/// returns the merges in order.
fn learn(mut words: Vec<Word>, entries: &mut Vec<String>, specials: u32, vocab_size: usize) -> Vec<(u32, u32)> {
    let mut ids: HashMap<String, u32> = entries.iter().cloned().zip(0..).collect();
    let mut pairs: PairMap<Seen> = PairMap::default();
    for (w, word) in (0u32..).zip(&words) {
        for two in word.tokens.windows(2) {
            add(&mut pairs, pair_key(two[0], two[1]), word.count, w);
        }
    }
    let candidate = |pair, count| Candidate { count, pair: std::cmp::Reverse(pair) };
    let mut heap: BinaryHeap<Candidate> = pairs.iter().map(|(&pair, seen)| candidate(pair, seen.count)).collect();

    let mut merges = Vec::new();
    let mut fresh: Vec<u64> = Vec::new();
    while entries.len() < vocab_size {
        let Some(Candidate { count, pair: std::cmp::Reverse(pair) }) = heap.pop() else { break };
        let Some(seen) = pairs.get_mut(&pair) else { continue };
        let now = seen.count;
        if now != count {
            // Counts only fall while a pair waits in the heap; what rises is pushed anew.
            if now >= MIN_COUNT && now < count {
                heap.push(candidate(pair, now));
            }
            continue;
        }
        if count < MIN_COUNT {
            break;
        }
        let (left, right) = ((pair >> 32) as u32, pair as u32);
        let entry = format!("{}{}", entries[left as usize], entries[right as usize]);
        // Two ways to cut a text can spell the same token, which then keeps its first id.
        let merged = *ids.entry(entry).or_insert_with_key(|entry| {
            entries.push(entry.clone());
            entries.len() as u32 - 1
        });
        // Ordinary text must never become a special token, not even one that looks like a word.
        if merged < specials {
            seen.count = 0;
            continue;
        }
        if !std::mem::replace(&mut seen.learned, true) {
            merges.push((left, right));
        }
        for w in std::mem::take(&mut seen.words) {
            let word = &mut words[w as usize];
            merge_in(word, w, (left, right), merged, &mut pairs, &mut fresh);
        }
        // Where the pair overlapped itself ("aaa"), its count did not go down to nothing by itself.
        if let Some(seen) = pairs.get_mut(&pair) {
            seen.count = 0;
        }
        fresh.sort_unstable();
        fresh.dedup();
        for pair in fresh.drain(..) {
            let count = pairs.get(&pair).map_or(0, |seen| seen.count);
            if count >= MIN_COUNT {
                heap.push(candidate(pair, count));
            }
        }
    }
    merges
}

/// Replaces a pair in one word, left to right, and moves the counts of the pairs around it. `fresh` takes the pairs that
/// became more frequent.
fn merge_in(
    word: &mut Word,
    w: u32,
    (left, right): (u32, u32),
    merged: u32,
    pairs: &mut PairMap<Seen>,
    fresh: &mut Vec<u64>,
) {
    let (tokens, count) = (&mut word.tokens, word.count);
    let (mut read, mut write) = (0, 0);
    while read < tokens.len() {
        if tokens[read] != left || tokens.get(read + 1) != Some(&right) {
            tokens[write] = tokens[read];
            (read, write) = (read + 1, write + 1);
            continue;
        }
        if write > 0 {
            let before = tokens[write - 1];
            pairs.entry(pair_key(before, left)).and_modify(|seen| seen.count -= count);
            add(pairs, pair_key(before, merged), count, w);
            fresh.push(pair_key(before, merged));
        }
        if let Some(&after) = tokens.get(read + 2) {
            pairs.entry(pair_key(right, after)).and_modify(|seen| seen.count -= count);
            add(pairs, pair_key(merged, after), count, w);
            fresh.push(pair_key(merged, after));
        }
        tokens[write] = merged;
        (read, write) = (read + 2, write + 1);
    }
    tokens.truncate(write);
}
