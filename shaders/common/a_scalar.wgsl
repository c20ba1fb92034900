// Operand `a: array<f32, _>`, stored (A_ROWS, A_COLS) with row stride LDA; any LDA and A_COLS.

// Four neighbours a[row, col..col+4], zero outside the matrix.
fn load_a4(row: u32, col: u32) -> vec4f {
    let i = row * LDA + col;
    let inside = vec4<bool>(A_ROWS_FIT || row < A_ROWS) & (vec4<bool>(A_COLS_FIT) | (vec4u(col, col + 1u, col + 2u, col + 3u) < vec4u(A_COLS)));
    return select(vec4f(), vec4f(a[i], a[i + 1u], a[i + 2u], a[i + 3u]), inside);
}
