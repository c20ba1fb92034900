// grad[p] += sum over b of d_y[b seq + p], p < seq: BATCH sequences of LEN = seq * C floats each, all from position 0.
// Bindings: d_y read (BATCH, LEN), grad read_write (at least LEN).
// Constants: BATCH, LEN, GRID_X.
// Grid: ceil(LEN / 64) workgroups of 64, folded.
// Source: Radford et al. 2019, GPT-2 (`wpe`), differentiated.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let i = (group.y * GRID_X + group.x) * 64u + lane;
    if (i >= LEN) { return; }
    var sum = grad[i];
    for (var b = 0u; b < BATCH; b++) { sum += d_y[b * LEN + i]; }
    grad[i] = sum;
}
