//! The two executors behind one interface, and the choice between them.

use crate::cpu::CpuExecutor;
use crate::error::{Error, Result};
use crate::gpu::{Counters, GpuContext, GpuExecutor, Held};
pub use crate::graph::{Advance, RunId};
use crate::graph::{Layout, Limits, Loc, Plan, Target};
use crate::message::{Message, message, shown};
use std::sync::Arc;
use web_time::Duration;

/// Which backend to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// A hardware GPU where there is one, else the CPU.
    #[default]
    Auto,
    /// The SIMD CPU backend.
    Cpu,
    /// Any GPU adapter, a software one too.
    Gpu,
}

impl std::str::FromStr for Backend {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" | "webgpu" => Ok(Self::Gpu),
            other => Err(Error::Input(message!(
                "device.unknown",
                "there is no backend {name}; choose auto, cpu or gpu",
                name = shown(&other)
            ))),
        }
    }
}

/// Runs plans, on the CPU or the GPU.
pub enum Executor {
    /// On the CPU.
    Cpu(Box<CpuExecutor>),
    /// On the GPU.
    Gpu(Box<GpuExecutor>),
}

/// An executor with the reason why it is this one.
pub struct Chosen {
    /// The executor.
    pub executor: Executor,
    /// One sentence for the user.
    pub reason: Message,
}

impl Executor {
    /// Opens the backend asked for. `Auto` never fails: it falls back to the CPU and says why.
    ///
    /// # Errors
    /// [`Error::Device`] when a GPU was asked for and there is none.
    pub async fn open(backend: Backend) -> Result<Chosen> {
        let cpu = |reason: Message| Chosen { executor: Self::Cpu(Box::default()), reason };
        match backend {
            Backend::Cpu => Ok(cpu(message!("device.asked_cpu", "the CPU backend was asked for"))),
            Backend::Gpu => {
                let cx = GpuContext::open().await?;
                let reason = message!("device.asked_gpu", "the GPU backend was asked for");
                Ok(Chosen { executor: Self::Gpu(Box::new(GpuExecutor::new(cx))), reason })
            }
            Backend::Auto => Ok(match GpuContext::open().await {
                Ok(cx) if cx.kind == Target::Hardware => {
                    let reason = message!("device.found", "a GPU was found: {adapter}", adapter = cx.name);
                    Chosen { executor: Self::Gpu(Box::new(GpuExecutor::new(cx))), reason }
                }
                Ok(cx) => cpu(message!(
                    "device.software",
                    "the only GPU adapter is software ({adapter}), which is slower",
                    adapter = cx.name
                )),
                Err(e) => cpu(e.message()),
            }),
        }
    }

    /// `cpu` or `gpu`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cpu(_) => "cpu",
            Self::Gpu(_) => "gpu",
        }
    }

    /// The adapter's name; empty on the CPU.
    pub fn adapter(&self) -> String {
        match self {
            Self::Cpu(_) => String::new(),
            Self::Gpu(g) => g.context().name.clone(),
        }
    }

    /// What a plan may ask of this backend.
    pub fn limits(&self) -> Limits {
        match self {
            // The CPU obeys the defaults too, so that its plans are the GPU's.
            Self::Cpu(_) => Limits::default(),
            Self::Gpu(g) => g.context().limits(),
        }
    }

    /// Whether the device has failed for good; never on the CPU.
    pub fn failed(&self) -> bool {
        match self {
            Self::Cpu(_) => false,
            Self::Gpu(g) => g.context().check().is_err(),
        }
    }

    /// Work done so far; zeros on the CPU.
    pub fn counters(&self) -> Counters {
        match self {
            Self::Cpu(_) => Counters::default(),
            Self::Gpu(g) => g.counters(),
        }
    }

    /// What the GPU device holds at the moment; zeros on the CPU, which has none.
    pub fn held(&self) -> Held {
        match self {
            Self::Cpu(_) => Held::default(),
            Self::Gpu(g) => g.context().held(),
        }
    }

    /// Sets the most bytes that all buffers may take together; what would pass them is refused like what the device
    /// refuses.
    pub fn set_limit(&mut self, limit: Option<u64>) {
        match self {
            Self::Cpu(c) => c.set_limit(limit),
            Self::Gpu(g) => g.set_limit(limit),
        }
    }

    /// Frees states, inputs and slabs that the layout does not list. No plan may use them.
    pub fn release(&mut self, layout: &Layout) {
        match self {
            Self::Cpu(c) => c.release(layout),
            Self::Gpu(g) => g.release(layout),
        }
    }

    /// Allocates what the layout lists and is not there yet, zeroed.
    ///
    /// # Errors
    /// [`Error::Device`] when memory is refused: nothing is then allocated.
    pub async fn allocate(&mut self, layout: &Layout) -> Result<()> {
        match self {
            Self::Cpu(c) => c.allocate(layout),
            Self::Gpu(g) => g.allocate(layout).await,
        }
    }

    /// Adds a plan and allocates its temporaries; returns its index for [`Executor::begin`].
    ///
    /// # Errors
    /// [`Error::Device`] when memory is refused or a shader does not compile: the plans there were then work as before.
    pub async fn add_plan(&mut self, plan: Arc<Plan>) -> Result<usize> {
        match self {
            Self::Cpu(c) => c.add_plan(plan),
            Self::Gpu(g) => g.add_plan(plan).await,
        }
    }

    /// Copies bytes to the device.
    pub fn write(&mut self, loc: Loc, bytes: &[u8]) {
        match self {
            Self::Cpu(c) => c.write(loc, bytes),
            Self::Gpu(g) => g.write(loc, bytes),
        }
    }

    /// Starts a plan, `repeats` times over; [`Executor::advance`] does the work. A run in progress is dropped.
    pub fn begin(&mut self, plan: usize, repeats: usize) -> RunId {
        match self {
            Self::Cpu(c) => c.begin(plan, repeats),
            Self::Gpu(g) => g.begin(plan, repeats),
        }
    }

    /// Works on a run until it is done or the budget is used up. On a GPU, what was submitted last counts as done, and
    /// reading waits for it.
    ///
    /// # Errors
    /// [`Error::Device`] when the device has failed.
    pub async fn advance(&mut self, run: RunId, budget: Duration) -> Result<Advance> {
        match self {
            Self::Cpu(c) => Ok(c.advance(run, budget)),
            Self::Gpu(g) => g.advance(run, budget).await,
        }
    }

    /// Runs a plan to its end.
    ///
    /// # Errors
    /// [`Error::Device`] when the device has failed.
    pub async fn run(&mut self, plan: usize, repeats: usize) -> Result<()> {
        let run = self.begin(plan, repeats);
        while self.advance(run, Duration::MAX).await? == Advance::Working {}
        Ok(())
    }

    /// Forgets plans and frees the temporaries that only they needed; what they were compiled against stays allocated. A run
    /// in progress is dropped.
    ///
    /// # Errors
    /// [`Error::Device`] when the device has failed.
    pub async fn remove_plans(&mut self, plans: &[usize]) -> Result<()> {
        match self {
            Self::Cpu(c) => {
                c.remove_plans(plans);
                Ok(())
            }
            Self::Gpu(g) => g.remove_plans(plans).await,
        }
    }

    /// Fills a range with zeros.
    pub fn clear(&mut self, loc: Loc) {
        match self {
            Self::Cpu(c) => c.clear(loc),
            Self::Gpu(g) => g.clear(loc),
        }
    }

    /// Drops work that was begun and not done.
    pub fn cancel(&mut self) {
        match self {
            Self::Cpu(c) => c.cancel(),
            Self::Gpu(g) => g.cancel(),
        }
    }

    /// Copies a range from the device, after all work begun before (which must be done, on the CPU).
    ///
    /// # Errors
    /// [`Error::Device`] when the device has failed.
    pub async fn read(&mut self, loc: Loc) -> Result<Vec<u8>> {
        match self {
            Self::Cpu(c) => Ok(c.read(loc)),
            Self::Gpu(g) => g.read(loc).await,
        }
    }

    /// Reads floats.
    ///
    /// # Errors
    /// As [`Executor::read`].
    pub async fn read_f32(&mut self, loc: Loc) -> Result<Vec<f32>> {
        Ok(bytemuck::pod_collect_to_vec(&self.read(loc).await?))
    }

    /// Reads unsigned integers.
    ///
    /// # Errors
    /// As [`Executor::read`].
    pub async fn read_u32(&mut self, loc: Loc) -> Result<Vec<u32>> {
        Ok(bytemuck::pod_collect_to_vec(&self.read(loc).await?))
    }
}
