// One AdamW step over LEN floats, in place; the gradient is zero afterwards:
// g = grad min(1, CLIP / norm); m = BETA1 m + (1 - BETA1) g; v = BETA2 v + (1 - BETA2) g^2; p *= 1 - LR WEIGHT_DECAY where the mask
// says so; p -= LR (m BIAS1) / (sqrt(v BIAS2) + EPS). If the norm is not finite only the gradient is zeroed.
// Includes: hyper.
// Bindings: hyper read, norm read (1, bits of an f32), decay read (bit i for floats 64 i..64 i + 64), param read_write,
// grad read_write, m read_write, v read_write.
// Constants: LEN, GRID_X.
// Grid: ceil(LEN / 64) workgroups of 64, folded.
// Source: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization".

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let block = group.y * GRID_X + group.x;
    let i = block * 64u + lane;
    if (i >= LEN) { return; }
    // By its bits: shader compilers may assume that floats are finite.
    if ((norm[0] & 0x7f800000u) == 0x7f800000u) {
        grad[i] = 0.0;
        return;
    }
    let clip = hyper_f32(CLIP);
    let length = bitcast<f32>(norm[0]);
    var g = grad[i];
    if (clip > 0.0 && length > clip) { g *= clip / length; }
    let beta1 = hyper_f32(BETA1);
    let beta2 = hyper_f32(BETA2);
    let lr = hyper_f32(LR);
    let m_new = beta1 * m[i] + (1.0 - beta1) * g;
    let v_new = beta2 * v[i] + (1.0 - beta2) * g * g;
    let decays = (decay[block / 32u] >> (block % 32u)) & 1u;
    let kept = param[i] * select(1.0, 1.0 - lr * hyper_f32(WEIGHT_DECAY), decays == 1u);
    param[i] = kept - lr * (m_new * hyper_f32(BIAS1)) / (sqrt(v_new * hyper_f32(BIAS2)) + hyper_f32(ADAM_EPS));
    m[i] = m_new;
    v[i] = v_new;
    grad[i] = 0.0;
}
