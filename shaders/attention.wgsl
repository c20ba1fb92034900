// Causal attention of n new tokens over the cache: out[t, h] = sum_j softmax_j(SCALE q[t, h]·k[h, j]) v[h, j], j = 0..=pos0+t.
// One invocation per query and head, online softmax over four keys at a time, no shared memory: for software adapters;
// same bindings and shape constants as attention_tiled. The cache already holds positions 0..pos0+n. Rows t >= n become zero.
// A row with a score that is not finite becomes NaN.
// Includes: finite, heads_vec4|heads_scalar, lse|lse_none, dropped_none.
// For whole sequences without a cache, heads_batch_vec4|heads_batch_scalar, heads_batch_keys and heads_batch_out_vec4|heads_batch_out_scalar
// instead of heads_vec4|heads_scalar; then `head` counts over the batch, and kv, range and CTX are neither bound nor given. With dropped,
// out[t, h] = sum_j mask_j KEPT softmax_j(..) v[h, j].
// Bindings: qkv read (T, 3, H, HD), kv read (2, H, CTX, HD), range read array<u32> [pos0, n], out read_write (T, H, HD), [lse read_write (H, T)],
// [mask read].
// Constants: T, H, HD, CTX, SCALE (f32, 1/sqrt(HD)), WG_X, [KEPT].
// Grid: (ceil(T / WG_X), H, 1) workgroups of WG_X.
// Source: Milakov and Gimelshein 2018, "Online normalizer calculation for softmax".

@compute @workgroup_size(WG_X)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let row = id.x;
    let head = id.y;
    if (row >= T) { return; }
    if (row >= range[1]) {
        for (var i = 0u; i < HD4; i++) { store_out4(row, head, i, vec4f()); }
        store_lse(head, row, 0.0);
        return;
    }
    var q: array<vec4f, HD4>;
    var acc: array<vec4f, HD4>;
    for (var i = 0u; i < HD4; i++) { q[i] = SCALE * load_qkv4(row, 0u, head, i); }
    let last = min(range[0] + row, CTX - 1u);
    // The lowest float: any score may be the greatest.
    var maximum = -3.4028234e38;
    var total = 0.0;
    for (var j = 0u; j <= last; j += 4u) {
        // Keys beyond the last repeat it and get weight 0: what the cache holds there may be anything.
        let key = min(vec4u(j, j + 1u, j + 2u, j + 3u), vec4u(last));
        var s = vec4f();
        for (var i = 0u; i < HD4; i++) {
            let x = q[i];
            s += vec4f(dot(x, load_kv4(0u, head, key.x, i)), dot(x, load_kv4(0u, head, key.y, i)),
                       dot(x, load_kv4(0u, head, key.z, i)), dot(x, load_kv4(0u, head, key.w, i)));
        }
        let new_maximum = max(max(maximum, max(s.x, s.y)), max(s.z, s.w));
        let correction = exp(maximum - new_maximum);
        let seen = vec4u(j, j + 1u, j + 2u, j + 3u) <= vec4u(last);
        let p = select(vec4f(), or_nan4(exp(s - new_maximum), s), seen);
        maximum = new_maximum;
        total = total * correction + p.x + p.y + p.z + p.w;
        let w = dropped4(p, mask_keys4(head, row, j));
        for (var i = 0u; i < HD4; i++) {
            acc[i] = acc[i] * correction + w.x * load_kv4(1u, head, key.x, i) + w.y * load_kv4(1u, head, key.y, i)
                   + w.z * load_kv4(1u, head, key.z, i) + w.w * load_kv4(1u, head, key.w, i);
        }
    }
    for (var i = 0u; i < HD4; i++) { store_out4(row, head, i, acc[i] / total); }
    store_lse(head, row, maximum + or_nan(log(total), total));
}
