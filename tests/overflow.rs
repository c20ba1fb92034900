//! Weights, adapters and texts with which a model's numbers overflow: an error says so, and where; nothing is written, shown or
//! trained from it, and the model is of use afterwards.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::models::{open, open_on};
use common::overflowing::{SPOILS, ask_all, names, refuses_to_answer, refuses_to_train, spoil, write};
use common::training::adapter_of;
use gpt_playground::error::Error;
use gpt_playground::exec::{Backend, Chosen, Executor};
use gpt_playground::gpu::{GpuContext, GpuExecutor};
use gpt_playground::graph::Target;
use gpt_playground::inspect::{Distribution, kl_divergence};
use gpt_playground::message::Message;
use gpt_playground::model::Model;
use gpt_playground::model::checkpoint::Dtype;
use gpt_playground::model::params::param_specs;
use gpt_playground::sample::SamplingParams;
use gpt_playground::train::export::{apply_adapter, hf_pieces, merge_adapters};
use pollster::block_on;
use proptest::prelude::*;

const BACKENDS: [Backend; 2] = [Backend::Cpu, Backend::Gpu];

/// A model on the GPU with kernels for one kind of device.
fn on_gpu(name: &str, target: Target) -> Model {
    let cx = block_on(GpuContext::open()).unwrap_or_else(|e| panic!("this test needs a GPU adapter: {e}"));
    let executor = Executor::Gpu(Box::new(GpuExecutor::new(cx.with_target(target))));
    open_on(name, Chosen { executor, reason: Message::uncoded("a test asked for it") })
}

#[test]
fn every_answer_names_the_place_on_the_cpu() {
    block_on(refuses_to_answer(&mut open("gpt2-tanh-f32", Backend::Cpu), &SPOILS));
}

#[test]
fn every_answer_names_the_place_with_hardware_kernels() {
    block_on(refuses_to_answer(&mut on_gpu("gpt2-tanh-f32", Target::Hardware), &SPOILS));
}

#[test]
fn every_answer_names_the_place_with_software_kernels() {
    block_on(refuses_to_answer(&mut on_gpu("gpt2-tanh-f32", Target::Software), &SPOILS));
}

/// Where the norm comes after the block and ReLU would make 0 of negative infinity.
#[test]
fn post_norm_and_relu_hide_nothing() {
    let spoils = [
        ("h.0.mlp.c_fc.weight", ("block 0's inner MLP layer", "h.0.mlp.fc")),
        ("h.1.attn.c_attn.weight", ("block 1's queries, keys and values", "h.1.attn.qkv")),
        ("lm_head.weight", ("the logits", "logits")),
    ];
    let models =
        [open("textbook", Backend::Cpu), on_gpu("textbook", Target::Hardware), on_gpu("textbook", Target::Software)];
    for mut model in models {
        for (name, place) in spoils {
            let before = block_on(spoil(&mut model, name, 1e40));
            let error = write_on(&mut model, &[2, 7, 1]).1.expect("an error");
            names(name, &error, place);
            names(name, &block_on(model.score(&[2, 7, 1, 8])).expect_err("no scores"), place);
            model.write_param(name, 0, &before).expect("written");
        }
    }
}

fn write_on(model: &mut Model, prompt: &[u32]) -> (Vec<gpt_playground::sample::Record>, Option<Error>) {
    block_on(write(model, prompt, 8))
}

/// One token alone spoils what follows it. What was written before it stands, and the cache is not taken for valid.
#[test]
fn what_was_written_before_is_kept() {
    for backend in BACKENDS {
        let mut model = open("textbook", backend);
        let prompt = [2, 7, 1];
        let (sound, error) = write_on(&mut model, &prompt);
        assert_eq!(error, None);
        // A token that is written after some others, and that stands nowhere before.
        let ids: Vec<u32> = sound.iter().map(|r| r.id).collect();
        let fresh = |at: &usize| !prompt.contains(&ids[*at]) && !ids[..*at].contains(&ids[*at]);
        let at = (1..ids.len() - 1).find(fresh).expect("another token");
        let c = model.config().n_embd;
        model.write_param("wte.weight", ids[at] as usize * c, &vec![3e38; c]).expect("written");

        let (records, error) = write_on(&mut model, &prompt);
        assert_eq!(records.iter().map(|r| r.id).collect::<Vec<_>>(), ids[..=at], "{backend:?}");
        let (position, text) = (prompt.len() + at, error.expect("an error").to_string());
        assert!(text.contains(&format!("at position {position})")), "{backend:?}: {text}");
        // Fed again from the start, it comes to the same.
        let again = write_on(&mut model, &prompt);
        assert_eq!((again.0, again.1.expect("an error").to_string()), (records, text), "{backend:?}");

        // Looking at the text says the same, and at what is before it nothing: an earlier row does not see a later one.
        let text: Vec<u32> = prompt.iter().chain(&ids[..=at]).copied().collect();
        for (plan, asked) in block_on(ask_all(&mut model, &text)) {
            let error = asked.expect_err(plan).to_string();
            assert!(error.contains(&format!("at position {position})")), "{backend:?}, {plan}: {error}");
        }
        for (plan, asked) in block_on(ask_all(&mut model, &text[..position])) {
            assert_eq!(asked, Ok(()), "{backend:?}, {plan}");
        }
    }
}

#[test]
fn a_run_on_such_weights_ends_before_its_first_step() {
    block_on(refuses_to_train(&mut open("gpt2-tanh-f32", Backend::Cpu)));
    block_on(refuses_to_train(&mut on_gpu("gpt2-tanh-f32", Target::Hardware)));
    block_on(refuses_to_train(&mut on_gpu("gpt2-tanh-f32", Target::Software)));
}

/// A model with an adapter of which one matrix is multiplied.
fn adapted(backend: Backend, matrix: &str, factor: f64) -> Model {
    let mut model = open("gpt2-tanh-f32", backend);
    let mut adapter = adapter_of("lora", &model);
    let matrix = adapter.tensors.iter_mut().find(|t| t.name == matrix).expect("the matrix");
    matrix.data.iter_mut().for_each(|x| *x = (f64::from(*x) * factor).clamp(-3e38, 3e38) as f32);
    block_on(apply_adapter(&mut model, &adapter)).expect("an adapter");
    model
}

#[test]
fn adapters_that_are_too_strong_are_named() {
    for backend in BACKENDS {
        let mut base = open("gpt2-tanh-f32", backend);
        let want = write_on(&mut base, &[5, 6, 7]);
        for (matrix, factor, tensor) in [
            ("h.0.attn.c_attn.lora_A", 1e40, "h.0.attn.qkv.lora_A"),
            ("h.1.mlp.c_fc.lora_B", 1e40, "h.1.mlp.fc.lora_B"),
            ("h.0.attn.c_attn.lora_B", 1e21, "h.0.attn.out"),
        ] {
            let mut model = adapted(backend, matrix, factor);
            for strength in [1.0, 0.5] {
                model.set_lora_strength(strength).expect("a strength");
                let (records, error) = write_on(&mut model, &[5, 6, 7]);
                let text = error.expect("an error").to_string();
                assert!(records.is_empty() && text.contains(&format!("({tensor} is ")), "{backend:?}: {text}");
                assert!(text.contains(&format!("lower their strength, now {strength},")), "{backend:?}: {text}");
                for (plan, asked) in block_on(ask_all(&mut model, &[5, 6, 7])) {
                    assert_eq!(asked.expect_err(plan).to_string(), text, "{backend:?}, {plan}");
                }
            }
            // Without them the model is what it was.
            model.set_lora_strength(0.0).expect("a strength");
            let got = write_on(&mut model, &[5, 6, 7]);
            let ids = |w: &[gpt_playground::sample::Record]| w.iter().map(|r| r.id).collect::<Vec<_>>();
            assert_eq!((ids(&got.0), got.1), (ids(&want.0), None), "{backend:?}, {matrix}");
        }
        // Of a strength alone: one that no float holds is refused at once, and the one before stays.
        let mut model = adapted(backend, "h.0.attn.c_attn.lora_A", 1.0);
        let scale = model.lora_scale();
        let error = model.set_lora_strength(3e38).expect_err("too much").to_string();
        assert!(error.contains("strength is 3"), "{error}");
        assert_eq!(model.lora_scale(), scale);
        model.set_lora_strength(1e30).expect("a strength");
        let text = write_on(&mut model, &[5, 6, 7]).1.expect("an error").to_string();
        assert!(text.contains("lower their strength, now 1000000000000000000000000000000,"), "{text}");
        model.set_lora_strength(1.0).expect("a strength");
        assert_eq!(write_on(&mut model, &[5, 6, 7]).1, None);
    }
}

#[test]
fn adapters_that_are_too_strong_are_not_merged() {
    for (matrix, factor, strength, words) in [
        ("h.1.mlp.c_proj.lora_B", 1e40, 10.0, "cannot be merged: h.1.mlp.c_proj.weight would hold "),
        // Finite, and of no use.
        ("h.0.attn.c_attn.lora_B", 1e21, 1.0, "the numbers overflow in block 0's attention scores"),
    ] {
        let mut model = adapted(Backend::Cpu, matrix, factor);
        model.set_lora_strength(strength).expect("a strength");
        let mut before = Vec::new();
        for spec in param_specs(model.config()) {
            before.push(block_on(model.read_param(&spec.name)).expect("a weight"));
        }
        let error = block_on(merge_adapters(&mut model)).expect_err("refused").to_string();
        assert!(error.contains(words), "{error}");
        let mut pieces = 0;
        let error =
            block_on(hf_pieces(&mut model, "", Dtype::F32, |_, _| pieces += 1)).expect_err("refused").to_string();
        assert!(error.contains(words) && pieces == 0, "{pieces} pieces: {error}");
        for (spec, before) in param_specs(model.config()).iter().zip(before) {
            assert_eq!(block_on(model.read_param(&spec.name)).expect("a weight"), before, "{}", spec.name);
        }
        // Without strength there is nothing that overflows.
        model.set_lora_strength(0.0).expect("a strength");
        block_on(merge_adapters(&mut model)).expect("merged");
    }
}

proptest! {
    /// One logit that is no number is enough, wherever it stands and whatever the settings rule out.
    #[test]
    fn a_logit_that_is_no_number_is_seen(
        at in 0usize..50,
        bad in prop_oneof![Just(f32::NAN), Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(-2e30f32)],
        top_k in 0u32..5,
        top_p in 0.01f32..1.0,
        temperature in prop_oneof![Just(0.0f32), 0.1f32..2.0],
        repetition_penalty in 0.5f32..2.0,
    ) {
        let mut logits: Vec<f32> = (0..50).map(|i| (i * 37 % 50) as f32 * 0.3 - 4.0).collect();
        let params = SamplingParams { top_k, top_p, temperature, repetition_penalty, ..SamplingParams::default() };
        prop_assert!(Distribution::new(&logits, &params, &[at as u32]).is_ok());
        prop_assert!(kl_divergence(&logits, &logits, 25).is_ok());
        let sound = logits.clone();
        logits[at] = bad;
        prop_assert!(matches!(Distribution::new(&logits, &params, &[at as u32]), Err(Error::Overflow(_))));
        prop_assert!(matches!(kl_divergence(&sound, &logits, 25), Err(Error::Overflow(_))));
        prop_assert!(matches!(kl_divergence(&logits, &sound, 25), Err(Error::Overflow(_))));
    }
}
