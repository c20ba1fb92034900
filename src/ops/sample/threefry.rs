//! Threefry-2x32-20, a counter-based random generator: the same numbers on CPU and GPU, whatever the order of drawing.
//!
//! Source: Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".

const ROTATIONS: [u32; 8] = [13, 15, 26, 6, 17, 29, 16, 24];

/// 64 random bits for a key and a counter.
pub(super) fn threefry(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    let keys = [key[0], key[1], 0x1BD1_1BDA ^ key[0] ^ key[1]];
    let mut x = [counter[0].wrapping_add(keys[0]), counter[1].wrapping_add(keys[1])];
    for round in 0..20 {
        x[0] = x[0].wrapping_add(x[1]);
        x[1] = x[1].rotate_left(ROTATIONS[round % 8]) ^ x[0];
        if round % 4 == 3 {
            let s = round / 4 + 1;
            x[0] = x[0].wrapping_add(keys[s % 3]);
            x[1] = x[1].wrapping_add(keys[(s + 1) % 3]).wrapping_add(s as u32);
        }
    }
    x
}

/// `threefry` of the counters `(first, high), (first + 1, high), …`, two words each into `out`, `2 N` words long. The
/// counters go side by side, so that the compiler can use vectors.
pub(crate) fn threefry_block<const N: usize>(key: [u32; 2], first: u32, high: u32, out: &mut [u32]) {
    let keys = [key[0], key[1], 0x1BD1_1BDA ^ key[0] ^ key[1]];
    let mut x: [u32; N] = std::array::from_fn(|i| first.wrapping_add(i as u32).wrapping_add(keys[0]));
    let mut y = [high.wrapping_add(keys[1]); N];
    for group in 0..5 {
        for round in 0..4 {
            let by = ROTATIONS[group % 2 * 4 + round];
            for i in 0..N {
                x[i] = x[i].wrapping_add(y[i]);
                y[i] = y[i].rotate_left(by) ^ x[i];
            }
        }
        let (a, b) = (keys[(group + 1) % 3], keys[(group + 2) % 3].wrapping_add(group as u32 + 1));
        for i in 0..N {
            x[i] = x[i].wrapping_add(a);
            y[i] = y[i].wrapping_add(b);
        }
    }
    for (out, (x, y)) in out.chunks_exact_mut(2).zip(x.into_iter().zip(y)) {
        out.copy_from_slice(&[x, y]);
    }
}

/// No Gumbel variate is larger, since u is at most 1 - 2^-24.
pub(super) const GUMBEL_MAX: f32 = 16.7;

/// A standard Gumbel variate, -ln(-ln u) for u in (0, 1) from 23 of the bits.
pub(super) fn gumbel(bits: u32) -> f32 {
    let u = ((bits >> 9) as f32 + 0.5) * (1.0 / 8_388_608.0);
    // -ln u for u near 1 by its series: shaders' log is only absolutely accurate there, and the large variates, those
    // that decide, come from there.
    let exponential = if u > 0.5 {
        let s = (1.0 - u) / (1.0 + u);
        let q = s * s;
        2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (0.2 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0))))))
    } else {
        -u.ln()
    };
    -exponential.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers of the authors' library.
    #[test]
    fn known_answers() {
        assert_eq!(threefry([0; 2], [0; 2]), [0x6b20_0159, 0x99ba_4efe]);
        assert_eq!(threefry([u32::MAX; 2], [u32::MAX; 2]), [0x1cb9_96fc, 0xbb00_2be7]);
        assert_eq!(threefry([0x1319_8a2e, 0x0370_7344], [0x243f_6a88, 0x85a3_08d3]), [0xc492_3a9c, 0x483d_f7a0]);
    }

    #[test]
    fn blocks_are_the_same_numbers() {
        let (key, high) = ([5, 0xDEAD_BEEF], 77 << 16);
        for first in [0, 1234, u32::MAX - 3] {
            let mut block = [0; 16];
            threefry_block::<8>(key, first, high, &mut block);
            for (i, pair) in block.chunks_exact(2).enumerate() {
                assert_eq!(pair, threefry(key, [first.wrapping_add(i as u32), high]));
            }
        }
    }

    #[test]
    fn gumbel_is_accurate_and_bounded() {
        for bits in (0..=u32::MAX - 511).step_by(65_521).chain([u32::MAX]) {
            let u = (f64::from(bits >> 9) + 0.5) / 8_388_608.0;
            let want = -(-u.ln()).ln();
            let got = gumbel(bits);
            assert!((f64::from(got) - want).abs() < 2e-6 * want.abs().max(1.0), "{u}: {got} instead of {want}");
            assert!(got < GUMBEL_MAX);
        }
    }
}
