// Heads of a batch of sequences, HD a multiple of 4. `qkv: array<vec4f, _>` is (B, T, 3, H, HD). `head` counts over the batch:
// sequence head / H, head head % H. Dimensions go by fours: slot i is 4i..4i+4 of HD.

const HD4: u32 = HD / 4u;

// Part 0 is q, 1 k, 2 v.
fn load_qkv4(row: u32, part: u32, head: u32, i: u32) -> vec4f {
    return qkv[((head / H * T + row) * 3u * H + part * H + head % H) * HD4 + i];
}
