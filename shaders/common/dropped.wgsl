// Dropout on attention probabilities. `mask: array<u32, _>` is (B H, T, ceil(T / 32)), one bit for each, 1 is kept; `head` counts
// over the batch. KEPT = 1 / (1 - p).

// The bits of this key and of those behind it in its word, lowest first.
fn mask_at(head: u32, row: u32, key: u32) -> u32 {
    return mask[(head * T + row) * ((T + 31u) / 32u) + key / 32u] >> (key % 32u);
}

// In the lowest bit of each: of four keys from a multiple of 4, or of four rows.
fn mask_keys4(head: u32, row: u32, key: u32) -> vec4u {
    return vec4u(mask_at(head, row, key)) >> vec4u(0u, 1u, 2u, 3u);
}

fn mask_rows4(head: u32, row: vec4u, key: u32) -> vec4u {
    return vec4u(mask_at(head, row.x, key), mask_at(head, row.y, key), mask_at(head, row.z, key), mask_at(head, row.w, key));
}

// By bit i.
fn dropped(x: f32, bits: u32, i: u32) -> f32 {
    return select(0.0, KEPT * x, ((bits >> i) & 1u) == 1u);
}

fn dropped4(x: vec4f, bits: vec4u) -> vec4f {
    return select(vec4f(), KEPT * x, (bits & vec4u(1u)) == vec4u(1u));
}
