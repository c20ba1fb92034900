//! How fast a device works, and how much may be given to it before it is waited for.
//!
//! Only waits tell: the device has done what was submitted between the first submit and the end of the wait, so it is at
//! least that fast; and where the host had to wait long, it did no more than that work meanwhile, so it is at most that
//! fast. In between lie the host's own pauses and the browser's delay in reporting, of which nothing need be known.

use web_time::Duration;

/// No submit should keep a device busy longer: it would delay a stop, and a watchdog might reset the device.
const SUBMIT_SECONDS: f64 = 0.1;
/// Whole runs may be added to what is under way up to this.
const QUEUE_SECONDS: f64 = 0.15;
/// What a browser may take to tell that the device is done, beside the work.
const DELAY_SECONDS: f64 = 0.05;
/// Work that should take less than this tells nothing of a wait: something else delayed it.
const TINY_SECONDS: f64 = 1e-3;
/// Slower than any device, in operations per second.
const SLOWEST: f64 = 1e8;

/// The device's speed, estimated from waits, and the work that was submitted and not waited for.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    /// Floating-point operations per second.
    speed: f64,
    /// Operations submitted and not waited for.
    pending: f64,
    /// When the first of them were submitted.
    since: Duration,
}

impl Pace {
    /// `speed` is a guess, in floating-point operations per second. Times are since any one moment.
    pub(super) fn new(speed: f64) -> Self {
        Self { speed, pending: 0.0, since: Duration::ZERO }
    }

    /// Operations of one submit at most.
    pub(super) fn submit_cost(&self) -> f64 {
        self.speed * SUBMIT_SECONDS
    }

    /// Whether a run of `cost` operations may be submitted before the device has been waited for.
    pub(super) fn has_room(&self, cost: f64) -> bool {
        self.pending == 0.0 || self.pending + cost <= self.speed * QUEUE_SECONDS
    }

    /// Operations were submitted at `now`.
    pub(super) fn submitted(&mut self, cost: f64, now: Duration) {
        if self.pending == 0.0 {
            self.since = now;
        }
        self.pending += cost;
    }

    /// The host began at `asked` to wait for all that was submitted, and had it at `now`.
    pub(super) fn waited(&mut self, asked: Duration, now: Duration) {
        let work = std::mem::take(&mut self.pending);
        if work < self.speed * TINY_SECONDS {
            return;
        }
        let seconds = |from: Duration| now.saturating_sub(from).as_secs_f64();
        let (all, wait) = (seconds(self.since).max(1e-4), seconds(asked));
        // Follows by steps: ops differ, and the first run of a plan may compile.
        let (least, most) = (work / all, work / (wait - DELAY_SECONDS).max(1e-4));
        if least > self.speed {
            self.speed += 0.3 * (least - self.speed);
        } else if wait > QUEUE_SECONDS + DELAY_SECONDS && most < self.speed {
            self.speed = (self.speed + 0.5 * (most - self.speed)).max(SLOWEST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device and a host whose clock is counted, not measured.
    struct Simulation {
        pace: Pace,
        now: f64,
        /// Operations per second of the device, and when it will be done.
        speed: f64,
        idle_at: f64,
        /// What a wait takes beside the work.
        delay: f64,
        waits: Vec<f64>,
    }

    impl Simulation {
        fn new(guess: f64, speed: f64, delay: f64) -> Self {
            Self { pace: Pace::new(guess), now: 0.0, speed, idle_at: 0.0, delay, waits: Vec::new() }
        }

        fn time(&self) -> Duration {
            Duration::from_secs_f64(self.now)
        }

        fn wait(&mut self) {
            let (asked, begun) = (self.time(), self.now);
            self.now = self.now.max(self.idle_at) + self.delay;
            self.pace.waited(asked, self.time());
            self.waits.push(self.now - begun);
        }

        fn submit(&mut self, cost: f64) {
            self.pace.submitted(cost, self.time());
            self.idle_at = self.idle_at.max(self.now) + cost / self.speed;
        }

        /// Runs of `cost` operations each, that take the host 3 ms, with a read every 150 ms.
        fn train(&mut self, cost: f64, seconds: f64) {
            let (end, mut read_at) = (self.now + seconds, self.now + 0.15);
            while self.now < end {
                let mut left = cost;
                if !self.pace.has_room(left) {
                    self.wait();
                }
                while left > 0.0 {
                    let part = left.min(self.pace.submit_cost());
                    self.submit(part);
                    left -= part;
                    if left > 0.0 {
                        self.wait();
                    }
                }
                self.now += 0.003;
                if self.now >= read_at {
                    self.wait();
                    read_at = self.now + 0.15;
                }
            }
        }
    }

    #[test]
    fn a_slow_device_is_found_out_by_runs_that_never_had_to_be_split() {
        for (speed, cost) in [(2e10, 4e8), (5e10, 1e9), (2e10, 3e9)] {
            let mut s = Simulation::new(2e11, speed, 0.002);
            s.train(cost, 10.0);
            let before = s.waits.len();
            s.train(cost, 5.0);
            let longest = s.waits[before..].iter().fold(0.0f64, |a, &b| a.max(b));
            assert!(longest <= 0.21, "a wait of {longest:.2} s at {speed:e} with runs of {cost:e}");
            assert!(s.pace.speed > 0.8 * speed, "{:e} of {speed:e}: split more than needed", s.pace.speed);
        }
    }

    #[test]
    fn neither_a_late_browser_nor_an_idle_host_makes_a_fast_device_look_slow() {
        for cost in [1e6, 1e9, 3e10] {
            let mut s = Simulation::new(2e11, 1e12, 0.1);
            s.train(cost, 20.0);
            assert!(s.pace.speed >= 2e11, "{:e} with runs of {cost:e}", s.pace.speed);
        }
        let mut s = Simulation::new(2e11, 1e12, 0.002);
        for _ in 0..50 {
            s.submit(1e10);
            s.now += 2.0;
            s.wait();
        }
        assert!(s.pace.speed >= 2e11, "{:e} after pauses of the host", s.pace.speed);
    }

    #[test]
    fn an_interruption_is_made_up_for() {
        let mut s = Simulation::new(2e11, 1e12, 0.002);
        for _ in 0..5 {
            s.submit(1e10);
            s.idle_at += 2.0;
            s.wait();
        }
        assert!(s.pace.speed < 2e10, "{:e}: five long waits in a row went unnoticed", s.pace.speed);
        s.train(2e10, 5.0);
        assert!(s.pace.speed > 2e11, "{:e} of 1e12", s.pace.speed);
    }
}
