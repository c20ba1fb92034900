//! The training ops' CPU twins against their definitions, where comparing with the GPU or with finite differences would
//! not notice a mistake: AdamW over many steps, dropout as a random choice, the loss over pieces of a vocabulary.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::cases::{Case, Data, Noise};
use common::runner::Runner;
use gpt_playground::exec::Executor;
use gpt_playground::graph::Op;
use gpt_playground::ops::{
    AdamW, CausalAttention, CrossEntropyBackward, CrossEntropyStats, Dropout, DropoutMask, GradNorm, LossReport,
    SumSquares, hyper, metrics,
};
use pollster::block_on;
use std::sync::Arc;

type Input = (Vec<usize>, Data);

fn floats(shape: &[usize], values: &[f32]) -> Input {
    (shape.to_vec(), Data::F32(values.to_vec()))
}

fn words(values: &[u32]) -> Input {
    (vec![values.len()], Data::U32(values.to_vec()))
}

/// The outputs of an op on the CPU, all of them floats.
fn run(runner: &mut Runner, op: impl Op + 'static, inputs: Vec<Input>) -> Vec<Vec<f32>> {
    let label = format!("{op:?}");
    let case = Case { label, op: Arc::new(op), inputs, tolerance: 0.0, in_browser: false, fates: Vec::new() };
    let outputs = block_on(runner.run(&case)).unwrap_or_else(|e| panic!("{}: {e}", case.label));
    outputs.into_iter().map(|(_, words)| words.into_iter().map(f32::from_bits).collect()).collect()
}

fn cpu() -> Runner {
    Runner::new(Executor::Cpu(Box::default()))
}

fn noise(seed: u64, n: usize, scale: f32) -> Vec<f32> {
    let mut noise = Noise::new(seed);
    (0..n).map(|_| scale * noise.float()).collect()
}

fn close(got: &[f32], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len());
    for (i, (&g, &w)) in got.iter().zip(want).enumerate() {
        assert!((f64::from(g) - w).abs() <= tolerance * w.abs().max(1.0), "{what}: {g} instead of {w} at {i}");
    }
}

#[test]
fn adamw_follows_its_definition_over_many_steps() {
    let (lr, beta1, beta2, eps, decay, clip) = (0.01f64, 0.9f64, 0.99f64, 1e-8f64, 0.1f64, 1.5f64);
    let n = 200;
    let mut cpu = cpu();
    let mut p = noise(1, n, 1.0);
    let (mut m, mut v) = (vec![0.0; n], vec![0.0; n]);
    let mut p64: Vec<f64> = p.iter().map(|&x| x.into()).collect();
    let (mut m64, mut v64) = (vec![0.0; n], vec![0.0; n]);
    // The first and the third block of 64 decay.
    let mask = 0b101;
    let mut clipped = 0;
    for t in 1..=20 {
        // Small and large gradients in turn, so that clipping sets in and stops.
        let grad = noise(100 + t as u64, n, if t % 3 == 0 { 1.0 } else { 0.1 });
        let mut hyper = [0; hyper::WORDS];
        for (at, value) in [
            (hyper::LR, lr),
            (hyper::BETA1, beta1),
            (hyper::BETA2, beta2),
            (hyper::EPS, eps),
            (hyper::WEIGHT_DECAY, decay),
            (hyper::BIAS1, 1.0 / (1.0 - beta1.powi(t))),
            (hyper::BIAS2, 1.0 / (1.0 - beta2.powi(t))),
            (hyper::CLIP, clip),
        ] {
            hyper[at] = (value as f32).to_bits();
        }
        hyper[hyper::STEP] = t as u32;
        let partials = run(&mut cpu, SumSquares { slot: 0, slots: 1 }, vec![floats(&[n], &grad)]).remove(0);
        let ring = vec![0.0; metrics::LEN];
        let inputs = vec![floats(&[256], &partials), words(&hyper), floats(&[ring.len()], &ring)];
        let reported = run(&mut cpu, GradNorm, inputs);
        let norm = grad.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        close(&reported[0], &[norm], 1e-6, "norm");
        assert_eq!(reported[1][t as usize * metrics::WORDS + metrics::NORM], reported[0][0]);

        let slab = |x: &[f32]| floats(&[n], x);
        let norm_input = floats(&[1], &reported[0]);
        let inputs = vec![words(&hyper), norm_input, words(&[mask]), slab(&p), slab(&grad), slab(&m), slab(&v)];
        let outputs: [Vec<f32>; 4] = run(&mut cpu, AdamW, inputs).try_into().expect("four outputs");
        let zeroed;
        [p, zeroed, m, v] = outputs;
        assert!(zeroed.iter().all(|&g| g == 0.0), "the gradient must be zero after use");

        let factor = if norm > clip { clip / norm } else { 1.0 };
        clipped += usize::from(norm > clip);
        for i in 0..n {
            let g = f64::from(grad[i]) * factor;
            if mask >> (i / 64) & 1 == 1 {
                p64[i] *= 1.0 - lr * decay;
            }
            m64[i] = beta1 * m64[i] + (1.0 - beta1) * g;
            v64[i] = beta2 * v64[i] + (1.0 - beta2) * g * g;
            let (m_hat, v_hat): (f64, f64) = (m64[i] / (1.0 - beta1.powi(t)), v64[i] / (1.0 - beta2.powi(t)));
            p64[i] -= lr * m_hat / (v_hat.sqrt() + eps);
        }
        close(&p, &p64, 2e-6, "parameters");
        close(&m, &m64, 1e-6, "first moment");
        close(&v, &v64, 1e-6, "second moment");
    }
    assert_eq!(clipped, 6, "the gradients should be clipped in some steps and not in others");
}

#[test]
fn adamw_passes_over_broken_gradients() {
    let mut cpu = cpu();
    for norm in [f32::NAN, f32::INFINITY] {
        let x = noise(3, 70, 1.0);
        let slab = || floats(&[70], &x);
        let hyper = [0.5f32.to_bits(); hyper::WORDS];
        let inputs = vec![words(&hyper), floats(&[1], &[norm]), words(&[1]), slab(), slab(), slab(), slab()];
        let outputs = run(&mut cpu, AdamW, inputs);
        assert_eq!(outputs, [x.clone(), vec![0.0; 70], x.clone(), x]);
    }
}

#[test]
fn a_step_that_is_not_finite_stops_those_after_it() {
    let mut cpu = cpu();
    let mut ring = vec![0.0; metrics::LEN];
    // (partial sum of squares, loss) of steps in turn, and whether each may change weights.
    let steps = [(4.0, 1.0, true), (f32::NAN, 1.0, false), (4.0, 1.0, false), (9.0, 1.0, false)];
    let again = [(4.0, f32::INFINITY, false), (4.0, 1.0, false)];
    let mut run_steps = |ring: &mut Vec<f32>, steps: &[(f32, f32, bool)]| {
        for (step, &(partial, loss, may)) in steps.iter().enumerate() {
            let mut hyper = [0; hyper::WORDS];
            hyper[hyper::STEP] = step as u32;
            ring[step * metrics::WORDS + metrics::LOSS] = loss;
            let inputs = vec![floats(&[1], &[partial]), words(&hyper), floats(&[metrics::LEN], ring)];
            let [norm, new]: [Vec<f32>; 2] = run(&mut cpu, GradNorm, inputs).try_into().expect("two outputs");
            *ring = new;
            let want = if may { partial.sqrt() } else { f32::INFINITY };
            assert_eq!((norm[0], ring[step * metrics::WORDS + metrics::NORM]), (want, want), "step {step}");
        }
    };
    run_steps(&mut ring, &steps);
    ring[metrics::HALTED] = 0.0;
    run_steps(&mut ring, &[(4.0, 1.0, true)]);
    run_steps(&mut ring, &again);
}

/// Attention of one head over values that show the weights themselves: query t's row of the output is its row of
/// probabilities after dropout.
#[test]
fn dropout_on_attention_is_a_fair_choice_that_keeps_the_denominators() {
    let mut cpu = cpu();
    let (seq, b) = (64, 40);
    let c = seq;
    // Scores of many sizes; value j is the j-th unit vector.
    let mut qkv = noise(5, b * seq * 3 * c, 1.0);
    for row in 0..b * seq {
        let value = &mut qkv[row * 3 * c + 2 * c..][..c];
        value.fill(0.0);
        value[row % seq] = 1.0;
    }
    let input = || floats(&[b * seq, 3 * c], &qkv);
    let op = |dropout| CausalAttention { n_head: 1, seq, dropout };
    let [plain, lse]: [Vec<f32>; 2] = run(&mut cpu, op(0.0), vec![input()]).try_into().expect("two outputs");
    let mut drop = |p: f32, salt: u32, step: u32| {
        let mut hyper = [0; hyper::WORDS];
        (hyper[hyper::STEP], hyper[hyper::SEED_LOW]) = (step, 7);
        let mask = run(&mut cpu, DropoutMask { heads: b, seq, p, salt }, vec![words(&hyper)]).remove(0);
        let mask: Vec<u32> = mask.into_iter().map(f32::to_bits).collect();
        let inputs = vec![input(), (vec![b * seq, seq.div_ceil(32)], Data::U32(mask))];
        let [out, same]: [Vec<f32>; 2] = run(&mut cpu, op(p), inputs).try_into().expect("two outputs");
        assert_eq!(same, lse, "the softmax is done before dropout");
        out
    };
    let pairs: Vec<(usize, usize)> = (0..b * seq).flat_map(|r| (0..=r % seq).map(move |j| (r, j))).collect();
    for p in [0.01f32, 0.1, 0.5, 0.9] {
        let out = drop(p, 3, 2);
        let scale = 1.0 / (1.0 - p);
        let mut dropped = 0;
        for &(row, key) in &pairs {
            let (got, want) = (out[row * c + key], scale * plain[row * c + key]);
            if got == 0.0 {
                dropped += 1;
            } else {
                // The rate is rounded to 1 / 65536, the factor with it.
                assert!((got - want).abs() <= 1e-4 * want, "p {p}: {got} instead of {want}");
            }
        }
        assert!(out.iter().enumerate().all(|(i, &x)| i % c <= i / c % seq || x == 0.0), "behind the query is nothing");
        let (share, want) = (f64::from(dropped) / pairs.len() as f64, f64::from(p));
        let slack = 5.0 * (want * (1.0 - want) / pairs.len() as f64).sqrt() + 1.0 / 65_536.0;
        assert!((share - want).abs() <= slack, "{share} dropped instead of {want}");
    }
    let kept = |out: Vec<f32>| -> Vec<bool> { pairs.iter().map(|&(r, j)| out[r * c + j] != 0.0).collect() };
    let base = kept(drop(0.5, 3, 2));
    for (salt, step) in [(4, 2), (3, 3)] {
        let other = kept(drop(0.5, salt, step));
        let same = base.iter().zip(&other).filter(|(a, b)| a == b).count() as f64 / base.len() as f64;
        assert!((same - 0.5).abs() < 0.01, "another salt or step: {same} alike, should be half");
    }
    assert_eq!(base, kept(drop(0.5, 3, 2)), "the same words give the same choice");
}

#[test]
fn dropout_is_a_fair_and_repeatable_choice() {
    let mut cpu = cpu();
    let n = 200_001;
    let ones = vec![1.0; n];
    let mut drop = |p: f32, salt: u32, step: u32, micro: u32, seed: u32| {
        let mut hyper = [0; hyper::WORDS];
        hyper[hyper::STEP] = step;
        hyper[hyper::MICRO] = micro;
        hyper[hyper::SEED_LOW] = seed;
        run(&mut cpu, Dropout { p, salt }, vec![floats(&[n], &ones), words(&hyper)]).remove(0)
    };
    for p in [0.0f32, 0.1, 0.5, 0.9] {
        let y = drop(p, 1, 2, 0, 7);
        let scale = (1.0 / (1.0 - f64::from(p))) as f32;
        assert!(y.iter().all(|&y| y == 0.0 || y == scale), "p {p}: kept elements are scaled by {scale}");
        // Of all, of those at odd places, and of neighbours both: five standard deviations.
        let share = |dropped: usize, of: usize, want: f64| {
            let got = dropped as f64 / of as f64;
            let slack = 5.0 * (want * (1.0 - want) / of as f64).sqrt();
            assert!((got - want).abs() <= slack, "p {p}: {got} dropped instead of {want}");
        };
        let p = f64::from(p);
        share(y.iter().filter(|&&y| y == 0.0).count(), n, p);
        share(y.iter().skip(1).step_by(2).filter(|&&y| y == 0.0).count(), n / 2, p);
        share(y.chunks_exact(2).filter(|y| y[0] == 0.0 && y[1] == 0.0).count(), n / 2, p * p);
    }
    let base = drop(0.5, 1, 2, 0, 7);
    assert_eq!(base, drop(0.5, 1, 2, 0, 7), "the same words give the same choice");
    for (salt, step, micro, seed) in [(2, 2, 0, 7), (1, 3, 0, 7), (1, 2, 1, 7), (1, 2, 0, 8)] {
        let other = drop(0.5, salt, step, micro, seed);
        let same = base.iter().zip(&other).filter(|(a, b)| a == b).count() as f64 / n as f64;
        assert!((same - 0.5).abs() < 0.01, "another salt, step, micro-batch or seed: {same} alike, should be half");
    }
}

#[test]
fn loss_and_gradient_do_not_depend_on_the_pieces() {
    let mut cpu = cpu();
    let (m, vocab) = (9, 50);
    let logits = noise(5, m * vocab, 6.0);
    let targets: Vec<u32> = (0..m as u32).map(|i| if i % 4 == 2 { u32::MAX } else { i * 17 % vocab as u32 }).collect();
    let valid = targets.iter().filter(|&&t| t != u32::MAX).count();
    let mut hyper = [0; hyper::WORDS];
    hyper[hyper::LOSS_SCALE] = (1.0 / valid as f32).to_bits();
    hyper[hyper::STEP] = 67;

    let (mut loss, mut gradient) = (0.0, vec![0.0; m * vocab]);
    for row in (0..m).filter(|&r| targets[r] != u32::MAX) {
        let x = &logits[row * vocab..][..vocab];
        let sum: f64 = x.iter().map(|&x| f64::from(x).exp()).sum();
        let target = targets[row] as usize;
        loss += (sum.ln() - f64::from(x[target])) / valid as f64;
        for (i, &x) in x.iter().enumerate() {
            let one = if i == target { 1.0 } else { 0.0 };
            gradient[row * vocab + i] = (f64::from(x).exp() / sum - one) / valid as f64;
        }
    }
    for cuts in [vec![0, 50], vec![0, 1, 50], vec![0, 17, 34, 50], vec![0, 49, 50]] {
        let pieces: Vec<(usize, usize, Input)> = cuts
            .windows(2)
            .map(|w| {
                let part = logits.chunks_exact(vocab).flat_map(|row| row[w[0]..w[1]].to_vec()).collect::<Vec<_>>();
                (w[0], w[1] - w[0], floats(&[m, w[1] - w[0]], &part))
            })
            .collect();
        let copy = |(shape, data): &Input| match data {
            Data::F32(x) => floats(shape, x),
            Data::U32(x) => words(x),
        };
        let mut stats: Option<Vec<f32>> = None;
        for (col0, _, part) in &pieces {
            let mut inputs = vec![copy(part), words(&targets)];
            inputs.extend(stats.as_ref().map(|s| floats(&[m, 4], s)));
            let op = CrossEntropyStats { col0: *col0, first: stats.is_none() };
            stats = Some(run(&mut cpu, op, inputs).remove(0));
        }
        let stats = stats.expect("one piece at least");
        for (col0, width, part) in &pieces {
            let inputs = vec![copy(part), words(&targets), floats(&[m, 4], &stats), words(&hyper)];
            let got = run(&mut cpu, CrossEntropyBackward { col0: *col0 }, inputs).remove(0);
            let want: Vec<f64> =
                gradient.chunks_exact(vocab).flat_map(|row| row[*col0..col0 + width].to_vec()).collect();
            close(&got, &want, 1e-6, "gradient");
        }
        // The first micro-batch sets the record of the step, the second adds to it; all others stay.
        let mut ring: Vec<f32> = vec![9.0; metrics::LEN];
        for micro in [0, 1] {
            hyper[hyper::MICRO] = micro;
            let inputs = vec![floats(&[m, 4], &stats), words(&targets), words(&hyper), floats(&[ring.len()], &ring)];
            ring = run(&mut cpu, LossReport, inputs).remove(0);
            let at = 67 % metrics::RING * metrics::WORDS + metrics::LOSS;
            close(&ring[at..=at], &[loss * f64::from(micro + 1)], 1e-6, "loss");
            assert_eq!(ring.iter().filter(|&&x| x != 9.0).count(), 1, "only one word changes");
        }
        hyper[hyper::MICRO] = 0;
    }
}
