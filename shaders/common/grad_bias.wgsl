// `grad_bias: array<f32, _>`, added to.
fn add_grad_bias(col: u32, value: f32) {
    grad_bias[col] += value;
}
