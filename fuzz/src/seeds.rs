//! Good inputs to begin from, small ones, each made by the writer that belongs to the reader.

use super::targets::{join, small, tiny};
use gpt_playground::config::{Activation, GptConfig, NormPosition};
use gpt_playground::exec::Backend;
use gpt_playground::model::checkpoint::{Dtype, Header, TensorOut, write_safetensors};
use gpt_playground::model::lora::{LoraOptions, LoraTarget};
use gpt_playground::model::params::param_specs;
use gpt_playground::model::{Model, ModelOptions};
use gpt_playground::tokenizer::{Bpe, ByteTokenizer, CharTokenizer, Tokenizer};
use gpt_playground::train::peft::{Adapter, AdapterTensor};
use gpt_playground::train::{Dataset, Event, Source, TrainOptions, Trainer, save};
use pollster::block_on;
use std::time::Duration;

/// The seeds of a target, by its name. All are good inputs.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "config" => configs(),
        "header" | "weights" => [Dtype::F32, Dtype::F16, Dtype::BF16].map(weights).into(),
        "shard_index" => vec![shard_index()],
        "tokenizer" => tokenizers(),
        // All bytes that may stand in a text here have an entry, and there are a merge and a special token.
        "made_tokenizer" => vec![vec![8, 1, 1, 2, 0, 1, 0, 1, 1, 0, 4, 1, 0, 4, 0, 1, 2, 5]],
        // Sizes 1 to 16 in their low bytes: one head, vocabulary, context, width, layers.
        "sizes" => vec![[[5, 1, 0, 0], [5, 9, 0, 0], [5, 8, 0, 0], [5, 4, 0, 0], [5, 2, 0, 0], [0, 1, 1, 0]].concat()],
        "vocab_and_merges" => vec![vocab_and_merges()],
        "adapter" => vec![adapter(&LoraTarget::ALL), adapter(&[LoraTarget::MlpOut])],
        "training_state" => [false, true].into_iter().flat_map(states).collect(),
        other => panic!("there is no target {other}"),
    }
}

fn configs() -> Vec<Vec<u8>> {
    let native = GptConfig {
        activation: Activation::Relu,
        norm: NormPosition::Post,
        tie_word_embeddings: false,
        bias: false,
        lm_head_bias: true,
        final_layer_norm: false,
        bos_token_id: Some(1),
        ..tiny()
    };
    let hf = r#"{"architectures": ["GPT2LMHeadModel"], "n_ctx": 8, "hidden_size": 4, "num_attention_heads": 2,
        "num_hidden_layers": 1, "vocab_size": 9, "n_inner": null, "eos_token_id": [3, 4], "activation_function": "gelu"}"#;
    vec![tiny().to_json().into_bytes(), native.to_json().into_bytes(), hf.into()]
}

/// Values that F16 and BF16 hold too.
fn values(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i % 7) as f32 * 0.25 - 0.5).collect()
}

fn weights(dtype: Dtype) -> Vec<u8> {
    let specs = param_specs(&tiny());
    let values: Vec<_> = specs.iter().map(|spec| values(spec.numel())).collect();
    let out = |(spec, data): (&gpt_playground::model::params::ParamSpec, _)| TensorOut {
        name: spec.name.clone(),
        shape: spec.shape.clone(),
        dtype: dtype.clone(),
        data,
    };
    let tensors: Vec<_> = specs.iter().zip(values.iter().map(Vec::as_slice)).map(out).collect();
    write_safetensors(&tensors, &[("format", "pt")]).expect("weights")
}

fn shard_index() -> Vec<u8> {
    let names = param_specs(&tiny()).into_iter().enumerate();
    let map: Vec<_> =
        names.map(|(i, spec)| format!("\"transformer.{}\": \"m-{}.safetensors\"", spec.name, i % 3)).collect();
    format!("{{\"metadata\": {{\"total_size\": 99}}, \"weight_map\": {{{}}}}}", map.join(", ")).into_bytes()
}

const TEXT: &str = "the cat, the hat: the caterpillar's hats aren't 42 cats\n\n <|end|>";

fn tokenizers() -> Vec<Vec<u8>> {
    let bpe = Bpe::train(&TEXT.repeat(3), 280, &["<|end|>", "<|a|>"]).expect("a tokenizer");
    let config: &[u8] = br#"{"eos_token": {"content": "<|a|>"}, "bos_token": "<|end|>"}"#;
    let chars = CharTokenizer::train(TEXT).expect("a tokenizer");
    vec![
        join(&[bpe.to_json().as_bytes(), config, TEXT.as_bytes()]),
        join(&[chars.to_json().as_bytes(), b"", TEXT.as_bytes()]),
        join(&[ByteTokenizer::new().to_json().as_bytes(), b"", TEXT.as_bytes()]),
    ]
}

fn vocab_and_merges() -> Vec<u8> {
    let vocab = r#"{"t": 0, "h": 1, "e": 2, "Ġ": 3, "c": 4, "a": 5, "th": 6, "the": 7, "Ġc": 8, "Ġca": 9, "<|endoftext|>": 10}"#;
    let merges = "#version: 0.2\nt h\nth e\nĠ c\nĠc a\n";
    join(&[vocab.as_bytes(), merges.as_bytes(), b"the cathe<|endoftext|> ca"])
}

fn adapter(targets: &[LoraTarget]) -> Vec<u8> {
    let options = LoraOptions { rank: 2, alpha: 4.0, dropout: 0.0, targets: targets.into() };
    let tensor = |spec: gpt_playground::model::params::ParamSpec| AdapterTensor {
        data: values(spec.numel()),
        shape: [spec.shape[0], spec.shape[1]],
        name: spec.name,
    };
    let tensors = options.specs(&small()).into_iter().map(tensor).collect();
    let files = Adapter { options, tensors }.to_peft(Some("base")).expect("an adapter");
    join(&[&files[0].1, &files[1].1])
}

/// A run after its first evaluation, as it is saved, and as it was saved before there were checksums.
fn states(lora: bool) -> [Vec<u8>; 2] {
    let open = ModelOptions { backend: Backend::Cpu, ..ModelOptions::default() };
    let mut model = block_on(Model::open(tiny(), &open)).expect("a model");
    model.randomize(1).expect("weights");
    let options = TrainOptions {
        steps: 2,
        batch_size: 1,
        context: 2,
        eval_every: 1,
        warmup: 0,
        validation: 0.4,
        lora: lora.then(|| LoraOptions { rank: 1, ..LoraOptions::default() }),
        ..TrainOptions::default()
    };
    let data = Dataset::new((0..40).map(|i| i * i % 5).collect(), 0.4, 2).expect("a text");
    let mut trainer = block_on(Trainer::new(&mut model, options, Source::Text(data))).expect("a run");
    while !matches!(block_on(trainer.advance(&mut model, Duration::MAX)).expect("a step"), Event::Evaluated { .. }) {}
    let file = block_on(save(&mut model, &mut trainer)).expect("a file");
    let header = Header::parse_whole(&file).expect("a header");
    let entries: Vec<_> = header.entries.iter().filter(|e| e.dtype == Dtype::F32).collect();
    let floats = |range: &std::ops::Range<u64>| -> Vec<f32> {
        file[range.start as usize..range.end as usize].as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
    };
    let values: Vec<_> = entries.iter().map(|e| floats(&e.range)).collect();
    let tensors: Vec<_> = entries
        .iter()
        .zip(&values)
        .map(|(e, data)| TensorOut { name: e.name.clone(), shape: e.shape.clone(), dtype: Dtype::F32, data })
        .collect();
    let key = "gpt_playground.training";
    let old = write_safetensors(&tensors, &[(key, &header.metadata[key])]).expect("a file");
    [file, old]
}
