// 4x4 blocks of the operands of a matrix product, in one orientation whatever the storage:
// A_TRANS: a is stored (K, M), else (M, K). B_TRANS: b is stored (N, K), else (K, N).
// Needs TILE_M, TILE_N and TILE_K (what one step of the kernel covers): where they divide the matrix, no bound is checked.

const A_ROWS = select(M, K, A_TRANS);
const A_COLS = select(K, M, A_TRANS);
const B_ROWS = select(K, N, B_TRANS);
const B_COLS = select(N, K, B_TRANS);
const A_ROWS_FIT = A_ROWS % select(TILE_M, TILE_K, A_TRANS) == 0u;
const A_COLS_FIT = A_COLS % select(TILE_K, TILE_M, A_TRANS) == 0u;
const B_ROWS_FIT = B_ROWS % select(TILE_K, TILE_N, B_TRANS) == 0u;
const B_COLS_FIT = B_COLS % select(TILE_N, TILE_K, B_TRANS) == 0u;

// Column i of the block is A[m..m+4, k+i], zero outside.
fn load_a_block(m: u32, k: u32) -> mat4x4f {
    if (A_TRANS) {
        return mat4x4f(load_a4(k, m), load_a4(k + 1u, m), load_a4(k + 2u, m), load_a4(k + 3u, m));
    }
    return transpose(mat4x4f(load_a4(m, k), load_a4(m + 1u, k), load_a4(m + 2u, k), load_a4(m + 3u, k)));
}

// Column i of the block is B[k+i, n..n+4], zero outside.
fn load_b_block(k: u32, n: u32) -> mat4x4f {
    if (B_TRANS) {
        return transpose(mat4x4f(load_b4(n, k), load_b4(n + 1u, k), load_b4(n + 2u, k), load_b4(n + 3u, k)));
    }
    return mat4x4f(load_b4(k, n), load_b4(k + 1u, n), load_b4(k + 2u, n), load_b4(k + 3u, n));
}
