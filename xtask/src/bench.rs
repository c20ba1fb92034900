//! `bench`: the native program on both backends and the page in a browser, in one table.

use crate::sh::{self, cmd};
use crate::{build, setup};
use anyhow::{Context, Result};
use serde_json::{Map, Value};

/// The browser's measurements; prints as its last line a JSON object of one flat object per backend.
const PAGE_BENCH: &str = "benches/page.mjs";

/// What looking costs while the page writes; prints likewise.
const INSPECTOR_BENCH: &str = "benches/inspector.mjs";

/// Options of `bench`.
#[derive(clap::Args)]
pub struct Args {
    /// Model folder in Hugging Face layout
    #[arg(long, default_value = "www/models/storyteller")]
    model: String,
    /// Leave out the browser
    #[arg(long)]
    native_only: bool,
}

/// Column title and its measurements.
type Column = (String, Map<String, Value>);

/// Measures and prints the table.
///
/// # Errors
/// When a program fails or prints no measurements.
pub fn run(args: &Args) -> Result<()> {
    setup::ensure_vulkan()?;
    let mut columns = Vec::new();
    for backend in ["cpu", "gpu"] {
        // Read, not shown: the last line is the result.
        let gpt = ["run", "--release", "--quiet", "--bin", "gpt", "--", "bench", "--json"];
        let mut column = Map::new();
        // Training is measured on a model of the size that other libraries' numbers are for.
        for what in [["--model", &args.model], ["--train", "--steps=5"]] {
            let out = sh::read(cmd("cargo", gpt).args(what).args(["--backend", backend]))?;
            column.extend(last_object(&out).with_context(|| format!("gpt bench {} --backend {backend}", what[0]))?);
        }
        columns.push((format!("native {backend}"), column));
    }
    if !args.native_only && sh::root().join(PAGE_BENCH).is_file() {
        columns.extend(browser(&args.model)?);
    }
    print!("{}", table(&columns));
    Ok(())
}

fn browser(model: &str) -> Result<Vec<Column>> {
    setup::web()?;
    build::page()?;
    let browser = setup::ensure_browser()?;
    let measure = |bench: &[&str]| -> Result<Map<String, Value>> {
        let mut command = cmd("node", bench);
        command.env("CHROME", &browser.chrome).env("XTASK", crate::own::program()?);
        last_object(&sh::read(&mut command)?).with_context(|| bench[0].to_string())
    };
    let (engine, inspector) = (measure(&[PAGE_BENCH, "--model", model])?, measure(&[INSPECTOR_BENCH])?);
    let column = |(name, values): (String, Value)| {
        let Value::Object(mut values) = values else { anyhow::bail!("{PAGE_BENCH} gave no object for `{name}`") };
        if let Some(Value::Object(more)) = inspector.get(&name) {
            values.extend(more.clone());
        }
        Ok((format!("browser {name}"), values))
    };
    engine.into_iter().map(column).collect()
}

fn last_object(out: &str) -> Result<Map<String, Value>> {
    let line = out.lines().last().context("printed nothing")?;
    serde_json::from_str(line).with_context(|| format!("the last line is no JSON object: {line}"))
}

/// One row per measurement in the order of first appearance, one column per backend.
fn table(columns: &[Column]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (_, values) in columns {
        names.extend(values.keys().map(String::as_str).filter(|name| !names.contains(name)).collect::<Vec<_>>());
    }
    let cell = |value: Option<&Value>| match value {
        None | Some(Value::Null) => "-".to_string(),
        Some(Value::Number(number)) if number.is_f64() => format!("{:.1}", number.as_f64().unwrap_or(f64::NAN)),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let row = |name: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!(" {cell:>20}")).collect();
        format!("{name:<32}{cells}\n")
    };
    let mut text = row("", columns.iter().map(|(title, _)| title.clone()).collect());
    for name in names {
        text += &row(name, columns.iter().map(|(_, values)| cell(values.get(name))).collect());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_measurement_once() {
        let cpu = last_object("noise\n{\"backend\":\"cpu\",\"decode\":150.25}").unwrap();
        let gpu = last_object("{\"backend\":\"gpu\",\"dispatches\":7}").unwrap();
        let text = table(&[("native cpu".into(), cpu), ("native gpu".into(), gpu)]);
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["native", "cpu", "native", "gpu"]);
        assert!(rows.contains(&vec!["decode", "150.2", "-"]) || rows.contains(&vec!["decode", "150.3", "-"]), "{text}");
        assert!(rows.contains(&vec!["dispatches", "-", "7"]), "{text}");
        assert_eq!(rows.len(), 4);
    }

    #[test]
    fn output_without_measurements_is_an_error() {
        assert!(last_object("").is_err() && last_object("done").is_err());
    }
}
