// Attention within whole sequences: keys and values come from qkv itself, every row is valid, and positions begin at 0. Stands
// for the cache `kv` and the `range` of a chunk.

const range: array<u32, 2> = array<u32, 2>(0u, T);
const CTX: u32 = T;

// Part 0 is k, 1 v.
fn load_kv4(part: u32, head: u32, position: u32, i: u32) -> vec4f {
    return load_qkv4(position, part + 1u, head, i);
}
