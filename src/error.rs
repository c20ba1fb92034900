//! The one error type. Every message says what was wrong and what to do about it.

/// What can go wrong, by the part of the program that noticed.
///
/// The text is meant for the person at the page or the terminal: it names the tensor, file or option at fault and says
/// what would help. Nothing matches on the text; code that must react to a kind of failure matches on the variant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A model configuration that is malformed or describes a model this program cannot run.
    #[error("{0}")]
    Config(String),
    /// A weights file that is truncated, hostile, or does not fit the configuration.
    #[error("{0}")]
    Checkpoint(String),
    /// A tokenizer file that is malformed or uses a component that is not supported, or text it cannot encode.
    #[error("{0}")]
    Tokenizer(String),
    /// A graph whose shapes or types do not fit together; names the op and the tensors.
    #[error("{0}")]
    Graph(String),
    /// A plan that breaks a rule of the executors (aliasing, limits, lifetimes); names the tensor.
    #[error("{0}")]
    Plan(String),
    /// The GPU is missing, was lost, or refused an allocation or a shader.
    #[error("{0}")]
    Device(String),
    /// Something the user asked for that cannot be done as asked (empty prompt, text too long, option out of range).
    #[error("{0}")]
    Input(String),
    /// Numbers of a model that are NaN, infinite, or too large to compute with, so that its answer would mean nothing; names
    /// where they first arose.
    #[error("{0}")]
    Overflow(String),
    /// Work that was ended before it was done, because nobody wants its result any more.
    #[error("cancelled")]
    Cancelled,
    /// A file that could not be read or written.
    #[error("{0}")]
    Io(String),
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
