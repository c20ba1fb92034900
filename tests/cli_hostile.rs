//! Files that claim more than they hold, or hold more than they should: said before any memory is taken for them.
#![cfg(unix)]

mod common;

use common::cli::{folder, gpt, message, refused};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// So much may `gpt` address in these tests, in KiB: the program and what it reads, but no model of gigabytes.
const MEMORY_KIB: u32 = 1_000_000;

/// Runs `gpt` within [`MEMORY_KIB`]; it must end with 1 and say all of `words`.
fn refused_in_little_memory(args: &[&str], words: &[&str]) {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_gpt")]);
    let out: Output = command.args(args).output().expect("gpt starts");
    let message = message(&out);
    assert_eq!(out.status.code(), Some(1), "gpt {args:?}: {message}");
    for word in words {
        assert!(message.contains(word), "gpt {args:?} does not mention {word:?}: {message}");
    }
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().expect("a folder"))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A copy of a fixture's folder.
    fn copy(&self, from: &str, name: &str) -> PathBuf {
        let to = self.at(name);
        std::fs::create_dir(&to).expect("a folder");
        for file in std::fs::read_dir(from).expect("a folder") {
            let file = file.expect("a file").path();
            std::fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("a copy");
        }
        to
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of Unicode")
}

/// Changes the configuration of a folder to one of two billion parameters, of which each matrix may be computed with.
fn enlarge(folder: &Path) {
    let path = folder.join("config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
    let huge =
        json!({"n_embd": 3328, "n_head": 26, "n_inner": 8192, "n_layer": 20, "n_positions": 64, "vocab_size": 2048});
    config.as_object_mut().expect("an object").extend(huge.as_object().expect("an object").clone());
    std::fs::write(path, config.to_string()).expect("written");
}

#[test]
fn a_configuration_that_asks_for_more_than_the_weights_hold() {
    let place = Place::new();
    let model = place.copy(&folder("storyteller"), "model");
    enlarge(&model);
    let args = ["generate", "--model", text(&model), "--backend", "cpu", "--prompt", "Once"];
    refused_in_little_memory(&args, &["c_attn.bias", "has shape [480]", "but the configuration asks for [9984]"]);

    // In several files, of which each looks as it should by itself.
    let weights = std::fs::read(model.join("model.safetensors")).expect("a file");
    let sharded = place.copy(text(&model), "sharded");
    std::fs::rename(sharded.join("model.safetensors"), sharded.join("b.safetensors")).expect("renamed");
    let header = b"{\"lm_head.weight\":{\"dtype\":\"F32\",\"shape\":[2048,3328],\"data_offsets\":[0,27262976]}}";
    let mut first = (header.len() as u64).to_le_bytes().to_vec();
    first.extend(header);
    first.resize(first.len() + 27_262_976, 0);
    std::fs::write(sharded.join("a.safetensors"), &first).expect("written");
    let config =
        gpt_playground::config::GptConfig::from_json(&std::fs::read(sharded.join("config.json")).expect("a file"));
    let specs = gpt_playground::model::params::param_specs(&config.expect("a configuration"));
    let mut map: serde_json::Map<String, Value> =
        specs.iter().map(|s| (s.name.clone(), json!("b.safetensors"))).collect();
    map.insert("lm_head.weight".into(), json!("a.safetensors"));
    let index = json!({ "weight_map": map });
    std::fs::write(sharded.join("model.safetensors.index.json"), index.to_string()).expect("written");
    let args = ["generate", "--model", text(&sharded), "--backend", "cpu", "--prompt", "Once"];
    refused_in_little_memory(&args, &["c_attn.bias", "has shape"]);

    // A header that claims as much as the configuration, over fewer bytes.
    let claimed = place.copy(text(&model), "claimed");
    let mut offset = 0u64;
    let mut map = serde_json::Map::new();
    for spec in &specs {
        let end = offset + 4 * spec.numel() as u64;
        map.insert(spec.name.clone(), json!({"dtype": "F32", "shape": spec.shape, "data_offsets": [offset, end]}));
        offset = end;
    }
    let header = Value::Object(map).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(&weights[..480_000]);
    std::fs::write(claimed.join("model.safetensors"), file).expect("written");
    let args = ["generate", "--model", text(&claimed), "--backend", "cpu", "--prompt", "Once"];
    refused_in_little_memory(&args, &["model.safetensors: ", "truncated", &format!("{offset}")[..5]]);
}

#[test]
fn a_saved_run_of_another_size_than_its_configuration() {
    let place = Place::new();
    let (words, out) = (place.at("words.txt"), place.at("out"));
    std::fs::write(&words, "some words to learn, and some more of them. ".repeat(20)).expect("written");
    let train = ["train", "--text", text(&words), "--out", text(&out), "--backend", "cpu"];
    gpt(&[&train[..], &["--preset", "tiny", "--tokenizer", "byte", "--steps", "1", "--batch-size", "1"]].concat());
    let again = [&train[..], &["--resume", "--steps", "2"]].concat();
    let state = out.join("training_state.safetensors");
    let good = std::fs::read(&state).expect("a state");

    // One flipped bit is said to be damage, and where.
    let mut bad = good.clone();
    let at = good.len() / 2;
    bad[at] ^= 0x40;
    std::fs::write(&state, &bad).expect("written");
    refused(&again, b"", &["training_state.safetensors: the saved run is damaged: the values of "]);
    std::fs::write(&state, &good).expect("written");

    let config = std::fs::read(out.join("config.json")).expect("a file");
    enlarge(&out);
    refused_in_little_memory(&again, &["training_state.safetensors: ", "has shape", "in the saved run, but"]);
    std::fs::write(out.join("config.json"), config).expect("written");
    gpt(&again);
}

#[test]
fn an_adapter_of_another_size_than_its_configuration() {
    let place = Place::new();
    let model = folder("gpt2-tanh-f32");
    let training = Path::new(&model).join("../../training/lora");
    let adapter = place.copy(text(&training), "adapter");
    let args = |adapter: &Path| {
        let args = ["logits", "--model", &model, "--backend", "cpu", "--ids", "1,2", "--out", "/dev/null", "--adapter"];
        args.iter().map(|a| a.to_string()).chain([text(adapter).to_string()]).collect::<Vec<_>>()
    };
    let weights = adapter.join("adapter_model.safetensors");
    let good = std::fs::read(&weights).expect("a file");
    // Sparse: its length says a terabyte, its header as much as before.
    std::fs::File::options().write(true).open(&weights).expect("a file").set_len(1 << 40).expect("longer");
    let all = args(&adapter);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    refused_in_little_memory(&all, &["adapter_model.safetensors", "longer than its header says"]);
    std::fs::write(&weights, good).expect("written");
    gpt(&all);
}

#[test]
fn small_files_that_are_not_small() {
    let place = Place::new();
    let model = place.copy(&folder("storyteller"), "model");
    let generate =
        ["generate", "--model", text(&model), "--backend", "cpu", "--prompt", "Once", "--max-new-tokens", "1"];
    for (name, mib) in [("config.json", 16), ("tokenizer.json", 64), ("tokenizer_config.json", 64)] {
        let path = model.join(name);
        let good = std::fs::read(&path).expect("a file");
        // Sparse, so that the disk does not mind.
        let file = std::fs::File::options().write(true).open(&path).expect("a file");
        file.set_len(4 << 30).expect("longer");
        refused_in_little_memory(&generate, &[name, &format!("larger than {mib} MiB")]);
        std::fs::write(&path, good).expect("written");
    }
    let tokenize = ["tokenize", "--model", text(&model)];
    std::fs::remove_file(model.join("tokenizer.json")).expect("removed");
    std::fs::write(model.join("vocab.json"), "{}").expect("written");
    std::fs::File::create(model.join("merges.txt")).expect("a file").set_len(4 << 30).expect("longer");
    refused_in_little_memory(&tokenize, &["merges.txt", "larger than 64 MiB"]);
    // A file that is there and cannot be read is not one that is missing.
    std::fs::remove_file(model.join("merges.txt")).expect("removed");
    std::fs::create_dir(model.join("merges.txt")).expect("a folder");
    refused(&tokenize, b"", &["merges.txt cannot be read"]);
}

#[test]
fn many_added_tokens_that_begin_alike() {
    let place = Place::new();
    let model = place.copy(&folder("storyteller"), "model");
    let path = model.join("tokenizer.json");
    let mut file: Value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
    let beginning = "a".repeat(10);
    let added: Vec<Value> = (0..200_000)
        .map(|i| json!({"id": 2048 + i, "content": format!("{beginning}{i}"), "special": i % 2 == 0, "normalized": i % 3 == 0}))
        .collect();
    file["added_tokens"] = Value::from(added);
    std::fs::write(&path, file.to_string()).expect("written");
    let input = format!("{}7", "a".repeat(300_000));
    let ids: Vec<u32> =
        serde_json::from_slice(&common::cli::gpt_with(&["tokenize", "--model", text(&model)], input.as_bytes()))
            .expect("ids");
    assert_eq!(ids.last(), Some(&(2048 + 7)));
    // So many bytes of them would take too much memory.
    file["added_tokens"][0]["content"] = Value::from("b".repeat(5 << 20));
    std::fs::write(&path, file.to_string()).expect("written");
    refused(&["tokenize", "--model", text(&model)], b"", &["added tokens of", "more than 4194304"]);
}
