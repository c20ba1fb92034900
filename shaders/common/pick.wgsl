// Reductions over a workgroup of THREADS (a power of two): sums, and the largest value with the lowest id among equals.
// Every invocation of the workgroup must call these.

struct Pick {
    value: f32,
    id: u32,
}

const NO_PICK: Pick = Pick(-3.0e38, 0xffffffffu);

var<workgroup> part_value: array<f32, THREADS>;
var<workgroup> part_id: array<u32, THREADS>;

fn is_better(a: Pick, b: Pick) -> bool {
    return a.value > b.value || (a.value == b.value && a.id < b.id);
}

fn best_of_all(own: Pick, thread: u32) -> Pick {
    part_value[thread] = own.value;
    part_id[thread] = own.id;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (thread < half) {
            let other = Pick(part_value[thread + half], part_id[thread + half]);
            if (is_better(other, Pick(part_value[thread], part_id[thread]))) {
                part_value[thread] = other.value;
                part_id[thread] = other.id;
            }
        }
    }
    workgroupBarrier();
    let best = Pick(part_value[0], part_id[0]);
    workgroupBarrier();
    return best;
}

fn sum_of_all(own: f32, thread: u32) -> f32 {
    part_value[thread] = own;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (thread < half) { part_value[thread] += part_value[thread + half]; }
    }
    workgroupBarrier();
    let total = part_value[0];
    workgroupBarrier();
    return total;
}
