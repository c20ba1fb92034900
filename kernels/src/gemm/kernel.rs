//! The register tile and the loops around it.
use super::pack::{pack_columns, pack_rows};
use super::{Gemm, Layout};
use crate::simd::{F32x4, Simd, dispatch};

/// Depth of a packed block. A panel of B of this depth (16 KiB in wasm, 24 KiB with AVX2) stays in the L1 cache.
pub const KC: usize = 512;

/// The tile's size in registers, and the tile with these sizes.
pub trait Tile: Simd {
    /// Rows of the tile.
    const MR: usize;
    /// Columns of the tile, a multiple of `LANES`.
    const NR: usize;
    /// See [`tile`].
    ///
    /// # Safety
    /// As [`tile`].
    unsafe fn run(kc: usize, a: *const f32, b: *const f32, c: *mut f32, ldc: usize, mr: usize, nr: usize, add: bool);
}

macro_rules! tile_sizes {
    ($v:ty, $mr:literal, $nv:literal) => {
        impl Tile for $v {
            const MR: usize = $mr;
            const NR: usize = $nv * <$v>::LANES;
            #[inline(always)]
            unsafe fn run(
                kc: usize,
                a: *const f32,
                b: *const f32,
                c: *mut f32,
                ldc: usize,
                mr: usize,
                nr: usize,
                add: bool,
            ) {
                // SAFETY: as the caller vouches.
                unsafe { tile::<$v, $mr, $nv>(kc, a, b, c, ldc, mr, nr, add) }
            }
        }
    };
}

// Sixteen registers hold the accumulators, one row of B and one element of A (and, without FMA, a product).
tile_sizes!(F32x4, 4, 2);
#[cfg(target_arch = "x86_64")]
tile_sizes!(crate::simd::F32x8, 6, 2);

/// `c[0..mr][0..nr] (+)= Σ_k a[k][i] · b[k][j]`, a full tile computed and its first `mr` rows and `nr` columns stored.
///
/// # Safety
/// `a` and `b` must hold `kc` rows of `MR` and `NV * LANES` floats, `c` the stored part at row stride `ldc`.
#[inline(always)]
unsafe fn tile<V: Simd, const MR: usize, const NV: usize>(
    kc: usize,
    mut a: *const f32,
    mut b: *const f32,
    c: *mut f32,
    ldc: usize,
    mr: usize,
    nr: usize,
    add: bool,
) {
    let lanes = V::LANES;
    let mut acc = [[V::splat(0.0); NV]; MR];
    macro_rules! step {
        ($u:expr) => {
            let mut row = [V::splat(0.0); NV];
            for j in 0..NV {
                row[j] = V::load(b.add(($u * NV + j) * lanes));
            }
            for i in 0..MR {
                let x = V::splat(*a.add($u * MR + i));
                for j in 0..NV {
                    acc[i][j] = x.mul_add(row[j], acc[i][j]);
                }
            }
        };
    }
    // SAFETY: kc rows of both panels are readable, and only the stored part of C is touched.
    unsafe {
        for _ in 0..kc / 4 {
            step!(0);
            step!(1);
            step!(2);
            step!(3);
            a = a.add(4 * MR);
            b = b.add(4 * NV * lanes);
        }
        for _ in 0..kc % 4 {
            step!(0);
            a = a.add(MR);
            b = b.add(NV * lanes);
        }
        if mr == MR && nr == NV * lanes {
            for i in 0..MR {
                for j in 0..NV {
                    let p = c.add(i * ldc + j * lanes);
                    let v = if add { V::load(p).add(acc[i][j]) } else { acc[i][j] };
                    v.store(p);
                }
            }
        } else {
            let mut whole = [[0.0f32; 32]; MR];
            for i in 0..MR {
                for j in 0..NV {
                    acc[i][j].store(whole[i].as_mut_ptr().add(j * lanes));
                }
            }
            for i in 0..mr {
                for j in 0..nr {
                    let p = c.add(i * ldc + j);
                    *p = if add { *p + whole[i][j] } else { whole[i][j] };
                }
            }
        }
    }
}

#[inline(always)]
fn shape_of<V: Tile>() -> (usize, usize) {
    (V::MR, V::NR)
}

/// The block `[m0, m1) x [n0, n1)` of `shape` over `[k0, k1)`; `k0` must be a multiple of [`KC`].
#[inline(always)]
fn block<V: Tile>(
    g: &Gemm,
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
    pa: &mut [f32],
    pb: &mut [f32],
    m: [usize; 2],
    n: [usize; 2],
    k: [usize; 2],
) {
    let mut k0 = k[0];
    loop {
        let k1 = (k0 + KC).min(k[1]);
        let kc = k1 - k0;
        match g.layout {
            Layout::NN | Layout::TN => pack_rows(b, g.ldb, n, [k0, k1], V::NR, pb),
            Layout::NT => pack_columns(b, g.ldb, n, [k0, k1], V::NR, pb),
        }
        match g.layout {
            Layout::NN | Layout::NT => pack_columns(a, g.lda, m, [k0, k1], V::MR, pa),
            Layout::TN => pack_rows(a, g.lda, m, [k0, k1], V::MR, pa),
        }
        let add = g.accumulate || k0 > 0;
        for (jp, j) in (n[0]..n[1]).step_by(V::NR).enumerate() {
            for (ip, i) in (m[0]..m[1]).step_by(V::MR).enumerate() {
                let (mr, nr) = (V::MR.min(m[1] - i), V::NR.min(n[1] - j));
                debug_assert!((i + mr - 1) * g.ldc + j + nr <= c.len());
                // SAFETY: the packers filled these panels, and Gemm::check has measured C.
                unsafe {
                    let (ap, bp) = (pa.as_ptr().add(ip * V::MR * kc), pb.as_ptr().add(jp * V::NR * kc));
                    V::run(kc, ap, bp, c.as_mut_ptr().add(i * g.ldc + j), g.ldc, mr, nr, add);
                }
            }
        }
        k0 = k1;
        if k0 >= k[1] {
            break;
        }
    }
}

dispatch! {
    /// Rows and columns of this machine's register tile.
    pub fn tile_shape() -> (usize, usize) = shape_of;
    /// Adds up one block of C over one range of k, without epilogue. `pa` and `pb` hold the packed operands.
    pub fn packed_block(
        g: &Gemm, a: &[f32], b: &[f32], c: &mut [f32], pa: &mut [f32], pb: &mut [f32],
        m: [usize; 2], n: [usize; 2], k: [usize; 2],
    ) = block;
}
