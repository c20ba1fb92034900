// Result `c: array<f32, _>`, row stride LDC, first column C_COL; any N, LDC and C_COL.

// The lanes at and beyond column N belong to a neighbour: their values are not used.
fn load_c4(row: u32, col: u32) -> vec4f {
    let i = row * LDC + C_COL + col;
    return vec4f(c[i], c[i + 1u], c[i + 2u], c[i + 3u]);
}

fn store_c4(row: u32, col: u32, v: vec4f) {
    let i = row * LDC + C_COL + col;
    c[i] = v.x;
    if (col + 1u < N) { c[i + 1u] = v.y; }
    if (col + 2u < N) { c[i + 2u] = v.z; }
    if (col + 3u < N) { c[i + 3u] = v.w; }
}
