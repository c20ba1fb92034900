// A logit that can be computed with is at most LOGIT_MAX from zero: then sums, differences, and what temperature and penalty make of
// it are finite. Any other, and NaN, counts as SPOILT, above all that can be, so that a maximum tells of it. By bits, as compilers
// may assume that there is no NaN.

const SPOILT: f32 = 3.0e38;
// For what is bound as u32, since a NaN may not be written as a constant.
const NAN_BITS: u32 = 0x7fc00000u;

fn logit_of(x: f32) -> f32 {
    return select(x, SPOILT, (bitcast<u32>(x) & 0x7fffffffu) > bitcast<u32>(LOGIT_MAX));
}
