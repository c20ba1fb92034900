// norm = sqrt(sum of partials), LEN of them, also into metrics[step's record][1]. One workgroup.
// Includes: hyper, row|row_none.
// Bindings: partials read, hyper read, norm read_write (1), metrics read_write.
// Constants: LEN, ROWS = 1, ROW_THREADS, WG_ROWS, GRID_X.
// Grid: one workgroup of ROW_THREADS x WG_ROWS.
// Source: Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural networks" (norm clipping).

@compute @workgroup_size(ROW_THREADS, WG_ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let row = (group.y * GRID_X + group.x) * WG_ROWS + local.y;
    var sum = 0.0;
    for (var i = local.x; i < LEN; i += ROW_THREADS) { sum += partials[i]; }
    sum = row_sum(sum, local.x);
    if (row < ROWS && local.x == 0u) {
        norm[0] = sqrt(sum);
        metrics[metrics_slot() + 1u] = sqrt(sum);
    }
}
