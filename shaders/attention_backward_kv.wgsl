// Gradient of causal attention by its keys and values: with p[i] = exp(SCALE q[i]·k - lse[i]) and ds[i] = p[i] (d_out[i]·v - delta[i]),
// d_k = SCALE sum_i ds[i] q[i] and d_v = sum_i p[i] d_out[i], over queries i = key..T. Writes the k and v columns of d_qkv.
// With dropped, mask[i] KEPT stands before d_out in both.
// One invocation per key and head, four queries at a time, no shared memory: for software adapters; same bindings and shape
// constants as attention_backward_kv_tiled. `head` counts over the batch.
// Includes: heads_batch_vec4|heads_batch_scalar, heads_batch_grad_vec4|heads_batch_grad_scalar, dropped|dropped_none.
// Bindings: d_out read (B, T, H, HD), qkv read (B, T, 3, H, HD), lse read (B H, T), delta read (B H, T),
// d_qkv read_write (B, T, 3, H, HD), [mask read].
// Constants: T, H, HD, SCALE (f32, 1/sqrt(HD)), WG_X, [KEPT].
// Grid: (ceil(T / WG_X), B H, 1) workgroups of WG_X.
// Source: Dao 2023, "FlashAttention-2", algorithm 2.

@compute @workgroup_size(WG_X)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let key = id.x;
    let head = id.y;
    if (key >= T) { return; }
    var k: array<vec4f, HD4>;
    var v: array<vec4f, HD4>;
    var d_k: array<vec4f, HD4>;
    var d_v: array<vec4f, HD4>;
    for (var i = 0u; i < HD4; i++) {
        k[i] = SCALE * load_qkv4(key, 1u, head, i);
        v[i] = load_qkv4(key, 2u, head, i);
        d_k[i] = vec4f();
        d_v[i] = vec4f();
    }
    for (var j = key; j < T; j += 4u) {
        // Queries beyond the last repeat it and get weight 0.
        let row = min(vec4u(j, j + 1u, j + 2u, j + 3u), vec4u(T - 1u));
        var s = vec4f();
        var dp = vec4f();
        for (var i = 0u; i < HD4; i++) {
            let x = k[i];
            let y = v[i];
            s += vec4f(dot(x, load_qkv4(row.x, 0u, head, i)), dot(x, load_qkv4(row.y, 0u, head, i)),
                       dot(x, load_qkv4(row.z, 0u, head, i)), dot(x, load_qkv4(row.w, 0u, head, i)));
            dp += vec4f(dot(y, load_d_out4(row.x, head, i)), dot(y, load_d_out4(row.y, head, i)),
                        dot(y, load_d_out4(row.z, head, i)), dot(y, load_d_out4(row.w, head, i)));
        }
        let at = head * T + row;
        let real = vec4u(j, j + 1u, j + 2u, j + 3u) < vec4u(T);
        let p = select(vec4f(), exp(s - vec4f(lse[at.x], lse[at.y], lse[at.z], lse[at.w])), real);
        let bits = mask_rows4(head, row, key);
        let ds = p * (dropped4(dp, bits) - vec4f(delta[at.x], delta[at.y], delta[at.z], delta[at.w]));
        let w = dropped4(p, bits);
        for (var i = 0u; i < HD4; i++) {
            d_k[i] += ds.x * load_qkv4(row.x, 0u, head, i) + ds.y * load_qkv4(row.y, 0u, head, i)
                    + ds.z * load_qkv4(row.z, 0u, head, i) + ds.w * load_qkv4(row.w, 0u, head, i);
            d_v[i] += w.x * load_d_out4(row.x, head, i) + w.y * load_d_out4(row.y, head, i)
                    + w.z * load_d_out4(row.z, head, i) + w.w * load_d_out4(row.w, head, i);
        }
    }
    for (var i = 0u; i < HD4; i++) {
        store_d_qkv4(key, 1u, head, i, SCALE * d_k[i]);
        store_d_qkv4(key, 2u, head, i, d_v[i]);
    }
}
