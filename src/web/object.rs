//! Plain JavaScript objects, field by field. Where many kinds of message are made and read, this is a fraction of the code
//! that a derived serializer for each would be.

use crate::error::{Error, Result};
use crate::message::{Message, message};
use js_sys::{Array, Float32Array, Object, Reflect, Uint32Array};
use wasm_bindgen::{JsCast, JsValue};

/// An object under construction.
pub(super) struct Maker(Object);

impl Maker {
    pub(super) fn new() -> Self {
        Self(Object::new())
    }

    /// Adds a field.
    pub(super) fn with(self, key: &str, value: impl Into<JsValue>) -> Self {
        // Setting a field of a fresh object cannot fail.
        let _ = Reflect::set(&self.0, &key.into(), &value.into());
        self
    }

    /// Adds a number.
    pub(super) fn number(self, key: &str, value: usize) -> Self {
        self.with(key, value as f64)
    }

    /// Adds a `Float32Array`.
    pub(super) fn floats(self, key: &str, values: &[f32]) -> Self {
        self.with(key, Float32Array::from(values))
    }

    /// Adds a `Uint32Array`.
    pub(super) fn words(self, key: &str, values: &[u32]) -> Self {
        self.with(key, Uint32Array::from(values))
    }

    /// Adds an array.
    pub(super) fn list(self, key: &str, values: impl IntoIterator<Item = JsValue>) -> Self {
        self.with(key, array(values))
    }

    pub(super) fn done(self) -> JsValue {
        self.0.into()
    }
}

/// An array of anything.
pub(super) fn array(values: impl IntoIterator<Item = JsValue>) -> Array {
    let found = Array::new();
    values.into_iter().for_each(|value| {
        found.push(&value);
    });
    found
}

/// An object to read.
pub(super) struct Fields<'a>(pub &'a JsValue);

impl Fields<'_> {
    /// A field; `undefined` where there is none.
    pub(super) fn get(&self, key: &str) -> JsValue {
        Reflect::get(self.0, &key.into()).unwrap_or(JsValue::UNDEFINED)
    }

    /// A number.
    ///
    /// # Errors
    /// [`Error::Input`] that names the field, as of the others.
    pub(super) fn number(&self, key: &str) -> Result<f64> {
        self.get(key).as_f64().ok_or_else(|| wrong(key, message!("kind.number", "a number")))
    }

    /// A whole number from 0.
    pub(super) fn index(&self, key: &str) -> Result<usize> {
        let value = self.number(key)?;
        if value < 0.0 || value.fract() != 0.0 {
            Err(wrong(key, message!("kind.index", "a whole number from 0")))
        } else {
            Ok(value as usize)
        }
    }

    /// A whole number, of which one below 0 means none.
    pub(super) fn option(&self, key: &str) -> Result<Option<usize>> {
        if self.number(key)? < 0.0 { Ok(None) } else { self.index(key).map(Some) }
    }

    /// A text.
    pub(super) fn text(&self, key: &str) -> Result<String> {
        self.get(key).as_string().ok_or_else(|| wrong(key, message!("kind.text", "a text")))
    }

    /// Whole numbers, in an array.
    pub(super) fn words(&self, key: &str) -> Result<Vec<u32>> {
        let value = self.get(key);
        if Array::is_array(&value) {
            Ok(Uint32Array::new(&value).to_vec())
        } else {
            Err(wrong(key, message!("kind.array", "an array")))
        }
    }

    /// Floats, in a `Float32Array`.
    pub(super) fn floats(&self, key: &str) -> Result<Vec<f32>> {
        let array = self
            .get(key)
            .dyn_into::<Float32Array>()
            .map_err(|_| wrong(key, message!("kind.floats", "a Float32Array")))?;
        Ok(array.to_vec())
    }
}

fn wrong(key: &str, what: Message) -> Error {
    Error::Input(message!("inspect.field", "inspect: {field} must be {wanted}", field = key, wanted = what))
}
