//! The GPT: its parameters, its graphs, its checkpoints, and the loaded model.

pub mod checkpoint;
mod gpt;
mod init;
mod loaded;
pub mod params;

pub use gpt::{GptPlan, build};
pub use loaded::{Memory, Model, ModelOptions};
