// grad += d, LEN elements.
// Bindings: d read, grad read_write.
// Constants: LEN, GRID_X.
// Grid: ceil(LEN / 64) workgroups of 64, folded.
// Source: the sum rule of reverse-mode differentiation (Linnainmaa 1970).

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let i = (group.y * GRID_X + group.x) * 64u + lane;
    if (i < LEN) { grad[i] += d[i]; }
}
