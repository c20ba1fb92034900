// `d_out: array<vec4f, _>` is (B, T, H, HD), `d_qkv: array<vec4f, _>` (B, T, 3, H, HD), HD a multiple of 4; `head` counts over
// the batch.
fn load_d_out4(row: u32, head: u32, i: u32) -> vec4f {
    return d_out[((head / H * T + row) * H + head % H) * HD4 + i];
}

// Part 0 is q, 1 k, 2 v.
fn store_d_qkv4(row: u32, part: u32, head: u32, i: u32, v: vec4f) {
    d_qkv[((head / H * T + row) * 3u * H + part * H + head % H) * HD4 + i] = v;
}
