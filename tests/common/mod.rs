//! What several tests share.
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod attention_training_cases;
pub mod cases;
#[cfg(not(target_arch = "wasm32"))]
pub mod cli;
pub mod inspecting;
#[cfg(not(target_arch = "wasm32"))]
pub mod models;
pub mod overflow_cases;
pub mod overflowing;
pub mod runner;
#[cfg(not(target_arch = "wasm32"))]
pub mod training;
pub mod training_cases;
