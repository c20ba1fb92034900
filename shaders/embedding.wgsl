// y[t] = table[step.ids[t] - ROW0], zeros where t >= n or the id lies in another piece of the table; y (ROWS, C).
// Bindings: step read ([pos0, n, ids...]), table read (TABLE_ROWS, C), y read_write.
// Constants: ROWS, C, ROW0, TABLE_ROWS, GRID_X.
// Grid: ceil(ROWS * C / 64) workgroups of 64, folded.
// Source: Radford et al. 2019, GPT-2 (`wte`).

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let i = (group.y * GRID_X + group.x) * 64u + lane;
    if (i >= ROWS * C) { return; }
    let t = i / C;
    // An id below ROW0 wraps around to a huge row, outside too.
    let row = step[2u + t] - ROW0;
    if (t < step[1] && row < TABLE_ROWS) {
        y[i] = table[row * C + i % C];
    } else {
        y[i] = 0.0;
    }
}
