//! Words for a person: an English sentence with a code, by which the page says the same in another language.
//!
//! The terminal prints the English. The page gets code and parameters, and has the sentences of each code in tables that it
//! loads when they are needed (`www/core/i18n/engine.en.js`, made from these sources, and `engine.zh.js`). So nothing has to
//! recognise a sentence, and the page's module, built without the feature `english`, is smaller by them.

use std::fmt::Display;

/// A sentence, or a part of one. Made by the macro `message!`, which puts code, English text and parameters side by side:
///
/// ```ignore
/// message!("tokens.too_many", "{tokens} tokens do not fit this model's context of {context}", tokens, context = n_ctx)
/// ```
///
/// Boxed, so that results, which every function hands on, stay small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    code: &'static str,
    english: &'static str,
    params: Vec<(&'static str, Param)>,
}

/// What stands for a `{name}` of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Param {
    /// A number, a name, or other words that are the same in every language.
    Text(String),
    /// Words that have a code of their own.
    Message(Message),
}

/// Characters of a text that are kept at either end, so that a message stays readable whatever a file holds.
const KEPT: usize = 100;
/// The code of words that have none of their own.
const UNCODED: &str = "uncoded";

impl Message {
    /// For the macro `message!`. Apart, and behind `dyn`, so that a sentence costs the page's module few bytes.
    #[cold]
    #[inline(never)]
    pub(crate) fn new(code: &'static str, english: &'static str, params: &[(&'static str, &dyn Parameter)]) -> Message {
        let params = params.iter().map(|(name, value)| (*name, value.param())).collect();
        Message(Box::new(Inner { code, english, params }))
    }

    /// Words that the page shows in English: of the command line, or of a fault of the engine's own.
    pub fn uncoded(text: impl Into<String>) -> Message {
        let params = vec![("text", Param::Text(text.into()))];
        Message(Box::new(Inner { code: UNCODED, english: "{text}", params }))
    }

    /// What the sentence is called. A code has one English sentence.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The sentence with its parameters, in English; where the program is built without the feature `english`, the code with
    /// its parameters.
    pub fn english(&self) -> String {
        let Inner { code, english, params } = &*self.0;
        if english.is_empty() {
            return params.iter().fold(code.to_string(), |text, (name, value)| match value {
                Param::Text(value) => text + " " + name + "=" + value,
                Param::Message(part) => text + " " + name + "=(" + &part.english() + ")",
            });
        }
        let mut text = String::with_capacity(english.len());
        let mut rest = *english;
        while let Some((before, hole)) = rest.split_once('{') {
            text.push_str(before);
            let (name, after) = hole.split_once('}').unwrap_or((hole, ""));
            match params.iter().find(|(known, _)| *known == name) {
                Some((_, Param::Text(value))) => text.push_str(value),
                Some((_, Param::Message(part))) => text.push_str(&part.english()),
                None => {}
            }
            rest = after;
        }
        text.push_str(rest);
        text
    }
}

/// What may stand for a `{name}`.
pub(crate) trait Parameter {
    fn param(&self) -> Param;
}

impl<T: Display> Parameter for T {
    fn param(&self) -> Param {
        text_of(self)
    }
}

/// A text that is long loses its middle.
#[cold]
#[inline(never)]
fn text_of(value: &dyn Display) -> Param {
    let text = value.to_string();
    let end = text.char_indices().rev().map(|(at, _)| at).nth(KEPT).unwrap_or(0);
    Param::Text(match text.char_indices().map(|(at, _)| at).nth(KEPT) {
        Some(start) if start < end => format!("{} … {}", &text[..start], &text[end..]),
        _ => text,
    })
}

impl Parameter for Message {
    fn param(&self) -> Param {
        Param::Message(self.clone())
    }
}

/// A sentence, in a program that has them.
pub(crate) const fn spoken(english: &'static str) -> &'static str {
    if cfg!(feature = "english") { english } else { "" }
}

/// A value as a programmer writes it: a text in quotes, a list in brackets.
pub(crate) fn shown(value: &dyn std::fmt::Debug) -> String {
    format!("{value:?}")
}

/// Whether each `{name}` of a sentence is among `names`, and each of `names` in the sentence.
pub(crate) const fn fits(english: &str, names: &[&str]) -> bool {
    let text = english.as_bytes();
    let mut seen = 0_u32;
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'{' {
            let start = at + 1;
            while at < text.len() && text[at] != b'}' {
                at += 1;
            }
            let mut found = false;
            let mut i = 0;
            while i < names.len() {
                if same(text, start, at, names[i].as_bytes()) {
                    seen |= 1 << i;
                    found = true;
                }
                i += 1;
            }
            if !found {
                return false;
            }
        }
        at += 1;
    }
    seen == (1 << names.len()) - 1
}

const fn same(text: &[u8], start: usize, end: usize, name: &[u8]) -> bool {
    if end - start != name.len() {
        return false;
    }
    let mut i = 0;
    while i < name.len() {
        if text[start + i] != name[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// A [`Message`]: its code, its English sentence, and what stands for each `{name}` of it (`name` alone for a variable of
/// that name). That sentence and names fit is checked when it is compiled; `tests/views/engine.test.mjs` checks that a code
/// has one sentence, and the page's tables have it.
macro_rules! message {
    ($code:literal, $english:literal $(,)?) => {{
        const { assert!($crate::message::fits($english, &[]), "the sentence wants parameters") };
        $crate::message::Message::new($code, const { $crate::message::spoken($english) }, &[])
    }};
    ($code:literal, $english:literal, $($name:ident $(= $value:expr)?),+ $(,)?) => {{
        const { assert!($crate::message::fits($english, &[$(stringify!($name)),+]), "sentence and parameters differ") };
        $crate::message::Message::new(
            $code,
            const { $crate::message::spoken($english) },
            &[$((stringify!($name), &message!(@ $name $(= $value)?))),+],
        )
    }};
    (@ $name:ident) => { $name };
    (@ $name:ident = $value:expr) => { $value };
}
pub(crate) use message;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_put_together() {
        let place = message!("place.layer_norm", "block {block}'s LayerNorm", block = 3);
        let whole = message!("overflow.weights", "the numbers overflow in {place}: {place}, {x}", place, x = 1.5_f32);
        assert_eq!(whole.english(), "the numbers overflow in block 3's LayerNorm: block 3's LayerNorm, 1.5");
        assert_eq!(Message::uncoded("a {brace} in a name").english(), "a {brace} in a name");
    }

    #[test]
    fn a_value_from_a_file_is_cut_in_its_middle() {
        let long = "あ".repeat(KEPT) + &"x".repeat(5000) + &"え".repeat(KEPT);
        let text = message!("config.no_key", "config.json has no {key}", key = long).english();
        assert!(text.chars().count() < 2 * KEPT + 40 && text.contains("あ … "), "{text}");
        let fits = "y".repeat(2 * KEPT);
        assert!(message!("config.no_key", "config.json has no {key}", key = fits.as_str()).english().contains(&fits));
    }

    #[test]
    fn sentence_and_names_are_compared() {
        assert!(fits("a {b} of {c}, {b}", &["b", "c"]) && fits("", &[]));
        assert!(!fits("a {b}", &[]) && !fits("a {b}", &["c"]) && !fits("a {b}", &["b", "c"]) && !fits("{bc}", &["b"]));
    }
}

#[cfg(target_arch = "wasm32")]
mod wire {
    //! As it goes to the page: `{ code, text, params }`.

    use super::{Message, Param};
    use serde::ser::{Serialize, SerializeStruct, Serializer};

    struct Params<'a>(&'a [(&'static str, Param)]);

    impl Serialize for Params<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            // A struct, which becomes an object; a map would become a `Map`.
            let mut map = serializer.serialize_struct("Params", self.0.len())?;
            for (name, value) in self.0 {
                match value {
                    Param::Text(text) => map.serialize_field(name, text)?,
                    Param::Message(message) => map.serialize_field(name, message)?,
                }
            }
            map.end()
        }
    }

    impl Serialize for Message {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_struct("Message", 3)?;
            map.serialize_field("code", self.code())?;
            map.serialize_field("text", &self.english())?;
            map.serialize_field("params", &Params(&self.0.params))?;
            map.end()
        }
    }
}
