// Mean and spread of the row of x (C elements) that begins at `start`, by the invocations that share it (row|row_none). EPS is added
// to the variance. Two passes: the one-pass variance cancels. Every invocation of the workgroup must call these. Includes: finite.

fn row_mean(start: u32, lane: u32) -> f32 {
    var sum = 0.0;
    for (var i = lane; i < C; i += ROW_THREADS) { sum += x[start + i]; }
    return row_sum(sum, lane) / f32(C);
}

// 1 / sqrt(var + EPS), the biased variance; NaN where it overflows, since 0 would make ordinary numbers of a row that is lost.
fn row_rstd(start: u32, mean: f32, lane: u32) -> f32 {
    var squares = 0.0;
    for (var i = lane; i < C; i += ROW_THREADS) {
        let d = x[start + i] - mean;
        squares += d * d;
    }
    let v = row_sum(squares, lane) / f32(C) + EPS;
    return or_nan(inverseSqrt(v), v);
}
