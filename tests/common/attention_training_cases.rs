//! Rows of the op table for attention in training: forward with its softmax denominators, and backward.

use super::cases::{Case, Data, Noise};
use gpt_playground::ops::{AttentionBackward, CausalAttention, DropoutMask};
use std::sync::Arc;

/// Out `(B T, H D)` and lse `(B H, T)` by the definition, in f64, for the backward op to be given. `factor` is what dropout
/// makes of the probability of a row of the mask and a key.
fn forward(
    qkv: &[f32],
    b: usize,
    t: usize,
    h: usize,
    d: usize,
    factor: &dyn Fn(usize, usize) -> f64,
) -> (Vec<f32>, Vec<f32>) {
    let c = h * d;
    let (mut out, mut lse) = (vec![0.0; b * t * c], vec![0.0; b * h * t]);
    for (bi, hi) in (0..b).flat_map(|bi| (0..h).map(move |hi| (bi, hi))) {
        let at = |row: usize, part: usize| &qkv[(bi * t + row) * 3 * c + part * c + hi * d..][..d];
        for i in 0..t {
            let dot = |j| at(i, 0).iter().zip(at(j, 1)).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
            let scores: Vec<f64> = (0..=i).map(|j| dot(j) / (d as f64).sqrt()).collect();
            let largest = scores.iter().fold(f64::NEG_INFINITY, |m, &s| m.max(s));
            let log_sum = largest + scores.iter().map(|s| (s - largest).exp()).sum::<f64>().ln();
            lse[(bi * h + hi) * t + i] = log_sum as f32;
            for e in 0..d {
                let weight = |j: usize, s: f64| factor((bi * h + hi) * t + i, j) * (s - log_sum).exp();
                let sum: f64 = scores.iter().enumerate().map(|(j, &s)| weight(j, s) * f64::from(at(j, 2)[e])).sum();
                out[(bi * t + i) * c + hi * d + e] = sum as f32;
            }
        }
    }
    (out, lse)
}

/// The rows.
pub fn cases() -> Vec<Case> {
    let mut noise = Noise::new(31);
    let mut cases = Vec::new();
    // (sequences, positions, heads, head width)
    let shapes = [
        (1, 1, 1, 1),
        (3, 7, 2, 1),
        (2, 9, 3, 5),
        (2, 33, 2, 20),
        (1, 70, 1, 64),
        (2, 17, 2, 80),
        (1, 37, 1, 128),
        (1, 19, 1, 130),
        (1, 21, 2, 256),
        (1, 5, 1, 260),
    ];
    for (b, t, h, d) in shapes {
        for (scale, dropout) in [(1.0, 0.0), (4.0, 0.0), (1.0, 0.3f32)] {
            // Compiling is what costs time in the browser: of those alike, one with dropout is enough.
            if dropout > 0.0 && [1, 7, 19].contains(&t) {
                continue;
            }
            let c = h * d;
            let mut floats = |n: usize, scale: f32| (0..n).map(|_| scale * noise.float()).collect::<Vec<f32>>();
            let (qkv, d_out) = (floats(b * t * 3 * c, scale), floats(b * t * c, 1.0));
            let (words, kept) = (t.div_ceil(32), f64::from(DropoutMask::scale(dropout)));
            // Three of four bits are set; those that the op would leave 0 behind the query too.
            let mask: Vec<u32> = (0..b * h * t * words).map(|_| noise.bits() | noise.bits()).collect();
            let factor = |row: usize, key: usize| {
                let bit = mask[row * words + key / 32] >> (key % 32) & 1;
                if dropout == 0.0 { 1.0 } else { kept * f64::from(bit) }
            };
            let (out, lse) = forward(&qkv, b, t, h, d, &factor);
            let with_mask = |mut inputs: Vec<(Vec<usize>, Data)>| {
                if dropout > 0.0 {
                    inputs.push((vec![b * h * t, words], Data::U32(mask.clone())));
                }
                inputs
            };
            let label = format!("{b} sequences of {t}, {h} heads of {d}, scale {scale}, dropout {dropout}");
            let in_browser = b * t * 3 * c <= 4096;
            let (wide, narrow) = (vec![b * t, 3 * c], vec![b * t, c]);
            cases.push(Case {
                label: format!("causal_attention {label}"),
                op: Arc::new(CausalAttention { n_head: h, seq: t, dropout }),
                inputs: with_mask(vec![(wide.clone(), Data::F32(qkv.clone()))]),
                tolerance: 1e-5,
                in_browser,
                fates: Vec::new(),
            });
            cases.push(Case {
                label: format!("attention_backward {label}"),
                op: Arc::new(AttentionBackward { n_head: h, seq: t, dropout }),
                inputs: with_mask(vec![
                    (narrow.clone(), Data::F32(d_out)),
                    (wide, Data::F32(qkv)),
                    (narrow, Data::F32(out)),
                    (vec![b * h, t], Data::F32(lse)),
                ]),
                tolerance: 1e-5,
                in_browser,
                fates: Vec::new(),
            });
        }
    }
    cases
}
