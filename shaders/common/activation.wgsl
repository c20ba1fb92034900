// Element-wise activations, chosen by the constant ACT: 0 none, 1 GELU (tanh form), 2 GELU (erf), 3 ReLU. What is not finite stays so.
// Includes: finite.
// Source: Hendrycks and Gimpel 2016, "Gaussian Error Linear Units"; GPT-2 uses the tanh form.

// tanh by way of exp overflows to NaN on some drivers: beyond 10 it is 1 in f32 anyway, so the argument is clamped.
fn gelu_tanh4(x: vec4f) -> vec4f {
    let u = clamp(0.7978845608028654 * (x + 0.044715 * x * x * x), vec4f(-10.0), vec4f(10.0));
    return 0.5 * x * (1.0 + tanh(u));
}

// Abramowitz and Stegun 7.1.26: |error| <= 1.5e-7.
fn erf4(x: vec4f) -> vec4f {
    let z = min(abs(x), vec4f(6.0));
    let t = 1.0 / (1.0 + 0.3275911 * z);
    let p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return sign(x) * (1.0 - p * exp(-z * z));
}

fn gelu_erf4(x: vec4f) -> vec4f {
    return 0.5 * x * (1.0 + erf4(x * 0.7071067811865476));
}

fn activate4(x: vec4f) -> vec4f {
    if (ACT == 1u) { return gelu_tanh4(x); }
    if (ACT == 2u) { return gelu_erf4(x); }
    if (ACT == 3u) { return or_nan4(max(x, vec4f()), x); }
    return x;
}
