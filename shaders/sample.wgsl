// One decode step after the logits: chooses the next token, writes a record, advances the control block.
// adjusted = penalised logits / temperature; cut by top-k, top-p, min-p; id = argmax(adjusted + Gumbel), or argmax(adjusted)
// where the temperature is 0. No sort: thresholds by radix select on the floats' bits, mass in integers, so that the order
// of additions does not matter. The words of settings and control are those of src/ops/sample/words.rs.
// Where a logit is none that can be computed with, nothing is chosen: the text ends for that reason, FINISH_OVERFLOW.
// Includes: logit, threefry, pick.
// Bindings: logits read (V), settings read (16), control read_write, history read_write (CTX), adjusted read_write (V).
// Constants: V, CTX, THREADS (a power of two, at most STRIPES), LOGIT_MAX, FINISH_OVERFLOW, FIXED_ONE, RING_START, RING, RECORD, TOP.
// Grid: one workgroup of THREADS.
// Source: Holtzman et al. 2020 (top-p); Keskar et al. 2019 (repetition penalty); Maddison et al. 2014 (Gumbel-max).

// The vocabulary falls into this many interleaved stripes, id % STRIPES. A thread owns the stripes it walks over.
const STRIPES: u32 = 256u;
const OWN_STRIPES: u32 = STRIPES / THREADS;

var<workgroup> bins: array<atomic<u32>, 256>;
var<workgroup> chosen_bin: u32;
var<workgroup> chosen_need: u32;
var<workgroup> active_pos: vec2u;
var<workgroup> any_spoilt: u32;

// Floats as unsigned integers in the same order.
fn key_of(x: f32) -> u32 {
    let bits = bitcast<u32>(x);
    return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

fn setting(word: u32) -> f32 {
    return bitcast<f32>(settings[word]);
}

// The largest key such that what lies at and above it (of what lies at and above `floor_key`) weighs `wanted` or more.
// A token weighs 1, or with a unit its probability in integers.
fn select_key(wanted: u32, floor_key: u32, largest: f32, unit: f32, thread: u32) -> u32 {
    var prefix = 0u;
    var need = wanted;
    for (var round = 0u; round < 4u; round++) {
        let shift = 24u - 8u * round;
        for (var b = thread; b < 256u; b += THREADS) { atomicStore(&bins[b], 0u); }
        workgroupBarrier();
        for (var i = thread; i < V; i += THREADS) {
            let key = key_of(adjusted[i]);
            // In the first round there is no prefix; shifting by 32 would shift by nothing.
            let same = round == 0u || ((key >> shift) >> 8u) == prefix;
            if (key >= floor_key && same) {
                var weight = 1u;
                if (unit > 0.0) { weight = u32(exp(adjusted[i] - largest) * unit); }
                atomicAdd(&bins[(key >> shift) & 255u], weight);
            }
        }
        workgroupBarrier();
        if (thread == 0u) {
            var above = 0u;
            var b = 255u;
            while (b > 0u) {
                let weight = atomicLoad(&bins[b]);
                if (above + weight >= need) { break; }
                above += weight;
                b--;
            }
            chosen_bin = b;
            chosen_need = need - min(above, need);
        }
        prefix = (prefix << 8u) | workgroupUniformLoad(&chosen_bin);
        need = workgroupUniformLoad(&chosen_need);
    }
    return prefix;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) thread: u32) {
    if (thread == 0u) { active_pos = vec2u(control[1], min(control[0], CTX - 1u)); }
    let state = workgroupUniformLoad(&active_pos);
    if (state.x == 0u) {
        for (var i = thread; i < V; i += THREADS) { adjusted[i] = 0.0; }
        return;
    }
    let temperature = setting(0u);
    let penalty = setting(4u);
    let scale = select(1.0, 1.0 / temperature, temperature > 0.0);

    // Penalty and temperature.
    for (var i = thread; i < V; i += THREADS) {
        let x = logit_of(logits[i]);
        adjusted[i] = select(x * scale, SPOILT, x == SPOILT);
    }
    storageBarrier();
    if (penalty != 1.0) {
        // A token that occurs twice is written twice, with the same value.
        for (var p = thread; p <= state.y; p += THREADS) {
            let id = history[p];
            if (id < V) {
                let x = logit_of(logits[id]);
                let penalised = select(x * penalty, x / penalty, x > 0.0);
                adjusted[id] = select(penalised * scale, SPOILT, x == SPOILT);
            }
        }
        storageBarrier();
    }
    var own = NO_PICK;
    for (var i = thread; i < V; i += THREADS) {
        let candidate = Pick(adjusted[i], i);
        if (is_better(candidate, own)) { own = candidate; }
    }
    let likeliest = best_of_all(own, thread);
    var chosen = likeliest.id;
    if (thread == 0u) { any_spoilt = select(0u, 1u, likeliest.value == SPOILT); }
    if (workgroupUniformLoad(&any_spoilt) != 0u) {
        for (var i = thread; i < V; i += THREADS) { adjusted[i] = 0.0; }
        if (thread == 0u) {
            control[1] = 0u;
            control[5] = FINISH_OVERFLOW;
        }
        return;
    }

    if (temperature > 0.0) {
        // Cut-offs.
        var floor_key = 0u;
        if (settings[1] > 0u && settings[1] < V) { floor_key = select_key(settings[1], 0u, 0.0, 0.0, thread); }
        if (setting(2u) < 1.0) {
            var mass = 0.0;
            for (var i = thread; i < V; i += THREADS) {
                if (key_of(adjusted[i]) >= floor_key) { mass += exp(adjusted[i] - likeliest.value); }
            }
            let unit = FIXED_ONE / sum_of_all(mass, thread);
            // The likeliest stays, however little is asked for.
            let need = max(1u, u32(setting(2u) * FIXED_ONE));
            floor_key = max(floor_key, select_key(need, floor_key, likeliest.value, unit, thread));
        }
        var least = -3.0e38;
        if (setting(3u) > 0.0) { least = likeliest.value + log(setting(3u)); }

        // The Gumbel-max trick. What cannot win needs no random number.
        let step = control[3];
        var best = NO_PICK;
        for (var i = thread; i < V; i += THREADS) {
            let a = adjusted[i];
            if (a + GUMBEL_MAX > best.value && key_of(a) >= floor_key && a >= least) {
                let drawn = Pick(a + gumbel(threefry(vec2u(settings[5], settings[6]), vec2u(i, step)).x), i);
                if (is_better(drawn, best)) { best = drawn; }
            }
        }
        chosen = best_of_all(best, thread).id;
    }
    chosen = min(chosen, V - 1u);

    // The record: figures of the raw distribution.
    let slot = RING_START + control[3] % RING * RECORD;
    let x = logits[chosen];
    var likelier = 0.0;
    var stripe_best: array<Pick, OWN_STRIPES>;
    for (var j = 0u; j < OWN_STRIPES; j++) { stripe_best[j] = NO_PICK; }
    for (var i = thread; i < V; i += THREADS) {
        let y = logits[i];
        if (y > x || (y == x && i < chosen)) { likelier += 1.0; }
        let j = i % STRIPES / THREADS;
        if (y > stripe_best[j].value) { stripe_best[j] = Pick(y, i); }
    }
    own = NO_PICK;
    for (var j = 0u; j < OWN_STRIPES; j++) {
        if (is_better(stripe_best[j], own)) { own = stripe_best[j]; }
    }
    var previous = best_of_all(own, thread);
    let rank = sum_of_all(likelier, thread);
    let largest = previous.value;
    var sum = 0.0;
    var weighted = 0.0;
    for (var i = thread; i < V; i += THREADS) {
        let d = logits[i] - largest;
        let e = exp(d);
        sum += e;
        weighted += e * d;
    }
    sum = sum_of_all(sum, thread);
    weighted = sum_of_all(weighted, thread);
    let log_sum = log(sum);
    // The ten likeliest, one after another. The next is the best of the stripes once the last one's stripe, all threads
    // together, has been searched for the best that comes after it.
    for (var k = 0u; k < TOP; k++) {
        if (thread == 0u) {
            control[slot + 4u + k] = previous.id;
            control[slot + 4u + TOP + k] = bitcast<u32>(previous.value - largest - log_sum);
        }
        let stripe = previous.id % STRIPES;
        own = NO_PICK;
        for (var i = stripe + thread * STRIPES; i < V; i += THREADS * STRIPES) {
            let candidate = Pick(logits[i], i);
            if (is_better(previous, candidate) && is_better(candidate, own)) { own = candidate; }
        }
        let replacement = best_of_all(own, thread);
        if (stripe % THREADS == thread) { stripe_best[stripe / THREADS] = replacement; }
        own = NO_PICK;
        for (var j = 0u; j < OWN_STRIPES; j++) {
            if (is_better(stripe_best[j], own)) { own = stripe_best[j]; }
        }
        previous = best_of_all(own, thread);
    }
    if (thread != 0u) { return; }
    control[slot] = chosen;
    control[slot + 1u] = bitcast<u32>(x - largest - log_sum);
    control[slot + 2u] = bitcast<u32>(log_sum - weighted / sum);
    control[slot + 3u] = u32(rank);

    // Feed the token to the next step, or finish.
    let next = state.y + 1u;
    if (next < CTX) { history[next] = chosen; }
    control[0] = next;
    control[2] = chosen;
    control[3] += 1u;
    control[4] -= min(control[4], 1u);
    var finish = 0u;
    if (chosen == settings[7]) { finish = 1u; }
    else if (control[4] == 0u) { finish = 2u; }
    else if (next >= CTX) { finish = 3u; }
    if (finish > 0u) {
        control[1] = 0u;
        control[5] = finish;
    }
}
