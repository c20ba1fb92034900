//! How fast a run is.

use web_time::{Duration, Instant};

/// Tokens per second lately, of the time that was spent on training: a pause does not count.
#[derive(Debug, Default)]
pub(super) struct Speed {
    /// Since the steps before were read back, without the call that is under way.
    spent: Duration,
    /// When that call, or its part after the last reading, began.
    since: Option<Instant>,
    smoothed: Option<f64>,
}

impl Speed {
    /// How far back a mean goes: single steps differ by several times.
    const LATELY: f64 = 2.0;

    /// Training goes on.
    pub(super) fn go(&mut self, since: Instant) {
        self.since = Some(since);
    }

    pub(super) fn pause(&mut self) {
        self.spent += self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
    }

    /// After `tokens` more.
    pub(super) fn after(&mut self, tokens: f64) -> f64 {
        let running = self.since.is_some();
        self.pause();
        let seconds = std::mem::take(&mut self.spent).as_secs_f64().max(1e-6);
        self.since = running.then(Instant::now);
        let now = tokens / seconds;
        let before = self.smoothed.unwrap_or(now);
        let smoothed = before + (now - before) * (1.0 - (-seconds / Self::LATELY).exp());
        *self.smoothed.insert(smoothed)
    }
}
