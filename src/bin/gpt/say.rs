//! What the program says. Nothing that is said to a person may end a run: whoever reads standard error may be gone (a
//! closed terminal, `2>&1 | head`), and the weights are worth more than the line. So messages are written as well as
//! can be, where `eprintln!` would panic. Standard output carries results, and there a failure counts.

use super::disk::io_error;
use gpt_playground::error::Result;
use std::fmt::Display;
use std::io::{ErrorKind, Write as _};

/// A line on standard error.
pub(super) fn say(text: impl Display) {
    err(&format!("{text}\n"));
}

/// Something that went otherwise than asked, and does not end the command.
pub(super) fn warn(text: impl Display) {
    say(format_args!("warning: {text}"));
}

/// Text on standard error, without a line's end.
pub(super) fn err(text: &str) {
    #[cfg(test)]
    tests::SAID.with_borrow_mut(|said| said.push_str(text));
    #[cfg(not(test))]
    {
        let mut out = std::io::stderr().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

/// Prints a line to standard output.
pub(super) fn print_line(text: &str) -> Result<()> {
    print(&format!("{text}\n"))
}

/// Prints text to standard output, at once.
pub(super) fn print(text: &str) -> Result<()> {
    print_bytes(text.as_bytes())
}

/// Writes to standard output. Where the reader of a pipe has gone, there is nothing left to do: the program ends with
/// success, as `head` leaves any program before it.
pub(super) fn print_bytes(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(e) => Err(io_error("standard output cannot be written", &e)),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::RefCell;

    thread_local! {
        /// What this thread's test was told.
        pub static SAID: RefCell<String> = const { RefCell::new(String::new()) };
    }
}
