//! Written files are read back by this reader and by an independent one.

use gpt_playground::model::checkpoint::{
    Dtype, Header, Pieces, TensorOut, encode_f32, write_header, write_safetensors,
};
use gpt_playground::model::params::param_specs;
use proptest::prelude::*;
use safetensors::SafeTensors;

use super::{assert_says, out, tiny, tiny_file, tiny_values};

proptest! {
    #[test]
    fn written_files_are_read_back(
        data in prop::collection::vec(-6e4f32..6e4, 24),
        dtypes in prop::collection::vec(prop::sample::select(vec![Dtype::F32, Dtype::F16, Dtype::BF16]), 3),
    ) {
        let parts = [(vec![3, 4], &data[..12]), (vec![5], &data[12..17]), (vec![7, 1], &data[17..])];
        let tensors: Vec<_> = parts
            .iter()
            .zip(&dtypes)
            .enumerate()
            .map(|(i, ((shape, data), dtype))| out(&format!("tensor \"{i}\" é"), shape, dtype.clone(), data))
            .collect();
        let file = write_safetensors(&tensors, &[("format", "pt")]).unwrap();
        let other = SafeTensors::deserialize(&file).unwrap();
        let header = Header::parse_whole(&file).unwrap();
        prop_assert_eq!(header.entries.len(), 3);
        for tensor in &tensors {
            let view = other.tensor(&tensor.name).unwrap();
            prop_assert_eq!(view.shape(), &tensor.shape);
            let expected: Vec<u8> = tensor.data.iter().flat_map(|&x| match tensor.dtype {
                Dtype::F16 => half::f16::from_f32(x).to_le_bytes().to_vec(),
                Dtype::BF16 => half::bf16::from_f32(x).to_le_bytes().to_vec(),
                _ => x.to_le_bytes().to_vec(),
            }).collect();
            prop_assert_eq!(view.data(), expected);
            let entry = header.entries.iter().find(|e| e.name == tensor.name).unwrap();
            prop_assert_eq!(entry.range.start % tensor.dtype.size() as u64, 0, "unaligned");
        }
    }
}

#[test]
fn what_cannot_be_written_is_named() {
    let message = |tensors: &[TensorOut<'_>]| write_safetensors(tensors, &[]).unwrap_err().to_string();
    assert_says(&message(&[out("a", &[1], Dtype::F16, &[1e6])]), &["'a'", "too large for F16", "F32"]);
    assert_says(&message(&[out("a", &[1], Dtype::BF16, &[f32::MAX])]), &["'a'", "too large for BF16"]);
    assert_says(&message(&[out("a", &[2], Dtype::F32, &[1.0])]), &["'a'", "[2]", "1 values"]);
    assert_says(&message(&[out("a", &[1], Dtype::Other("I8".into()), &[1.0])]), &["'a'", "I8"]);
    assert_says(&message(&[out("a", &[usize::MAX, 3], Dtype::F32, &[])]), &["'a'", "too large"]);
    let twice = [out("a", &[1], Dtype::F32, &[1.0]), out("a", &[1], Dtype::F32, &[1.0])];
    assert_says(&message(&twice), &["'a'"]);
}

#[test]
fn piecewise_writing_equals_writing_at_once() {
    let config = tiny();
    let values = tiny_values(&config);
    let specs = param_specs(&config);
    let list: Vec<_> = specs.iter().map(|s| (s.name.as_str(), s.shape.as_slice(), &Dtype::F32)).collect();
    let mut file = write_header(&list, &[("format", "pt")]).unwrap();
    for spec in &specs {
        for piece in values[&spec.name].chunks(3) {
            encode_f32(&spec.name, &Dtype::F32, piece, &mut file).unwrap();
        }
    }
    assert_eq!(file, tiny_file());
}

#[test]
fn pieces_are_small_and_make_the_whole_file() {
    // Small tensors, one larger than a piece, small ones again.
    let sizes = [3, 1 << 20, 1 << 20, 5, 5 << 20, 7];
    let data: Vec<Vec<f32>> = sizes.iter().map(|&n| (0..n).map(|i| i as f32 * 0.5).collect()).collect();
    let tensors: Vec<_> =
        data.iter().enumerate().map(|(i, data)| out(&format!("t{i}"), &[data.len()], Dtype::F32, data)).collect();
    let listed: Vec<_> = tensors.iter().map(|t| (t.name.as_str(), t.shape.as_slice(), &t.dtype)).collect();
    let mut writer = Pieces::new(write_header(&listed, &[]).unwrap());
    let mut pieces = Vec::new();
    for tensor in &tensors {
        pieces.extend(writer.add(&tensor.name, &tensor.dtype, tensor.data).unwrap());
    }
    pieces.push(writer.finish());
    assert!(pieces.concat() == write_safetensors(&tensors, &[]).unwrap());
    let capacities: Vec<_> = pieces.iter().map(Vec::capacity).collect();
    assert_eq!(pieces.len(), 3, "{capacities:?}");
    assert!(capacities.iter().all(|&bytes| bytes < 4 * (5 << 20) + 100), "{capacities:?}");
}

#[test]
fn a_header_is_read_from_as_much_of_the_file_as_it_takes() {
    // Names so long that the header passes the first 64 KiB.
    let names: Vec<String> = (0..900).map(|i| format!("{i:0>150}")).collect();
    let tensors: Vec<_> = names.iter().map(|name| out(name, &[1], Dtype::F32, &[1.5])).collect();
    let file = write_safetensors(&tensors, &[]).unwrap();
    let read = async |range: std::ops::Range<u64>| Ok(file[range.start as usize..range.end as usize].to_vec());
    let parse = |len: usize| pollster::block_on(Header::parse_from(len as u64, read));
    let whole = Header::parse_whole(&file).unwrap();
    assert!(whole.entries[0].range.start > 128 << 10);
    assert_eq!(parse(file.len()).unwrap(), whole);
    assert_says(&parse(100_000).unwrap_err().to_string(), &["ends inside its header, after 100000 bytes"]);
    assert_says(&parse(file.len() - 1).unwrap_err().to_string(), &["truncated"]);
}
