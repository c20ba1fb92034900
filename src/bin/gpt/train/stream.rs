//! Lines for a reader that may be slow, stand still, or be gone: a thread writes them, so that nobody else waits.

use super::super::output::PAUSE;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Lines on their way to a device, a named pipe or standard output.
pub(super) struct Stream {
    lines: Sender<Vec<u8>>,
    thread: JoinHandle<()>,
    sent: usize,
    progress: Arc<Progress>,
}

#[derive(Default)]
struct Progress {
    written: AtomicUsize,
    trouble: Mutex<Option<String>>,
}

/// As many looks at a reader that stands still, after the program was asked to end.
const LOOKS: usize = 250;

impl Stream {
    /// Writes to `out`.
    pub fn new(out: impl Write + Send + 'static) -> Self {
        let (lines, queue) = channel();
        let progress = Arc::new(Progress::default());
        let shared = Arc::clone(&progress);
        let thread = std::thread::spawn(move || write(out, &queue, &shared));
        Self { lines, thread, sent: 0, progress }
    }

    /// Sends a line.
    pub fn send(&mut self, line: Vec<u8>) {
        self.sent += 1;
        // An error means that the thread has ended, and has said why.
        let _ = self.lines.send(line);
    }

    /// Why no more can be written.
    pub fn trouble(&self) -> Option<String> {
        self.progress.trouble.lock().ok()?.clone()
    }

    /// Waits until all is written, or the reader is gone, or `stop` is set and the reader stands still. Returns the
    /// number of lines that were not written, and why.
    pub fn close(self, stop: &AtomicBool) -> (usize, Option<String>) {
        let Self { lines, thread, sent, progress } = self;
        drop(lines);
        let written = || progress.written.load(Ordering::SeqCst);
        let (mut before, mut still) = (written(), 0);
        while !thread.is_finished() && still < LOOKS {
            std::thread::sleep(PAUSE);
            let now = written();
            still = if now == before && stop.load(Ordering::SeqCst) { still + 1 } else { 0 };
            before = now;
        }
        let why = progress.trouble.lock().ok().and_then(|trouble| trouble.clone());
        (sent - written(), why)
    }
}

fn write(mut out: impl Write, queue: &Receiver<Vec<u8>>, progress: &Progress) {
    for line in queue {
        let mut rest = line.as_slice();
        while !rest.is_empty() {
            match out.write(rest) {
                Ok(n) if n > 0 => rest = &rest[n..],
                // A pipe that is full and does not wait.
                Err(e) if e.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                other => {
                    let why = other.err().map_or_else(|| "it takes no more".to_string(), |e| e.to_string());
                    if let Ok(mut trouble) = progress.trouble.lock() {
                        *trouble = Some(why);
                    }
                    return;
                }
            }
        }
        // Where this fails, the next line does too.
        let _ = out.flush();
        progress.written.fetch_add(1, Ordering::SeqCst);
    }
}
