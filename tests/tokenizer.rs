//! Tokenizers against HF's `tokenizers`, on hostile files, and by their properties.
//!
//! `fixtures/tokenizer/reference.json` is made by `scripts/tokenizer_fixtures.py`.
#![cfg(not(target_arch = "wasm32"))]

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Instant;

use gpt_playground::error::Error;
use gpt_playground::message::Message;
use gpt_playground::tokenizer::{Bpe, ByteTokenizer, CharTokenizer, StreamDecoder, Tokenizer, from_files, pieces};
use proptest::prelude::*;
use serde_json::{Value, json};

const EOT: &str = "<|endoftext|>";

fn read(path: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn fixture(name: &str) -> Vec<u8> {
    read(&format!("tests/fixtures/tokenizer/{name}"))
}

fn train_text() -> String {
    String::from_utf8(fixture("train.txt")).unwrap()
}

static REFERENCE: LazyLock<Value> = LazyLock::new(|| serde_json::from_slice(&fixture("reference.json")).unwrap());
static SHIPPED: LazyLock<Bpe> =
    LazyLock::new(|| Bpe::from_tokenizer_json(&read("www/models/storyteller/tokenizer.json")).unwrap());
static SMALL: LazyLock<Bpe> = LazyLock::new(|| Bpe::from_tokenizer_json(&fixture("tokenizer.json")).unwrap());

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

fn texts() -> Vec<&'static str> {
    REFERENCE["texts"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect()
}

/// Asserts that `bpe` gives the reference's ids on every text, and gets the text back.
fn assert_equals_reference(bpe: &dyn Tokenizer, name: &str) {
    let expected = &REFERENCE[name];
    let texts = texts();
    assert!(texts.len() > 80);
    for (i, text) in texts.iter().enumerate() {
        let got = bpe.encode(text).unwrap();
        assert_eq!(got, ids(&expected["ids"][i]), "{name}: text {i} {text:?}");
        assert_eq!(bpe.decode(&got), *text, "{name}: text {i}");
        let ordinary = expected["ordinary"].get(i.to_string()).map_or(got, ids);
        assert_eq!(bpe.encode_ordinary(text).unwrap(), ordinary, "{name}: text {i} {text:?} as plain text");
    }
}

#[test]
fn ids_of_the_shipped_tokenizer_equal_hf() {
    assert_equals_reference(&*SHIPPED, "shipped");
}

#[test]
fn ids_of_a_multilingual_tokenizer_equal_hf() {
    assert_equals_reference(&*SMALL, "small");
}

#[test]
fn vocab_and_merges_equal_tokenizer_json() {
    let bpe = Bpe::from_vocab_and_merges(&fixture("vocab.json"), &fixture("merges.txt")).unwrap();
    assert_equals_reference(&bpe, "small");
    assert_eq!(bpe.eos(), bpe.id_of(EOT));
    let crlf = String::from_utf8(fixture("merges.txt")).unwrap().replace('\n', "\r\n");
    assert_equals_reference(&Bpe::from_vocab_and_merges(&fixture("vocab.json"), crlf.as_bytes()).unwrap(), "small");
}

#[test]
fn saved_tokenizer_loads_again_the_same() {
    for (bpe, name) in [(&*SHIPPED, "shipped"), (&*SMALL, "small")] {
        let json = bpe.to_tokenizer_json();
        let again = Bpe::from_tokenizer_json(json.as_bytes()).unwrap();
        assert_equals_reference(&again, name);
        assert_eq!(again.added_tokens(), bpe.added_tokens());
        assert_eq!(again.vocab_size(), bpe.vocab_size());
        for id in 0..bpe.vocab_size() as u32 {
            assert_eq!(again.token_bytes(id), bpe.token_bytes(id));
        }
        assert_eq!(again.to_tokenizer_json(), json);
    }
}

#[test]
fn training_equals_hf_trainer() {
    let text = train_text();
    let joined = format!("{text}{EOT}{}", &text[..2000]);
    let bpe = Bpe::train(&joined, 700, &[EOT, "<|user|>"]).unwrap();
    let saved: Value = serde_json::from_str(&bpe.to_tokenizer_json()).unwrap();
    let expected = &REFERENCE["trained"];
    assert_eq!(saved["model"]["merges"], expected["merges"]);
    let vocab = saved["model"]["vocab"].as_object().unwrap();
    let expected = expected["vocab"].as_array().unwrap();
    assert_eq!((vocab.len(), expected.len()), (700, 700));
    for (id, token) in expected.iter().enumerate() {
        assert_eq!(vocab[token.as_str().unwrap()], json!(id), "{token}");
    }
    assert_eq!(bpe.encode(&joined).unwrap().iter().filter(|&&id| Some(id) == bpe.eos()).count(), 1);
}

#[test]
fn training_stops_where_nothing_repeats() {
    let bpe = Bpe::train("abc abd", 300, &[]).unwrap();
    assert_eq!(bpe.vocab_size(), 257, "only \"ab\" occurs twice");
    assert_eq!(Bpe::train("", 300, &[EOT]).unwrap().vocab_size(), 257);
    for (size, specials) in
        [(256, &[EOT][..]), (0, &[]), (usize::MAX, &[]), (300, &[EOT, EOT]), (300, &[""]), (300, &["a"])]
    {
        assert!(matches!(Bpe::train("aa", size, specials), Err(Error::Input(_))), "{size} {specials:?}");
    }
    // A special token that looks like a word is learned by no merge.
    let bpe = Bpe::train("xyy xyy xyy", 300, &["yy"]).unwrap();
    assert_eq!(bpe.encode_ordinary("xyy").unwrap().iter().filter(|&&id| id == 0).count(), 0);
    assert_eq!(bpe.encode("yy").unwrap(), [0]);
}

#[test]
fn pieces_are_those_of_the_pattern() {
    for (text, expected) in [
        ("I'm DON'T 's", &["I", "'m", " DON", "'", "T", " '", "s"][..]),
        ("''s 'rex", &["''", "s", " '", "rex"]),
        ("'rex", &["'re", "x"]),
        ("a  b\n\nc \n d", &["a", " ", " b", "\n", "\n", "c", " \n", " d"]),
        ("a \u{a0}b\u{3000}\u{3000}", &["a", " ", "\u{a0}", "b", "\u{3000}\u{3000}"]),
        ("x²Ⅷ½ ٣e\u{301}", &["x", "²Ⅷ½", " ٣", "e", "\u{301}"]),
        ("  ", &["  "]),
        ("", &[]),
    ] {
        assert_eq!(pieces(text).collect::<Vec<_>>(), expected, "{text:?}");
    }
}

#[test]
fn merges_of_long_words_equal_those_of_short_ones() {
    // One side of the threshold between the two methods against the other: a word of many copies of a short one, where
    // nothing merges across the copies.
    let bpe = Bpe::train(&"abcabcab. ".repeat(9), 270, &[]).unwrap();
    let short = bpe.encode_ordinary("zabcabcab").unwrap();
    assert!(short.len() < 5);
    let long = bpe.encode_ordinary(&"zabcabcab".repeat(50)).unwrap();
    assert_eq!(long, short.repeat(50));
}

#[test]
fn encoding_is_fast() {
    let text = train_text().repeat(100);
    SHIPPED.encode("warm").unwrap();
    let start = Instant::now();
    let n = SHIPPED.encode(&text).unwrap().len();
    let prose = start.elapsed();
    assert!(n > text.len() / 8);
    assert!(prose.as_secs_f64() < 1.0, "1 MB of prose took {prose:?}");
    // One piece of 300,000 letters; text whose pieces never repeat.
    for text in
        ["a".repeat(300_000), (0..150_000u32).map(|i| char::from_u32(0x4E00 + i * 7919 % 20_000).unwrap()).collect()]
    {
        let start = Instant::now();
        let ids = SHIPPED.encode(&text).unwrap();
        assert!(start.elapsed().as_secs_f64() < 2.0, "{:?}", start.elapsed());
        assert_eq!(SHIPPED.decode(&ids), text);
    }
}

#[test]
fn training_is_fast_even_without_spaces() {
    let mut state = 1u32;
    let dna: String = (0..300_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b"ACGT"[(state >> 30) as usize] as char
        })
        .collect();
    let start = Instant::now();
    let bpe = Bpe::train(&dna, 1024, &[]).unwrap();
    assert_eq!(bpe.vocab_size(), 1024);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn byte_and_char_tokenizers() {
    let bytes = ByteTokenizer::new();
    assert_eq!(bytes.encode("né").unwrap(), [110, 195, 169]);
    assert_eq!((bytes.vocab_size(), bytes.token_bytes(255)), (256, Some(&[255][..])));
    assert_eq!((bytes.token_bytes(256), bytes.token_bytes(u32::MAX)), (None, None));
    assert_eq!(bytes.decode(&[110, 195, 999]), "n\u{fffd}");

    let chars = CharTokenizer::train("hello wörld").unwrap();
    assert_eq!(chars.vocab_size(), 8 + 1);
    assert_eq!(chars.encode(" dehlorwö").unwrap(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(chars.decode(&[8, 4, 0]), "öl ");
    let error = chars.encode("hey").unwrap_err().to_string();
    assert!(error.contains("'y'") && error.contains("U+0079"), "{error}");
    assert!(CharTokenizer::train("").is_err());

    for tokenizer in [&bytes as &dyn Tokenizer, &chars] {
        let json = tokenizer.to_json();
        let again = from_files(&|name| Ok((name == "tokenizer.json").then(|| json.clone().into_bytes()))).unwrap();
        assert_eq!(again.vocab_size(), tokenizer.vocab_size());
        assert_eq!(again.encode("hello").unwrap(), tokenizer.encode("hello").unwrap());
        assert_eq!(again.to_json(), json);
    }
}

#[test]
fn lookups_for_the_page() {
    let the = SHIPPED.id_of(" the").unwrap();
    assert_eq!(SHIPPED.token_bytes(the), Some(&b" the"[..]));
    assert_eq!(SHIPPED.id_of("no such token"), None);
    assert_eq!(SHIPPED.search("the", 50)[..2], [SHIPPED.id_of("the").unwrap(), the]);
    for &id in &SHIPPED.search("ing", 1000) {
        assert!(SHIPPED.decode(&[id]).contains("ing"));
    }
    assert_eq!(SHIPPED.search("e", 7).len(), 7);
    assert_eq!((SHIPPED.search("", 9), SHIPPED.search("\u{1}\u{2}", 9)), (vec![], vec![]));
    assert_eq!((SHIPPED.eos(), SHIPPED.bos()), (Some(0), Some(0)));
    assert!(SHIPPED.is_special(0) && !SHIPPED.is_special(the));
}

#[test]
fn added_tokens_as_in_hf() {
    let mut file: Value = serde_json::from_slice(&fixture("tokenizer.json")).unwrap();
    let next = SMALL.vocab_size();
    for (i, (content, special)) in [("<|a|>", true), ("<|a|><|b|>", true), ("é☃", false)].into_iter().enumerate() {
        let token = json!({"id": next + 3 + i, "content": content, "special": special, "normalized": !special,
            "single_word": false, "lstrip": false, "rstrip": false});
        file["added_tokens"].as_array_mut().unwrap().push(token);
    }
    let bpe = Bpe::from_tokenizer_json(file.to_string().as_bytes()).unwrap();
    let (x, next) = (bpe.id_of("x").unwrap(), next as u32);
    assert_eq!(bpe.encode("<|a|>x<|a|><|b|>é☃").unwrap(), [next + 3, x, next + 4, next + 5], "the longest wins");
    assert_eq!(bpe.encode_ordinary("xé☃").unwrap(), [x, next + 5], "only special tokens become plain text");
    assert!(!bpe.encode_ordinary("<|a|>").unwrap().contains(&(next + 3)));
    assert_eq!((bpe.token_bytes(next), bpe.vocab_size()), (None, next as usize + 6), "ids may leave gaps");
    assert_eq!(bpe.decode(&[next, next + 5, u32::MAX, x]), "é☃x");
    let again = Bpe::from_tokenizer_json(bpe.to_json().as_bytes()).unwrap();
    assert_eq!(again.encode("<|a|>xé☃").unwrap(), [next + 3, x, next + 5]);
}

/// The small tokenizer's file with one thing changed.
fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut file: Value = serde_json::from_slice(&fixture("tokenizer.json")).unwrap();
    change(&mut file);
    file.to_string().into_bytes()
}

#[test]
fn unsupported_components_are_named() {
    type Change = fn(&mut Value);
    let cases: &[(Change, &str)] = &[
        (|f| f["normalizer"] = json!({"type": "NFC"}), "normalizer NFC"),
        (|f| f["normalizer"] = json!({"type": "Sequence", "normalizers": [{"type": "NFD"}]}), "Sequence of [NFD]"),
        (|f| f["pre_tokenizer"] = Value::Null, "no pre_tokenizer"),
        (|f| f["pre_tokenizer"] = json!({"type": "Metaspace"}), "pre_tokenizer Metaspace"),
        (|f| f["pre_tokenizer"]["add_prefix_space"] = json!(true), "add_prefix_space=true"),
        (|f| f["pre_tokenizer"]["use_regex"] = json!(false), "use_regex=false"),
        (|f| f["decoder"] = json!({"type": "WordPiece"}), "decoder WordPiece"),
        (|f| f["model"]["type"] = json!("Unigram"), "model Unigram"),
        (|f| f["model"]["dropout"] = json!(0.1), "dropout=0.1"),
        (|f| f["model"]["continuing_subword_prefix"] = json!("##"), "continuing_subword_prefix=\"##\""),
        (|f| f["model"]["end_of_word_suffix"] = json!("</w>"), "end_of_word_suffix=\"</w>\""),
        (|f| f["model"]["byte_fallback"] = json!(true), "byte_fallback=true"),
        (|f| f["model"]["ignore_merges"] = json!(true), "ignore_merges=true"),
        (|f| f["post_processor"] = json!({"type": "BertProcessing"}), "post_processor BertProcessing"),
        (
            |f| {
                let single =
                    json!([{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]);
                let template = json!({"type": "TemplateProcessing", "single": single});
                f["post_processor"] = json!({"type": "Sequence", "processors": [{"type": "ByteLevel"}, template]});
            },
            "adds the token \"<s>\"",
        ),
        (|f| f["added_tokens"][0]["lstrip"] = json!(true), "lstrip=true"),
        (
            |f| {
                f["model"]["unk_token"] = json!("<unk>");
                f["model"]["vocab"].as_object_mut().unwrap().remove("ă");
            },
            "unk_token \"<unk>\"",
        ),
    ];
    for (change, expected) in cases {
        match Bpe::from_tokenizer_json(&changed(change)) {
            Err(Error::Tokenizer(message)) => {
                let text = message.english();
                assert!(text.contains(expected) && text.contains("not supported"), "{expected}: {text}");
            }
            other => panic!("{expected}: {:?}", other.map(|_| "loaded")),
        }
    }
    let harmless: &[Change] = &[
        |f| f["model"]["unk_token"] = json!("<unk>"),
        |f| f["model"]["continuing_subword_prefix"] = json!(""),
        |f| f["model"]["type"] = json!("BPE"),
        |f| f["post_processor"] = json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false}),
        |f| f["post_processor"] = Value::Null,
        |f| f["decoder"] = Value::Null,
    ];
    for change in harmless {
        assert_equals_reference(&Bpe::from_tokenizer_json(&changed(change)).unwrap(), "small");
    }
}

#[test]
fn damaged_files_give_errors() {
    type Change = fn(&mut Value);
    let cases: &[(Change, &str)] = &[
        (|f| *f = json!([]), "\"model\""),
        (|f| f["model"]["vocab"] = json!([1]), "vocab"),
        (|f| f["model"]["vocab"] = json!({}), "not in the vocabulary"),
        (|f| f["model"]["vocab"]["a"] = json!(-1), "\"a\""),
        (|f| f["model"]["vocab"]["a"] = json!(4_000_000_000u32), "4000000000"),
        (|f| f["model"]["vocab"]["a"] = json!(3), "same id 3"),
        (|f| f["model"]["merges"] = json!("a b"), "merges"),
        (|f| f["model"]["merges"][5] = json!("abc"), "merge 5"),
        (|f| f["model"]["merges"][5] = json!(["a"]), "merge 5"),
        (|f| f["model"]["merges"][5] = json!("a ☃"), "merge 5"),
        (|f| f["added_tokens"][0]["id"] = json!(77), "77"),
        (|f| f["added_tokens"] = json!([{}]), "added token"),
        (|f| f["added_tokens"] = json!(3), "added_tokens"),
    ];
    for (change, expected) in cases {
        let error = Bpe::from_tokenizer_json(&changed(change)).map(|_| "loaded").unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let whole = fixture("tokenizer.json");
    for cut in (0..whole.len() - 1).step_by(997) {
        assert!(Bpe::from_tokenizer_json(&whole[..cut]).is_err(), "cut at {cut}");
    }
    let nested = "[".repeat(1_000_000);
    assert!(Bpe::from_tokenizer_json(nested.as_bytes()).is_err());
    assert!(Bpe::from_vocab_and_merges(b"{}", b"").is_err());
    assert!(Bpe::from_vocab_and_merges(&fixture("vocab.json"), b"a b c\n").unwrap_err().to_string().contains("line 1"));
    assert!(Bpe::from_vocab_and_merges(&fixture("vocab.json"), b"\xff\n").is_err());

    // Without unk_token a missing byte is no fault of the file, but of the text that needs it.
    let no_etx = changed(|f| drop(f["model"]["vocab"].as_object_mut().unwrap().remove("ă")));
    let bpe = Bpe::from_tokenizer_json(&no_etx).unwrap();
    assert!(bpe.encode("fine").is_ok());
    assert!(bpe.encode("x\u{3}").unwrap_err().to_string().contains("0x03"));
}

/// What a file quotes may be as long as the file: a message is read by a person.
#[test]
fn messages_stay_short_whatever_the_file_holds() {
    let long = "☃é".repeat(100_000);
    let edits: [&dyn Fn(&mut Value); 8] = [
        &|f| f["normalizer"] = json!({"type": long.clone()}),
        &|f| f["normalizer"] = json!({"type": "Sequence", "normalizers": vec![json!({"type": "NFC"}); 100_000]}),
        &|f| f["model"]["merges"][0] = json!(long.clone()),
        &|f| f["model"]["merges"][0] = json!([long.clone(), "a"]),
        &|f| f["model"]["vocab"][&long] = json!(-1),
        &|f| f["model"]["vocab"][&long] = json!(0),
        &|f| f["added_tokens"][0]["id"] = json!(long.clone()),
        &|f| f["model"]["unk_token"] = json!(long.clone()),
    ];
    for (i, edit) in edits.iter().enumerate() {
        let mut file: Value = serde_json::from_slice(&read("tests/fixtures/tokenizer/tokenizer.json")).unwrap();
        edit(&mut file);
        if i == 7 {
            file["model"]["vocab"].as_object_mut().unwrap().remove("ă");
        }
        let error = Bpe::from_tokenizer_json(file.to_string().as_bytes()).unwrap_err().to_string();
        assert!((20..600).contains(&error.chars().count()), "{i}: {}", error.chars().count());
        // What to do stands at the end.
        assert!(
            error.contains("damaged") || error.contains("choose a model") || error.contains("belong"),
            "{i}: {error}"
        );
    }
    let merges = format!("{long} {long} {long}\n");
    let error = Bpe::from_vocab_and_merges(b"{}", merges.as_bytes()).unwrap_err().to_string();
    assert!(error.chars().count() < 600 && error.ends_with("the file is damaged"), "{error}");
}

#[test]
fn from_files_chooses_and_explains() {
    let with = |have: &'static [(&'static str, &'static str)]| {
        from_files(&move |name| Ok(have.iter().find(|(n, _)| *n == name).map(|(_, path)| read(path))))
    };
    let json = ("tokenizer.json", "tests/fixtures/tokenizer/tokenizer.json");
    let vocab = ("vocab.json", "tests/fixtures/tokenizer/vocab.json");
    let merges = ("merges.txt", "tests/fixtures/tokenizer/merges.txt");
    assert_equals_reference(&*with(Box::leak(Box::new([json, vocab]))).unwrap(), "small");
    assert_equals_reference(&*with(Box::leak(Box::new([vocab, merges]))).unwrap(), "small");
    let error = |have| with(have).err().unwrap().to_string();
    assert!(error(&[]).contains("add tokenizer.json"));
    // A file that is there and cannot be read is not one that is missing.
    let unread = from_files(&|name| Err(Error::Io(Message::uncoded(format!("{name} cannot be read")))))
        .err()
        .unwrap()
        .to_string();
    assert!(unread.contains("tokenizer_config.json cannot be read"), "{unread}");
    assert!(error(Box::leak(Box::new([vocab]))).contains("merges.txt is missing"));
    assert!(error(Box::leak(Box::new([merges]))).contains("vocab.json is missing"));

    let from = |json: &str, config: Option<&str>| {
        from_files(&|name| {
            Ok(match name {
                "tokenizer.json" => Some(json.as_bytes().to_vec()),
                "tokenizer_config.json" => config.map(|c| c.as_bytes().to_vec()),
                _ => None,
            })
        })
    };
    let twice = from(r#"{"type": "char", "chars": "aba"}"#, None).err().unwrap().to_string();
    assert!(twice.contains("\"a\" stands twice"), "{twice}");
    for bad in
        [r#"{"type": "char"}"#, r#"{"type": "char", "chars": ""}"#, r#"{"type": "word"}"#, r#"{"type": 1}"#, "{}", ""]
    {
        assert!(from(bad, None).is_err(), "{bad}");
    }
    let small = SMALL.to_json();
    let config = r#"{"eos_token": {"content": "<|pad me|>"}, "bos_token": null}"#;
    let tokenizer = from(&small, Some(config)).unwrap();
    assert_eq!((tokenizer.eos(), tokenizer.bos()), (SMALL.id_of("<|pad me|>"), SMALL.id_of(EOT)));
    assert!(from(&small, Some("{")).is_err());
}

fn stream(chunks: &[&[u8]]) -> String {
    let mut decoder = StreamDecoder::new();
    let mut text: String = chunks.iter().map(|chunk| decoder.push(chunk)).collect();
    text += &decoder.finish();
    text
}

#[test]
fn streaming_never_shows_half_a_character() {
    let mut decoder = StreamDecoder::new();
    let emoji = "😀".as_bytes();
    for byte in &emoji[..3] {
        assert_eq!(decoder.push(&[*byte]), "");
    }
    assert_eq!(decoder.push(&[emoji[3], b'!']), "😀!");
    assert_eq!(decoder.finish(), "");
    // A character that is broken off by another becomes one mark; one that the text ends in, too.
    assert_eq!(stream(&[&emoji[..2], b"a", &emoji[..3]]), "\u{fffd}a\u{fffd}");
    assert_eq!(stream(&[b"\xff\xc0\x80", b"\xed\xa0\x80"]), "\u{fffd}".repeat(6));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn decode_inverts_encode(text in any::<String>(), glue in "[ \n\t'sa1\u{a0}<|>é中]{0,40}") {
        for text in [&text, &glue, &format!("{glue}{EOT}{text}")] {
            for bpe in [&*SHIPPED, &*SMALL] {
                prop_assert_eq!(&bpe.decode(&bpe.encode(text).unwrap()), text);
                prop_assert_eq!(&bpe.decode(&bpe.encode_ordinary(text).unwrap()), text);
            }
            prop_assert_eq!(&pieces(text).collect::<String>(), text);
            let bytes = ByteTokenizer::new();
            prop_assert_eq!(&bytes.decode(&bytes.encode(text).unwrap()), text);
            if let Ok(chars) = CharTokenizer::train(text) {
                prop_assert_eq!(&chars.decode(&chars.encode(text).unwrap()), text);
            }
        }
    }

    #[test]
    fn streaming_equals_whole(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x80..0xC0u8, Just(0xE2), Just(0xF0), Just(0x9F)], 0..60),
        text in any::<String>(),
        size in 1..7usize,
    ) {
        for bytes in [&bytes[..], text.as_bytes()] {
            prop_assert_eq!(stream(&bytes.chunks(size).collect::<Vec<_>>()), String::from_utf8_lossy(bytes));
        }
        let ids = SMALL.encode(&text).unwrap();
        let tokens: Vec<&[u8]> = ids.iter().map(|&id| SMALL.token_bytes(id).unwrap()).collect();
        prop_assert_eq!(stream(&tokens), text);
    }

    #[test]
    fn any_bytes_as_a_file_give_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Bpe::from_tokenizer_json(&bytes).is_err());
        prop_assert!(Bpe::from_vocab_and_merges(&bytes, &bytes).is_err());
    }

    #[test]
    fn trained_tokenizers_survive_their_file(text in "[ab \n'sé中]{0,80}", size in 258..400usize) {
        let bpe = Bpe::train(&text, size, &[EOT]).unwrap();
        let again = Bpe::from_tokenizer_json(bpe.to_json().as_bytes()).unwrap();
        let ids = bpe.encode(&text).unwrap();
        prop_assert_eq!(bpe.decode(&ids), text.clone());
        prop_assert_eq!(again.encode(&text).unwrap(), ids);
    }
}
