// grad[ids[t] - ROW0] += d_y[t] for t < n, in the order of t; d_y (ROWS, C), grad (TABLE_ROWS, C). The first row of an id also
// adds all later ones of the same id: nobody else writes there, and the order is the same in every run.
// Bindings: d_y read, step read ([pos0, n, ids...]), grad read_write.
// Constants: ROWS, C, ROW0, TABLE_ROWS, LANES, WG_ROWS, GRID_X.
// Grid: ceil(ROWS / WG_ROWS) workgroups of LANES x WG_ROWS, folded.
// Source: Radford et al. 2019, GPT-2 (`wte`), differentiated.

@compute @workgroup_size(LANES, WG_ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let first = (group.y * GRID_X + group.x) * WG_ROWS + local.y;
    let n = min(step[1], ROWS);
    if (first >= n) { return; }
    let id = step[2u + first];
    // An id below ROW0 wraps around to a huge row, outside too.
    let row = id - ROW0;
    if (row >= TABLE_ROWS) { return; }
    for (var t = 0u; t < first; t++) {
        if (step[2u + t] == id) { return; }
    }
    for (var t = first; t < n; t++) {
        if (step[2u + t] == id) {
            for (var i = local.x; i < C; i += LANES) { grad[row * C + i] += d_y[t * C + i]; }
        }
    }
}
