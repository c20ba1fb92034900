//! Looking inside: how well a text is predicted, what comes next, attention, the logit lens, switching parts off, the values
//! on their way. Plain structs out.
//!
//! All of it is drawn from the views' own cache, which [`Model::look`](crate::model::Model::look) fills: looking never
//! changes what is written.

mod ablation;
mod attention;
mod compare;
mod distribution;
mod eval;
mod flow;
mod lens;
mod values;

pub use ablation::{Ablation, Effect, ablate};
pub use attention::{attention, head_maps, rollout};
pub use compare::{kl_divergence, logits};
pub use distribution::{Candidate, Distribution};
pub use eval::{Evaluation, evaluate};
pub use flow::{FlowNode, flow};
pub use lens::{Lens, LensTarget, lens};
pub use values::{HeadRows, Values, values};

use crate::error::{Error, Result};
use crate::message::{message, shown};
use std::ops::Range;

/// Refuses positions that a text does not have, and none at all.
fn check_range(range: &Range<usize>, ids: &[u32]) -> Result<()> {
    if !range.is_empty() && range.end <= ids.len() {
        return Ok(());
    }
    let n = ids.len();
    Err(Error::Input(message!(
        "inspect.positions",
        "positions {range} are not in a text of {tokens} tokens",
        range = shown(&range),
        tokens = n
    )))
}
