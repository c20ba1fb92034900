//! What a training run promises: it repeats, resumes, can be interrupted, keeps its best weights, and memorises a paragraph.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::cases::Noise;
use common::models::open;
use common::training::{BACKENDS, fixture, fresh, losses, run, weights};
use gpt_playground::config::GptConfig;
use gpt_playground::exec::Backend;
use gpt_playground::message::Message;
use gpt_playground::model::checkpoint::{Dtype, Header, TensorEntry, TensorOut, write_safetensors};
use gpt_playground::model::lora::LoraOptions;
use gpt_playground::model::{Model, ModelOptions};
use gpt_playground::sample::{Generation, SamplingParams, Step};
use gpt_playground::train::{
    BestWeights, Dataset, Event, Source, StepReport, TrainOptions, Trainer, restore, restore_from, save, save_pieces,
};
use pollster::block_on;
use std::time::Duration;

/// The steps and validation losses of the run that is compared with: from its beginning to its end at once.
fn uninterrupted(lora: bool, backend: Backend) -> (Vec<StepReport>, Vec<f32>) {
    let (mut model, options, source) = fresh(lora, backend);
    let mut trainer = block_on(Trainer::new(&mut model, options, source)).expect("a run");
    run(&mut model, &mut trainer)
}

#[test]
fn a_resumed_run_loses_as_an_uninterrupted_one() {
    for (lora, backend) in [false, true].into_iter().flat_map(|l| BACKENDS.map(|b| (l, b))) {
        let (whole, evaluations) = uninterrupted(lora, backend);
        assert_eq!((whole.len(), evaluations.len()), (7, 4), "before, after 3, after 6, at the end");

        let (mut model, options, source) = fresh(lora, backend);
        let mut trainer = block_on(Trainer::new(&mut model, options, source)).expect("a run");
        let (mut parts, mut validated) = (Vec::new(), Vec::new());
        // Where it is saved right after a validation, that is not done again.
        while if lora { validated.len() < 2 } else { parts.len() < 4 } {
            match block_on(trainer.advance(&mut model, Duration::ZERO)).expect("a step") {
                Event::Steps(steps) => parts.extend(steps),
                Event::Evaluated { loss, .. } => validated.push(loss),
                _ => {}
            }
        }
        // In the middle of the next step.
        block_on(trainer.advance(&mut model, Duration::ZERO)).expect("a part of a step");
        parts.extend(block_on(trainer.drain(&mut model)).expect("reports"));
        let best = trainer.best_loss();
        let file = block_on(save(&mut model, &mut trainer)).expect("a file");
        drop((model, trainer));

        let (mut model, options, source) = fresh(lora, backend);
        let state = block_on(restore(&mut model, &file)).expect("restored");
        assert_eq!((state.step, &state.options, state.best_loss), (parts.len(), &options, best));
        // No run goes back: it would train on over the weights that it has saved.
        let fewer = TrainOptions { steps: state.step as u32 - 1, ..state.options.clone() };
        let refused =
            Trainer::resume(&model, state.clone(), fewer, fresh(lora, backend).2).err().expect("too few steps");
        assert!(refused.to_string().contains("already done"), "{refused}");
        let mut trainer = Trainer::resume(&model, state.clone(), state.options, source).expect("a run");
        let (rest, more) = run(&mut model, &mut trainer);
        parts.extend(rest);
        validated.extend(more);
        assert_eq!(losses(&parts), losses(&whole), "LoRA {lora} on {backend:?}");
        assert_eq!(validated, evaluations, "LoRA {lora} on {backend:?}");
        assert_eq!(parts.iter().map(|s| s.step).collect::<Vec<_>>(), (1..=7).collect::<Vec<_>>());
        assert!(parts.iter().zip(&whole).all(|(a, b)| a.grad_norm == b.grad_norm && a.lr == b.lr));
    }
}

#[test]
fn a_start_that_is_refused_costs_nothing() {
    for (lora, backend) in [false, true].into_iter().flat_map(|l| BACKENDS.map(|b| (l, b))) {
        let (whole, _) = uninterrupted(lora, backend);

        let (mut model, options, source) = fresh(lora, backend);
        let others = LoraOptions { rank: 3, ..options.lora.clone().unwrap_or_default() };
        let same = options.lora.clone();
        let mut trainer = block_on(Trainer::new(&mut model, options.clone(), source)).expect("a run");
        let mut steps = Vec::new();
        while steps.len() < 3 {
            if let Event::Steps(more) = block_on(trainer.advance(&mut model, Duration::ZERO)).expect("a step") {
                steps.extend(more);
            }
        }
        assert_eq!(model.replaces_adapters(Some(&others)), lora, "{backend:?}");
        assert!(!model.replaces_adapters(same.as_ref()) && !model.replaces_adapters(None));
        // Others, and where there are adapters, the whole model.
        for wrong in [Some(others), None].into_iter().filter(|wrong| *wrong != same) {
            let (_, _, source) = fresh(lora, backend);
            let refused = TrainOptions { lora: wrong, ..options.clone() };
            let error = block_on(Trainer::new(&mut model, refused, source)).err().expect("must be refused");
            assert!(error.to_string().contains("another kind of training"), "{error}");
        }
        let (rest, _) = run(&mut model, &mut trainer);
        steps.extend(rest);
        assert_eq!(losses(&steps), losses(&whole), "LoRA {lora} on {backend:?}");
    }
}

#[test]
fn adapters_that_were_added_are_trained_or_nothing_is() {
    let (mut model, options, _) = fresh(true, Backend::Cpu);
    let lora = options.lora.expect("adapters");
    block_on(model.add_adapters(&lora, 1)).expect("adapters");
    let wrong = |lora: Option<&LoraOptions>| model.check_training(lora).expect_err("must be refused").to_string();
    assert!(wrong(Some(&LoraOptions { alpha: 3.0, ..lora.clone() })).contains("other adapters"));
    assert!(wrong(Some(&LoraOptions { rank: 0, ..lora.clone() })).contains("LoRA rank"));
    // They would be all that is trained.
    assert!(wrong(None).contains("another kind of training"));
    model.check_training(Some(&lora)).expect("the same");
}

#[test]
fn damaged_and_foreign_runs_are_refused() {
    let (mut model, options, source) = fresh(false, Backend::Cpu);
    let mut trainer = block_on(Trainer::new(&mut model, options, source)).expect("a run");
    let file = block_on(save(&mut model, &mut trainer)).expect("a file");
    let refusal = |model: &mut Model, file: &[u8]| block_on(restore(model, file)).expect_err("refused").to_string();
    for cut in [0, 7, 100, file.len() / 2, file.len() - 1] {
        let before = block_on(model.read_param("wte.weight")).expect("a weight");
        refusal(&mut model, &file[..cut]);
        assert_eq!(block_on(model.read_param("wte.weight")).expect("a weight"), before);
    }
    let message = refusal(&mut open("textbook", Backend::Cpu), &file);
    assert!(message.contains("saved run"), "{message}");
    let message = refusal(&mut open("gpt2-tanh-f32", Backend::Cpu), &fixture("gpt2-tanh/weights.safetensors"));
    assert!(message.contains("no training run"), "{message}");
}

/// A step that is broken off and done again, at whatever point, leaves no trace.
#[test]
fn an_interrupted_step_leaves_no_trace() {
    for (lora, backend) in [false, true].into_iter().flat_map(|l| BACKENDS.map(|b| (l, b))) {
        let (whole, _) = uninterrupted(lora, backend);

        let (mut model, options, source) = fresh(lora, backend);
        let mut trainer = block_on(Trainer::new(&mut model, options, source)).expect("a run");
        let mut steps = Vec::new();
        for pulls in (1..400).step_by(23).chain([1, 2, 3]) {
            for _ in 0..pulls {
                if let Event::Steps(more) = block_on(trainer.advance(&mut model, Duration::ZERO)).expect("a step") {
                    steps.extend(more);
                }
            }
            trainer.settle(&mut model);
        }
        steps.extend(run(&mut model, &mut trainer).0);
        assert_eq!(losses(&steps), losses(&whole), "LoRA {lora} on {backend:?}");
    }
}

/// A run that gets worse after a while, at step `steps`.
fn overfitted(backend: Backend, lora: bool, steps: usize) -> (Model, Trainer) {
    let (mut model, options, source) = noisy(backend, lora);
    let mut trainer = block_on(Trainer::new(&mut model, options, source)).expect("a run");
    // A GPU would else be some steps further, on a fast machine beyond the next evaluation.
    trainer.set_read_every(Duration::ZERO);
    while trainer.step() < steps {
        block_on(trainer.advance(&mut model, Duration::ZERO)).expect("a step");
    }
    (model, trainer)
}

/// Noise can only be learned by heart, which makes the noise held back less likely.
fn noisy(backend: Backend, lora: bool) -> (Model, TrainOptions, Source) {
    let (model, mut options, _) = fresh(lora, backend);
    let mut noise = Noise::new(8);
    let source = Source::Text(Dataset::new((0..700).map(|_| noise.bits() % 97).collect(), 0.2, 12).expect("a text"));
    (options.steps, options.lr, options.dropout, options.eval_every) = (400, 3e-3, 0.0, 20);
    (model, options, source)
}

#[test]
fn what_is_switched_off_is_on_while_a_run_learns_and_validates() {
    for backend in BACKENDS {
        let losses = |off: bool| {
            let (mut model, options, source) = noisy(backend, false);
            if off {
                model.set_gates(&vec![0.0; model.gate_count()]).expect("gates");
            }
            let mut trainer = block_on(Trainer::new(&mut model, options, source)).expect("a run");
            let (steps, evaluations) = run(&mut model, &mut trainer);
            assert!(!evaluations.is_empty());
            (losses(&steps), evaluations)
        };
        assert_eq!(losses(true), losses(false), "{backend:?}");
    }
}

/// Looking and writing in the midst of a step, without breaking it off first: it is done again.
#[test]
fn what_is_looked_at_meanwhile_changes_no_step() {
    for backend in BACKENDS {
        let losses = |look: bool| {
            let (mut model, options, source) = fresh(false, backend);
            let mut trainer = block_on(Trainer::new(&mut model, options, source)).expect("a run");
            let mut found = Vec::new();
            for call in 1u32.. {
                match block_on(trainer.advance(&mut model, Duration::ZERO)).expect("a piece") {
                    Event::Steps(steps) => found.extend(steps),
                    Event::Finished => return losses(&found),
                    _ => {}
                }
                if look && call.is_power_of_two() {
                    block_on(model.look(&[1, 2, 3, 4], &mut async |_| Ok(()))).expect("a look");
                }
            }
            unreachable!("it ends")
        };
        assert_eq!(losses(true), losses(false), "{backend:?}");
    }
}

#[test]
fn the_best_weights_come_back() {
    let (mut model, options, source) = noisy(Backend::Cpu, false);
    let mut trainer = block_on(Trainer::new(&mut model, options, source)).expect("a run");
    let (mut best, mut best_step, mut last, mut kept) = (f32::INFINITY, 0, 0.0, Vec::new());
    assert_eq!(trainer.best(), None);
    loop {
        match block_on(trainer.advance(&mut model, Duration::from_millis(50))).expect("a step") {
            Event::Evaluated { step, loss, best: lowest } => {
                assert_eq!(lowest, loss < best);
                if lowest {
                    (best_step, kept) = (step, weights(&mut model));
                }
                (best, last) = (best.min(loss), loss);
            }
            Event::Finished => break,
            _ => {}
        }
    }
    assert!(best < last, "the run never got worse: {best} and {last}");
    let told = |in_force| Some(BestWeights { loss: best, step: best_step, in_force });
    assert_eq!((trainer.best_loss(), trainer.best()), (Some(best), told(false)));
    let at_end = weights(&mut model);
    assert_ne!(at_end, kept);
    // There and back, also when asked twice.
    for (wanted, expected) in [(true, &kept), (true, &kept), (false, &at_end), (false, &at_end), (true, &kept)] {
        assert!(block_on(trainer.use_best(&mut model, wanted)).expect("put back"));
        assert!(&weights(&mut model) == expected, "asked for the best: {wanted}");
        assert_eq!(trainer.best(), told(wanted));
    }
}

/// Looking at the best weights in the middle of a run, saving, and going on changes nothing of the run.
#[test]
fn a_run_goes_on_from_its_last_weights() {
    for (backend, lora) in [(Backend::Cpu, false), (Backend::Cpu, true), (Backend::Gpu, false)] {
        // The last evaluation was before, and not at, the last step.
        let (mut model, mut trainer) = overfitted(backend, lora, 45);
        let plain = block_on(save(&mut model, &mut trainer)).expect("a file");
        let best = trainer.best().expect("the best is kept");
        let last = weights(&mut model);
        assert!(block_on(trainer.use_best(&mut model, true)).expect("put back"));
        let kept = weights(&mut model);
        assert_ne!(kept, last);

        // The file has both kinds, whichever the model holds, and says which that was.
        let file = block_on(save(&mut model, &mut trainer)).expect("a file");
        assert!(weights(&mut model) == kept, "a save changes nothing");
        for (file, in_force) in [(&plain, false), (&file, true)] {
            let (mut model, _, source) = noisy(backend, lora);
            let state = block_on(restore(&mut model, file)).expect("restored");
            assert!((45..60).contains(&state.step), "a file of step {}", state.step);
            assert_eq!((state.best_loss, state.best_step), (Some(best.loss), best.step));
            assert_eq!(state.best_in_force, in_force);
            assert!(weights(&mut model) == last, "those of the last step");
            let mut trainer = Trainer::resume(&model, state.clone(), state.options, source).expect("a run");
            assert_eq!(trainer.best(), Some(BestWeights { in_force: false, ..best }));
            assert!(block_on(trainer.use_best(&mut model, true)).expect("put back"));
            assert!(weights(&mut model) == kept);
        }

        // Going on puts the last back by itself.
        let go_on = |model: &mut Model, trainer: &mut Trainer| {
            let mut found = Vec::new();
            while trainer.step() < 70 {
                if let Event::Steps(reports) = block_on(trainer.advance(model, Duration::ZERO)).expect("a step") {
                    found.extend(reports.iter().map(|s| (s.step, s.loss.to_bits())));
                }
            }
            found.retain(|(step, _)| (61..=70).contains(step));
            found
        };
        let resumed = go_on(&mut model, &mut trainer);
        assert!(!trainer.best().expect("kept").in_force);
        let (mut model, mut trainer) = overfitted(backend, lora, 45);
        assert_eq!(go_on(&mut model, &mut trainer), resumed, "{backend:?}, LoRA {lora}");
    }
}

/// Neither a save nor going back to it takes more memory of its own than a tensor and a piece.
#[test]
fn a_large_run_is_saved_and_read_a_piece_at_a_time() {
    let config = GptConfig::new(2048, 32, 256, 4, 6);
    let largest = 4 * 2048 * 256;
    let mut model = block_on(Model::open(config.clone(), &ModelOptions::default())).expect("a model");
    model.randomize(3).expect("weights");
    let data = || Source::Text(Dataset::new((0..400u32).map(|i| i * i % 2039).collect(), 0.2, 16).expect("a text"));
    let options = TrainOptions { steps: 2, batch_size: 1, context: 16, eval_every: 1, ..TrainOptions::default() };
    let mut trainer = block_on(Trainer::new(&mut model, options, data())).expect("a run");
    run(&mut model, &mut trainer);
    let whole = block_on(save(&mut model, &mut trainer)).expect("a file");
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    let keep = async |piece| {
        pieces.push(piece);
        Ok(())
    };
    block_on(save_pieces(&mut model, &mut trainer, keep)).expect("a file");
    let most = pieces.iter().map(Vec::capacity).max();
    // What is put together of small tensors may have room for as much again.
    let room = 2 * ((8 << 20) + largest);
    assert!(pieces.len() > 4 && most <= Some(room), "{} pieces, the largest of {most:?} bytes", pieces.len());
    assert!(pieces.concat() == whole);
    // Where a piece finds no room, the run goes on.
    let full = async |_| Err(gpt_playground::error::Error::Io(Message::uncoded("full")));
    let error = block_on(save_pieces(&mut model, &mut trainer, full)).expect_err("full").to_string();
    assert!(error.contains("full"), "{error}");
    assert!(block_on(save(&mut model, &mut trainer)).expect("a file") == whole);

    let kept = weights(&mut model);
    let mut other = block_on(Model::open(config, &ModelOptions::default())).expect("a model");
    let mut longest = 0;
    let read = async |range: std::ops::Range<u64>| {
        longest = longest.max(range.end - range.start);
        Ok(whole[range.start as usize..range.end as usize].to_vec())
    };
    let state = block_on(restore_from(&mut other, whole.len() as u64, read)).expect("restored");
    assert_eq!(longest, largest as u64);
    assert_eq!(state.best_weights.map(|best| best.len()), Some(other.trained_specs().len()));
    assert!(weights(&mut other) == kept);
    // What cannot be read is told, as is a file that is cut.
    let gone = async |_| Err(gpt_playground::error::Error::Io(Message::uncoded("gone")));
    assert!(
        block_on(restore_from(&mut other, whole.len() as u64, gone)).expect_err("gone").to_string().contains("gone")
    );
    let cut = &whole[..whole.len() - 1];
    assert!(block_on(restore(&mut other, cut)).expect_err("cut").to_string().contains("truncated"));
}

/// Files of a run that was never evaluated, and earlier ones of large models: these know the loss, but have no weights of it,
/// and they have no checksums.
#[test]
fn a_save_without_best_weights_is_restored() {
    let (mut model, mut options, source) = noisy(Backend::Cpu, false);
    options.eval_every = 0;
    let mut trainer = block_on(Trainer::new(&mut model, options, source)).expect("a run");
    let file = block_on(save(&mut model, &mut trainer)).expect("a file");
    let state = block_on(restore(&mut model, &file)).expect("restored");
    assert_eq!((state.best_loss, state.best_weights.is_none()), (None, true));
    let (_, _, source) = noisy(Backend::Cpu, false);
    let mut trainer = Trainer::resume(&model, state.clone(), state.options, source).expect("a run");
    assert_eq!(trainer.best(), None);
    assert!(!block_on(trainer.use_best(&mut model, true)).expect("an answer"), "there are none");
    assert!(block_on(trainer.use_best(&mut model, false)).expect("an answer"), "the last are there");

    let (mut model, mut trainer) = overfitted(Backend::Cpu, false, 45);
    let file = block_on(save(&mut model, &mut trainer)).expect("a file");
    let header = Header::parse_whole(&file).expect("a header");
    let old = |entry: &&TensorEntry| entry.dtype == Dtype::F32 && !entry.name.starts_with("best:");
    let kept: Vec<_> = header.entries.iter().filter(old).collect();
    assert!(kept.len() < header.entries.len());
    let values = |entry: &TensorEntry| -> Vec<f32> {
        bytemuck::pod_collect_to_vec(&file[entry.range.start as usize..entry.range.end as usize])
    };
    let values: Vec<_> = kept.iter().map(|entry| values(entry)).collect();
    let out = |(entry, data): (&&TensorEntry, _)| TensorOut {
        name: entry.name.clone(),
        shape: entry.shape.clone(),
        dtype: entry.dtype.clone(),
        data,
    };
    let tensors: Vec<_> = kept.iter().zip(values.iter().map(Vec::as_slice)).map(out).collect();
    let key = "gpt_playground.training";
    let metadata = [(key, header.metadata[key].as_str())];
    let file = write_safetensors(&tensors, &metadata).expect("a file");
    let state = block_on(restore(&mut model, &file)).expect("restored");
    assert!(state.best_loss.is_some() && state.best_weights.is_none());
    let (_, _, source) = noisy(Backend::Cpu, false);
    let mut trainer = Trainer::resume(&model, state.clone(), state.options, source).expect("a run");
    assert_eq!((trainer.best_loss(), trainer.best()), (state.best_loss, None));
    assert!(!block_on(trainer.use_best(&mut model, true)).expect("an answer"), "there are none");
}

#[test]
fn a_paragraph_is_memorised_and_the_run_repeats_bit_for_bit() {
    let tokens: Vec<u32> = (0..60u32).map(|i| (i * i * 7 + i * 3) % 89 + 2).collect();
    for backend in BACKENDS {
        let mut losses = Vec::new();
        for _ in 0..2 {
            let mut model = open("gpt2-tanh-f32", backend);
            let options = TrainOptions {
                steps: if backend == Backend::Cpu { 600 } else { 30 },
                batch_size: 4,
                context: 32,
                lr: 3e-3,
                warmup: 5,
                weight_decay: 0.0,
                eval_every: 0,
                ..TrainOptions::default()
            };
            let data = Dataset::new(tokens.clone(), 0.0, 32).expect("a text");
            let mut trainer = block_on(Trainer::new(&mut model, options, Source::Text(data))).expect("a run");
            let (steps, _) = run(&mut model, &mut trainer);
            losses.push(steps.iter().map(|s| s.loss.to_bits()).collect::<Vec<_>>());
            let (first, last) = (steps[0].loss, steps.last().expect("steps").loss);
            // The GPU, which may be software, is given too few steps to learn the text by heart.
            let most = if backend == Backend::Cpu { 0.05 } else { 0.7 * first };
            assert!(last < most, "{backend:?}: the loss went from {first} to {last}");
            if backend == Backend::Cpu {
                let greedy = SamplingParams { temperature: 0.0, repetition_penalty: 1.0, ..SamplingParams::default() };
                let mut generation = Generation::start(&mut model, &tokens[..8], greedy, 24, None).expect("a start");
                let mut text = Vec::new();
                loop {
                    if let Step::Tokens { records, finished } =
                        block_on(generation.next(&mut model, Duration::from_millis(20), 8)).expect("a step")
                    {
                        text.extend(records.iter().map(|r| r.id));
                        if finished.is_some() {
                            break;
                        }
                    }
                }
                assert_eq!(text, tokens[8..32], "the text is not recited");
            }
        }
        assert_eq!(losses[0], losses[1], "{backend:?}: two equal runs differ");
    }
}
