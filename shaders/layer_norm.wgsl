// y = (x - mean) / sqrt(var + EPS) * weight + bias, over the rows of x (ROWS, C); var is the biased variance.
// Includes: row|row_none, finite, row_moments, bias|bias_none.
// Bindings: x read, weight read, [bias read], y read_write.
// Constants: ROWS, C, N = C, C_COL = 0 (for bias), EPS, ROW_THREADS, WG_ROWS, GRID_X.
// Grid: ceil(ROWS / WG_ROWS) workgroups of ROW_THREADS x WG_ROWS, folded.
// Source: Ba, Kiros and Hinton 2016, "Layer Normalization".

@compute @workgroup_size(ROW_THREADS, WG_ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let wanted = (group.y * GRID_X + group.x) * WG_ROWS + local.y;
    // Surplus rows compute the last one again and do not store: a barrier must be reached by all.
    let row = min(wanted, ROWS - 1u);
    let start = row * C;
    let mean = row_mean(start, local.x);
    let rstd = row_rstd(start, mean, local.x);
    if (wanted < ROWS) {
        for (var i = local.x; i < C; i += ROW_THREADS) {
            y[start + i] = (x[start + i] - mean) * rstd * weight[i] + load_bias(i);
        }
    }
}
