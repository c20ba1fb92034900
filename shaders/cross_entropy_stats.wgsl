// stats[row] = [max, sum of exp(x - max), the target's x, 0] over the rows of logits (ROWS, V), the columns COL0..COL0+V of the
// vocabulary; unless FIRST together with what stats holds of the columns before.
// Includes: row|row_none, finite. Where a logit is not finite, the sum is NaN.
// Bindings: logits read, targets read (ROWS), stats read_write (ROWS, 4).
// Constants: V, COL0, FIRST, ROWS, ROW_THREADS, WG_ROWS, GRID_X.
// Grid: ceil(ROWS / WG_ROWS) workgroups of ROW_THREADS x WG_ROWS, folded.
// Source: Milakov and Gimelshein 2018, "Online normalizer calculation for softmax".

@compute @workgroup_size(ROW_THREADS, WG_ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let wanted = (group.y * GRID_X + group.x) * WG_ROWS + local.y;
    // Surplus rows compute the last one again and do not store: a barrier must be reached by all.
    let row = min(wanted, ROWS - 1u);
    let start = row * V;
    var old = vec3f(-3.4028234e38, 0.0, 0.0);
    if (!FIRST) { old = vec3f(stats[row * 4u], stats[row * 4u + 1u], stats[row * 4u + 2u]); }
    var largest = old.x;
    for (var i = local.x; i < V; i += ROW_THREADS) { largest = max(largest, logits[start + i]); }
    largest = row_max(largest, local.x);
    var sum = 0.0;
    for (var i = local.x; i < V; i += ROW_THREADS) { sum += or_nan(exp(logits[start + i] - largest), logits[start + i]); }
    sum = row_sum(sum, local.x);
    if (wanted < ROWS && local.x == 0u) {
        // An earlier or no target wraps around to a huge column, outside too.
        let column = targets[row] - COL0;
        let inside = column < V;
        let logit = logits[start + select(0u, column, inside)];
        stats[row * 4u] = largest;
        stats[row * 4u + 1u] = old.y * exp(old.x - largest) + sum;
        stats[row * 4u + 2u] = select(old.z, logit, inside);
        stats[row * 4u + 3u] = 0.0;
    }
}
