// No bias: no binding.
fn add_grad_bias(col: u32, value: f32) {}
