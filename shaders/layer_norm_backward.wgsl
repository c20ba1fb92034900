// d_x = rstd (g - mean(g) - xhat mean(g xhat)), g = d_y * weight, xhat = (x - mean) rstd, rstd = 1 / sqrt(var + EPS), over the
// rows of x (ROWS, C); stats[row] = [mean, rstd].
// Includes: row|row_none, row_moments.
// Bindings: d_y read, x read, weight read, d_x read_write, stats read_write (ROWS, 2).
// Constants: C, EPS, ROWS, ROW_THREADS, WG_ROWS, GRID_X.
// Grid: ceil(ROWS / WG_ROWS) workgroups of ROW_THREADS x WG_ROWS, folded.
// Source: Ba, Kiros and Hinton 2016, "Layer Normalization", differentiated.

@compute @workgroup_size(ROW_THREADS, WG_ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let wanted = (group.y * GRID_X + group.x) * WG_ROWS + local.y;
    // Surplus rows compute the last one again and do not store: a barrier must be reached by all.
    let row = min(wanted, ROWS - 1u);
    let start = row * C;
    let mean = row_mean(start, local.x);
    let rstd = row_rstd(start, mean, local.x);
    var total = 0.0;
    var product = 0.0;
    for (var i = local.x; i < C; i += ROW_THREADS) {
        let g = d_y[start + i] * weight[i];
        total += g;
        product += g * (x[start + i] - mean);
    }
    let mean_g = row_sum(total, local.x) / f32(C);
    let slope = row_sum(product, local.x) / f32(C) * rstd * rstd;
    if (wanted < ROWS) {
        for (var i = local.x; i < C; i += ROW_THREADS) {
            d_x[start + i] = rstd * (d_y[start + i] * weight[i] - mean_g - (x[start + i] - mean) * slope);
        }
        if (local.x == 0u) {
            stats[row * 2u] = mean;
            stats[row * 2u + 1u] = rstd;
        }
    }
}
