//! The browser's way in: the only wasm-bindgen code. Runs in a dedicated Worker, which asks for work piece by piece.

mod inspect;
mod inspect_messages;
mod messages;
mod object;
mod session;
#[cfg(feature = "train")]
mod train;

pub use session::Session;

use wasm_bindgen::prelude::*;

/// Runs once when the module is loaded: panics then say where they happened.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}
