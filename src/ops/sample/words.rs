//! The words of the tensors that sampling reads and writes. The shader has the same numbers.

/// The state `control`: `[pos, n, id, step, remaining, finish, …]`, then a ring of records. Its first three words are a
/// `step` tensor of one id, which is how the other ops of the decode plan read it.
pub mod control {
    /// Absolute position of the token `id`.
    pub const POS: usize = 0;
    /// 1 while generating, 0 when finished: then nothing changes any more.
    pub const N: usize = 1;
    /// The token fed, whose logits are sampled from.
    pub const ID: usize = 2;
    /// Tokens sampled so far.
    pub const STEP: usize = 3;
    /// Tokens still wanted.
    pub const REMAINING: usize = 4;
    /// Why it finished.
    pub const FINISH: usize = 5;
    /// Finished by the stop token.
    pub const FINISH_STOP: u32 = 1;
    /// Finished because as many tokens were sampled as wanted.
    pub const FINISH_LENGTH: u32 = 2;
    /// Finished because the context is full.
    pub const FINISH_CONTEXT: u32 = 3;
    /// Finished because a logit was not finite, or too large to compute with: no token was sampled from them.
    pub const FINISH_OVERFLOW: u32 = 4;
    /// First word of the ring.
    pub const RING_START: usize = 16;
    /// Records in the ring; token `step` has record `step % RING`.
    pub const RING: usize = 64;
    /// Words of a record.
    pub const RECORD: usize = 24;
    /// All words.
    pub const WORDS: usize = RING_START + RING * RECORD;
    /// Of a record: the sampled token.
    pub const RECORD_ID: usize = 0;
    /// Of a record: its log-probability (f32).
    pub const LOGPROB: usize = 1;
    /// Of a record: the distribution's entropy in nats (f32).
    pub const ENTROPY: usize = 2;
    /// Of a record: how many tokens were likelier.
    pub const RANK: usize = 3;
    /// How many of the likeliest tokens a record lists.
    pub const TOP: usize = 10;
    /// Of a record: their ids, likeliest first; `u32::MAX` where the vocabulary is smaller.
    pub const TOP_IDS: usize = 4;
    /// Of a record: their log-probabilities (f32).
    pub const TOP_LOGPROBS: usize = 14;
}

/// The input `settings`; see [`SamplingParams`](crate::sample::SamplingParams).
pub mod settings {
    /// f32; 0 is greedy.
    pub const TEMPERATURE: usize = 0;
    /// 0 is off.
    pub const TOP_K: usize = 1;
    /// f32; 1 is off.
    pub const TOP_P: usize = 2;
    /// f32; 0 is off.
    pub const MIN_P: usize = 3;
    /// f32; 1 is off.
    pub const REPETITION_PENALTY: usize = 4;
    /// Low half of the seed.
    pub const SEED_LOW: usize = 5;
    /// High half of the seed.
    pub const SEED_HIGH: usize = 6;
    /// Token that ends a text; `u32::MAX` for none.
    pub const STOP: usize = 7;
    /// All words.
    pub const WORDS: usize = 16;
}
