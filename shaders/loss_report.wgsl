// metrics[step's record][0] += LOSS_SCALE * sum over rows with a target of max + log(sum) - target's logit; the first micro-batch
// sets it. M rows, one workgroup.
// Includes: hyper, finite, row|row_none.
// Bindings: stats read (M, 4) = [max, sum, target's logit, 0], targets read (M), hyper read, metrics read_write.
// Constants: M, ROWS = 1, ROW_THREADS, WG_ROWS, GRID_X.
// Grid: one workgroup of ROW_THREADS x WG_ROWS.
// Source: Shannon 1948 (surprisal); Bridle 1990 for it as a loss.

@compute @workgroup_size(ROW_THREADS, WG_ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let row = (group.y * GRID_X + group.x) * WG_ROWS + local.y;
    var sum = 0.0;
    for (var i = local.x; i < M; i += ROW_THREADS) {
        let total = stats[i * 4u + 1u];
        if (targets[i] != IGNORE) { sum += stats[i * 4u] + or_nan(log(total), total) - stats[i * 4u + 2u]; }
    }
    sum = row_sum(sum, local.x);
    if (row < ROWS && local.x == 0u) {
        let at = metrics_slot();
        metrics[at] = select(metrics[at], 0.0, hyper[MICRO] == 0u) + sum * hyper_f32(LOSS_SCALE);
    }
}
