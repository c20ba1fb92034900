//! Run, look inside and fine-tune a GPT, in the browser or natively.
//!
//! # Map
//! | module | job | may use |
//! |---|---|---|
//! | [`message`] | words for a person, with a code by which they are translated | – |
//! | [`error`], [`config`] | the error type; the shape of a model | `message` |
//! | [`cpu`]`::{simd, vecops, gemm}` | fast f32 kernels on slices (the crate `gpt-kernels`) | – |
//! | [`graph`] | named tensors, plans, the plan verifier | `error`, `config`, CPU kernels' scratch |
//! | [`ops`] | one file an op: shape rule, shader, CPU twin | `graph`, CPU kernels |
//! | [`cpu`], [`gpu`] | execute plans; know no op by name | `graph` |
//! | [`exec`] | one interface over both executors | `cpu`, `gpu` |
//! | [`tokenizer`] | text to ids and back | `error` |
//! | [`model`] | config to graph; weights; the loaded model | `ops`, `exec` |
//! | [`sample`], [`inspect`], [`train`] | generation; looking inside; training | `model` |
//! | `web`, `bin/gpt` | the browser's and the terminal's way in | everything |
//!
//! A test checks that no module uses one below it in this table.

// The module that only writes has no gradient rules, and no need of what they use.
#![cfg_attr(not(feature = "train"), allow(dead_code, unused_imports, unused_mut))]

pub mod config;
pub mod cpu;
pub mod error;
pub mod exec;
pub mod gpu;
pub mod graph;
pub mod inspect;
pub mod message;
pub mod model;
pub mod ops;
pub mod sample;
pub mod tokenizer;
pub mod train;
#[cfg(target_arch = "wasm32")]
pub mod web;
