// Heads of attention, any HD. `qkv: array<f32, _>` is (T, 3, H, HD), `kv: array<f32, _>` the cache (2, H, CTX, HD),
// `out: array<f32, _>` (T, H, HD). Dimensions go by fours: slot i is 4i..4i+4 of HD, zero beyond HD.

const HD4: u32 = (HD + 3u) / 4u;

fn in_head(i: u32) -> vec4<bool> {
    return vec4u(0u, 1u, 2u, 3u) + 4u * i < vec4u(HD);
}

// Part 0 is q, 1 k, 2 v.
fn load_qkv4(row: u32, part: u32, head: u32, i: u32) -> vec4f {
    let at = ((row * 3u + part) * H + head) * HD + 4u * i;
    return select(vec4f(), vec4f(qkv[at], qkv[at + 1u], qkv[at + 2u], qkv[at + 3u]), in_head(i));
}

// Part 0 is k, 1 v.
fn load_kv4(part: u32, head: u32, position: u32, i: u32) -> vec4f {
    let at = ((part * H + head) * CTX + position) * HD + 4u * i;
    return select(vec4f(), vec4f(kv[at], kv[at + 1u], kv[at + 2u], kv[at + 3u]), in_head(i));
}

fn store_out4(row: u32, head: u32, i: u32, v: vec4f) {
    let at = (row * H + head) * HD + 4u * i;
    out[at] = v.x;
    if (4u * i + 1u < HD) { out[at + 1u] = v.y; }
    if (4u * i + 2u < HD) { out[at + 2u] = v.z; }
    if (4u * i + 3u < HD) { out[at + 3u] = v.w; }
}
