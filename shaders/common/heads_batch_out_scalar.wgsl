// `out: array<f32, _>` is (B, T, H, HD), any HD; `head` counts over the batch.
fn store_out4(row: u32, head: u32, i: u32, v: vec4f) {
    let at = ((head / H * T + row) * H + head % H) * HD + 4u * i;
    out[at] = v.x;
    if (4u * i + 1u < HD) { out[at + 1u] = v.y; }
    if (4u * i + 2u < HD) { out[at + 2u] = v.z; }
    if (4u * i + 3u < HD) { out[at + 3u] = v.w; }
}
