// logits = (softmax(logits) - onehot(target)) LOSS_SCALE, in place; zeros in rows without a target. LEN elements in rows of V, the
// columns COL0..COL0+V of the vocabulary; stats[row] = [max, sum of exp(x - max), ...] of all columns.
// Includes: hyper.
// Bindings: targets read, stats read (LEN / V, 4), hyper read, logits read_write.
// Constants: LEN, V, COL0, GRID_X.
// Grid: ceil(LEN / 64) workgroups of 64, folded.
// Source: Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs".

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let i = (group.y * GRID_X + group.x) * 64u + lane;
    if (i >= LEN) { return; }
    let row = i / V;
    let target_id = targets[row];
    if (target_id == IGNORE) {
        logits[i] = 0.0;
        return;
    }
    let p = exp(logits[i] - stats[row * 4u]) / stats[row * 4u + 1u];
    logits[i] = (p - select(0.0, 1.0, COL0 + i % V == target_id)) * hyper_f32(LOSS_SCALE);
}
