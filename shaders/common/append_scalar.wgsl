// Writing to the cache, with heads_scalar and `kv` bound read_write. Part 0 is k, 1 v.
fn store_kv4(part: u32, head: u32, position: u32, i: u32, v: vec4f) {
    let at = ((part * H + head) * CTX + position) * HD + 4u * i;
    kv[at] = v.x;
    if (4u * i + 1u < HD) { kv[at + 1u] = v.y; }
    if (4u * i + 2u < HD) { kv[at + 2u] = v.z; }
    if (4u * i + 3u < HD) { kv[at + 3u] = v.w; }
}
