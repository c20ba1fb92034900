//! Saved runs in which something is not as it was written: that is what is said, with the place, whatever has changed.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::models::open;
use common::training::fresh;
use gpt_playground::exec::Backend;
use gpt_playground::model::Model;
use gpt_playground::model::checkpoint::{Dtype, Header, TensorOut, write_safetensors};
use gpt_playground::train::{Event, Trainer, read_state, restore, save};
use pollster::block_on;
use std::time::Duration;

/// A run after its first evaluation, so that there are best weights too; a small one with adapters, or with all weights.
fn saved(lora: bool) -> Vec<u8> {
    let (mut model, options, source) = fresh(lora, Backend::Cpu);
    let mut trainer = block_on(Trainer::new(&mut model, options, source)).expect("a run");
    while !matches!(
        block_on(trainer.advance(&mut model, Duration::from_millis(50))).expect("a step"),
        Event::Evaluated { .. }
    ) {}
    block_on(save(&mut model, &mut trainer)).expect("a file")
}

fn refusal(model: &mut Model, file: &[u8]) -> String {
    block_on(restore(model, file)).expect_err("a damaged run was restored").to_string()
}

/// The header cannot be read, or is not the one that was written.
fn names_the_file(message: &str) {
    assert!(
        message.contains("the saved run is damaged") || message.contains("the saved run cannot be read"),
        "{message}"
    );
}

#[test]
fn any_flipped_bit_is_noticed() {
    for lora in [false, true] {
        let file = saved(lora);
        let mut model = open("gpt2-tanh-f32", Backend::Cpu);
        block_on(restore(&mut model, &file)).expect("the file as it was");
        let header = Header::parse_whole(&file).expect("a header");
        let start = header.entries[0].range.start as usize;
        // Every byte of the header, among which the options of the run stand: a learning rate, say.
        for at in 0..start {
            let mut file = file.clone();
            file[at] ^= 1 << (at % 8);
            let error = block_on(read_state(&file)).expect_err("a damaged header was read").to_string();
            names_the_file(&error);
        }
        // Of every tensor, also of the best weights, some bits: sign, exponent, the last of the fraction.
        for entry in header.entries.iter().filter(|entry| entry.dtype == Dtype::F32) {
            let (start, end) = (entry.range.start as usize, entry.range.end as usize);
            for (at, bit) in [(start, 0), (start + 3, 6), (end - 1, 7), (end - 3, 1)] {
                let mut file = file.clone();
                file[at] ^= 1 << bit;
                let error = refusal(&mut model, &file);
                assert!(error.contains("the saved run is damaged"), "{error}");
                assert!(error.contains(&format!("the values of {} are", entry.name)), "{error}");
            }
        }
        // And the checksums themselves.
        for at in file.len() - header.entries.len() * 4..file.len() {
            let mut file = file.clone();
            file[at] ^= 1;
            assert!(refusal(&mut model, &file).contains("the saved run is damaged"));
        }
        block_on(restore(&mut model, &file)).expect("the file as it was");
    }
}

/// The file without its checksums, as runs were saved before there were any; `edit` changes one tensor's values.
fn without_checksums(file: &[u8], keep_word: bool, edit: impl Fn(&str, &mut Vec<f32>)) -> Vec<u8> {
    let header = Header::parse_whole(file).expect("a header");
    let entries: Vec<_> = header.entries.iter().filter(|entry| entry.dtype == Dtype::F32).collect();
    let values: Vec<Vec<f32>> = entries
        .iter()
        .map(|entry| {
            let bytes = &file[entry.range.start as usize..entry.range.end as usize];
            let mut values = bytemuck::pod_collect_to_vec(bytes);
            edit(&entry.name, &mut values);
            values
        })
        .collect();
    let tensor = |(entry, data): (&&gpt_playground::model::checkpoint::TensorEntry, _)| TensorOut {
        name: entry.name.clone(),
        shape: entry.shape.clone(),
        dtype: Dtype::F32,
        data,
    };
    let tensors: Vec<_> = entries.iter().zip(values.iter().map(Vec::as_slice)).map(tensor).collect();
    let kept = |(key, _): &(&String, &String)| keep_word || *key == "gpt_playground.training";
    let metadata: Vec<_> = header.metadata.iter().filter(kept).map(|(k, v)| (k.as_str(), v.as_str())).collect();
    write_safetensors(&tensors, &metadata).expect("a file")
}

#[test]
fn runs_without_checksums_are_read_and_what_is_no_number_in_them_is_named() {
    let file = saved(true);
    let mut model = open("gpt2-tanh-f32", Backend::Cpu);
    let old = without_checksums(&file, false, |_, _| ());
    let state = block_on(restore(&mut model, &old)).expect("a run of before");
    assert!(state.best_weights.is_some());
    assert_eq!(state, block_on(restore(&mut model, &file)).expect("the same with checksums"));
    for name in ["h.0.attn.c_attn.lora_A", "exp_avg_sq:h.1.mlp.c_fc.lora_B", "best:h.0.mlp.c_proj.lora_B"] {
        for (bad, word) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
            let file = without_checksums(&file, false, |tensor, values| {
                if tensor == name {
                    values[1] = bad;
                }
            });
            let error = refusal(&mut model, &file);
            assert!(
                error.contains("is damaged") && error.contains(&format!("the values of {name} are no numbers: {word}")),
                "{error}"
            );
        }
    }
    // Checksums that were there and are no more do not pass for a run of before.
    let error = refusal(&mut model, &without_checksums(&file, true, |_, _| ()));
    assert!(error.contains("the saved run is damaged: its checksums are missing"), "{error}");
}
