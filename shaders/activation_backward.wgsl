// d_x = d_y act'(x), LEN elements; ACT as in the include.
// Includes: activation.
// Bindings: d_y read, x read, d_x read_write.
// Constants: LEN, ACT, GRID_X.
// Grid: ceil(LEN / 256) workgroups of 64, four elements each, folded.
// Source: Hendrycks and Gimpel 2016, "Gaussian Error Linear Units", differentiated.

fn slope4(value: vec4f) -> vec4f {
    // Beyond 20 the slope is 0 or 1 in f32, and products with larger arguments could overflow to NaN.
    let v = clamp(value, vec4f(-20.0), vec4f(20.0));
    if (ACT == 1u) {
        // x s(2u) with the logistic function s: its slope is s + x s (1 - s) (2u)'. By exp(-2|u|) nothing cancels.
        let u = clamp(1.5957691216057308 * (v + 0.044715 * v * v * v), vec4f(-80.0), vec4f(80.0));
        let e = exp(-abs(u));
        let q = 1.0 / (1.0 + e);
        let s = select(q, e * q, u < vec4f());
        return s + v * (e * q * q) * (1.5957691216057308 * (1.0 + 0.134145 * v * v));
    }
    if (ACT == 2u) {
        return 0.5 * (1.0 + erf4(v * 0.7071067811865476)) + v * exp(-0.5 * v * v) * 0.3989422804014327;
    }
    return select(vec4f(), vec4f(1.0), v > vec4f());
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let start = ((group.y * GRID_X + group.x) * 64u + lane) * 4u;
    if (start >= LEN) { return; }
    let i = min(vec4u(start, start + 1u, start + 2u, start + 3u), vec4u(LEN - 1u));
    let v = vec4f(d_y[i.x], d_y[i.y], d_y[i.z], d_y[i.w]) * slope4(vec4f(x[i.x], x[i.y], x[i.z], x[i.w]));

    d_x[start] = v.x;
    if (start + 1u < LEN) { d_x[start + 1u] = v.y; }
    if (start + 2u < LEN) { d_x[start + 2u] = v.z; }
    if (start + 3u < LEN) { d_x[start + 3u] = v.w; }
}
