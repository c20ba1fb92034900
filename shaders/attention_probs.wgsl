// probs[t, j] = softmax_j(SCALE q[t]·k[j]) over j = 0..=pos0+t, zero beyond; of head select_head[0]. Rows t >= n are zero.
// Includes: row|row_none.
// Bindings: qkv read (ROWS, 3 H D), cache read (2, H, CTX, D), step read [pos0, n, ...], select_head read [head], probs read_write (ROWS, CTX).
// Constants: ROWS, H, CTX, D, SCALE, ROW_THREADS, WG_ROWS, GRID_X.
// Grid: ceil(ROWS / WG_ROWS) workgroups of ROW_THREADS x WG_ROWS, folded.
// Source: Vaswani et al. 2017, "Attention Is All You Need".

@compute @workgroup_size(ROW_THREADS, WG_ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let wanted = (group.y * GRID_X + group.x) * WG_ROWS + local.y;
    let row = min(wanted, ROWS - 1u);
    let head = min(select_head[0], H - 1u);
    // Surplus rows see nothing, so that they write nothing either.
    let valid = wanted < ROWS && row < step[1];
    let seen = select(0u, min(step[0] + row + 1u, CTX), valid);
    let out = row * CTX;
    var largest = -3.0e38;
    for (var j = local.x; j < seen; j += ROW_THREADS) {
        var score = 0.0;
        for (var i = 0u; i < D; i++) { score += qkv[row * 3u * H * D + head * D + i] * cache[(head * CTX + j) * D + i]; }
        score *= SCALE;
        // Each invocation reads back only what it wrote itself.
        probs[out + j] = score;
        largest = max(largest, score);
    }
    largest = row_max(largest, local.x);
    var sum = 0.0;
    for (var j = local.x; j < seen; j += ROW_THREADS) { sum += exp(probs[out + j] - largest); }
    sum = row_sum(sum, local.x);
    if (wanted < ROWS) {
        for (var j = local.x; j < CTX; j += ROW_THREADS) {
            if (j < seen) { probs[out + j] = exp(probs[out + j] - largest) / sum; } else { probs[out + j] = 0.0; }
        }
    }
}
