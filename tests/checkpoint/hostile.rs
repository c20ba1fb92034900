//! Truncated, damaged, hostile and wrong files are refused with the tensor's name, whole or as a stream.

use gpt_playground::config::GptConfig;
use gpt_playground::error::Error;
use gpt_playground::message::Message;
use gpt_playground::model::checkpoint::{Dtype, Header, Loader};
use gpt_playground::model::params::param_specs;
use proptest::prelude::*;
use safetensors::SafeTensors;
use serde_json::json;

use super::{assert_says, file_with, load_chunked, load_whole, out, raw_file, refused, tiny, tiny_file, tiny_values};

#[test]
fn every_truncation_is_refused() {
    let (config, bytes) = (tiny(), tiny_file());
    load_whole(&bytes, &config).unwrap();
    for n in 0..bytes.len() {
        let message = refused(&bytes[..n], &config);
        assert_says(&message, &["ownload"]);
    }
    let message = refused(&bytes[..bytes.len() - 1], &config);
    assert_says(&message, &["truncated", "ln_f.bias", &bytes.len().to_string()]);
}

#[test]
fn trailing_bytes_are_refused() {
    let mut bytes = tiny_file();
    bytes.push(0);
    assert_says(&refused(&bytes, &tiny()), &["longer"]);
}

#[test]
fn unfinished_streams_are_refused() {
    let (config, bytes) = (tiny(), tiny_file());
    let mut loader = Loader::new(&config).unwrap();
    loader.push(&bytes, &mut |_, _, _| Ok(())).unwrap();
    assert_eq!((loader.file_len(), loader.position()), (Some(bytes.len() as u64), bytes.len() as u64));
    assert_says(&loader.finish().unwrap_err().to_string(), &["not been read to its end"]);
    let mut loader = Loader::new(&config).unwrap();
    assert_says(&loader.finish().unwrap_err().to_string(), &["lack"]);
    // It can still be given what it lacked.
    loader.push(&bytes, &mut |_, _, _| Ok(())).unwrap();
    loader.end_file().unwrap();
    loader.finish().unwrap();
}

#[test]
fn the_error_of_a_sink_ends_the_loading() {
    let mut loader = Loader::new(&tiny()).unwrap();
    let full = Error::Device(Message::uncoded("out of memory"));
    let e = loader.push(&tiny_file(), &mut |_, _, _| Err(full.clone())).unwrap_err();
    assert_eq!(e, full);
}

/// A stream fails on its header, before the first value: the rest need not be transferred.
#[test]
fn a_wrong_model_is_refused_by_its_header() {
    let bytes = tiny_file();
    let header_len = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = Header::parse(&bytes[..8 + header_len]).unwrap().unwrap();
    assert_eq!(header.file_len, bytes.len() as u64);
    assert_eq!(header.metadata["format"], "pt");
    assert_eq!(Header::parse(&bytes[..8 + header_len - 1]).unwrap(), None);
    let other = GptConfig::new(5, 3, 4, 1, 1);
    let mut loader = Loader::new(&other).unwrap();
    let e = loader.push(&bytes[..8 + header_len], &mut |_, _, _| panic!("no values yet")).unwrap_err();
    assert_says(&e.to_string(), &["shape", "config.json"]);
}

#[test]
fn absurd_header_lengths_are_refused_at_once() {
    for length in [0, 1, 16 << 20 | 1, 1 << 32, u64::MAX / 2, u64::MAX - 7, u64::MAX] {
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend_from_slice(b"{\"a\":");
        assert_says(&refused(&bytes, &tiny()), &["not a safetensors file"]);
        // The first bytes alone say so: nothing waits for, or makes room for, the rest.
        assert!(Header::parse(&bytes[..8]).is_err(), "{length}");
        bytes.resize(64, b'x');
        let mut loader = Loader::new(&tiny()).unwrap();
        assert!(loader.push(&bytes, &mut |_, _, _| Ok(())).is_err(), "{length}");
    }
}

#[test]
fn damaged_headers_are_refused_by_tensor() {
    let cases: &[(&str, usize, &[&str])] = &[
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2,18446744073709551615],\"data_offsets\":[0,8]}}", 8, &["'a'", "shape"]),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0, &["'a'", "shape"]),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,18446744073709551615]}}", 4, &["'a'", "offsets"]),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,4]}}", 8, &["'a'", "offsets"]),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, &["'a'", "gap"]),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, &["'a'", "-1"]),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 4, &["'a'", "1.5"]),
        ("{\"a\":{\"dtype\":\"Q4_K\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, &["'a'", "Q4_K"]),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4, &["'a'", "9 dim"]),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,4]}}", 4, &["'a'", "4 bytes"]),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, &["'a'", "data_offsets"]),
        ("{\"a\":7}", 4, &["'a'"]),
        ("{\"__metadata__\":{\"format\":1}}", 0, &["__metadata__"]),
        (
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\
              \"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
            12,
            &["'b'", "overlaps"],
        ),
        (
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\
              \"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
            4,
            &["'a'", "twice"],
        ),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} {}", 4, &["damaged"]),
        ("{]", 4, &["damaged"]),
        ("[1]", 4, &["not a safetensors file"]),
        ("{}", 0, &["lack", "None of its tensors"]),
    ];
    for (header, n, parts) in cases {
        assert_says(&refused(&raw_file(header, *n), &tiny()), parts);
    }
    // Deep nesting must not exhaust the stack, and not-quite-UTF-8 must not pass.
    refused(&raw_file(&format!("{{\"a\":{}", "[".repeat(1 << 20)), 0), &tiny());
    let mut bytes = raw_file("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4);
    bytes[10] = 0xff;
    refused(&bytes, &tiny());
    // A name of a megabyte does not fill the screen.
    let long = format!("{{\"{}\":{{\"dtype\":\"X\",\"shape\":[],\"data_offsets\":[0,0]}}}}", "n".repeat(1 << 20));
    assert!(refused(&raw_file(&long, 0), &tiny()).len() < 400);
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let config = tiny();
    let values = tiny_values(&config);
    let zeros = [0.0; 64];

    for spec in param_specs(&config) {
        let lacking = file_with(&config, &values, |t| t.retain(|t| t.name != spec.name));
        assert_says(&refused(&lacking, &config), &["lack", &spec.name]);

        let n = spec.numel();
        let wrong = file_with(&config, &values, |t| {
            let t = t.iter_mut().find(|t| t.name == spec.name).unwrap();
            (t.shape, t.data) = (vec![n + 1], &zeros[..n + 1]);
        });
        assert_says(&refused(&wrong, &config), &[&spec.name, &format!("{:?}", [n + 1]), &format!("{:?}", spec.shape)]);

        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut values = values.clone();
            values.get_mut(&spec.name).unwrap()[n - 1] = bad;
            let element = format!("element {}", n - 1);
            assert_says(
                &refused(&file_with(&config, &values, |_| {}), &config),
                &[&spec.name, &bad.to_string(), &element],
            );
        }
    }

    let transposed = file_with(&config, &values, |t| t.iter_mut().for_each(|t| t.shape.reverse()));
    assert_says(&refused(&transposed, &config), &["transposed", "(in, out)"]);

    let both =
        file_with(&config, &values, |t| t.push(out("transformer.wte.weight", &[5, 2], Dtype::F32, &zeros[..10])));
    assert_says(&refused(&both, &config), &["wte.weight", "twice"]);

    let head = file_with(&config, &values, |t| t.push(out("lm_head.weight", &[6, 2], Dtype::F32, &zeros[..12])));
    assert_says(&refused(&head, &config), &["lm_head.weight", "[6, 2]", "[5, 2]"]);

    let untied = GptConfig { tie_word_embeddings: false, ..tiny() };
    assert_says(&refused(&tiny_file(), &untied), &["lm_head.weight", "tie_word_embeddings"]);

    let deeper = GptConfig { n_layer: 2, ..tiny() };
    assert_says(&refused(&tiny_file(), &deeper), &["h.1.attn.c_attn.bias", "and 11 more"]);
}

#[test]
fn wrong_dtypes_are_named() {
    let bytes = tiny_file();
    let find = |from: usize, text: &[u8]| from + bytes[from..].windows(text.len()).position(|w| w == text).unwrap();
    let key = find(find(0, b"\"h.0.ln_1.weight\""), b"F32");
    let mut wrong = bytes.clone();
    wrong[key..key + 3].copy_from_slice(b"I32");
    assert_says(&refused(&wrong, &tiny()), &["h.0.ln_1.weight", "I32", "BF16"]);
}

#[test]
fn other_formats_are_recognised() {
    let cases: &[(&[u8], &str)] = &[
        (b"GGUF\x03\x00\x00\x00\x00\x00\x00\x00", "GGUF"),
        (b"PK\x03\x04\x00\x00\x08\x08\x00\x00\x00\x00", "pytorch_model.bin"),
        (b"\x80\x02}q\x00X\x05\x00\x00\x00\x00", "pickle"),
        (b"\x89HDF\r\n\x1a\n\x00\x00\x00\x00", "HDF5"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "gzip"),
        (b"\x93NUMPY\x01\x00\x76\x00", "NumPy"),
        (b"version https://git-lfs.github.com/spec/v1\n", "LFS"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\xef\xbb\xbf\n<html lang=\"en\">", "web page"),
        (b"{\n  \"architectures\": []}", "JSON"),
        (b"just some text, nothing more", "not a safetensors file"),
    ];
    for (bytes, part) in cases {
        assert_says(&refused(bytes, &tiny()), &[part]);
    }
    assert_says(&refused(b"", &tiny()), &["ends inside its header"]);
}

proptest! {
    /// Any damage to the header is refused or harmless; what is accepted has the bytes it says.
    #[test]
    fn flipped_bits_never_panic(flips in prop::collection::vec((0usize..2000, 0u8..8), 1..4), size in 1usize..200) {
        let config = tiny();
        let mut bytes = tiny_file();
        for (at, bit) in flips {
            let n = bytes.len();
            bytes[at % n] ^= 1 << bit;
        }
        let whole = load_whole(&bytes, &config);
        let chunked = load_chunked(&bytes, &config, size);
        match (whole, chunked) {
            (Ok(a), Ok(b)) => prop_assert_eq!(a, b),
            (Err(a), Err(b)) => prop_assert!(!a.to_string().is_empty() && !b.to_string().is_empty()),
            (a, b) => prop_assert!(false, "whole: {a:?}, chunked: {b:?}"),
        }
    }

    /// Numbers of every size in the header: what this reader accepts, an independent one accepts too.
    #[test]
    fn hostile_numbers_never_panic(
        shape in prop::collection::vec(prop_oneof![0u64..4, any::<u64>(), Just(1 << 32), Just(1 << 63)], 0..4),
        begin in prop_oneof![Just(0u64), any::<u64>()],
        end in prop_oneof![0u64..64, any::<u64>()],
        dtype in prop::sample::select(vec!["F32", "F16", "BF16", "I64", "BOOL", "F8_E5M2", "F4", "X"]),
        n in 0usize..64,
    ) {
        let header = json!({ "wte.weight": { "dtype": dtype, "shape": shape, "data_offsets": [begin, end] } });
        let file = raw_file(&header.to_string(), n);
        if let Ok(header) = Header::parse_whole(&file) {
            prop_assert!(SafeTensors::deserialize(&file).is_ok(), "{header:?}");
        }
        prop_assert!(load_whole(&file, &tiny()).is_err());
        prop_assert!(load_chunked(&file, &tiny(), 3).is_err());
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(load_whole(&bytes, &tiny()).is_err());
        prop_assert!(load_chunked(&bytes, &tiny(), 5).is_err());
        prop_assert!(GptConfig::from_json(&bytes).is_err());
    }
}
