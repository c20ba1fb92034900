// Gradient of causal attention by its queries: with p[j] = exp(SCALE q·k[j] - lse), delta = sum(d_out * out) and
// ds[j] = p[j] (d_out·v[j] - delta), d_q = SCALE sum_j ds[j] k[j], j = 0..=row. Writes the q columns of d_qkv, and delta. With dropped,
// ds[j] = p[j] (mask[j] KEPT d_out·v[j] - delta).
// One invocation per query and head, four keys at a time, no shared memory: for software adapters; same bindings and shape
// constants as attention_backward_q_tiled. `head` counts over the batch.
// Includes: heads_batch_vec4|heads_batch_scalar, heads_batch_grad_vec4|heads_batch_grad_scalar, heads_batch_delta, dropped|dropped_none.
// Bindings: d_out read (B, T, H, HD), qkv read (B, T, 3, H, HD), out read (B, T, H, HD), lse read (B H, T),
// d_qkv read_write (B, T, 3, H, HD), delta read_write (B H, T), [mask read].
// Constants: T, H, HD, SCALE (f32, 1/sqrt(HD)), WG_X, [KEPT].
// Grid: (ceil(T / WG_X), B H, 1) workgroups of WG_X.
// Source: Dao 2023, "FlashAttention-2", algorithm 2.

@compute @workgroup_size(WG_X)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let row = id.x;
    let head = id.y;
    if (row >= T) { return; }
    var q: array<vec4f, HD4>;
    var d: array<vec4f, HD4>;
    var acc: array<vec4f, HD4>;
    var own_delta = 0.0;
    for (var i = 0u; i < HD4; i++) {
        q[i] = SCALE * load_qkv4(row, 0u, head, i);
        d[i] = load_d_out4(row, head, i);
        acc[i] = vec4f();
        own_delta += delta_of_slot(row, head, i);
    }
    let own_lse = lse[head * T + row];
    for (var j = 0u; j <= row; j += 4u) {
        // Keys beyond the last repeat it and get weight 0.
        let key = min(vec4u(j, j + 1u, j + 2u, j + 3u), vec4u(row));
        var s = vec4f();
        var dp = vec4f();
        for (var i = 0u; i < HD4; i++) {
            let x = q[i];
            let y = d[i];
            s += vec4f(dot(x, load_qkv4(key.x, 1u, head, i)), dot(x, load_qkv4(key.y, 1u, head, i)),
                       dot(x, load_qkv4(key.z, 1u, head, i)), dot(x, load_qkv4(key.w, 1u, head, i)));
            dp += vec4f(dot(y, load_qkv4(key.x, 2u, head, i)), dot(y, load_qkv4(key.y, 2u, head, i)),
                        dot(y, load_qkv4(key.z, 2u, head, i)), dot(y, load_qkv4(key.w, 2u, head, i)));
        }
        let seen = vec4u(j, j + 1u, j + 2u, j + 3u) <= vec4u(row);
        let dp_kept = dropped4(dp, mask_keys4(head, row, j));
        let ds = select(vec4f(), exp(s - own_lse) * (dp_kept - own_delta), seen);
        for (var i = 0u; i < HD4; i++) {
            acc[i] += ds.x * load_qkv4(key.x, 1u, head, i) + ds.y * load_qkv4(key.y, 1u, head, i)
                    + ds.z * load_qkv4(key.z, 1u, head, i) + ds.w * load_qkv4(key.w, 1u, head, i);
        }
    }
    for (var i = 0u; i < HD4; i++) { store_d_qkv4(row, 0u, head, i, SCALE * acc[i]); }
    delta[head * T + row] = own_delta;
}
