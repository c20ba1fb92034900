// The dropout mask of causal attention, one bit for each probability, 1 is kept: bit j % 32 of word j / 32 of row head T + t is that
// of key j for query t. Words wholly behind the query are 0. Word w takes the halves (low first) of what Threefry-2x32 gives for key
// (seed low, seed high ^ SALT) and counters (8 w.., 65536 step + micro-batch); halves below THRESHOLD = p 2^16 are dropped.
// Includes: hyper, threefry.
// Bindings: hyper read, mask read_write (B H T, WORDS).
// Constants: LEN = B H T WORDS, T, WORDS = ceil(T / 32), SALT, THRESHOLD, GRID_X.
// Grid: ceil(LEN / 64) workgroups of 64, folded.
// Source: Srivastava et al. 2014, "Dropout"; Salmon et al. 2011 for the generator.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let word = (group.y * GRID_X + group.x) * 64u + lane;
    if (word >= LEN) { return; }
    var bits = 0u;
    if (word % WORDS * 32u <= word / WORDS % T) {
        let key = vec2u(hyper[SEED_LOW], hyper[SEED_HIGH] ^ SALT);
        let counter = hyper[STEP] * 65536u + hyper[MICRO];
        for (var block = 0u; block < 8u; block++) {
            let random = threefry(key, vec2u(8u * word + block, counter));
            let halves = vec4u(random.x & 0xffffu, random.x >> 16u, random.y & 0xffffu, random.y >> 16u);
            let kept = select(vec4u(), vec4u(1u, 2u, 4u, 8u), halves >= vec4u(THRESHOLD));
            bits |= (kept.x | kept.y | kept.z | kept.w) << (4u * block);
        }
    }
    mask[word] = bits;
}
