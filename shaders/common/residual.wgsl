// `residual: array<f32, M * N>`, dense (M, N). Lanes beyond N are clamped; they are never stored.
fn load_residual4(row: u32, col: u32) -> vec4f {
    let i = vec4u(row * N) + min(vec4u(col, col + 1u, col + 2u, col + 3u), vec4u(N - 1u));
    return vec4f(residual[i.x], residual[i.y], residual[i.z], residual[i.w]);
}
