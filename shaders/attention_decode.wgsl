// Attention of one new token at position pos: appends its k and v to the cache, then out[h] = sum_j softmax_j(SCALE q[h]·k[h, j]) v[h, j], j = 0..=pos.
// One workgroup per head: its invocations share the keys of a block of 4 THREADS, then the value sums, HD / 4 of them side by side.
// The token's own k and v are taken from qkv, never read back from the cache. Where n is 0 or pos beyond the cache, nothing is appended
// and out becomes zero.
// A score that is not finite makes out NaN.
// Includes: finite, heads_vec4|heads_scalar, append_vec4|append_scalar.
// Bindings: qkv read (1, 3, H, HD), range read array<u32> [pos, n], kv read_write (2, H, CTX, HD), out read_write (1, H, HD).
// Constants: H, HD, CTX, SCALE (f32, 1/sqrt(HD)), THREADS (at least HD / 4).
// Grid: (H, 1, 1) workgroups of THREADS.
// Source: Milakov and Gimelshein 2018, "Online normalizer calculation for softmax"; key splitting as in Dao et al. 2023, "Flash-Decoding".

// Keys per block: four per invocation.
const BK: u32 = 4u * THREADS;
const GROUPS: u32 = THREADS / HD4;

var<workgroup> q_tile: array<vec4f, HD4>;
var<workgroup> weight: array<f32, BK>;
var<workgroup> thread_max: array<f32, THREADS>;
var<workgroup> partial: array<vec4f, THREADS>;
var<workgroup> partial_total: array<f32, GROUPS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_index) thread: u32) {
    let head = group_id.x;
    let pos = range[0];
    let i = thread % HD4;
    let group = thread / HD4;
    // The same for the whole workgroup, as the barriers below need.
    if (range[1] == 0u || pos >= CTX) {
        if (group == 0u) { store_out4(0u, head, i, vec4f()); }
        return;
    }
    if (group == 0u) {
        q_tile[i] = SCALE * load_qkv4(0u, 0u, head, i);
        store_kv4(0u, head, pos, i, load_qkv4(0u, 1u, head, i));
        store_kv4(1u, head, pos, i, load_qkv4(0u, 2u, head, i));
    }
    workgroupBarrier();

    // The token itself is the first term of every sum, so that the cache is read only where earlier steps wrote it.
    var maximum = 0.0;
    for (var d = 0u; d < HD4; d++) { maximum += dot(q_tile[d], load_qkv4(0u, 1u, head, d)); }
    var total = select(0.0, or_nan(1.0, maximum), group == 0u);
    var acc = select(vec4f(), load_qkv4(0u, 2u, head, i), group == 0u);
    for (var first = 0u; first < pos; first += BK) {
        // Keys at and beyond pos repeat the last one with weight 0: what the cache holds there may be anything, even NaN.
        let last = min(BK, pos - first) - 1u;
        let own = thread + THREADS * vec4u(0u, 1u, 2u, 3u);
        let key = first + min(own, vec4u(last));
        var s = vec4f();
        for (var d = 0u; d < HD4; d++) {
            let x = q_tile[d];
            s += vec4f(dot(x, load_kv4(0u, head, key.x, d)), dot(x, load_kv4(0u, head, key.y, d)),
                       dot(x, load_kv4(0u, head, key.z, d)), dot(x, load_kv4(0u, head, key.w, d)));
        }
        thread_max[thread] = max(max(s.x, s.y), max(s.z, s.w));
        workgroupBarrier();

        var new_maximum = maximum;
        for (var t = 0u; t < THREADS; t++) { new_maximum = max(new_maximum, thread_max[t]); }
        let correction = exp(maximum - new_maximum);
        maximum = new_maximum;
        let p = select(vec4f(), or_nan4(exp(s - maximum), s), own <= vec4u(last));
        weight[own.x] = p.x;
        weight[own.y] = p.y;
        weight[own.z] = p.z;
        weight[own.w] = p.w;
        workgroupBarrier();

        total *= correction;
        acc *= correction;
        if (group < GROUPS) {
            for (var k = group; k <= last; k += GROUPS) {
                total += weight[k];
                acc += weight[k] * load_kv4(1u, head, first + k, i);
            }
        }
        // The next block's first barrier keeps these reads apart from its writes of `weight`.
    }
    partial[thread] = acc;
    if (i == 0u && group < GROUPS) { partial_total[group] = total; }
    workgroupBarrier();

    if (group != 0u) { return; }
    for (var g = 1u; g < GROUPS; g++) {
        acc += partial[g * HD4 + i];
        total += partial_total[g];
    }
    store_out4(0u, head, i, acc / total);
}
