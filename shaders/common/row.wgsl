// Reductions over the ROW_THREADS invocations that share a row (workgroup ROW_THREADS x 1), through shared memory.
// ROW_THREADS is a power of two. Every invocation of the workgroup must call these.

var<workgroup> row_partial: array<f32, ROW_THREADS>;

fn row_sum(value: f32, lane: u32) -> f32 {
    row_partial[lane] = value;
    for (var half = ROW_THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) { row_partial[lane] += row_partial[lane + half]; }
    }
    workgroupBarrier();
    let total = row_partial[0];
    workgroupBarrier();
    return total;
}

fn row_max(value: f32, lane: u32) -> f32 {
    row_partial[lane] = value;
    for (var half = ROW_THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) { row_partial[lane] = max(row_partial[lane], row_partial[lane + half]); }
    }
    workgroupBarrier();
    let largest = row_partial[0];
    workgroupBarrier();
    return largest;
}
