// Writing to the cache, with heads_vec4 and `kv` bound read_write. Part 0 is k, 1 v.
fn store_kv4(part: u32, head: u32, position: u32, i: u32, v: vec4f) {
    kv[((part * H + head) * CTX + position) * HD4 + i] = v;
}
