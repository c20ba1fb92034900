// Operand `b: array<f32, _>`, stored (B_ROWS, B_COLS) with row stride LDB; any LDB and B_COLS.

// Four neighbours b[row, col..col+4], zero outside the matrix.
fn load_b4(row: u32, col: u32) -> vec4f {
    let i = row * LDB + col;
    let inside = vec4<bool>(B_ROWS_FIT || row < B_ROWS) & (vec4<bool>(B_COLS_FIT) | (vec4u(col, col + 1u, col + 2u, col + 3u) < vec4u(B_COLS)));
    return select(vec4f(), vec4f(b[i], b[i + 1u], b[i + 2u], b[i + 3u]), inside);
}
