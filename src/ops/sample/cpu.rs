//! The CPU twin of sampling.

use super::FIXED_ONE;
use super::threefry::{GUMBEL_MAX, gumbel, threefry};
use super::words::{control, settings};
use crate::cpu::vecops;
use crate::ops::score::{figures, largest, usable};

/// Floats as unsigned integers in the same order.
fn key(x: f32) -> u32 {
    let bits = x.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 0x8000_0000 }
}

/// One decode step: samples, writes a record, advances the control block.
pub(super) fn sample(logits: &[f32], options: &[u32], block: &mut [u32], history: &mut [u32], adjusted: &mut [f32]) {
    if block[control::N] == 0 {
        adjusted.fill(0.0);
        return;
    }
    if !usable(logits) {
        adjusted.fill(0.0);
        block[control::N] = 0;
        block[control::FINISH] = control::FINISH_OVERFLOW;
        return;
    }
    let pos = block[control::POS] as usize;
    adjust(logits, options, &history[..=pos.min(history.len() - 1)], adjusted);
    let greedy = f32::from_bits(options[settings::TEMPERATURE]) <= 0.0;
    let chosen = if greedy { vecops::argmax(adjusted) } else { draw(adjusted, options, block[control::STEP]) };
    record(logits, chosen as u32, block);
    advance(chosen as u32, options[settings::STOP], block, history);
}

/// Repetition penalty on the tokens of `seen`, and temperature.
fn adjust(logits: &[f32], options: &[u32], seen: &[u32], adjusted: &mut [f32]) {
    let float = |word: usize| f32::from_bits(options[word]);
    let temperature = float(settings::TEMPERATURE);
    let scale = if temperature > 0.0 { 1.0 / temperature } else { 1.0 };
    let penalty = float(settings::REPETITION_PENALTY);
    adjusted.iter_mut().zip(logits).for_each(|(a, &x)| *a = x * scale);
    if penalty != 1.0 {
        for &id in seen {
            if let Some(&x) = logits.get(id as usize) {
                adjusted[id as usize] = (if x > 0.0 { x / penalty } else { x * penalty }) * scale;
            }
        }
    }
}

/// The probability with which each token would be drawn: 0 for those that greedy choice, top-k, top-p or min-p rule out.
/// `options` are the words of `settings`, `seen` the tokens of the text. The logits must be [`usable`].
pub(crate) fn odds(logits: &[f32], options: &[u32], seen: &[u32]) -> Vec<f32> {
    let mut odds = vec![0.0; logits.len()];
    adjust(logits, options, seen, &mut odds);
    if f32::from_bits(options[settings::TEMPERATURE]) <= 0.0 {
        let chosen = vecops::argmax(&odds);
        odds.fill(0.0);
        odds[chosen] = 1.0;
        return odds;
    }
    let left = CutOffs::of(&odds, options);
    let largest = vecops::max(&odds);
    odds.iter_mut().for_each(|a| *a = if left.keep(*a) { (*a - largest).exp() } else { 0.0 });
    let sum: f32 = odds.iter().sum();
    odds.iter_mut().for_each(|a| *a /= sum);
    odds
}

/// What top-k, top-p and min-p leave.
struct CutOffs {
    /// The least [`key`].
    floor: u32,
    /// The least adjusted logit.
    least: f32,
}

impl CutOffs {
    fn of(adjusted: &[f32], options: &[u32]) -> Self {
        let float = |word: usize| f32::from_bits(options[word]);
        let largest = vecops::max(adjusted);
        let top_k = options[settings::TOP_K] as usize;
        let mut floor = 0u32;
        if top_k > 0 && top_k < adjusted.len() {
            let mut keys: Vec<u32> = adjusted.iter().map(|&a| key(a)).collect();
            floor = *keys.select_nth_unstable_by(top_k - 1, |a, b| b.cmp(a)).1;
        }
        let top_p = float(settings::TOP_P);
        if top_p < 1.0 {
            floor = nucleus(adjusted, floor, largest, top_p);
        }
        let min_p = float(settings::MIN_P);
        let least = if min_p > 0.0 { largest + min_p.ln() } else { -f32::INFINITY };
        Self { floor, least }
    }

    fn keep(&self, a: f32) -> bool {
        key(a) >= self.floor && a >= self.least
    }
}

/// Samples from what the cut-offs leave, by the Gumbel-max trick (Gumbel 1954; Maddison et al. 2014).
fn draw(adjusted: &[f32], options: &[u32], step: u32) -> usize {
    let left = CutOffs::of(adjusted, options);
    let seed = [options[settings::SEED_LOW], options[settings::SEED_HIGH]];
    let (mut best, mut chosen) = (f32::NEG_INFINITY, 0);
    for (id, &a) in adjusted.iter().enumerate() {
        // What cannot win needs no random number.
        if a + GUMBEL_MAX > best && left.keep(a) {
            let value = a + gumbel(threefry(seed, [id as u32, step])[0]);
            if value > best {
                (best, chosen) = (value, id);
            }
        }
    }
    chosen
}

/// The largest key such that the tokens at and above it, of those at and above `floor`, have probability `top_p`. As in the
/// shader: a radix select instead of a sort, and mass counted in integers, so that the order of additions does not matter.
fn nucleus(adjusted: &[f32], floor: u32, largest: f32, top_p: f32) -> u32 {
    let (mut keys, mut mass) = (Vec::new(), Vec::new());
    for &a in adjusted.iter().filter(|a| key(**a) >= floor) {
        keys.push(key(a));
        mass.push(a - largest);
    }
    vecops::exp(&mut mass);
    let unit = FIXED_ONE / vecops::sum(&mass);
    // What weighs nothing decides nothing: with a large vocabulary that is most of it.
    let weights = mass.iter().map(|m| (m * unit) as u32);
    let mut left: Vec<(u32, u32)> = keys.into_iter().zip(weights).filter(|(_, w)| *w > 0).collect();
    // The likeliest stays, however little is asked for.
    let mut need = ((top_p * FIXED_ONE) as u32).max(1);
    let mut prefix = 0;
    for shift in [24, 16, 8, 0] {
        let mut bins = [0u32; 256];
        for (k, w) in &left {
            let bin = &mut bins[(k >> shift & 255) as usize];
            *bin = bin.saturating_add(*w);
        }
        let mut above = 0u32;
        let found = (0..256u32).rev().find(|&b| {
            let total = above.saturating_add(bins[b as usize]);
            let reached = total >= need;
            above = if reached { above } else { total };
            reached
        });
        // Rounding can leave all of them short of a top-p near 1: then nothing is cut off.
        let Some(bin) = found else { return floor };
        need -= above;
        left.retain(|(k, _)| k >> shift & 255 == bin);
        prefix = prefix << 8 | bin;
    }
    prefix
}

/// Writes the record of this step: figures of the raw distribution.
fn record(logits: &[f32], chosen: u32, block: &mut [u32]) {
    let f = figures(logits, chosen);
    let start = control::RING_START + block[control::STEP] as usize % control::RING * control::RECORD;
    let record = &mut block[start..start + control::RECORD];
    record[control::RECORD_ID] = chosen;
    record[control::LOGPROB] = f.logprob.to_bits();
    record[control::ENTROPY] = f.entropy.to_bits();
    record[control::RANK] = f.rank as u32;
    for (i, (x, id)) in largest(logits, control::TOP).into_iter().enumerate() {
        record[control::TOP_IDS + i] = id;
        record[control::TOP_LOGPROBS + i] = (x - f.max - f.log_sum).to_bits();
    }
}

/// Feeds the sampled token to the next step, or finishes.
fn advance(chosen: u32, stop: u32, block: &mut [u32], history: &mut [u32]) {
    let next = block[control::POS] as usize + 1;
    if let Some(slot) = history.get_mut(next) {
        *slot = chosen;
    }
    block[control::POS] = next as u32;
    block[control::ID] = chosen;
    block[control::STEP] += 1;
    block[control::REMAINING] = block[control::REMAINING].saturating_sub(1);
    let finish = if chosen == stop {
        control::FINISH_STOP
    } else if block[control::REMAINING] == 0 {
        control::FINISH_LENGTH
    } else if next >= history.len() {
        control::FINISH_CONTEXT
    } else {
        return;
    };
    block[control::N] = 0;
    block[control::FINISH] = finish;
}
