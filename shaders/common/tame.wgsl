// A logit that can be computed with, within LOGIT_MAX of zero: NaN counts as the least likely. By bits, as compilers may
// assume that there is no NaN.
fn tame(x: f32) -> f32 {
    let is_nan = (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
    return select(clamp(x, -LOGIT_MAX, LOGIT_MAX), -LOGIT_MAX, is_nan);
}
