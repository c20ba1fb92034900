// y[t, c] = gates[FIRST + c / WIDTH] x[t, c]: each group of WIDTH columns switched on (1) or off (0), or scaled.
// Bindings: x read (T, C), gates read, y read_write (T, C).
// Constants: LEN = T C, C, FIRST, WIDTH, GRID_X.
// Grid: ceil(LEN / 64) workgroups of 64, folded.
// Source: Michel et al. 2019, "Are Sixteen Heads Really Better than One?" (masked heads).

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let i = (group.y * GRID_X + group.x) * 64u + lane;
    if (i < LEN) { y[i] = gates[FIRST + i % C / WIDTH] * x[i]; }
}
