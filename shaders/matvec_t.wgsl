// c = act(a·Bᵀ + bias) + residual (or c += that), a (1, K), B (N, K), c (1, N): the tied output head of one token.
// An invocation takes four rows of B over every SPLIT_K-th group of four columns; neighbours read neighbouring columns of the same rows.
// Includes: a_vec4|a_scalar, b_vec4|b_scalar, c_vec4|c_scalar, bias|bias_none, residual|residual_none, activation, epilogue, blocks,
// split_k, or for SPLIT_K = 1 split_k_none.
// Bindings: a read, b read, [bias read], [residual read], c read_write.
// Constants: M = 1, N, K, LDA, LDB, LDC, C_COL, A_TRANS = false, B_TRANS = true, ACT, ACCUMULATE, WG_X, SPLIT_K.
// Grid: (ceil(N / (4 WG_X)), 1, 1) workgroups of SPLIT_K x WG_X.
// Source: as matvec.wgsl (Bell and Garland 2009), with one row of B for each output.

const TILE_M: u32 = 1u;
const TILE_N: u32 = 4u;
const TILE_K: u32 = 4u;

@compute @workgroup_size(SPLIT_K, WG_X)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let n = (group.x * WG_X + local.y) * 4u;
    var acc = vec4f();
    if (n < N) {
        for (var k = local.x * 4u; k < K; k += SPLIT_K * 4u) {
            let x = load_a4(0u, k);
            acc += vec4f(dot(load_b4(n, k), x), dot(load_b4(n + 1u, k), x), dot(load_b4(n + 2u, k), x), dot(load_b4(n + 3u, k), x));
        }
    }
    let total = sum_split_k(local.y, local.x, acc);
    if (local.x == 0u) { epilogue4(0u, n, total); }
}
