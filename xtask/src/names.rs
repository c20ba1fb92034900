//! Short names between a wasm module and its bindings. wasm-bindgen's have a hash each, which no compression makes small.

use crate::sh;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// What wasm-opt calls the module's imports and exports from now on.
#[derive(Debug, Deserialize)]
struct Names {
    /// Module, old name, new name.
    imports: Vec<(String, String, String)>,
    /// Old name, new name.
    exports: Vec<(String, String)>,
}

/// Gives short names to what `wasm` imports and exports, in it and in its bindings `glue`. `features` are wasm-opt's.
///
/// # Errors
/// When wasm-opt fails, or the bindings do not have a name.
pub fn shorten(wasm: &Path, glue: &Path, features: &[&str]) -> Result<()> {
    let short = wasm.with_extension("short.wasm");
    let paths: [OsString; 4] =
        ["--minify-imports-and-exports-and-modules".into(), wasm.into(), "--output".into(), short.clone().into()];
    let told = sh::read(sh::cmd("wasm-opt", features).args(paths))?;
    let names: Names = serde_json::from_str(&told).context("wasm-opt's list of names is not as expected")?;
    let text = fs::read_to_string(glue).with_context(|| format!("cannot read {}", glue.display()))?;
    // The bindings first: with a module of other names they would still say what is missing.
    fs::write(glue, renamed(&text, &names)?).with_context(|| format!("cannot write {}", glue.display()))?;
    fs::rename(&short, wasm).with_context(|| format!("cannot replace {}", wasm.display()))
}

/// The bindings with the new names.
fn renamed(glue: &str, names: &Names) -> Result<String> {
    // Imports are functions of one object, exports are taken from `wasm`.
    let mut new: BTreeMap<String, &str> = BTreeMap::new();
    for (_, old, short) in &names.imports {
        new.insert(old.clone(), short);
    }
    for (old, short) in &names.exports {
        new.insert(format!("wasm.{old}"), short);
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let mut text = String::with_capacity(glue.len());
    let mut found = BTreeSet::new();
    let mut rest = glue;
    while let Some(start) = rest.find(is_name) {
        text += &rest[..start];
        rest = &rest[start..];
        let mut end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        if &rest[..end] == "wasm" && rest[end..].starts_with('.') {
            end += 1 + rest[end + 1..].find(|c| !is_name(c)).unwrap_or(rest.len() - end - 1);
        }
        let word = &rest[..end];
        match new.get(word) {
            Some(short) if word.starts_with("wasm.") => text.extend(["wasm.", short]),
            Some(short) => text += short,
            None => text += word,
        }
        if new.contains_key(word) {
            found.insert(word);
        }
        rest = &rest[end..];
    }
    text += rest;
    // Exports that the bindings do not use are none of their business.
    let missing = names.imports.iter().find(|(_, old, _)| !found.contains(old.as_str()));
    ensure!(missing.is_none(), "the bindings have no function {}", missing.map_or("", |(_, old, _)| old));
    let modules: BTreeSet<&str> = names.imports.iter().map(|(module, ..)| module.as_str()).collect();
    for module in modules {
        let (old, short) = (format!("\"{module}\": import0"), "a: import0");
        ensure!(text.contains(&old), "the bindings do not offer the module {module}");
        text = text.replace(&old, short);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLUE: &str = "f(wasm.memory.buffer, wasm.run, wasm.unknown);\nconst import0 = {\n  __wbg_set_12ab: function() {},\n  \
        __wbg_set_12abc: function() { wasm.run(1); },\n};\nreturn { \"./x_bg.js\": import0 };";

    fn names() -> Names {
        let import = |old: &str, new: &str| ("./x_bg.js".to_string(), old.to_string(), new.to_string());
        let export = |old: &str, new: &str| (old.to_string(), new.to_string());
        Names {
            imports: vec![import("__wbg_set_12ab", "a"), import("__wbg_set_12abc", "$")],
            exports: vec![export("memory", "b"), export("run", "c"), export("unused", "d")],
        }
    }

    #[test]
    fn whole_names_are_replaced_where_they_mean_the_module() {
        let expected = "f(wasm.b.buffer, wasm.c, wasm.unknown);\nconst import0 = {\n  a: function() {},\n  \
            $: function() { wasm.c(1); },\n};\nreturn { a: import0 };";
        assert_eq!(renamed(GLUE, &names()).expect("renamed"), expected);
    }

    #[test]
    fn an_import_that_the_bindings_lack_is_an_error() {
        let error = renamed("return { \"./x_bg.js\": import0 };", &names()).unwrap_err().to_string();
        assert!(error.contains("__wbg_set_12ab"), "{error}");
    }
}
