// Threefry-2x32-20 (Salmon et al. 2011) and Gumbel variates from it: the same numbers as on the CPU.

fn rotate_left(x: u32, n: u32) -> u32 {
    return (x << n) | (x >> (32u - n));
}

fn threefry(key: vec2u, counter: vec2u) -> vec2u {
    let k2 = 0x1BD11BDAu ^ key.x ^ key.y;
    var keys = array<u32, 3>(key.x, key.y, k2);
    var rotations = array<u32, 8>(13u, 15u, 26u, 6u, 17u, 29u, 16u, 24u);
    var x = counter + key;
    for (var round = 0u; round < 20u; round++) {
        x.x += x.y;
        x.y = rotate_left(x.y, rotations[round % 8u]) ^ x.x;
        if (round % 4u == 3u) {
            let s = round / 4u + 1u;
            x.x += keys[s % 3u];
            x.y += keys[(s + 1u) % 3u] + s;
        }
    }
    return x;
}

// No Gumbel variate is larger.
const GUMBEL_MAX: f32 = 16.7;

// -ln(-ln u) for u in (0, 1) from 23 bits. Near 1 the inner logarithm goes by its series: WGSL's log is only absolutely
// accurate there, and the large variates, those that decide, come from there.
fn gumbel(bits: u32) -> f32 {
    let u = (f32(bits >> 9u) + 0.5) / 8388608.0;
    var exponential = -log(u);
    if (u > 0.5) {
        let s = (1.0 - u) / (1.0 + u);
        let q = s * s;
        exponential = 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (0.2 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0))))));
    }
    return -log(exponential);
}
