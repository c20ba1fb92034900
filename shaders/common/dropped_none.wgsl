// No dropout on attention probabilities: no binding.
fn mask_at(head: u32, row: u32, key: u32) -> u32 {
    return 0u;
}

fn mask_keys4(head: u32, row: u32, key: u32) -> vec4u {
    return vec4u();
}

fn mask_rows4(head: u32, row: vec4u, key: u32) -> vec4u {
    return vec4u();
}

fn dropped(x: f32, bits: u32, i: u32) -> f32 {
    return x;
}

fn dropped4(x: vec4f, bits: vec4u) -> vec4f {
    return x;
}
