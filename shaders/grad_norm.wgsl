// norm = sqrt(sum of partials), LEN of them, also into metrics[step's record][1]. Where it, or the step's loss, is not finite,
// metrics[HALTED] becomes 1; as long as that is not 0, norm is infinite. One workgroup.
// Includes: hyper, finite, row|row_none.
// Bindings: partials read, hyper read, norm read_write (1), metrics read_write; these two as bits of f32.
// Constants: LEN, ROWS = 1, ROW_THREADS, WG_ROWS, GRID_X.
// Grid: one workgroup of ROW_THREADS x WG_ROWS.
// Source: Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural networks" (norm clipping).

const INFINITE: u32 = 0x7f800000u;

@compute @workgroup_size(ROW_THREADS, WG_ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let row = (group.y * GRID_X + group.x) * WG_ROWS + local.y;
    var sum = 0.0;
    for (var i = local.x; i < LEN; i += ROW_THREADS) { sum += partials[i]; }
    sum = row_sum(sum, local.x);
    if (row < ROWS && local.x == 0u) {
        let at = metrics_slot();
        let own = bitcast<u32>(or_nan(sqrt(sum), sum));
        // By their bits: shader compilers may assume that floats are finite.
        let broken = (own & INFINITE) == INFINITE || (metrics[at] & INFINITE) == INFINITE;
        if (broken) { metrics[HALTED] = 0x3f800000u; }
        let reported = select(own, INFINITE, metrics[HALTED] != 0u);
        norm[0] = reported;
        metrics[at + 1u] = reported;
    }
}
