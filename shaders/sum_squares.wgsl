// partials[START + i] = sum of squares over stretch i of slab, i < ROWS = 256: STRETCH floats each, LEN in all; the last ones may
// be shorter or empty.
// Includes: row|row_none.
// Bindings: slab read, partials read_write.
// Constants: LEN, STRETCH, START, ROWS, ROW_THREADS, WG_ROWS, GRID_X.
// Grid: ceil(ROWS / WG_ROWS) workgroups of ROW_THREADS x WG_ROWS.
// Source: Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural networks" (norm clipping).

@compute @workgroup_size(ROW_THREADS, WG_ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let row = (group.y * GRID_X + group.x) * WG_ROWS + local.y;
    let end = min((row + 1u) * STRETCH, LEN);
    var sum = 0.0;
    for (var i = row * STRETCH + local.x; i < end; i += ROW_THREADS) { sum += slab[i] * slab[i]; }
    sum = row_sum(sum, local.x);
    if (row < ROWS && local.x == 0u) { partials[START + row] = sum; }
}
