//! How kernels that sum over the rows of a matrix are shaped.

use super::wgsl;
use crate::graph::{Kernel, Target};

/// Adds the constants, include and grid of a kernel that sums `rows` rows for each of `cols` columns: on hardware sixteen
/// invocations share a column, on software adapters one has it to itself.
pub(super) fn by_column(kernel: Kernel, rows: usize, cols: usize, target: Target) -> Kernel {
    let (width, threads) = match target {
        Target::Hardware => (16, 16),
        Target::Software => (32, 1),
    };
    kernel
        .include(if threads == 1 { wgsl!("common/column_none") } else { wgsl!("common/column") })
        .constant("ROWS", rows)
        .constant("COLS", cols)
        .constant("WG_COLS", width)
        .constant("COLUMN_THREADS", threads)
        .grid([cols.div_ceil(width), 1, 1])
}
