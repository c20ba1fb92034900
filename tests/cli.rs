//! The program `gpt`, run as a user runs it: what it prints and writes equals the references, and what it refuses it
//! names.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::cli::{folder, gpt, gpt_with, json, misused, refused, said};
use common::models::{Reference, SMALL, path};
use common::runner::difference;
use safetensors::SafeTensors;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;

const BACKENDS: [&str; 2] = ["cpu", "gpu"];

fn list(ids: &[u32]) -> String {
    ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).expect("ids")
}

fn floats(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).expect("numbers")
}

/// Tensors that `gpt logits` wrote: shape and values by name.
fn tensors(file: &Path) -> HashMap<String, (Vec<usize>, Vec<f32>)> {
    let bytes = std::fs::read(file).expect("the file that was written");
    let all = SafeTensors::deserialize(&bytes).expect("safetensors");
    let read = |(name, t): (String, safetensors::tensor::TensorView<'_>)| {
        assert_eq!(t.dtype(), safetensors::Dtype::F32, "{name}");
        (name, (t.shape().to_vec(), bytemuck::pod_collect_to_vec(t.data())))
    };
    all.tensors().into_iter().map(read).collect()
}

/// Natural logarithm of the softmax of `logits` at `id`.
fn log_softmax(logits: &[f32], id: u32) -> f64 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&x| f64::from(x - most).exp()).sum();
    f64::from(logits[id as usize] - most) - sum.ln()
}

#[test]
fn greedy_ids_and_their_log_probabilities_equal_the_reference() {
    for (name, backend) in SMALL.iter().flat_map(|name| BACKENDS.map(|backend| (*name, backend))) {
        let reference = Reference::read(name);
        let prompt = &reference.ids("ids")[..reference.ids("n_prompt")[0] as usize];
        let want = reference.ids("greedy");
        let (model, prompt_text, n) = (folder(name), list(prompt), want.len().to_string());
        let got = json(&[
            "generate",
            "--model",
            &model,
            "--backend",
            backend,
            "--prompt-ids",
            &prompt_text,
            "--max-new-tokens",
            &n,
            "--temperature",
            "0",
            "--seed",
            "3",
            "--json",
        ]);
        assert_eq!(ids(&got["ids"]), want, "{name} on {backend}");
        assert_eq!(ids(&got["prompt_ids"]), prompt);
        assert_eq!(got["backend"], backend);
        // These folders hold no tokenizer: then the text stays empty.
        assert_eq!(got["text"], "");
        assert!(got["tokens_per_second"].as_f64().is_some_and(|x| x > 0.0), "{got}");
        // The log-probabilities are those of the logits of the whole text.
        let mut text = prompt.to_vec();
        text.extend(&want[..want.len() - 1]);
        let dir = tempfile::tempdir().expect("a folder");
        let out = dir.path().join("out.safetensors");
        let out_text = out.display().to_string();
        gpt(&["logits", "--model", &model, "--backend", backend, "--ids", &list(&text), "--out", &out_text]);
        let (shape, logits) = tensors(&out).remove("logits").expect("logits");
        assert_eq!(shape[0], text.len());
        let logprobs = floats(&got["logprobs"]);
        assert_eq!(logprobs.len(), want.len());
        for (i, (&id, logprob)) in want.iter().zip(logprobs).enumerate() {
            let row = prompt.len() - 1 + i;
            let expected = log_softmax(&logits[row * shape[1]..][..shape[1]], id);
            assert!((logprob - expected).abs() < 1e-3, "{name} on {backend}, token {i}: {logprob} and {expected}");
        }
    }
}

#[test]
fn the_shipped_model_writes_what_the_reference_writes() {
    let reference = Reference::read("storyteller");
    let (prompt, want) = (reference.ids("ids0"), reference.ids("greedy"));
    let model = folder("storyteller");
    for backend in BACKENDS {
        let got = json(&[
            "generate",
            "--model",
            &model,
            "--backend",
            backend,
            "--prompt-ids",
            &list(&prompt),
            "--max-new-tokens",
            "40",
            "--temperature",
            "0",
            "--ignore-eos",
            "--json",
        ]);
        assert_eq!(ids(&got["ids"]), want[..40], "{backend}");
        // The text is that of the ids, and without --json it is what is printed.
        let input = serde_json::to_vec(&got["ids"]).expect("JSON");
        let text = gpt_with(&["tokenize", "--model", &model, "--decode"], &input);
        assert_eq!(got["text"].as_str().expect("text").as_bytes(), text, "{backend}");
        let plain = gpt(&[
            "generate",
            "--model",
            &model,
            "--backend",
            backend,
            "--prompt-ids",
            &list(&prompt),
            "--max-new-tokens",
            "40",
            "--temperature",
            "0",
            "--ignore-eos",
        ]);
        assert_eq!(plain, [&text[..], b"\n"].concat(), "{backend}");
    }
}

#[test]
fn a_prompt_is_tokenized_and_the_seed_decides() {
    let model = folder("storyteller");
    let prompt = "Once upon a time";
    let prompt_ids: Vec<u32> =
        serde_json::from_slice(&gpt_with(&["tokenize", "--model", &model], prompt.as_bytes())).expect("ids");
    let run = |more: &[&str]| {
        let args =
            ["generate", "--model", &model, "--backend", "cpu", "--prompt", prompt, "--max-new-tokens", "30", "--json"];
        json(&[&args, more].concat())
    };
    let (once, again) = (run(&["--seed", "7"]), run(&["--seed", "7"]));
    assert_eq!(ids(&once["prompt_ids"]), prompt_ids);
    assert_eq!((&once["ids"], &once["logprobs"]), (&again["ids"], &again["logprobs"]));
    assert_ne!(once["ids"], run(&["--seed", "8"])["ids"]);
    let with_bos = ids(&run(&["--seed", "7", "--bos"])["prompt_ids"]);
    assert_eq!(with_bos, [&[0], &prompt_ids[..]].concat());
    assert!(floats(&once["logprobs"]).iter().all(|&p| p <= 0.0));
}

#[test]
fn logits_and_captures_equal_the_reference() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("out.safetensors");
    let out_text = out.display().to_string();
    for (name, backend) in SMALL.iter().flat_map(|name| BACKENDS.map(|backend| (*name, backend))) {
        let reference = Reference::read(name);
        let tokens = reference.ids("ids");
        let (t, (hidden_shape, hidden)) = (tokens.len(), reference.f32("hidden_states"));
        let c = hidden_shape[2];
        gpt(&[
            "logits",
            "--model",
            &folder(name),
            "--backend",
            backend,
            "--ids",
            &list(&tokens),
            "--out",
            &out_text,
            "--capture",
            "h.1",
            "--capture",
            "h.0.attn.qkv",
            "--capture",
            "h.0.attn.probs",
            "--head",
            "2",
        ]);
        let found = tensors(&out);
        assert_eq!(found.len(), 4, "{:?}", found.keys());
        let (want_shape, want) = reference.f32("logits");
        assert_eq!(found["logits"].0, want_shape);
        let d = difference(&found["logits"].1, &want);
        assert!(d < 1e-4, "{name} on {backend}: logits differ by {d:e}");
        assert_eq!(found["h.1"].0, [t, c]);
        let d = difference(&found["h.1"].1, &hidden[2 * t * c..][..t * c]);
        assert!(d < 1e-4, "{name} on {backend}: h.1 differs by {d:e}");
        assert_eq!(found["h.0.attn.qkv"].0, [t, 3 * c]);
        // Rows have the width of the context, which these texts fill.
        let (shape, attention) = reference.f32("attentions");
        assert_eq!(found["h.0.attn.probs"].0, [t, t], "{name}");
        let d = difference(&found["h.0.attn.probs"].1, &attention[2 * t * t..][..t * t]);
        assert!(shape[1] > 2 && d < 1e-4, "{name} on {backend}: attention of head 2 differs by {d:e}");
    }
}

#[test]
fn text_comes_back_from_its_ids() {
    let model = folder("storyteller");
    let text = "Don't  stop —\r\n\tnaïve café, 中文 مرحبا 👩‍👩‍👧 e\u{301} \u{0}\u{1b} 12345 <|endoftext|> end  \n\n";
    let printed = gpt_with(&["tokenize", "--model", &model], text.as_bytes());
    let tokens: Vec<u32> = serde_json::from_slice(&printed).expect("a JSON array of ids");
    assert!(tokens.contains(&0), "the special token has an id of its own: {tokens:?}");
    assert_eq!(gpt_with(&["tokenize", "--model", &model, "--decode"], &printed), text.as_bytes());
    // Half a character is half a character.
    let snowman = gpt_with(&["tokenize", "--model", &model], "☃".as_bytes());
    let tokens: Vec<u32> = serde_json::from_slice(&snowman).expect("ids");
    let first = format!("[{}]", tokens[0]);
    let bytes = gpt_with(&["tokenize", "--model", &model, "--decode"], first.as_bytes());
    assert!(tokens.len() > 1 && "☃".as_bytes().starts_with(&bytes), "{bytes:?}");
    assert_eq!(gpt_with(&["tokenize", "--model", &model], b""), b"[]\n");
    assert_eq!(gpt_with(&["tokenize", "--model", &model, "--decode"], b"[]"), b"");
}

#[test]
fn a_tokenizer_alone_is_enough_to_tokenize() {
    // Two layouts of one vocabulary; the first has an added token more.
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizer");
    let reference: Value =
        serde_json::from_slice(&std::fs::read(fixtures.join("reference.json")).expect("reference.json")).expect("JSON");
    let texts = reference["texts"].as_array().expect("texts");
    for files in [&["tokenizer.json"][..], &["vocab.json", "merges.txt"]] {
        let dir = tempfile::tempdir().expect("a folder");
        for file in files {
            std::fs::copy(fixtures.join(file), dir.path().join(file)).expect("a copy");
        }
        let model = dir.path().display().to_string();
        for at in [4, 5, 12, 26] {
            let text = texts[at].as_str().expect("text");
            let got: Value =
                serde_json::from_slice(&gpt_with(&["tokenize", "--model", &model], text.as_bytes())).expect("ids");
            assert_eq!(got, reference["small"]["ids"][at], "{files:?}: {text:?}");
        }
    }
}

#[test]
fn eval_equals_a_computation_from_the_logits() {
    let model = folder("storyteller");
    let (n_ctx, bos) = (256, 0);
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("text.txt");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizer/train.txt");
    // Long enough for three windows.
    let text = &std::fs::read_to_string(source).expect("train.txt")[..1100];
    std::fs::write(&file, text).expect("a text");
    let mut tokens: Vec<u32> =
        serde_json::from_slice(&gpt_with(&["tokenize", "--model", &model], text.as_bytes())).expect("ids");
    tokens.insert(0, bos);
    assert!(tokens.len() > n_ctx + n_ctx / 2, "{} tokens", tokens.len());
    let (out, mut nats, mut scored, mut start) = (dir.path().join("out.safetensors"), 0.0, 0, 0);
    while scored < tokens.len() - 1 {
        let window = &tokens[start..(start + n_ctx).min(tokens.len())];
        gpt(&[
            "logits",
            "--model",
            &model,
            "--backend",
            "cpu",
            "--ids",
            &list(window),
            "--out",
            &out.display().to_string(),
        ]);
        let (shape, logits) = tensors(&out).remove("logits").expect("logits");
        for row in scored - start..window.len() - 1 {
            nats -= log_softmax(&logits[row * shape[1]..][..shape[1]], window[row + 1]);
            scored += 1;
        }
        start += n_ctx / 2;
    }
    for backend in BACKENDS {
        let got =
            json(&["eval", "--model", &model, "--backend", backend, "--text", &file.display().to_string(), "--json"]);
        let loss = nats / scored as f64;
        let close = |key: &str, want: f64| {
            let value = got[key].as_f64().expect("a number");
            assert!((value - want).abs() < 1e-4 * want, "{backend}, {key}: {value} and {want}");
        };
        close("loss", loss);
        close("perplexity", loss.exp());
        close("bits_per_byte", nats / std::f64::consts::LN_2 / text.len() as f64);
        assert_eq!(got["tokens"], scored);
        assert_eq!(got["bytes"], text.len());
        assert_eq!(got["backend"], backend);
    }
}

#[test]
fn bench_reports_its_measurements() {
    let model = folder("gpt2-tanh-f32");
    for backend in BACKENDS {
        let got = json(&[
            "bench",
            "--model",
            &model,
            "--backend",
            backend,
            "--prefill",
            "16",
            "--decode",
            "8",
            "--repeat",
            "1",
            "--json",
        ]);
        assert_eq!(got["backend"], backend);
        for key in ["prefill_tokens_per_second", "decode_tokens_per_second", "device_bytes"] {
            assert!(got[key].as_f64().is_some_and(|x| x > 0.0), "{backend}, {key}: {got}");
        }
    }
    // Plans of a model that is not there, without a device.
    let config = path("gpt2-tanh-f32", "config.json").display().to_string();
    let text = String::from_utf8(gpt(&["bench", "--config", &config, "--describe"])).expect("text");
    assert!(text.contains("decode:") && text.contains("prefill(33):") && text.contains("logits (1, 97)"), "{text}");
}

/// A copy of a fixture that a test may damage.
fn copy_of(name: &str, files: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for file in files {
        std::fs::copy(path(name, file), dir.path().join(file)).expect("a copy");
    }
    dir
}

#[test]
fn missing_and_broken_files_are_named() {
    let generate = |dir: &Path, words: &[&str]| {
        let model = dir.display().to_string();
        let mut all = vec![model.as_str()];
        all.extend(words);
        refused(&["generate", "--model", &model, "--backend", "cpu", "--prompt-ids", "1", "--json"], b"", &all);
    };
    generate(Path::new("/no/such/folder"), &["config.json", "there is no file"]);
    generate(copy_of("gpt2-tanh-f32", &["model.safetensors"]).path(), &["config.json", "there is no file"]);
    generate(copy_of("gpt2-tanh-f32", &["config.json"]).path(), &["model.safetensors", "there is no file"]);

    let cut = copy_of("gpt2-tanh-f32", &["config.json", "model.safetensors"]);
    let weights = std::fs::read(cut.path().join("model.safetensors")).expect("weights");
    std::fs::write(cut.path().join("model.safetensors"), &weights[..weights.len() - 5]).expect("a write");
    generate(cut.path(), &["model.safetensors"]);
    std::fs::write(cut.path().join("model.safetensors"), "<html>not found</html>").expect("a write");
    generate(cut.path(), &["model.safetensors"]);
    std::fs::write(cut.path().join("config.json"), "{\"n_embd\": 20").expect("a write");
    generate(cut.path(), &["config.json"]);
    let other = copy_of("gpt2-tanh-f32", &["config.json"]);
    std::fs::copy(path("gpt2-erf-f16", "model.safetensors"), other.path().join("model.safetensors")).expect("a copy");
    generate(other.path(), &["model.safetensors", "h.0.attn.c_attn", "the configuration asks for"]);

    // No tokenizer, half of one, a broken one.
    let bare = copy_of("gpt2-tanh-f32", &["config.json", "model.safetensors"]);
    let model = bare.path().display().to_string();
    let tokenize = ["tokenize", "--model", &model];
    refused(&["generate", "--model", &model, "--prompt", "x"], b"", &[&model, "tokenizer.json", "merges.txt"]);
    refused(&tokenize, b"x", &[&model, "tokenizer.json"]);
    std::fs::write(bare.path().join("vocab.json"), "{\"a\": 0}").expect("a write");
    refused(&tokenize, b"x", &[&model, "merges.txt is missing"]);
    std::fs::write(bare.path().join("tokenizer.json"), "{").expect("a write");
    refused(&tokenize, b"x", &[&model, "tokenizer.json"]);
    // With ids it is not needed, and a broken one is only warned of.
    let with_ids =
        ["generate", "--model", &model, "--backend", "cpu", "--prompt-ids", "1", "--max-new-tokens", "2", "--json"];
    assert!(said(&with_ids).contains("tokenizer.json"));
    refused(&["tokenize", "--model", "/no/such/folder"], b"x", &["/no/such/folder"]);
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let (model, shipped) = (folder("gpt2-tanh-f32"), folder("storyteller"));
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("out.safetensors").display().to_string();
    let on = |command: &'static str, more: &[&str], words: &[&str]| {
        refused(&[&[command, "--model", &model, "--backend", "cpu"], more].concat(), b"", words);
    };
    on("generate", &["--prompt-ids", "1,97"], &["97", "vocabulary"]);
    on("generate", &["--prompt-ids", "1", "--temperature", "NaN"], &["temperature"]);
    on("generate", &["--prompt-ids", "1", "--top-p", "0"], &["top-p"]);
    on("generate", &["--prompt-ids", "1", "--max-new-tokens", "0"], &["at least one"]);
    on("generate", &["--prompt-ids", "1", "--bos"], &["bos_token_id", "--bos"]);
    refused(&["generate", "--model", &shipped, "--backend", "cpu", "--prompt", ""], b"", &["prompt is empty", "--bos"]);
    on("logits", &["--ids", "1,2,1000", "--out", &out], &["1000", "vocabulary"]);
    on("logits", &["--ids", &list(&[1; 34]), "--out", &out], &["34", "33"]);
    on("logits", &["--ids", "1", "--out", &out, "--capture", "h.9"], &["h.9", "h.1.attn.qkv"]);
    on("logits", &["--ids", "1", "--out", &out, "--head", "5"], &["head 5"]);
    on("logits", &["--ids", "1", "--out", "/no/such/folder/x.safetensors"], &["/no/such/folder/x.safetensors"]);
    assert!(!Path::new(&out).exists(), "a refused request leaves no file");

    let tokenize = |input: &[u8], words: &[&str]| refused(&["tokenize", "--model", &shipped, "--decode"], input, words);
    tokenize(b"[1, 2048]", &["2048"]);
    tokenize(b"1 2 3", &["JSON array"]);
    tokenize(b"[-1]", &["JSON array"]);
    refused(&["tokenize", "--model", &shipped], b"ab\xff", &["standard input", "UTF-8"]);

    let text = |bytes: &[u8], words: &[&str]| {
        let file = dir.path().join("text.txt");
        std::fs::write(&file, bytes).expect("a text");
        refused(&["eval", "--model", &shipped, "--backend", "cpu", "--text", &file.display().to_string()], b"", words);
    };
    text(b"Once\xff", &["text.txt", "UTF-8"]);
    text(b"", &["too short"]);
    refused(&["eval", "--model", &shipped, "--text", "/no/such.txt"], b"", &["/no/such.txt"]);

    for args in [
        &["generate", "--model", &model][..],
        &["generate", "--model", &model, "--prompt-ids", "1,x"],
        &["generate", "--model", &model, "--prompt", "x", "--prompt-ids", "1"],
        &["generate", "--model", &model, "--prompt", "x", "--backend", "tpu"],
        &["bench"],
        &["dance"],
    ] {
        misused(args, &[]);
    }
}
