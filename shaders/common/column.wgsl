// Sums over the COLUMN_THREADS invocations that share a column (workgroup WG_COLS x COLUMN_THREADS), through shared memory, always
// in the same order. Every invocation of the workgroup must call this.

var<workgroup> column_partial: array<f32, WG_COLS * COLUMN_THREADS>;

fn column_sum(value: f32, local: vec2u) -> f32 {
    let at = local.y * WG_COLS + local.x;
    column_partial[at] = value;
    for (var half = COLUMN_THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (local.y < half) { column_partial[at] += column_partial[at + half * WG_COLS]; }
    }
    workgroupBarrier();
    let total = column_partial[local.x];
    workgroupBarrier();
    return total;
}
