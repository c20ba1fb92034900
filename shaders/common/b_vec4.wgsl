// Operand `b: array<vec4f, _>`, stored (B_ROWS, B_COLS) with row stride LDB; LDB and B_COLS are multiples of 4.

// Four neighbours b[row, col..col+4], zero outside the matrix; `col` is a multiple of 4.
fn load_b4(row: u32, col: u32) -> vec4f {
    let inside = (B_ROWS_FIT || row < B_ROWS) && (B_COLS_FIT || col < B_COLS);
    return select(vec4f(), b[(row * LDB + col) / 4u], inside);
}
