//! What `gpt` writes and deletes: nothing but what it made itself.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::cli::{Place, command, folder, message, misused, refused, said};
use safetensors::SafeTensors;
use serde_json::Value;
use std::path::Path;

const CONFIG: &str =
    r#"{"model_type": "gpt2", "vocab_size": 256, "n_positions": 16, "n_embd": 8, "n_head": 2, "n_layer": 1}"#;

/// A place with the configuration of a model that trains in no time.
fn place() -> Place {
    let place = Place::new();
    place.write("small.json", CONFIG);
    place
}

/// The options of a new run that is validated, into `out`.
fn train(place: &Place, out: &str, more: &[&str]) -> Vec<String> {
    let (text, config, out) = (place.at("text.txt"), place.at("small.json"), place.at(out));
    let mut args = vec!["train", "--text", &text, "--config", &config, "--out", &out, "--tokenizer", "byte"];
    args.extend(["--backend", "cpu", "--batch-size", "2", "--context", "8"]);
    args.extend(more);
    args.into_iter().map(String::from).collect()
}

/// The options that go on with the run in `out`.
fn resume(place: &Place, out: &str, more: &[&str]) -> Vec<String> {
    let (text, out) = (place.at("text.txt"), place.at(out));
    let mut args = vec!["train", "--text", &text, "--out", &out, "--resume", "--backend", "cpu"];
    args.extend(more);
    args.into_iter().map(String::from).collect()
}

fn str(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

/// Asserts that a run is refused with these words, and that nothing in the place has changed.
fn untouched(place: &Place, args: &[String], words: &[&str]) {
    let before = place.contents("");
    refused(&str(args), b"", words);
    assert!(place.contents("") == before, "gpt {args:?} has changed something");
}

#[test]
fn a_best_folder_of_the_users_stays() {
    let place = place();
    place.write("out/best/notes.txt", "mine");
    let evaluated = ["--steps", "2", "--eval-every", "1"];
    untouched(&place, &train(&place, "out", &evaluated), &["out/best", "--out", "--eval-every 0"]);
    // Also where the folder is named by a dot.
    let before = place.contents("");
    let args = train(&place, "out", &evaluated).into_iter().map(|a| if a == place.at("out") { ".".into() } else { a });
    let ended = command(&str(&args.collect::<Vec<_>>())).current_dir(place.at("out")).output().expect("gpt");
    assert_eq!(ended.status.code(), Some(1), "{}", message(&ended));
    assert!(place.contents("") == before);
    // A run without best weights has no need of it, and one that goes on with some must not take it either.
    said(&str(&train(&place, "out", &["--steps", "2", "--eval-every", "0"])));
    untouched(&place, &resume(&place, "out", &["--steps", "4", "--eval-every", "1"]), &["out/best", "rename it"]);
    assert_eq!(place.read("out/best/notes.txt"), b"mine");
    // Nor a model of another making: here the shipped one, and one of gpt's own.
    for model in ["storyteller", "merged"] {
        std::fs::remove_dir_all(place.at("out/best")).expect("removed");
        let weights = match model {
            "storyteller" => std::fs::read(Path::new(&folder(model)).join("model.safetensors")).expect("weights"),
            _ => place.read("out/model.safetensors"),
        };
        place.write("out/best/model.safetensors", weights);
        untouched(&place, &resume(&place, "out", &["--steps", "4", "--eval-every", "1"]), &["out/best", "rename it"]);
    }
}

#[test]
fn the_runs_own_best_folder_goes_without_what_the_user_put_there() {
    let place = place();
    // It unlearns, so that the best weights stay.
    let rate = ["--lr", "1", "--schedule", "constant", "--warmup", "0"];
    said(&str(&train(&place, "out", &["--steps", "1", "--eval-every", "1", "--lr", "0.01", "--warmup", "0"])));
    let said_then = said(&str(&resume(&place, "out", &[&["--steps", "3"][..], &rate].concat())));
    assert!(
        said_then.contains("kept in") && place.files("out/best").contains(&"model.safetensors".into()),
        "{said_then}"
    );
    let best = place.read("out/best/model.safetensors");
    let mut with_note = place.contents("out/best");
    place.write("out/best/notes.txt", "mine");
    with_note.insert(place.at("out/best/notes.txt").into(), b"mine".to_vec());
    // A run that gets no better leaves all of it alone.
    said(&str(&resume(&place, "out", &[&["--steps", "4"][..], &rate].concat())));
    assert!(place.contents("out/best") == with_note && place.read("out/best/model.safetensors") == best);
    // One whose last weights are the best takes its own away.
    let said_then = said(&str(&resume(&place, "out", &["--steps", "400", "--lr", "0.02", "--eval-every", "400"])));
    assert!(said_then.contains("the lowest so far"), "{said_then}");
    assert_eq!(place.files("out/best"), ["notes.txt"]);
}

#[test]
fn a_folder_with_anything_of_a_model_is_refused() {
    let shipped = folder("storyteller");
    for file in [
        "config.json",
        "tokenizer.json",
        "vocab.json",
        "pytorch_model.bin",
        "pytorch_model-00001-of-00002.bin",
        "model-00001-of-00002.safetensors",
        "adapter_model.safetensors",
        "adapter_config.json",
        "llama.gguf",
    ] {
        let place = place();
        place.write(&format!("out/{file}"), "another's");
        place.write("out/notes.txt", "mine");
        let words = [file, "would be lost", "--out"];
        untouched(&place, &train(&place, "out", &["--steps", "1"]), &words);
        let (text, out) = (place.at("text.txt"), place.at("out"));
        let tune = ["train", "--model", &shipped, "--text", &text, "--out", &out, "--lora-rank", "2"].map(String::from);
        untouched(&place, &tune, &words);
        let merge = ["merge", "--model", &shipped, "--adapter", "nowhere", "--out", &out].map(String::from);
        untouched(&place, &merge, &words);
        // A file for a folder.
        untouched(&place, &train(&place, &format!("out/{file}"), &["--steps", "1"]), &["no folder", "--out"]);
    }
    // A folder with other things will do.
    let place = place();
    place.write("out/notes.txt", "mine");
    said(&str(&train(&place, "out", &["--steps", "1"])));
    assert_eq!(place.read("out/notes.txt"), b"mine");
}

/// Before hours of training.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_refused() {
    let place = place();
    let args = train(&place, "out", &["--steps", "1"]).into_iter();
    let args: Vec<String> = args.map(|a| if a == place.at("out") { "/proc/self".into() } else { a }).collect();
    untouched(&place, &args, &["/proc/self/training_state.safetensors cannot be written"]);
    let ended = command(&str(&args)).output().expect("gpt");
    assert!(!message(&ended).contains("memory"), "{}", message(&ended));
}

#[test]
fn a_single_file_takes_the_place_of_its_own_kind_alone() {
    let place = place();
    said(&str(&train(&place, "out", &["--steps", "1", "--eval-every", "0"])));
    let model = place.at("out");
    let logits = |out: &str, ids: &str| {
        ["logits", "--model", &model, "--backend", "cpu", "--ids", ids, "--out", &place.at(out)].map(String::from)
    };
    for file in ["out/model.safetensors", "out/training_state.safetensors", "text.txt", "out/config.json"] {
        untouched(&place, &logits(file, "1"), &[file, "stays as it is", "another name"]);
        untouched(&place, &train(&place, "more", &["--dump-gradients", &place.at(file)]), &[file]);
    }
    untouched(&place, &logits("out", "1"), &["is a folder"]);
    untouched(&place, &logits("nowhere/logits", "1"), &["no folder"]);
    // Its own it replaces, and an empty file is nobody's loss.
    place.write("logits", "");
    said(&str(&logits("logits", "1")));
    let first = place.read("logits");
    said(&str(&logits("logits", "2,3")));
    assert_ne!(place.read("logits"), first);
    untouched(
        &place,
        &train(&place, "more", &["--dump-gradients", &place.at("logits")]),
        &["gpt train --dump-gradients"],
    );
    assert!(!place.files("").iter().any(|name| name.contains("part")), "{:?}", place.files(""));
}

#[test]
fn files_that_would_be_one_are_refused() {
    let place = place();
    let (log, text, config) = (place.at("log.jsonl"), place.at("text.txt"), place.at("small.json"));
    let with = |more: &[&str]| train(&place, "out", &[&["--steps", "1"], more].concat());
    for (args, words) in [
        (with(&["--log", &text]), ["--log", "--text"]),
        (with(&["--log", &config]), ["--log", "--config"]),
        (with(&["--log", &log, "--dump-gradients", &log]), ["--log", "--dump-gradients"]),
        (with(&["--log", &place.at("out/config.json")]), ["--log", "config.json of --out"]),
        (with(&["--dump-gradients", &place.at("out/best/model.safetensors")]), ["--dump-gradients", "of --out"]),
        (with(&["--log", &place.at("out/../text.txt")]), ["--log", "--text"]),
    ] {
        std::fs::create_dir_all(place.at("out")).expect("a folder");
        untouched(&place, &args, &words);
    }
    untouched(&place, &with(&["--log", &place.at("nowhere/log.jsonl")]), &["no folder", "nowhere"]);
    untouched(&place, &with(&["--log", &place.at("out")]), &["is a folder"]);
    // A model's file, though it is not the one that is trained.
    place.write("other/model.safetensors", "another's");
    untouched(&place, &with(&["--log", &place.at("other/model.safetensors")]), &["a model's file"]);
    // By whatever name.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&text, place.at("link")).expect("a link");
        std::fs::hard_link(&text, place.at("hard")).expect("a link");
        for name in ["link", "hard"] {
            untouched(&place, &with(&["--log", &place.at(name)]), &["--log", "--text", "one file"]);
        }
    }
}

#[test]
fn a_folder_has_one_writer() {
    let place = place();
    said(&str(&train(&place, "out", &["--steps", "1"])));
    // The lock that a run holds as long as it lives.
    let lock = std::fs::File::open(place.at("out")).expect("a folder");
    lock.lock().expect("a lock");
    let words = ["another gpt is writing", "choose another --out"];
    untouched(&place, &resume(&place, "out", &["--steps", "2"]), &words);
    untouched(&place, &train(&place, "out", &["--steps", "2"]), &words);
    drop(lock);
    said(&str(&resume(&place, "out", &["--steps", "2"])));
}

#[test]
fn a_run_does_not_go_back() {
    let place = place();
    let log = place.at("log.jsonl");
    said(&str(&train(&place, "out", &["--steps", "8", "--eval-every", "0", "--log", &log])));
    let back = resume(&place, "out", &["--steps", "7", "--log", &log]);
    untouched(&place, &back, &["already at step 8", "--steps 7", "more --steps"]);
    // As many as are done are done.
    let said_then = said(&str(&resume(&place, "out", &["--steps", "8", "--log", &log])));
    assert!(said_then.contains("nothing was left to do"), "{said_then}");
    said(&str(&resume(&place, "out", &["--steps", "9", "--log", &log])));
    assert_eq!(place.log("log.jsonl").len(), 9);
}

#[test]
fn what_a_resumed_run_would_ignore_is_refused() {
    let place = place();
    said(&str(&train(&place, "out", &["--steps", "1", "--eval-every", "0"])));
    let shipped = folder("storyteller");
    let more = |more: &[&str]| resume(&place, "out", &[&["--steps", "2"], more].concat());
    untouched(&place, &more(&["--model", &shipped]), &["reads no other model", "leave --model out"]);
    let before = place.contents("");
    misused(&str(&more(&["--tokenizer", "char"])), &["--resume", "--tokenizer"]);
    misused(&str(&more(&["--dump-gradients", &place.at("gradients")])), &["--resume", "--dump-gradients"]);
    misused(&str(&more(&["--preset", "tiny"])), &["--resume", "--preset"]);
    untouched(&place, &more(&["--lora-rank", "2"]), &["other adapters"]);
    assert!(place.contents("") == before);
}

#[test]
fn an_adapter_goes_on_beside_its_own_base_alone() {
    let place = place();
    let shipped = folder("storyteller");
    let (mine, other) = (place.at("mine"), place.at("other"));
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let mut bytes = std::fs::read(Path::new(&shipped).join(name)).expect("a file");
        place.write(&format!("mine/{name}"), &bytes);
        if name == "model.safetensors" {
            // One weight, by its last bit.
            let last = bytes.len() - 4;
            bytes[last] ^= 1;
        }
        place.write(&format!("other/{name}"), &bytes);
    }
    let (text, out) = (place.at("text.txt"), place.at("out"));
    let tune = ["train", "--text", &text, "--out", &out, "--backend", "cpu", "--batch-size", "1", "--context", "8"];
    said(&[&tune[..], &["--model", &mine, "--lora-rank", "2", "--steps", "1", "--eval-every", "0"]].concat());
    let go_on = |model: &str| resume(&place, "out", &["--steps", "2", "--model", model]);
    untouched(&place, &go_on(&other), &["not trained beside the weights in", "other", "--model"]);
    // A base that was moved is the same base, and the adapter's file says where it lies now.
    std::fs::rename(&mine, place.at("moved")).expect("renamed");
    refused(&str(&resume(&place, "out", &["--steps", "2"])), b"", &["mine/config.json"]);
    said(&str(&go_on(&place.at("moved"))));
    let config: Value = serde_json::from_slice(&place.read("out/adapter_config.json")).expect("JSON");
    assert_eq!(config["base_model_name_or_path"], place.at("moved"));
    said(&str(&resume(&place, "out", &["--steps", "3"])));
    // Who writes with it beside another is told.
    let generate = ["generate", "--backend", "cpu", "--prompt-ids", "1", "--max-new-tokens", "1", "--adapter", &out];
    assert!(said(&[&generate[..], &["--model", &other]].concat()).contains("warning: the adapter"));
    assert!(!said(&[&generate[..], &["--model", &shipped]].concat()).contains("warning"));
}

#[test]
fn a_run_of_an_earlier_version_goes_on() {
    let place = place();
    said(&str(&train(&place, "out", &["--steps", "2", "--eval-every", "0"])));
    // Which did not write who made the weights.
    let bytes = place.read("out/model.safetensors");
    let (length, _) = SafeTensors::read_metadata(&bytes).expect("a header");
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).expect("JSON");
    header["__metadata__"].as_object_mut().expect("an object").remove("gpt_playground.made_by").expect("a maker");
    let header = header.to_string();
    let old = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &bytes[8 + length..]].concat();
    place.write("out/model.safetensors", &old);
    said(&str(&resume(&place, "out", &["--steps", "3"])));
    assert_ne!(place.read("out/model.safetensors"), old);
    // Weights that somebody else put there are another matter, and so is a configuration that somebody has changed.
    let shipped = std::fs::read(Path::new(&folder("storyteller")).join("model.safetensors")).expect("weights");
    place.write("out/model.safetensors", &shipped);
    untouched(&place, &resume(&place, "out", &["--steps", "4"]), &["model.safetensors", "stays as it is"]);
    place.write("out/model.safetensors", &old);
    let config = String::from_utf8(place.read("out/config.json")).expect("UTF-8").replacen('{', "{\"mine\": 1,", 1);
    place.write("out/config.json", &config);
    let said_then = said(&str(&resume(&place, "out", &["--steps", "4"])));
    assert!(said_then.contains("warning: ") && said_then.contains("config.json is not as this program"), "{said_then}");
    assert_eq!(place.read("out/config.json"), config.as_bytes());
}

/// Half-written files of a run that was killed go with the next one; other programs' stay, whatever they end in.
#[test]
fn half_written_files_of_its_own_are_removed() {
    let place = place();
    said(&str(&train(&place, "out", &["--steps", "1", "--eval-every", "0"])));
    place.write("out/model.safetensors.77-0.gpt-part", "half");
    for name in ["model.safetensors.part", "notes.gpt-part", "model.safetensors.mine.gpt-part"] {
        place.write(&format!("out/{name}"), "mine");
    }
    said(&str(&resume(&place, "out", &["--steps", "2"])));
    let left: Vec<_> = place.files("out").into_iter().filter(|name| name.ends_with("part")).collect();
    assert_eq!(left, ["model.safetensors.mine.gpt-part", "model.safetensors.part", "notes.gpt-part"]);
}
