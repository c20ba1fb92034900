//! Fresh weights.

use super::Model;
use super::params::{Init, ParamSpec};
use crate::error::Result;
use rand::SeedableRng as _;
use rand_distr::{Distribution as _, Normal};
use rand_pcg::Pcg64Mcg;

impl Model {
    /// Gives every weight its starting value, drawn from a generator with this seed, as for training from scratch.
    ///
    /// # Errors
    /// As [`Model::write_param`].
    pub fn randomize(&mut self, seed: u64) -> Result<()> {
        self.randomize_specs(&super::params::param_specs(self.config()), seed)
    }

    /// The same for some parameters.
    pub(super) fn randomize_specs(&mut self, specs: &[ParamSpec], seed: u64) -> Result<()> {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        for spec in specs {
            let row: usize = spec.shape[1..].iter().product();
            // Row by row, so that a large table is never held twice.
            let rows = (1usize << 16).div_ceil(row.max(1));
            for first in (0..spec.shape[0]).step_by(rows) {
                let n = rows.min(spec.shape[0] - first) * row;
                let values: Vec<f32> = match spec.init {
                    Init::Zeros => vec![0.0; n],
                    Init::Ones => vec![1.0; n],
                    Init::Normal { std } => {
                        let normal = Normal::new(0.0, std).expect("the table's deviations are positive");
                        (0..n).map(|_| normal.sample(&mut rng)).collect()
                    }
                };
                self.write_param(&spec.name, first * row, &values)?;
            }
        }
        Ok(())
    }
}
