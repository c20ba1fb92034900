//! Products with one or a few rows: B is read from memory once, and that is what they cost.
//!
//! Several distant parts of B are read side by side, each in order: the processor's prefetchers follow long streams, and
//! a few at once keep more of memory's bandwidth busy than one.
use super::{Gemm, Layout};
use crate::simd::{Simd, dispatch};

/// Streams of the NN form, and neighbouring rows of each in flight. More streams than this could fall into one set of an
/// eight-way L1 cache.
const STREAMS: usize = 4;
const PAIR: usize = 2;
/// Rows of B in flight in the NN form.
const ROWS: usize = STREAMS * PAIR;
/// Columns of one pass of the NN form: its part of C stays in the L1 cache.
const COLS: usize = 2048;

/// `y[m] += Σ_k x[m][k] · b[k]` for `m_rows` rows of x at stride `ldx` and of y, `n` wide, at stride `ldy`.
#[inline(always)]
fn nn<V: Simd>(
    x: &[f32],
    ldx: usize,
    m_rows: usize,
    k: usize,
    b: &[f32],
    ldb: usize,
    n: usize,
    y: &mut [f32],
    ldy: usize,
) {
    if n == 0 || k == 0 || m_rows == 0 {
        return;
    }
    assert!(x.len() >= (m_rows - 1) * ldx + k && b.len() >= (k - 1) * ldb + n && y.len() >= (m_rows - 1) * ldy + n);
    let lanes = V::LANES;
    // Stream s takes the rows from s * length on, PAIR at a time; what does not divide comes last.
    let length = k / ROWS * PAIR;
    for kk in (0..length).step_by(PAIR) {
        let row = |r: usize| (r / PAIR) * length + kk + r % PAIR;
        let rows: [usize; ROWS] = [row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)];
        for m in 0..m_rows {
            // SAFETY: every row read is below k and every column below n, which the assertion measured.
            unsafe {
                let y = y.as_mut_ptr().add(m * ldy);
                let mut xv = [V::splat(0.0); ROWS];
                let mut p = [b.as_ptr(); ROWS];
                for r in 0..ROWS {
                    xv[r] = V::splat(*x.as_ptr().add(m * ldx + rows[r]));
                    p[r] = b.as_ptr().add(rows[r] * ldb);
                }
                let mut j = 0;
                while j + 2 * lanes <= n {
                    let (mut s, mut t) = (V::load(y.add(j)), V::load(y.add(j + lanes)));
                    for r in 0..ROWS {
                        s = xv[r].mul_add(V::load(p[r].add(j)), s);
                        t = xv[r].mul_add(V::load(p[r].add(j + lanes)), t);
                    }
                    s.store(y.add(j));
                    t.store(y.add(j + lanes));
                    j += 2 * lanes;
                }
                while j < n {
                    let w = lanes.min(n - j);
                    let mut s = V::load_partial(y.add(j), w, 0.0);
                    for r in 0..ROWS {
                        s = xv[r].mul_add(V::load_partial(p[r].add(j), w, 0.0), s);
                    }
                    s.store_partial(y.add(j), w);
                    j += lanes;
                }
            }
        }
    }
    for kk in STREAMS * length..k {
        for m in 0..m_rows {
            // SAFETY: as above.
            unsafe {
                let y = y.as_mut_ptr().add(m * ldy);
                let xv = V::splat(*x.as_ptr().add(m * ldx + kk));
                let row = b.as_ptr().add(kk * ldb);
                let mut j = 0;
                while j + lanes <= n {
                    xv.mul_add(V::load(row.add(j)), V::load(y.add(j))).store(y.add(j));
                    j += lanes;
                }
                if j < n {
                    let (p, q) = (V::load_partial(row.add(j), n - j, 0.0), V::load_partial(y.add(j), n - j, 0.0));
                    xv.mul_add(p, q).store_partial(y.add(j), n - j);
                }
            }
        }
    }
}

/// `y[m][n] (+)= scale * Σ_k x[m][k] · b[n][k]`, as [`nn`] with B `(n, k)`.
#[inline(always)]
fn nt<V: Simd>(
    x: &[f32],
    ldx: usize,
    m_rows: usize,
    k: usize,
    b: &[f32],
    ldb: usize,
    n: usize,
    y: &mut [f32],
    ldy: usize,
    scale: f32,
    add: bool,
) {
    if n == 0 || m_rows == 0 {
        return;
    }
    assert!(x.len() >= (m_rows - 1) * ldx + k && (k == 0 || b.len() >= (n - 1) * ldb + k));
    let lanes = V::LANES;
    // Four streams, each a quarter of the rows. Streams that end early repeat the last row, so that every row is summed
    // in the same way wherever it stands.
    let length = n.div_ceil(4);
    for j in 0..length {
        let rows = [j, (length + j).min(n - 1), (2 * length + j).min(n - 1), (3 * length + j).min(n - 1)];
        for m in 0..m_rows {
            let mut s = [V::splat(0.0); 4];
            let mut t = [V::splat(0.0); 4];
            let mut i = 0;
            // SAFETY: rows are below n and columns below k, which the assertion measured.
            unsafe {
                let x = x.as_ptr().add(m * ldx);
                let mut p = [b.as_ptr(); 4];
                for r in 0..4 {
                    p[r] = b.as_ptr().wrapping_add(rows[r] * ldb);
                }
                while i + 2 * lanes <= k {
                    let (u, v) = (V::load(x.add(i)), V::load(x.add(i + lanes)));
                    for r in 0..4 {
                        s[r] = u.mul_add(V::load(p[r].add(i)), s[r]);
                        t[r] = v.mul_add(V::load(p[r].add(i + lanes)), t[r]);
                    }
                    i += 2 * lanes;
                }
                while i < k {
                    let w = lanes.min(k - i);
                    let u = V::load_partial(x.add(i), w, 0.0);
                    for r in 0..4 {
                        s[r] = u.mul_add(V::load_partial(p[r].add(i), w, 0.0), s[r]);
                    }
                    i += lanes;
                }
            }
            for r in 0..4 {
                // A repeated row must not be added twice.
                if r * length + j < n {
                    let dot = scale * s[r].add(t[r]).reduce_sum();
                    let out = &mut y[m * ldy + rows[r]];
                    *out = if add { *out + dot } else { dot };
                }
            }
        }
    }
}

dispatch! {
    /// `y[m] += Σ_k x[m][k] · b[k]`: a few rows x `(M, K)`, B `(K, N)`, y `(M, N)`, each with its row stride.
    pub fn matvec_nn(
        x: &[f32], ldx: usize, m: usize, k: usize, b: &[f32], ldb: usize, n: usize, y: &mut [f32], ldy: usize,
    ) = nn;
    /// `y[m][n] = scale * Σ_k x[m][k] · b[n][k]`, or added to y: x `(M, K)`, B `(N, K)`, y `(M, N)`, each with its row
    /// stride.
    pub fn matvec_nt(
        x: &[f32], ldx: usize, m: usize, k: usize, b: &[f32], ldb: usize, n: usize, y: &mut [f32], ldy: usize,
        scale: f32, add: bool,
    ) = nt;
}

/// Columns `n0..n1` of a product with few rows, over all of k, without epilogue.
pub(super) fn stream_block(g: &Gemm, a: &[f32], b: &[f32], c: &mut [f32], n0: usize, n1: usize) {
    match g.layout {
        Layout::NN => {
            for m in 0..if g.accumulate { 0 } else { g.m } {
                c[m * g.ldc + n0..m * g.ldc + n1].fill(0.0);
            }
            for j in (n0..if g.k == 0 { n0 } else { n1 }).step_by(COLS) {
                let n = COLS.min(n1 - j);
                matvec_nn(a, g.lda, g.m, g.k, &b[j..], g.ldb, n, &mut c[j..], g.ldc);
            }
        }
        Layout::NT => {
            let b = if g.k == 0 { b } else { &b[n0 * g.ldb..] };
            matvec_nt(a, g.lda, g.m, g.k, b, g.ldb, n1 - n0, &mut c[n0..], g.ldc, 1.0, g.accumulate);
        }
        Layout::TN => unreachable!("TN products are always packed"),
    }
}
