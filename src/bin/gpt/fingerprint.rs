//! Which weights these are. Adapters fit any model of the same shape, but mean something beside one only.

use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// SHA-256 over the names and values of all parameters as 32-bit floats: the same whatever the file's type and the
/// number of files.
#[derive(Default)]
pub(super) struct Fingerprint {
    /// The parameters come in the order of their file.
    parameters: BTreeMap<String, Sha256>,
}

impl Fingerprint {
    /// Takes the next values of a parameter.
    pub fn add(&mut self, name: &str, values: &[f32]) {
        if !self.parameters.contains_key(name) {
            self.parameters.insert(name.into(), Sha256::new());
        }
        if let Some(sum) = self.parameters.get_mut(name) {
            // Little-endian, as every machine that runs this.
            sum.update(bytemuck::cast_slice::<f32, u8>(values));
        }
    }

    /// In hexadecimal digits.
    pub fn finish(self) -> String {
        let mut all = Sha256::new();
        for (name, sum) in self.parameters {
            all.update(name.as_bytes());
            all.update([0]);
            all.update(sum.finalize());
        }
        let sum = all.finalize();
        format!("sha256:{}", sum.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }
}
