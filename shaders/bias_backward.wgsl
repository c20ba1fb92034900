// grad_bias += sum over rows of d_y (ROWS, COLS).
// Includes: column|column_none.
// Bindings: d_y read, grad_bias read_write.
// Constants: ROWS, COLS, WG_COLS, COLUMN_THREADS.
// Grid: ceil(COLS / WG_COLS) workgroups of WG_COLS x COLUMN_THREADS.
// Source: the sum rule of reverse-mode differentiation (Linnainmaa 1970).

@compute @workgroup_size(WG_COLS, COLUMN_THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let wanted = group.x * WG_COLS + local.x;
    // Surplus columns compute the last one again and do not store: a barrier must be reached by all.
    let col = min(wanted, COLS - 1u);
    var total = 0.0;
    for (var row = local.y; row < ROWS; row += COLUMN_THREADS) { total += d_y[row * COLS + col]; }
    total = column_sum(total, local.xy);
    if (wanted < COLS && local.y == 0u) { grad_bias[col] += total; }
}
