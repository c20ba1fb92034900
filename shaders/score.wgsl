// scores[t] = [log p(target), entropy, rank of the target, log-sum-exp] of the softmax of logits[t], in nats; logits (ROWS, V).
// Without a target (0xffffffff, or any id beyond V) log p and rank are 0.
// Includes: tame, row|row_none. NaN and infinities count as tame says.
// Bindings: logits read, targets read (ROWS), scores read_write (ROWS, 4).
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
    let x = tame(logits[start + select(0u, target_id, has_target)]);
    var largest = -3.0e38;
    var likelier = 0.0;
    for (var i = local.x; i < V; i += ROW_THREADS) {
        let y = tame(logits[start + i]);
        largest = max(largest, y);
        if (y > x || (y == x && i < target_id)) { likelier += 1.0; }
    }
    largest = row_max(largest, local.x);
    likelier = row_sum(likelier, local.x);
    var sum = 0.0;
    var weighted = 0.0;
    for (var i = local.x; i < V; i += ROW_THREADS) {
        let d = tame(logits[start + i]) - largest;
        let e = exp(d);
        sum += e;
        weighted += e * d;
    }
    sum = row_sum(sum, local.x);
    weighted = row_sum(weighted, local.x);
    if (wanted < ROWS && local.x == 0u) {
        let log_sum = log(sum);
        scores[row * 4u] = select(0.0, x - largest - log_sum, has_target);
        scores[row * 4u + 1u] = log_sum - weighted / sum;
        scores[row * 4u + 2u] = select(0.0, likelier, has_target);
        scores[row * 4u + 3u] = largest + log_sum;
    }
}
