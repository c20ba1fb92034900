// Heads of a batch of sequences, any HD. `qkv: array<f32, _>` is (B, T, 3, H, HD). `head` counts over the batch: sequence
// head / H, head head % H. Dimensions go by fours: slot i is 4i..4i+4 of HD, zero beyond HD.

const HD4: u32 = (HD + 3u) / 4u;

fn in_head(i: u32) -> vec4<bool> {
    return vec4u(0u, 1u, 2u, 3u) + 4u * i < vec4u(HD);
}

// Part 0 is q, 1 k, 2 v.
fn load_qkv4(row: u32, part: u32, head: u32, i: u32) -> vec4f {
    let at = ((head / H * T + row) * 3u * H + part * H + head % H) * HD + 4u * i;
    return select(vec4f(), vec4f(qkv[at], qkv[at + 1u], qkv[at + 2u], qkv[at + 3u]), in_head(i));
}
