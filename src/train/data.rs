//! The text as batches: what a step trains on, and what is held back to validate on.
//!
//! A batch is a function of `(seed, step, micro)` alone, so that a resumed run and one that was never interrupted see
//! the same text.

use rand::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use crate::error::{Error, Result};
use crate::message::{Message, message};

/// The target of a position that does not count.
pub const IGNORE: u32 = u32::MAX;

/// Fewer tokens than this, and than one context, say too little to validate on.
const MIN_VALIDATION: usize = 128;

/// B sequences of T tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// (B, T), row-major. 0 where a text ends early.
    pub inputs: Vec<u32>,
    /// (B, T): the token that follows each input, or [`IGNORE`].
    pub targets: Vec<u32>,
}

impl Batch {
    /// Targets that count.
    pub fn n_targets(&self) -> usize {
        self.targets.iter().filter(|&&t| t != IGNORE).count()
    }

    fn with_capacity(n: usize) -> Batch {
        Batch { inputs: Vec::with_capacity(n), targets: Vec::with_capacity(n) }
    }

    /// Appends one sequence of `context` tokens from the start of `tokens`; what is missing is ignored.
    fn push(&mut self, tokens: &[u32], context: usize) {
        let n = context.min(tokens.len().saturating_sub(1));
        self.inputs.extend(&tokens[..n]);
        self.inputs.extend(std::iter::repeat_n(0, context - n));
        if n > 0 {
            self.targets.extend(&tokens[1..=n]);
        }
        self.targets.extend(std::iter::repeat_n(IGNORE, context - n));
    }
}

/// A text as tokens, the end of which is held back for validation.
#[derive(Debug, Clone)]
pub struct Dataset {
    tokens: Vec<u32>,
    /// Where validation begins.
    split: usize,
    context: usize,
    /// Held back was asked for.
    wanted: bool,
}

impl Dataset {
    /// From a token stream. The last part `validation` (0 to 0.5) of it is held back, or nothing where that would be
    /// less than one sequence of `context` tokens and less than 128 tokens: see [`Dataset::notes`].
    ///
    /// # Errors
    /// [`Error::Input`] if there is no token from which to predict another, or `context` is 0.
    pub fn new(tokens: Vec<u32>, validation: f64, context: usize) -> Result<Dataset> {
        match tokens.len() {
            0 => {
                return Err(Error::Input(message!(
                    "text.empty",
                    "The text is empty; paste or choose some text to train on."
                )));
            }
            1 => {
                return Err(Error::Input(message!(
                    "text.one_token",
                    "The text is a single token, which leaves nothing to predict; use at least a sentence."
                )));
            }
            _ => {}
        }
        if context == 0 {
            return Err(Error::Input(message!(
                "text.no_context",
                "The training context is 0 tokens; choose at least 1."
            )));
        }
        let held = (tokens.len() as f64 * validation.clamp(0.0, 0.5)).round() as usize;
        // A part to train on of one token would have nothing to predict.
        let enough = held >= (context + 1).min(MIN_VALIDATION) && held + 2 <= tokens.len();
        let split = tokens.len() - if enough { held } else { 0 };
        Ok(Dataset { tokens, split, context, wanted: validation > 0.0 })
    }

    /// One stream of several documents, `separator` (`<|endoftext|>`) between them. Empty documents are left out.
    pub fn join(documents: &[Vec<u32>], separator: Option<u32>) -> Vec<u32> {
        let mut stream = Vec::with_capacity(documents.iter().map(|d| d.len() + 1).sum());
        for document in documents.iter().filter(|d| !d.is_empty()) {
            if !stream.is_empty() {
                stream.extend(separator);
            }
            stream.extend(document);
        }
        stream
    }

    /// The part to train on.
    pub fn train(&self) -> &[u32] {
        &self.tokens[..self.split]
    }

    /// The part held back; may be empty.
    pub fn validation(&self) -> &[u32] {
        &self.tokens[self.split..]
    }

    /// The largest useful context: as asked for, or less for a shorter text, where more would be padding.
    pub fn context(&self) -> usize {
        self.context.min(self.split - 1)
    }

    /// What the person should know about this text before training, in whole sentences.
    pub fn notes(&self) -> Vec<Message> {
        let mut notes = Vec::new();
        let n = self.tokens.len();
        if self.wanted && self.validation().is_empty() {
            notes.push(message!(
                "text.too_short_to_hold_back",
                "The text has only {tokens} tokens, too few to hold some back, so there is no validation \
                 loss: watch the samples to see when the model recites the text instead of learning from \
                 it.",
                tokens = n
            ));
        }
        if self.split <= self.context {
            notes.push(message!(
                "text.shorter_than_context",
                "The text is shorter than the training context of {context} tokens: every sequence is \
                 the whole text.",
                context = self.context
            ));
        }
        notes
    }

    /// What micro-batch `micro` of step `step` trains on: `batch` sequences of `context` tokens, each from a place
    /// drawn uniformly. A text of at most `context` tokens is taken whole, its end padded with ignored targets.
    pub fn batch(&self, step: u32, micro: u32, batch: usize, context: usize, seed: u64) -> Batch {
        let train = self.train();
        let starts = train.len().saturating_sub(context).max(1) as u128;
        let mut random = generator(seed, step, micro);
        let mut out = Batch::with_capacity(batch * context);
        for _ in 0..batch {
            // The upper half of the product is uniform below `starts`, but for one part in 2^64 / starts.
            let start = ((u128::from(random.next_u64()) * starts) >> 64) as usize;
            out.push(&train[start..], context);
        }
        out
    }

    /// The text held back, as batches of `batch` sequences: at most `max_sequences`, evenly spread and, where the text
    /// allows, without overlap; the same at every call. The last batch is filled up with sequences that are ignored.
    pub fn validation_batches(&self, batch: usize, context: usize, max_sequences: usize) -> Vec<Batch> {
        let held = self.validation();
        if held.len() < 2 || batch == 0 || context == 0 {
            return Vec::new();
        }
        let pairs = held.len() - 1;
        let last = pairs.saturating_sub(context);
        let count = (pairs / context).clamp(1, max_sequences.max(1));
        let starts: Vec<usize> = (0..count).map(|i| if count == 1 { 0 } else { i * last / (count - 1) }).collect();
        let fill = |starts: &[usize]| {
            let mut out = Batch::with_capacity(batch * context);
            starts.iter().for_each(|&start| out.push(&held[start..], context));
            (starts.len()..batch).for_each(|_| out.push(&[], context));
            out
        };
        starts.chunks(batch).map(fill).collect()
    }
}

/// A generator of its own for each micro-batch. Seeds pass through the generator's own mixing one after another, so
/// that neighbouring steps and seeds have nothing in common.
fn generator(seed: u64, step: u32, micro: u32) -> Pcg64Mcg {
    let of_seed = Pcg64Mcg::seed_from_u64(seed).next_u64();
    Pcg64Mcg::seed_from_u64(of_seed.wrapping_add(u64::from(step) << 32 | u64::from(micro)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(n: u32, validation: f64, context: usize) -> Dataset {
        Dataset::new((0..n).collect(), validation, context).unwrap()
    }

    #[test]
    fn targets_follow_inputs_and_never_touch_the_validation_text() {
        let data = counting(1000, 0.1, 16);
        assert_eq!((data.train().len(), data.validation().len()), (900, 100));
        let (mut seen, mut first, mut last) = (std::collections::HashSet::new(), false, false);
        for step in 0..400 {
            let b = data.batch(step, 0, 8, 16, 7);
            assert_eq!((b.inputs.len(), b.targets.len(), b.n_targets()), (128, 128, 128));
            for (x, y) in b.inputs.iter().zip(&b.targets) {
                assert_eq!(x + 1, *y);
                assert!(*y < 900);
            }
            first |= b.inputs.contains(&0);
            last |= b.targets.contains(&899);
            seen.extend(b.inputs);
        }
        assert!(first && last && seen.len() == 899, "both ends and everything between are reached: {}", seen.len());
    }

    #[test]
    fn a_batch_depends_on_seed_step_and_micro_only() {
        let data = counting(100_000, 0.1, 4);
        let batch = |step, micro, seed| data.batch(step, micro, 4, 4, seed).inputs;
        let mut all = Vec::new();
        for (step, micro, seed) in [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 1, 0), (0, 0, 1 << 32)] {
            assert_eq!(batch(step, micro, seed), batch(step, micro, seed));
            all.push(batch(step, micro, seed));
        }
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 6, "no two are alike");
        // The values themselves, so that an update of a dependency does not change what a saved run resumes to.
        assert_eq!(data.batch(3, 1, 4, 1, 1337).inputs, PINNED);
    }

    const PINNED: [u32; 4] = [85014, 12707, 17080, 61365];

    #[test]
    fn starts_are_uniform() {
        let data = counting(12, 0.0, 4);
        let mut counts = [0u32; 8];
        for step in 0..1000 {
            for row in data.batch(step, 0, 8, 4, 5).inputs.chunks(4) {
                counts[row[0] as usize] += 1;
            }
        }
        // 1000 +- 30 each.
        assert!(counts.iter().all(|c| (850..1150).contains(c)), "{counts:?}");
    }

    #[test]
    fn a_short_text_is_taken_whole() {
        let data = Dataset::new(vec![5, 6, 7], 0.1, 6).unwrap();
        let b = data.batch(0, 0, 2, 6, 1);
        assert_eq!(b.inputs, [5, 6, 0, 0, 0, 0, 5, 6, 0, 0, 0, 0]);
        assert_eq!(b.targets[..6], [6, 7, IGNORE, IGNORE, IGNORE, IGNORE]);
        assert_eq!(b.n_targets(), 4);
        assert_eq!(data.context(), 2);
        assert!(data.validation_batches(2, 6, 10).is_empty());
        assert_eq!(data.notes().len(), 2);
        // One token more than the context is one sequence without padding.
        let exact = Dataset::new(vec![5, 6, 7], 0.0, 2).unwrap();
        assert_eq!(exact.batch(9, 0, 1, 2, 1), Batch { inputs: vec![5, 6], targets: vec![6, 7] });
        assert!(exact.notes().is_empty(), "{:?}", exact.notes());
    }

    #[test]
    fn too_little_text_is_said() {
        assert!(Dataset::new(vec![], 0.1, 4).unwrap_err().to_string().contains("empty"));
        assert!(Dataset::new(vec![1], 0.1, 4).unwrap_err().to_string().contains("single token"));
        assert!(Dataset::new(vec![1, 2], 0.1, 0).is_err());
        // 10% of 1279 tokens are 128; of 1270 they are 127.
        assert_eq!(counting(1279, 0.1, 1024).validation().len(), 128);
        assert!(counting(1270, 0.1, 1024).validation().is_empty());
        assert!(counting(1270, 0.1, 1024).notes()[0].english().contains("1270 tokens"));
    }

    #[test]
    fn validation_is_spread_and_capped() {
        let data = counting(1000, 0.1, 10);
        let all = data.validation_batches(4, 10, 100);
        // 99 pairs: 9 sequences in 3 batches, the last of which has one.
        assert_eq!(all.len(), 3);
        assert_eq!(all.iter().map(Batch::n_targets).collect::<Vec<_>>(), [40, 40, 10]);
        assert_eq!((all[0].inputs[0], all[2].targets[9]), (900, 999));
        assert!(all.iter().all(|b| b.inputs.len() == 40 && b.targets.len() == 40));
        let capped = data.validation_batches(4, 10, 2);
        assert_eq!(capped.len(), 1);
        assert_eq!((capped[0].inputs[0], capped[0].inputs[10], capped[0].n_targets()), (900, 989, 20));
        // Less than one context is held back: one padded sequence.
        let short = counting(2000, 0.1, 1024).validation_batches(2, 1024, 100);
        assert_eq!((short.len(), short[0].n_targets(), short[0].inputs.len()), (1, 199, 2048));
    }

    #[test]
    fn documents_are_separated() {
        let documents = [vec![1, 2], vec![], vec![3], vec![4]];
        assert_eq!(Dataset::join(&documents, Some(9)), [1, 2, 9, 3, 9, 4]);
        assert_eq!(Dataset::join(&documents, None), [1, 2, 3, 4]);
        assert_eq!(Dataset::join(&documents[..1], Some(9)), [1, 2]);
    }
}
