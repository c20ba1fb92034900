//! Switching heads and MLPs off.

use super::Model;
use crate::error::{Error, Result};
use crate::message::message;

impl Model {
    /// How many gates there are: for each layer, one for each head and one for the MLP.
    pub fn gate_count(&self) -> usize {
        self.config.n_layer * (self.config.n_head + 1)
    }

    /// The gates in force, in rows of `[head 0, …, head H - 1, MLP]`, one a layer.
    pub fn gates(&self) -> Vec<f32> {
        if self.gates.is_empty() { vec![1.0; self.gate_count()] } else { self.gates.clone() }
    }

    /// Multiplies what each head gives to its layer's projection, and what each MLP adds to the residual stream, by a
    /// factor: 0 switches one off, 1 leaves it as it is (Michel et al. 2019). Holds for everything but training, until it is
    /// set again. While all are 1 the plans are those without gates, and nothing is slower.
    ///
    /// # Errors
    /// [`Error::Input`] when the number of gates is wrong or one is not finite.
    pub fn set_gates(&mut self, gates: &[f32]) -> Result<()> {
        let want = self.gate_count();
        if gates.len() != want || gates.iter().any(|g| !g.is_finite()) {
            return Err(Error::Input(message!(
                "gates.count",
                "{given} gates were given; this model takes {wanted} finite numbers, one for each head \
                 and MLP",
                given = gates.len(),
                wanted = want
            )));
        }
        let open = gates.iter().all(|&g| g == 1.0);
        let gates = if open { Vec::new() } else { gates.to_vec() };
        if gates == self.gates {
            return Ok(());
        }
        self.cancel();
        self.gates = gates;
        self.write_constants();
        // Keys and values of later layers depend on the gates of earlier ones.
        self.forget();
        Ok(())
    }
}
