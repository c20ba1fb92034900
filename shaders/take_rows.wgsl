// y[t] = kept[step[0] + t] for t < step[1], else zeros.
// Bindings: kept read (ROWS, W), step read [pos0, n, ...], y read_write (T, W).
// Constants: T, ROWS, W, GRID_X.
// Grid: ceil(T W / 64) workgroups of 64, folded.
// Source: none; a copy.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let i = (group.y * GRID_X + group.x) * 64u + lane;
    let t = i / W;
    if (t >= T) { return; }
    let row = step[0] + t;
    let valid = t < step[1] && row < ROWS;
    y[i] = select(0.0, kept[min(row, ROWS - 1u) * W + i % W], valid);
}
