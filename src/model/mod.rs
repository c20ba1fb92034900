//! The GPT: its parameters, its graphs, its checkpoints, and the loaded model.

pub mod checkpoint;
mod gates;
mod gpt;
mod init;
mod loaded;
pub mod lora;
mod overflow;
pub mod params;
mod scoring;
mod train_graph;
mod training;
mod view;

pub use gpt::{GptPlan, Parts, Pass, TrainShape, build};
pub use loaded::{Memory, Model, ModelOptions};
pub(crate) use overflow::damaged;
pub use training::Preflight;
pub use view::{Pace, Progress, Row};
