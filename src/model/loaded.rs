//! A model on a backend: weights, KV cache and plans, ready to run.

use super::gpt::{GptPlan, Parts, build};
use super::lora::{LoraOptions, TRAINING_SCALE};
use super::params::{ParamSpec, param_specs};
use super::scoring::score_rows;
use super::view::View;
use crate::config::GptConfig;
use crate::error::{Error, Result};
use crate::exec::{Backend, Chosen, Executor};
use crate::graph::{Buf, COMPANIONS, Graph, Layout, Limits, Loc, Plan, SLAB_BYTES, Storage, pool_slots, total};
use crate::message::{Message, message};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How to open a model.
#[derive(Debug, Clone)]
pub struct ModelOptions {
    /// Which backend.
    pub backend: Backend,
    /// Largest parameter slab in bytes; tests use small ones to cut tensors that would fit.
    pub slab_bytes: usize,
    /// Most bytes that the model may take of the device, with all that is added to it later; without a number, what the
    /// device gives.
    pub memory: Option<u64>,
}

impl Default for ModelOptions {
    fn default() -> Self {
        Self { backend: Backend::Auto, slab_bytes: SLAB_BYTES, memory: None }
    }
}

/// Device memory of a model, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// All weights.
    pub weights: u64,
    /// Gradients and moments; 0 unless training.
    pub training: u64,
    /// KV cache, control block and inputs.
    pub state: u64,
    /// The pool of temporaries that all plans share.
    pub temporaries: u64,
}

/// Ids that a prefill plan takes at most, small first: a short prompt must not pay for a long chunk.
const CHUNKS: [usize; 3] = [16, 64, 256];

/// A model on a backend.
pub struct Model {
    pub(super) config: GptConfig,
    pub(super) specs: HashMap<String, ParamSpec>,
    pub(super) layout: Layout,
    pub(super) limits: Limits,
    pub(super) executor: Executor,
    reason: Message,
    /// By kind, and whether heads and MLPs pass through gates.
    pub(super) plans: HashMap<(GptPlan, bool), (usize, Arc<Plan>)>,
    /// Ids whose keys and values are in the cache, from position 0.
    pub(crate) cached: Vec<u32>,
    /// What the views' cache holds.
    pub(super) view: View,
    /// Factors on heads and MLPs, see [`Model::set_gates`]; empty while all are 1.
    pub(super) gates: Vec<f32>,
    pub(super) lora: Option<LoraOptions>,
    /// What the adapters' output is multiplied by; `alpha / rank` unless changed.
    pub(super) lora_scale: f32,
    /// Whether there are gradients and moments.
    pub(super) trains: bool,
}

impl Model {
    /// Opens a backend and allocates a model of this configuration, with weights of zero until they are written.
    ///
    /// # Errors
    /// [`Error::Config`] for an invalid configuration, [`Error::Device`] when the backend or its memory cannot be had.
    pub async fn open(config: GptConfig, options: &ModelOptions) -> Result<Self> {
        config.validate()?;
        Self::on(config, Executor::open(options.backend).await?, options).await
    }

    /// As [`Model::open`], on an executor that is open already.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub async fn on(config: GptConfig, chosen: Chosen, options: &ModelOptions) -> Result<Self> {
        config.validate()?;
        let Chosen { mut executor, reason } = chosen;
        executor.set_limit(options.memory);
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
            cached: Vec::new(),
            view: View::default(),
            gates: Vec::new(),
            lora: None,
            lora_scale: 0.0,
            trains: false,
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
            let graph = build(Parts { config, lora: None, layout: &layout, gated: false }, kind)?;
            let plan = Plan::compile(&kind.name(), graph, &mut layout, &Limits::default())?;
            Ok(plan.describe(&layout))
        };
        kinds.iter().map(compile).collect()
    }

    /// The plan of this kind, compiled and given to the executor when first asked for.
    pub(crate) async fn plan(&mut self, kind: &GptPlan) -> Result<(usize, Arc<Plan>)> {
        let gated = !self.gates.is_empty() && !matches!(kind, GptPlan::Train(_));
        let key = (kind.clone(), gated);
        if let Some((index, plan)) = self.plans.get(&key) {
            return Ok((*index, Arc::clone(plan)));
        }
        let parts = Parts { config: &self.config, lora: self.lora.as_ref(), layout: &self.layout, gated };
        let graph = build(parts, kind)?;
        // A plan that finds no room leaves nothing behind: neither places without memory nor memory without a use.
        let mut layout = self.layout.clone();
        let plan = Arc::new(Plan::compile(&kind.name(), graph, &mut layout, &self.limits)?);
        self.executor.allocate(&layout).await?;
        let index = match self.executor.add_plan(Arc::clone(&plan)).await {
            Ok(index) => index,
            Err(e) => {
                self.executor.release(&self.layout);
                return Err(e);
            }
        };
        self.layout = layout;
        self.plans.insert(key, (index, Arc::clone(&plan)));
        self.write_constants();
        Ok((index, plan))
    }

    /// Drops the plans that `unwanted` names, the inputs that only they have, and their temporaries. Work in progress is
    /// dropped too.
    ///
    /// # Errors
    /// [`Error::Device`] when the device has failed.
    pub(super) async fn drop_plans(&mut self, unwanted: impl Fn(&GptPlan) -> bool) -> Result<()> {
        let gone: Vec<_> = self.plans.extract_if(|(kind, _), _| unwanted(kind)).map(|(_, plan)| plan).collect();
        if gone.is_empty() {
            return Ok(());
        }
        let indices: Vec<usize> = gone.iter().map(|(index, _)| *index).collect();
        self.executor.remove_plans(&indices).await?;
        let bufs = |plan: &Arc<Plan>| -> Vec<Buf> {
            let inputs = plan.tensors.iter().filter(|t| t.storage == Storage::Input);
            inputs.filter_map(|t| t.loc).map(|loc| loc.buf).collect()
        };
        let kept: HashSet<Buf> = self.plans.values().flat_map(|(_, plan)| bufs(plan)).collect();
        for buf in gone.iter().flat_map(|(_, plan)| bufs(plan)).filter(|buf| !kept.contains(buf)) {
            self.layout.remove(buf);
        }
        self.executor.release(&self.layout);
        Ok(())
    }

    /// The graph of the forward pass over `rows` tokens, for looking at.
    pub(crate) fn forward_graph(&self, rows: usize) -> Result<Graph> {
        let gated = !self.gates.is_empty();
        let parts = Parts { config: &self.config, lora: self.lora.as_ref(), layout: &self.layout, gated };
        build(parts, &GptPlan::Probe { rows, captures: Vec::new() })
    }

    /// Writes the inputs that change rarely, where plans have made them.
    pub(super) fn write_constants(&mut self) {
        self.write_lora_scale();
        if let (Some(loc), Some(lora)) = (self.layout.find(TRAINING_SCALE), &self.lora) {
            self.executor.write(loc, bytemuck::bytes_of(&lora.scale()));
        }
        if let (Some(loc), false) = (self.layout.find("gates"), self.gates.is_empty()) {
            self.executor.write(loc, bytemuck::cast_slice(&self.gates));
        }
        self.write_decay();
    }

    /// The table entry of a parameter, whose gradient or moment the name may also mean.
    fn spec(&self, name: &str) -> Result<ParamSpec> {
        let bare = COMPANIONS.iter().find_map(|(prefix, _)| name.strip_prefix(prefix)).unwrap_or(name);
        let spec = self.specs.get(bare).filter(|_| bare == name || self.trains);
        spec.cloned().ok_or_else(|| {
            Error::Checkpoint(message!("model.no_parameter", "this model has no parameter {name}", name))
        })
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
        let spec = self.spec(name)?;
        let range = first..first + values.len();
        if range.end > spec.numel() {
            let (end, has) = (range.end, spec.numel());
            return Err(Error::Checkpoint(message!(
                "model.past_end",
                "{name} has {elements} elements; writing up to {end} would pass its end",
                name,
                elements = has,
                end
            )));
        }
        for (loc, part) in self.layout.param_ranges(name, &spec.shape, range) {
            self.executor.write(loc, bytemuck::cast_slice(&values[part.start - first..part.end - first]));
        }
        // Keys and values of the old weights are worth nothing.
        self.forget();
        Ok(())
    }

    /// Forgets all keys and values: what they were computed with has changed.
    pub(super) fn forget(&mut self) {
        self.cached.clear();
        self.view = View::default();
    }

    /// A weight's values.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when the model has no such weight; [`Error::Device`] when the device failed.
    pub async fn read_param(&mut self, name: &str) -> Result<Vec<f32>> {
        let spec = self.spec(name)?;
        let mut values = Vec::with_capacity(spec.numel());
        for (loc, _) in self.layout.param_ranges(name, &spec.shape, 0..spec.numel()) {
            values.extend(self.executor.read_f32(loc).await?);
        }
        Ok(values)
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
        self.layout.find(name).ok_or_else(|| {
            Error::Plan(message!("plan.no_tensor", "no plan has made the tensor {tensor} yet", tensor = name))
        })
    }

    pub(crate) fn executor(&mut self) -> &mut Executor {
        &mut self.executor
    }

    /// Refuses ids outside the vocabulary.
    pub(crate) fn check_ids(&self, ids: &[u32]) -> Result<()> {
        match ids.iter().find(|&&id| id as usize >= self.config.vocab_size) {
            Some(id) => Err(Error::Input(message!(
                "tokens.outside_vocabulary",
                "token {id} is outside this model's vocabulary of {vocabulary}; use the tokenizer that \
                 came with the model",
                id,
                vocabulary = self.config.vocab_size
            ))),
            None if ids.is_empty() => {
                Err(Error::Input(message!("tokens.none", "there are no tokens; give the model some text")))
            }
            None => Ok(()),
        }
    }

    pub(super) fn check_room(&self, positions: usize) -> Result<()> {
        if positions <= self.config.n_ctx {
            return Ok(());
        }
        let n_ctx = self.config.n_ctx;
        Err(Error::Input(message!(
            "tokens.too_many",
            "{tokens} tokens do not fit this model's context of {context}; use a shorter text",
            tokens = positions,
            context = n_ctx
        )))
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
    pub fn backend_reason(&self) -> &Message {
        &self.reason
    }

    /// The GPU adapter's name; empty on the CPU.
    pub fn adapter(&self) -> String {
        self.executor.adapter()
    }

    /// Whether the device has failed for good, and the model is lost with it; never on the CPU.
    pub fn failed(&self) -> bool {
        self.executor.failed()
    }

    /// Work done so far; zeros on the CPU.
    pub fn counters(&self) -> crate::gpu::Counters {
        self.executor.counters()
    }

    /// What the GPU device holds at the moment; zeros on the CPU.
    pub fn held(&self) -> crate::gpu::Held {
        self.executor.held()
    }

    /// Device memory in use.
    pub fn memory(&self) -> Memory {
        Memory {
            weights: self.layout.param_bytes(),
            training: self.layout.training_bytes(),
            state: self.layout.own_bytes(),
            temporaries: total(&pool_slots(self.plans.values().map(|(_, plan)| plan.as_ref()))),
        }
    }

    /// Drops work in progress; weights and cache stay valid.
    pub fn cancel(&mut self) {
        self.executor.cancel();
    }
}
