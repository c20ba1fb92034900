// No lse: no binding.
fn store_lse(head: u32, row: u32, value: f32) {}
