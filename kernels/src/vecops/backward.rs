//! Vectorised gradients of the activations and of LayerNorm, and the optimizer's inner loop.

use super::{GELU_A, GELU_B, exp_v, normal_cdf_v, rstd_of, sum_k, sum_squares_k};
use crate::simd::{Simd, dispatch};

/// `1 / sqrt(2 pi)`
const INV_SQRT_TAU: f32 = 0.398_942_3;

/// Beyond this an activation's slope is 0 or 1 in f32; products with larger arguments could overflow to NaN.
const FLAT: f32 = 20.0;

/// Slope of GELU's tanh form: of `x s(2u)`, it is `s + x s (1 - s) (2u)'`, s the logistic function. `1 - s` is
/// `e^-2u s`, which does not cancel.
#[inline(always)]
fn gelu_tanh_slope_v<V: Simd>(x: V) -> V {
    let c = V::splat;
    let x = x.max(c(-FLAT)).min(c(FLAT));
    let z = x.mul(x);
    let twice = x.mul(z.mul_add(c(2.0 * GELU_A * GELU_B), c(2.0 * GELU_A))).max(c(-80.0)).min(c(80.0));
    let e = exp_v(c(0.0).sub(twice));
    let s = c(1.0).div(e.add(c(1.0)));
    let inner = z.mul_add(c(6.0 * GELU_A * GELU_B), c(2.0 * GELU_A));
    x.mul(inner).mul(s).mul_add(e.mul(s), s)
}

/// Slope of GELU by the normal distribution: `cdf(x) + x pdf(x)`.
#[inline(always)]
fn gelu_erf_slope_v<V: Simd>(x: V) -> V {
    let c = V::splat;
    let x = x.max(c(-FLAT)).min(c(FLAT));
    x.mul(c(INV_SQRT_TAU)).mul_add(exp_v(x.mul(x).mul(c(-0.5))), normal_cdf_v(x))
}

#[inline(always)]
fn gelu_tanh_backward_k<V: Simd>(d: &mut [f32], x: &[f32]) {
    for_each!(V, d, x, |d, x| d.mul(gelu_tanh_slope_v(x)));
}
#[inline(always)]
fn gelu_erf_backward_k<V: Simd>(d: &mut [f32], x: &[f32]) {
    for_each!(V, d, x, |d, x| d.mul(gelu_erf_slope_v(x)));
}
#[inline(always)]
fn relu_backward_k<V: Simd>(d: &mut [f32], x: &[f32]) {
    for_each!(V, d, x, |d, x| V::splat(0.0).sub(x).if_negative(d, V::splat(0.0)));
}

#[inline(always)]
fn layer_norm_backward_k<V: Simd>(d_y: &[f32], x: &[f32], weight: &[f32], eps: f32, d_x: &mut [f32]) -> (f32, f32) {
    let n = x.len();
    assert!(d_y.len() == n && weight.len() == n && d_x.len() == n, "slices of different lengths");
    if n == 0 {
        return (0.0, 0.0);
    }
    let inverse = 1.0 / n as f32;
    let mean = sum_k::<V>(x) * inverse;
    d_x.copy_from_slice(x);
    for_each!(V, d_x, |v| v.sub(V::splat(mean)));
    let rstd = rstd_of(sum_squares_k::<V>(d_x) * inverse, eps);
    let (p, q, r) = (d_y.as_ptr(), weight.as_ptr(), d_x.as_mut_ptr());
    let (mut sum, mut dot) = (V::splat(0.0), V::splat(0.0));
    let mut i = 0;
    // SAFETY: all slices have n floats; whole vectors up to i + LANES <= n, then the n - i floats that are left.
    unsafe {
        while i + V::LANES <= n {
            let g = V::load(p.add(i)).mul(V::load(q.add(i)));
            sum = sum.add(g);
            dot = g.mul_add(V::load(r.add(i)), dot);
            i += V::LANES;
        }
        if i < n {
            let g = V::load_partial(p.add(i), n - i, 0.0).mul(V::load_partial(q.add(i), n - i, 0.0));
            sum = sum.add(g);
            dot = g.mul_add(V::load_partial(r.add(i), n - i, 0.0), dot);
        }
    }
    // rstd (g - mean(g) - x̂ mean(g x̂)) with x̂ = rstd d_x: so far d_x holds x - mean.
    let mean_g = V::splat(sum.reduce_sum() * inverse);
    let slope = V::splat(-dot.reduce_sum() * inverse * rstd * rstd);
    let rstd_v = V::splat(rstd);
    i = 0;
    // SAFETY: as above.
    unsafe {
        while i + V::LANES <= n {
            let g = V::load(p.add(i)).mul(V::load(q.add(i))).sub(mean_g);
            V::load(r.add(i)).mul_add(slope, g).mul(rstd_v).store(r.add(i));
            i += V::LANES;
        }
        if i < n {
            let w = n - i;
            let g = V::load_partial(p.add(i), w, 0.0).mul(V::load_partial(q.add(i), w, 0.0)).sub(mean_g);
            V::load_partial(r.add(i), w, 0.0).mul_add(slope, g).mul(rstd_v).store_partial(r.add(i), w);
        }
    }
    (mean, rstd)
}

// The following are plain loops: each element by itself, which the compiler vectorises for the instruction set that
// `dispatch!` chose.

#[inline(always)]
#[allow(clippy::extra_unused_type_parameters, reason = "`dispatch!` names the vector type of every kernel")]
fn add_normalized_product_k<V: Simd>(out: &mut [f32], d_y: &[f32], x: &[f32], mean: f32, rstd: f32) {
    assert!(d_y.len() == out.len() && x.len() == out.len(), "slices of different lengths");
    for ((o, d), x) in out.iter_mut().zip(d_y).zip(x) {
        *o += d * ((x - mean) * rstd);
    }
}

#[inline(always)]
fn scaled_softmax_k<V: Simd>(x: &mut [f32], max: f32, factor: f32) {
    for_each!(V, x, |v| exp_v(v.sub(V::splat(max))).mul(V::splat(factor)));
}

/// The numbers of one AdamW step.
#[derive(Debug, Clone, Copy)]
pub struct AdamWStep {
    /// Learning rate.
    pub lr: f32,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub eps: f32,
    /// `1 / (1 - beta1^t)`
    pub bias1: f32,
    /// `1 / (1 - beta2^t)`
    pub bias2: f32,
    /// Multiplies the gradient.
    pub clip: f32,
    /// Multiplies the parameters before the step: 1 minus learning rate times weight decay.
    pub keep: f32,
}

#[inline(always)]
#[allow(clippy::extra_unused_type_parameters, reason = "`dispatch!` names the vector type of every kernel")]
fn adamw_k<V: Simd>(s: AdamWStep, param: &mut [f32], grad: &mut [f32], m: &mut [f32], v: &mut [f32]) {
    let n = param.len();
    assert!(grad.len() == n && m.len() == n && v.len() == n, "slices of different lengths");
    let (a1, a2) = (1.0 - s.beta1, 1.0 - s.beta2);
    for (((p, grad), m), v) in param.iter_mut().zip(grad).zip(m).zip(v) {
        let g = *grad * s.clip;
        *m = s.beta1 * *m + a1 * g;
        *v = s.beta2 * *v + a2 * g * g;
        *p = *p * s.keep - s.lr * (*m * s.bias1) / ((*v * s.bias2).sqrt() + s.eps);
        *grad = 0.0;
    }
}

dispatch! {
    /// `d *= gelu'(x)` for GELU's tanh form, equal lengths.
    pub fn gelu_tanh_backward(d: &mut [f32], x: &[f32]) = gelu_tanh_backward_k;
    /// `d *= gelu'(x)` for GELU by the normal distribution, equal lengths.
    pub fn gelu_erf_backward(d: &mut [f32], x: &[f32]) = gelu_erf_backward_k;
    /// `d = x > 0 ? d : 0`, equal lengths.
    pub fn relu_backward(d: &mut [f32], x: &[f32]) = relu_backward_k;
    /// Gradient of one row of LayerNorm (Ba et al., 2016) with respect to x:
    /// `d_x = rstd (g - mean(g) - x̂ mean(g x̂))` with `g = d_y weight`, `x̂ = (x - mean) rstd`. Returns the mean and rstd.
    /// All slices have the same length.
    pub fn layer_norm_backward_row(d_y: &[f32], x: &[f32], weight: &[f32], eps: f32, d_x: &mut [f32]) -> (f32, f32) =
        layer_norm_backward_k;
    /// `out += d_y (x - mean) rstd`, equal lengths.
    pub fn add_normalized_product(out: &mut [f32], d_y: &[f32], x: &[f32], mean: f32, rstd: f32) =
        add_normalized_product_k;
    /// `x = e^(x - max) * factor`
    pub fn scaled_softmax(x: &mut [f32], max: f32, factor: f32) = scaled_softmax_k;
    /// One AdamW step (Loshchilov and Hutter, 2019), after which the gradient is zero; equal lengths.
    pub fn adamw(step: AdamWStep, param: &mut [f32], grad: &mut [f32], m: &mut [f32], v: &mut [f32]) = adamw_k;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(n: usize, step: f32) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * step).sin() * 2.0 + 0.3).collect()
    }

    fn close(got: &[f32], want: &[f64], tolerance: f64, what: &str) {
        // At least 1, the size of the terms: of two elements the gradient is what is left of a difference.
        let largest = want.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
        for (i, (&g, &w)) in got.iter().zip(want).enumerate() {
            assert!((f64::from(g) - w).abs() <= tolerance * largest, "{what}: {g} instead of {w} at {i}");
        }
    }

    /// Derivative of f by central differences with Richardson's extrapolation: error about h^4.
    fn derivative(f: impl Fn(f64) -> f64, x: f64) -> f64 {
        let d = |h: f64| (f(x + h) - f(x - h)) / (2.0 * h);
        (4.0 * d(5e-4) - d(1e-3)) / 3.0
    }

    /// The normal distribution function by the series of erf, to full precision where it is used here.
    fn normal_cdf64(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for n in 1..300 {
            term *= x * x / f64::from(2 * n + 1);
            sum += term;
        }
        0.5 + sum * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
    }

    #[test]
    fn slopes_are_the_derivatives() {
        let xs: Vec<f32> = (-9000..=9000).map(|i| i as f32 * 1e-3).collect();
        let a = (2.0 / std::f64::consts::PI).sqrt();
        let tanh_form = move |x: f64| 0.5 * x * (1.0 + (a * (x + 0.044715 * x * x * x)).tanh());
        let erf_form = |x: f64| x * normal_cdf64(x);
        let mut got = vec![1.0; xs.len()];
        gelu_tanh_backward(&mut got, &xs);
        close(&got, &xs.iter().map(|&x| derivative(tanh_form, x.into())).collect::<Vec<_>>(), 1e-6, "gelu_tanh");
        got.fill(1.0);
        gelu_erf_backward(&mut got, &xs);
        close(&got, &xs.iter().map(|&x| derivative(erf_form, x.into())).collect::<Vec<_>>(), 1e-6, "gelu_erf");
        got.fill(-3.0);
        relu_backward(&mut got, &xs);
        assert!(xs.iter().zip(&got).all(|(&x, &g)| g == if x > 0.0 { -3.0 } else { 0.0 }));
    }

    #[test]
    fn slopes_of_large_arguments_are_flat_and_finite() {
        let xs = [1e30, -1e30, f32::INFINITY, f32::NEG_INFINITY, 25.0, -25.0, 1e4, -1e4, 0.0];
        for f in [gelu_tanh_backward, gelu_erf_backward] {
            let mut got = [2.0; 9];
            f(&mut got, &xs);
            let want = [2.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 0.0, 1.0];
            assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-30), "{got:?}");
            let mut broken = [1.0];
            f(&mut broken, &[f32::NAN]);
            assert!(broken[0].is_nan(), "NaN must not vanish");
        }
    }

    #[test]
    fn layer_norm_gradients_are_the_derivatives() {
        for n in [1, 2, 7, 8, 33, 128, 771] {
            let (d_y, x, weight) = (wave(n, 0.7), wave(n, 1.3), wave(n, 0.41));
            let f64s = |v: &[f32]| v.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
            let (d64, x64, w64) = (f64s(&d_y), f64s(&x), f64s(&weight));
            let normalized = |x: &[f64]| -> Vec<f64> {
                let mean = x.iter().sum::<f64>() / n as f64;
                let var = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
                x.iter().map(|v| (v - mean) / (var + 1e-2).sqrt()).collect()
            };
            let loss = |x: &[f64]| normalized(x).iter().zip(&w64).zip(&d64).map(|((y, w), d)| y * w * d).sum::<f64>();
            let want: Vec<f64> = (0..n)
                .map(|i| {
                    let at = |v: f64| loss(&[&x64[..i], &[v], &x64[i + 1..]].concat());
                    derivative(at, x64[i])
                })
                .collect();
            let mut d_x = vec![f32::NAN; n];
            let (mean, rstd) = layer_norm_backward_row(&d_y, &x, &weight, 1e-2, &mut d_x);
            if n > 1 {
                close(&d_x, &want, 3e-6, "layer norm");
            } else {
                assert!(d_x[0].abs() < 1e-6, "a row of one element has no slope");
            }
            let mut grad_weight = vec![0.5; n];
            add_normalized_product(&mut grad_weight, &d_y, &x, mean, rstd);
            let want: Vec<f64> = normalized(&x64).iter().zip(&d64).map(|(y, d)| 0.5 + y * d).collect();
            close(&grad_weight, &want, 2e-6, "weight");
        }
    }

    #[test]
    fn scaled_softmax_is_accurate() {
        let x = wave(101, 0.9);
        let mut got = x.clone();
        scaled_softmax(&mut got, 2.3, 5.0);
        close(&got, &x.iter().map(|&x| (f64::from(x) - 2.3).exp() * 5.0).collect::<Vec<_>>(), 1e-6, "softmax");
    }
}
