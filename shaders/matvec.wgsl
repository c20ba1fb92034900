// c = act(a·B + bias) + residual (or c += that), a (1, K), B (K, N), c (1, N): decoding one token.
// An invocation sums four columns over every SPLIT_K-th group of four rows; split_k adds those up in shared memory.
// Includes: a_vec4|a_scalar, b_vec4|b_scalar, c_vec4|c_scalar, bias|bias_none, residual|residual_none, activation, epilogue, blocks,
// split_k, or for SPLIT_K = 1 split_k_none.
// Bindings: a read, b read, [bias read], [residual read], c read_write.
// Constants: M = 1, N, K, LDA, LDB, LDC, C_COL, A_TRANS = false, B_TRANS = false, ACT, ACCUMULATE, WG_X, SPLIT_K.
// Grid: (ceil(N / (4 WG_X)), 1, 1) workgroups of WG_X x SPLIT_K.
// Source: row-split GEMV, as in Bell and Garland 2009, "Implementing Sparse Matrix-Vector Multiplication on Throughput-Oriented Processors".

const TILE_M: u32 = 1u;
const TILE_N: u32 = 4u;
const TILE_K: u32 = 4u;

@compute @workgroup_size(WG_X, SPLIT_K)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let n = (group.x * WG_X + local.x) * 4u;
    var acc = vec4f();
    if (n < N) {
        for (var k = local.y * 4u; k < K; k += SPLIT_K * 4u) {
            acc += load_b_block(k, n) * load_a4(0u, k);
        }
    }
    let total = sum_split_k(local.x, local.y, acc);
    if (local.y == 0u) { epilogue4(0u, n, total); }
}
