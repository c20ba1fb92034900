// Gradient of causal attention by its keys and values: with p[i] = exp(SCALE q[i]·k - lse[i]) and ds[i] = p[i] (d_out[i]·v - delta[i]),
// d_k = SCALE sum_i ds[i] q[i] and d_v = sum_i p[i] d_out[i], over queries i = key..T. Writes the k and v columns of d_qkv.
// With dropped, mask[i] KEPT stands before d_out in both.
// A workgroup takes BQ keys of one head and walks the queries in blocks of BK through shared memory; LANES invocations share a key.
// For hardware GPUs; same bindings and shape constants as attention_backward_kv. `head` counts over the batch.
// Includes: heads_batch_vec4|heads_batch_scalar, heads_batch_grad_vec4|heads_batch_grad_scalar, dropped|dropped_none.
// Bindings: d_out read (B, T, H, HD), qkv read (B, T, 3, H, HD), lse read (B H, T), delta read (B H, T),
// d_qkv read_write (B, T, 3, H, HD), [mask read].
// Constants: T, H, HD, SCALE (f32, 1/sqrt(HD)), BQ, BK, LANES (divides BK), [KEPT]. Shared memory is 16 BK (HD4 + 1) + 8 BQ BK bytes:
// BQ, BK, LANES = 16, 32, 16 up to HD = 64; 16, 16, 16 up to HD = 128; 16, 8, 8 up to HD = 256.
// Grid: (ceil(T / BQ), B H, 1) workgroups of LANES x BQ.
// Source: Dao 2023, "FlashAttention-2", algorithm 2.

// One more than needed, so that queries side by side lie in different banks.
const STRIDE: u32 = HD4 + 1u;
const QUERIES: u32 = BK / LANES;
const SLOTS: u32 = (HD4 + LANES - 1u) / LANES;
const THREADS: u32 = LANES * BQ;

var<workgroup> tile: array<vec4f, BK * STRIDE>;
var<workgroup> p_weight: array<f32, BQ * BK>;
var<workgroup> ds_weight: array<f32, BQ * BK>;

// Queries beyond the last repeat it; their weight is 0.
fn fill_tile_q(head: u32, first: u32, thread: u32) {
    for (var e = thread; e < BK * HD4; e += THREADS) {
        let query = e / HD4;
        tile[query * STRIDE + e % HD4] = load_qkv4(min(first + query, T - 1u), 0u, head, e % HD4);
    }
}

fn fill_tile_d_out(head: u32, first: u32, thread: u32) {
    for (var e = thread; e < BK * HD4; e += THREADS) {
        let query = e / HD4;
        tile[query * STRIDE + e % HD4] = load_d_out4(min(first + query, T - 1u), head, e % HD4);
    }
}

@compute @workgroup_size(LANES, BQ)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) thread: u32) {
    let head = group.y;
    let first_key = group.x * BQ;
    let lane = local.x;
    let wanted = first_key + local.y;
    // Surplus keys compute the last one again and do not store: a barrier must be reached by all.
    let key = min(wanted, T - 1u);
    let weights = local.y * BK;

    var d_k = array<vec4f, SLOTS>();
    var d_v = array<vec4f, SLOTS>();
    // No query before the block's first key sees any of them.
    for (var first = first_key; first < T; first += BK) {
        fill_tile_q(head, first, thread);
        workgroupBarrier();

        var s = array<f32, QUERIES>();
        for (var i = 0u; i < HD4; i++) {
            let x = SCALE * load_qkv4(key, 1u, head, i);
            for (var e = 0u; e < QUERIES; e++) { s[e] += dot(x, tile[(e * LANES + lane) * STRIDE + i]); }
        }
        var p = array<f32, QUERIES>();
        var bits = array<u32, QUERIES>();
        for (var e = 0u; e < QUERIES; e++) {
            let query = first + e * LANES + lane;
            p[e] = select(0.0, exp(s[e] - lse[head * T + min(query, T - 1u)]), query >= key && query < T);
            bits[e] = mask_at(head, min(query, T - 1u), key);
            p_weight[weights + e * LANES + lane] = dropped(p[e], bits[e], 0u);
        }
        workgroupBarrier();
        fill_tile_d_out(head, first, thread);
        workgroupBarrier();

        var dp = array<f32, QUERIES>();
        for (var i = 0u; i < HD4; i++) {
            let x = load_qkv4(key, 2u, head, i);
            for (var e = 0u; e < QUERIES; e++) { dp[e] += dot(x, tile[(e * LANES + lane) * STRIDE + i]); }
        }
        for (var e = 0u; e < QUERIES; e++) {
            let query = first + e * LANES + lane;
            let dp_kept = dropped(dp[e], bits[e], 0u);
            ds_weight[weights + e * LANES + lane] = p[e] * (dp_kept - delta[head * T + min(query, T - 1u)]);
        }
        for (var query = 0u; query < BK; query++) {
            let w = p_weight[weights + query];
            for (var e = 0u; e < SLOTS; e++) { d_v[e] += w * tile[query * STRIDE + min(e * LANES + lane, HD4 - 1u)]; }
        }
        workgroupBarrier();
        // Again, because two tiles at once would not fit shared memory at this size.
        fill_tile_q(head, first, thread);
        workgroupBarrier();

        for (var query = 0u; query < BK; query++) {
            let w = ds_weight[weights + query];
            for (var e = 0u; e < SLOTS; e++) { d_k[e] += w * tile[query * STRIDE + min(e * LANES + lane, HD4 - 1u)]; }
        }
        workgroupBarrier();
    }
    if (wanted >= T) { return; }
    for (var e = 0u; e < SLOTS; e++) {
        let i = e * LANES + lane;
        if (i < HD4) {
            store_d_qkv4(key, 1u, head, i, SCALE * d_k[e]);
            store_d_qkv4(key, 2u, head, i, d_v[e]);
        }
    }
}
