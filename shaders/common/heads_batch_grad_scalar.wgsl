// `d_out: array<f32, _>` is (B, T, H, HD), `d_qkv: array<f32, _>` (B, T, 3, H, HD), any HD; `head` counts over the batch.
fn load_d_out4(row: u32, head: u32, i: u32) -> vec4f {
    let at = ((head / H * T + row) * H + head % H) * HD + 4u * i;
    return select(vec4f(), vec4f(d_out[at], d_out[at + 1u], d_out[at + 2u], d_out[at + 3u]), in_head(i));
}

// Part 0 is q, 1 k, 2 v.
fn store_d_qkv4(row: u32, part: u32, head: u32, i: u32, v: vec4f) {
    let at = ((head / H * T + row) * 3u * H + part * H + head % H) * HD + 4u * i;
    d_qkv[at] = v.x;
    if (4u * i + 1u < HD) { d_qkv[at + 1u] = v.y; }
    if (4u * i + 2u < HD) { d_qkv[at + 2u] = v.z; }
    if (4u * i + 3u < HD) { d_qkv[at + 3u] = v.w; }
}
