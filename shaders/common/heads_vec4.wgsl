// Heads of attention, HD a multiple of 4. `qkv: array<vec4f, _>` is (T, 3, H, HD), `kv: array<vec4f, _>` the cache (2, H, CTX, HD),
// `out: array<vec4f, _>` (T, H, HD). Dimensions go by fours: slot i is 4i..4i+4 of HD.

const HD4: u32 = HD / 4u;

// Part 0 is q, 1 k, 2 v.
fn load_qkv4(row: u32, part: u32, head: u32, i: u32) -> vec4f {
    return qkv[((row * 3u + part) * H + head) * HD4 + i];
}

// Part 0 is k, 1 v.
fn load_kv4(part: u32, head: u32, position: u32, i: u32) -> vec4f {
    return kv[((part * H + head) * CTX + position) * HD4 + i];
}

fn store_out4(row: u32, head: u32, i: u32, v: vec4f) {
    out[(row * H + head) * HD4 + i] = v;
}
