//! The CPU twin against a plain reference in f64, by sorting.
// proptest is not built for wasm.
#![cfg(not(target_arch = "wasm32"))]

use super::cpu::sample;
use super::words::control;
use crate::sample::{Record, SamplingParams};
use proptest::prelude::*;

/// Runs one step; returns the record and the control block.
fn step(logits: &[f32], params: &SamplingParams, history: &[u32], at: u32) -> (Record, Vec<u32>) {
    let mut block = vec![0; control::WORDS];
    block[control::POS] = history.len() as u32 - 1;
    block[control::N] = 1;
    block[control::STEP] = at;
    block[control::REMAINING] = 9;
    let mut past = history.to_vec();
    past.resize(history.len() + 2, 0);
    let mut adjusted = vec![0.0; logits.len()];
    sample(logits, &params.to_words(None), &mut block, &mut past, &mut adjusted);
    let start = control::RING_START + at as usize % control::RING * control::RECORD;
    (Record::from_words(&block[start..start + control::RECORD]), block)
}

/// The probabilities that sampling should follow, after all options, by sorting in f64.
fn reference(logits: &[f32], p: &SamplingParams, history: &[u32]) -> Vec<f64> {
    let mut x: Vec<f64> = logits.iter().map(|&x| f64::from(x)).collect();
    let penalty = f64::from(p.repetition_penalty);
    let mut seen = history.to_vec();
    seen.sort_unstable();
    seen.dedup();
    for id in seen {
        let v = &mut x[id as usize];
        *v = if *v > 0.0 { *v / penalty } else { *v * penalty };
    }
    x.iter_mut().for_each(|v| *v /= f64::from(p.temperature));
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&a, &b| x[b].total_cmp(&x[a]));
    let largest = x[order[0]];
    let mut kept = vec![true; x.len()];
    if p.top_k > 0 && (p.top_k as usize) < x.len() {
        let least = x[order[p.top_k as usize - 1]];
        kept.iter_mut().zip(&x).for_each(|(k, &v)| *k = v >= least);
    }
    let total: f64 = (0..x.len()).filter(|&i| kept[i]).map(|i| (x[i] - largest).exp()).sum();
    if p.top_p < 1.0 {
        let mut mass = 0.0;
        for &i in &order {
            kept[i] &= mass < f64::from(p.top_p);
            mass += if kept[i] { (x[i] - largest).exp() / total } else { 0.0 };
        }
    }
    let weight = |i: usize| {
        let ratio = (x[i] - largest).exp();
        if kept[i] && ratio >= f64::from(p.min_p) { ratio } else { 0.0 }
    };
    let sum: f64 = (0..x.len()).map(weight).sum();
    (0..x.len()).map(|i| weight(i) / sum).collect()
}

#[test]
fn frequencies_follow_the_distribution() {
    let logits = [2.0, 1.5, -0.5, 0.3, 1.9, -3.0, 0.0, 1.2];
    let history = [0, 4, 2];
    let base = SamplingParams { temperature: 1.0, top_k: 0, ..SamplingParams::default() };
    let variants = [
        base.clone(),
        SamplingParams { temperature: 0.5, ..base.clone() },
        SamplingParams { top_k: 3, ..base.clone() },
        SamplingParams { top_p: 0.7, ..base.clone() },
        SamplingParams { min_p: 0.3, ..base.clone() },
        SamplingParams { repetition_penalty: 1.7, ..base.clone() },
        SamplingParams { temperature: 1.4, top_k: 6, top_p: 0.9, min_p: 0.1, repetition_penalty: 1.2, seed: 9 },
    ];
    for p in variants {
        let want = reference(&logits, &p, &history);
        let draws = 20_000;
        let mut counts = [0u32; 8];
        for at in 0..draws {
            counts[step(&logits, &p, &history, at).0.id as usize] += 1;
        }
        for (i, (&n, &w)) in counts.iter().zip(&want).enumerate() {
            let got = f64::from(n) / f64::from(draws);
            // Five standard deviations: the generator is seeded, so this either holds or does not.
            let slack = 5.0 * (w * (1.0 - w) / f64::from(draws)).sqrt();
            assert!((got - w).abs() <= slack, "{p:?}: token {i} drawn {got}, should be {w}");
        }
    }
}

#[test]
fn greedy_takes_the_lowest_of_equals() {
    let p = SamplingParams { temperature: 0.0, ..SamplingParams::default() };
    let (record, _) = step(&[1.0, 3.0, 3.0, 2.0], &p, &[0], 0);
    assert_eq!((record.id, record.rank), (1, 0));
    assert_eq!(record.top.iter().map(|t| t.0).collect::<Vec<_>>(), [1, 2, 3, 0]);
}

/// Whatever would rule it out: a logit that is no number, or too large, ends the text, and nothing is written down.
#[test]
fn a_logit_that_is_no_number_ends_the_text() {
    let sound: Vec<f32> = (0..9).map(|i| (i * 5 % 9) as f32).collect();
    for (at, bad) in (0..9).flat_map(|at| [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 2e30, -2e30].map(|x| (at, x))) {
        let mut logits = sound.clone();
        logits[at] = bad;
        for (temperature, repetition_penalty) in [(0.0, 1.0), (0.01, 100.0), (1.0, 0.01)] {
            let p = SamplingParams {
                temperature,
                repetition_penalty,
                top_p: 0.1,
                top_k: 1,
                min_p: 0.9,
                ..SamplingParams::default()
            };
            let history = [at as u32, 0];
            let (_, block) = step(&logits, &p, &history, 3);
            assert_eq!((block[control::N], block[control::FINISH]), (0, control::FINISH_OVERFLOW), "{bad} at {at}");
            assert_eq!((block[control::STEP], block[control::POS], block[control::REMAINING]), (3, 1, 9));
            assert!(block[control::RING_START..].iter().all(|&word| word == 0), "{bad} at {at}: a record");
            let (record, block) = step(&sound, &p, &history, 3);
            assert!(block[control::N] == 1 && record.logprob.is_finite());
        }
    }
}

/// At the lowest temperature that is let through, with the harshest penalty, the order of large logits is kept.
#[test]
fn a_low_temperature_takes_the_likeliest() {
    for scale in [1.0, 1e20, 1e29] {
        let logits = [1.0, 3.0, 4.999, 5.0, -2.0].map(|x| x * scale);
        for repetition_penalty in [0.01, 1.0] {
            let p = SamplingParams { temperature: 0.01, top_k: 0, repetition_penalty, ..SamplingParams::default() };
            let drawn: Vec<u32> = (0..50).map(|at| step(&logits, &p, &[0], at).0.id).collect();
            let likeliest = if repetition_penalty < 1.0 { 0 } else { 3 };
            let rare = drawn.iter().filter(|&&id| id != likeliest).count();
            // Where 4.999 and 5 are a tenth of a nat apart, the draw is nearly even between these two.
            let even = scale == 1.0 && likeliest == 3;
            assert!(if even { drawn.iter().all(|id| [2, 3].contains(id)) } else { rare == 0 }, "{scale}: {drawn:?}");
        }
    }
}

#[test]
fn temperatures_that_round_away_differences_are_refused() {
    let with = |temperature| SamplingParams { temperature, ..SamplingParams::default() }.validate();
    for fits in [0.0, 0.01, 1.0, 100.0] {
        assert!(with(fits).is_ok(), "{fits}");
    }
    for unfit in [1e-30, 0.0099, -1.0, 100.1, f32::NAN, f32::INFINITY] {
        let message = with(unfit).expect_err("must be refused").to_string();
        assert!(message.contains("temperature") && message.contains("from 0.01 to 100"), "{message}");
    }
}

/// Where the sampled token lies against a threshold found by sorting, for a vocabulary of GPT-2's size.
#[test]
fn top_p_keeps_the_smallest_set_that_reaches_it() {
    let logits: Vec<f32> = (0..50_257u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 1e6).collect();
    for top_p in [1e-12, 0.001, 0.3, 0.9, 0.999_999] {
        let p = SamplingParams { temperature: 1.0, top_k: 0, top_p, ..SamplingParams::default() };
        let want = reference(&logits, &p, &[0]);
        // A step draws from the whole set in time: the least likely token kept by the reference bounds every draw.
        let least = (0..logits.len()).filter(|&i| want[i] > 0.0).map(|i| logits[i]).fold(f32::INFINITY, f32::min);
        for at in 0..40 {
            let id = step(&logits, &p, &[0], at).0.id as usize;
            assert!(logits[id] >= least - 1e-3, "top-p {top_p}: {} drawn below {least}", logits[id]);
        }
    }
}

#[test]
fn finishing_has_reasons() {
    let logits = [0.0, 9.0];
    let run = |pos: u32, remaining: u32, stop: Option<u32>| {
        let mut block = vec![0; control::WORDS];
        block[..5].copy_from_slice(&[pos, 1, 0, 0, remaining]);
        let p = SamplingParams { temperature: 0.0, ..SamplingParams::default() };
        let (mut history, mut adjusted) = (vec![0; 4], vec![0.0; 2]);
        sample(&logits, &p.to_words(stop), &mut block, &mut history, &mut adjusted);
        (block[control::N], block[control::FINISH], history)
    };
    assert_eq!(run(1, 5, None), (1, 0, vec![0, 0, 1, 0]));
    assert_eq!(run(1, 5, Some(1)), (0, control::FINISH_STOP, vec![0, 0, 1, 0]));
    assert_eq!(run(1, 1, None), (0, control::FINISH_LENGTH, vec![0, 0, 1, 0]));
    assert_eq!(run(3, 5, None), (0, control::FINISH_CONTEXT, vec![0, 0, 0, 0]));
    assert_eq!(run(3, 1, None).1, control::FINISH_LENGTH);
}

proptest! {
    #[test]
    fn only_what_the_options_leave_is_drawn(
        logits in proptest::collection::vec(-20.0f32..20.0, 1..300),
        temperature in 0.1f32..3.0,
        top_k in 0u32..20,
        top_p in 0.05f32..1.0,
        min_p in 0.0f32..0.5,
        repetition_penalty in 0.5f32..2.0,
        seed in any::<u64>(),
        at in 0u32..1000,
    ) {
        let p = SamplingParams { temperature, top_k, top_p, min_p, repetition_penalty, seed };
        let history: Vec<u32> = (0..5).map(|i| i * 7 % logits.len() as u32).collect();
        let want = reference(&logits, &p, &history);
        let (record, block) = step(&logits, &p, &history, at);
        let least = want.iter().copied().filter(|&w| w > 0.0).fold(f64::INFINITY, f64::min);
        // At a cut-off f32 and f64 may disagree about the last token: it must then be as likely as the least one left.
        let drawn = f64::from(logits[record.id as usize]);
        let close = (0..logits.len()).any(|i| want[i] <= least * 1.001 && want[i] > 0.0
            && (f64::from(logits[i]) - drawn).abs() < 1e-2 * drawn.abs().max(1.0));
        prop_assert!(want[record.id as usize] > 0.0 || close, "{record:?}");
        let sum: f64 = logits.iter().map(|&x| f64::from(x).exp()).sum();
        prop_assert!((f64::from(record.logprob) - (drawn - sum.ln())).abs() < 1e-4);
        let likelier = logits.iter().enumerate()
            .filter(|(i, x)| **x > logits[record.id as usize] || (**x == logits[record.id as usize] && *i < record.id as usize));
        prop_assert_eq!(record.rank as usize, likelier.count());
        prop_assert_eq!(block[control::STEP], at + 1);
        prop_assert_eq!(block[control::POS] as usize, history.len());
        prop_assert!(record.top.windows(2).all(|w| w[0].1 >= w[1].1));
        prop_assert_eq!(record.top.len(), logits.len().min(10));
    }
}
