//! A training run that fails: it notices, keeps the weights of before, and saves and says only what was done.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::models::open;
use common::training::{BACKENDS, fresh, losses, rich, run, start, weights};
use gpt_playground::exec::Backend;
use gpt_playground::model::Model;
use gpt_playground::model::params::param_specs;
use gpt_playground::train::{Event, Replay, Schedule, Source, TrainOptions, Trainer, read_state, restore, save};
use pollster::block_on;
use std::time::Duration;

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_keeps_the_weights() {
    for backend in BACKENDS {
        let mut model = open("gpt2-tanh-f32", backend);
        // Nothing that training does by itself makes this small model overflow: a weight that does, then.
        let name = "h.1.mlp.c_fc.weight";
        let mut weights = block_on(model.read_param(name)).expect("a weight");
        weights[..64].fill(3e38);
        model.write_param(name, 0, &weights).expect("written");
        let (mut options, source) = rich(&model, None);
        (options.lr, options.grad_clip, options.eval_every) = (1.0, 0.0, 0);
        let mut trainer = block_on(Trainer::new(&mut model, options, source)).expect("a run");
        let error = loop {
            match block_on(trainer.advance(&mut model, Duration::from_millis(50))) {
                Ok(Event::Finished) => panic!("{backend:?}: the run ended as if all were well"),
                Ok(_) => {}
                Err(e) => break e.to_string(),
            }
        };
        // Before the first step it cannot have been the learning rate.
        assert!(error.contains("h.1.mlp.fc is ") && !error.contains("learning rate"), "{error}");
        for spec in param_specs(model.config()) {
            let values = block_on(model.read_param(&spec.name)).expect("a weight");
            assert!(values.iter().all(|v| v.is_finite()), "{backend:?}: {} is not finite", spec.name);
        }
        assert_eq!(
            block_on(model.read_param(name)).expect("a weight"),
            weights,
            "{backend:?}: the step changed nothing"
        );
    }
}

/// A run of ten steps in which batch [`SPOILT`] makes the loss no number.
struct Spoilt {
    file: Vec<u8>,
}

const SPOILT: usize = 4;

impl Spoilt {
    const STEPS: usize = 10;
    const BATCH: usize = 2;
    const CONTEXT: usize = 12;
    const POISON: u32 = 58;

    fn new() -> Self {
        let (steps, batch, context) = (Self::STEPS, Self::BATCH, Self::CONTEXT);
        let ids = |batch: usize, i: usize| ((batch * 31 + i * i * 7 + i * 3) % 58) as i64;
        let inputs: Vec<u8> = (0..steps)
            .flat_map(|b| (0..batch * context).map(move |i| (b, i)))
            .map(|(b, i)| if (b, i) == (SPOILT, 5) { Self::POISON.into() } else { ids(b, i) })
            .flat_map(i64::to_le_bytes)
            .collect();
        let targets: Vec<u8> =
            (0..steps).flat_map(|b| (0..batch * context).flat_map(move |i| ids(b, i + 1).to_le_bytes())).collect();
        let view = |data| {
            let shape = vec![steps, batch, context];
            safetensors::tensor::TensorView::new(safetensors::Dtype::I64, shape, data).expect("a view")
        };
        let tensors = [("inputs", view(&inputs)), ("targets", view(&targets))];
        Self { file: safetensors::serialize(tensors, None).expect("a file") }
    }

    /// The head has a weight of its own here: only the spoilt batch looks its embedding up.
    fn model(backend: Backend) -> Model {
        let mut model = start("gpt2-erf-untied", backend).0;
        let c = model.config().n_embd;
        model.write_param("wte.weight", Self::POISON as usize * c, &vec![f32::NAN; c]).expect("written");
        model
    }

    /// The first `steps` of it; nobody looks until the last.
    fn trainer(&self, model: &mut Model, steps: usize) -> Trainer {
        let options = TrainOptions {
            steps: steps as u32,
            batch_size: Self::BATCH,
            context: Self::CONTEXT,
            lr: 1e-3,
            schedule: Schedule::Constant,
            warmup: 0,
            eval_every: 0,
            dropout: 0.1,
            ..TrainOptions::default()
        };
        let replay = Replay::parse(&self.file, model.config().vocab_size).expect("batches");
        let mut trainer = block_on(Trainer::new(model, options, Source::Replay(replay))).expect("a run");
        trainer.set_read_every(Duration::from_secs(3600));
        trainer
    }
}

/// The message with which a run ends.
fn fail(trainer: &mut Trainer, model: &mut Model) -> String {
    loop {
        match block_on(trainer.advance(model, Duration::from_millis(50))) {
            Ok(Event::Finished) => panic!("the run ended as if all were well"),
            Ok(_) => {}
            Err(e) => return e.to_string(),
        }
    }
}

fn bits(model: &mut Model) -> Vec<Vec<u32>> {
    weights(model).into_iter().map(|w| w.into_iter().map(f32::to_bits).collect()).collect()
}

/// One batch in the middle of a run spoils the loss, while a GPU has been given all those after it.
#[test]
fn steps_after_a_loss_that_is_no_number_change_nothing() {
    let spoilt = Spoilt::new();
    for backend in BACKENDS {
        let mut model = Spoilt::model(backend);
        let mut good = spoilt.trainer(&mut model, SPOILT);
        let before = bits(&mut model);
        let (want_steps, _) = run(&mut model, &mut good);
        let want = bits(&mut model);
        assert_ne!(want, before);

        let mut model = Spoilt::model(backend);
        let mut trainer = spoilt.trainer(&mut model, Spoilt::STEPS);
        let mut told = Vec::new();
        let message = loop {
            match block_on(trainer.advance(&mut model, Duration::from_millis(50))) {
                Ok(Event::Finished) => panic!("{backend:?}: the run ended as if all were well"),
                Ok(Event::Steps(steps)) => told.extend(steps),
                Ok(_) => {}
                Err(e) => break e.to_string(),
            }
        };
        assert!(message.contains(&format!("after {SPOILT} steps")), "{message}");
        assert!(message.contains("the embedding (wte.out is NaN at position 5)"), "{message}");
        assert!(message.contains("lower learning rate (now 0.001) or stronger clipping"), "{message}");
        assert_eq!(losses(&told), losses(&want_steps), "{backend:?}: the good steps are told of before");
        assert_eq!(bits(&mut model), want, "{backend:?}: the weights are not those before the spoilt step");
        // It fails again in the same place and harms as little.
        assert_eq!(fail(&mut trainer, &mut model), message);
        assert_eq!(bits(&mut model), want, "{backend:?}: after trying again");
        // A new run is not held up by the end of this one.
        let mut good = spoilt.trainer(&mut model, SPOILT);
        let (again, _) = run(&mut model, &mut good);
        assert!(again.len() == want_steps.len() && bits(&mut model) != want, "{backend:?}: a new run stands still");
    }
}

/// A save in the middle has only the steps that changed the weights, and swallows neither their losses nor the failure.
#[test]
fn a_save_knows_what_the_steps_before_it_came_to() {
    let spoilt = Spoilt::new();
    for backend in BACKENDS {
        let mut model = Spoilt::model(backend);
        let mut trainer = spoilt.trainer(&mut model, Spoilt::STEPS);
        // Ever later: a save breaks the step off, which then begins anew.
        let (mut told, mut saved, mut pulls, mut next) = (Vec::new(), Vec::new(), 0, 4);
        let message = loop {
            match block_on(trainer.advance(&mut model, Duration::ZERO)) {
                Ok(Event::Finished) => panic!("{backend:?}: the run ended as if all were well"),
                Ok(Event::Steps(steps)) => told.extend(steps),
                Ok(_) => {}
                Err(e) => break e.to_string(),
            }
            pulls += 1;
            if pulls == next {
                (pulls, next) = (0, next * 3 / 2 + 1);
                saved = block_on(save(&mut model, &mut trainer)).expect("a file");
                let step = block_on(read_state(&saved)).expect("a state").step;
                assert!(step <= SPOILT, "{backend:?}: step {step} never happened");
                assert_eq!(step, trainer.step(), "{backend:?}");
            }
        };
        assert!(message.contains(&format!("after {SPOILT} steps")), "{message}");
        assert_eq!(told.iter().map(|s| s.step).collect::<Vec<_>>(), (1..=SPOILT).collect::<Vec<_>>(), "{backend:?}");
        let last = block_on(save(&mut model, &mut trainer)).expect("a file");
        assert_eq!(block_on(read_state(&last)).expect("a state").step, SPOILT);
        // What was saved fails as this one did.
        for file in [saved, last] {
            let mut model = Spoilt::model(backend);
            let state = block_on(restore(&mut model, &file)).expect("restored");
            let replay = Replay::parse(&spoilt.file, model.config().vocab_size).expect("batches");
            let mut trainer =
                Trainer::resume(&model, state.clone(), state.options, Source::Replay(replay)).expect("a run");
            assert_eq!(fail(&mut trainer, &mut model), message, "{backend:?}");
        }
    }
}

#[test]
fn an_absurd_learning_rate_is_noticed_or_survived() {
    let (mut model, mut options, source) = fresh(false, Backend::Cpu);
    (options.lr, options.grad_clip, options.steps, options.warmup, options.dropout) = (1.0, 0.0, 60, 0, 0.0);
    let mut trainer = block_on(Trainer::new(&mut model, options, source)).expect("a run");
    loop {
        match block_on(trainer.advance(&mut model, Duration::from_millis(50))) {
            Ok(Event::Steps(steps)) => assert!(steps.iter().all(|s| s.loss.is_finite() && s.grad_norm.is_finite())),
            Ok(Event::Finished) => break,
            Ok(_) => {}
            Err(e) => {
                assert!(e.to_string().contains("lower learning rate"), "{e}");
                break;
            }
        }
    }
    for spec in param_specs(model.config()) {
        let values = block_on(model.read_param(&spec.name)).expect("a weight");
        assert!(values.iter().all(|v| v.is_finite()), "{} is not finite", spec.name);
    }
}
