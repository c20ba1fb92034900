// y[t] = x[t] + table[pos0 + t % SEQ], rows t >= n copied unchanged; x and y (ROWS, C), table (TABLE_ROWS, C).
// Bindings: step read ([pos0, n, ...]), x read, table read, y read_write.
// Constants: ROWS, C, SEQ, TABLE_ROWS, GRID_X.
// Grid: ceil(ROWS * C / 64) workgroups of 64, folded.
// Source: Radford et al. 2019, GPT-2 (`wpe`).

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let i = (group.y * GRID_X + group.x) * 64u + lane;
    if (i >= ROWS * C) { return; }
    let t = i / C;
    let position = step[0] + t % SEQ;
    if (t < step[1] && position < TABLE_ROWS) {
        y[i] = x[i] + table[position * C + i % C];
    } else {
        y[i] = x[i];
    }
}
