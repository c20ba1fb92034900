//! Generation: sampling parameters and the loop that asks the model for tokens.

mod generate;
mod params;

pub use generate::{Finish, Generation, Step};
pub use params::{Record, SamplingParams};
