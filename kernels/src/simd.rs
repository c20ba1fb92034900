//! One vector type per instruction set behind one trait, so that every kernel is written once.
//!
//! - wasm32 with `simd128`: [`F32x4`] is a `v128`. With the `relaxed-simd` feature its `mul_add` is fused.
//! - x86_64: [`F32x8`] uses AVX2 and FMA, chosen at run time; [`F32x4`] is the fallback.
//! - elsewhere: [`F32x4`] is an array of four floats, which the compiler turns into whatever the machine has (NEON, SSE2).
//!
//! Kernels are generic functions marked `#[inline(always)]`; [`dispatch!`] makes the entry point that runs them with the
//! best type. Everything of a kernel must inline into that entry point, because only there are the wide instructions
//! allowed: so kernels use plain loops and macros rather than closures.

/// A vector of `LANES` f32. Operations are lane-wise IEEE f32 unless said otherwise.
pub trait Simd: Copy {
    /// Floats in one vector.
    const LANES: usize;
    /// All lanes `x`.
    fn splat(x: f32) -> Self;
    /// Reads `LANES` floats, unaligned.
    ///
    /// # Safety
    /// `p` must be valid for reading `LANES` floats.
    unsafe fn load(p: *const f32) -> Self;
    /// Writes `LANES` floats, unaligned.
    ///
    /// # Safety
    /// `p` must be valid for writing `LANES` floats.
    unsafe fn store(self, p: *mut f32);
    /// `self + b`
    fn add(self, b: Self) -> Self;
    /// `self - b`
    fn sub(self, b: Self) -> Self;
    /// `self * b`
    fn mul(self, b: Self) -> Self;
    /// `self / b`
    fn div(self, b: Self) -> Self;
    /// `self * b + c`, rounded once where the instruction set fuses, twice elsewhere.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// `self < b ? b : self`, so a NaN in `self` stays.
    fn max(self, b: Self) -> Self;
    /// `self > b ? b : self`, so a NaN in `self` stays.
    fn min(self, b: Self) -> Self;
    /// `self < 0 ? a : b` (false for NaN).
    fn if_negative(self, a: Self, b: Self) -> Self;
    /// `2^self` for lanes that hold integers in -126..=127; any other lane gives an arbitrary number.
    fn pow2(self) -> Self;
    /// Sum of the lanes, in a fixed order.
    fn reduce_sum(self) -> f32;
    /// Largest lane.
    fn reduce_max(self) -> f32;

    /// `|self|`
    #[inline(always)]
    fn abs(self) -> Self {
        self.if_negative(Self::splat(0.0).sub(self), self)
    }

    /// Reads `n < LANES` floats; the other lanes are `fill`.
    ///
    /// # Safety
    /// `p` must be valid for reading `n` floats.
    #[inline(always)]
    unsafe fn load_partial(p: *const f32, n: usize, fill: f32) -> Self {
        let mut lanes = [fill; 16];
        for i in 0..n.min(Self::LANES) {
            // SAFETY: i < n, which the caller vouches for.
            lanes[i] = unsafe { *p.add(i) };
        }
        // SAFETY: the array holds at least LANES floats.
        unsafe { Self::load(lanes.as_ptr()) }
    }

    /// Writes the first `n < LANES` floats.
    ///
    /// # Safety
    /// `p` must be valid for writing `n` floats.
    #[inline(always)]
    unsafe fn store_partial(self, p: *mut f32, n: usize) {
        let mut lanes = [0.0f32; 16];
        // SAFETY: the array holds at least LANES floats.
        unsafe { self.store(lanes.as_mut_ptr()) };
        for i in 0..n.min(Self::LANES) {
            // SAFETY: i < n, which the caller vouches for.
            unsafe { *p.add(i) = lanes[i] };
        }
    }
}

/// Adding this to an integer-valued float of small magnitude leaves the integer in the low mantissa bits.
pub const ROUND_MAGIC: f32 = 12_582_912.0; // 1.5 * 2^23

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod base {
    use super::{ROUND_MAGIC, Simd};
    use core::arch::wasm32::*;

    /// Four f32 in a wasm `v128`.
    #[derive(Clone, Copy)]
    pub struct F32x4(v128);

    impl Simd for F32x4 {
        const LANES: usize = 4;
        #[inline(always)]
        fn splat(x: f32) -> Self {
            Self(f32x4_splat(x))
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self {
            // SAFETY: the caller vouches for four readable floats; v128.load needs no alignment.
            Self(unsafe { v128_load(p as *const v128) })
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut f32) {
            // SAFETY: the caller vouches for four writable floats.
            unsafe { v128_store(p as *mut v128, self.0) }
        }
        #[inline(always)]
        fn add(self, b: Self) -> Self {
            Self(f32x4_add(self.0, b.0))
        }
        #[inline(always)]
        fn sub(self, b: Self) -> Self {
            Self(f32x4_sub(self.0, b.0))
        }
        #[inline(always)]
        fn mul(self, b: Self) -> Self {
            Self(f32x4_mul(self.0, b.0))
        }
        #[inline(always)]
        fn div(self, b: Self) -> Self {
            Self(f32x4_div(self.0, b.0))
        }
        #[inline(always)]
        fn mul_add(self, b: Self, c: Self) -> Self {
            #[cfg(target_feature = "relaxed-simd")]
            return Self(f32x4_relaxed_madd(self.0, b.0, c.0));
            #[cfg(not(target_feature = "relaxed-simd"))]
            return Self(f32x4_add(f32x4_mul(self.0, b.0), c.0));
        }
        #[inline(always)]
        fn max(self, b: Self) -> Self {
            Self(f32x4_pmax(self.0, b.0))
        }
        #[inline(always)]
        fn min(self, b: Self) -> Self {
            Self(f32x4_pmin(self.0, b.0))
        }
        #[inline(always)]
        fn if_negative(self, a: Self, b: Self) -> Self {
            Self(v128_bitselect(a.0, b.0, f32x4_lt(self.0, f32x4_splat(0.0))))
        }
        #[inline(always)]
        fn pow2(self) -> Self {
            let bits = f32x4_add(self.0, f32x4_splat(ROUND_MAGIC));
            Self(i32x4_shl(i32x4_add(bits, i32x4_splat(127)), 23))
        }
        #[inline(always)]
        fn reduce_sum(self) -> f32 {
            let v = f32x4_add(self.0, i32x4_shuffle::<2, 3, 0, 1>(self.0, self.0));
            f32x4_extract_lane::<0>(v) + f32x4_extract_lane::<1>(v)
        }
        #[inline(always)]
        fn reduce_max(self) -> f32 {
            let v = f32x4_pmax(self.0, i32x4_shuffle::<2, 3, 0, 1>(self.0, self.0));
            f32x4_extract_lane::<0>(v).max(f32x4_extract_lane::<1>(v))
        }
    }

    /// Transposes a 4x4 block: `dst[j * dst_stride + i] = src[i * src_stride + j]`.
    ///
    /// # Safety
    /// Four floats must be readable at each of the four source rows and writable at each of the four target rows.
    #[inline(always)]
    pub unsafe fn transpose4(src: *const f32, src_stride: usize, dst: *mut f32, dst_stride: usize) {
        // SAFETY: as the caller vouches.
        unsafe {
            let r0 = v128_load(src as *const v128);
            let r1 = v128_load(src.add(src_stride) as *const v128);
            let r2 = v128_load(src.add(2 * src_stride) as *const v128);
            let r3 = v128_load(src.add(3 * src_stride) as *const v128);
            let (a, b) = (i32x4_shuffle::<0, 4, 1, 5>(r0, r1), i32x4_shuffle::<0, 4, 1, 5>(r2, r3));
            let (c, d) = (i32x4_shuffle::<2, 6, 3, 7>(r0, r1), i32x4_shuffle::<2, 6, 3, 7>(r2, r3));
            v128_store(dst as *mut v128, i32x4_shuffle::<0, 1, 4, 5>(a, b));
            v128_store(dst.add(dst_stride) as *mut v128, i32x4_shuffle::<2, 3, 6, 7>(a, b));
            v128_store(dst.add(2 * dst_stride) as *mut v128, i32x4_shuffle::<0, 1, 4, 5>(c, d));
            v128_store(dst.add(3 * dst_stride) as *mut v128, i32x4_shuffle::<2, 3, 6, 7>(c, d));
        }
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod base {
    use super::{ROUND_MAGIC, Simd};

    /// Four f32 in an array, left to the compiler's vectoriser.
    #[derive(Clone, Copy)]
    pub struct F32x4([f32; 4]);

    macro_rules! lanes {
        ($i:ident => $e:expr) => {{
            let mut out = [0.0f32; 4];
            for $i in 0..4 {
                out[$i] = $e;
            }
            F32x4(out)
        }};
    }

    impl Simd for F32x4 {
        const LANES: usize = 4;
        #[inline(always)]
        fn splat(x: f32) -> Self {
            Self([x; 4])
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self {
            // SAFETY: the caller vouches for four readable floats.
            Self(unsafe { (p as *const [f32; 4]).read_unaligned() })
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut f32) {
            // SAFETY: the caller vouches for four writable floats.
            unsafe { (p as *mut [f32; 4]).write_unaligned(self.0) }
        }
        #[inline(always)]
        fn add(self, b: Self) -> Self {
            lanes!(i => self.0[i] + b.0[i])
        }
        #[inline(always)]
        fn sub(self, b: Self) -> Self {
            lanes!(i => self.0[i] - b.0[i])
        }
        #[inline(always)]
        fn mul(self, b: Self) -> Self {
            lanes!(i => self.0[i] * b.0[i])
        }
        #[inline(always)]
        fn div(self, b: Self) -> Self {
            lanes!(i => self.0[i] / b.0[i])
        }
        #[inline(always)]
        fn mul_add(self, b: Self, c: Self) -> Self {
            lanes!(i => self.0[i] * b.0[i] + c.0[i])
        }
        #[inline(always)]
        fn max(self, b: Self) -> Self {
            lanes!(i => if self.0[i] < b.0[i] { b.0[i] } else { self.0[i] })
        }
        #[inline(always)]
        fn min(self, b: Self) -> Self {
            lanes!(i => if self.0[i] > b.0[i] { b.0[i] } else { self.0[i] })
        }
        #[inline(always)]
        fn if_negative(self, a: Self, b: Self) -> Self {
            lanes!(i => if self.0[i] < 0.0 { a.0[i] } else { b.0[i] })
        }
        #[inline(always)]
        fn pow2(self) -> Self {
            lanes!(i => f32::from_bits((self.0[i] + ROUND_MAGIC).to_bits().wrapping_add(127) << 23))
        }
        #[inline(always)]
        fn reduce_sum(self) -> f32 {
            (self.0[0] + self.0[2]) + (self.0[1] + self.0[3])
        }
        #[inline(always)]
        fn reduce_max(self) -> f32 {
            self.0[0].max(self.0[2]).max(self.0[1].max(self.0[3]))
        }
    }

    /// Transposes a 4x4 block: `dst[j * dst_stride + i] = src[i * src_stride + j]`.
    ///
    /// # Safety
    /// Four floats must be readable at each of the four source rows and writable at each of the four target rows.
    #[inline(always)]
    pub unsafe fn transpose4(src: *const f32, src_stride: usize, dst: *mut f32, dst_stride: usize) {
        // SAFETY: as the caller vouches.
        let rows: [[f32; 4]; 4] =
            core::array::from_fn(|i| unsafe { (src.add(i * src_stride) as *const [f32; 4]).read_unaligned() });
        for j in 0..4 {
            // SAFETY: as the caller vouches.
            unsafe {
                let row = [rows[0][j], rows[1][j], rows[2][j], rows[3][j]];
                (dst.add(j * dst_stride) as *mut [f32; 4]).write_unaligned(row);
            }
        }
    }
}

pub use base::{F32x4, transpose4};

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{ROUND_MAGIC, Simd};
    use core::arch::x86_64::*;

    /// Eight f32 in an AVX register. Use it only where [`super::has_avx2`] is true.
    #[derive(Clone, Copy)]
    pub struct F32x8(__m256);

    // SAFETY of this block: `dispatch!` is the only way in, and it has checked for AVX2 and FMA.
    #[allow(clippy::undocumented_unsafe_blocks)]
    impl Simd for F32x8 {
        const LANES: usize = 8;
        #[inline(always)]
        fn splat(x: f32) -> Self {
            Self(unsafe { _mm256_set1_ps(x) })
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self {
            Self(unsafe { _mm256_loadu_ps(p) })
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut f32) {
            unsafe { _mm256_storeu_ps(p, self.0) }
        }
        #[inline(always)]
        fn add(self, b: Self) -> Self {
            Self(unsafe { _mm256_add_ps(self.0, b.0) })
        }
        #[inline(always)]
        fn sub(self, b: Self) -> Self {
            Self(unsafe { _mm256_sub_ps(self.0, b.0) })
        }
        #[inline(always)]
        fn mul(self, b: Self) -> Self {
            Self(unsafe { _mm256_mul_ps(self.0, b.0) })
        }
        #[inline(always)]
        fn div(self, b: Self) -> Self {
            Self(unsafe { _mm256_div_ps(self.0, b.0) })
        }
        #[inline(always)]
        fn mul_add(self, b: Self, c: Self) -> Self {
            Self(unsafe { _mm256_fmadd_ps(self.0, b.0, c.0) })
        }
        #[inline(always)]
        fn max(self, b: Self) -> Self {
            // The instruction returns its second operand when either is NaN.
            Self(unsafe { _mm256_max_ps(b.0, self.0) })
        }
        #[inline(always)]
        fn min(self, b: Self) -> Self {
            Self(unsafe { _mm256_min_ps(b.0, self.0) })
        }
        #[inline(always)]
        fn if_negative(self, a: Self, b: Self) -> Self {
            Self(unsafe { _mm256_blendv_ps(b.0, a.0, _mm256_cmp_ps::<_CMP_LT_OQ>(self.0, _mm256_setzero_ps())) })
        }
        #[inline(always)]
        fn pow2(self) -> Self {
            unsafe {
                let bits = _mm256_castps_si256(_mm256_add_ps(self.0, _mm256_set1_ps(ROUND_MAGIC)));
                Self(_mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_add_epi32(bits, _mm256_set1_epi32(127)))))
            }
        }
        #[inline(always)]
        fn reduce_sum(self) -> f32 {
            unsafe {
                let v = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
                let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
                _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps::<1>(v, v)))
            }
        }
        #[inline(always)]
        fn reduce_max(self) -> f32 {
            unsafe {
                let v = _mm_max_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
                let v = _mm_max_ps(v, _mm_movehl_ps(v, v));
                _mm_cvtss_f32(_mm_max_ss(v, _mm_shuffle_ps::<1>(v, v)))
            }
        }
    }

    /// Whether this processor has AVX2 and FMA (looked up once by the standard library).
    #[inline]
    pub fn has_avx2() -> bool {
        std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
    }
}

#[cfg(target_arch = "x86_64")]
pub use avx2::{F32x8, has_avx2};

/// Defines functions that run a generic kernel `fn kernel<V: Simd>(...)` with the best vector type of this machine.
macro_rules! dispatch {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $kernel:ident;)*) => {$(
        $(#[$meta])*
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn wide($($arg: $ty),*) $(-> $ret)? {
                    $kernel::<$crate::simd::F32x8>($($arg),*)
                }
                if $crate::simd::has_avx2() {
                    // SAFETY: the features were just checked.
                    return unsafe { wide($($arg),*) };
                }
            }
            $kernel::<$crate::simd::F32x4>($($arg),*)
        }
    )*};
}
pub(crate) use dispatch;
