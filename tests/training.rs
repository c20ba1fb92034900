//! Training against PyTorch and PEFT: gradients of the first step, losses of twenty, adapters, on both backends.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::models::open;
use common::runner::difference;
use common::training::{BACKENDS, adapter_of, fixture, load, rich, run, start};
use gpt_playground::exec::Backend;
use gpt_playground::model::Model;
use gpt_playground::model::checkpoint::Dtype;
use gpt_playground::model::params::param_specs;
use gpt_playground::train::export::{adapter_files, hf_files, merge_adapters};
use gpt_playground::train::peft::{Adapter, peft_name, transpose};
use gpt_playground::train::{Replay, Source, TrainOptions, Trainer, gradients};
use pollster::block_on;
use safetensors::SafeTensors;

/// The fixtures: three models, and adapters beside the first.
const FOLDERS: [&str; 5] = ["gpt2-tanh", "gpt2-erf-untied", "textbook", "lora", "lora-fresh"];

/// The batches of a fixture.
fn replay(folder: &str, model: &Model) -> Replay {
    let folder = if folder.starts_with("lora") { "gpt2-tanh" } else { folder };
    Replay::parse(&fixture(&format!("{folder}/batches.safetensors")), model.config().vocab_size).expect("batches")
}

/// Name and values of a parameter in PEFT's or PyTorch's orientation, as the fixtures have them.
fn as_saved(name: String, shape: Vec<usize>, values: Vec<f32>) -> (String, Vec<usize>, Vec<f32>) {
    if !name.contains(".lora_") {
        return (name, shape, values);
    }
    (peft_name(&name), vec![shape[1], shape[0]], transpose(&values, [shape[0], shape[1]]))
}

#[test]
fn gradients_of_the_first_step_equal_pytorch() {
    for folder in FOLDERS {
        let reference = fixture(&format!("{folder}/gradients.safetensors"));
        let reference = SafeTensors::deserialize(&reference).expect("gradients");
        for backend in BACKENDS {
            let (mut model, lora) = start(folder, backend);
            let replay = replay(folder, &model);
            let (batch_size, context) = (replay.batch_size(), replay.context());
            let options = TrainOptions { batch_size, context, lora, ..TrainOptions::default() };
            block_on(model.enable_training(options.lora.as_ref(), 0)).expect("room");
            let batch = replay.batch(0).expect("a batch");
            let found = block_on(gradients(&mut model, &options, &[batch])).expect("gradients");
            assert_eq!(found.len(), reference.len(), "{folder}");
            for (name, shape, values) in found {
                let (name, shape, values) = as_saved(name, shape, values);
                let want = reference.tensor(&name).unwrap_or_else(|e| panic!("{folder}: {name}: {e}"));
                assert_eq!(want.shape(), shape, "{folder}: {name}");
                let want: Vec<f32> = bytemuck::pod_collect_to_vec(want.data());
                let d = difference(&values, &want);
                assert!(d < 1e-3, "{folder} on {backend:?}: the gradient of {name} differs by {d:e}");
                if name.ends_with("c_attn.bias") {
                    // A key's bias moves all scores of a query alike: its gradient is zero.
                    let c = values.len() / 3;
                    let largest = values[c..2 * c].iter().fold(0.0f32, |m, v| m.max(v.abs()));
                    assert!(largest < 1e-6, "{folder} on {backend:?}: the key bias of {name} has {largest:e}");
                }
                if folder == "lora-fresh" && name.contains("lora_A") {
                    assert!(values.iter().all(|&v| v == 0.0), "{name}: B is zero, so A has no gradient yet");
                }
            }
        }
    }
}

#[test]
fn twenty_steps_lose_as_pytorch() {
    for (folder, backend) in FOLDERS.iter().flat_map(|f| BACKENDS.map(|b| (*f, b))) {
        let text: serde_json::Value =
            serde_json::from_slice(&fixture(&format!("{folder}/losses.json"))).expect("losses");
        let weights = fixture(&format!("{folder}/weights.safetensors"));
        let weights = SafeTensors::deserialize(&weights).expect("weights");
        let mut runs = 0;
        for (name, run_json) in text.as_object().expect("an object") {
            let floats = |key: &str| -> Vec<f32> {
                let list = run_json[key].as_array().expect("a list");
                list.iter().map(|v| v.as_f64().expect("a number") as f32).collect()
            };
            let mut options: TrainOptions = serde_json::from_value(run_json["options"].clone()).expect("options");
            let (mut model, lora) = start(folder, backend);
            let replay = replay(folder, &model);
            options.eval_every = 0;
            (options.batch_size, options.context, options.lora) = (replay.batch_size(), replay.context(), lora);
            let mut trainer = block_on(Trainer::new(&mut model, options, Source::Replay(replay))).expect("a run");
            let (steps, _) = run(&mut model, &mut trainer);
            let (want, norms) = (floats("losses"), floats("grad_norms"));
            assert_eq!(steps.len(), want.len());
            for (i, (got, (w, norm))) in steps.iter().zip(want.iter().zip(&norms)).enumerate() {
                let label = format!("{folder}, {name} on {backend:?}, step {}", i + 1);
                assert!((got.loss - w).abs() < 1e-3 * w, "{label} loses {}, PyTorch {w}", got.loss);
                assert!((got.grad_norm - norm).abs() < 1e-3 * norm, "{label}: norm {}, PyTorch {norm}", got.grad_norm);
            }
            runs += 1;
            if name == "constant" {
                for spec in model.trained_specs() {
                    let values = block_on(model.read_param(&spec.name)).expect("a weight");
                    let (name, _, values) = as_saved(spec.name, spec.shape, values);
                    let Ok(want) = weights.tensor(&name) else { continue };
                    let d = difference(&values, &bytemuck::pod_collect_to_vec::<u8, f32>(want.data()));
                    assert!(d < 1e-3, "{folder} on {backend:?}: {name} differs by {d:e} after 20 steps");
                }
            }
        }
        assert_eq!(runs, 4);
    }
}

/// The logits of all positions.
fn logits(model: &mut Model, ids: &[u32]) -> Vec<f32> {
    block_on(model.probe(ids, 0, &["logits".to_string()], 0)).expect("logits").remove(0).1
}

#[test]
fn adapters_act_merge_and_travel() {
    let reference = fixture("lora/reference.safetensors");
    let reference = SafeTensors::deserialize(&reference).expect("reference");
    let ids: Vec<i64> = bytemuck::pod_collect_to_vec(reference.tensor("ids").expect("ids").data());
    let ids: Vec<u32> = ids.into_iter().map(|id| id as u32).collect();
    let want: Vec<f32> = bytemuck::pod_collect_to_vec(reference.tensor("logits").expect("logits").data());
    for backend in BACKENDS {
        let base = logits(&mut open("gpt2-tanh-f32", backend), &ids);
        let (mut model, _) = start("lora", backend);
        let adapted = logits(&mut model, &ids);
        assert!(difference(&adapted, &want) < 1e-4, "{backend:?}: {:e}", difference(&adapted, &want));
        assert!(difference(&base, &want) > 1e-2, "the adapter would not matter");

        // The slider: nothing at 0, halfway at 1/2 of the adapter's change of each weight, all of it again at 1.
        model.set_lora_strength(0.0).expect("adapters");
        assert_eq!(logits(&mut model, &ids), base, "{backend:?}: strength 0");
        model.set_lora_strength(0.5).expect("adapters");
        let half = logits(&mut model, &ids);
        assert!(difference(&half, &base) > 1e-3 && difference(&half, &adapted) > 1e-3);
        // An export holds what the slider shows.
        let config = model.config().clone();
        let files = block_on(hf_files(&mut model, "", Dtype::F32)).expect("files");
        let weights = &files.iter().find(|f| f.0 == "model.safetensors").expect("weights").1;
        let mut exported = load(config, weights, backend);
        assert!(difference(&logits(&mut exported, &ids), &half) < 1e-5, "{backend:?}: exported");
        model.set_lora_strength(1.0).expect("adapters");
        assert_eq!(logits(&mut model, &ids), adapted, "{backend:?}: strength 1");

        // PEFT's files give the same adapter again.
        let files = block_on(adapter_files(&mut model)).expect("files");
        let again = Adapter::from_peft(&files[0].1, &files[1].1, model.config()).expect("an adapter");
        assert_eq!(again, adapter_of("lora", &model));

        block_on(merge_adapters(&mut model)).expect("merged");
        assert!(difference(&logits(&mut model, &ids), &adapted) < 1e-5, "{backend:?}: merged");
        model.set_lora_strength(0.0).expect("adapters");
        assert!(difference(&logits(&mut model, &ids), &adapted) < 1e-5, "{backend:?}: nothing of it is left beside");
        for name in ["h.0.attn.c_attn.weight", "h.1.mlp.c_proj.weight"] {
            let want = reference.tensor(&format!("merged.{name}")).expect("PEFT's merge");
            let got = block_on(model.read_param(name)).expect("a weight");
            assert!(difference(&got, &bytemuck::pod_collect_to_vec::<u8, f32>(want.data())) < 1e-6, "{name}");
        }
    }
}

/// The strength is for writing: a run that goes on meanwhile learns and validates as if nobody had touched it.
#[test]
fn adapters_learn_at_full_strength() {
    for backend in BACKENDS {
        let losses = |strength: f32| {
            let (mut model, lora) = start("lora", backend);
            let (options, source) = rich(&model, lora);
            let mut trainer = block_on(Trainer::new(&mut model, options, source)).expect("a run");
            let ids = [1, 2, 3];
            let before = logits(&mut model, &ids);
            model.set_lora_strength(strength).expect("adapters");
            assert_eq!(logits(&mut model, &ids) == before, strength == 1.0, "{backend:?}: for writing it counts");
            let (steps, evaluations) = run(&mut model, &mut trainer);
            assert!(!evaluations.is_empty());
            (steps.iter().map(|s| s.loss.to_bits()).collect::<Vec<_>>(), evaluations)
        };
        let want = losses(1.0);
        assert_eq!(losses(0.0), want, "{backend:?}");
        assert_eq!(losses(0.3), want, "{backend:?}");
    }
}

#[test]
fn adapters_leave_the_base_alone() {
    let (mut model, lora) = start("lora-fresh", Backend::Cpu);
    let names: Vec<String> = param_specs(model.config()).into_iter().map(|s| s.name).collect();
    let read = |model: &mut Model| -> Vec<Vec<f32>> {
        names.iter().map(|name| block_on(model.read_param(name)).expect("a weight")).collect()
    };
    let before = read(&mut model);
    let (options, source) = rich(&model, lora);
    let mut trainer = block_on(Trainer::new(&mut model, options, source)).expect("a run");
    run(&mut model, &mut trainer);
    assert_eq!(read(&mut model), before);
}
