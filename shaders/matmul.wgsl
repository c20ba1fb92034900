// c = act(A·B + bias) + residual (or c += that), A (M, K), B (K, N), c (M, N): 8x4 outputs per invocation in registers, no shared memory.
// For software adapters, where a barrier costs more than it saves; same bindings and constants as matmul_tiled.
// Includes: a_vec4|a_scalar, b_vec4|b_scalar, c_vec4|c_scalar, bias|bias_none, residual|residual_none, activation, epilogue, blocks.
// Bindings: a read, b read, [bias read], [residual read], c read_write.
// Constants: M, N, K, LDA, LDB, LDC, C_COL, A_TRANS, B_TRANS, ACT, ACCUMULATE, WG_X, WG_Y.
// Grid: (ceil(N / (4 WG_X)), ceil(M / (8 WG_Y)), 1) workgroups of WG_X x WG_Y.
// Source: register blocking as in Goto and van de Geijn 2008, "Anatomy of High-Performance Matrix Multiplication".

const TILE_M: u32 = 8u;
const TILE_N: u32 = 4u;
const TILE_K: u32 = 4u;

@compute @workgroup_size(WG_X, WG_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let n = id.x * TILE_N;
    let m = id.y * TILE_M;
    if (n >= N || m >= M) { return; }
    // p and q: columns are the rows m..m+4 and m+4..m+8 of c.
    var p = mat4x4f();
    var q = mat4x4f();
    for (var k = 0u; k < K; k += TILE_K) {
        let b = load_b_block(k, n);
        p += b * transpose(load_a_block(m, k));
        q += b * transpose(load_a_block(m + 4u, k));
    }
    epilogue4(m, n, p[0]);
    epilogue4(m + 1u, n, p[1]);
    epilogue4(m + 2u, n, p[2]);
    epilogue4(m + 3u, n, p[3]);
    epilogue4(m + 4u, n, q[0]);
    epilogue4(m + 5u, n, q[1]);
    epilogue4(m + 6u, n, q[2]);
    epilogue4(m + 7u, n, q[3]);
}
