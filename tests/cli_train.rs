//! `gpt train`, run as a user runs it: what it writes, that it goes on where it was stopped, and what it refuses.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::cli::{Place, fixture, folder, gpt, json, misused, refused, said};
use safetensors::SafeTensors;
use serde_json::Value;
use std::path::Path;

/// What does not depend on the clock.
fn timeless(log: &[Value]) -> Vec<Value> {
    let strip = |mut line: Value| {
        line.as_object_mut().expect("an object").remove("tokens_per_second").expect("a speed");
        line
    };
    log.iter().cloned().map(strip).collect()
}

#[test]
fn from_scratch_stopped_and_resumed_is_as_uninterrupted() {
    let place = Place::new();
    let text = place.at("text.txt");
    let train = |out: &str, log: &str, more: &[&str]| {
        let (out, log) = (place.at(out), place.at(log));
        let mut args = vec!["train", "--text", &text, "--out", &out, "--log", &log, "--backend", "cpu"];
        args.extend(more);
        said(&args)
    };
    let common = ["--preset", "tiny", "--schedule", "constant", "--eval-every", "4", "--dropout", "0.1"];
    let with = |more: &[&'static str]| [&common[..], more].concat();
    let said = train("whole", "whole.jsonl", &with(&["--steps", "9"]));
    assert!(said.contains("memory") && said.contains("held back"), "{said}");
    train("parts", "parts.jsonl", &with(&["--steps", "5"]));
    // What a run that was cut short wrote after its last save.
    let line = place.log("parts.jsonl")[4].to_string().replace("\"step\":5", "\"step\":6");
    let text_of_log = std::fs::read_to_string(place.at("parts.jsonl")).expect("a log");
    std::fs::write(place.at("parts.jsonl"), format!("{text_of_log}{line}\n{{\"st")).expect("written");
    train("parts", "parts.jsonl", &["--resume", "--steps", "9"]);

    let (whole, parts) = (place.log("whole.jsonl"), place.log("parts.jsonl"));
    assert_eq!(whole.len(), 9);
    let losses = |log: &[Value]| {
        timeless(log).into_iter().map(|l| (l["loss"].clone(), l["grad_norm"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(losses(&whole), losses(&parts));
    for (i, line) in whole.iter().enumerate() {
        assert_eq!(line["step"], i + 1);
        let evaluated = (i + 1) % 4 == 0 || i == 8;
        assert_eq!(line.get("val_loss").is_some(), evaluated, "{line}");
        assert!(line["lr"].as_f64().is_some_and(|lr| lr > 0.0), "{line}");
    }
    assert!(whole[8]["loss"].as_f64() < whole[0]["loss"].as_f64());
    let read = |folder: &str| std::fs::read(Path::new(&place.at(folder)).join("model.safetensors")).expect("weights");
    assert_eq!(read("whole"), read("parts"), "the weights differ");
    let files = place.files("whole");
    let expected =
        ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "training_state.safetensors"];
    assert_eq!(files.iter().filter(|name| *name != "best").collect::<Vec<_>>(), expected);
    let weights = read("whole");
    let (_, header) = SafeTensors::read_metadata(&weights).expect("a header");
    assert_eq!(header.metadata().as_ref().and_then(|m| m.get("format")).map(String::as_str), Some("pt"));

    // What was written runs.
    gpt(&["generate", "--model", &place.at("whole"), "--backend", "cpu", "--prompt", "The ", "--max-new-tokens", "8"]);

    // Nothing is overwritten.
    let (out, whole) = (place.at("whole"), place.at("text.txt"));
    refused(&["train", "--preset", "tiny", "--text", &whole, "--out", &out], b"", &["--resume"]);
    std::fs::remove_file(Path::new(&out).join("training_state.safetensors")).expect("removed");
    refused(&["train", "--preset", "tiny", "--text", &whole, "--out", &out], b"", &["model.safetensors", "--out"]);
}

#[test]
fn what_other_programs_cannot_load_is_said() {
    let place = Place::new();
    let (text, textbook) = (place.at("text.txt"), fixture("models/textbook/config.json"));
    for (i, (from, tokenizer, words)) in [
        (["--preset", "tiny"], "bpe:300", [None, None]),
        (["--preset", "tiny"], "byte", [None, Some("no tokenizer of characters or bytes")]),
        (["--config", &textbook], "bpe:300", [Some("norm_position"), None]),
        (["--config", &textbook], "char", [Some("norm_position"), Some("no tokenizer of characters or bytes")]),
    ]
    .into_iter()
    .enumerate()
    {
        let out = place.at(&format!("out{i}"));
        let mut args = vec!["train", "--text", &text, "--out", &out, "--tokenizer", tokenizer, "--backend", "cpu"];
        args.extend(from);
        args.extend(["--steps", "1", "--batch-size", "1", "--context", "8", "--eval-every", "0"]);
        let said = said(&args);
        let notes: Vec<&str> = said.lines().filter(|l| l.starts_with("note: ") && l.contains("Hugging Face")).collect();
        assert_eq!(notes.len(), words.iter().flatten().count(), "{from:?}, {tokenizer}: {said}");
        assert!(notes.iter().zip(words.iter().flatten()).all(|(note, word)| note.contains(word)), "{said}");
    }
}

#[test]
fn a_paragraph_is_recited() {
    let place = Place::new();
    let paragraph = "It was a bright cold day in April, and the clocks were striking thirteen.\nWinston slipped in.\n";
    let text = place.at("paragraph.txt");
    std::fs::write(&text, paragraph).expect("written");
    let out = place.at("out");
    let said = said(&[
        "train",
        "--preset",
        "tiny",
        "--text",
        &text,
        "--out",
        &out,
        "--steps",
        "300",
        "--batch-size",
        "4",
        "--backend",
        "cpu",
        "--weight-decay",
        "0",
    ]);
    assert!(said.contains("too few to hold some back"), "{said}");
    let prompt = &paragraph[..10];
    let length = (paragraph.len() - 40).to_string();
    let got = json(&[
        "generate",
        "--model",
        &out,
        "--backend",
        "cpu",
        "--prompt",
        prompt,
        "--max-new-tokens",
        &length,
        "--temperature",
        "0",
        "--repetition-penalty",
        "1",
        "--json",
    ]);
    assert_eq!(got["text"].as_str().expect("text"), &paragraph[10..paragraph.len() - 30]);
}

#[test]
fn adapters_are_trained_resumed_and_used() {
    let place = Place::new();
    let (text, out, model) = (place.at("text.txt"), place.at("out"), folder("storyteller"));
    let log = place.at("log.jsonl");
    let common =
        ["--batch-size", "2", "--context", "16", "--schedule", "constant", "--warmup", "0", "--backend", "cpu"];
    let mut args = vec!["train", "--model", &model, "--text", &text, "--out", &out, "--log", &log, "--steps", "3"];
    args.extend(["--lora-rank", "2", "--lora-targets", "mlp.c_proj,c_attn", "--lr", "0.02"]);
    args.extend(common);
    gpt(&args);
    assert_eq!(place.files("out"), ["adapter_config.json", "adapter_model.safetensors", "training_state.safetensors"]);
    let config: Value =
        serde_json::from_slice(&std::fs::read(Path::new(&out).join("adapter_config.json")).expect("a file"))
            .expect("JSON");
    assert_eq!((config["r"].as_u64(), config["lora_alpha"].as_u64()), (Some(2), Some(4)));
    assert_eq!(config["target_modules"], serde_json::json!(["c_attn", "mlp.c_proj"]));
    assert_eq!(config["fan_in_fan_out"], true);
    // The folder knows its model.
    gpt(&["train", "--resume", "--text", &text, "--out", &out, "--log", &log, "--steps", "5", "--backend", "cpu"]);
    assert_eq!(place.log("log.jsonl").len(), 5);

    let logits_of = |model: &str, name: &str, more: &[&str]| -> Vec<f32> {
        let file = place.at(name);
        let mut args = vec!["logits", "--model", model, "--backend", "cpu", "--ids", "5,6,7,8", "--out", &file];
        args.extend(more);
        gpt(&args);
        let bytes = std::fs::read(&file).expect("logits");
        let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
        bytemuck::pod_collect_to_vec(tensors.tensor("logits").expect("logits").data())
    };
    let logits = |name: &str, more: &[&str]| logits_of(&model, name, more);
    let base = logits("base", &[]);
    assert_ne!(logits("adapted", &["--adapter", &out]), base);
    assert_eq!(logits("off", &["--adapter", &out, "--adapter-strength", "0"]), base);
    refused(
        &["logits", "--model", &model, "--ids", "1", "--out", "x", "--adapter", &text],
        b"",
        &["adapter_config.json"],
    );

    // The whole model with the adapter in its weights.
    let merged = place.at("merged");
    let merge = ["merge", "--model", &model, "--backend", "cpu", "--out", &merged];
    gpt(&[&merge[..], &["--adapter", &out, "--adapter-strength", "0.5"]].concat());
    assert_eq!(place.files("merged"), ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json"]);
    let (whole, half) =
        (logits_of(&merged, "whole", &[]), logits("half", &["--adapter", &out, "--adapter-strength", "0.5"]));
    let largest = half.iter().fold(0.0f32, |m, x| m.max(x.abs()));
    assert!(whole.iter().zip(&half).all(|(a, b)| (a - b).abs() < 1e-5 * largest), "merging changes the logits");
    assert!(half.iter().zip(&base).any(|(a, b)| (a - b).abs() > 1e-3 * largest), "the adapter does too little");
    refused(&[&merge[..], &["--adapter", &out]].concat(), b"", &["model.safetensors", "would be lost"]);
    refused(&["merge", "--model", &model, "--out", &place.at("other")], b"", &["--adapter"]);
    let eval = |more: &[&str]| -> f64 {
        let mut args = vec!["eval", "--model", &model, "--backend", "cpu", "--text", &text, "--json"];
        args.extend(more);
        json(&args)["loss"].as_f64().expect("a loss")
    };
    assert!(eval(&["--adapter", &out]) < eval(&[]), "the adapter has learned the text");
}

/// The interface for comparison with other implementations.
#[test]
fn replayed_batches_and_gradients_equal_pytorch() {
    for (folder, model, lora) in [
        ("gpt2-tanh", fixture("models/gpt2-tanh-f32"), false),
        ("gpt2-erf-untied", fixture("training/gpt2-erf-untied"), false),
        ("textbook", fixture("models/textbook"), false),
        ("lora-fresh", fixture("models/gpt2-tanh-f32"), true),
    ] {
        let place = Place::new();
        let batches = fixture(&format!("training/{}/batches.safetensors", if lora { "gpt2-tanh" } else { folder }));
        let (out, log, dump) = (place.at("out"), place.at("log.jsonl"), place.at("gradients.safetensors"));
        let mut args = vec!["train", "--model", &model, "--replay", &batches, "--out", &out, "--log", &log];
        args.extend(["--dump-gradients", &dump, "--backend", "cpu", "--lr", "0.001", "--schedule", "constant"]);
        args.extend([
            "--warmup",
            "0",
            "--weight-decay",
            "0.1",
            "--beta1",
            "0.9",
            "--beta2",
            "0.95",
            "--grad-clip",
            "1",
        ]);
        if lora {
            args.extend(["--lora-rank", "4", "--lora-alpha", "8"]);
        }
        gpt(&args);
        let log = place.log("log.jsonl");
        assert_eq!(log.len(), 20, "as many steps as there are batches");
        let bytes = std::fs::read(&dump).expect("gradients");
        let got = SafeTensors::deserialize(&bytes).expect("safetensors");
        let want = std::fs::read(fixture(&format!("training/{folder}/gradients.safetensors"))).expect("a fixture");
        let want = SafeTensors::deserialize(&want).expect("safetensors");
        assert_eq!(got.len(), want.len());
        for (name, want) in want.tensors() {
            let full = if lora || name.starts_with("lm_head") { name.clone() } else { format!("transformer.{name}") };
            let got = got.tensor(&full).unwrap_or_else(|e| panic!("{full}: {e}"));
            assert_eq!(got.shape(), want.shape(), "{folder}: {name}");
            if lora {
                // A starts at random here; B's first gradient depends on it, A's is zero.
                let values: Vec<f32> = bytemuck::pod_collect_to_vec(got.data());
                assert_eq!(values.iter().all(|&v| v == 0.0), name.contains("lora_A"), "{name}");
                continue;
            }
            let (got, want): (Vec<f32>, Vec<f32>) =
                (bytemuck::pod_collect_to_vec(got.data()), bytemuck::pod_collect_to_vec(want.data()));
            let largest = want.iter().fold(0.0f32, |m, x| m.max(x.abs()));
            let worst = got.iter().zip(&want).fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
            assert!(worst < 1e-3 * largest, "{folder}: the gradient of {name} differs by {worst} of {largest}");
        }
        if !lora {
            let json: Value = serde_json::from_slice(
                &std::fs::read(fixture(&format!("training/{folder}/losses.json"))).expect("a fixture"),
            )
            .expect("JSON");
            for (line, want) in log.iter().zip(json["constant"]["losses"].as_array().expect("losses")) {
                let (got, want) = (line["loss"].as_f64().expect("a loss"), want.as_f64().expect("a loss"));
                assert!((got - want).abs() < 1e-3 * want, "{folder}: {line}, PyTorch {want}");
            }
        }
    }
}

#[test]
fn accumulated_gradients_are_those_of_one_large_batch() {
    let place = Place::new();
    let ids = |n: usize| -> Vec<u8> { (0..n as i64).flat_map(|i| ((i * i + 3 * i) % 97).to_le_bytes()).collect() };
    let file = |name: &str, shape: Vec<usize>| {
        let data = ids(2 * 2 * 16);
        let view =
            |data| safetensors::tensor::TensorView::new(safetensors::Dtype::I64, shape.clone(), data).expect("a view");
        let bytes = safetensors::serialize([("inputs", view(&data)), ("targets", view(&data))], None).expect("a file");
        std::fs::write(place.at(name), bytes).expect("written");
        place.at(name)
    };
    let model = fixture("models/gpt2-tanh-f32");
    let gradients = |batches: &str, out: &str, accumulate: &str| -> Vec<u8> {
        let (out, dump) = (place.at(out), place.at(&format!("{out}.safetensors")));
        gpt(&[
            "train",
            "--model",
            &model,
            "--replay",
            batches,
            "--out",
            &out,
            "--dump-gradients",
            &dump,
            "--steps",
            "1",
            "--grad-accum",
            accumulate,
            "--backend",
            "cpu",
        ]);
        std::fs::read(dump).expect("gradients")
    };
    let one = gradients(&file("one", vec![1, 4, 16]), "a", "1");
    let two = gradients(&file("two", vec![2, 2, 16]), "b", "2");
    let (one, two) = (SafeTensors::deserialize(&one).expect("a file"), SafeTensors::deserialize(&two).expect("a file"));
    for (name, a) in one.tensors() {
        let (a, b): (Vec<f32>, Vec<f32>) = (
            bytemuck::pod_collect_to_vec(a.data()),
            bytemuck::pod_collect_to_vec(two.tensor(&name).expect("the same").data()),
        );
        let largest = a.iter().fold(1e-6f32, |m, x| m.max(x.abs()));
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4 * largest), "{name}");
    }
}

#[test]
fn what_cannot_be_trained_is_named() {
    let place = Place::new();
    let (text, out, model) = (place.at("text.txt"), place.at("out"), folder("storyteller"));
    let train = |more: &[&str], words: &[&str]| {
        let mut args = vec!["train", "--backend", "cpu"];
        args.extend(more);
        refused(&args, b"", words);
    };
    train(&["--model", &model, "--text", &text, "--out", &out, "--context", "999"], &["Context is 999", "256"]);
    train(&["--model", &model, "--text", &text, "--out", &out, "--lr", "0"], &["Learning rate is 0"]);
    train(&["--model", &model, "--text", "nowhere.txt", "--out", &out], &["nowhere.txt"]);
    train(&["--model", "nowhere", "--text", &text, "--out", &out], &["nowhere"]);
    misused(&["train", "--text", &text, "--out", &out], &["--model"]);
    misused(&["train", "--model", &model, "--out", &out], &["--text", "--replay"]);
    train(&["--preset", "huge", "--text", &text, "--out", &out], &["huge", "nanogpt-cpu"]);
    train(&["--preset", "tiny", "--tokenizer", "words", "--text", &text, "--out", &out], &["words", "bpe:N"]);
    train(&["--preset", "tiny", "--tokenizer", "bpe:x", "--text", &text, "--out", &out], &["bpe:1024"]);
    train(
        &["--model", &model, "--text", &text, "--out", &out, "--lora-rank", "2", "--lora-targets", "c_proj"],
        &["c_proj", "say which"],
    );
    train(&["--model", &model, "--text", &text, "--out", &out, "--resume"], &["training_state.safetensors"]);
    train(&["--model", &model, "--replay", &text, "--out", &out], &["cannot be used"]);
    train(&["--model", &model, "--text", &text, "--out", &model], &["would be lost"]);
    std::fs::write(place.at("empty.txt"), "").expect("written");
    train(&["--model", &model, "--text", &place.at("empty.txt"), "--out", &out], &["empty"]);
    // Nothing of this has made a model.
    assert!(!Path::new(&out).join("model.safetensors").exists());
}

#[test]
fn every_tokenizer_from_scratch() {
    for (tokenizer, vocab) in [("char", None), ("byte", Some(256)), ("bpe:300", None), ("folder", None)] {
        let place = Place::new();
        let (text, out, model) = (place.at("text.txt"), place.at("out"), folder("storyteller"));
        let name = if tokenizer == "folder" { &model } else { tokenizer };
        gpt(&[
            "train",
            "--preset",
            "tiny",
            "--tokenizer",
            name,
            "--text",
            &text,
            "--out",
            &out,
            "--steps",
            "2",
            "--backend",
            "cpu",
            "--batch-size",
            "2",
        ]);
        let config: Value =
            serde_json::from_slice(&std::fs::read(Path::new(&out).join("config.json")).expect("a file")).expect("JSON");
        if let Some(vocab) = vocab {
            assert_eq!(config["vocab_size"], vocab);
        }
        gpt(&[
            "generate",
            "--model",
            &out,
            "--backend",
            "cpu",
            "--prompt",
            "The dog",
            "--max-new-tokens",
            "3",
            "--json",
        ]);
    }
}
