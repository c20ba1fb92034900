// cache[which][h][pos0 + t] = the key (which = 0) or value (1) of head h in row t of qkv, for t < n.
// Bindings: qkv read (T, 3 H D), step read ([pos0, n, ...]), cache read_write (2, H, CTX, D).
// Constants: T, H, CTX, D, GRID_X.
// Grid: ceil(T * 2 H D / 64) workgroups of 64, folded.
// Source: Shazeer 2019, "Fast Transformer Decoding" (incremental keys and values), with a fixed capacity.

const C: u32 = H * D;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let i = (group.y * GRID_X + group.x) * 64u + lane;
    let t = i / (2u * C);
    let position = step[0] + t;
    if (t >= T || t >= step[1] || position >= CTX) { return; }
    let col = i % (2u * C);
    let which = col / C;
    let head = col % C / D;
    cache[((which * H + head) * CTX + position) * D + col % D] = qkv[t * 3u * C + C + col];
}
