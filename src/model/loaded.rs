//! A model on a backend: weights, KV cache and plans, ready to run.

use super::gpt::{GptPlan, build};
use super::params::{ParamSpec, param_specs};
use crate::config::GptConfig;
use crate::error::{Error, Result};
use crate::exec::{Backend, Chosen, Executor};
use crate::graph::{Layout, Limits, Loc, Plan, SLAB_BYTES};
use std::collections::HashMap;
use std::sync::Arc;

/// How to open a model.
#[derive(Debug, Clone)]
pub struct ModelOptions {
    /// Which backend.
    pub backend: Backend,
    /// Largest parameter slab in bytes; tests use small ones to cut tensors that would fit.
    pub slab_bytes: usize,
}

impl Default for ModelOptions {
    fn default() -> Self {
        Self { backend: Backend::Auto, slab_bytes: SLAB_BYTES }
    }
}

/// Device memory of a model, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// All weights.
    pub weights: usize,
    /// KV cache, control block and inputs.
    pub state: usize,
    /// The pool of temporaries that all plans share.
    pub temporaries: usize,
}

/// Ids that a prefill plan takes at most, small first: a short prompt must not pay for a long chunk.
const CHUNKS: [usize; 3] = [16, 64, 256];

/// A model on a backend.
pub struct Model {
    config: GptConfig,
    specs: HashMap<String, ParamSpec>,
    layout: Layout,
    limits: Limits,
    executor: Executor,
    reason: String,
    plans: HashMap<GptPlan, (usize, Arc<Plan>)>,
    slots: Vec<usize>,
    /// Ids whose keys and values are in the cache, from position 0.
    pub(crate) cached: Vec<u32>,
}

impl Model {
    /// Opens a backend and allocates a model of this configuration, with weights of zero until they are written.
    ///
    /// # Errors
    /// [`Error::Config`] for an invalid configuration, [`Error::Device`] when the backend or its memory cannot be had.
    pub async fn open(config: GptConfig, options: &ModelOptions) -> Result<Self> {
        config.validate()?;
        let Chosen { executor, reason } = Executor::open(options.backend).await?;
        let mut layout = Layout::new(options.slab_bytes);
        let specs = param_specs(&config);
        specs.iter().for_each(|s| layout.add_param(&s.name, &s.shape));
        let limits = executor.limits();
        let mut model = Self {
            config,
            specs: specs.into_iter().map(|s| (s.name.clone(), s)).collect(),
            layout,
            limits,
            executor,
            reason,
            plans: HashMap::new(),
            slots: Vec::new(),
            cached: Vec::new(),
        };
        model.plan(&GptPlan::Decode).await?;
        Ok(model)
    }

    /// Compiles and verifies every plan that generation uses, and returns their descriptions, without a device and
    /// without allocating anything.
    ///
    /// # Errors
    /// [`Error::Plan`] when a plan breaks a limit, [`Error::Config`] for an invalid configuration.
    pub fn dry_run(config: &GptConfig) -> Result<Vec<String>> {
        config.validate()?;
        let mut layout = Layout::default();
        param_specs(config).iter().for_each(|s| layout.add_param(&s.name, &s.shape));
        let rows = CHUNKS[CHUNKS.len() - 1].min(config.n_ctx);
        let kinds = [GptPlan::Decode, GptPlan::Prefill { rows }, GptPlan::Score { rows: score_rows(config) }];
        let compile = |kind: &GptPlan| {
            let graph = build(config, kind, layout.slab_bytes())?;
            let plan = Plan::compile(&kind.name(), graph, &mut layout, &Limits::default())?;
            Ok(plan.describe(&layout))
        };
        kinds.iter().map(compile).collect()
    }

    /// The plan of this kind, compiled and given to the executor when first asked for.
    pub(crate) async fn plan(&mut self, kind: &GptPlan) -> Result<(usize, Arc<Plan>)> {
        if let Some((index, plan)) = self.plans.get(kind) {
            return Ok((*index, Arc::clone(plan)));
        }
        let graph = build(&self.config, kind, self.layout.slab_bytes())?;
        let plan = Arc::new(Plan::compile(&kind.name(), graph, &mut self.layout, &self.limits)?);
        self.executor.allocate(&self.layout).await?;
        let index = self.executor.add_plan(Arc::clone(&plan)).await?;
        for (slot, &bytes) in plan.slots.iter().enumerate() {
            match self.slots.get_mut(slot) {
                Some(have) => *have = bytes.max(*have),
                None => self.slots.push(bytes),
            }
        }
        self.plans.insert(kind.clone(), (index, Arc::clone(&plan)));
        Ok((index, plan))
    }

    /// The smallest prefill plan that takes `wanted` ids at once, or the largest there is.
    pub(crate) fn chunk(&self, wanted: usize) -> usize {
        let fitting = CHUNKS.into_iter().find(|&c| c >= wanted).unwrap_or(CHUNKS[CHUNKS.len() - 1]);
        fitting.min(self.config.n_ctx)
    }

    /// Writes values of a weight, from its element `first` on, in row-major order.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when the model has no such weight or fewer elements.
    pub fn write_param(&mut self, name: &str, first: usize, values: &[f32]) -> Result<()> {
        let spec = self.specs.get(name);
        let spec = spec.ok_or_else(|| Error::Checkpoint(format!("this model has no parameter {name}")))?;
        let range = first..first + values.len();
        if range.end > spec.numel() {
            let (end, has) = (range.end, spec.numel());
            return Err(Error::Checkpoint(format!("{name} has {has} elements; writing up to {end} would pass its end")));
        }
        for (loc, part) in self.layout.param_ranges(name, &spec.shape, range) {
            self.executor.write(loc, bytemuck::cast_slice(&values[part.start - first..part.end - first]));
        }
        // Keys and values of the old weights are worth nothing.
        self.cached.clear();
        Ok(())
    }

    /// A weight's values.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when the model has no such weight; [`Error::Device`] when the device failed.
    pub async fn read_param(&mut self, name: &str) -> Result<Vec<f32>> {
        let spec = self.specs.get(name);
        let spec = spec.ok_or_else(|| Error::Checkpoint(format!("this model has no parameter {name}")))?;
        let mut values = Vec::with_capacity(spec.numel());
        for (loc, _) in self.layout.param_ranges(name, &spec.shape, 0..spec.numel()) {
            values.extend(self.executor.read_f32(loc).await?);
        }
        Ok(values)
    }

    /// Runs the `Probe` plan over a chunk of ids at positions `pos0..` and returns the captured tensors with their
    /// shapes, in the order of `captures`. Positions before `pos0` must be in the cache.
    ///
    /// `head` is the head shown by `h.*.attn.probs`.
    ///
    /// # Errors
    /// [`Error::Input`] when the ids do not fit the context or the vocabulary; as [`Model::open`] otherwise.
    pub async fn probe(
        &mut self,
        ids: &[u32],
        pos0: usize,
        captures: &[String],
        head: u32,
    ) -> Result<Vec<(Vec<usize>, Vec<f32>)>> {
        self.check_ids(ids)?;
        self.check_room(pos0 + ids.len())?;
        // Rows follow the text: a probe is rare, and its captures should have the text's length.
        let kind = GptPlan::Probe { rows: ids.len(), captures: captures.to_vec() };
        let (index, plan) = self.plan(&kind).await?;
        self.write_step(ids.len(), pos0, ids)?;
        if let Ok(select) = plan.find("select") {
            let loc = select.loc.expect("a found tensor has a place");
            self.executor.write(loc, bytemuck::bytes_of(&head));
        }
        self.cached.truncate(pos0);
        self.executor.run(index, 1)?;
        let mut found = Vec::with_capacity(captures.len());
        for name in captures {
            let tensor = plan.find(name)?;
            let values = self.executor.read_f32(tensor.loc.expect("a found tensor has a place")).await?;
            found.push((tensor.meta.shape.clone(), values));
        }
        self.cached.extend_from_slice(ids);
        Ok(found)
    }

    /// Scores ids in one context window: for each id after the first, `[log-probability, entropy, rank, log-sum-exp]`
    /// (see [`crate::ops::Score`]). `ids` may have one id more than the context holds, since the last is only a target.
    ///
    /// # Errors
    /// [`Error::Input`] when there are too many ids or one is outside the vocabulary; [`Error::Device`] when the device
    /// failed.
    pub async fn score(&mut self, ids: &[u32]) -> Result<Vec<[f32; 4]>> {
        self.check_ids(ids)?;
        let inputs = &ids[..ids.len().saturating_sub(1)];
        self.check_room(inputs.len())?;
        let rows = score_rows(&self.config);
        let (index, plan) = self.plan(&GptPlan::Score { rows }).await?;
        let (targets, scores) = (plan.find("targets")?.loc, plan.find("scores")?.loc);
        let (targets, scores) = (targets.expect("has a place"), scores.expect("has a place"));
        self.cached.clear();
        let mut found = Vec::with_capacity(inputs.len());
        for (i, chunk) in inputs.chunks(rows).enumerate() {
            self.write_step(rows, i * rows, chunk)?;
            let mut wanted = ids[i * rows + 1..][..chunk.len()].to_vec();
            wanted.resize(rows, u32::MAX);
            self.executor.write(targets, bytemuck::cast_slice(&wanted));
            self.executor.run(index, 1)?;
            let values = self.executor.read_f32(scores).await?;
            found.extend(values.chunks_exact(4).take(chunk.len()).map(|v| [v[0], v[1], v[2], v[3]]));
        }
        self.cached.extend_from_slice(inputs);
        Ok(found)
    }

    /// Fills the input `step` of a plan with `rows` rows.
    pub(crate) fn write_step(&mut self, rows: usize, pos0: usize, ids: &[u32]) -> Result<()> {
        let mut step = vec![pos0 as u32, ids.len() as u32];
        step.extend_from_slice(ids);
        step.resize(crate::ops::STEP_IDS + rows, 0);
        let loc = self.place(&format!("step({rows})"))?;
        self.executor.write(loc, bytemuck::cast_slice(&step));
        Ok(())
    }

    /// The place of a state or input.
    pub(crate) fn place(&self, name: &str) -> Result<Loc> {
        self.layout.find(name).ok_or_else(|| Error::Plan(format!("no plan has made the tensor {name} yet")))
    }

    pub(crate) fn executor(&mut self) -> &mut Executor {
        &mut self.executor
    }

    /// Refuses ids outside the vocabulary.
    pub(crate) fn check_ids(&self, ids: &[u32]) -> Result<()> {
        match ids.iter().find(|&&id| id as usize >= self.config.vocab_size) {
            Some(id) => Err(Error::Input(format!(
                "token {id} is outside this model's vocabulary of {}; use the tokenizer that came with the model",
                self.config.vocab_size
            ))),
            None if ids.is_empty() => Err(Error::Input("there are no tokens; give the model some text".into())),
            None => Ok(()),
        }
    }

    fn check_room(&self, positions: usize) -> Result<()> {
        if positions <= self.config.n_ctx {
            return Ok(());
        }
        let n_ctx = self.config.n_ctx;
        Err(Error::Input(format!("{positions} tokens do not fit this model's context of {n_ctx}; use a shorter text")))
    }

    /// The configuration.
    pub fn config(&self) -> &GptConfig {
        &self.config
    }

    /// `cpu` or `gpu`.
    pub fn backend(&self) -> &'static str {
        self.executor.name()
    }

    /// Why this backend, in a sentence.
    pub fn backend_reason(&self) -> &str {
        &self.reason
    }

    /// The GPU adapter's name; empty on the CPU.
    pub fn adapter(&self) -> String {
        self.executor.adapter()
    }

    /// Work done so far; zeros on the CPU.
    pub fn counters(&self) -> crate::gpu::Counters {
        self.executor.counters()
    }

    /// Device memory in use.
    pub fn memory(&self) -> Memory {
        Memory {
            weights: self.layout.param_bytes(),
            state: self.layout.own_bytes(),
            temporaries: self.slots.iter().sum(),
        }
    }

    /// Drops work in progress; weights and cache stay valid.
    pub fn cancel(&mut self) {
        self.executor.cancel();
    }
}

/// Rows of the score plan: its logits must fit one binding, and about 128 keep a submit short.
fn score_rows(config: &GptConfig) -> usize {
    let most = (SLAB_BYTES / 4 / config.vocab_size).max(1);
    most.min(128).min(config.n_ctx)
}
