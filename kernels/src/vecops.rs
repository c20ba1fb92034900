//! Vectorised elementwise functions and reductions over slices of f32.
//!
//! Elementwise results depend on the element alone (not on its place in the slice); reductions run in a fixed order.
use super::simd::{ROUND_MAGIC, Simd, dispatch};

/// `e^x` within about two units in the last place over the whole range: 0 below -104, infinite above 88.73, subnormals
/// included. Cody-Waite reduction by ln 2 and the polynomial of Cephes' `expf` (Moshier).
#[inline(always)]
fn exp_v<V: Simd>(x: V) -> V {
    let c = V::splat;
    let x = x.max(c(-104.0)).min(c(89.0));
    let n = x.mul_add(c(std::f32::consts::LOG2_E), c(ROUND_MAGIC)).sub(c(ROUND_MAGIC));
    // ln 2 in two parts; n times the first is exact.
    let r = n.mul_add(c(-0.693_359_4), x);
    let r = n.mul_add(c(2.121_944_4e-4), r);
    let mut p = c(1.987_569_1e-4);
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p.mul_add(r, c(coefficient));
    }
    let y = p.mul_add(r.mul(r), r).add(c(1.0));
    // In two halves, so that 2^n may lie outside the range of normal numbers.
    let half = n.mul_add(c(0.5), c(ROUND_MAGIC)).sub(c(ROUND_MAGIC));
    y.mul(half.pow2()).mul(n.sub(half).pow2())
}

/// `1 / (1 + e^-x)`
#[inline(always)]
fn sigmoid_v<V: Simd>(x: V) -> V {
    let one = V::splat(1.0);
    one.div(one.add(exp_v(V::splat(0.0).sub(x))))
}

/// `tanh(x)`: beyond 0.625 by `1 - 2 / (e^2|x| + 1)`, below by Cephes' odd polynomial, which does not cancel.
#[inline(always)]
fn tanh_v<V: Simd>(x: V) -> V {
    let c = V::splat;
    let a = x.abs();
    let far = c(1.0).sub(c(2.0).div(exp_v(a.add(a)).add(c(1.0))));
    let far = x.if_negative(c(0.0).sub(far), far);
    let z = x.mul(x);
    let mut p = c(-5.704_988_7e-3);
    for coefficient in [2.063_909e-2, -5.373_971_4e-2, 1.333_144_2e-1, -3.333_328e-1] {
        p = p.mul_add(z, c(coefficient));
    }
    let near = p.mul(z).mul_add(x, x);
    a.sub(c(0.625)).if_negative(near, far)
}

/// `sqrt(2 / pi)`
const GELU_A: f32 = 0.797_884_6;
/// The cubic term of GELU's tanh form.
const GELU_B: f32 = 0.044_715;

/// GELU's tanh form, written as `x * sigmoid(2u)`: the same function without its cancellation.
#[inline(always)]
fn gelu_tanh_v<V: Simd>(x: V) -> V {
    let z = x.mul(x);
    let u = x.mul(z.mul_add(V::splat(2.0 * GELU_A * GELU_B), V::splat(2.0 * GELU_A)));
    x.mul(sigmoid_v(u))
}

/// The normal distribution function, absolute error below 3e-7: formula 7.1.26 of Abramowitz and Stegun for erfc.
#[inline(always)]
fn normal_cdf_v<V: Simd>(x: V) -> V {
    let c = V::splat;
    let z = x.abs().mul(c(std::f32::consts::FRAC_1_SQRT_2));
    let t = c(1.0).div(z.mul_add(c(0.327_591_1), c(1.0)));
    let mut p = c(1.061_405_4);
    for coefficient in [-1.453_152_1, 1.421_413_8, -0.284_496_72, 0.254_829_6] {
        p = p.mul_add(t, c(coefficient));
    }
    let tail = c(0.5).mul(p.mul(t)).mul(exp_v(c(0.0).sub(z.mul(z))));
    x.if_negative(tail, c(1.0).sub(tail))
}

/// GELU by the normal distribution function.
#[inline(always)]
fn gelu_erf_v<V: Simd>(x: V) -> V {
    x.mul(normal_cdf_v(x))
}

/// Runs `$body` on each vector of `$x` in place, the last one padded; `$v` is the vector, `$p` where it came from.
macro_rules! for_each {
    ($V:ident, $x:expr, |$v:ident| $body:expr) => {{
        let x: &mut [f32] = $x;
        let (n, p) = (x.len(), x.as_mut_ptr());
        let mut i = 0;
        // SAFETY: whole vectors up to i + LANES <= n, then the n - i floats that are left.
        unsafe {
            while i + $V::LANES <= n {
                let $v = $V::load(p.add(i));
                ($body).store(p.add(i));
                i += $V::LANES;
            }
            if i < n {
                let $v = $V::load_partial(p.add(i), n - i, 0.0);
                ($body).store_partial(p.add(i), n - i);
            }
        }
    }};
    ($V:ident, $x:expr, $y:expr, |$v:ident, $w:ident| $body:expr) => {{
        let (x, y): (&mut [f32], &[f32]) = ($x, $y);
        assert_eq!(x.len(), y.len(), "slices of different lengths");
        let (n, p, q) = (x.len(), x.as_mut_ptr(), y.as_ptr());
        let mut i = 0;
        // SAFETY: both slices have n floats; whole vectors up to i + LANES <= n, then the n - i floats that are left.
        unsafe {
            while i + $V::LANES <= n {
                let ($v, $w) = ($V::load(p.add(i)), $V::load(q.add(i)));
                ($body).store(p.add(i));
                i += $V::LANES;
            }
            if i < n {
                let ($v, $w) = ($V::load_partial(p.add(i), n - i, 0.0), $V::load_partial(q.add(i), n - i, 0.0));
                ($body).store_partial(p.add(i), n - i);
            }
        }
    }};
}

/// Folds `$body` over the vectors of `$x` with four accumulators; a last partial vector is padded with `$fill`.
macro_rules! fold {
    ($V:ident, $x:expr, $init:expr, $fill:expr, |$acc:ident, $v:ident| $body:expr, $join:ident) => {{
        let x: &[f32] = $x;
        let (n, p) = (x.len(), x.as_ptr());
        let mut acc = [$V::splat($init); 4];
        let mut i = 0;
        // SAFETY: whole vectors up to i + LANES <= n, then the n - i floats that are left.
        unsafe {
            while i + 4 * $V::LANES <= n {
                for r in 0..4 {
                    let ($acc, $v) = (acc[r], $V::load(p.add(i + r * $V::LANES)));
                    acc[r] = $body;
                }
                i += 4 * $V::LANES;
            }
            while i < n {
                let $acc = acc[0];
                let $v = if i + $V::LANES <= n { $V::load(p.add(i)) } else { $V::load_partial(p.add(i), n - i, $fill) };
                acc[0] = $body;
                i += $V::LANES;
            }
        }
        acc[0].$join(acc[1]).$join(acc[2].$join(acc[3]))
    }};
}

mod backward;
pub use backward::*;

#[inline(always)]
fn exp_k<V: Simd>(x: &mut [f32]) {
    for_each!(V, x, |v| exp_v(v));
}
#[inline(always)]
fn tanh_k<V: Simd>(x: &mut [f32]) {
    for_each!(V, x, |v| tanh_v(v));
}
#[inline(always)]
fn erf_k<V: Simd>(x: &mut [f32]) {
    for_each!(V, x, |v| {
        let cdf = normal_cdf_v(v.mul(V::splat(std::f32::consts::SQRT_2)));
        cdf.add(cdf).sub(V::splat(1.0))
    });
}
#[inline(always)]
fn gelu_tanh_k<V: Simd>(x: &mut [f32]) {
    for_each!(V, x, |v| gelu_tanh_v(v));
}
#[inline(always)]
fn gelu_erf_k<V: Simd>(x: &mut [f32]) {
    for_each!(V, x, |v| gelu_erf_v(v));
}
#[inline(always)]
fn relu_k<V: Simd>(x: &mut [f32]) {
    // The product is 0, or NaN where the element is infinite: negative infinity must not become 0.
    for_each!(V, x, |v| v.mul_add(V::splat(0.0), v.max(V::splat(0.0))));
}
#[inline(always)]
fn scale_k<V: Simd>(x: &mut [f32], s: f32) {
    for_each!(V, x, |v| v.mul(V::splat(s)));
}
#[inline(always)]
fn add_k<V: Simd>(x: &mut [f32], y: &[f32]) {
    for_each!(V, x, y, |v, w| v.add(w));
}
#[inline(always)]
fn mul_k<V: Simd>(x: &mut [f32], y: &[f32]) {
    for_each!(V, x, y, |v, w| v.mul(w));
}
#[inline(always)]
fn axpy_k<V: Simd>(x: &mut [f32], a: f32, y: &[f32]) {
    for_each!(V, x, y, |v, w| V::splat(a).mul_add(w, v));
}
#[inline(always)]
fn sum_k<V: Simd>(x: &[f32]) -> f32 {
    fold!(V, x, 0.0, 0.0, |s, v| s.add(v), add).reduce_sum()
}
#[inline(always)]
fn sum_squares_k<V: Simd>(x: &[f32]) -> f32 {
    fold!(V, x, 0.0, 0.0, |s, v| v.mul_add(v, s), add).reduce_sum()
}
#[inline(always)]
fn max_k<V: Simd>(x: &[f32]) -> f32 {
    let low = f32::NEG_INFINITY;
    fold!(V, x, low, low, |s, v| s.max(v), max).reduce_max()
}
#[inline(always)]
fn sum_exp_k<V: Simd>(x: &[f32], max: f32) -> f32 {
    fold!(V, x, 0.0, f32::NEG_INFINITY, |s, v| s.add(exp_v(v.sub(V::splat(max)))), add).reduce_sum()
}

#[inline(always)]
fn dot_k<V: Simd>(x: &[f32], y: &[f32]) -> f32 {
    assert_eq!(x.len(), y.len(), "slices of different lengths");
    let (n, p, q) = (x.len(), x.as_ptr(), y.as_ptr());
    let mut acc = [V::splat(0.0); 4];
    let mut i = 0;
    // SAFETY: both slices have n floats; whole vectors up to i + LANES <= n, then the n - i floats that are left.
    unsafe {
        while i + 4 * V::LANES <= n {
            for r in 0..4 {
                let j = i + r * V::LANES;
                acc[r] = V::load(p.add(j)).mul_add(V::load(q.add(j)), acc[r]);
            }
            i += 4 * V::LANES;
        }
        while i < n {
            let w = V::LANES.min(n - i);
            acc[0] = V::load_partial(p.add(i), w, 0.0).mul_add(V::load_partial(q.add(i), w, 0.0), acc[0]);
            i += V::LANES;
        }
    }
    acc[0].add(acc[1]).add(acc[2].add(acc[3])).reduce_sum()
}

/// 0, or NaN where an element is NaN or infinite.
#[inline(always)]
fn overflow_k<V: Simd>(x: &[f32]) -> f32 {
    fold!(V, x, 0.0, 0.0, |s, v| v.mul_add(V::splat(0.0), s), add).reduce_sum()
}

#[inline(always)]
fn softmax_k<V: Simd>(x: &mut [f32]) -> (f32, f32) {
    let max = max_k::<V>(x);
    let overflow = overflow_k::<V>(x);
    for_each!(V, x, |v| exp_v(v.sub(V::splat(max))));
    let sum = sum_k::<V>(x) + overflow;
    scale_k::<V>(x, 1.0 / sum);
    (max, sum)
}

/// `1 / sqrt(var + eps)`; NaN where the variance overflows, since 0 would make ordinary numbers of a row that is lost.
#[inline(always)]
fn rstd_of(var: f32, eps: f32) -> f32 {
    if var.is_finite() { 1.0 / (var + eps).sqrt() } else { f32::NAN }
}

#[inline(always)]
fn layer_norm_k<V: Simd>(x: &[f32], weight: &[f32], bias: Option<&[f32]>, eps: f32, out: &mut [f32]) -> (f32, f32) {
    let n = x.len();
    assert!(weight.len() == n && out.len() == n && bias.is_none_or(|b| b.len() == n), "slices of different lengths");
    if n == 0 {
        return (0.0, 0.0);
    }
    let mean = sum_k::<V>(x) / n as f32;
    out.copy_from_slice(x);
    for_each!(V, out, |v| v.sub(V::splat(mean)));
    let rstd = rstd_of(sum_squares_k::<V>(out) / n as f32, eps);
    for_each!(V, out, weight, |v, w| v.mul(V::splat(rstd)).mul(w));
    if let Some(bias) = bias {
        add_k::<V>(out, bias);
    }
    (mean, rstd)
}

#[inline(always)]
fn argmax_k<V: Simd>(x: &[f32]) -> usize {
    // The largest value first, by vectors; then its first place.
    let max = max_k::<V>(x);
    x.iter().position(|&v| v == max).unwrap_or(0)
}

dispatch! {
    /// `x = e^x`
    pub fn exp(x: &mut [f32]) = exp_k;
    /// `x = tanh(x)`, exactly ±1 for large arguments.
    pub fn tanh(x: &mut [f32]) = tanh_k;
    /// `x = erf(x)`, absolute error below 6e-7.
    pub fn erf(x: &mut [f32]) = erf_k;
    /// `x = 0.5 x (1 + tanh(sqrt(2/π) (x + 0.044715 x³)))` (Hendrycks and Gimpel, 2016; GPT-2's `gelu_new`).
    pub fn gelu_tanh(x: &mut [f32]) = gelu_tanh_k;
    /// `x = 0.5 x (1 + erf(x / sqrt 2))` (Hendrycks and Gimpel, 2016).
    pub fn gelu_erf(x: &mut [f32]) = gelu_erf_k;
    /// `x = max(x, 0)`; NaN where x is not finite.
    pub fn relu(x: &mut [f32]) = relu_k;
    /// `x *= s`
    pub fn scale(x: &mut [f32], s: f32) = scale_k;
    /// `x += y`, equal lengths.
    pub fn add(x: &mut [f32], y: &[f32]) = add_k;
    /// `x *= y` element by element, equal lengths.
    pub fn mul(x: &mut [f32], y: &[f32]) = mul_k;
    /// `x += a * y`, equal lengths.
    pub fn axpy(x: &mut [f32], a: f32, y: &[f32]) = axpy_k;
    /// `Σ x`
    pub fn sum(x: &[f32]) -> f32 = sum_k;
    /// `Σ x²`
    pub fn sum_squares(x: &[f32]) -> f32 = sum_squares_k;
    /// `Σ x y`, equal lengths.
    pub fn dot(x: &[f32], y: &[f32]) -> f32 = dot_k;
    /// The largest element, negative infinity if there is none. NaN elements may be passed over.
    pub fn max(x: &[f32]) -> f32 = max_k;
    /// 0 where all elements are finite, else NaN.
    pub fn overflow(x: &[f32]) -> f32 = overflow_k;
    /// `Σ e^(x - max)`: the log-sum-exp is `max + ln` of it.
    pub fn sum_exp(x: &[f32], max: f32) -> f32 = sum_exp_k;
    /// Turns a row into its softmax; returns its maximum and `Σ e^(x - max)`. A row with an element that is NaN or infinite,
    /// of either sign, becomes NaN, and so does the sum: none of them may hide behind a weight of 0.
    pub fn softmax(x: &mut [f32]) -> (f32, f32) = softmax_k;
    /// LayerNorm of one row (Ba et al., 2016): `out = (x - mean) / sqrt(var + eps) * weight + bias`, the variance over N
    /// from a second pass. Returns the mean and `1 / sqrt(var + eps)`. Where the variance overflows, all is NaN. All slices
    /// have the same length.
    pub fn layer_norm_row(x: &[f32], weight: &[f32], bias: Option<&[f32]>, eps: f32, out: &mut [f32]) -> (f32, f32) =
        layer_norm_k;
    /// The index of the largest element, the lowest of equals; 0 for an empty slice.
    pub fn argmax(x: &[f32]) -> usize = argmax_k;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distance in units in the last place of the exact value.
    fn ulps(got: f32, exact: f64) -> f64 {
        let near = exact as f32;
        if got == near {
            return 0.0;
        }
        let ulp = (f64::from(f32::from_bits(near.abs().to_bits() + 1)) - f64::from(near.abs())).max(1.4e-45);
        (f64::from(got) - exact).abs() / ulp
    }

    fn grid(lo: f32, hi: f32, n: usize) -> Vec<f32> {
        (0..=n).map(|i| lo + (hi - lo) * i as f32 / n as f32).collect()
    }

    /// `erf` in f64 by its Maclaurin series, or by integrating numerically the complement's continued fraction.
    fn erf64(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        if x.abs() > 5.0 {
            return x.signum();
        }
        for n in 1..200 {
            term *= -x * x / n as f64;
            sum += term / (2 * n + 1) as f64;
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    }

    fn normal_cdf64(x: f64) -> f64 {
        0.5 * (1.0 + erf64(x / std::f64::consts::SQRT_2))
    }

    #[test]
    fn exp_is_accurate_over_its_range() {
        let xs = grid(-103.0, 88.7, 400_003);
        let mut got = xs.clone();
        exp(&mut got);
        let worst = xs.iter().zip(&got).map(|(&x, &g)| ulps(g, f64::from(x).exp())).fold(0.0, f64::max);
        assert!(worst <= 2.0, "{worst} ulp");
        let mut edge = [0.0, -0.0, 200.0, f32::INFINITY, -200.0, f32::NEG_INFINITY, f32::NAN, 88.72, -103.9];
        exp(&mut edge);
        assert_eq!(edge[..6], [1.0, 1.0, f32::INFINITY, f32::INFINITY, 0.0, 0.0]);
        assert!(edge[6].is_nan() && edge[7].is_finite() && edge[8] >= 0.0);
    }

    #[test]
    fn tanh_is_accurate_and_clamped() {
        let mut xs = grid(-12.0, 12.0, 100_003);
        xs.extend([1e-20, -1e-8, 1e30, -1e30, f32::INFINITY, f32::NEG_INFINITY]);
        let mut got = xs.clone();
        tanh(&mut got);
        let worst = xs.iter().zip(&got).map(|(&x, &g)| ulps(g, f64::from(x).tanh())).fold(0.0, f64::max);
        assert!(worst <= 4.0, "{worst} ulp");
        let n = got.len();
        assert_eq!(got[n - 4..], [1.0, -1.0, 1.0, -1.0]);
    }

    #[test]
    fn erf_and_both_gelus_are_accurate() {
        let xs = grid(-6.5, 6.5, 50_021);
        type Case = (&'static str, fn(&mut [f32]), fn(f64) -> f64, f64);
        let cases: [Case; 3] = [
            ("erf", erf, erf64, 6e-7),
            ("gelu_erf", gelu_erf, |x| x * normal_cdf64(x), 1e-6),
            (
                "gelu_tanh",
                gelu_tanh,
                |x| 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)).tanh()),
                1e-6,
            ),
        ];
        for (name, f, exact, most) in cases {
            let mut got = xs.clone();
            f(&mut got);
            let worst = xs
                .iter()
                .zip(&got)
                .map(|(&x, &g)| (f64::from(g) - exact(f64::from(x))).abs() / f64::from(x.abs()).max(1.0))
                .fold(0.0, f64::max);
            assert!(worst <= most, "{name}: {worst}");
            let mut large = [1e4, -1e4, 1e30];
            f(&mut large);
            assert!(large.iter().all(|v| v.is_finite()), "{name}: {large:?}");
        }
    }

    #[test]
    fn elements_do_not_depend_on_their_place() {
        let xs = grid(-9.0, 9.0, 41);
        for f in [exp, tanh, erf, gelu_tanh, gelu_erf, relu] {
            let mut whole = xs.clone();
            f(&mut whole);
            for (i, &x) in xs.iter().enumerate() {
                let mut one = [x];
                f(&mut one);
                assert_eq!(one[0].to_bits(), whole[i].to_bits());
            }
        }
    }

    #[test]
    fn reductions_match_f64_at_every_length() {
        for n in (0..70).chain([255, 1021]) {
            let x: Vec<f32> = (0..n).map(|i| ((i * 37 + 11) % 101) as f32 / 17.0 - 2.5).collect();
            let y: Vec<f32> = (0..n).map(|i| ((i * 53 + 7) % 89) as f32 / 13.0 - 3.0).collect();
            let exact = |f: &dyn Fn(usize) -> f64| (0..n).map(f).sum::<f64>();
            let close = |got: f32, want: f64, what: &str| {
                assert!((f64::from(got) - want).abs() <= 1e-5 * (1.0 + n as f64), "{what} of {n}: {got} {want}");
            };
            close(sum(&x), exact(&|i| f64::from(x[i])), "sum");
            close(sum_squares(&x), exact(&|i| f64::from(x[i]).powi(2)), "sum_squares");
            close(dot(&x, &y), exact(&|i| f64::from(x[i]) * f64::from(y[i])), "dot");
            assert_eq!(max(&x), x.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            let best = (0..n).rev().max_by(|&a, &b| x[a].total_cmp(&x[b])).unwrap_or(0);
            assert_eq!(argmax(&x), best, "argmax of {n}");

            let mut z = x.clone();
            axpy(&mut z, 0.5, &y);
            add(&mut z, &x);
            mul(&mut z, &y);
            scale(&mut z, 2.0);
            for i in 0..n {
                close(z[i], 2.0 * f64::from(y[i]) * (2.0 * f64::from(x[i]) + 0.5 * f64::from(y[i])), "elementwise");
            }

            let mut p = x.clone();
            let (m, s) = softmax(&mut p);
            let total = exact(&|i| f64::from(x[i]).exp());
            for i in 0..n {
                assert!((f64::from(p[i]) - f64::from(x[i]).exp() / total).abs() < 1e-6);
            }
            if n > 0 {
                close(m + s.ln(), total.ln(), "log-sum-exp");
                close(m + sum_exp(&x, m).ln(), total.ln(), "sum_exp");
                let mut out = vec![0.0; n];
                let (mean, rstd) = layer_norm_row(&x, &y, Some(&x), 1e-5, &mut out);
                let mean64 = exact(&|i| f64::from(x[i])) / n as f64;
                let var = exact(&|i| (f64::from(x[i]) - mean64).powi(2)) / n as f64;
                close(mean, mean64, "mean");
                assert!((f64::from(rstd) * (var + 1e-5).sqrt() - 1.0).abs() < 1e-4);
                for i in 0..n {
                    let want = (f64::from(x[i]) - mean64) / (var + 1e-5).sqrt() * f64::from(y[i]) + f64::from(x[i]);
                    assert!((f64::from(out[i]) - want).abs() < 1e-4 * (1.0 + want.abs()), "layer_norm of {n}");
                }
            }
        }
    }

    #[test]
    fn softmax_of_extreme_rows() {
        let mut large = [1e30, 1e30, -1e30];
        assert_eq!(softmax(&mut large), (1e30, 2.0));
        assert_eq!(large, [0.5, 0.5, 0.0]);
        let (low, high) = (f32::MIN, f32::MAX);
        let mut wide = [low, high, low];
        softmax(&mut wide);
        assert_eq!(wide, [0.0, 1.0, 0.0]);
    }

    /// What is not finite comes through every function, wherever it stands.
    #[test]
    fn nothing_hides_what_is_not_finite() {
        for n in [1, 2, 7, 8, 33, 70] {
            for (at, bad) in (0..n).flat_map(|at| [f32::NAN, f32::INFINITY, f32::NEG_INFINITY].map(|bad| (at, bad))) {
                let mut x: Vec<f32> = (0..n).map(|i| i as f32 * 0.3 - 1.0).collect();
                x[at] = bad;
                assert!(overflow(&x).is_nan(), "{bad} at {at} of {n}");
                let mut row = x.clone();
                assert!(softmax(&mut row).1.is_nan() && row.iter().all(|v| v.is_nan()), "{bad} at {at} of {n}");
                for (name, f) in [("relu", relu as fn(&mut [f32])), ("tanh", gelu_tanh), ("erf", gelu_erf)] {
                    let mut y = x.clone();
                    f(&mut y);
                    assert!(!y[at].is_finite(), "{name} makes {} of {bad}", y[at]);
                }
                let mut out = vec![0.0; n];
                layer_norm_row(&x, &vec![1.0; n], None, 1e-5, &mut out);
                assert!(out.iter().all(|v| v.is_nan()), "{bad} at {at} of {n}");
            }
            let finite: Vec<f32> = (0..n).map(|i| if i % 2 == 0 { f32::MAX } else { f32::MIN }).collect();
            assert_eq!(overflow(&finite), 0.0);
        }
        // A variance that overflows would leave nothing but the bias.
        let mut out = [0.0; 4];
        layer_norm_row(&[1e25, 0.0, -1e25, 3.0], &[1.0; 4], Some(&[0.5; 4]), 1e-5, &mut out);
        assert!(out.iter().all(|v| v.is_nan()), "{out:?}");
    }
}
