// y = exp(x - max) / sum(exp(x - max)) over the rows of x (ROWS, C); NaN in a row with an x that is not finite.
// Includes: row|row_none, finite.
// Bindings: x read, y read_write.
// Constants: ROWS, C, ROW_THREADS, WG_ROWS, GRID_X.
// Grid: ceil(ROWS / WG_ROWS) workgroups of ROW_THREADS x WG_ROWS, folded.
// Source: Bridle 1990; the maximum is subtracted so that exp cannot overflow.

@compute @workgroup_size(ROW_THREADS, WG_ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let wanted = (group.y * GRID_X + group.x) * WG_ROWS + local.y;
    let row = min(wanted, ROWS - 1u);
    let start = row * C;
    var largest = x[start];
    for (var i = local.x; i < C; i += ROW_THREADS) { largest = max(largest, x[start + i]); }
    largest = row_max(largest, local.x);
    var sum = 0.0;
    for (var i = local.x; i < C; i += ROW_THREADS) { sum += or_nan(exp(x[start + i] - largest), x[start + i]); }
    sum = row_sum(sum, local.x);
    if (wanted < ROWS) {
        for (var i = local.x; i < C; i += ROW_THREADS) { y[start + i] = exp(x[start + i] - largest) / sum; }
    }
}
