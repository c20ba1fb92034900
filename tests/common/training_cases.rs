//! The op table's rows for training: gradients, loss, dropout, optimizer.

use super::cases::{Case, Data, Noise};
use gpt_playground::config::Activation;
use gpt_playground::graph::Op;
use gpt_playground::ops::{
    Accumulate, ActivationBackward, AdamW, BiasBackward, CrossEntropyBackward, CrossEntropyStats, Dropout, DropoutMask,
    EmbeddingBackward, GradNorm, LayerNormBackward, LayerNormBackwardParams, LossReport, PositionEmbeddingBackward,
    Scale, ScaledAdd, SumSquares, hyper, metrics,
};
use std::sync::Arc;

type Input = (Vec<usize>, Data);

struct Table {
    cases: Vec<Case>,
    noise: Noise,
}

fn f32s(values: Vec<f32>) -> Input {
    (vec![values.len()], Data::F32(values))
}

fn u32s(values: Vec<u32>) -> Input {
    (vec![values.len()], Data::U32(values))
}

/// The hyper words of a plausible step.
fn words(step: u32, micro: u32) -> [u32; hyper::WORDS] {
    let mut words = [0; hyper::WORDS];
    let floats = [
        (hyper::LR, 3e-3f32),
        (hyper::BETA1, 0.9),
        (hyper::BETA2, 0.95),
        (hyper::EPS, 1e-8),
        (hyper::WEIGHT_DECAY, 0.1),
        (hyper::BIAS1, 1.0 / (1.0 - 0.9)),
        (hyper::BIAS2, 1.0 / (1.0 - 0.95)),
        (hyper::CLIP, 1.0),
        (hyper::LOSS_SCALE, 0.03),
    ];
    floats.into_iter().for_each(|(at, value)| words[at] = value.to_bits());
    words[hyper::STEP] = step;
    words[hyper::SEED_LOW] = 0x1234_5678;
    words[hyper::SEED_HIGH] = 0x9ABC_DEF0;
    words[hyper::MICRO] = micro;
    words
}

impl Table {
    fn f32(&mut self, shape: &[usize]) -> Input {
        self.scaled(shape, 1.0)
    }

    fn scaled(&mut self, shape: &[usize], scale: f32) -> Input {
        let n = shape.iter().product();
        (shape.to_vec(), Data::F32((0..n).map(|_| scale * self.noise.float()).collect()))
    }

    fn add(&mut self, label: String, op: impl Op + 'static, inputs: Vec<Input>, tolerance: f32) {
        let in_browser = inputs.iter().all(|(shape, _)| shape.iter().product::<usize>() <= 4096);
        self.cases.push(Case { label, op: Arc::new(op), inputs, tolerance, in_browser, fates: Vec::new() });
    }

    /// Targets within a vocabulary; every third is ignored if `some_ignored`.
    fn targets(&mut self, rows: usize, vocab: u32, some_ignored: bool) -> Vec<u32> {
        let ignored = |i: usize| some_ignored && i % 3 == 1;
        (0..rows).map(|i| if ignored(i) { u32::MAX } else { self.noise.bits() % vocab }).collect()
    }

    fn elementwise(&mut self) {
        // The last is longer than one task of the CPU twin.
        for len in [1, 5, 64, 257, 131_075] {
            let (a, b) = (self.f32(&[len]), self.f32(&[len]));
            self.add(format!("accumulate {len}"), Accumulate, vec![a, b], 0.0);
            let (a, b, s) = (self.f32(&[len]), self.f32(&[len]), self.scaled(&[1], 3.0));
            // The CPU may fuse the product and the sum.
            self.add(format!("scaled_add {len}"), ScaledAdd, vec![a, b, s], 1.2e-7);
            let (x, s) = (self.f32(&[len]), self.scaled(&[1], 3.0));
            self.add(format!("scale {len}"), Scale, vec![x, s], 0.0);
            for act in [Activation::GeluTanh, Activation::GeluErf, Activation::Relu] {
                for width in [2.0, 60.0] {
                    let (d, x) = (self.f32(&[len]), self.scaled(&[len], width));
                    self.add(format!("{act:?} backward {len}, ±{width}"), ActivationBackward(act), vec![d, x], 2e-6);
                }
            }
            let huge = f32s((0..len).map(|i| [1e30, -1e30, 0.0, -0.0, 20.0][i % 5]).collect());
            let d = self.f32(&[len]);
            self.add(
                format!("gelu backward {len}, huge"),
                ActivationBackward(Activation::GeluTanh),
                vec![d, huge],
                2e-6,
            );
            for (p, salt, step, micro) in
                [(0.0, 0, 0, 0), (0.1, 1, 3, 2), (0.5, 7, 70_000, 65_535), (0.97, 1 << 31, 9, 0)]
            {
                let (x, hyper) = (self.f32(&[len]), u32s(words(step, micro).to_vec()));
                // Exactly the same elements and values: counter-based.
                self.add(format!("dropout {len}, p {p}"), Dropout { p, salt }, vec![x, hyper], 0.0);
            }
        }
    }

    fn masks(&mut self) {
        // (heads, positions, p, salt, step, micro-batch)
        let masks = [
            (1, 1, 0.5, 0, 0, 0),
            (3, 31, 0.1, 1, 3, 2),
            (2, 32, 0.0, 2, 1, 0),
            (1, 33, 0.99, 1 << 30, 9, 0),
            (5, 65, 0.5, 7, 70_000, 65_535),
            (2, 300, 0.1, 1, 3, 0),
        ];
        for (heads, seq, p, salt, step, micro) in masks {
            let hyper = u32s(words(step, micro).to_vec());
            let op = DropoutMask { heads, seq, p, salt };
            self.add(format!("dropout_mask {heads} heads of {seq}, p {p}"), op, vec![hyper], 0.0);
        }
    }

    fn norms(&mut self) {
        for (m, c) in [(1, 1), (1, 7), (3, 64), (9, 65), (17, 16), (2, 300), (33, 127), (20, 768)] {
            let inputs = vec![self.f32(&[m, c]), self.scaled(&[m, c], 3.0), self.f32(&[c])];
            self.add(format!("layer_norm backward ({m}, {c})"), LayerNormBackward { eps: 1e-5 }, inputs, 1e-5);
            for bias in [true, false] {
                let stats = self.f32(&[m, 2]);
                let mut inputs = vec![self.f32(&[m, c]), self.scaled(&[m, c], 3.0), stats, self.f32(&[c])];
                if bias {
                    inputs.push(self.f32(&[c]));
                }
                let op = LayerNormBackwardParams { bias };
                self.add(format!("layer_norm backward params ({m}, {c}), bias {bias}"), op, inputs, 3e-6);
            }
            let inputs = vec![self.f32(&[m, c]), self.f32(&[c])];
            self.add(format!("bias backward ({m}, {c})"), BiasBackward, inputs, 3e-6);
        }
    }

    fn embeddings(&mut self) {
        // (rows, table rows, C, row0, n, distinct ids)
        let shapes = [
            (1, 3, 1, 0, 1, 1),
            (5, 11, 7, 0, 3, 2),
            (16, 40, 20, 8, 16, 50),
            (4, 9, 64, 3, 0, 5),
            (67, 13, 33, 0, 67, 3),
            (31, 5, 130, 100, 31, 4),
            (129, 64, 129, 0, 128, 70),
        ];
        for (rows, table, c, row0, n, ids) in shapes {
            let mut step = vec![0, n];
            step.extend((0..rows).map(|_| self.noise.bits() % ids));
            let inputs = vec![self.f32(&[rows, c]), u32s(step), self.f32(&[table, c])];
            let op = EmbeddingBackward { rows, row0 };
            let label = format!("embedding backward {rows} of {ids} ids, {n} valid, into ({table}, {c}) from {row0}");
            self.add(label, op, inputs, 0.0);
        }
        for (batch, seq, n_ctx, c) in [(1, 1, 1, 1), (3, 5, 7, 9), (4, 16, 16, 20), (2, 31, 64, 33)] {
            let inputs = vec![self.f32(&[batch * seq, c]), self.f32(&[n_ctx, c])];
            let label = format!("position embedding backward {batch} of {seq} into ({n_ctx}, {c})");
            self.add(label, PositionEmbeddingBackward { seq }, inputs, 0.0);
        }
    }

    fn loss(&mut self) {
        for (m, v) in [(1, 1), (1, 7), (3, 64), (9, 65), (2, 300), (17, 768)] {
            // The whole vocabulary, a first piece, and a later one with what the first left.
            for (col0, first) in [(0, true), (4, true), (5, false)] {
                let vocab = (col0 + v + 3) as u32;
                let targets = self.targets(m, vocab, m > 1);
                let mut inputs = vec![self.scaled(&[m, v], 8.0), u32s(targets.clone())];
                let stats: Vec<f32> = (0..m).flat_map(|i| [i as f32 - 2.0, 5.5, 0.25, 0.0]).collect();
                let stats = || (vec![m, 4], Data::F32(stats.clone()));
                if !first {
                    inputs.push(stats());
                }
                let label = format!("({m}, {v}) from {col0}, first {first}");
                self.add(format!("cross_entropy stats {label}"), CrossEntropyStats { col0, first }, inputs, 2e-6);
                let inputs = vec![self.f32(&[m, v]), u32s(targets), stats(), u32s(words(5, 0).to_vec())];
                self.add(format!("cross_entropy backward {label}"), CrossEntropyBackward { col0 }, inputs, 2e-6);
            }
        }
        for (m, step, micro) in [(1, 0, 0), (7, 63, 1), (257, 64, 0), (1024, 1000, 3)] {
            for ignored in [false, true] {
                let stats: Vec<f32> = (0..m)
                    .flat_map(|_| [self.noise.float(), 1.0 + self.noise.float().abs(), self.noise.float(), 0.0])
                    .collect();
                let mut targets = self.targets(m, 50, false);
                if ignored {
                    targets.iter_mut().step_by(2).for_each(|t| *t = u32::MAX);
                }
                let inputs = vec![
                    (vec![m, 4], Data::F32(stats)),
                    u32s(targets),
                    u32s(words(step, micro).to_vec()),
                    self.f32(&[metrics::LEN]),
                ];
                self.add(format!("loss report {m}, step {step}.{micro}, ignored {ignored}"), LossReport, inputs, 3e-6);
            }
        }
    }

    fn optimizer(&mut self) {
        for len in [1, 5, 255, 256, 257, 4097, 70_001] {
            let slab = self.f32(&[len]);
            self.add(format!("sum_squares {len}"), SumSquares { slot: 0, slots: 1 }, vec![slab], 3e-6);
            let inputs = vec![self.f32(&[len]), self.f32(&[3 * 256])];
            self.add(format!("sum_squares {len}, second of three"), SumSquares { slot: 1, slots: 3 }, inputs, 3e-6);
        }
        // A partial sum, the step's loss and whether an earlier step went wrong.
        let faults = [
            (0.5, 2.0, 0.0),
            (0.5, 2.0, 1.0),
            (f32::NAN, 2.0, 0.0),
            (f32::INFINITY, 2.0, 0.0),
            (0.5, f32::INFINITY, 0.0),
            (0.5, f32::NEG_INFINITY, 1.0),
        ];
        for (slots, step) in [(1, 0), (1, 63), (3, 200)] {
            for (partial, loss, halted) in faults {
                let mut partials: Vec<f32> = (0..slots * 256).map(|_| self.noise.float().abs()).collect();
                partials[77] = partial;
                let mut ring: Vec<f32> = (0..metrics::LEN).map(|_| self.noise.float()).collect();
                ring[step as usize % metrics::RING * metrics::WORDS + metrics::LOSS] = loss;
                ring[metrics::HALTED] = halted;
                let inputs = vec![f32s(partials), u32s(words(step, 1).to_vec()), f32s(ring)];
                let label = format!("grad_norm {slots}, step {step}, {partial}, {loss}, {halted}");
                self.add(label, GradNorm, inputs, 3e-6);
            }
        }
        let norms = [0.25, 4.0, 0.0, f32::NAN, f32::INFINITY];
        for (len, norm) in [1usize, 63, 64, 65, 2048, 2049, 66_000].into_iter().flat_map(|n| norms.map(|x| (n, x))) {
            for (clip, decay) in [(0.0, 0.0), (1.0, 0.1)] {
                let mut hyper = words(12, 0);
                hyper[hyper::CLIP] = f32::to_bits(clip);
                hyper[hyper::WEIGHT_DECAY] = f32::to_bits(decay);
                let mask = (0..len.div_ceil(64).div_ceil(32)).map(|_| self.noise.bits()).collect();
                let second = f32s((0..len).map(|_| self.noise.float().abs()).collect());
                let inputs = vec![
                    u32s(hyper.to_vec()),
                    f32s(vec![norm]),
                    u32s(mask),
                    self.f32(&[len]),
                    self.f32(&[len]),
                    self.f32(&[len]),
                    second,
                ];
                self.add(format!("adamw {len}, norm {norm}, clip {clip}, decay {decay}"), AdamW, inputs, 3e-6);
            }
        }
    }
}

/// Every row.
pub fn cases() -> Vec<Case> {
    let mut table = Table { cases: Vec::new(), noise: Noise::new(2) };
    table.elementwise();
    table.masks();
    table.norms();
    table.embeddings();
    table.loss();
    table.optimizer();
    table.cases
}
