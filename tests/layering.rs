//! The layering that `src/lib.rs` promises, checked on the text of the sources: who uses whom, where the target
//! architecture may matter, who may know an op by name, and what the page's scripts may touch.
#![cfg(not(target_arch = "wasm32"))]

use gpt_playground::ops::SHADERS;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Files below a folder with one of these extensions, as (path relative to the root, text).
fn files(folder: &str, extensions: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut |path| {
        if path.extension().and_then(|e| e.to_str()).is_some_and(|e| extensions.contains(&e)) {
            let name = path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/");
            found.push((name, fs::read_to_string(path).expect("text")));
        }
    });
    assert!(!found.is_empty(), "no {extensions:?} files below {folder}");
    found
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() { walk(&path, visit) } else { visit(&path) }
    }
}

/// The Rust sources of the library, less its unit tests.
fn sources() -> Vec<(String, String)> {
    let tests = |path: &str| path.ends_with("/tests.rs") || path.contains("/tests/");
    files("src", &["rs"]).into_iter().filter(|(path, _)| !tests(path)).collect()
}

/// Rust or WGSL without comments, and without what follows an inline `mod tests`.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What `crate::…` paths name: `ops`, or `cpu::gemm` with the next part where there is one.
fn uses(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate::` and `some_crate::` are something else.
        if code[..at].ends_with(|c: char| is_word(c) || c == '$') {
            continue;
        }
        found.extend(heads(&code[at + "crate::".len()..], 2));
    }
    found
}

/// The first `depth` parts of the paths that a use tree begins with: `a::{b, c::d}` gives `a::b` and `a::c`.
fn heads(tree: &str, depth: usize) -> Vec<String> {
    if depth == 0 {
        return vec![String::new()];
    }
    if let Some(group) = tree.strip_prefix('{') {
        let (mut open, mut start, mut found) = (0, 0, Vec::new());
        for (i, c) in group.char_indices() {
            match c {
                '{' => open += 1,
                ',' | '}' if open == 0 => {
                    found.extend(heads(group[start..i].trim(), depth).into_iter().filter(|p| !p.is_empty()));
                    start = i + 1;
                    if c == '}' {
                        break;
                    }
                }
                '}' => open -= 1,
                _ => {}
            }
        }
        return found;
    }
    let end = tree.find(|c| !is_word(c)).unwrap_or(tree.len());
    let (word, rest) = tree.split_at(end);
    match rest.strip_prefix("::") {
        Some(rest) => heads(rest, depth - 1)
            .into_iter()
            .map(|tail| if tail.is_empty() { word.to_string() } else { format!("{word}::{tail}") })
            .collect(),
        None => vec![word.to_string()],
    }
}

/// The modules in the order of the table in `src/lib.rs`; `cpu` stands twice, as kernels and as an executor.
fn order() -> Vec<String> {
    let text = fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    let mut order = Vec::new();
    for row in text.lines().filter_map(|line| line.strip_prefix("//! | ")) {
        let first = row.split(" | ").next().unwrap_or_default();
        let kernels = first.contains("::{");
        for name in first.split('`').skip(1).step_by(2).filter(|n| !n.starts_with("::")) {
            order.push(if kernels { format!("{name} kernels") } else { name.to_string() });
        }
    }
    order
}

/// The entry of the table that a path below `src` or a used path belongs to.
fn module(path: &str) -> String {
    let parts: Vec<&str> = path.split(['/', ':']).filter(|p| !p.is_empty()).collect();
    let first = parts[0].trim_end_matches(".rs");
    let second = parts.get(1).map_or("", |p| p.trim_end_matches(".rs"));
    match first {
        "cpu" if ["gemm", "simd", "vecops"].contains(&second) => "cpu kernels".into(),
        "bin" => "bin/gpt".into(),
        other => other.into(),
    }
}

/// Uses in one source file that the order forbids.
fn upward(order: &[String], path: &str, text: &str) -> Vec<String> {
    let rank = |name: &str| order.iter().position(|o| o == name);
    let own = module(path.trim_start_matches("src/"));
    let Some(own_rank) = rank(&own) else { return vec![format!("{path}: {own} is not in the table of src/lib.rs")] };
    let mut wrong = Vec::new();
    for used in uses(&code(text)) {
        let target = module(&used);
        match rank(&target) {
            None => wrong.push(format!("{path} uses crate::{used}, which is not in the table of src/lib.rs")),
            Some(r) if r > own_rank => wrong.push(format!("{path} uses crate::{used}, which comes after {own}")),
            _ => {}
        }
    }
    wrong
}

fn none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_table_names_every_module() {
    let order = order();
    for expected in ["error", "config", "cpu kernels", "graph", "ops", "cpu", "gpu", "exec", "model", "web", "bin/gpt"]
    {
        assert!(order.iter().any(|o| o == expected), "{expected} is not in {order:?}");
    }
    let lib = fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    for name in lib.lines().filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';')) {
        assert!(order.iter().any(|o| o == name), "{name} is not in the table of src/lib.rs");
    }
}

#[test]
fn no_module_uses_a_later_one() {
    let order = order();
    let inner = |path: &str| path != "src/lib.rs" && !path.starts_with("src/bin/");
    none(sources().iter().filter(|(p, _)| inner(p)).flat_map(|(path, text)| upward(&order, path, text)).collect());
}

#[test]
fn a_later_module_would_be_noticed() {
    let order = order();
    for (path, text) in [
        ("src/graph/plan.rs", "use crate::ops::MatMul;"),
        ("src/ops/add.rs", "use crate::{error::Error, model::Model};"),
        ("src/cpu/gemm/pack.rs", "use crate::graph::Plan;"),
        ("src/cpu/simd.rs", "use crate::cpu::CpuExecutor;"),
        ("src/config.rs", "fn f() { crate::tokenizer::pieces(); }"),
        ("src/model/gpt.rs", "use crate::nowhere::X;"),
        ("src/nowhere/x.rs", ""),
    ] {
        assert_eq!(upward(&order, path, text).len(), 1, "{path}: {text}");
    }
    for (path, text) in [
        ("src/ops/add.rs", "use crate::{cpu::{gemm, vecops}, graph::{Op, Plan}};"),
        ("src/graph/op.rs", "// use crate::ops::Add;\nuse crate::cpu::gemm::Scratch;"),
        ("src/graph/op.rs", "#[cfg(test)]\nmod tests {\n use crate::ops::Add;\n}"),
    ] {
        none(upward(&order, path, text));
    }
}

#[test]
fn modules_are_left_only_through_crate_paths() {
    let mut wrong = Vec::new();
    // The program is a crate of its own, whose modules are not in the table.
    for (path, text) in sources().into_iter().filter(|(path, _)| !path.starts_with("src/bin/")) {
        let text = code(&text);
        // The file of a module itself: there `super` is the crate.
        let inside = path.trim_start_matches("src/");
        let top = !inside.contains('/') || (inside.ends_with("/mod.rs") && inside.matches('/').count() == 1);
        if text.contains("super::super::") || (top && text.contains("super::")) {
            wrong.push(format!("{path} leaves its module by super::; write crate::, which the other checks see"));
        }
    }
    none(wrong);
}

#[test]
fn executors_know_neither_each_other_nor_any_op() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let text = code(&text);
        let (gpu, cpu) = (path.starts_with("src/gpu/"), path.starts_with("src/cpu/"));
        for used in uses(&text) {
            let target = module(&used);
            if (cpu && target == "gpu") || (gpu && target.starts_with("cpu")) || ((cpu || gpu) && target == "ops") {
                wrong.push(format!("{path} uses crate::{used}"));
            }
        }
        if gpu || path == "src/cpu/executor.rs" || path == "src/exec.rs" {
            for (kernel, _) in SHADERS.iter().filter(|(k, _)| text.contains(&format!("\"{k}\""))) {
                wrong.push(format!("{path} knows {kernel} by name"));
            }
        }
    }
    none(wrong);
}

#[test]
fn the_architecture_matters_in_few_places() {
    let allowed = ["src/gpu/context.rs", "src/gpu/readback.rs", "src/cpu/", "src/web/", "src/lib.rs", "src/bin/gpt.rs"];
    let wrong = sources()
        .into_iter()
        .filter(|(path, text)| code(text).contains("target_arch") && !allowed.iter().any(|a| path.starts_with(a)));
    none(wrong.map(|(path, _)| format!("{path} asks for target_arch")).collect());
}

/// Words in the program's sources, less tests, outside the files that may use them.
fn elsewhere(words: &[&str], allowed: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| path.starts_with("src/bin/gpt")) {
        let text = code(&text);
        if !allowed.contains(&path.as_str()) {
            wrong.extend(words.iter().filter(|word| text.contains(*word)).map(|word| format!("{path} uses {word}")));
        }
    }
    wrong
}

#[test]
fn the_program_reaches_files_and_readers_in_one_place_each() {
    // So that the test that makes each call of the file system fail knows them all. `faults` is that test.
    let allowed = ["src/bin/gpt/disk.rs", "src/bin/gpt/train/faults.rs"];
    none(elsewhere(&["std::fs", ".exists()", ".try_exists()", ".canonicalize()", ".read_dir()"], &allowed));
    // `println!` and its kin, which panic where the reader has gone, are denied by a lint.
    let streams = ["io::stdout", "io::stderr"];
    let allowed = ["src/bin/gpt/say.rs", "src/bin/gpt/eval.rs", "src/bin/gpt/train/log.rs"];
    none(elsewhere(&streams, &allowed));
}

#[test]
fn shader_headers_are_complete() {
    let mut wrong = Vec::new();
    for (path, text) in files("shaders", &["wgsl"]) {
        // What is included has no grid of its own.
        if path.starts_with("shaders/common/") {
            continue;
        }
        let header: Vec<&str> = text.lines().take_while(|line| line.starts_with("//")).collect();
        for part in ["// Bindings: ", "// Grid: ", "// Source: "] {
            if !header.iter().any(|line| line.strip_prefix(part).is_some_and(|rest| !rest.trim().is_empty())) {
                wrong.push(format!("{path}: its header has no line \"{part}\""));
            }
        }
        if code(&text).contains("@binding") {
            wrong.push(format!("{path} declares a binding; the op's list is the declaration"));
        }
    }
    none(wrong);
}

/// The page's own scripts.
fn scripts() -> Vec<(String, String)> {
    let built = |path: &str| {
        path.starts_with("www/pkg/") || path.starts_with("www/pkg-train/") || path.starts_with("www/vendor/")
    };
    files("www", &["js", "mjs", "html"]).into_iter().filter(|(path, _)| !built(path)).collect()
}

/// The page's folders, each above those before it. What stands in `www/` itself joins them: the page's entry and the worker's.
const FEATURES: [&str; 9] = ["core", "engine", "models", "write", "inspect", "train", "guide", "frame", ""];

/// These meet only in what joins them.
const APART: [&str; 3] = ["write", "inspect", "train"];

/// The scripts that a script imports, at once or later, by their paths below `www/`. Types are imported in comments and do not count.
fn imports_of(path: &str, text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with(['*', '/']));
    let mut found = Vec::new();
    for line in code {
        let clear = line.split("/**").next().unwrap_or("");
        let mark = ["from \"", "import(\"", "import \""].iter().find_map(|mark| clear.split_once(mark));
        let Some(target) = mark.and_then(|(_, rest)| rest.split('"').next()).filter(|target| target.starts_with('.'))
        else {
            continue;
        };
        let mut parts: Vec<&str> = path.split('/').collect();
        parts.pop();
        for part in target.split('/') {
            match part {
                "." => {}
                ".." => drop(parts.pop()),
                name => parts.push(name),
            }
        }
        found.push(parts.join("/"));
    }
    found
}

/// The panel that a script belongs to.
fn panel_of(path: &str) -> Option<&str> {
    path.strip_prefix("inspect/panels/")?.split_once('/').map(|(name, _)| name)
}

/// Each of the page's scripts by its path below `www/`, with what it imports.
fn imports() -> BTreeMap<String, Vec<String>> {
    let below = |path: &str| path.strip_prefix("www/").expect("below www").to_string();
    scripts().iter().map(|(path, text)| (below(path), imports_of(&below(path), text))).collect()
}

#[test]
fn the_pages_features_know_only_what_is_below_them() {
    let feature = |path: &str| path.split_once('/').map_or("", |(folder, _)| folder).to_string();
    let height = |path: &str| FEATURES.iter().position(|name| *name == feature(path));
    let mut wrong = Vec::new();
    for (path, targets) in imports() {
        if height(&path).is_none() {
            wrong.push(format!("www/{path} is in no folder that the table of features names"));
        }
        for target in targets {
            let (from, to) = (feature(&path), feature(&target));
            if height(&target) > height(&path) {
                wrong.push(format!("www/{path} imports {target}, which is above it"));
            } else if from != to && APART.contains(&&*from) && APART.contains(&&*to) {
                wrong.push(format!("www/{path} imports {target}; features meet in app.js and page.js"));
            }
            if panel_of(&target).is_some_and(|panel| panel_of(&path) != Some(panel)) && path != "inspect/manifest.js" {
                wrong.push(format!("www/{path} imports {target}; panels are known to inspect/manifest.js alone"));
            }
        }
    }
    none(wrong);
}

#[test]
fn the_pages_scripts_import_each_other_in_no_circle() {
    let mut rest = imports();
    // Whoever imports nothing that is left is in no circle.
    loop {
        let before = rest.len();
        let names: Vec<String> = rest.keys().cloned().collect();
        rest.retain(|_, targets| targets.iter().any(|target| names.contains(target)));
        if rest.len() == before {
            break;
        }
    }
    none(
        rest.into_iter()
            .map(|(path, targets)| format!("in a circle, or above one: www/{path} imports {targets:?}"))
            .collect(),
    );
}

#[test]
fn only_the_worker_reaches_the_engine() {
    let mut wrong = Vec::new();
    for (path, text) in scripts() {
        if (text.contains("pkg/") || text.contains("pkg-train/")) && path != "www/engine/session.js" {
            wrong.push(format!("{path} mentions pkg/; only www/engine/session.js imports the wasm"));
        }
    }
    // Everything else is given what it needs: views take data and tell what the user does.
    let allowed = [
        ("engine/session.js", &["worker.js"][..]),
        ("engine/client.js", &["app.js", "inspect/context.js", "train/comparison.js"]),
    ];
    for (path, targets) in imports() {
        for (target, users) in &allowed {
            if targets.iter().any(|one| one == target) && !users.contains(&&*path) {
                wrong.push(format!("www/{path} imports {target}; only {users:?} may"));
            }
        }
    }
    none(wrong);
}

#[test]
fn lines_fit_a_window() {
    let folders = [("www", &["js", "ts"][..]), ("tests", &["mjs"]), ("scripts", &["mjs"]), ("benches", &["mjs"])];
    let mut wrong = Vec::new();
    for (path, text) in folders.iter().flat_map(|(folder, kinds)| files(folder, kinds)) {
        // The engine's sentences are written by a script, each in one piece.
        let made = ["www/pkg/", "www/pkg-train/", "www/vendor/", "www/core/i18n/engine.en.js"];
        let built = made.iter().any(|start| path.starts_with(start));
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !built && line.chars().count() > 140) {
            wrong.push(format!(
                "{path}:{} has more than 140 columns: {}…",
                at + 1,
                line.chars().take(60).collect::<String>()
            ));
        }
    }
    none(wrong);
}

#[test]
fn asset_addresses_are_made_in_one_place() {
    let found =
        scripts().into_iter().filter(|(path, text)| path != "www/core/site.js" && text.contains("import.meta.url"));
    none(
        found
            .map(|(path, _)| format!("{path} uses import.meta.url: a bundle lies elsewhere; use core/site.js"))
            .collect(),
    );
}

#[test]
fn text_reaches_the_document_as_text() {
    let mut all = scripts();
    all.push(("index.html".into(), fs::read_to_string(root().join("index.html")).expect("index.html")));
    let banned = ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc"];
    let found = |text: &str| banned.iter().copied().filter(|word| text.contains(word)).collect::<Vec<_>>();
    none(
        all.iter()
            .flat_map(|(path, text)| found(text).into_iter().map(move |word| format!("{path} uses {word}")))
            .collect(),
    );
}
