// Operand `a: array<vec4f, _>`, stored (A_ROWS, A_COLS) with row stride LDA; LDA and A_COLS are multiples of 4.

// Four neighbours a[row, col..col+4], zero outside the matrix; `col` is a multiple of 4.
fn load_a4(row: u32, col: u32) -> vec4f {
    let inside = (A_ROWS_FIT || row < A_ROWS) && (A_COLS_FIT || col < A_COLS);
    return select(vec4f(), a[(row * LDA + col) / 4u], inside);
}
