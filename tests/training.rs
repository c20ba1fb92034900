//! Training against PyTorch: gradients of the first step, losses of twenty, on both backends; and memorising a paragraph.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::models::open;
use common::runner::difference;
use gpt_playground::exec::Backend;
use gpt_playground::model::Model;
use gpt_playground::sample::{Generation, SamplingParams, Step};
use gpt_playground::train::{Dataset, Event, Replay, Source, StepReport, TrainOptions, Trainer, gradients};
use pollster::block_on;
use safetensors::SafeTensors;
use std::time::Duration;

const BACKENDS: [Backend; 2] = [Backend::Cpu, Backend::Gpu];

fn fixture(file: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/training/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Pulls a run to its end; returns its reports and evaluations.
fn run(model: &mut Model, trainer: &mut Trainer) -> (Vec<StepReport>, Vec<f32>) {
    let (mut steps, mut evaluations) = (Vec::new(), Vec::new());
    loop {
        match block_on(trainer.advance(model, Duration::from_millis(50))).expect("a step") {
            Event::Steps(reports) => steps.extend(reports),
            Event::Evaluated { loss, .. } => evaluations.push(loss),
            Event::Working => {}
            Event::Finished => return (steps, evaluations),
        }
    }
}

#[test]
fn gradients_of_the_first_step_equal_pytorch() {
    let replay = Replay::parse(&fixture("gpt2-tanh/batches.safetensors"), 97).expect("batches");
    let options =
        TrainOptions { batch_size: replay.batch_size(), context: replay.context(), ..TrainOptions::default() };
    let reference = fixture("gpt2-tanh/gradients.safetensors");
    let reference = SafeTensors::deserialize(&reference).expect("gradients");
    for backend in BACKENDS {
        let mut model = open("gpt2-tanh-f32", backend);
        block_on(model.enable_training(None, 0)).expect("room");
        let batch = replay.batch(0).expect("a batch");
        let found = block_on(gradients(&mut model, &options, &[batch])).expect("gradients");
        assert_eq!(found.len(), reference.len());
        for (name, shape, values) in found {
            let want = reference.tensor(&name).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(want.shape(), shape, "{name}");
            let want: Vec<f32> = bytemuck::pod_collect_to_vec(want.data());
            let d = difference(&values, &want);
            assert!(d < 1e-3, "{backend:?}: the gradient of {name} differs by {d:e}");
            if name.ends_with("c_attn.bias") {
                // A key's bias moves all scores of a query alike: its gradient is zero.
                let c = values.len() / 3;
                let largest = values[c..2 * c].iter().fold(0.0f32, |m, v| m.max(v.abs()));
                assert!(largest < 1e-6, "{backend:?}: the key bias of {name} has gradient {largest:e}");
            }
        }
    }
}

#[test]
fn twenty_steps_lose_as_pytorch() {
    let text: serde_json::Value = serde_json::from_slice(&fixture("gpt2-tanh/losses.json")).expect("losses");
    for (name, run_json) in text.as_object().expect("an object") {
        let Some(losses) = run_json["losses"].as_array() else { continue };
        let want: Vec<f32> = losses.iter().map(|v| v.as_f64().expect("a number") as f32).collect();
        let mut options: TrainOptions = serde_json::from_value(run_json["options"].clone()).expect("options");
        options.eval_every = 0;
        for backend in BACKENDS {
            let replay = Replay::parse(&fixture("gpt2-tanh/batches.safetensors"), 97).expect("batches");
            let (batch_size, context) = (replay.batch_size(), replay.context());
            let options = TrainOptions { batch_size, context, ..options.clone() };
            let mut model = open("gpt2-tanh-f32", backend);
            let mut trainer = block_on(Trainer::new(&mut model, options, Source::Replay(replay))).expect("a run");
            let (steps, _) = run(&mut model, &mut trainer);
            let got: Vec<f32> = steps.iter().map(|s| s.loss).collect();
            assert_eq!(got.len(), want.len());
            for (i, (g, w)) in got.iter().zip(&want).enumerate() {
                assert!((g - w).abs() < 1e-3 * w, "{name} on {backend:?}: step {} loses {g}, PyTorch {w}", i + 1);
            }
        }
    }
}

#[test]
fn a_paragraph_is_memorised_and_the_run_repeats_bit_for_bit() {
    let tokens: Vec<u32> = (0..60u32).map(|i| (i * i * 7 + i * 3) % 89 + 2).collect();
    for backend in BACKENDS {
        let mut losses = Vec::new();
        for _ in 0..2 {
            let mut model = open("gpt2-tanh-f32", backend);
            let options = TrainOptions {
                steps: if backend == Backend::Cpu { 600 } else { 30 },
                batch_size: 4,
                context: 32,
                lr: 3e-3,
                warmup: 5,
                weight_decay: 0.0,
                eval_every: 0,
                ..TrainOptions::default()
            };
            let data = Dataset::new(tokens.clone(), 0.0, 32).expect("a text");
            let mut trainer = block_on(Trainer::new(&mut model, options, Source::Text(data))).expect("a run");
            let (steps, _) = run(&mut model, &mut trainer);
            losses.push(steps.iter().map(|s| s.loss.to_bits()).collect::<Vec<_>>());
            let last = steps.last().expect("steps").loss;
            assert!(last < if backend == Backend::Cpu { 0.05 } else { 5.0 }, "{backend:?}: the last loss is {last}");
            if backend == Backend::Cpu {
                let greedy = SamplingParams { temperature: 0.0, repetition_penalty: 1.0, ..SamplingParams::default() };
                let mut generation = Generation::start(&mut model, &tokens[..8], greedy, 24, None).expect("a start");
                let mut text = Vec::new();
                loop {
                    if let Step::Tokens { records, finished } =
                        block_on(generation.next(&mut model, Duration::from_millis(20), 8)).expect("a step")
                    {
                        text.extend(records.iter().map(|r| r.id));
                        if finished.is_some() {
                            break;
                        }
                    }
                }
                assert_eq!(text, tokens[8..32], "the text is not recited");
            }
        }
        assert_eq!(losses[0], losses[1], "{backend:?}: two equal runs differ");
    }
}
