// Gradient of causal attention by its queries: with p[j] = exp(SCALE q·k[j] - lse), delta = sum(d_out * out) and
// ds[j] = p[j] (d_out·v[j] - delta), d_q = SCALE sum_j ds[j] k[j], j = 0..=row. Writes the q columns of d_qkv, and delta. With dropped,
// ds[j] = p[j] (mask[j] KEPT d_out·v[j] - delta).
// A workgroup takes BQ queries of one head and walks the keys in blocks of BK through shared memory; LANES invocations share a query.
// For hardware GPUs; same bindings and shape constants as attention_backward_q. `head` counts over the batch.
// Includes: heads_batch_vec4|heads_batch_scalar, heads_batch_grad_vec4|heads_batch_grad_scalar, heads_batch_delta, dropped|dropped_none.
// Bindings: d_out read (B, T, H, HD), qkv read (B, T, 3, H, HD), out read (B, T, H, HD), lse read (B H, T),
// d_qkv read_write (B, T, 3, H, HD), delta read_write (B H, T), [mask read].
// Constants: T, H, HD, SCALE (f32, 1/sqrt(HD)), BQ, BK, LANES (divides BK), [KEPT]. Shared memory is 16 BK (HD4 + 1) + 4 BQ BK bytes:
// BQ, BK, LANES = 16, 32, 16 up to HD = 64; 16, 16, 16 up to HD = 128; 16, 8, 8 up to HD = 256.
// Grid: (ceil(T / BQ), B H, 1) workgroups of LANES x BQ.
// Source: Dao 2023, "FlashAttention-2", algorithm 2.

// One more than needed, so that keys side by side lie in different banks.
const STRIDE: u32 = HD4 + 1u;
const KEYS: u32 = BK / LANES;
const SLOTS: u32 = (HD4 + LANES - 1u) / LANES;
const THREADS: u32 = LANES * BQ;

var<workgroup> tile: array<vec4f, BK * STRIDE>;
var<workgroup> weight: array<f32, BQ * BK>;

// Keys beyond the last repeat it; their weight is 0.
fn fill_tile(part: u32, head: u32, first: u32, thread: u32) {
    for (var e = thread; e < BK * HD4; e += THREADS) {
        let key = e / HD4;
        tile[key * STRIDE + e % HD4] = load_qkv4(min(first + key, T - 1u), part, head, e % HD4);
    }
}

@compute @workgroup_size(LANES, BQ)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) thread: u32) {
    let head = group.y;
    let first_row = group.x * BQ;
    let lane = local.x;
    let wanted = first_row + local.y;
    // Surplus rows compute the last one again and do not store: a barrier must be reached by all.
    let row = min(wanted, T - 1u);
    let weights = local.y * BK;

    var share = 0.0;
    for (var i = lane; i < HD4; i += LANES) { share += delta_of_slot(row, head, i); }
    weight[weights + lane] = share;
    workgroupBarrier();
    var own_delta = 0.0;
    for (var e = 0u; e < LANES; e++) { own_delta += weight[weights + e]; }

    let own_lse = lse[head * T + row];
    let count = min(first_row + BQ, T);
    var acc = array<vec4f, SLOTS>();
    for (var first = 0u; first < count; first += BK) {
        // The last block's reads of the tile, or those of the shares of delta, are over.
        workgroupBarrier();
        fill_tile(2u, head, first, thread);
        workgroupBarrier();

        var dp = array<f32, KEYS>();
        for (var i = 0u; i < HD4; i++) {
            let x = load_d_out4(row, head, i);
            for (var e = 0u; e < KEYS; e++) { dp[e] += dot(x, tile[(e * LANES + lane) * STRIDE + i]); }
        }
        workgroupBarrier();
        fill_tile(1u, head, first, thread);
        workgroupBarrier();

        var s = array<f32, KEYS>();
        for (var i = 0u; i < HD4; i++) {
            let x = SCALE * load_qkv4(row, 0u, head, i);
            for (var e = 0u; e < KEYS; e++) { s[e] += dot(x, tile[(e * LANES + lane) * STRIDE + i]); }
        }
        for (var e = 0u; e < KEYS; e++) {
            let key = e * LANES + lane;
            let dp_kept = dropped(dp[e], mask_at(head, row, min(first + key, T - 1u)), 0u);
            weight[weights + key] = select(0.0, exp(s[e] - own_lse) * (dp_kept - own_delta), first + key <= row);
        }
        workgroupBarrier();

        for (var key = 0u; key < BK; key++) {
            let ds = weight[weights + key];
            for (var e = 0u; e < SLOTS; e++) { acc[e] += ds * tile[key * STRIDE + min(e * LANES + lane, HD4 - 1u)]; }
        }
    }
    if (wanted >= T) { return; }
    for (var e = 0u; e < SLOTS; e++) {
        let i = e * LANES + lane;
        if (i < HD4) { store_d_qkv4(row, 0u, head, i, SCALE * acc[e]); }
    }
    if (lane == 0u) { delta[head * T + row] = own_delta; }
}
