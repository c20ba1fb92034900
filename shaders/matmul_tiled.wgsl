// c = act(A·B + bias) + residual (or c += that), A (M, K), B (K, N), c (M, N): tiles in shared memory, 4x4 outputs per invocation.
// For hardware GPUs; same bindings and constants as matmul.
// Includes: a_vec4|a_scalar, b_vec4|b_scalar, c_vec4|c_scalar, bias|bias_none, residual|residual_none, activation, epilogue, blocks.
// Bindings: a read, b read, [bias read], [residual read], c read_write.
// Constants: M, N, K, LDA, LDB, LDC, C_COL, A_TRANS, B_TRANS, ACT, ACCUMULATE, WG_X, WG_Y (16, 16 or, for few outputs, 8, 8).
// Grid: (ceil(N / (4 WG_X)), ceil(M / (4 WG_Y)), 1) workgroups of WG_X x WG_Y.
// Source: Volkov and Demmel 2008, "Benchmarking GPUs to Tune Dense Linear Algebra".

const TILE_M: u32 = 4u * WG_Y;
const TILE_N: u32 = 4u * WG_X;
const TILE_K: u32 = 16u;
const THREADS: u32 = WG_X * WG_Y;
// Row strides in vec4; one more than needed, so that writing a column of blocks spreads over the banks.
const STRIDE_A: u32 = WG_Y + 1u;
const STRIDE_B: u32 = WG_X + 1u;

var<workgroup> tile_a: array<vec4f, TILE_K * STRIDE_A>;
var<workgroup> tile_b: array<vec4f, TILE_K * STRIDE_B>;

// Which 4x4 block of a tile `width` blocks wide the i-th load fetches, as (block along k, block along m or n): neighbouring
// invocations read neighbouring memory in either orientation.
fn block_at(i: u32, width: u32, k_is_contiguous: bool) -> vec2u {
    if (k_is_contiguous) { return vec2u(i % (TILE_K / 4u), i / (TILE_K / 4u)); }
    return vec2u(i / width, i % width);
}

@compute @workgroup_size(WG_X, WG_Y)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) thread: u32) {
    let tile_m = group.y * TILE_M;
    let tile_n = group.x * TILE_N;
    // Column i is row i of this invocation's 4x4 outputs.
    var acc = mat4x4f();
    for (var k0 = 0u; k0 < K; k0 += TILE_K) {
        // The blocks of both tiles are one list: A's come first.
        for (var i = thread; i < (WG_X + WG_Y) * (TILE_K / 4u); i += THREADS) {
            if (i < WG_Y * (TILE_K / 4u)) {
                let at = block_at(i, WG_Y, !A_TRANS);
                let block = load_a_block(tile_m + 4u * at.y, k0 + 4u * at.x);
                let to = 4u * at.x * STRIDE_A + at.y;
                tile_a[to] = block[0];
                tile_a[to + STRIDE_A] = block[1];
                tile_a[to + 2u * STRIDE_A] = block[2];
                tile_a[to + 3u * STRIDE_A] = block[3];
            } else {
                let at = block_at(i - WG_Y * (TILE_K / 4u), WG_X, B_TRANS);
                let block = load_b_block(k0 + 4u * at.x, tile_n + 4u * at.y);
                let to = 4u * at.x * STRIDE_B + at.y;
                tile_b[to] = block[0];
                tile_b[to + STRIDE_B] = block[1];
                tile_b[to + 2u * STRIDE_B] = block[2];
                tile_b[to + 3u * STRIDE_B] = block[3];
            }
        }
        workgroupBarrier();
        for (var k = 0u; k < TILE_K; k++) {
            let a4 = tile_a[k * STRIDE_A + local.y];
            let b4 = tile_b[k * STRIDE_B + local.x];
            acc[0] += a4.x * b4;
            acc[1] += a4.y * b4;
            acc[2] += a4.z * b4;
            acc[3] += a4.w * b4;
        }
        workgroupBarrier();
    }
    let m = tile_m + 4u * local.y;
    let n = tile_n + 4u * local.x;
    epilogue4(m, n, acc[0]);
    epilogue4(m + 1u, n, acc[1]);
    epilogue4(m + 2u, n, acc[2]);
    epilogue4(m + 3u, n, acc[3]);
}
