//! `config.json`: what Hugging Face writes is read, what would be computed wrongly is refused, and the parameter table
//! follows from it.

use gpt_playground::config::{Activation, GptConfig, NormPosition};
use gpt_playground::error::{Error, Result};
use gpt_playground::model::checkpoint::{Checkpoint, Loader};
use gpt_playground::model::params::{Init, param_specs};
use serde_json::{Value, json};

use super::{assert_says, tiny, tiny_file};

/// GPT-2's own config.json, as published.
fn gpt2() -> Value {
    json!({
        "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1,
        "bos_token_id": 50256, "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-05, "model_type": "gpt2", "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12,
        "n_positions": 1024, "resid_pdrop": 0.1, "vocab_size": 50257,
        "task_specific_params": { "text-generation": { "do_sample": true, "max_length": 50 } },
    })
}

fn with(mut config: Value, key: &str, value: Value) -> Result<GptConfig> {
    config[key] = value;
    GptConfig::from_json(config.to_string().as_bytes())
}

#[test]
fn gpt2_s_own_configuration_is_read() {
    let config = with(gpt2(), "n_inner", Value::Null).unwrap();
    let mut expected = GptConfig::new(50257, 1024, 768, 12, 12);
    (expected.bos_token_id, expected.eos_token_id) = (Some(50256), Some(50256));
    assert_eq!(config, expected);
    assert_eq!((config.n_params(), config.head_dim(), config.n_inner), (124_439_808, 64, 3072));
    config.hf_compatible().unwrap();
}

#[test]
fn variants_of_the_configuration_are_read() {
    let get = |key: &str, value: Value| with(gpt2(), key, value).unwrap();
    for (name, activation) in [
        ("gelu_new", Activation::GeluTanh),
        ("gelu_pytorch_tanh", Activation::GeluTanh),
        ("gelu", Activation::GeluErf),
        ("relu", Activation::Relu),
    ] {
        assert_eq!(get("activation_function", json!(name)).activation, activation);
    }
    assert_eq!(get("n_inner", json!(50)).n_inner, 50);
    assert_eq!(get("eos_token_id", json!([7, 8])).eos_token_id, Some(7));
    for none in [json!(null), json!(-1), json!(50257), json!([])] {
        assert_eq!(get("eos_token_id", none).eos_token_id, None);
    }
    assert!(!get("tie_word_embeddings", json!(false)).tie_word_embeddings);
    get("reorder_and_upcast_attn", json!(true));
    assert_eq!(get("norm_position", json!("post")).norm, NormPosition::Post);
    // n_positions sizes wpe; n_ctx alone stands in for it.
    assert_eq!(get("n_ctx", json!(7)).n_ctx, 1024);
    let mut old = gpt2();
    old.as_object_mut().unwrap().remove("n_positions");
    assert_eq!(with(old, "n_ctx", json!(7)).unwrap().n_ctx, 7);
}

#[test]
fn bad_configurations_are_refused_by_key() {
    let huge = json!(u64::MAX);
    let cases = [
        ("model_type", json!("llama"), &["llama", "gpt2"][..]),
        ("model_type", json!(3), &["model_type"]),
        ("activation_function", json!("silu"), &["silu", "gelu_new"]),
        ("activation_function", json!(1), &["activation_function"]),
        ("scale_attn_weights", json!(false), &["scale_attn_weights"]),
        ("scale_attn_by_inverse_layer_idx", json!(true), &["scale_attn_by_inverse_layer_idx"]),
        ("add_cross_attention", json!(true), &["add_cross_attention"]),
        ("quantization_config", json!({ "bits": 4 }), &["quantization_config"]),
        ("norm_position", json!("sandwich"), &["norm_position", "sandwich"]),
        ("bias", json!("yes"), &["bias", "true or false"]),
        ("n_embd", json!(769), &["n_embd", "n_head"]),
        ("n_embd", huge.clone(), &["n_embd"]),
        ("n_embd", json!(-3), &["n_embd", "whole number"]),
        ("n_embd", json!(7.5), &["n_embd", "whole number"]),
        ("n_embd", json!(null), &["n_embd"]),
        ("n_embd", json!(0), &["n_embd"]),
        ("n_head", json!(0), &["n_head"]),
        ("n_head", huge.clone(), &["n_head"]),
        ("n_layer", json!(0), &["n_layer"]),
        ("n_layer", huge.clone(), &["n_layer"]),
        ("n_positions", json!(0), &["n_positions"]),
        ("n_positions", huge.clone(), &["n_positions"]),
        ("vocab_size", json!(0), &["vocab_size"]),
        ("vocab_size", json!((1 << 20) + 1), &["vocab_size"]),
        ("vocab_size", huge.clone(), &["vocab_size"]),
        ("n_inner", json!(0), &["n_inner"]),
        ("n_inner", huge, &["n_inner"]),
        ("n_layer", json!(512), &["parameters"]),
        ("layer_norm_epsilon", json!(0), &["layer_norm_epsilon"]),
        ("layer_norm_epsilon", json!(1e300), &["layer_norm_epsilon"]),
        ("layer_norm_epsilon", json!("small"), &["layer_norm_epsilon"]),
    ];
    for (key, value, parts) in cases {
        let e = with(gpt2(), key, value).unwrap_err();
        assert!(matches!(e, Error::Config(_)), "{e:?}");
        assert_says(&e.to_string(), parts);
    }
    for (text, part) in
        [("", "JSON"), ("[]", "object"), ("{}", "model_type"), ("{\"model_type\":\"gpt2\"}", "vocab_size")]
    {
        assert_says(&GptConfig::from_json(text.as_bytes()).unwrap_err().to_string(), &[part]);
    }
    // A configuration made by hand passes the same checks before anything is sized by it.
    let bad = GptConfig { n_head: 0, ..tiny() };
    assert!(Checkpoint::parse(&tiny_file(), &bad).is_err());
    assert!(Loader::new(&bad).is_err());
    assert!(GptConfig { eos_token_id: Some(5), ..tiny() }.validate().is_err());
    assert!(GptConfig { layer_norm_epsilon: f32::NAN, ..tiny() }.validate().is_err());
}

/// Every combination of the variants is written and read back, and counted right.
#[test]
fn configurations_survive_a_round_trip() {
    let base =
        GptConfig { bos_token_id: Some(1), n_inner: 7, layer_norm_epsilon: 3e-6, ..GptConfig::new(11, 9, 6, 2, 3) };
    for bits in 0..32u32 {
        let on = |bit: u32| bits >> bit & 1 == 1;
        for activation in [Activation::GeluTanh, Activation::GeluErf, Activation::Relu] {
            let config = GptConfig {
                activation,
                norm: if on(0) { NormPosition::Post } else { NormPosition::Pre },
                tie_word_embeddings: on(1),
                bias: on(2),
                lm_head_bias: on(3),
                final_layer_norm: on(4),
                ..base.clone()
            };
            let text = config.to_json();
            assert_eq!(GptConfig::from_json(text.as_bytes()).unwrap(), config);
            let native = on(0) || !on(2) || on(3) || !on(4);
            assert_eq!(config.hf_compatible().is_err(), native);
            // Another program must not load a model that it would compute differently.
            assert_eq!(text.contains("\"model_type\": \"gpt2\""), !native, "{text}");

            let specs = param_specs(&config);
            assert_eq!(specs.iter().map(|s| s.numel()).sum::<usize>(), config.n_params());
            let has = |name: &str| specs.iter().any(|s| s.name == name);
            assert_eq!(has("lm_head.weight"), !on(1));
            assert_eq!(has("h.2.ln_1.bias"), on(2));
            assert_eq!(has("lm_head.bias"), on(3));
            assert_eq!(has("ln_f.weight"), on(4));
        }
    }
    assert!(base.to_json().contains("\"layer_norm_epsilon\": 3e-6"), "{}", base.to_json());
}

#[test]
fn parameters_start_and_decay_as_in_nanogpt() {
    let specs = param_specs(&GptConfig::new(11, 9, 6, 2, 8));
    for spec in &specs {
        assert_eq!(spec.decay, spec.shape.len() == 2, "{}", spec.name);
        let expected = match spec.name.as_str() {
            name if name.ends_with("bias") => Init::Zeros,
            name if name.contains("ln_") => Init::Ones,
            name if name.ends_with("c_proj.weight") => Init::Normal { std: 0.005 },
            _ => Init::Normal { std: 0.02 },
        };
        assert_eq!(spec.init, expected, "{}", spec.name);
    }
    assert_eq!(specs[0].name, "wte.weight");
    assert_eq!(specs.last().unwrap().name, "ln_f.bias");
    let c_fc = specs.iter().find(|s| s.name == "h.7.mlp.c_fc.weight").unwrap();
    assert_eq!(c_fc.shape, [6, 24]);
}
