//! The one error type. Every message says what was wrong and what to do about it.

use crate::message::{Message, message};

/// What can go wrong, by the part of the program that noticed.
///
/// The message is meant for the person at the page or the terminal: it names the tensor, file or option at fault and says
/// what would help. Nothing matches on the text; code that must react to a kind of failure matches on the variant, and the
/// page on the message's code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A model configuration that is malformed or describes a model this program cannot run.
    #[error("{}", .0.english())]
    Config(Message),
    /// A weights file that is truncated, hostile, or does not fit the configuration.
    #[error("{}", .0.english())]
    Checkpoint(Message),
    /// A tokenizer file that is malformed or uses a component that is not supported, or text it cannot encode.
    #[error("{}", .0.english())]
    Tokenizer(Message),
    /// A graph whose shapes or types do not fit together; names the op and the tensors.
    #[error("{}", .0.english())]
    Graph(Message),
    /// A plan that breaks a rule of the executors (aliasing, limits, lifetimes); names the tensor.
    #[error("{}", .0.english())]
    Plan(Message),
    /// The GPU is missing, was lost, or refused an allocation or a shader.
    #[error("{}", .0.english())]
    Device(Message),
    /// Something the user asked for that cannot be done as asked (empty prompt, text too long, option out of range).
    #[error("{}", .0.english())]
    Input(Message),
    /// Numbers of a model that are NaN, infinite, or too large to compute with, so that its answer would mean nothing; names
    /// where they first arose.
    #[error("{}", .0.english())]
    Overflow(Message),
    /// Work that was ended before it was done, because nobody wants its result any more.
    #[error("cancelled")]
    Cancelled,
    /// A file that could not be read or written.
    #[error("{}", .0.english())]
    Io(Message),
}

impl Error {
    /// What it says.
    pub fn message(&self) -> Message {
        match self {
            Error::Config(message)
            | Error::Checkpoint(message)
            | Error::Tokenizer(message)
            | Error::Graph(message)
            | Error::Plan(message)
            | Error::Device(message)
            | Error::Input(message)
            | Error::Overflow(message)
            | Error::Io(message) => message.clone(),
            Error::Cancelled => message!("cancelled", "cancelled"),
        }
    }
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A name or value from a file, cut short, so that a message stays readable whatever the file holds.
pub(crate) fn short(text: &str) -> String {
    shorten(text, 80)
}

/// What a parser says of a file, which it may quote at length.
pub(crate) fn parse_error(error: &serde_json::Error) -> String {
    shorten(&error.to_string(), 200)
}

fn shorten(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
