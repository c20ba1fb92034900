//! Models whose weights are finite and whose numbers overflow: every answer is an error that names the place.

use gpt_playground::error::{Error, Result};
use gpt_playground::inspect::{self, LensTarget, ablate};
use gpt_playground::model::{Model, Progress};
use gpt_playground::sample::{Generation, Record, SamplingParams, Step};
use gpt_playground::train::{Dataset, Event, Source, TrainOptions, Trainer, gradients};
use web_time::Duration;

/// A way to spoil the model `gpt2-tanh-f32`, and what must be said of it.
pub struct Spoil {
    /// The weight.
    pub name: &'static str,
    /// What it is multiplied by; it stays finite.
    pub factor: f64,
    /// The place in words, and as captures call it.
    pub place: (&'static str, &'static str),
}

/// One place each.
pub const SPOILS: [Spoil; 8] = [
    Spoil { name: "wte.weight", factor: 1e38, place: ("block 0's LayerNorm", "h.0.ln_1") },
    Spoil { name: "h.1.attn.c_attn.weight", factor: 1e20, place: ("block 1's attention scores", "h.1.attn.out") },
    Spoil {
        name: "h.1.attn.c_attn.weight",
        factor: 1e40,
        place: ("block 1's queries, keys and values", "h.1.attn.qkv"),
    },
    Spoil { name: "h.0.attn.c_proj.weight", factor: 1e40, place: ("block 0's attention output", "h.0.attn.proj") },
    Spoil { name: "h.0.mlp.c_fc.weight", factor: 1e40, place: ("block 0's inner MLP layer", "h.0.mlp.fc") },
    Spoil { name: "h.1.mlp.c_proj.weight", factor: 1e40, place: ("block 1's MLP output", "h.1.mlp.proj") },
    Spoil { name: "ln_f.weight", factor: 1e40, place: ("the final LayerNorm", "ln_f") },
    Spoil { name: "ln_f.weight", factor: 1e36, place: ("the logits", "logits") },
];

/// Multiplies a weight as far as it stays finite; returns what it was.
pub async fn spoil(model: &mut Model, name: &str, factor: f64) -> Vec<f32> {
    let before = model.read_param(name).await.expect("a weight");
    let grown = |x: &f32| (f64::from(*x) * factor).clamp(-3e38, 3e38) as f32;
    let spoilt: Vec<f32> = before.iter().map(grown).collect();
    assert!(spoilt.iter().all(|x| x.is_finite()));
    model.write_param(name, 0, &spoilt).expect("written");
    before
}

async fn unhurried(_: Progress) -> Result<()> {
    Ok(())
}

/// Writes to the end: what was sampled, and the error if there was one.
pub async fn write(model: &mut Model, prompt: &[u32], n: usize) -> (Vec<Record>, Option<Error>) {
    let params = SamplingParams { temperature: 0.0, ..SamplingParams::default() };
    let mut generation = Generation::start(model, prompt, params, n, None).expect("a start");
    let mut all = Vec::new();
    loop {
        match generation.next(model, Duration::from_millis(50), 16).await {
            Ok(Step::Tokens { records, finished }) => {
                all.extend(records);
                if finished.is_some() {
                    return (all, None);
                }
            }
            Ok(Step::Prefill { .. }) => {}
            Err(e) => {
                // The generation is over, and says so again.
                let again = generation.next(model, Duration::from_millis(50), 16).await.expect_err("it is over");
                assert_eq!(again, e);
                return (all, Some(e));
            }
        }
    }
}

/// What each way to ask the model about a text comes to.
pub async fn ask_all(model: &mut Model, ids: &[u32]) -> Vec<(&'static str, Result<()>)> {
    let mut pace = unhurried;
    let (n, last) = (ids.len(), model.config().n_layer - 1);
    // These score each token from those before it, and do not feed the last.
    let scored = [ids, &[1]].concat();
    let mut asked = vec![("score", model.score(&scored).await.map(drop))];
    asked.push(("look", model.look(ids, &mut pace).await.map(drop)));
    asked.push(("last_logits", model.last_logits(ids, &mut pace).await.map(drop)));
    asked.push(("attention", inspect::attention(model, ids, last, Some(0), &mut pace).await.map(drop)));
    asked.push(("head_maps", inspect::head_maps(model, ids, 4, &mut pace).await.map(drop)));
    asked.push(("rollout", inspect::rollout(model, ids, last, &mut pace).await.map(drop)));
    asked.push(("lens", inspect::lens(model, ids, 0..n, LensTarget::Answer, &mut pace).await.map(drop)));
    asked.push(("values", inspect::values(model, ids, Some(last), &mut pace).await.map(drop)));
    asked.push(("logits", inspect::logits(model, ids, 0..n, &mut pace).await.map(drop)));
    let mut calm = async |_: Progress, _: &inspect::Ablation| Ok(());
    asked.push(("ablate", ablate(model, ids, 1, &mut calm).await.map(drop)));
    asked.push(("evaluate", inspect::evaluate(model, &scored, None, 9, |_, _| {}).await.map(drop)));
    asked.push(("probe", model.probe(ids, 0, &["logits".into()], 0).await.map(drop)));
    asked
}

/// Asserts that an error names a place, and the first position.
pub fn names(what: &str, error: &Error, (words, tensor): (&str, &str)) {
    let text = error.to_string();
    assert!(matches!(error, Error::Overflow(_)), "{what}: {text}");
    assert!(text.starts_with(&format!("the numbers overflow in {words} ({tensor} is ")), "{what}: {text}");
    assert!(text.contains(" at position 0): the weights are damaged"), "{what}: {text}");
}

/// Spoils a model, asks all there is to ask, and mends it again.
pub async fn refuses_to_answer(model: &mut Model, spoils: &[Spoil]) {
    let prompt = [3, 1, 4, 1, 5, 9, 2, 6];
    let sound = write(model, &prompt, 4).await;
    assert!(sound.1.is_none(), "{:?}", sound.1);
    for s in spoils {
        let before = spoil(model, s.name, s.factor).await;
        let what = format!("{} times {:e} on {}", s.name, s.factor, model.backend());
        let (records, error) = write(model, &prompt, 4).await;
        assert_eq!(records, [], "{what}");
        names(&what, &error.unwrap_or_else(|| panic!("{what}: it wrote")), s.place);
        for (plan, asked) in ask_all(model, &prompt).await {
            let what = format!("{plan} with {what}");
            names(&what, &asked.err().unwrap_or_else(|| panic!("{what}: an answer")), s.place);
        }
        model.write_param(s.name, 0, &before).expect("written");
        assert_eq!(write(model, &prompt, 4).await, sound, "{what}: and mended");
    }
}

/// Spoils a model and asks for gradients and for a run, with and without a validation before it.
pub async fn refuses_to_train(model: &mut Model) {
    let (name, place) = (SPOILS[1].name, SPOILS[1].place);
    let before = spoil(model, name, SPOILS[1].factor).await;
    let spoilt = model.read_param(name).await.expect("a weight");
    for eval_every in [0, 3] {
        let tokens = (0..700u32).map(|i| (i * i * 7 + i * 3) % 97).collect();
        let source = Source::Text(Dataset::new(tokens, 0.2, 12).expect("a text"));
        let options = TrainOptions {
            steps: 4,
            batch_size: 2,
            context: 12,
            dropout: 0.1,
            grad_accum: 2,
            eval_every,
            validation: 0.2,
            ..TrainOptions::default()
        };
        let batches = source.batches(&options, 0).expect("batches");
        let mut trainer = Trainer::new(model, options, source).await.expect("a run");
        let found = gradients(model, trainer.options(), &batches).await;
        names("the gradients", &found.expect_err("no gradients"), place);
        for _ in 0..2 {
            let error = loop {
                match trainer.advance(model, Duration::from_millis(50)).await {
                    Ok(Event::Working) => {}
                    Ok(event) => panic!("{}: {event:?}", model.backend()),
                    Err(e) => break e,
                }
            };
            names("a run", &error, place);
        }
        assert_eq!(trainer.best_loss(), None, "a loss that is no number is not the best");
        assert_eq!(model.read_param(name).await.expect("a weight"), spoilt, "{}", model.backend());
    }
    model.write_param(name, 0, &before).expect("written");
}
