// y = keep ? SCALE x : 0, LEN elements. Elements 2 i and 2 i + 1 are dropped if the first and second word of Threefry-2x32 with
// key (seed low, seed high ^ SALT) and counter (i, 65536 step + micro-batch) are below THRESHOLD = p 2^32; SCALE = 1 / (1 - p).
// Includes: hyper, threefry.
// Bindings: x read, hyper read, y read_write.
// Constants: LEN, SALT, THRESHOLD, SCALE, GRID_X.
// Grid: ceil(LEN / 128) workgroups of 64, two elements each, folded.
// Source: Srivastava et al. 2014, "Dropout"; Salmon et al. 2011 for the generator.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let pair = (group.y * GRID_X + group.x) * 64u + lane;
    let i = pair * 2u;
    if (i >= LEN) { return; }
    let key = vec2u(hyper[SEED_LOW], hyper[SEED_HIGH] ^ SALT);
    let random = threefry(key, vec2u(pair, hyper[STEP] * 65536u + hyper[MICRO]));
    y[i] = select(SCALE * x[i], 0.0, random.x < THRESHOLD);
    if (i + 1u < LEN) { y[i + 1u] = select(SCALE * x[i + 1u], 0.0, random.y < THRESHOLD); }
}
