// Sums the partial products of the SPLIT_K invocations that share an output (local y), through shared memory.

var<workgroup> partial: array<vec4f, WG_X * SPLIT_K>;

// The total of column `x`, valid where y = 0. A linear tree over y; SPLIT_K is a power of two.
fn sum_split_k(x: u32, y: u32, value: vec4f) -> vec4f {
    partial[y * WG_X + x] = value;
    for (var half = SPLIT_K / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (y < half) { partial[y * WG_X + x] += partial[(y + half) * WG_X + x]; }
    }
    return partial[x];
}
