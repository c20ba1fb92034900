// No residual: no binding.
fn load_residual4(row: u32, col: u32) -> vec4f {
    return vec4f();
}
