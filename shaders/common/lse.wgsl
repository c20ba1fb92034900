// `lse: array<f32, H * T>`, (H, T): the logarithm of each row's softmax denominator, which the backward pass needs.
fn store_lse(head: u32, row: u32, value: f32) {
    lse[head * T + row] = value;
}
