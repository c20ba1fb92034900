//! What element-wise ops share: the shape rule and the grid.

use super::{want_inputs, want_shape};
use crate::graph::{Kernel, Meta};
use crate::message::Message;

/// The output of an op on tensors of equal shapes, whose names are for messages.
pub(super) fn like_first(inputs: &[&Meta], names: &[&str]) -> Result<Vec<Meta>, Message> {
    want_inputs(inputs, &[names.len()])?;
    for (meta, name) in inputs.iter().zip(names).skip(1) {
        want_shape(meta, &inputs[0].shape, name)?;
    }
    Ok(vec![Meta::f32(&inputs[0].shape)])
}

/// As [`like_first`], with a factor s `(1)` behind the tensors.
pub(super) fn like_first_scaled(inputs: &[&Meta], names: &[&str]) -> Result<Vec<Meta>, Message> {
    want_inputs(inputs, &[names.len() + 1])?;
    let (tensors, factor) = inputs.split_at(names.len());
    want_shape(factor[0], &[1], "s")?;
    like_first(tensors, names)
}

/// One invocation for each of `len` elements, 64 in a workgroup.
pub(super) fn by_element(kernel: Kernel, len: usize) -> Kernel {
    kernel.constant("LEN", len).grid_1d(len.div_ceil(64))
}
