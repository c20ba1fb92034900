//! Recognises files that people take for safetensors, so that the error can say what they have and what they need.
use crate::message::{Message, message};

/// If `prefix` is the start of a well-known other format: what it is and what to use instead.
///
/// No safetensors file is mistaken for one: bytes 4 to 7 of its length field are zero, and a `{` follows.
pub(super) fn other_format(prefix: &[u8]) -> Option<Message> {
    if prefix.get(4..9).is_some_and(|b| b == [0, 0, 0, 0, b'{']) {
        return None;
    }
    let wanted = message!("advice.choose_safetensors", "Choose the model.safetensors file of a GPT-2 model");
    let text = prefix.strip_prefix(b"\xef\xbb\xbf").unwrap_or(prefix).trim_ascii_start();
    let starts = |magic: &[u8]| prefix.starts_with(magic);
    let found = if starts(b"GGUF") || starts(b"lmgg") || starts(b"tjgg") {
        message!("format.gguf", "a GGUF/GGML file, the format of llama.cpp")
    } else if starts(b"PK\x03\x04") {
        message!("format.zip", "a zip archive, most likely a PyTorch pytorch_model.bin or .pt file")
    } else if starts(b"\x80\x02") || starts(b"\x80\x03") || starts(b"\x80\x04") || starts(b"\x80\x05") {
        message!("format.pickle", "a Python pickle, most likely an old PyTorch pytorch_model.bin")
    } else if starts(b"\x89HDF") {
        message!("format.hdf5", "an HDF5 file, most likely a TensorFlow tf_model.h5")
    } else if starts(b"\x1f\x8b") {
        return Some(message!(
            "weights.gzip",
            "This file is compressed (gzip). Unpack it, and choose the model.safetensors inside."
        ));
    } else if starts(b"\x93NUMPY") {
        message!("format.numpy", "a NumPy array")
    } else if starts(b"version https://git-lfs") {
        return Some(message!(
            "weights.lfs",
            "This is only a Git LFS pointer, not the weights. Run 'git lfs pull', or download the \
             file itself."
        ));
    } else if text.starts_with(b"<") {
        return Some(message!(
            "weights.web_page",
            "This is a web page, not a weights file: the address led to a page about the file, or to \
             an error message. {advice} (on huggingface.co the address contains /resolve/, not \
             /blob/).",
            advice = wanted
        ));
    } else if text.starts_with(b"{") {
        return Some(message!(
            "weights.json",
            "This is a JSON file (such as config.json or tokenizer.json), not the weights. {advice} \
             together with it.",
            advice = wanted
        ));
    } else {
        return None;
    };
    Some(message!(
        "weights.other_format",
        "This is {what}, which cannot be read here. {advice}; most models offer one.",
        what = found,
        advice = wanted
    ))
}
