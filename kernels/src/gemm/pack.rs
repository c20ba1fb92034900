//! Copies a block of a matrix into panels: `panel[k][0..width]`, one after another, the last one padded with zeros.
use crate::simd::transpose4;

/// Packs from a matrix whose rows run along the panel's width: element `(k, i)` is `src[k * ld + i]`.
/// Panels cover `i` in `i0..i1`, `k` in `k0..k1`.
#[inline(always)]
pub fn pack_rows(src: &[f32], ld: usize, i: [usize; 2], k: [usize; 2], width: usize, out: &mut [f32]) {
    let kc = k[1] - k[0];
    if kc == 0 {
        return;
    }
    for (panel, i0) in out.chunks_exact_mut(width * kc).zip((i[0]..i[1]).step_by(width)) {
        let w = width.min(i[1] - i0);
        if w == width {
            for (row, kk) in panel.chunks_exact_mut(width).zip(k[0]..) {
                row.copy_from_slice(&src[kk * ld + i0..kk * ld + i0 + width]);
            }
        } else {
            for (row, kk) in panel.chunks_exact_mut(width).zip(k[0]..) {
                row[..w].copy_from_slice(&src[kk * ld + i0..kk * ld + i0 + w]);
                row[w..].fill(0.0);
            }
        }
    }
}

/// Packs from a matrix whose rows run along k: element `(k, i)` is `src[i * ld + k]`.
#[inline(always)]
pub fn pack_columns(src: &[f32], ld: usize, i: [usize; 2], k: [usize; 2], width: usize, out: &mut [f32]) {
    let kc = k[1] - k[0];
    if kc == 0 {
        return;
    }
    for (panel, i0) in out.chunks_exact_mut(width * kc).zip((i[0]..i[1]).step_by(width)) {
        let w = width.min(i[1] - i0);
        let block = &src[i0 * ld + k[0]..(i0 + w - 1) * ld + k[1]];
        let (fast_w, fast_k) = (w & !3, kc & !3);
        for r in (0..fast_w).step_by(4) {
            for kk in (0..fast_k).step_by(4) {
                // SAFETY: rows r..r + 4 < w and columns kk..kk + 4 <= kc lie in `block` and, swapped, in `panel`.
                unsafe {
                    transpose4(block.as_ptr().add(r * ld + kk), ld, panel.as_mut_ptr().add(kk * width + r), width)
                };
            }
        }
        for r in 0..w {
            for kk in if r < fast_w { fast_k } else { 0 }..kc {
                panel[kk * width + r] = block[r * ld + kk];
            }
        }
        for row in panel.chunks_exact_mut(width) {
            row[w..].fill(0.0);
        }
    }
}
