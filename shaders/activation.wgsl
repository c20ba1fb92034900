// y = act(x), LEN elements.
// Includes: activation.
// Bindings: x read, y read_write.
// Constants: LEN, ACT, GRID_X.
// Grid: ceil(LEN / 256) workgroups of 64, four elements each, folded.
// Source: Hendrycks and Gimpel 2016, "Gaussian Error Linear Units".

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let start = ((group.y * GRID_X + group.x) * 64u + lane) * 4u;
    if (start >= LEN) { return; }
    let i = min(vec4u(start, start + 1u, start + 2u, start + 3u), vec4u(LEN - 1u));
    let v = activate4(vec4f(x[i.x], x[i.y], x[i.z], x[i.w]));

    y[start] = v.x;
    if (start + 1u < LEN) { y[start + 1u] = v.y; }
    if (start + 2u < LEN) { y[start + 2u] = v.z; }
    if (start + 3u < LEN) { y[start + 3u] = v.w; }
}
