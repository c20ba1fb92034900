//! What the views show, against PyTorch's numbers; and that looking changes nothing.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::inspecting::{Fixture, equals, gates};
use common::models::{generate, open, path};
use gpt_playground::config::GptConfig;
use gpt_playground::error::{Error, Result};
use gpt_playground::exec::Backend;
use gpt_playground::inspect::{self, Distribution, LensTarget};
use gpt_playground::model::{Model, ModelOptions, Progress};
use gpt_playground::sample::{Generation, Record, SamplingParams, Step};
use pollster::block_on;
use proptest::prelude::*;
use std::time::Duration;

const BACKENDS: [Backend; 2] = [Backend::Cpu, Backend::Gpu];

async fn unhurried(_: Progress) -> Result<()> {
    Ok(())
}

fn equal_on(name: &str, backend: Backend) {
    let bytes = std::fs::read(path(name, "inspect.safetensors")).expect("inspect.safetensors");
    block_on(equals(&mut open(name, backend), &Fixture::new(&bytes)));
}

#[test]
fn numbers_equal_transformers_on_the_cpu() {
    ["gpt2-tanh-f32", "gpt2-erf-f16", "gpt2-relu-bf16", "storyteller"]
        .iter()
        .for_each(|name| equal_on(name, Backend::Cpu));
}

#[test]
fn numbers_equal_transformers_on_the_gpu() {
    ["gpt2-tanh-f32", "gpt2-erf-f16", "gpt2-relu-bf16"].iter().for_each(|name| equal_on(name, Backend::Gpu));
}

/// Writes `n` tokens, calling `between` in the midst of it, ever less often: what was under way is then begun again.
fn write(model: &mut Model, n: usize, mut between: impl FnMut(&mut Model)) -> Vec<Record> {
    let prompt: Vec<u32> = (1..9).collect();
    let params = SamplingParams { temperature: 1.0, ..SamplingParams::default() };
    let mut all = Vec::new();
    for round in 0..2 {
        let mut ids = prompt.clone();
        ids.extend(all.iter().map(|r: &Record| r.id));
        let params = SamplingParams { seed: round, ..params.clone() };
        let mut generation = Generation::start(model, &ids, params, n, None).expect("a start");
        for call in 1u32.. {
            let step = block_on(generation.next(model, Duration::ZERO, 4)).expect("a step");
            if let Step::Tokens { records, finished } = step {
                all.extend(records);
                if finished.is_some() {
                    break;
                }
            }
            if call.is_power_of_two() {
                between(model);
            }
        }
        between(model);
    }
    all
}

#[test]
fn looking_never_changes_what_is_written() {
    for backend in BACKENDS {
        let plain = write(&mut open("gpt2-tanh-f32", backend), 10, |_| {});
        let looked = write(&mut open("gpt2-tanh-f32", backend), 10, |model| {
            let ids: Vec<u32> = (3..20).collect();
            block_on(async {
                model.look(&ids, &mut unhurried).await.expect("a look");
                inspect::attention(model, &ids, 0, Some(0), &mut unhurried).await.expect("a map");
                inspect::lens(model, &ids, 2..9, LensTarget::Answer, &mut unhurried).await.expect("a lens");
                inspect::values(model, &ids, Some(1), &mut unhurried).await.expect("values");
                model.score(&ids).await.expect("scores");
            });
        });
        assert_eq!(plain, looked, "{backend:?}");
    }
}

#[test]
fn what_is_switched_off_changes_the_text_and_back() {
    for backend in BACKENDS {
        let mut model = open("gpt2-tanh-f32", backend);
        let before = write(&mut model, 10, |_| {});
        model.set_gates(&gates(&model, &[(0, Some(1)), (1, None)])).expect("gates");
        let without = write(&mut model, 10, |_| {});
        assert_ne!(before, without, "{backend:?}");
        model.set_gates(&vec![1.0; model.gate_count()]).expect("gates");
        // The cache was refilled: on a GPU by other kernels, so that digits may differ, but the text may not.
        let ids = |records: &[Record]| records.iter().map(|r| r.id).collect::<Vec<_>>();
        assert_eq!(ids(&write(&mut model, 10, |_| {})), ids(&before), "{backend:?}");
        let too_few = model.set_gates(&[0.0]).expect_err("one gate").to_string();
        assert!(too_few.contains("1 gates"), "{too_few}");
    }
}

#[test]
fn ranking_heads_leaves_the_cache_of_what_is_written() {
    let params = SamplingParams { temperature: 1.0, ..SamplingParams::default() };
    let prompt: Vec<u32> = (1..9).collect();
    let text: Vec<u32> = (3..20).collect();
    for (backend, off) in BACKENDS.into_iter().flat_map(|b| [(b, vec![]), (b, vec![(0, Some(1))])]) {
        let write = |between: &mut dyn FnMut(&mut Model)| {
            let mut model = open("gpt2-tanh-f32", backend);
            model.set_gates(&gates(&model, &off)).expect("gates");
            let begun = generate(&mut model, &prompt, &params, 6);
            between(&mut model);
            let longer = [&prompt[..], &begun.ids(), &[50, 51, 52]].concat();
            generate(&mut model, &longer, &params, 6)
        };
        let plain = write(&mut |_| {});
        // The new tokens are the last one sampled, which was never fed, and the three; the last of all is fed by decoding.
        assert_eq!(plain.prefilled, 3, "{backend:?}");
        let mut unhurried = async |_: Progress, _: &inspect::Ablation| Ok(());
        let ranked = write(&mut |model| {
            block_on(inspect::ablate(model, &text, 5, &mut unhurried)).expect("effects");
        });
        assert_eq!(ranked, plain, "{backend:?}, off {off:?}");
        // Ended in the midst of a unit, too.
        let mut ended = async |_: Progress, found: &inspect::Ablation| match found.effects.len() {
            0..3 => Ok(()),
            _ => Err(Error::Cancelled),
        };
        let ended = write(&mut |model| {
            assert_eq!(block_on(inspect::ablate(model, &text, 5, &mut ended)).err(), Some(Error::Cancelled));
        });
        assert_eq!(ended, plain, "{backend:?}, off {off:?}");
    }
}

/// A context longer than the queries of one run: the second run's rows stand where they belong.
#[test]
fn maps_of_long_texts_are_put_together_rightly() {
    let (n, size, group) = (300, 30, 10);
    for backend in BACKENDS {
        let options = &ModelOptions { backend, ..ModelOptions::default() };
        let mut model = block_on(Model::open(GptConfig::new(11, n, 16, 2, 2), options)).expect("a model");
        model.randomize(3).expect("weights");
        let ids: Vec<u32> = (0..n as u32).map(|i| (i * i + 3) % 11).collect();
        let (cells, maps) = block_on(inspect::head_maps(&mut model, &ids, size, &mut unhurried)).expect("maps");
        assert_eq!(cells, size);
        for (layer, head) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let map = block_on(inspect::attention(&mut model, &ids, layer, Some(head), &mut unhurried)).expect("a map");
            let captures = [format!("h.{layer}.attn.probs")];
            let found = block_on(model.probe(&ids, 0, &captures, head as u32)).expect("a capture");
            // The capture has a column for each position of the context, here as many as the text.
            let probs = &found[0].1;
            assert_eq!(probs.len(), n * n);
            let far = map.iter().zip(probs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(far < 1e-5, "{backend:?}, head {layer}.{head}: the map is {far} from what the model computes");
            let small = &maps[(layer * 2 + head) * size * size..][..size * size];
            for (cell, &value) in small.iter().enumerate() {
                let (q0, k0) = (cell / size * group, cell % size * group);
                let sum: f32 = (q0..q0 + group).map(|q| probs[q * n + k0..][..group].iter().sum::<f32>()).sum();
                let mean = sum / group as f32;
                assert!(
                    (value - mean).abs() < 1e-5,
                    "{backend:?}, head {layer}.{head}, cell {cell}: {value} is not {mean}"
                );
            }
        }
    }
}

#[test]
fn a_look_can_be_ended_and_done_again() {
    for backend in BACKENDS {
        let mut model = open("gpt2-tanh-f32", backend);
        let ids: Vec<u32> = (0..30).collect();
        let want = block_on(model.look(&ids, &mut unhurried)).expect("a look").to_vec();
        let mut model = open("gpt2-tanh-f32", backend);
        let ended = block_on(inspect::rollout(&mut model, &ids, 1, &mut async |p: Progress| match p.done {
            0 => Ok(()),
            _ => Err(Error::Cancelled),
        }));
        assert_eq!(ended, Err(Error::Cancelled));
        let mut units = 0;
        let ended =
            block_on(inspect::ablate(&mut model, &ids, 3, &mut async |_: Progress, found: &inspect::Ablation| {
                units = found.effects.len();
                if units < 3 { Ok(()) } else { Err(Error::Cancelled) }
            }));
        assert_eq!((ended.err(), units), (Some(Error::Cancelled), 3));
        assert!(model.gates().iter().all(|&g| g == 1.0), "the gates are as before");
        assert_eq!(block_on(model.look(&ids, &mut unhurried)).expect("a look"), want, "{backend:?}");
    }
}

#[test]
fn bad_questions_are_refused() {
    let mut model = open("gpt2-tanh-f32", Backend::Cpu);
    let ids: Vec<u32> = (0..9).collect();
    let layer = block_on(inspect::attention(&mut model, &ids, 99, None, &mut unhurried)).expect_err("no such layer");
    assert!(layer.to_string().contains("layers of"), "{layer}");
    let range = block_on(inspect::lens(&mut model, &ids, 5..10, LensTarget::Next, &mut unhurried));
    assert!(range.expect_err("a range past the end").to_string().contains("9 tokens"));
    assert!(block_on(inspect::values(&mut model, &ids, Some(9), &mut unhurried)).is_err());
    assert!(block_on(model.look(&[], &mut unhurried)).is_err());
    assert!(block_on(model.look(&vec![0; 1000], &mut unhurried)).is_err());
    assert!(block_on(model.probe(&ids, 1, &["logits".into()], 0)).is_err(), "nothing was looked at before");
    let unlike = inspect::kl_divergence(&[0.0; 4], &[0.0; 6], 2).expect_err("unlike shapes").to_string();
    assert!(unlike.contains("same vocabulary"), "{unlike}");
}

#[test]
fn divergence_is_zero_for_the_same_and_known_for_two() {
    let mut model = open("gpt2-tanh-f32", Backend::Cpu);
    let ids: Vec<u32> = (0..20).collect();
    let v = model.config().vocab_size;
    let a = block_on(inspect::logits(&mut model, &ids, 3..20, &mut unhurried)).expect("logits");
    assert!(inspect::kl_divergence(&a, &a, v).expect("a divergence").iter().all(|&kl| kl < 1e-6));
    let whole = block_on(model.probe(&ids, 0, &["logits".into()], 0)).expect("logits").remove(0).1;
    let d = common::runner::difference(&a, &whole[3 * v..]);
    assert!(d < 1e-5, "logits of some rows differ from those of all by {d:e}");
    // 0.9 ln(0.9 / 0.5) + 0.1 ln(0.1 / 0.5)
    let kl = inspect::kl_divergence(&[0.9f32.ln(), 0.1f32.ln()], &[0.0, 0.0], 2).expect("a divergence");
    assert!((kl[0] - 0.368_064_2).abs() < 1e-5, "{kl:?}");
}

proptest! {
    /// What the view shows as ruled out is what the sampler rules out: no token of probability 0 is ever drawn.
    #[test]
    fn only_what_is_shown_as_possible_is_drawn(
        seed in 0u64..1000, temperature in prop_oneof![Just(0.0f32), 0.1f32..2.0], top_k in 0u32..6, top_p in 0.1f32..=1.0,
        min_p in 0.0f32..0.3, penalty in 0.5f32..2.0,
    ) {
        let params =
            SamplingParams { temperature, top_k, top_p, min_p, repetition_penalty: penalty, seed };
        let mut model = open("gpt2-tanh-f32", Backend::Cpu);
        let prompt = [5, 6, 7, 5];
        let logits = block_on(model.last_logits(&prompt, &mut unhurried)).expect("logits").to_vec();
        let shown = Distribution::new(&logits, &params, &prompt).expect("a distribution");
        prop_assert!((shown.adjusted.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        let mut generation = Generation::start(&mut model, &prompt, params, 1, None).expect("a start");
        let drawn = loop {
            if let Step::Tokens { records, .. } =
                block_on(generation.next(&mut model, Duration::from_secs(1), 1)).expect("a step")
                && let Some(record) = records.first()
            {
                break record.clone();
            }
        };
        prop_assert!(shown.adjusted[drawn.id as usize] > 0.0);
        prop_assert!((shown.logprobs[drawn.id as usize] - drawn.logprob).abs() < 1e-3);
        let (kept, mass) = shown.kept();
        prop_assert!(kept >= 1 && mass <= 1.0 + 1e-4);
    }
}
