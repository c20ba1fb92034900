//! What is held, sampled as the work goes on.

use gpt_playground::model::Model;
use serde_json::{Value, json};

/// How much further than before memory may rise: the allocator rounds, and threads of the driver come and go.
const ROOM: u64 = 4 << 20;

/// Samples, each with what is held at one moment.
#[derive(Default)]
pub struct Series {
    resident: Vec<u64>,
    threads: Vec<u64>,
    files: Vec<u64>,
    device: Vec<[u64; 6]>,
}

/// What [`Series::sample`] notes of a model, in this order.
const DEVICE: [(&str, &str); 6] = [
    ("buffers", "count"),
    ("bind groups", "count"),
    ("pipelines", "count"),
    ("device memory", "bytes"),
    ("planned weights and state", "bytes"),
    ("planned temporaries", "bytes"),
];

impl Series {
    /// Notes what the process holds, and a model's device if one is open.
    pub fn sample(&mut self, model: Option<&Model>) {
        if let Some([resident, threads, files]) = process() {
            self.resident.push(resident);
            self.threads.push(threads);
            self.files.push(files);
        }
        if let Some(model) = model {
            let (held, memory) = (model.held(), model.memory());
            let [buffers, groups, pipelines, bytes] =
                [held.buffers, held.bind_groups, held.pipelines, held.bytes].map(|n| n as u64);
            let lasting = memory.weights + memory.training + memory.state;
            self.device.push([buffers, groups, pipelines, bytes, lasting, memory.temporaries]);
        }
    }

    /// The part of the soak that these are of.
    pub fn part(&self, what: &str) -> Value {
        let mut series = Vec::new();
        for (name, unit, room, values) in [
            ("resident set", "bytes", ROOM, &self.resident),
            ("threads", "count", 0, &self.threads),
            ("open files", "count", 0, &self.files),
        ] {
            if !values.is_empty() {
                series.push(json!({ "name": name, "unit": unit, "room": room, "values": values }));
            }
        }
        for (i, (name, unit)) in DEVICE.into_iter().enumerate().filter(|_| !self.device.is_empty()) {
            let values: Vec<u64> = self.device.iter().map(|sample| sample[i]).collect();
            // From the first sample on nothing is made any more that stays.
            series.push(json!({ "name": name, "unit": unit, "room": 0, "constant": true, "values": values }));
        }
        json!({ "part": what, "series": series })
    }
}

/// Resident set in bytes, threads and open files of this process; nothing where the system does not tell them so.
fn process() -> Option<[u64; 3]> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let field = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let files = std::fs::read_dir("/proc/self/fd").ok()?.count() as u64;
    Some([field("VmRSS:")? << 10, field("Threads:")?, files])
}
