// y = a + s b, LEN elements; a where s is 0, whatever b is.
// Bindings: a read, b read, s read (1), y read_write.
// Constants: LEN, GRID_X.
// Grid: ceil(LEN / 64) workgroups of 64, folded.
// Source: BLAS `axpy` (Lawson et al. 1979).

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let i = (group.y * GRID_X + group.x) * 64u + lane;
    if (i < LEN) { y[i] = a[i] + select(0.0, s[0] * b[i], s[0] != 0.0); }
}
