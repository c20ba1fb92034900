// Result `c: array<vec4f, _>`, row stride LDC, first column C_COL; N, LDC and C_COL are multiples of 4.

fn load_c4(row: u32, col: u32) -> vec4f {
    return c[(row * LDC + C_COL + col) / 4u];
}

fn store_c4(row: u32, col: u32, v: vec4f) {
    c[(row * LDC + C_COL + col) / 4u] = v;
}
