//! What a model needs to be trained: gradients, moments, adapters; and one pass of a training step.

use super::Model;
use super::gpt::{GptPlan, Parts, TrainShape, build};
use super::lora::{LoraOptions, WRITING_SCALE};
use super::params::{ParamSpec, param_specs};
use super::train_graph::{decay_name, trained};
use crate::config::GptConfig;
use crate::error::{Error, Result};
use crate::exec::RunId;
use crate::graph::{Buf, Layout, Limits, Plan, SlabSet, slab_name};
use crate::message::message;
use crate::ops::{STEP_IDS, hyper};

/// Memory that a training run will take, in bytes, known before anything is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preflight {
    /// All weights, adapters included.
    pub weights: u64,
    /// Gradients and AdamW's moments.
    pub training: u64,
    /// KV cache and inputs.
    pub state: u64,
    /// Activations and other temporaries.
    pub temporaries: u64,
    /// The weights of the lowest validation loss, where they are counted.
    pub best: u64,
}

impl Preflight {
    /// Computes it from the plans.
    ///
    /// # Errors
    /// [`Error::Plan`] when a tensor would pass a limit of every device; the message says which and what to reduce.
    pub fn compute(config: &GptConfig, lora: Option<&LoraOptions>, shape: &TrainShape) -> Result<Self> {
        config.validate()?;
        let mut layout = Layout::default();
        param_specs(config).iter().for_each(|s| layout.add_param(&s.name, &s.shape));
        if let Some(lora) = lora {
            lora.validate(config)?;
            lora.specs(config).iter().for_each(|s| layout.add_adapter(&s.name, &s.shape));
        }
        layout.add_training(trained(lora.is_some()));
        let mut temporaries = 0u64;
        for kind in [GptPlan::Decode, GptPlan::Train(shape.clone())] {
            let graph = build(Parts { config, lora, layout: &layout, gated: false }, &kind)?;
            let plan = Plan::compile(&kind.name(), graph, &mut layout, &Limits::default())?;
            temporaries = temporaries.max(plan.temp_bytes());
        }
        let (weights, training, state) = (layout.param_bytes(), layout.training_bytes(), layout.own_bytes());
        Ok(Self { weights, training, state, temporaries, best: 0 })
    }

    /// Counts the weights of the lowest validation loss too, for a run that keeps them where it computes: they are in the
    /// program's memory, not on a GPU.
    pub fn with_best(self) -> Self {
        // As much as the gradients; each moment is as much again.
        Self { best: self.training / 3, ..self }
    }

    /// All of it.
    pub fn total(&self) -> u64 {
        self.weights + self.training + self.state + self.temporaries + self.best
    }

    /// Compares the total with the most that a run may take, in bytes.
    ///
    /// # Errors
    /// [`Error::Input`] with both, and what to choose, where the run would take more.
    pub fn check(&self, limit: u64) -> Result<()> {
        let total = self.total();
        if total <= limit {
            return Ok(());
        }
        Err(Error::Input(message!(
            "memory.run",
            "this run would need {needed} MB, more than the {available} MB there is room for; choose \
             a smaller batch, a shorter context, or LoRA",
            needed = total / 1_000_000,
            available = limit / 1_000_000
        )))
    }
}

impl Model {
    /// Whether the model can be trained with these adapters, or as a whole without any, being what it is.
    ///
    /// # Errors
    /// [`Error::Input`] for a bad adapter configuration, or where the model has other adapters or is set up for another kind
    /// of training.
    pub fn check_training(&self, lora: Option<&LoraOptions>) -> Result<()> {
        lora.map_or(Ok(()), |lora| lora.validate(&self.config))?;
        match (&self.lora, lora) {
            (Some(had), Some(lora)) if had == lora => Ok(()),
            (Some(_), Some(_)) if !self.trains => Err(other_adapters()),
            (None, Some(_)) if !self.trains => Ok(()),
            (None, None) => Ok(()),
            _ => {
                let advice = message!(
                    "training.other_kind",
                    "this model is set up for another kind of training; load it again to change that"
                );
                Err(Error::Input(advice))
            }
        }
    }

    /// Whether a run with these adapters would put them in the place of others that the model has, which then have to be merged
    /// into the weights first.
    pub fn replaces_adapters(&self, lora: Option<&LoraOptions>) -> bool {
        self.lora.as_ref().zip(lora).is_some_and(|(had, lora)| had != lora)
    }

    /// Makes room for gradients and moments: of all weights, or of new adapters beside them, which start by changing
    /// nothing. Called again for the same, it starts over with fresh moments (and keeps the adapters).
    ///
    /// # Errors
    /// As [`Model::check_training`]; [`Error::Device`] when memory is refused. The model is then as it was.
    pub async fn enable_training(&mut self, lora: Option<&LoraOptions>, seed: u64) -> Result<()> {
        self.check_training(lora)?;
        self.cancel();
        self.clear_metrics();
        if self.trains {
            self.clear(SlabSet::Grad);
            self.clear(SlabSet::Moment1);
            self.clear(SlabSet::Moment2);
            return Ok(());
        }
        let mut layout = self.layout.clone();
        let new = match lora {
            Some(lora) => self.new_adapters(lora, &mut layout)?,
            None => None,
        };
        layout.add_training(trained(lora.is_some()));
        self.executor.allocate(&layout).await?;
        self.layout = layout;
        self.trains = true;
        match new {
            Some(new) => self.adopt_adapters(new, seed).await,
            None => Ok(()),
        }
    }

    /// Drops what passes of other shapes than `next` have taken (all that passes have taken, without one): their plans, inputs
    /// and temporaries. Weights, gradients and moments stay. To be called when a run begins, so that a smaller batch also
    /// takes less memory; work in progress is dropped.
    ///
    /// # Errors
    /// [`Error::Device`] when the device has failed.
    pub async fn free_passes(&mut self, next: Option<&TrainShape>) -> Result<()> {
        let serves = |shape: &TrainShape| next.is_some_and(|n| TrainShape { pass: n.pass, ..shape.clone() } == *n);
        self.drop_plans(|kind| matches!(kind, GptPlan::Train(shape) if !serves(shape))).await
    }

    /// Adds adapters that change nothing yet; [`Model::write_param`] then fills them from a file.
    ///
    /// # Errors
    /// As [`Model::enable_training`].
    pub async fn add_adapters(&mut self, lora: &LoraOptions, seed: u64) -> Result<()> {
        let mut layout = self.layout.clone();
        let Some(new) = self.new_adapters(lora, &mut layout)? else { return Ok(()) };
        self.executor.allocate(&layout).await?;
        self.layout = layout;
        self.adopt_adapters(new, seed).await
    }

    /// Places adapters in a layout; `None` where the model has them already.
    fn new_adapters(&self, lora: &LoraOptions, layout: &mut Layout) -> Result<Option<LoraOptions>> {
        lora.validate(&self.config)?;
        if let Some(had) = &self.lora {
            if had == lora {
                return Ok(None);
            }
            return Err(other_adapters());
        }
        if self.trains {
            return Err(Error::Input(message!(
                "lora.trained_whole",
                "this model is being trained as a whole; load it again to add adapters"
            )));
        }
        lora.specs(&self.config).iter().for_each(|s| layout.add_adapter(&s.name, &s.shape));
        Ok(Some(lora.clone()))
    }

    /// Makes adapters part of the model that have their memory, with weights that change nothing.
    async fn adopt_adapters(&mut self, lora: LoraOptions, seed: u64) -> Result<()> {
        let specs = lora.specs(&self.config);
        self.specs.extend(specs.iter().map(|s| (s.name.clone(), s.clone())));
        self.lora_scale = lora.scale();
        self.lora = Some(lora);
        self.randomize_specs(&specs, seed)?;
        // Plans compiled before know nothing of the adapters.
        let all: Vec<usize> = self.plans.drain().map(|(_, (index, _))| index).collect();
        self.executor.remove_plans(&all).await
    }

    /// The adapters, if there are any.
    pub fn lora(&self) -> Option<&LoraOptions> {
        self.lora.as_ref()
    }

    /// Whether there are gradients and moments.
    pub fn trains(&self) -> bool {
        self.trains
    }

    /// What the adapters' output is multiplied by now: `alpha / rank` times the strength.
    pub fn lora_scale(&self) -> f32 {
        self.lora_scale
    }

    /// Sets how strongly the adapters act when the model writes: 0 is the base model, 1 the adapted one. A run that goes on
    /// learns and validates at full strength all the same.
    ///
    /// # Errors
    /// [`Error::Input`] when there are no adapters, or the number or what it makes of their scale is not finite.
    pub fn set_lora_strength(&mut self, strength: f32) -> Result<()> {
        let Some(lora) = &self.lora else {
            return Err(Error::Input(message!("lora.none", "this model has no adapters")));
        };
        let scale = lora.scale() * strength;
        if !scale.is_finite() {
            return Err(Error::Input(message!(
                "lora.strength",
                "the adapters' strength is {value}; choose a number such as 1",
                value = strength
            )));
        }
        self.lora_scale = scale;
        self.write_lora_scale();
        // Keys and values depend on it.
        self.forget();
        Ok(())
    }

    pub(super) fn write_lora_scale(&mut self) {
        if let Some(loc) = self.layout.find(WRITING_SCALE) {
            self.executor.write(loc, bytemuck::bytes_of(&self.lora_scale));
        }
    }

    /// The parameters that training changes, in the table's order.
    pub fn trained_specs(&self) -> Vec<ParamSpec> {
        match &self.lora {
            Some(lora) => lora.specs(&self.config),
            None => param_specs(&self.config),
        }
    }

    /// Writes which blocks of 64 floats AdamW decays, where a plan has made the inputs for it.
    pub(super) fn write_decay(&mut self) {
        if !self.trains {
            return;
        }
        let set = trained(self.lora.is_some());
        let slabs = self.layout.slabs(set).to_vec();
        let mut masks: Vec<Vec<u32>> =
            slabs.iter().map(|bytes| vec![0; (bytes / 4).div_ceil(64).div_ceil(32)]).collect();
        for spec in self.trained_specs().iter().filter(|s| s.decay) {
            for (loc, _) in self.layout.param_ranges(&spec.name, &spec.shape, 0..spec.numel()) {
                if let Buf::Slab(_, i) = loc.buf {
                    // A tensor starts at a block, and what follows its end up to the next block is padding.
                    for block in loc.offset / 256..(loc.offset + loc.bytes).div_ceil(256) {
                        masks[i][block / 32] |= 1 << (block % 32);
                    }
                }
            }
        }
        for (i, mask) in masks.iter().enumerate() {
            if let Some(loc) = self.layout.find(&decay_name(i)) {
                self.executor.write(loc, bytemuck::cast_slice(mask));
            }
        }
    }

    fn clear(&mut self, set: SlabSet) {
        for i in 0..self.layout.slabs(set).len() {
            if let Some(loc) = self.layout.find(&slab_name(set, i)) {
                self.executor.clear(loc);
            }
        }
    }

    /// Drops a pass in progress and the gradients added up so far: the step can then begin again.
    pub fn abandon_step(&mut self) {
        self.cancel();
        self.clear(SlabSet::Grad);
    }

    /// Writes a batch and begins a pass over it; [`Executor::advance`](crate::exec::Executor::advance) does the work.
    /// `inputs` and `targets` are `(B, T)`; a target of `u32::MAX` is ignored.
    ///
    /// # Errors
    /// [`Error::Input`] when the batch has another size or an id is outside the vocabulary; [`Error::Device`] when memory
    /// is refused.
    pub(crate) async fn begin_pass(
        &mut self,
        shape: &TrainShape,
        inputs: &[u32],
        targets: &[u32],
        options: &[u32; hyper::WORDS],
    ) -> Result<RunId> {
        let rows = shape.batch * shape.seq;
        if inputs.len() != rows || targets.len() != rows {
            let (i, t) = (inputs.len(), targets.len());
            return Err(Error::Input(message!(
                "training.batch",
                "a batch of {rows} tokens has {inputs} inputs and {targets} targets",
                rows,
                inputs = i,
                targets = t
            )));
        }
        self.check_room(shape.seq)?;
        self.check_ids(inputs)?;
        let real: Vec<u32> = targets.iter().copied().filter(|&t| t != u32::MAX).collect();
        if !real.is_empty() {
            self.check_ids(&real)?;
        }
        let (index, _) = self.plan(&GptPlan::Train(shape.clone())).await?;
        let mut batch = vec![0, rows as u32];
        batch.extend_from_slice(inputs);
        debug_assert_eq!(batch.len(), STEP_IDS + rows);
        let (batch_loc, targets_loc) =
            (self.place(&format!("batch({rows})"))?, self.place(&format!("targets({rows})"))?);
        let hyper_loc = self.place("hyper")?;
        self.executor.write(batch_loc, bytemuck::cast_slice(&batch));
        self.executor.write(targets_loc, bytemuck::cast_slice(targets));
        self.executor.write(hyper_loc, bytemuck::cast_slice(options));
        self.forget();
        Ok(self.executor.begin(index, 1))
    }

    /// Forgets losses and norms, and lets steps change weights again after one that was not finite.
    pub(crate) fn clear_metrics(&mut self) {
        if let Some(loc) = self.layout.find("metrics") {
            self.executor.clear(loc);
        }
    }

    /// The ring of loss and gradient norm of the latest steps (see [`crate::ops::metrics`]).
    pub(crate) async fn read_metrics(&mut self) -> Result<Vec<f32>> {
        let loc = self.place("metrics")?;
        self.executor.read_f32(loc).await
    }
}

fn other_adapters() -> Error {
    Error::Input(message!("lora.other_adapters", "this model has other adapters already; load it again to change them"))
}
