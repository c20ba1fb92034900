//! Every reader of other people's files against files that nobody would make: the Rust ones by libFuzzer, which looks for
//! inputs that reach code not reached before, the page's own by changing good files at random.

use super::Context;
use crate::setup;
use crate::sh::{self, cmd};
use anyhow::{Context as _, Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};

/// How long each target runs, in seconds.
const SECONDS: u32 = 60;
/// Most memory that a target may take: its inputs have some kilobytes. In MiB.
const MEMORY_MIB: u32 = 1024;
/// Most time that one input may take, in seconds, also where other programs have the cores too.
const INPUT_SECONDS: u32 = 20;
/// Readers that are written in JavaScript, targets of `scripts/fuzz_page.mjs`.
const PAGE: [&str; 2] = ["zip", "branches"];

/// Builds the targets and runs each for a minute.
///
/// # Errors
/// When a target fails: the input that did it is kept, and named.
pub fn run(context: &Context) -> Result<String> {
    setup::ensure_fuzzer()?;
    setup::ensure_npm()?;
    let build = sh::target_dir().join("fuzz");
    // Sanitizers and coverage are not for stable toolchains; coverage alone has no other needs.
    let fuzz = |command: &str| {
        let mut fuzz = cmd("cargo", ["fuzz", command, "-s", "none", "--target-dir"]);
        fuzz.arg(&build).env("RUSTC_BOOTSTRAP", "1").env_remove("CARGO_TARGET_DIR");
        fuzz
    };
    sh::run(&mut fuzz("build"))?;
    let mut evidence = Vec::new();
    for target in targets()? {
        let scratch = context.scratch(&format!("fuzz-{target}"))?;
        let [corpus, seeds, found] = ["corpus", "seeds", "found"].map(|name| scratch.join(name));
        for folder in [&corpus, &seeds, &found] {
            std::fs::create_dir_all(folder)?;
        }
        let mut command = fuzz("run");
        command.arg(&target).arg(&corpus).arg(&seeds);
        let findings = sh::root().join("fuzz/findings").join(&target);
        if findings.is_dir() {
            command.arg(findings);
        }
        command.args(["--", &format!("-max_total_time={SECONDS}"), &format!("-rss_limit_mb={MEMORY_MIB}")]);
        command.args([&format!("-timeout={INPUT_SECONDS}"), "-print_final_stats=1", "-verbosity=0"]);
        command.arg(format!("-artifact_prefix={}/", found.display())).env("GPT_FUZZ_SEEDS", &seeds);
        let runs = stat(&watched(&mut command, &target, &found)?, "number_of_executed_units")?;
        evidence.push(format!("{target} {runs}"));
    }
    for target in PAGE {
        let found = context.scratch(&format!("fuzz-{target}"))?;
        let mut command = cmd("node", ["scripts/fuzz_page.mjs", target, "--seconds", &SECONDS.to_string(), "--found"]);
        let out = watched(command.arg(&found), target, &found)?;
        evidence.push(format!("{target} {}", out.lines().last().unwrap_or_default()));
    }
    Ok(format!("inputs that were stood, within {MEMORY_MIB} MiB: {}", evidence.join(", ")))
}

/// The names of the targets in Rust.
fn targets() -> Result<Vec<String>> {
    let folder = sh::root().join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        names.push(path.file_stem().unwrap_or_default().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Runs a target; what it prints. Where it fails, the inputs that it kept in `found` are named.
fn watched(command: &mut Command, target: &str, found: &Path) -> Result<String> {
    eprintln!("fuzzing {target} for {SECONDS} s");
    let out = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start the target {target}"))?;
    // libFuzzer writes to standard error.
    let text = [out.stdout, out.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if out.status.success() {
        return Ok(text);
    }
    let inputs = std::fs::read_dir(found)?.map(|e| Ok(e?.path().display().to_string())).collect::<Result<Vec<_>>>()?;
    let last: Vec<&str> = text.lines().rev().take(40).collect();
    bail!(
        "the target {target} failed on {}\nMend what it shows, and keep the input, made as small as it can be, below \
         fuzz/findings/{target} under a name that says what it is.\n{}",
        if inputs.is_empty() { "no single input".to_string() } else { inputs.join(", ") },
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    )
}

/// A number of libFuzzer's final statistics.
fn stat(text: &str, name: &str) -> Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|n| n.trim().parse().ok()).with_context(|| format!("the fuzzer did not print {name}:\n{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_read() {
        let text = "Done 7 runs\nstat::number_of_executed_units: 4711\nstat::peak_rss_mb:              80\n";
        assert_eq!(stat(text, "number_of_executed_units").unwrap(), 4711);
        assert!(stat(text, "new_units_added").is_err());
    }
}
