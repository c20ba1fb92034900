//! `gpt` among other programs: logs and results through pipes and devices, readers that leave, signals.
#![cfg(unix)]

mod common;

use common::cli::{Place, command, folder, gpt, message, refused, said};
use gpt_playground::train::read_state;
use safetensors::SafeTensors;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

const CONFIG: &str =
    r#"{"model_type": "gpt2", "vocab_size": 256, "n_positions": 16, "n_embd": 8, "n_head": 2, "n_layer": 1}"#;

/// The options of a new run into `out`.
fn train(place: &Place, more: &[&str]) -> Vec<String> {
    let (text, config, out) = (place.at("text.txt"), place.write("small.json", CONFIG), place.at("out"));
    let mut args = vec!["train", "--text", &text, "--config", &config, "--out", &out, "--tokenizer", "byte"];
    args.extend(["--backend", "cpu", "--batch-size", "1", "--context", "8", "--eval-every", "0"]);
    args.extend(more);
    args.into_iter().map(String::from).collect()
}

fn resume(place: &Place, more: &[&str]) -> Vec<String> {
    let (text, out) = (place.at("text.txt"), place.at("out"));
    let mut args = vec!["train", "--text", &text, "--out", &out, "--resume", "--backend", "cpu"];
    args.extend(more);
    args.into_iter().map(String::from).collect()
}

fn str(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

fn saved_step(place: &Place) -> usize {
    pollster::block_on(read_state(&place.read("out/training_state.safetensors"))).expect("a saved run").step
}

fn pipe(place: &Place, name: &str) -> String {
    assert!(Command::new("mkfifo").arg(place.at(name)).status().expect("mkfifo").success());
    place.at(name)
}

/// A run whose end nobody waits for, with its log as standard output, and the reader of that.
fn endless(place: &Place, runner: &mut Command) -> (Child, BufReader<std::process::ChildStdout>) {
    let args = train(place, &["--steps", "9000000", "--save-every", "0", "--log", "/dev/stdout"]);
    // The tests themselves may run under nohup, whose deafness to SIGHUP is handed down.
    let heed_hangups = || {
        // SAFETY: between fork and exec this calls `signal` alone, which is async-signal-safe.
        unsafe { libc::signal(libc::SIGHUP, libc::SIG_DFL) };
        Ok(())
    };
    // SAFETY: as above.
    let runner = unsafe { runner.pre_exec(heed_hangups) };
    let mut child = runner.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("gpt starts");
    let mut log = BufReader::new(child.stdout.take().expect("a pipe"));
    // It trains.
    let mut line = String::new();
    log.read_line(&mut line).expect("a line");
    assert!(line.starts_with("{\"step\":1,"), "{line:?}");
    (child, log)
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
}

/// The run goes on after what its log says.
fn goes_on_after(place: &Place, log: &str) {
    let steps = log.lines().count() + 1;
    assert_eq!(saved_step(place), steps, "the last step in the log is the one that was saved");
    said(&str(&resume(place, &["--steps", &(steps + 2).to_string()])));
    assert_eq!(saved_step(place), steps + 2);
}

#[test]
fn a_signal_saves() {
    for name in ["INT", "TERM", "HUP"] {
        let place = Place::new();
        let (child, mut log) = endless(&place, &mut command(&[]));
        signal(&child, name);
        if name != "INT" {
            // Batch systems and shells send these more than once.
            signal(&child, name);
        }
        let mut rest = String::new();
        log.read_to_string(&mut rest).expect("a log");
        let ended = child.wait_with_output().expect("gpt ends");
        assert!(ended.status.success(), "{name}: {}", message(&ended));
        assert!(message(&ended).contains("stopped and saved; go on with --resume"), "{name}: {}", message(&ended));
        goes_on_after(&place, &rest);
    }
}

#[test]
fn nohup_is_respected() {
    let place = Place::new();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_gpt")]);
    let (child, mut log) = endless(&place, &mut shell);
    signal(&child, "HUP");
    // As many lines as no pipe holds: it has gone on.
    let mut line = String::new();
    for _ in 0..2000 {
        line.clear();
        assert!(log.read_line(&mut line).expect("a line") > 0, "the run has ended");
    }
    signal(&child, "TERM");
    log.read_to_string(&mut line).expect("a log");
    assert!(child.wait_with_output().expect("gpt ends").status.success());
}

/// Neither the log nor what is said costs the run anything when nobody reads any more.
#[test]
fn readers_that_leave_cost_nothing() {
    let place = Place::new();
    // `2>&1 | head`
    let (mut child, log) = endless(&place, &mut command(&[]));
    drop((log, child.stderr.take()));
    // It is still there, and stops when it is told.
    signal(&child, "TERM");
    let ended = child.wait().expect("gpt ends");
    assert!(ended.success(), "{ended}");
    assert!(saved_step(&place) >= 1);

    // From the first word on.
    let place = Place::new();
    let mut run = command(&str(&train(&place, &["--steps", "2", "--log", "/dev/stdout"])));
    let mut child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("gpt starts");
    drop((child.stdout.take(), child.stderr.take()));
    let ended = child.wait().expect("gpt ends");
    assert!(ended.success(), "{ended}");
    assert_eq!(saved_step(&place), 2);
    // What was asked for and cannot be given is an error without a word.
    let mut child = command(&["eval", "--model", "nowhere", "--text", "nowhere"]);
    let mut child = child.stderr(Stdio::piped()).spawn().expect("gpt starts");
    drop(child.stderr.take());
    assert_eq!(child.wait().expect("gpt ends").code(), Some(1));
    // A result that nobody reads to its end is no error, as of other programs.
    let model = folder("storyteller");
    let args = ["generate", "--model", &model, "--backend", "cpu", "--prompt", "Once", "--max-new-tokens", "500"];
    let mut child =
        command(&args).arg("--ignore-eos").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("gpt starts");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("gpt ends");
    assert_eq!((ended.status.code(), message(&ended).as_str()), (Some(0), ""));
}

#[test]
fn a_full_disk_under_the_log_is_said_once_and_the_run_is_saved() {
    let place = Place::new();
    let said_then = said(&str(&train(&place, &["--steps", "4", "--log", "/dev/full"])));
    let warnings: Vec<&str> = said_then.lines().filter(|line| line.starts_with("warning")).collect();
    assert_eq!(warnings.len(), 1, "{said_then}");
    assert!(warnings[0].contains("/dev/full"), "{said_then}");
    assert_eq!(saved_step(&place), 4);
}

#[test]
fn a_log_goes_through_a_pipe() {
    let place = Place::new();
    let log = gpt(&str(&train(&place, &["--steps", "3", "--log", "/dev/stdout"])));
    assert_eq!(String::from_utf8(log).expect("UTF-8").lines().count(), 3);
    // Nor is it read when a run goes on.
    let log = gpt(&str(&resume(&place, &["--steps", "5", "--log", "/dev/stdout"])));
    assert!(String::from_utf8(log).expect("UTF-8").starts_with("{\"step\":4,"));

    let fifo = pipe(&place, "fifo");
    refused(&str(&resume(&place, &["--steps", "6", "--log", &fifo])), b"", &["nobody reads from", "fifo"]);
    assert_eq!(saved_step(&place), 5);
    // A reader that has opened it and stands still: the run is saved, and the log waits.
    let mut child = command(&str(&resume(&place, &["--steps", "3000", "--log", &fifo])));
    let reader = File::options().read(true).write(true).open(&fifo).expect("a pipe");
    let mut child = child.stderr(Stdio::piped()).spawn().expect("gpt starts");
    while saved_step(&place) < 3000 {
        assert!(child.try_wait().expect("a child").is_none(), "gpt has ended early");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let mut lines = BufReader::new(reader).lines();
    for step in 6..=3000 {
        let line = lines.next().expect("a line").expect("UTF-8");
        assert!(line.starts_with(&format!("{{\"step\":{step},")), "{line}");
    }
    assert!(child.wait().expect("gpt ends").success());
    assert!(std::fs::metadata(&fifo).expect("a pipe").file_type().is_fifo());
}

#[test]
fn a_log_is_added_to() {
    let place = Place::new();
    let log = place.write("log.jsonl", "whatever was there\n");
    said(&str(&train(&place, &["--steps", "2", "--log", &log])));
    let text = String::from_utf8(place.read("log.jsonl")).expect("UTF-8");
    assert!(text.starts_with("whatever was there\n{\"step\":1,") && text.lines().count() == 3, "{text}");
    // Lines are taken off a log alone, and the refusal comes before all else.
    let before = place.contents("");
    refused(&str(&resume(&place, &["--steps", "4", "--log", &log])), b"", &["line 1 of", "another --log"]);
    assert!(place.contents("") == before);
    // Another run's lines stay, and so do a torn one's, by whatever name the log goes.
    let line = text.lines().nth(1).expect("a line");
    let others = [line, &line.replace("\"step\":1", "\"step\":7"), &line[..40]].join("\n");
    place.write("real.jsonl", &others);
    let link = place.at("link.jsonl");
    std::os::unix::fs::symlink(place.at("real.jsonl"), &link).expect("a link");
    std::fs::remove_dir_all(place.at("out")).expect("removed");
    said(&str(&train(&place, &["--steps", "3", "--log", &link])));
    let unsaved = line.replace("\"step\":1", "\"step\":4");
    let text = String::from_utf8(place.read("real.jsonl")).expect("UTF-8") + &unsaved + "\n{\"step\":5,\"lo";
    place.write("real.jsonl", text);
    said(&str(&resume(&place, &["--steps", "5", "--log", &link])));
    let text = String::from_utf8(place.read("real.jsonl")).expect("UTF-8");
    assert!(text.starts_with(&(others + "\n{\"step\":1,")), "{text}");
    let steps: Vec<u64> = text
        .lines()
        .skip(3)
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .map(|line| line["step"].as_u64().expect("a step"))
        .collect();
    assert_eq!(steps, [1, 2, 3, 4, 5]);
    assert!(std::fs::symlink_metadata(&link).expect("a link").is_symlink());
}

#[test]
fn results_go_to_devices_pipes_and_links_as_they_are() {
    let place = Place::new();
    let model = folder("storyteller");
    let logits =
        |out: &str| ["logits", "--model", &model, "--backend", "cpu", "--ids", "5,6", "--out", out].map(String::from);
    said(&str(&logits(&place.at("file"))));
    let want = place.read("file");
    let tensors = |bytes: &[u8]| SafeTensors::deserialize(bytes).expect("safetensors").len();
    assert_eq!(tensors(&want), 1);
    // A pipe stays a pipe, and gets what a file does.
    let fifo = pipe(&place, "fifo");
    refused(&str(&logits(&fifo)), b"", &["nobody reads from"]);
    let reader = Command::new("cat").arg(&fifo).stdout(Stdio::piped()).spawn().expect("cat");
    // Opened to write without waiting for the reader: from here on there is one.
    let held = File::options().read(true).write(true).open(&fifo).expect("a pipe");
    said(&str(&logits(&fifo)));
    drop(held);
    assert!(reader.wait_with_output().expect("cat ends").stdout == want);
    assert!(std::fs::metadata(&fifo).expect("a pipe").file_type().is_fifo());
    assert!(gpt(&str(&logits("/dev/stdout"))) == want);
    said(&str(&logits("/dev/null")));
    refused(&str(&logits("/dev/full")), b"", &["/dev/full cannot be written", "space"]);
    for device in ["/dev/null", "/dev/full"] {
        assert!(std::fs::metadata(device).expect("a device").file_type().is_char_device());
    }
    // So with the gradients of a run.
    said(&str(&train(&place, &["--steps", "1", "--dump-gradients", "/dev/null"])));
    // A link stays a link; what it leads to is replaced, also where it is not there yet.
    for (link, target) in [("link", "file"), ("dangling", "new")] {
        std::os::unix::fs::symlink(target, place.at(link)).expect("a link");
        said(&str(&logits(&place.at(link))));
        assert!(std::fs::symlink_metadata(place.at(link)).expect("a link").is_symlink());
        assert!(place.read(target) == want);
    }
    std::os::unix::fs::symlink("circle", place.at("circle")).expect("a link");
    refused(&str(&logits(&place.at("circle"))), b"", &["circle cannot be written"]);
    // Its permissions are kept.
    Command::new("chmod").args(["600", &place.at("file")]).status().expect("chmod");
    said(&str(&logits(&place.at("file"))));
    assert_eq!(std::fs::metadata(place.at("file")).expect("a file").mode() & 0o777, 0o600);
}

/// Libraries that are only asked whether there is a GPU say nothing.
#[test]
fn all_that_is_said_is_gpts() {
    let model = folder("storyteller");
    for runtime in [None, Some(""), Some("relative"), Some("/nowhere")] {
        for backend in ["auto", "gpu"] {
            let mut run =
                command(&["generate", "--model", &model, "--backend", backend, "--prompt-ids", "5,6", "--json"]);
            run.args(["--max-new-tokens", "1"]).env_remove("XDG_RUNTIME_DIR");
            runtime.map(|dir| run.env("XDG_RUNTIME_DIR", dir));
            let ended = run.output().expect("gpt");
            assert!(ended.status.success(), "{}", message(&ended));
            assert_eq!(message(&ended), "", "XDG_RUNTIME_DIR {runtime:?}, backend {backend}");
        }
    }
}
