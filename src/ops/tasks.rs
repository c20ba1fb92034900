//! How the CPU twins of row-wise and element-wise ops are cut into tasks.

use std::ops::Range;

/// Elements of a task: well below a millisecond of simple work, so that a page stays responsive between tasks.
const ELEMENTS: usize = 1 << 17;

fn per_task(width: usize) -> usize {
    (ELEMENTS / width.max(1)).max(1)
}

/// How many tasks `rows` rows of `width` elements make.
pub(super) fn row_tasks(rows: usize, width: usize) -> usize {
    rows.div_ceil(per_task(width)).max(1)
}

/// The rows of a task.
pub(super) fn task_rows(rows: usize, width: usize, task: usize) -> Range<usize> {
    let per = per_task(width);
    (task * per).min(rows)..((task + 1) * per).min(rows)
}
