// `out: array<vec4f, _>` is (B, T, H, HD), HD a multiple of 4; `head` counts over the batch.
fn store_out4(row: u32, head: u32, i: u32, v: vec4f) {
    out[((head / H * T + row) * H + head % H) * HD4 + i] = v;
}
