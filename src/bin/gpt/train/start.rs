//! What a run starts from: model, tokenizer, batches and options.

use super::super::load;
use super::super::output::{Folder, Maker, OutFile, STATE_FILE, check_apart};
use super::super::read::{self, Ranges};
use super::super::say::say;
use super::args::Args;
use super::log::{self, Log};
use super::output::{Base, Output, dump_gradients, file_names, places, tensor_names};
use gpt_playground::config::GptConfig;
use gpt_playground::error::{Error, Result};
use gpt_playground::message::Message;
use gpt_playground::model::{Model, ModelOptions, Pass, Preflight};
use gpt_playground::tokenizer::{Bpe, ByteTokenizer, CharTokenizer, Tokenizer};
use gpt_playground::train::peft::CONFIG_FILE;
use gpt_playground::train::presets::{Preset, fine_tuning};
use gpt_playground::train::{
    Dataset, Replay, Source, TrainOptions, Trainer, TrainingState, check_state_from, gradients, read_state_from,
    restore_from,
};
use std::path::{Path, PathBuf};

/// The token that ends a document, for tokenizers learned from the text.
const END: &str = "<|endoftext|>";

/// A run that is ready to begin.
pub(super) struct Start {
    pub model: Model,
    pub trainer: Trainer,
    pub output: Output,
    pub log: Log,
}

/// Where the weights come from.
enum Origin {
    /// A model's folder.
    Folder(PathBuf),
    /// The saved run itself, beside its configuration.
    State(PathBuf),
    /// Random numbers.
    Scratch(Option<&'static Preset>),
}

fn utf8(path: &Path) -> Result<String> {
    String::from_utf8(read::whole(path)?)
        .map_err(|e| Error::Input(Message::uncoded(format!("{} is not UTF-8 ({e}); convert it first", path.display()))))
}

/// A tokenizer for a model from scratch.
fn new_tokenizer(name: &str, texts: &[String]) -> Result<Box<dyn Tokenizer>> {
    Ok(match (name, name.strip_prefix("bpe:")) {
        ("char", _) => Box::new(CharTokenizer::train(&texts.concat())?),
        ("byte", _) => Box::new(ByteTokenizer::new()),
        (_, Some(size)) => {
            let size = size.parse().map_err(|_| {
                Error::Input(Message::uncoded(format!(
                    "{size:?} is no vocabulary size; write for example --tokenizer bpe:1024"
                )))
            })?;
            Box::new(Bpe::train(&texts.join(END), size, &[END])?)
        }
        (dir, None) if load::is_folder(Path::new(dir))? => load::tokenizer(Path::new(dir))?,
        (other, None) => {
            let advice = "choose char, byte, bpe:N, or the folder of a tokenizer";
            return Err(Error::Input(Message::uncoded(format!("there is no tokenizer {other:?}; {advice}"))));
        }
    })
}

fn dataset(tokenizer: &dyn Tokenizer, texts: &[String], options: &TrainOptions) -> Result<Dataset> {
    let documents = texts.iter().map(|text| tokenizer.encode(text)).collect::<Result<Vec<_>>>()?;
    Dataset::new(Dataset::join(&documents, tokenizer.eos()), options.validation, options.context)
}

/// The model beside which a saved adapter was trained, as its configuration names it.
fn base_of_adapter(dir: &Path) -> Result<PathBuf> {
    let json: Option<serde_json::Value> =
        serde_json::from_slice(&read::small(&dir.join(CONFIG_FILE), read::SMALL, "it belongs to the saved run")?).ok();
    let name = json.and_then(|json| json["base_model_name_or_path"].as_str().map(PathBuf::from));
    name.ok_or_else(|| {
        Error::Input(Message::uncoded("give --model, the folder of the model beside which the adapter is trained"))
    })
}

/// Checks the files beside the folder that will be written: none is another's, or one with what is read.
fn side_files(args: &Args, resumed: Option<usize>) -> Result<(Option<log::Plan>, Option<OutFile>)> {
    let named = |name: &str, path: &Option<PathBuf>| path.clone().map(|path| (name.to_string(), path));
    let outputs = [named("--log", &args.log), named("--dump-gradients", &args.dump_gradients)];
    let outputs: Vec<_> = outputs.into_iter().flatten().collect();
    if outputs.is_empty() {
        return Ok((None, None));
    }
    let mut inputs = places(&args.out);
    inputs.extend([named("--replay", &args.replay), named("--config", &args.config)].into_iter().flatten());
    inputs.extend(args.text.iter().map(|path| ("--text".to_string(), path.clone())));
    check_apart(&outputs, &inputs)?;
    let log = args.log.as_deref().map(|path| log::Plan::check(path, resumed)).transpose()?;
    let gradients = args.dump_gradients.as_deref().map(|path| OutFile::check(path, Maker::Gradients)).transpose()?;
    Ok((log, gradients))
}

/// The saved run of a folder, which holds one: its file, and where it stood.
async fn saved_run(args: &Args, path: &Path) -> Result<(Ranges, TrainingState)> {
    let mut file = Ranges::open(path, "check --out, the folder that the run wrote")?;
    let state = load::in_file(path, read_state_from(file.len(), async |r| file.read(r)).await)?;
    if args.model.is_some() && state.options.lora.is_none() {
        let out = args.out.display();
        return Err(Error::Input(Message::uncoded(format!(
            "--resume goes on with the weights that are saved in {out} and reads no other model; leave --model out, or \
             begin a new run: --model {out} with another --out"
        ))));
    }
    Ok((file, state))
}

/// Refuses a base that is another than the one beside which the adapters of a saved run have learnt.
fn check_base(state: &TrainingState, dir: &Path, fingerprint: &str) -> Result<()> {
    match &state.base {
        Some(base) if base != fingerprint => Err(Error::Input(Message::uncoded(format!(
            "the adapter was not trained beside the weights in {}, though they have its shape; give --model, the folder \
             of the model beside which it was begun",
            dir.display()
        )))),
        Some(_) => Ok(()),
        None => {
            say("note: the saved run does not say beside which weights it was begun, so that is not checked");
            Ok(())
        }
    }
}

/// Reads everything, checks everything, then opens the model.
pub(super) async fn start(args: &Args) -> Result<Start> {
    let state_file = args.out.join(STATE_FILE);
    if args.resume {
        // Before the folder is made.
        load::check_there(&state_file, "check --out, the folder that the run wrote")?;
    }
    let mut folder = Folder::open(&args.out)?;
    let (mut saved, state) = match args.resume {
        true => Some(saved_run(args, &state_file).await?),
        false => folder.check_free().map(|()| None)?,
    }
    .unzip();
    let (log, gradients_file) = side_files(args, state.as_ref().map(|state| state.step))?;
    let adapters = state.as_ref().is_some_and(|s| s.options.lora.is_some());
    let preset = args.preset.as_deref().map(Preset::find).transpose()?;
    let origin = match (&args.model, &state) {
        (_, Some(_)) if !adapters => Origin::State(args.out.clone()),
        (Some(dir), _) => Origin::Folder(dir.clone()),
        (None, Some(_)) => Origin::Folder(base_of_adapter(&args.out)?),
        (None, None) => Origin::Scratch(preset),
    };

    let texts = args.text.iter().map(|path| utf8(path)).collect::<Result<Vec<_>>>()?;
    let (config, tokenizer, json) = match &origin {
        Origin::Folder(dir) | Origin::State(dir) => {
            let config = load::config(&dir.join("config.json"))?;
            let tokenizer = if texts.is_empty() { None } else { Some(load::tokenizer(dir)?) };
            let json = load::tokenizer_json(dir, tokenizer.as_deref())?;
            (config, tokenizer, json)
        }
        Origin::Scratch(preset) => {
            let tokenizer = if texts.is_empty() { None } else { Some(new_tokenizer(&args.tokenizer, &texts)?) };
            let vocab = tokenizer.as_ref().map_or(256, |t| t.vocab_size());
            let mut config = match (preset, &args.config) {
                (Some(preset), _) => preset.config(vocab)?,
                (None, Some(path)) => load::config(path)?,
                (None, None) => return Err(Error::Input(Message::uncoded("give --model, --config or --preset"))),
            };
            if let Some(tokenizer) = &tokenizer {
                config.vocab_size = vocab;
                (config.bos_token_id, config.eos_token_id) = (tokenizer.bos(), tokenizer.eos());
            }
            let json = tokenizer.as_ref().map_or_else(String::new, |t| t.to_json());
            (config, tokenizer, json)
        }
    };

    let replay = match &args.replay {
        Some(path) => {
            let bytes = read::whole(path)?;
            if matches!(origin, Origin::Scratch(Some(_))) {
                return Err(Error::Input(Message::uncoded(
                    "--replay has ids, not text: give --config instead of --preset",
                )));
            }
            Some(Replay::parse(&bytes, config.vocab_size)?)
        }
        None => None,
    };
    let options = options(args, &config, state.as_ref(), preset, tokenizer.as_deref(), &texts, replay.as_ref())?;
    options.validate(&config)?;
    let (source, options) = source(args, options, tokenizer.as_deref(), &texts, replay)?;
    config.validate()?;
    check_folder(&mut folder, state.as_ref(), &config, &options, &source)?;
    native_notes(&config, tokenizer.as_deref());
    preflight(&config, &options, &source)?;
    if let Some(file) = &mut saved {
        // Before the model takes its memory.
        let checked = check_state_from(&config, file.len(), async |r| file.read(r)).await;
        load::in_file(&state_file, checked)?;
    }

    let (mut model, base) = match &origin {
        Origin::Folder(dir) if options.lora.is_none() => (load::base(dir, args.backend).await?, None),
        Origin::Folder(dir) => {
            let (model, fingerprint) = load::base_and_fingerprint(dir, args.backend).await?;
            if let Some(state) = state.as_ref() {
                check_base(state, dir, &fingerprint)?;
            }
            (model, Some(Base { path: dir.display().to_string(), fingerprint }))
        }
        Origin::State(_) | Origin::Scratch(_) => {
            let open = ModelOptions { backend: args.backend, ..ModelOptions::default() };
            let mut model = Model::open(config, &open).await?;
            if saved.is_none() {
                model.randomize(options.seed)?;
            }
            (model, None)
        }
    };
    say(format_args!("on {} ({})", model.backend(), model.backend_reason().english()));
    let mut trainer = match &mut saved {
        Some(file) => {
            let restored = restore_from(&mut model, file.len(), async |r| file.read(r)).await;
            let state = load::in_file(&state_file, restored)?;
            Trainer::resume(&model, state, options, source)?
        }
        None => {
            let first = gradients_file.map(|file| Ok((file, source.batches(&options, 0)?))).transpose()?;
            let trainer = Trainer::new(&mut model, options, source).await?;
            if let Some((file, batches)) = first {
                dump_gradients(&file, gradients(&mut model, trainer.options(), &batches).await?)?;
            }
            trainer
        }
    };
    if let Some(base) = &base {
        trainer.set_base(base.fingerprint.clone());
    }
    let mut output = Output::new(folder, json, base, saved.is_some());
    output.find_best(&trainer)?;
    let log = log.map_or_else(|| Ok(Log::none()), log::Plan::open)?;
    Ok(Start { model, trainer, output, log })
}

/// Checks that the run may write its folder, before it takes any memory.
fn check_folder(
    folder: &mut Folder,
    state: Option<&TrainingState>,
    config: &GptConfig,
    options: &TrainOptions,
    source: &Source,
) -> Result<()> {
    let lora = options.lora.as_ref();
    let files = file_names(lora.is_some());
    let best = matches!(source, Source::Text(data) if options.keeps_best(data.validation().len()));
    folder.clean(&[files, &[STATE_FILE]].concat());
    match state {
        Some(state) if state.step > options.steps as usize => {
            let (done, asked, out) = (state.step, options.steps, folder.path().display());
            return Err(Error::Input(Message::uncoded(format!(
                "the run in {out} is already at step {done}, and --steps {asked} cannot take it back; give more --steps to \
                 train on, or begin a new run in another --out"
            ))));
        }
        Some(_) => {
            folder.check_own(files[0], &tensor_names(config, lora), best)?;
        }
        None if best => folder.check_best_free()?,
        None => {}
    }
    folder.check_writable()
}

/// What is given, else what was saved, else what suits the model and the text.
fn options(
    args: &Args,
    config: &GptConfig,
    state: Option<&TrainingState>,
    preset: Option<&Preset>,
    tokenizer: Option<&dyn Tokenizer>,
    texts: &[String],
    replay: Option<&Replay>,
) -> Result<TrainOptions> {
    let base = match (state, preset, replay) {
        (Some(state), _, _) => state.options.clone(),
        (None, _, Some(replay)) => TrainOptions {
            batch_size: replay.batch_size(),
            context: replay.context(),
            steps: replay.n_batches() as u32,
            eval_every: 0,
            ..TrainOptions::default()
        },
        (None, Some(preset), None) => preset.options(),
        (None, None, None) if args.model.is_some() => {
            let n = texts.iter().map(|text| tokenizer.map_or(Ok(0), |t| t.encode(text).map(|ids| ids.len())));
            // Adapters are the command line's choice, with its numbers.
            TrainOptions { lora: None, ..fine_tuning(config, n.sum::<Result<usize>>()?, args.lora()?.is_some(), None) }
        }
        (None, None, None) => TrainOptions { context: config.n_ctx.min(128), ..TrainOptions::default() },
    };
    let mut options = args.options(base)?;
    if let (Some(replay), None, false) = (replay, state, args.has_steps()) {
        // A step takes several batches where gradients are added up.
        options.steps = (replay.n_batches() as u32 / options.grad_accum.max(1)).max(1);
    }
    Ok(options)
}

fn source(
    args: &Args,
    mut options: TrainOptions,
    tokenizer: Option<&dyn Tokenizer>,
    texts: &[String],
    replay: Option<Replay>,
) -> Result<(Source, TrainOptions)> {
    if let Some(ignored) = args.ignored() {
        say(format_args!("note: {ignored}"));
    }
    if let Some(replay) = replay {
        return Ok((Source::Replay(replay), options));
    }
    let Some(tokenizer) = tokenizer else { return Err(Error::Input(Message::uncoded("give --text or --replay"))) };
    let mut data = dataset(tokenizer, texts, &options)?;
    if args.context.is_none() && data.context() < options.context && !args.resume {
        options.context = data.context();
        data = dataset(tokenizer, texts, &options)?;
    }
    data.notes().iter().for_each(|note| say(format_args!("note: {}", note.english())));
    let (train, held) = (data.train().len(), data.validation().len());
    say(format_args!("{train} tokens to train on, {held} held back for validation"));
    Ok((Source::Text(data), options))
}

/// Says what of the folder that will be written other programs cannot load.
fn native_notes(config: &GptConfig, tokenizer: Option<&dyn Tokenizer>) {
    if let Err(reason) = config.hf_compatible() {
        say(format_args!("note: {reason}"));
    }
    if tokenizer.is_some_and(|t| t.native_only()) {
        say(
            "note: Hugging Face's libraries have no tokenizer of characters or bytes. This one can be loaded here only.",
        );
    }
}

/// Says how much memory the run will take, before it takes any.
fn preflight(config: &GptConfig, options: &TrainOptions, source: &Source) -> Result<()> {
    let shape = options.shape(Pass::Update);
    let mut needs = Preflight::compute(config, options.lora.as_ref(), &shape)?;
    if matches!(source, Source::Text(data) if options.keeps_best(data.validation().len())) {
        needs = needs.with_best();
    }
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let trained = options.lora.as_ref().map_or(config.n_params(), |l| l.specs(config).iter().map(|s| s.numel()).sum());
    say(format_args!(
        "trains {trained} of {} weights for {} steps of {} tokens; memory {:.1} MiB: weights {:.1}, gradients and moments \
         {:.1}, activations {:.1}, cache and inputs {:.1}, best weights {:.1}",
        config.n_params() + if options.lora.is_some() { trained } else { 0 },
        options.steps,
        options.tokens_per_step(),
        mib(needs.total()),
        mib(needs.weights),
        mib(needs.training),
        mib(needs.temporaries),
        mib(needs.state),
        mib(needs.best),
    ));
    Ok(())
}
