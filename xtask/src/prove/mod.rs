//! `prove`: what shows that the product is right but takes longer than a minute. To add a proof, write a function
//! `fn(&Context) -> Result<String>` that returns one line of evidence, and list it in [`PROOFS`].

mod clone;
mod faults;
mod fuzz;
mod python;
mod reference;
mod soak;
mod training;

use crate::sh;
use anyhow::{Context as _, Result, bail};
use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Options of `prove`.
#[derive(clap::Args)]
pub struct Args {
    /// Folder with texts (*.txt) that are not in the repository: more for some proofs to compare on
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Run only these proofs (see --list), or those whose names begin so, as `soak` for `soak-…`; may be repeated
    #[arg(long, value_name = "PROOF")]
    only: Vec<String>,
    /// List the proofs
    #[arg(long)]
    list: bool,
}

/// One proof. `run` returns the evidence in one line, or an error that says what was not as claimed.
struct Proof {
    name: &'static str,
    what: &'static str,
    run: fn(&Context) -> Result<String>,
}

const PROOFS: &[Proof] = &[
    Proof {
        name: "logits-cpu",
        what: "the shipped model's logits equal Hugging Face's GPT2LMHeadModel, CPU backend",
        run: |c| reference::logits(c, "cpu"),
    },
    Proof { name: "logits-gpu", what: "the same, GPU backend", run: |c| reference::logits(c, "gpu") },
    Proof {
        name: "generate-cpu",
        what: "its greedy text equals transformers' generate, CPU backend",
        run: |c| reference::shipped(c, "generate", "cpu"),
    },
    Proof { name: "generate-gpu", what: "the same, GPU backend", run: |c| reference::shipped(c, "generate", "gpu") },
    Proof {
        name: "captures-cpu",
        what: "its hidden states and attention maps equal transformers', CPU backend",
        run: |c| reference::shipped(c, "captures", "cpu"),
    },
    Proof { name: "captures-gpu", what: "the same, GPU backend", run: |c| reference::shipped(c, "captures", "gpu") },
    Proof {
        name: "eval-cpu",
        what: "its loss on texts equals transformers', each token scored once, CPU backend",
        run: |c| reference::shipped(c, "eval", "cpu"),
    },
    Proof { name: "eval-gpu", what: "the same, GPU backend", run: |c| reference::shipped(c, "eval", "gpu") },
    Proof {
        name: "textbook-cpu",
        what: "the textbook GPT of PyTorch modules at full size gives PyTorch's logits, CPU backend",
        run: |c| reference::textbook(c, "cpu"),
    },
    Proof { name: "textbook-gpu", what: "the same, GPU backend", run: |c| reference::textbook(c, "gpu") },
    Proof {
        name: "gpt2",
        what: "a checkpoint of GPT-2's size and layout loads and agrees with transformers, both backends",
        run: reference::gpt2,
    },
    Proof { name: "tokenizer", what: "token ids equal those of Hugging Face's tokenizers", run: reference::tokenizer },
    Proof {
        name: "export-full",
        what: "a fine-tuned model loads in transformers unchanged and gives the same logits, both backends",
        run: |c| training::exports(c, "full"),
    },
    Proof {
        name: "export-lora",
        what: "adapters load in PEFT and give the same logits, merged there and here too, both backends",
        run: |c| training::exports(c, "lora"),
    },
    Proof {
        name: "export-scratch",
        what: "models trained from scratch load in transformers, tied head and not, both backends",
        run: |c| training::exports(c, "scratch"),
    },
    Proof {
        name: "export-bpe",
        what: "a model from scratch with a BPE learnt here loads in transformers, tokenizer and logits equal, both backends",
        run: |c| training::exports(c, "bpe"),
    },
    Proof {
        name: "export-page",
        what: "GPT-2's size is tuned as a whole in the page, in Chromium, and its zip, and an adapter's, load elsewhere",
        run: training::exports_page,
    },
    Proof {
        name: "recital",
        what: "a paragraph is memorised and recited exactly: fine-tuning, LoRA, from scratch",
        run: training::recital,
    },
    Proof {
        name: "nanogpt",
        what: "nanoGPT's CPU recipe reaches its loss on tinyshakespeare (needs --data)",
        run: training::nanogpt,
    },
    Proof {
        name: "nanogpt-page",
        what: "the same in the real page, in Chromium (needs --data)",
        run: training::nanogpt_page,
    },
    Proof {
        name: "soak-cpu",
        what: "20,000 tokens, 2,000 steps, 100 models opened and closed, and memory stays flat, CPU backend",
        run: |c| soak::native(c, "cpu"),
    },
    Proof { name: "soak-gpu", what: "the same, GPU backend", run: |c| soak::native(c, "gpu") },
    Proof {
        name: "soak-page-cpu",
        what: "the same in the real page, in Chromium, CPU backend",
        run: |c| soak::page(c, "cpu"),
    },
    Proof {
        name: "soak-page-gpu",
        what: "1,000 tokens, 100 steps and 20 models in the page, on Chromium's software GPU",
        run: |c| soak::page(c, "webgpu"),
    },
    Proof {
        name: "faults",
        what: "whatever call of the page fails, once or for good, nothing is lost and it is told, in Chromium",
        run: faults::run,
    },
    Proof {
        name: "fuzz",
        what: "no file, however made, makes a reader fail, loop or take much memory: each is fuzzed for a minute",
        run: fuzz::run,
    },
    Proof {
        name: "clone",
        what: "a fresh clone of the last commit builds the page within its size limit",
        run: clone::run,
    },
];

/// What the proofs share.
pub struct Context {
    data: Option<PathBuf>,
    python: OnceCell<PathBuf>,
    gpt: OnceCell<PathBuf>,
}

impl Context {
    /// A Python with PyTorch and transformers, set up when first asked for.
    ///
    /// # Errors
    /// When there is no Python or the packages cannot be installed.
    pub fn python(&self) -> Result<Command> {
        if self.python.get().is_none() {
            let _ = self.python.set(python::ensure()?);
        }
        let python = self.python.get().expect("just set");
        Ok(sh::cmd(&python.to_string_lossy(), [] as [&str; 0]))
    }

    /// The folder given as `--data`.
    pub fn data(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// A folder for a proof's files, emptied.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn scratch(&self, name: &str) -> Result<PathBuf> {
        let dir = sh::target_dir().join("prove").join(name);
        if dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        Ok(dir)
    }

    /// The native program `gpt`, built in release mode when first asked for: all proofs are about the same one.
    ///
    /// # Errors
    /// When it does not build.
    pub fn gpt(&self) -> Result<&Path> {
        if self.gpt.get().is_none() {
            sh::run(&mut sh::cmd("cargo", ["build", "--release", "--bin", "gpt"]))?;
            let name = format!("gpt{}", std::env::consts::EXE_SUFFIX);
            let _ = self.gpt.set(sh::target_dir().join("release").join(name));
        }
        Ok(self.gpt.get().expect("just set"))
    }

    /// The model that ships with the page.
    pub fn shipped_model(&self) -> &Path {
        Path::new("www/models/storyteller")
    }
}

/// The proofs that are named, all where none is. A name that is none's own means all that begin with it and a dash.
fn choose(names: &[String]) -> Result<Vec<&'static Proof>> {
    let mut wanted = Vec::new();
    for name in names {
        let before = wanted.len();
        let own = PROOFS.iter().any(|proof| proof.name == name);
        let group = |proof: &str| proof.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('-'));
        let fits = |proof: &str| if own { proof == name } else { group(proof) };
        wanted.extend(PROOFS.iter().map(|proof| proof.name).filter(|proof| fits(proof)));
        if wanted.len() == before {
            bail!("there is no proof `{name}`: see `cargo xtask prove --list`");
        }
    }
    Ok(PROOFS.iter().filter(|proof| names.is_empty() || wanted.contains(&proof.name)).collect())
}

/// Runs every proof, also after one has failed, and prints the table.
///
/// # Errors
/// When a proof fails or a name in `--only` is unknown.
pub fn run(args: &Args) -> Result<()> {
    if args.list {
        PROOFS.iter().for_each(|proof| println!("{:<16} {}", proof.name, proof.what));
        return Ok(());
    }
    let chosen = choose(&args.only)?;
    // Programs run in the repository's root, the user's path counts from where they are.
    let data = args.data.as_ref().map(|dir| dir.canonicalize().with_context(|| format!("--data {}", dir.display())));
    let context = Context { data: data.transpose()?, python: OnceCell::new(), gpt: OnceCell::new() };
    let mut rows = Vec::new();
    for proof in chosen {
        eprintln!("\n=== {}: {}", proof.name, proof.what);
        let begun = Instant::now();
        let outcome = (proof.run)(&context).map_err(|error| format!("{error:#}"));
        let seconds = begun.elapsed().as_secs_f64();
        // At once, and again in the table: the run is long and may be cut short.
        eprintln!("{} after {seconds:.0} s", outcome.as_ref().unwrap_or_else(|error| error));
        rows.push((proof, outcome, seconds));
    }
    let failed = rows.iter().filter(|(_, outcome, _)| outcome.is_err()).count();
    println!("\n{:<16} {:<7} {:>7}  evidence", "proof", "result", "time");
    for (proof, outcome, seconds) in &rows {
        let (result, evidence) = match outcome {
            Ok(evidence) => ("proven", evidence),
            Err(error) => ("FAILED", error),
        };
        println!("{:<16} {result:<7} {seconds:>5.0} s  {evidence}", proof.name);
    }
    if failed > 0 {
        bail!("{failed} of {} proofs failed", rows.len());
    }
    println!("All {} proven.", rows.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_chooses_its_proof_and_the_beginning_of_names_a_group() {
        let names = |only: &[&str]| -> Vec<&str> {
            let only: Vec<String> = only.iter().map(|name| (*name).to_string()).collect();
            choose(&only).expect("known").into_iter().map(|proof| proof.name).collect()
        };
        assert_eq!(names(&["logits"]), ["logits-cpu", "logits-gpu"]);
        assert_eq!(names(&["nanogpt"]), ["nanogpt"], "its own name, not the group");
        assert_eq!(names(&["clone", "logits-gpu", "clone"]), ["logits-gpu", "clone"]);
        assert_eq!(names(&[]).len(), PROOFS.len());
        for unknown in ["", "log", "logits-", "logits-tpu"] {
            let error = choose(&[unknown.to_string()]).err().expect("unknown").to_string();
            assert!(error.contains(&format!("there is no proof `{unknown}`")), "{error}");
        }
    }
}
