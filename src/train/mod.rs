//! Training: fine-tuning, adapters, and from scratch.

mod best;
mod crc32;
pub mod data;
mod divergence;
pub mod export;
mod files;
mod given;
mod gradients;
pub mod options;
pub mod peft;
pub mod presets;
mod replay;
mod restore;
pub mod schedule;
mod speed;
mod state;
mod trainer;

pub use best::{BestWeights, Weights};
pub use crc32::Crc32;
pub use data::{Batch, Dataset};
pub use given::merge_options;
pub use gradients::gradients;
pub use options::TrainOptions;
pub use replay::Replay;
pub use restore::{check_state_from, read_state, read_state_from, restore, restore_from};
pub use schedule::Schedule;
pub use state::{TrainingState, is_state, save, save_pieces};
pub use trainer::{Event, Source, StepReport, Trainer};
