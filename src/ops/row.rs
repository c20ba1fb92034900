//! How kernels that reduce over rows are shaped.

use super::wgsl;
use crate::graph::{Kernel, Target};

/// Adds the constants, include and grid of a kernel that gives each of `rows` rows of `width` elements to one workgroup
/// (hardware) or one invocation (software).
pub(super) fn by_row(kernel: Kernel, rows: usize, width: usize, target: Target) -> Kernel {
    let (threads, wg_rows) = match target {
        // Half as many threads as elements, within what every device allows.
        Target::Hardware => ((width / 2).next_power_of_two().clamp(32, 256), 1),
        Target::Software => (1, 8),
    };
    kernel
        .include(if threads == 1 { wgsl!("common/row_none") } else { wgsl!("common/row") })
        .constant("ROWS", rows)
        .constant("ROW_THREADS", threads)
        .constant("WG_ROWS", wg_rows)
        .grid_1d(rows.div_ceil(wg_rows))
}
