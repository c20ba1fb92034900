// What is not finite must not hide: y, or NaN where x is NaN or infinite. By the bits of x, as compilers may assume that floats are
// finite, and functions may make ordinary numbers of NaN (SwiftShader's log gives 89); and made of them, as a NaN may not be written
// as a constant.

fn or_nan(y: f32, x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    return bitcast<f32>(select(bitcast<u32>(y), bits | 0x00400000u, (bits & 0x7f800000u) == 0x7f800000u));
}

fn or_nan4(y: vec4f, x: vec4f) -> vec4f {
    let bits = bitcast<vec4u>(x);
    let spoilt = (bits & vec4u(0x7f800000u)) == vec4u(0x7f800000u);
    return bitcast<vec4f>(select(bitcast<vec4u>(y), bits | vec4u(0x00400000u), spoilt));
}
