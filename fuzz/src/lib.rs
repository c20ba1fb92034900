//! The fuzzer's targets, and the seeds that it begins from. `cargo xtask prove --only fuzz` runs them.

pub mod seeds;
pub mod targets;

use std::path::Path;

/// Names the folder to which a target writes its seeds before it begins.
pub const SEEDS: &str = "GPT_FUZZ_SEEDS";

/// Writes a target's seeds where [`SEEDS`] says, if it does.
pub fn write_seeds(target: &str) {
    let Some(folder) = std::env::var_os(SEEDS) else { return };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).expect("a folder for the seeds");
    for (at, seed) in seeds::seeds(target).into_iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{at}")), seed).expect("a seed is written");
    }
}

/// The program of a target.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        libfuzzer_sys::fuzz_target!(init: $crate::write_seeds(stringify!($name)), |data: &[u8]| {
            $crate::targets::$name(data);
        });
    };
}
