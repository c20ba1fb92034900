// probs[r, g] = sum over keys j of group g of softmax_j(SCALE q[t]·k[j]), j = 0..=t, where g = j / pick[1] (the last group takes
// the rest). ALL_HEADS: row r = head * QUERIES + query, else the query, of head pick[0], or the mean over all heads if
// pick[0] >= H. Query t = step[0] + its number; queries from step[1] on are zeros.
// Where a score is not finite, the cells of all keys that the query sees are NaN.
// Includes: row|row_none, finite.
// Bindings: q read (CTX, H D), cache read (2, H, CTX, D), step read [pos0, n, ...], pick read [head, group size],
// probs read_write (ROWS, CELLS).
// Constants: ROWS, QUERIES, CELLS, ALL_HEADS, H, CTX, D, SCALE, ROW_THREADS, WG_ROWS, GRID_X.
// Grid: ceil(ROWS / WG_ROWS) workgroups of ROW_THREADS x WG_ROWS, folded.
// Source: Vaswani et al. 2017, "Attention Is All You Need".

fn score(head: u32, t: u32, j: u32) -> f32 {
    var sum = 0.0;
    for (var i = 0u; i < D; i++) { sum += q[t * H * D + head * D + i] * cache[(head * CTX + j) * D + i]; }
    return SCALE * sum;
}

@compute @workgroup_size(ROW_THREADS, WG_ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let wanted = (group.y * GRID_X + group.x) * WG_ROWS + local.y;
    let row = min(wanted, ROWS - 1u);
    let t = min(step[0] + row % QUERIES, CTX - 1u);
    // Surplus rows see nothing, so that they write nothing either.
    let valid = wanted < ROWS && row % QUERIES < step[1];
    let seen = select(0u, t + 1u, valid);
    let mean = !ALL_HEADS && pick[0] >= H;
    let size = max(pick[1], 1u);
    var first = select(pick[0], row / QUERIES, ALL_HEADS);
    if (mean) { first = 0u; }
    let heads = select(1u, H, mean);
    if (wanted < ROWS) {
        for (var g = local.x; g < CELLS; g += ROW_THREADS) { probs[row * CELLS + g] = 0.0; }
    }
    for (var k = 0u; k < heads; k++) {
        let head = first + k;
        var largest = -3.4028234e38;
        for (var j = local.x; j < seen; j += ROW_THREADS) { largest = max(largest, score(head, t, j)); }
        largest = row_max(largest, local.x);
        var sum = 0.0;
        for (var j = local.x; j < seen; j += ROW_THREADS) {
            let s = score(head, t, j);
            sum += or_nan(exp(s - largest), s);
        }
        sum = row_sum(sum, local.x);
        // Each invocation adds to cells of its own.
        for (var g = local.x; g < CELLS; g += ROW_THREADS) {
            var mass = 0.0;
            let end = select(min((g + 1u) * size, seen), seen, g == CELLS - 1u);
            for (var j = g * size; j < end; j++) { mass += exp(score(head, t, j) - largest); }
            if (g * size < end) { probs[row * CELLS + g] += mass / (sum * f32(heads)); }
        }
    }
}
