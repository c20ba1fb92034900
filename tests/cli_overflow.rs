//! The program `gpt` on models and adapters whose numbers overflow: every command ends with the place, and writes nothing.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::cli::{folder, refused};
use gpt_playground::config::GptConfig;
use gpt_playground::model::checkpoint::{Checkpoint, Dtype, TensorOut, write_safetensors};
use gpt_playground::model::params::param_specs;
use gpt_playground::train::peft::Adapter;
use std::path::Path;
use tempfile::TempDir;

const BACKENDS: [&str; 2] = ["cpu", "gpu"];

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// The shipped model with one weight multiplied, as far as it stays finite.
fn spoilt(weight: &str, factor: f64) -> TempDir {
    let (from, to) = (folder("storyteller"), tempfile::tempdir().expect("a folder"));
    let read = |name: &str| std::fs::read(Path::new(&from).join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    for name in ["config.json", "tokenizer.json"] {
        std::fs::write(to.path().join(name), read(name)).expect("written");
    }
    let config = GptConfig::from_json(&read("config.json")).expect("a configuration");
    let bytes = read("model.safetensors");
    let file = Checkpoint::parse(&bytes, &config).expect("weights");
    let specs = param_specs(&config);
    let values: Vec<Vec<f32>> = specs
        .iter()
        .map(|spec| {
            let mut values = vec![0.0; spec.numel()];
            file.copy_f32(&spec.name, 0..spec.shape[0], &mut values).expect("values");
            if spec.name == weight {
                values.iter_mut().for_each(|x| *x = (f64::from(*x) * factor).clamp(-3e38, 3e38) as f32);
            }
            values
        })
        .collect();
    let tensors: Vec<TensorOut<'_>> = specs
        .iter()
        .zip(&values)
        .map(|(s, data)| TensorOut { name: s.name.clone(), shape: s.shape.clone(), dtype: Dtype::F32, data })
        .collect();
    let bytes = write_safetensors(&tensors, &[("format", "pt")]).expect("a file");
    std::fs::write(to.path().join("model.safetensors"), bytes).expect("written");
    to
}

/// An adapter of the shipped model with all numbers `a` in A and `b` in B.
fn adapter(a: f32, b: f32) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let config = std::fs::read(Path::new(&folder("storyteller")).join("config.json")).expect("config.json");
    let config = GptConfig::from_json(&config).expect("a configuration");
    let options = gpt_playground::model::lora::LoraOptions { rank: 2, alpha: 2.0, ..Default::default() };
    let tensors = options
        .specs(&config)
        .into_iter()
        .map(|spec| gpt_playground::train::peft::AdapterTensor {
            data: vec![if spec.name.ends_with('A') { a } else { b }; spec.numel()],
            shape: [spec.shape[0], spec.shape[1]],
            name: spec.name,
        })
        .collect();
    for (name, bytes) in (Adapter { options, tensors }).to_peft(None).expect("files") {
        std::fs::write(dir.path().join(name), bytes).expect("written");
    }
    dir
}

#[test]
fn commands_name_where_the_numbers_overflow() {
    let place = "block 2's attention scores (h.2.attn.out is NaN at position 0)";
    let model = spoilt("h.2.attn.c_attn.weight", 1e22);
    let (dir, work) = (text(model.path()), tempfile::tempdir().expect("a folder"));
    let path = |name: &str| text(&work.path().join(name));
    let story = "Once upon a time there was a little girl who lived in a small house. ".repeat(20);
    std::fs::write(work.path().join("story.txt"), &story).expect("written");
    let adapter = adapter(1e-3, 0.0);
    for backend in BACKENDS {
        let fails = |args: &[&str], written: &str| {
            let all = [args, &["--model", &dir, "--backend", backend][..]].concat();
            refused(&all, b"", &["error: the numbers overflow in", place, "choose another file of the model"]);
            assert!(!Path::new(&path(written)).exists(), "{args:?} wrote {written}");
        };
        fails(&["generate", "--prompt", "Once upon"], "none");
        fails(&["generate", "--prompt", "Once upon", "--temperature", "0", "--json"], "none");
        fails(&["eval", "--text", &path("story.txt")], "none");
        fails(&["logits", "--ids", "1,2,3", "--out", &path("logits")], "logits");
        fails(&["merge", "--adapter", &text(adapter.path()), "--out", &path("merged")], "merged");
    }
    for lora in [&["--lora-rank", "2"][..], &[]] {
        let out = path(if lora.is_empty() { "tuned" } else { "adapter" });
        let args = ["train", "--model", &dir, "--backend", "cpu", "--text", &path("story.txt"), "--out", &out];
        let few = ["--steps", "2", "--batch-size", "2", "--context", "16"];
        refused(&[&args[..], &few, lora].concat(), b"", &["error: the numbers overflow in", place, "another file"]);
    }
}

#[test]
fn adapters_that_are_too_strong_are_named() {
    let (model, work) = (folder("storyteller"), tempfile::tempdir().expect("a folder"));
    let out = text(&work.path().join("merged"));
    let fails = |adapter: &TempDir, strength: &str, words: &[&str], merging: &[&str]| {
        let dir = text(adapter.path());
        let with = ["--model", &model, "--backend", "cpu", "--adapter", &dir, "--adapter-strength", strength];
        let fails = |args: &[&str], words: &[&str]| refused(&[args, &with[..]].concat(), b"", words);
        fails(&["generate", "--prompt", "Once upon"], words);
        fails(&["logits", "--ids", "1,2,3", "--out", &text(&work.path().join("logits"))], words);
        fails(&["merge", "--out", &out], merging);
        assert!(!Path::new(&out).exists() && !work.path().join("logits").exists());
    };
    let large = adapter(3e38, 3e38);
    let inner = ["the adapters act too strongly; lower their strength, now 1,", "lora_A is "];
    fails(&large, "1", &inner, &["cannot be merged: h.0.attn.c_attn.weight would hold inf"]);
    let usual = adapter(1e-2, 1e-2);
    let strength = ["the numbers overflow in block 0's attention scores", "lower their strength, now 1000"];
    // Every weight stays finite; the model is of no use all the same.
    fails(&usual, "1e38", &strength, &strength);
    let none = ["the adapters' strength is inf; choose a number such as 1"];
    fails(&usual, "inf", &none, &none);
}
