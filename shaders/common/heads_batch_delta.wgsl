// `out: array<f32, _>` is (B, T, H, HD), any HD; `head` counts over the batch. One slot's share of sum(d_out * out).
fn delta_of_slot(row: u32, head: u32, i: u32) -> f32 {
    let at = ((head / H * T + row) * H + head % H) * HD + 4u * i;
    let inside = vec4u(0u, 1u, 2u, 3u) + 4u * i < vec4u(HD);
    return dot(load_d_out4(row, head, i), select(vec4f(), vec4f(out[at], out[at + 1u], out[at + 2u], out[at + 3u]), inside));
}
