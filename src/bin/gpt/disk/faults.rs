//! A file system that fails: the calls of the thread that runs a test are counted, and some of them end in an error.

use std::cell::RefCell;
use std::io;
use std::ops::Range;
use std::path::Path;

#[derive(Debug, Default)]
struct Plan {
    done: Vec<String>,
    /// Which calls fail, counted from 0.
    failing: Range<usize>,
}

thread_local! {
    static PLAN: RefCell<Plan> = RefCell::default();
}

/// Counts a call; an error where it is to fail.
pub fn next(name: &str, path: &Path) -> io::Result<()> {
    PLAN.with_borrow_mut(|plan| {
        let n = plan.done.len();
        plan.done.push(format!("{name} {}", path.display()));
        if plan.failing.contains(&n) { Err(io::Error::other(format!("failure {n} of the test"))) } else { Ok(()) }
    })
}

/// Runs `act`, of whose calls those in `failing` end in an error. Returns what it returns, and the calls it made.
pub fn failing<T>(failing: Range<usize>, act: impl FnOnce() -> T) -> (T, Vec<String>) {
    PLAN.set(Plan { done: Vec::new(), failing });
    let result = act();
    (result, PLAN.take().done)
}
