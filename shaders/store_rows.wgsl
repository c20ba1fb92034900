// kept[step[0] + t, c] = x[t, START + c] for t < step[1]: some columns of new rows, kept for later.
// Bindings: x read (T, X), step read [pos0, n, ...], kept read_write (ROWS, W).
// Constants: T, X, START, ROWS, W, GRID_X.
// Grid: ceil(T W / 64) workgroups of 64, folded.
// Source: none; a copy.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let i = (group.y * GRID_X + group.x) * 64u + lane;
    let t = i / W;
    let row = step[0] + t;
    if (t >= T || t >= step[1] || row >= ROWS) { return; }
    kept[row * W + i % W] = x[t * X + START + i % W];
}
