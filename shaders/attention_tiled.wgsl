// Causal attention of n new tokens over the cache: out[t, h] = sum_j softmax_j(SCALE q[t, h]·k[h, j]) v[h, j], j = 0..=pos0+t.
// A workgroup takes BQ queries of one head and walks the keys in blocks of BK through shared memory; LANES invocations share a query.
// For hardware GPUs; same bindings and shape constants as attention. The cache already holds positions 0..pos0+n. Rows t >= n become zero.
// A row with a score that is not finite becomes NaN.
// Includes: finite, heads_vec4|heads_scalar, lse|lse_none, dropped_none.
// For whole sequences without a cache, heads_batch_vec4|heads_batch_scalar, heads_batch_keys and heads_batch_out_vec4|heads_batch_out_scalar
// instead of heads_vec4|heads_scalar; then `head` counts over the batch, and kv, range and CTX are neither bound nor given. With dropped,
// out[t, h] = sum_j mask_j KEPT softmax_j(..) v[h, j].
// Bindings: qkv read (T, 3, H, HD), kv read (2, H, CTX, HD), range read array<u32> [pos0, n], out read_write (T, H, HD), [lse read_write (H, T)],
// [mask read].
// Constants: T, H, HD, CTX, SCALE (f32, 1/sqrt(HD)), BQ, BK (divides 32), LANES (divides BK), [KEPT]. Shared memory is 16 BQ HD4 + 16 BK (HD4 + 1) + 4 BQ BK bytes:
// BQ, BK, LANES = 16, 32, 16 up to HD = 64; 8, 16, 16 up to HD = 128; 4, 8, 8 up to HD = 256.
// Grid: (ceil(T / BQ), H, 1) workgroups of LANES x BQ.
// Source: Dao 2023, "FlashAttention-2".

// The lowest float: any score may be the greatest.
const LOWEST: f32 = -3.4028234e38;
// One more than needed, so that keys side by side lie in different banks.
const STRIDE: u32 = HD4 + 1u;
const KEYS: u32 = BK / LANES;
const SLOTS: u32 = (HD4 + LANES - 1u) / LANES;
const THREADS: u32 = LANES * BQ;

var<workgroup> q_tile: array<vec4f, BQ * HD4>;
var<workgroup> kv_tile: array<vec4f, BK * STRIDE>;
var<workgroup> weight: array<f32, BQ * BK>;

fn fill_kv_tile(part: u32, head: u32, first: u32, count: u32, thread: u32) {
    for (var e = thread; e < BK * HD4; e += THREADS) {
        let key = e / HD4;
        // Beyond the last key the cache may hold anything, even NaN: repeat the last one, whose weight there is 0.
        kv_tile[key * STRIDE + e % HD4] = load_kv4(part, head, min(first + key, count - 1u), e % HD4);
    }
}

@compute @workgroup_size(LANES, BQ)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) thread: u32) {
    let head = group.y;
    let first_row = group.x * BQ;
    let lane = local.x;
    let row = first_row + local.y;
    let pos0 = range[0];
    let n = min(range[1], T);
    // Keys that the block's last valid query sees; the same for the whole workgroup, as the barriers in the loop need.
    let count = select(0u, min(pos0 + min(first_row + BQ, n), CTX), first_row < n);

    for (var e = thread; e < BQ * HD4; e += THREADS) {
        q_tile[e] = SCALE * load_qkv4(min(first_row + e / HD4, T - 1u), 0u, head, e % HD4);
    }
    var acc: array<vec4f, SLOTS>;
    var maximum = LOWEST;
    var total = 0.0;
    for (var first = 0u; first < count; first += BK) {
        fill_kv_tile(0u, head, first, count, thread);
        workgroupBarrier();

        // Initialised explicitly: a bare `var` kept the last block's values (Chromium with SwiftShader).
        var s = array<f32, KEYS>();
        for (var i = 0u; i < HD4; i++) {
            let x = q_tile[local.y * HD4 + i];
            for (var e = 0u; e < KEYS; e++) { s[e] += dot(x, kv_tile[(e * LANES + lane) * STRIDE + i]); }
        }
        // How many of the block's keys the query sees.
        let seen = min(count - first, max(pos0 + row + 1u, first) - first);
        for (var e = 0u; e < KEYS; e++) {
            let key = e * LANES + lane;
            weight[local.y * BK + key] = select(LOWEST, s[e], key < seen);
        }
        workgroupBarrier();

        var new_maximum = maximum;
        for (var key = 0u; key < BK; key++) { new_maximum = max(new_maximum, weight[local.y * BK + key]); }
        let correction = exp(maximum - new_maximum);
        maximum = new_maximum;
        fill_kv_tile(1u, head, first, count, thread);
        workgroupBarrier();

        for (var e = 0u; e < KEYS; e++) {
            let key = e * LANES + lane;
            weight[local.y * BK + key] = select(0.0, or_nan(exp(s[e] - maximum), s[e]), key < seen);
        }
        workgroupBarrier();

        total *= correction;
        for (var e = 0u; e < SLOTS; e++) { acc[e] *= correction; }
        let bits = mask_at(head, min(row, T - 1u), first);
        // Not over the others with weight 0: 0 times a value that is not finite is NaN.
        for (var key = 0u; key < min(seen, BK); key++) {
            let p = weight[local.y * BK + key];
            total += p;
            let w = dropped(p, bits, key);
            for (var e = 0u; e < SLOTS; e++) {
                acc[e] += w * kv_tile[key * STRIDE + min(e * LANES + lane, HD4 - 1u)];
            }
        }
        workgroupBarrier();
    }
    if (row >= T) { return; }
    let valid = row < n;
    for (var e = 0u; e < SLOTS; e++) {
        let i = e * LANES + lane;
        if (i < HD4) { store_out4(row, head, i, select(vec4f(), acc[e] / total, valid)); }
    }
    if (lane == 0u) { store_lse(head, row, select(0.0, maximum + or_nan(log(total), total), valid)); }
}
