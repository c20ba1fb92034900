//! Applying BPE merges to one word: again and again the leftmost of the pairs with the lowest rank.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Longest word for which looking at every pair beats keeping a heap of them.
const SHORT: usize = 24;

/// A hash map keyed by text. One type for the whole module, as each further one costs kilobytes of WebAssembly.
pub(super) type TextMap<'a> = HashMap<&'a [u8], u32>;

/// Which pairs merge, in which order, and into what. Sorted and not hashed: whoever makes the file cannot choose its pairs so
/// that looking one up takes long.
#[derive(Debug, Clone)]
pub(super) struct Merges {
    /// By left token, each one's in ascending order: right token, in the upper half, and rank.
    pairs: Vec<u64>,
    /// By left token, where in `pairs` its own begin; one more than there are tokens.
    starts: Vec<u32>,
    /// By rank, the id of the merged token.
    merged: Vec<u32>,
}

impl Merges {
    /// From `[left, right, merged]` in order of rank, of tokens below `tokens`. Of two merges of one pair the later counts, as
    /// in HF.
    pub fn new(list: &[[u32; 3]], tokens: usize) -> Merges {
        let mut starts = vec![0u32; tokens + 1];
        list.iter().for_each(|[left, ..]| starts[*left as usize + 1] += 1);
        for left in 0..tokens {
            starts[left + 1] += starts[left];
        }
        // By left token, by counting; then each one's by themselves.
        let mut ends = starts.clone();
        let mut pairs = vec![0; list.len()];
        for (rank, &[left, right, _]) in (0u64..).zip(list) {
            let end = &mut ends[left as usize];
            pairs[*end as usize] = u64::from(right) << 32 | rank;
            *end += 1;
        }
        for of_left in starts.windows(2) {
            pairs[of_left[0] as usize..of_left[1] as usize].sort_unstable();
        }
        Merges { pairs, starts, merged: list.iter().map(|&[.., merged]| merged).collect() }
    }

    /// The merges of a left token.
    fn of(&self, left: u32) -> &[u64] {
        let [start, end] = [left, left + 1].map(|i| self.starts[i as usize] as usize);
        &self.pairs[start..end]
    }

    /// The rank of a pair, and what it becomes.
    fn get(&self, left: u32, right: u32) -> Option<(u32, u32)> {
        let of_left = self.of(left);
        let end = of_left.partition_point(|&pair| pair >> 32 <= u64::from(right));
        let rank = *of_left[..end].last().filter(|&&pair| pair >> 32 == u64::from(right))? as u32;
        Some((rank, self.merged[rank as usize]))
    }

    /// The pairs in order of rank.
    pub fn in_order(&self) -> Vec<(u32, u32)> {
        let mut ordered = vec![None; self.merged.len()];
        for left in 0..self.starts.len() as u32 - 1 {
            for &pair in self.of(left) {
                let (right, rank) = ((pair >> 32) as u32, pair as u32);
                // Not one that a later merge of the same pair has replaced.
                if self.get(left, right).is_some_and(|(last, _)| last == rank) {
                    ordered[rank as usize] = Some((left, right));
                }
            }
        }
        ordered.into_iter().flatten().collect()
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
