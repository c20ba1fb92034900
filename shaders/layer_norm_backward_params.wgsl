// grad_weight += sum over rows of d_y (x - mean) rstd, grad_bias += sum over rows of d_y; d_y and x (ROWS, COLS).
// Includes: column|column_none, grad_bias|grad_bias_none.
// Bindings: d_y read, x read, stats read (ROWS, 2) = [mean, rstd], grad_weight read_write, [grad_bias read_write].
// Constants: ROWS, COLS, WG_COLS, COLUMN_THREADS.
// Grid: ceil(COLS / WG_COLS) workgroups of WG_COLS x COLUMN_THREADS.
// Source: Ba, Kiros and Hinton 2016, "Layer Normalization", differentiated.

@compute @workgroup_size(WG_COLS, COLUMN_THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let wanted = group.x * WG_COLS + local.x;
    // Surplus columns compute the last one again and do not store: a barrier must be reached by all.
    let col = min(wanted, COLS - 1u);
    var product = 0.0;
    var total = 0.0;
    for (var row = local.y; row < ROWS; row += COLUMN_THREADS) {
        let d = d_y[row * COLS + col];
        product += d * ((x[row * COLS + col] - stats[row * 2u]) * stats[row * 2u + 1u]);
        total += d;
    }
    product = column_sum(product, local.xy);
    total = column_sum(total, local.xy);
    if (wanted < COLS && local.y == 0u) {
        grad_weight[col] += product;
        add_grad_bias(col, total);
    }
}
