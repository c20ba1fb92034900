// scores[t] = [log p(target), entropy, rank of the target, log-sum-exp] of the softmax of logits[t], in nats; logits (ROWS, V).
// Without a target (0xffffffff, or any id beyond V) log p and rank are 0. All four are NaN where a logit of the row is none that can be
// computed with.
// Includes: logit, row|row_none.
// Bindings: logits read, targets read (ROWS), scores read_write (ROWS, 4), as bits of f32.
// Constants: ROWS, V, LOGIT_MAX, ROW_THREADS, WG_ROWS, GRID_X.
// Grid: ceil(ROWS / WG_ROWS) workgroups of ROW_THREADS x WG_ROWS, folded.
// Source: Shannon 1948 (entropy, surprisal).

@compute @workgroup_size(ROW_THREADS, WG_ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let wanted = (group.y * GRID_X + group.x) * WG_ROWS + local.y;
    let row = min(wanted, ROWS - 1u);
    let start = row * V;
    let target_id = targets[row];
    let has_target = target_id < V;
    let x = logits[start + select(0u, target_id, has_target)];
    var largest = -SPOILT;
    var likelier = 0.0;
    for (var i = local.x; i < V; i += ROW_THREADS) {
        let y = logit_of(logits[start + i]);
        largest = max(largest, y);
        if (y > x || (y == x && i < target_id)) { likelier += 1.0; }
    }
    largest = row_max(largest, local.x);
    likelier = row_sum(likelier, local.x);
    var sum = 0.0;
    var weighted = 0.0;
    for (var i = local.x; i < V; i += ROW_THREADS) {
        let d = logits[start + i] - largest;
        let e = exp(d);
        sum += e;
        weighted += e * d;
    }
    sum = row_sum(sum, local.x);
    weighted = row_sum(weighted, local.x);
    if (wanted < ROWS && local.x == 0u) {
        let log_sum = log(sum);
        let asked = select(vec2f(), vec2f(x - largest - log_sum, likelier), has_target);
        let figures = bitcast<vec4u>(vec4f(asked.x, log_sum - weighted / sum, asked.y, largest + log_sum));
        for (var i = 0u; i < 4u; i++) { scores[row * 4u + i] = select(figures[i], NAN_BITS, largest == SPOILT); }
    }
}
