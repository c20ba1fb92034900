//! Configurations and weights files: what real ones hold is read exactly, and anything else gives an error that says what
//! is wrong, never a panic and never a large allocation.
#![cfg(not(target_arch = "wasm32"))]

#[path = "checkpoint/config.rs"]
mod config;
#[path = "checkpoint/hostile.rs"]
mod hostile;
#[path = "checkpoint/write.rs"]
mod write;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use gpt_playground::config::{Activation, GptConfig, NormPosition};
use gpt_playground::error::{Error, Result};
use gpt_playground::model::checkpoint::{Checkpoint, Dtype, Loader, ShardIndex, TensorOut, write_safetensors};
use gpt_playground::model::params::param_specs;
use safetensors::SafeTensors;
use serde_json::{Value, json};

type Params = BTreeMap<String, Vec<f32>>;

fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default()
}

fn fixture(name: &str) -> (GptConfig, Vec<u8>) {
    let dir = root().join("tests/fixtures/models").join(name);
    (read_config(&dir), fs::read(dir.join("model.safetensors")).unwrap())
}

fn read_config(dir: &std::path::Path) -> GptConfig {
    GptConfig::from_json(&fs::read(dir.join("config.json")).unwrap()).unwrap()
}

const FIXTURES: [&str; 4] = ["gpt2-tanh-f32", "gpt2-erf-f16", "gpt2-relu-bf16", "textbook"];

/// One layer of two dimensions: small enough to try every prefix of its file.
fn tiny() -> GptConfig {
    GptConfig::new(5, 3, 2, 1, 1)
}

fn tiny_values(config: &GptConfig) -> Params {
    let mut next = 0.0;
    let mut values = |n: usize| {
        (0..n)
            .map(|_| {
                next += 0.25;
                next - 8.0
            })
            .collect()
    };
    param_specs(config).into_iter().map(|s| (s.name.clone(), values(s.numel()))).collect()
}

fn out<'a>(name: &str, shape: &[usize], dtype: Dtype, data: &'a [f32]) -> TensorOut<'a> {
    TensorOut { name: name.into(), shape: shape.to_vec(), dtype, data }
}

/// The file of a model, after `edit` has changed its list of tensors.
fn file_with<'a>(config: &GptConfig, values: &'a Params, edit: impl FnOnce(&mut Vec<TensorOut<'a>>)) -> Vec<u8> {
    let mut tensors: Vec<_> =
        param_specs(config).iter().map(|s| out(&s.name, &s.shape, Dtype::F32, &values[&s.name])).collect();
    edit(&mut tensors);
    write_safetensors(&tensors, &[("format", "pt")]).unwrap()
}

fn tiny_file() -> Vec<u8> {
    file_with(&tiny(), &tiny_values(&tiny()), |_| {})
}

/// A file with a header of one's own and `n` bytes of zeros.
fn raw_file(header: &str, n: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.resize(file.len() + n, 0);
    file
}

fn read_all(checkpoint: &Checkpoint<'_>, config: &GptConfig) -> Result<Params> {
    let mut params = Params::new();
    for spec in param_specs(config) {
        let mut values = vec![0.0; spec.numel()];
        checkpoint.copy_f32(&spec.name, 0..spec.shape[0], &mut values)?;
        params.insert(spec.name, values);
    }
    Ok(params)
}

fn load_whole(bytes: &[u8], config: &GptConfig) -> Result<Params> {
    read_all(&Checkpoint::parse(bytes, config)?, config)
}

/// Loads in chunks of `size` bytes, checking that the values of each parameter arrive in order.
fn load_chunked(bytes: &[u8], config: &GptConfig, size: usize) -> Result<Params> {
    let mut loader = Loader::new(config)?;
    let mut params = Params::new();
    for chunk in bytes.chunks(size) {
        loader.push(chunk, &mut |name, first, values| {
            let param = params.entry(name.to_string()).or_default();
            assert_eq!(param.len(), first, "{name}");
            param.extend_from_slice(values);
            Ok(())
        })?;
    }
    loader.end_file()?;
    loader.finish()?;
    Ok(params)
}

/// Both ways of loading must fail; the message of the whole-file way.
fn refused(bytes: &[u8], config: &GptConfig) -> String {
    let whole = load_whole(bytes, config).unwrap_err();
    let chunked = load_chunked(bytes, config, 7).unwrap_err();
    let at_once = load_chunked(bytes, config, bytes.len().max(1)).unwrap_err();
    for e in [&whole, &chunked, &at_once] {
        assert!(matches!(e, Error::Checkpoint(_)), "{e:?}");
    }
    whole.to_string()
}

#[track_caller]
fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
}

#[test]
fn values_equal_an_independent_reader_s() {
    for name in FIXTURES {
        let (config, bytes) = fixture(name);
        let params = load_whole(&bytes, &config).unwrap();
        let other = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(params.len(), other.len(), "{name}: every tensor of the fixture is a parameter");
        for (param, values) in &params {
            let tensor = other.tensor(param).or_else(|_| other.tensor(&format!("transformer.{param}"))).unwrap();
            let expected: Vec<f32> = match tensor.dtype() {
                safetensors::Dtype::F32 => {
                    tensor.data().chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
                }
                safetensors::Dtype::F16 => {
                    tensor.data().chunks(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
                }
                safetensors::Dtype::BF16 => {
                    tensor.data().chunks(2).map(|b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
                }
                dtype => panic!("{dtype:?}"),
            };
            assert_eq!(values, &expected, "{name} {param}");
            assert!(values.iter().any(|&x| x != 0.0), "{name} {param}");
        }
        for size in [1, 3, 1000, bytes.len()] {
            assert_eq!(load_chunked(&bytes, &config, size).unwrap(), params, "{name} in chunks of {size}");
        }
    }
}

#[test]
fn the_fixtures_cover_the_family() {
    let of = |name| fixture(name).0;
    let (tanh, erf, relu, textbook) = (of(FIXTURES[0]), of(FIXTURES[1]), of(FIXTURES[2]), of(FIXTURES[3]));
    assert_eq!(tanh, GptConfig::new(97, 33, 20, 5, 2));
    assert_eq!((erf.activation, erf.head_dim(), erf.n_inner), (Activation::GeluErf, 16, 192));
    assert_eq!((relu.activation, relu.n_inner, relu.tie_word_embeddings), (Activation::Relu, 50, false));
    assert_eq!((textbook.norm, textbook.lm_head_bias), (NormPosition::Post, true));
    let dtypes: Vec<String> = FIXTURES
        .iter()
        .map(|name| {
            let (config, bytes) = fixture(name);
            Checkpoint::parse(&bytes, &config).unwrap().dtype("wte.weight").unwrap().name().to_string()
        })
        .collect();
    assert_eq!(dtypes, ["F32", "F16", "BF16", "F32"]);
}

#[test]
fn the_shipped_model_is_what_the_manifest_says() {
    let models = root().join("www/models");
    let index: Value = serde_json::from_slice(&fs::read(models.join("index.json")).unwrap()).unwrap();
    for model in index.as_array().unwrap() {
        let dir = models.join(model["path"].as_str().unwrap());
        let config = read_config(&dir);
        assert_eq!(model["n_params"], config.n_params());
        assert_eq!(model["n_ctx"], config.n_ctx);
        for file in model["files"].as_array().unwrap() {
            let path = dir.join(file["name"].as_str().unwrap());
            assert_eq!(file["bytes"], fs::metadata(&path).unwrap().len(), "{}", path.display());
        }
        let bytes = fs::read(dir.join("model.safetensors")).unwrap();
        let checkpoint = Checkpoint::parse(&bytes, &config).unwrap();
        assert_eq!(checkpoint.dtype("wte.weight"), Some(&Dtype::F16));
        assert_eq!(read_all(&checkpoint, &config).unwrap().values().map(Vec::len).sum::<usize>(), config.n_params());
    }
}

#[test]
fn rows_are_copied_and_bad_rows_refused() {
    let (config, bytes) = fixture("gpt2-erf-f16");
    let checkpoint = Checkpoint::parse(&bytes, &config).unwrap();
    let all = &read_all(&checkpoint, &config).unwrap()["wte.weight"];
    let mut rows = vec![0.0; 3 * config.n_embd];
    checkpoint.copy_f32("wte.weight", 100..103, &mut rows).unwrap();
    assert_eq!(rows, all[100 * config.n_embd..103 * config.n_embd]);
    checkpoint.copy_f32("wte.weight", 5..5, &mut []).unwrap();
    for rows in [129..132, usize::MAX - 1..usize::MAX, 0..2] {
        let e = checkpoint.copy_f32("wte.weight", rows, &mut vec![0.0; 3 * config.n_embd]).unwrap_err();
        assert_says(&e.to_string(), &["wte.weight"]);
    }
    let e = checkpoint.copy_f32("transformer.h.9.nothing", 0..1, &mut [0.0]).unwrap_err();
    assert_says(&e.to_string(), &["h.9.nothing"]);
}

#[test]
fn names_may_have_the_prefix_and_extras_are_listed() {
    let config = tiny();
    let values = tiny_values(&config);
    let head = &values["wte.weight"];
    let bytes = file_with(&config, &values, |tensors| {
        tensors.iter_mut().for_each(|t| t.name.insert_str(0, "transformer."));
        tensors.push(out("transformer.h.0.attn.bias", &[1, 1, 1, 1], Dtype::F32, &[1.0]));
        tensors.push(out("h.0.attn.masked_bias", &[], Dtype::F16, &[-1e4]));
        tensors.push(out("lm_head.weight", &[5, 2], Dtype::F32, head));
        tensors.push(out("something.else", &[2, 0], Dtype::F32, &[]));
    });
    let checkpoint = Checkpoint::parse(&bytes, &config).unwrap();
    assert_eq!(read_all(&checkpoint, &config).unwrap(), values);
    assert_eq!(load_chunked(&bytes, &config, 5).unwrap(), values);
    let mut ignored = checkpoint.ignored().to_vec();
    ignored.sort();
    assert_eq!(ignored, ["h.0.attn.masked_bias", "lm_head.weight", "something.else", "transformer.h.0.attn.bias"]);
}

#[test]
fn extra_tensors_of_other_dtypes_are_skipped() {
    let config = tiny();
    let values = tiny_values(&config);
    let bytes = file_with(&config, &values, |_| {});
    let header_len = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + header_len]).unwrap();
    let n = (bytes.len() - 8 - header_len) as u64;
    header["h.0.attn.bias"] = json!({ "dtype": "BOOL", "shape": [1, 1, 3, 3], "data_offsets": [n, n + 9] });
    header["counter"] = json!({ "dtype": "I64", "shape": [], "data_offsets": [n + 9, n + 17] });
    let mut file = raw_file(&header.to_string(), 0);
    file.extend_from_slice(&bytes[8 + header_len..]);
    file.extend_from_slice(&[1; 17]);
    assert_eq!(load_whole(&file, &config).unwrap(), values);
    assert_eq!(load_chunked(&file, &config, 4).unwrap(), values);
}

#[test]
fn shards_load_in_any_order() {
    let (config, bytes) = fixture("gpt2-tanh-f32");
    let params = load_whole(&bytes, &config).unwrap();
    let specs = param_specs(&config);
    let shard = |which: usize| {
        let tensors: Vec<_> = specs
            .iter()
            .enumerate()
            .filter(|(i, _)| i % 2 == which)
            .map(|(_, s)| out(&format!("transformer.{}", s.name), &s.shape, Dtype::F32, &params[&s.name]))
            .collect();
        write_safetensors(&tensors, &[]).unwrap()
    };
    let shards = [shard(0), shard(1)];
    let index = index_json(|i| format!("model-{i:05}-of-00002.safetensors"), &config);
    let index = ShardIndex::parse(index.to_string().as_bytes()).unwrap();
    assert_eq!(index.files(), ["model-00000-of-00002.safetensors", "model-00001-of-00002.safetensors"]);
    assert_eq!(index.file_of("wpe.weight"), Some("model-00001-of-00002.safetensors"));

    let whole = Checkpoint::parse_shards(&[&shards[1], &shards[0]], &config).unwrap();
    assert_eq!(read_all(&whole, &config).unwrap(), params);
    let mut loader = Loader::sharded(&config, &index).unwrap();
    let mut loaded = Params::new();
    for shard in [&shards[1], &shards[0]] {
        for chunk in shard.chunks(999) {
            let sink = &mut |name: &str, _: usize, values: &[f32]| {
                loaded.entry(name.to_string()).or_default().extend_from_slice(values);
                Ok(())
            };
            loader.push(chunk, sink).unwrap();
        }
        loader.end_file().unwrap();
    }
    loader.finish().unwrap();
    assert_eq!(loaded, params);

    let missing = Checkpoint::parse_shards(&[&shards[0]], &config).unwrap_err().to_string();
    assert_says(&missing, &["lack", "all parts"]);
    let twice = Checkpoint::parse_shards(&[&shards[0], &shards[1], &shards[0]], &config).unwrap_err().to_string();
    assert_says(&twice, &["twice"]);
}

fn index_json(file: impl Fn(usize) -> String, config: &GptConfig) -> Value {
    let map: BTreeMap<_, _> =
        param_specs(config).iter().enumerate().map(|(i, s)| (format!("transformer.{}", s.name), file(i % 2))).collect();
    json!({ "metadata": { "total_size": 1 }, "weight_map": map })
}

#[test]
fn bad_shard_indexes_are_refused() {
    for name in ["../secret", "a/b", "C:\\x", "", ".."] {
        let index = index_json(|_| name.to_string(), &tiny()).to_string();
        assert_says(&ShardIndex::parse(index.as_bytes()).unwrap_err().to_string(), &["plain file name"]);
    }
    assert_says(&ShardIndex::parse(b"{}").unwrap_err().to_string(), &["weight_map"]);
    let index = ShardIndex::parse(br#"{"weight_map": {"wte.weight": "a.safetensors"}}"#).unwrap();
    let e = Loader::sharded(&tiny(), &index).unwrap_err();
    assert_says(&e.to_string(), &["wpe.weight"]);
}
