//! What the fuzzer has found once stays mended, and what it begins from is good. `cargo xtask prove --only fuzz` looks for more.
#![cfg(not(target_arch = "wasm32"))]

#[path = "../fuzz/src/seeds.rs"]
mod seeds;
#[path = "../fuzz/src/targets.rs"]
mod targets;

use std::path::{Path, PathBuf};
use targets::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The names in a folder, without endings; none where there is no folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).map(|all| all.map(|e| e.expect("an entry").path()).collect::<Vec<_>>());
    let mut names: Vec<_> =
        entries.unwrap_or_default().iter().filter_map(|p| p.file_stem()?.to_str().map(String::from)).collect();
    names.sort();
    names
}

#[test]
fn every_target_is_a_program_of_the_fuzzer() {
    let mut expected: Vec<_> = TARGETS.iter().map(|(name, _)| name.to_string()).collect();
    expected.sort();
    assert_eq!(names(&fuzz().join("fuzz_targets")), expected);
    // Those of the page's own readers are in JavaScript.
    for folder in names(&fuzz().join("findings")) {
        assert!(
            expected.contains(&folder) || folder == "zip" || folder == "branches",
            "findings of no target: {folder}"
        );
    }
}

#[test]
fn seeds_are_good_and_what_was_found_is_mended() {
    for (name, target) in TARGETS {
        let seeds = seeds::seeds(name);
        assert!(!seeds.is_empty());
        for (at, seed) in seeds.iter().enumerate() {
            assert!(target(seed), "seed {at} of {name} is refused");
            // Cut short and changed in a few places it is refused or taken, and no more.
            for cut in (0..seed.len()).step_by(seed.len() / 50 + 1) {
                target(&seed[..cut]);
                let mut changed = seed.clone();
                changed[cut] ^= 1 << (cut % 8);
                target(&changed);
            }
        }
        let folder = fuzz().join("findings").join(name);
        for finding in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = finding.expect("an entry").path();
            println!("{}", path.display());
            target(&std::fs::read(&path).expect("a finding"));
        }
    }
}
