//! Training: fine-tuning, adapters, and from scratch.

mod best;
pub mod data;
pub mod export;
mod files;
mod given;
pub mod options;
pub mod peft;
pub mod presets;
mod replay;
pub mod schedule;
mod speed;
mod state;
mod trainer;

pub use best::{BestWeights, Weights};
pub use data::{Batch, Dataset};
pub use given::merge_options;
pub use options::TrainOptions;
pub use replay::Replay;
pub use schedule::Schedule;
pub use state::{
    TrainingState, gradients, is_state, read_state, read_state_from, restore, restore_from, save, save_pieces,
};
pub use trainer::{Event, Source, StepReport, Trainer};
