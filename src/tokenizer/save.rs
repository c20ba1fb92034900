//! Writing a [`Bpe`] as HF's `tokenizer.json`.

use serde_json::Value;

use super::{Bpe, Tokenizer};

impl Bpe {
    /// The contents of a `tokenizer.json` that HF's `tokenizers` loads and that gives the same ids there as here.
    pub fn to_tokenizer_json(&self) -> String {
        let added = self.added_tokens().iter().map(|t| {
            format!(
                "{{\"id\": {}, \"content\": {}, \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \
                 \"normalized\": {}, \"special\": {}}}",
                t.id,
                quoted(&t.content),
                t.normalized,
                t.special
            )
        });
        let vocab = (0..self.vocab_size() as u32).filter_map(|id| Some(format!("{}: {id}", quoted(&self.entry(id)?))));
        let merges = self.merges.in_order().into_iter().map(|(left, right)| {
            let [left, right] = [left, right].map(|id| quoted(&self.entry(id).unwrap_or_default()));
            format!("[{left}, {right}]")
        });
        // By hand and not through a map, so that the tokens stand in order of their ids.
        format!(
            r#"{{
"version": "1.0",
"truncation": null,
"padding": null,
"added_tokens": [
{}
],
"normalizer": null,
"pre_tokenizer": {{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}},
"post_processor": null,
"decoder": {{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}},
"model": {{
"type": "BPE",
"dropout": null,
"unk_token": null,
"continuing_subword_prefix": null,
"end_of_word_suffix": null,
"fuse_unk": false,
"byte_fallback": false,
"ignore_merges": false,
"vocab": {{
{}
}},
"merges": [
{}
]
}}
}}
"#,
            lines(&mut added.into_iter()),
            lines(&mut vocab.into_iter()),
            lines(&mut merges.into_iter()),
        )
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn lines(items: &mut dyn Iterator<Item = String>) -> String {
    let mut all = String::new();
    for item in items {
        if !all.is_empty() {
            all.push_str(",\n");
        }
        all.push_str(&item);
    }
    all
}
