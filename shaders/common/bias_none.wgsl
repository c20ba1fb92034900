// No bias: no binding.
fn load_bias4(col: u32) -> vec4f {
    return vec4f();
}

fn load_bias(col: u32) -> f32 {
    return 0.0;
}
