use super::*;
use crate::model::params::ParamSpec;

const CONFIG: &[u8] = include_bytes!("../../../tests/fixtures/training/lora/adapter_config.json");
const WEIGHTS: &[u8] = include_bytes!("../../../tests/fixtures/training/lora/adapter_model.safetensors");

fn base() -> GptConfig {
    GptConfig::from_json(include_bytes!("../../../tests/fixtures/models/gpt2-tanh-f32/config.json")).unwrap()
}

/// Tensors of a file by name, with their raw bytes.
fn raw(file: &[u8]) -> BTreeMap<String, (Vec<usize>, Vec<u8>)> {
    let header = Header::parse_whole(file).unwrap();
    let bytes = |e: &TensorEntry| file[e.range.start as usize..e.range.end as usize].to_vec();
    header.entries.iter().map(|e| (e.name.clone(), (e.shape.clone(), bytes(e)))).collect()
}

fn refusal(config: &[u8], weights: &[u8], base: &GptConfig) -> String {
    Adapter::from_peft(config, weights, base).unwrap_err().to_string()
}

#[test]
fn reads_and_writes_what_peft_saved() {
    let adapter = Adapter::from_peft(CONFIG, WEIGHTS, &base()).unwrap();
    assert_eq!(adapter.options, LoraOptions { rank: 4, alpha: 8.0, dropout: 0.0, targets: LoraTarget::ALL.to_vec() });
    assert_eq!(adapter.tensors.len(), 16);
    let files = adapter.to_peft(Some("somewhere")).unwrap();
    assert_eq!(files[1].0, "adapter_model.safetensors");
    assert_eq!(raw(&files[1].1), raw(WEIGHTS), "names, shapes and values");
    assert_eq!(Header::parse_whole(&files[1].1).unwrap().metadata["format"], "pt");
    // Every key we write has the value that PEFT wrote.
    let (ours, theirs): (Map<_, _>, Map<_, _>) =
        (serde_json::from_slice(&files[0].1).unwrap(), serde_json::from_slice(CONFIG).unwrap());
    for (key, value) in &ours {
        match key.as_str() {
            "base_model_name_or_path" => assert_eq!(value, "somewhere"),
            "target_modules" => {
                let set = |v: &Value| {
                    v.as_array().unwrap().iter().map(|x| x.to_string()).collect::<std::collections::BTreeSet<_>>()
                };
                assert_eq!(set(value), set(&theirs[key]));
            }
            _ => assert_eq!(value, &theirs[key], "{key}"),
        }
    }
    assert_eq!(Adapter::from_peft(&files[0].1, &files[1].1, &base()).unwrap(), adapter);
}

/// `merged = W + alpha / rank * A B` in (in, out) layout, against PEFT's own merge: this is what would notice a
/// transposed or exchanged matrix.
#[test]
fn merges_as_peft_does() {
    let reference = include_bytes!("../../../tests/fixtures/training/lora/reference.safetensors");
    let model = include_bytes!("../../../tests/fixtures/models/gpt2-tanh-f32/model.safetensors");
    let floats = |file: &[u8], name: &str| -> Vec<f32> {
        raw(file)[name].1.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
    };
    let adapter = Adapter::from_peft(CONFIG, WEIGHTS, &base()).unwrap();
    for module in ["h.0.attn.c_attn", "h.1.mlp.c_proj"] {
        let matrix = |which: &str| adapter.tensors.iter().find(|t| t.name == format!("{module}.{which}")).unwrap();
        let (a, b) = (matrix("lora_A"), matrix("lora_B"));
        let mut merged = floats(model, &format!("transformer.{module}.weight"));
        let expected = floats(reference, &format!("merged.{module}.weight"));
        let n_out = b.shape[1];
        assert_eq!(merged.len(), a.shape[0] * n_out);
        for (i, row) in merged.chunks_mut(n_out).enumerate() {
            for (j, w) in row.iter_mut().enumerate() {
                let ab: f32 = (0..4).map(|r| a.data[i * 4 + r] * b.data[r * n_out + j]).sum();
                *w += adapter.options.scale() * ab;
            }
        }
        let error = merged.iter().zip(&expected).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        assert!(error < 1e-6, "{module}: {error}");
    }
}

#[test]
fn names() {
    assert_eq!(
        native_name("base_model.model.transformer.h.11.attn.c_proj.lora_A.weight").as_deref(),
        Some("h.11.attn.c_proj.lora_A")
    );
    assert_eq!(native_name("base_model.model.h.0.mlp.c_proj.lora_B.weight").as_deref(), Some("h.0.mlp.c_proj.lora_B"));
    for name in [
        "base_model.model.transformer.wte.lora_embedding_A",
        "base_model.model.transformer.h.0.attn.c_attn.lora_C.weight",
        "base_model.model.transformer.h.00.attn.c_attn.lora_A.weight",
        "base_model.model.transformer.h.x.attn.c_attn.lora_A.weight",
        "base_model.model.transformer.h.0.c_proj.lora_A.weight",
        "transformer.h.0.attn.c_attn.weight",
    ] {
        assert_eq!(native_name(name), None, "{name}");
    }
    let options = LoraOptions::default();
    for ParamSpec { name, .. } in options.specs(&base()) {
        assert_eq!(native_name(&peft_name(&name)), Some(name));
    }
}

/// Both projections are called c_proj: an adapter of one must not land on the other.
#[test]
fn some_targets_and_some_blocks() {
    let full = Adapter::from_peft(CONFIG, WEIGHTS, &base()).unwrap();
    let keep = |keep: &dyn Fn(&str) -> bool| {
        let tensors = full.tensors.iter().filter(|t| keep(&t.name)).cloned().collect();
        Adapter { tensors, ..full.clone() }.to_peft(None).unwrap()[1].1.clone()
    };
    let mlp = Adapter::from_peft(CONFIG, &keep(&|name| name.contains("mlp.c_proj")), &base()).unwrap();
    assert_eq!(mlp.options.targets, [LoraTarget::MlpOut]);
    assert_eq!(mlp.tensors.len(), 4);
    let second = Adapter::from_peft(CONFIG, &keep(&|name| name.starts_with("h.1.attn.c_attn")), &base()).unwrap();
    assert_eq!(second.tensors.len(), 4);
    assert!(second.tensors[..2].iter().all(|t| t.data.iter().all(|&x| x == 0.0)));
    assert_eq!(second.tensors[2], full.tensors[8]);
    for (missing, kept) in [("lora_A", "lora_B"), ("lora_B", "lora_A")] {
        let error =
            refusal(CONFIG, &keep(&|name| !(name.starts_with("h.0.mlp.c_fc") && name.ends_with(missing))), &base());
        assert!(error.contains(missing) && error.contains("incomplete"), "without {missing}, with {kept}: {error}");
    }
}

#[test]
fn refuses_what_does_not_fit() {
    let mut other = base();
    other.n_inner = 60;
    let error = refusal(CONFIG, WEIGHTS, &other);
    assert!(error.contains("has shape [80, 4], but rank 4 on this model needs [60, 4]"), "{error}");
    other = base();
    other.n_layer = 1;
    assert!(refusal(CONFIG, WEIGHTS, &other).contains("1 blocks"));
    assert!(refusal(CONFIG, &WEIGHTS[..1000], &base()).starts_with("adapter_model.safetensors"));
    assert!(refusal(b"[]", WEIGHTS, &base()).contains("not valid JSON"));
    let set = |key: &str, value: Value| {
        let mut map: Map<String, Value> = serde_json::from_slice(CONFIG).unwrap();
        map.insert(key.into(), value);
        serde_json::to_vec(&map).unwrap()
    };
    for (key, value) in [
        ("peft_type", json!("IA3")),
        ("use_dora", json!(true)),
        ("rank_pattern", json!({"h.0": 2})),
        ("bias", json!("all")),
        ("modules_to_save", json!(["wte"])),
        ("init_lora_weights", json!("pissa_niter_4")),
        ("lora_alpha", json!(null)),
    ] {
        let error = refusal(&set(key, value), WEIGHTS, &base());
        assert!(error.contains(key), "{key}: {error}");
    }
    for rank in [0, 3, 8, 1000] {
        assert!(Adapter::from_peft(&set("r", json!(rank)), WEIGHTS, &base()).is_err(), "rank {rank}");
    }
    let rslora = config_from_json(&set("use_rslora", json!(true))).unwrap();
    assert_eq!(rslora.scale(), 4.0, "8 / sqrt(4)");
}

#[test]
fn refuses_weights_that_are_not_finite() {
    let mut adapter = Adapter::from_peft(CONFIG, WEIGHTS, &base()).unwrap();
    adapter.tensors[3].data[1] = f32::NAN;
    let files = adapter.to_peft(None).unwrap();
    assert!(refusal(&files[0].1, &files[1].1, &base()).contains("NaN"));
    adapter.tensors[3].data.pop();
    assert!(adapter.to_peft(None).unwrap_err().to_string().contains("h.0.attn.c_proj.lora_B"));
}
