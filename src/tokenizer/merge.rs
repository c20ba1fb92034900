//! Applying BPE merges to one word: again and again the leftmost of the pairs with the lowest rank.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

/// Longest word for which looking at every pair beats keeping a heap of them.
const SHORT: usize = 24;

/// Multiplicative hashing of one `u64`: SipHash would take longer than everything else in a merge.
#[derive(Default, Clone)]
pub(super) struct PairHasher(u64);

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

/// A hash map keyed by text. One type for the whole module, as each further one costs kilobytes of WebAssembly.
pub(super) type TextMap<'a> = HashMap<&'a [u8], u32>;

/// A hash map keyed by a pair of ids.
pub(super) type PairMap<V> = HashMap<u64, V, BuildHasherDefault<PairHasher>>;

/// The key of the pair `(left, right)`.
pub(super) fn pair_key(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

/// Which pairs merge, in which order, and into what.
#[derive(Debug, Clone, Default)]
pub(super) struct Merges {
    /// Pair to `(rank, id of the merged token)`.
    map: PairMap<(u32, u32)>,
}

impl Merges {
    /// Adds a merge. Of two merges of one pair the later counts, as in HF.
    pub fn insert(&mut self, left: u32, right: u32, rank: u32, merged: u32) {
        self.map.insert(pair_key(left, right), (rank, merged));
    }

    /// The pairs in order of rank.
    pub fn in_order(&self) -> Vec<(u32, u32)> {
        let end = self.map.values().map(|&(rank, _)| rank as usize + 1).max().unwrap_or(0);
        let mut pairs = vec![None; end];
        for (&pair, &(rank, _)) in &self.map {
            pairs[rank as usize] = Some(((pair >> 32) as u32, pair as u32));
        }
        pairs.into_iter().flatten().collect()
    }

    fn get(&self, left: u32, right: u32) -> Option<(u32, u32)> {
        self.map.get(&pair_key(left, right)).copied()
    }

    /// Merges the tokens of one word, in place.
    pub fn apply(&self, word: &mut Vec<u32>) {
        if word.len() <= SHORT { self.apply_short(word) } else { self.apply_long(word) }
    }

    fn apply_short(&self, word: &mut Vec<u32>) {
        const NONE: (u32, u32) = (u32::MAX, 0);
        let mut found = [NONE; SHORT];
        for i in 1..word.len() {
            found[i - 1] = self.get(word[i - 1], word[i]).unwrap_or(NONE);
        }
        while word.len() > 1 {
            let pairs = word.len() - 1;
            let mut best = 0;
            for i in 1..pairs {
                if found[i].0 < found[best].0 {
                    best = i;
                }
            }
            if found[best] == NONE {
                return;
            }
            word[best] = found[best].1;
            word.remove(best + 1);
            found.copy_within(best + 1..pairs, best);
            if best > 0 {
                found[best - 1] = self.get(word[best - 1], word[best]).unwrap_or(NONE);
            }
            if best + 1 < word.len() {
                found[best] = self.get(word[best], word[best + 1]).unwrap_or(NONE);
            }
        }
    }

    /// O(n log n), so that a hundred thousand letters in a row are no trouble.
    fn apply_long(&self, word: &mut Vec<u32>) {
        const DEAD: u32 = u32::MAX;
        let n = word.len();
        // A doubly linked list over positions; `n` ends it on the right, `usize::MAX` on the left.
        let mut next: Vec<usize> = (1..=n).collect();
        let mut prev: Vec<usize> = (0..n).map(|i| i.wrapping_sub(1)).collect();
        let mut heap = BinaryHeap::with_capacity(n);
        for i in 1..n {
            if let Some((rank, _)) = self.get(word[i - 1], word[i]) {
                heap.push(Reverse((rank, i - 1)));
            }
        }
        while let Some(Reverse((rank, left))) = heap.pop() {
            let right = next[left];
            if word[left] == DEAD || right == n {
                continue;
            }
            // The heap may still hold a pair whose tokens have since changed.
            let Some((now, merged)) = self.get(word[left], word[right]) else { continue };
            if now != rank {
                continue;
            }
            word[left] = merged;
            word[right] = DEAD;
            next[left] = next[right];
            if next[left] != n {
                prev[next[left]] = left;
                if let Some((rank, _)) = self.get(merged, word[next[left]]) {
                    heap.push(Reverse((rank, left)));
                }
            }
            if prev[left] != usize::MAX
                && let Some((rank, _)) = self.get(word[prev[left]], merged)
            {
                heap.push(Reverse((rank, prev[left])));
            }
        }
        word.retain(|&id| id != DEAD);
    }
}
