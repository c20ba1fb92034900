// `bias: array<f32, _>`: one value for each column of the whole row, of which this kernel does C_COL..C_COL+N.
// Lanes beyond N are clamped; they are never stored.
fn load_bias4(col: u32) -> vec4f {
    let i = C_COL + min(vec4u(col, col + 1u, col + 2u, col + 3u), vec4u(N - 1u));
    return vec4f(bias[i.x], bias[i.y], bias[i.z], bias[i.w]);
}

fn load_bias(col: u32) -> f32 {
    return bias[C_COL + col];
}
