//! Whole models: logits and hidden states against Hugging Face and PyTorch, cached against full, chunked against whole,
//! cut parameters against whole ones, CPU against GPU.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::models::{Reference, SMALL, Written, generate, open};
use common::runner::difference;
use gpt_playground::config::GptConfig;
use gpt_playground::exec::Backend;
use gpt_playground::inspect::evaluate;
use gpt_playground::model::{Model, ModelOptions};
use gpt_playground::sample::{Finish, Generation, SamplingParams};
use pollster::block_on;
use std::time::Duration;

const BACKENDS: [Backend; 2] = [Backend::Cpu, Backend::Gpu];

fn logits(model: &mut Model, ids: &[u32], pos0: usize) -> Vec<f32> {
    block_on(model.probe(ids, pos0, &["logits".to_string()], 0)).expect("logits").remove(0).1
}

fn greedy() -> SamplingParams {
    SamplingParams { temperature: 0.0, repetition_penalty: 1.0, ..SamplingParams::default() }
}

#[test]
fn logits_and_hidden_states_equal_the_reference() {
    for name in SMALL {
        let reference = Reference::read(name);
        let ids = reference.ids("ids");
        let (_, want) = reference.f32("logits");
        let (shape, hidden) = reference.f32("hidden_states");
        let size = shape[1] * shape[2];
        for backend in BACKENDS {
            let mut model = open(name, backend);
            let mut captures = vec!["logits".to_string(), "embed".to_string()];
            captures.extend((0..shape[0] - 1).map(|i| format!("h.{i}")));
            let found = block_on(model.probe(&ids, 0, &captures, 0)).expect("a probe");
            let d = difference(&found[0].1, &want);
            assert!(d < 1e-4, "{name} on {backend:?}: logits differ by {d:e}");
            for (i, (_, got)) in found[1..].iter().enumerate() {
                let d = difference(got, &hidden[i * size..][..size]);
                assert!(d < 1e-4, "{name} on {backend:?}: hidden state {i} differs by {d:e}");
            }
        }
    }
}

#[test]
fn attention_probabilities_equal_the_reference() {
    for name in &SMALL[..3] {
        let reference = Reference::read(name);
        let ids = reference.ids("ids");
        let (shape, want) = reference.f32("attentions");
        let [layers, heads, t, _] = shape[..] else { panic!("attentions have shape {shape:?}") };
        for backend in BACKENDS {
            let mut model = open(name, backend);
            let n_ctx = model.config().n_ctx;
            for (layer, head) in (0..layers).flat_map(|l| (0..heads).map(move |h| (l, h))) {
                let probs = format!("h.{layer}.attn.probs");
                let (_, got) = block_on(model.probe(&ids, 0, &[probs], head as u32)).expect("a probe").remove(0);
                let got: Vec<f32> = got.chunks(n_ctx).flat_map(|row| row[..t].to_vec()).collect();
                let d = difference(&got, &want[(layer * heads + head) * t * t..][..t * t]);
                assert!(d < 1e-4, "{name} on {backend:?}: layer {layer} head {head} differs by {d:e}");
            }
        }
    }
}

#[test]
fn greedy_text_equals_the_reference() {
    for name in SMALL {
        let reference = Reference::read(name);
        let want = reference.ids("greedy");
        let ids = reference.ids("ids");
        let prompt = &ids[..reference.ids("n_prompt")[0] as usize];
        for backend in BACKENDS {
            let written = generate(&mut open(name, backend), prompt, &greedy(), want.len());
            assert_eq!(written.ids(), want, "{name} on {backend:?}");
            assert_eq!(written.finish, Finish::Length);
        }
    }
}

#[test]
fn the_shipped_model_equals_the_reference() {
    let reference = Reference::read("storyteller");
    for backend in BACKENDS {
        let mut model = open("storyteller", backend);
        let vocab = model.config().vocab_size;
        for i in 0..3 {
            let ids = reference.ids(&format!("ids{i}"));
            let got = logits(&mut model, &ids, 0);
            let (_, want) = reference.f32(&format!("logits{i}"));
            let rows = reference.ids(&format!("rows{i}"));
            let got: Vec<f32> = rows.iter().flat_map(|&r| got[r as usize * vocab..][..vocab].to_vec()).collect();
            let d = difference(&got, &want);
            assert!(d < 1e-4, "text {i} on {backend:?}: logits differ by {d:e}");
        }
        let want = reference.ids("greedy");
        let written = generate(&mut model, &reference.ids("ids0"), &greedy(), want.len());
        assert_eq!(written.ids(), want, "on {backend:?}");
    }
}

#[test]
fn cached_and_chunked_equal_whole() {
    for backend in BACKENDS {
        let mut model = open("gpt2-tanh-f32", backend);
        let vocab = model.config().vocab_size;
        let ids: Vec<u32> = (0..30).map(|i| i * 11 % vocab as u32).collect();
        let whole = logits(&mut model, &ids, 0);
        for cuts in [vec![0, 7, 30], vec![0, 1, 2, 29, 30], (0..=30).collect::<Vec<_>>()] {
            let parts: Vec<f32> = cuts.windows(2).flat_map(|w| logits(&mut model, &ids[w[0]..w[1]], w[0])).collect();
            let d = difference(&parts, &whole);
            assert!(d < 1e-4, "{backend:?}, cut at {cuts:?}: {d:e}");
        }
        // Decoding goes through other kernels: its log-probabilities are those of the full forward pass.
        let written = generate(&mut model, &ids[..5], &greedy(), 20);
        let text = [&ids[..5], &written.ids()].concat();
        let scores = block_on(model.score(&text)).expect("scores");
        for (i, r) in written.records.iter().enumerate() {
            let s = scores[4 + i];
            assert!((r.logprob - s[0]).abs() < 1e-4, "{backend:?}: log-probability {i}: {} and {}", r.logprob, s[0]);
            assert!((r.entropy - s[1]).abs() < 1e-3, "{backend:?}: entropy {i}: {} and {}", r.entropy, s[1]);
            assert_eq!(r.rank as f32, s[2], "{backend:?}: rank {i}");
        }
    }
}

/// A model whose vocabulary is its largest tensor by far, with random weights, in slabs of at most `slab_bytes`.
fn wide_vocabulary(backend: Backend, slab_bytes: usize, tied: bool) -> Model {
    let config = GptConfig {
        tie_word_embeddings: tied,
        lm_head_bias: !tied,
        final_layer_norm: tied,
        ..GptConfig::new(1003, 20, 16, 2, 2)
    };
    let mut model = block_on(Model::open(config, &ModelOptions { backend, slab_bytes, ..ModelOptions::default() }))
        .expect("a model");
    model.randomize(3).expect("weights");
    if !tied {
        let bias: Vec<f32> = (0..1003).map(|i| (i % 17) as f32 * 0.01).collect();
        model.write_param("lm_head.bias", 0, &bias).expect("a bias");
    }
    model
}

#[test]
fn parameters_cut_into_many_slabs_give_the_same() {
    let ids: Vec<u32> = (0..20).map(|i| i * 53 % 1003).collect();
    for backend in BACKENDS {
        for tied in [true, false] {
            let mut whole = wide_vocabulary(backend, 128 << 20, tied);
            let want = logits(&mut whole, &ids, 0);
            // The vocabulary takes 64 kB: two pieces, and sixteen.
            for slab in [40_000, 4096] {
                let mut cut = wide_vocabulary(backend, slab, tied);
                let d = difference(&logits(&mut cut, &ids, 0), &want);
                assert!(d < 1e-6, "{backend:?}, slabs of {slab}, tied {tied}: {d:e}");
                let text = generate(&mut whole, &ids[..3], &greedy(), 8).records;
                assert_eq!(generate(&mut cut, &ids[..3], &greedy(), 8).records, text, "{backend:?}, {slab}, {tied}");
            }
        }
    }
}

#[test]
fn a_written_weight_reads_back() {
    for backend in BACKENDS {
        let mut model = wide_vocabulary(backend, 4096, true);
        let before = block_on(model.read_param("wte.weight")).expect("wte");
        let part: Vec<f32> = (0..2000).map(|i| i as f32).collect();
        model.write_param("wte.weight", 437, &part).expect("a write");
        let after = block_on(model.read_param("wte.weight")).expect("wte");
        assert_eq!(after[437..2437], part);
        assert_eq!(after[..437], before[..437]);
        assert_eq!(after[2437..], before[2437..]);
        assert!(model.write_param("wte.weight", before.len() - 1, &part).is_err());
        assert!(model.write_param("wte", 0, &part).is_err());
    }
}

#[test]
fn the_same_seed_gives_the_same_text() {
    let params = SamplingParams { temperature: 1.0, seed: 5, ..SamplingParams::default() };
    let mut texts = Vec::new();
    for backend in BACKENDS {
        let mut model = open("storyteller", backend);
        let prompt = Reference::read("storyteller").ids("ids0");
        let once = generate(&mut model, &prompt, &params, 40);
        let again = generate(&mut model, &prompt, &params, 40);
        assert_eq!(once.records, again.records, "{backend:?}");
        // With another seed the text must differ, or the seed would do nothing.
        let other = generate(&mut model, &prompt, &SamplingParams { seed: 6, ..params.clone() }, 40);
        assert_ne!(once.records, other.records, "{backend:?}");
        texts.push(once.ids());
    }
    assert_eq!(texts[0], texts[1], "CPU and GPU draw the same numbers");
}

#[test]
fn generation_slides_past_the_context() {
    for backend in BACKENDS {
        let mut model = open("gpt2-tanh-f32", backend);
        let n_ctx = model.config().n_ctx;
        let Written { records, finish, .. } = generate(&mut model, &[1, 2, 3], &greedy(), 3 * n_ctx);
        assert_eq!((records.len(), finish), (3 * n_ctx, Finish::Length), "{backend:?}");
        // A prompt longer than the context continues from its end.
        let long: Vec<u32> = (0..2 * n_ctx as u32).map(|i| i % 50).collect();
        let from_long = generate(&mut model, &long, &greedy(), 5);
        let from_tail = generate(&mut model, &long[long.len() - n_ctx / 2..], &greedy(), 5);
        assert_eq!(from_long.records, from_tail.records, "{backend:?}");
    }
}

#[test]
fn what_a_text_shares_with_the_cache_is_not_fed_again() {
    let (first, other): (Vec<u32>, Vec<u32>) = ((1..13).collect(), (40..48).collect());
    for backend in BACKENDS {
        let mut model = open("gpt2-tanh-f32", backend);
        // The last token of a text is fed by the step that samples the next one.
        let begun = generate(&mut model, &first, &greedy(), 6);
        assert_eq!(begun.prefilled, first.len() - 1, "{backend:?}");
        // The same text goes on: the last token it brought was never fed, and of the new ones the last is not yet.
        let longer = [&first[..], &begun.ids(), &other[..3]].concat();
        let on = generate(&mut model, &longer, &greedy(), 5);
        assert_eq!(on.prefilled, 1 + 3 - 1, "{backend:?}");
        // Another text with the same beginning.
        let branch = [&first[..7], &other].concat();
        let branched = generate(&mut model, &branch, &greedy(), 5);
        assert_eq!(branched.prefilled, other.len() - 1, "{backend:?}");
        // Nothing is left to feed.
        assert_eq!(generate(&mut model, &branch, &greedy(), 5).prefilled, 0, "{backend:?}");
        // What was kept is what would have been fed.
        for (text, kept) in [(longer, on), (branch, branched)] {
            let fresh = generate(&mut open("gpt2-tanh-f32", backend), &text, &greedy(), 5);
            assert_eq!(fresh.prefilled, text.len() - 1, "{backend:?}");
            assert_eq!(fresh.ids(), kept.ids(), "{backend:?}");
        }
    }
}

#[test]
fn an_interrupted_generation_leaves_a_valid_model() {
    let mut model = open("storyteller", Backend::Cpu);
    let prompt = Reference::read("storyteller").ids("ids2");
    let fresh = generate(&mut open("storyteller", Backend::Cpu), &prompt, &greedy(), 5).records;
    // A budget of nothing does one piece of work: the prompt is then in the middle of a step.
    let mut generation = Generation::start(&mut model, &prompt, greedy(), 5, None).expect("a start");
    for _ in 0..3 {
        block_on(generation.next(&mut model, Duration::ZERO, 1)).expect("a step");
    }
    drop(generation);
    assert_eq!(generate(&mut model, &prompt, &greedy(), 5).records, fresh);
}

#[test]
fn evaluation_scores_every_token_once() {
    let ids = Reference::read("storyteller").ids("ids2");
    let text: Vec<u32> = ids.iter().cycle().copied().take(700).collect();
    for backend in BACKENDS {
        let mut model = open("storyteller", backend);
        let n_ctx = model.config().n_ctx;
        let got = block_on(evaluate(&mut model, &text, Some(0), 2000, |_, _| {})).expect("an evaluation");
        assert_eq!(got.tokens, text.len());
        // The same by hand: for each token the first window that holds it.
        let mut all = vec![0];
        all.extend_from_slice(&text);
        let mut nats = vec![f64::NAN; all.len()];
        let mut start = 0;
        while nats[all.len() - 1].is_nan() {
            let end = (start + n_ctx).min(all.len());
            for (i, s) in block_on(model.score(&all[start..end])).expect("scores").into_iter().enumerate() {
                let slot = &mut nats[start + 1 + i];
                if slot.is_nan() {
                    *slot = -f64::from(s[0]);
                }
            }
            start += n_ctx / 2;
        }
        let sum: f64 = nats[1..].iter().sum();
        assert!((got.loss - sum / text.len() as f64).abs() < 1e-9, "{backend:?}");
        assert!((got.bits_per_byte - sum / 2000.0 / std::f64::consts::LN_2).abs() < 1e-9);
    }
}

#[test]
fn bad_requests_are_refused_with_reasons() {
    let mut model = open("gpt2-tanh-f32", Backend::Cpu);
    let refused = |result: Result<Generation, gpt_playground::error::Error>, word: &str| {
        let text = result.expect_err("must be refused").to_string();
        assert!(text.contains(word), "{text:?} does not mention {word:?}");
    };
    refused(Generation::start(&mut model, &[], greedy(), 5, None), "text");
    refused(Generation::start(&mut model, &[97], greedy(), 5, None), "vocabulary");
    refused(Generation::start(&mut model, &[1], greedy(), 0, None), "at least one");
    let hot = SamplingParams { temperature: f32::NAN, ..greedy() };
    refused(Generation::start(&mut model, &[1], hot, 5, None), "temperature");
    let unknown = block_on(model.probe(&[1], 0, &["h.9".to_string()], 0)).expect_err("no such tensor").to_string();
    assert!(unknown.contains("h.9") && unknown.contains("h.1"), "{unknown}");
    let long = vec![1; 100];
    assert!(block_on(model.probe(&long, 0, &["logits".to_string()], 0)).is_err());
}
