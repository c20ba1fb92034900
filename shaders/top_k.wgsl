// ids[t, k], values[t, k] = the K largest of logits[t] with their ids, largest first, the lower id first among equals.
// Where a logit of the row is none that can be computed with, all ids are 0 and all values NaN.
// Includes: logit, row|row_none.
// Bindings: logits read (ROWS, V), ids read_write (ROWS, K), values read_write (ROWS, K), as bits of f32.
// Constants: ROWS, V, K, LOGIT_MAX, ROW_THREADS, WG_ROWS, GRID_X.
// Grid: ceil(ROWS / WG_ROWS) workgroups of ROW_THREADS x WG_ROWS, folded.
// Source: each invocation keeps the best of its stripe in order; the stripes' best are merged one by one.

const NOTHING: f32 = -3.0e38;

@compute @workgroup_size(ROW_THREADS, WG_ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let wanted = (group.y * GRID_X + group.x) * WG_ROWS + local.y;
    let row = min(wanted, ROWS - 1u);
    var own: array<f32, K>;
    var own_id: array<u32, K>;
    for (var k = 0u; k < K; k++) { own[k] = NOTHING; }
    for (var i = local.x; i < V; i += ROW_THREADS) {
        let x = logit_of(logits[row * V + i]);
        if (x > own[K - 1u]) {
            // Behind its equals, which have lower ids.
            var at = K - 1u;
            while (at > 0u && x > own[max(at, 1u) - 1u]) {
                own[at] = own[at - 1u];
                own_id[at] = own_id[at - 1u];
                at--;
            }
            own[at] = x;
            own_id[at] = i;
        }
    }
    var head = 0u;
    var spoilt = false;
    for (var k = 0u; k < K; k++) {
        let left = head < K;
        let mine = select(NOTHING, own[min(head, K - 1u)], left);
        let id = own_id[min(head, K - 1u)];
        let best = row_max(mine, local.x);
        // Ids are below 2^24, so that a float holds them.
        let winner = -row_max(select(NOTHING, -f32(id), left && mine == best), local.x);
        if (left && mine == best && f32(id) == winner) { head++; }
        if (local.x == 0u && wanted < ROWS) {
            // It would be the first.
            spoilt = spoilt || best == SPOILT;
            ids[row * K + k] = select(u32(winner), 0u, spoilt);
            values[row * K + k] = select(bitcast<u32>(best), NAN_BITS, spoilt);
        }
    }
}
