//! Every call of the file system that `gpt train` makes, failing: once, and from then on. Whatever fails, the run ends
//! with an error or says a warning, what was saved is whole and goes on as if nothing had happened, and nothing of the
//! user's is changed.

use super::super::disk::faults::failing;
use super::super::output::STATE_FILE;
use super::super::say::tests::SAID;
use super::super::{Cli, Command};
use super::run;
use clap::Parser as _;
use gpt_playground::error::Result;
use gpt_playground::train::read_state;
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What the user has: a text, notes where the run will be, and the log of an earlier run.
const NOTES: &str = "Do not lose me.\n";
const EARLIER: &str = "{\"step\":1,\"loss\":5.5,\"lr\":0.001,\"grad_norm\":1.5,\"tokens_per_second\":900.0}\n";
const CONFIG: &str =
    r#"{"model_type": "gpt2", "vocab_size": 256, "n_positions": 8, "n_embd": 8, "n_head": 2, "n_layer": 1}"#;

/// What is done with a run: it begins, it goes on to the end of what was asked for first, and on to more.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Begin,
    Finish,
    GoOn,
}

struct Place {
    dir: tempfile::TempDir,
    lora: bool,
}

/// How a run ended.
struct Ended {
    result: Result<()>,
    said: String,
    calls: Vec<String>,
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("copied");
        }
    }
}

impl Place {
    fn new(lora: bool) -> Self {
        let place = Self { dir: tempfile::tempdir().expect("a folder"), lora };
        fs::create_dir(place.out()).expect("a folder");
        let text = "A quick brown fox jumps over the lazy dog. ".repeat(20);
        for (name, text) in
            [("text.txt", text.as_str()), ("config.json", CONFIG), ("out/notes.txt", NOTES), ("log.jsonl", EARLIER)]
        {
            fs::write(place.at(name), text).expect("written");
        }
        if lora {
            let base = Self::new(false);
            base.train(Part::Begin, 0..0).result.expect("a run");
            copy(&base.out(), &place.at("base"));
        }
        place
    }

    /// The same files, of their own.
    fn copy(&self) -> Self {
        let place = Self { dir: tempfile::tempdir().expect("a folder"), lora: self.lora };
        copy(self.dir.path(), place.dir.path());
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn out(&self) -> PathBuf {
        self.at("out")
    }

    /// Trains; of its calls of the file system those in `fail` do not go well.
    fn train(&self, part: Part, fail: Range<usize>) -> Ended {
        let [text, config, out, log] = ["text.txt", "config.json", "out", "log.jsonl"].map(|n| self.at(n));
        let mut args: Vec<String> = ["gpt", "train", "--backend", "cpu", "--batch-size", "1"].map(String::from).into();
        let mut add = |name: &str, value: &Path| args.extend([name.to_string(), value.display().to_string()]);
        add("--text", &text);
        add("--out", &out);
        add("--log", &log);
        add("--save-every", Path::new("2"));
        // In the end it forgets what it has learnt, so that the best weights are not the last.
        let (steps, lr) = if part == Part::GoOn { ("8", "1") } else { ("4", "0.01") };
        add("--steps", Path::new(steps));
        add("--lr", Path::new(lr));
        if part != Part::Begin {
            args.push("--resume".into());
        } else {
            match self.lora {
                true => add("--model", &self.at("base")),
                false => add("--config", &config),
            }
            add("--context", Path::new("4"));
            add("--eval-every", Path::new("2"));
            add("--schedule", Path::new("constant"));
            add("--warmup", Path::new("0"));
            args.extend(match self.lora {
                true => ["--lora-rank", "2"].map(String::from),
                false => ["--tokenizer", "byte"].map(String::from),
            });
        }
        let Command::Train(args) = Cli::try_parse_from(&args).expect("options").command else { panic!("train") };
        SAID.set(String::new());
        let stop = || Arc::new(AtomicBool::new(false));
        let (result, calls) = failing(fail, || pollster::block_on(run(*args, stop)));
        Ended { result, said: SAID.take(), calls }
    }

    /// All files in the run's folder.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        for folder in ["", "best/"] {
            let Ok(list) = fs::read_dir(self.out().join(folder)) else { continue };
            for entry in list.map(|e| e.expect("an entry")).filter(|e| e.path().is_file()) {
                let name = format!("{folder}{}", entry.file_name().to_string_lossy());
                found.insert(name, fs::read(entry.path()).expect("a file"));
            }
        }
        found
    }

    fn saved_step(&self) -> Option<usize> {
        let state = fs::read(self.out().join(STATE_FILE)).ok()?;
        Some(pollster::block_on(read_state(&state)).expect("a whole file").step)
    }

    fn check_users_files(&self, when: &str) {
        assert_eq!(fs::read_to_string(self.out().join("notes.txt")).expect("notes"), NOTES, "{when}");
        assert_eq!(fs::read_to_string(self.at("config.json")).expect("a configuration"), CONFIG, "{when}");
        let log = fs::read_to_string(self.at("log.jsonl")).expect("a log");
        assert!(log.starts_with(EARLIER), "{when}: the log is {log}");
    }

    /// Trains to the end, with no failure.
    fn finish(&self, when: &str) {
        for part in [Part::Finish, Part::GoOn] {
            // Of a run that has gone on already there is no way back, and no need.
            if part == Part::GoOn || self.saved_step() <= Some(4) {
                let ended = self.train(part, 0..0);
                ended.result.unwrap_or_else(|e| panic!("{when}, and the run does not go on: {e}"));
            }
        }
    }
}

/// Fails each call of a part of a run, first once, then it and all after it.
fn fail_each(before: &Place, part: Part) {
    // Without a failure: the calls there are, and what comes out in the end.
    let whole = before.copy();
    let ended = whole.train(part, 0..0);
    ended.result.expect("a run");
    assert!(!ended.said.contains("warning"), "{}", ended.said);
    let calls = ended.calls;
    whole.finish("nothing failed");
    let want = whole.files();
    assert!(want.keys().any(|name| name.starts_with("best/")), "the best weights are not the last");

    for n in 0..calls.len() {
        for end in [n + 1, usize::MAX] {
            let place = before.copy();
            let saved = place.saved_step();
            let ended = place.train(part, n..end);
            let kind = if end == usize::MAX { "and all after it " } else { "" };
            let when = format!("call {n}, {}, {kind}failed", calls[n]);
            match &ended.result {
                Err(e) => assert!(e.to_string().len() > 20, "{when}: {e}"),
                Ok(()) => assert!(ended.said.contains("warning: "), "{when}, without a word: {}", ended.said),
            }
            place.check_users_files(&when);
            let now = place.saved_step();
            assert!(now >= saved && (now.is_some() || ended.result.is_err()), "{when}: {saved:?} became {now:?}");

            // The disk is well again.
            if now.is_none()
                && let Err(e) = place.train(Part::Begin, 0..0).result
            {
                // What is there may be of use.
                assert!(e.to_string().contains("choose another --out"), "{when}, then {e}");
                continue;
            }
            place.finish(&when);
            let got = place.files();
            assert_eq!(got.keys().collect::<Vec<_>>(), want.keys().collect::<Vec<_>>(), "{when}");
            for (name, bytes) in &want {
                assert!(got[name] == *bytes, "{when}: {name} came out otherwise");
            }
            place.check_users_files(&when);
        }
    }
}

#[test]
fn every_failing_call_of_a_new_run_is_told_and_loses_nothing() {
    fail_each(&Place::new(false), Part::Begin);
}

#[test]
fn every_failing_call_of_a_resumed_run_is_told_and_loses_nothing() {
    let place = Place::new(false);
    place.train(Part::Begin, 0..0).result.expect("a run");
    fail_each(&place, Part::GoOn);
}

#[test]
fn every_failing_call_of_a_resumed_adapter_is_told_and_loses_nothing() {
    let place = Place::new(true);
    place.train(Part::Begin, 0..0).result.expect("a run");
    fail_each(&place, Part::GoOn);
}
