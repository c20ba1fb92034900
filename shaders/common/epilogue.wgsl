// The common end of every matrix product: c = act(acc + bias) + residual, or c += that where ACCUMULATE.
// Needs activation, bias (or bias_none), residual (or residual_none) and c_vec4 or c_scalar.

// Finishes and stores c[row, col..col+4]; what lies outside (M, N) is dropped.
fn epilogue4(row: u32, col: u32, acc: vec4f) {
    if (row >= M || col >= N) { return; }
    var v = activate4(acc + load_bias4(col)) + load_residual4(row, col);
    if (ACCUMULATE) { v += load_c4(row, col); }
    store_c4(row, col, v);
}
