//! Every form of the product against f64, over awkward sizes, strides and epilogues.
use super::*;

/// Small, exactly reproducible numbers in -1..1.
fn noise(n: usize, seed: u64) -> Vec<f32> {
    let mut s = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..n)
        .map(|_| {
            s ^= s << 13;
            s ^= s >> 7;
            s ^= s << 17;
            (s >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

fn activate(f: Activation, x: f64) -> f64 {
    let mut y = [x as f32];
    match f {
        Activation::None => return x,
        Activation::Relu => return x.max(0.0),
        // Their accuracy is tested where they are defined.
        Activation::GeluTanh => vecops::gelu_tanh(&mut y),
        Activation::GeluErf => vecops::gelu_erf(&mut y),
    }
    f64::from(y[0])
}

struct Case {
    gemm: Gemm,
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
}

fn case(layout: Layout, m: usize, n: usize, k: usize, pad: usize, accumulate: bool) -> Case {
    let g = Gemm::new(layout, m, n, k);
    let gemm = g.strides(g.lda + pad, g.ldb + 2 * pad, g.ldc + 3 * pad).accumulating(accumulate);
    let (ar, br) = (if layout == Layout::TN { k } else { m }, if layout == Layout::NT { n } else { k });
    Case {
        gemm,
        a: noise(ar * gemm.lda, 1 + m as u64),
        b: noise(br * gemm.ldb, 2 + n as u64),
        c: noise(m * gemm.ldc, 3 + k as u64),
    }
}

fn check(case: &Case, epilogue: &Epilogue) {
    let g = &case.gemm;
    let mut c = case.c.clone();
    g.run(&case.a, &case.b, &mut c, epilogue, &mut Scratch::default());
    for m in 0..g.m {
        for n in 0..g.n {
            let mut want = if g.accumulate { f64::from(case.c[m * g.ldc + n]) } else { 0.0 };
            for k in 0..g.k {
                let a = if g.layout == Layout::TN { case.a[k * g.lda + m] } else { case.a[m * g.lda + k] };
                let b = if g.layout == Layout::NT { case.b[n * g.ldb + k] } else { case.b[k * g.ldb + n] };
                want += f64::from(a) * f64::from(b);
            }
            want += epilogue.bias.map_or(0.0, |b| f64::from(b[n]));
            want = activate(epilogue.activation, want);
            want += epilogue.residual.map_or(0.0, |(r, ld)| f64::from(r[m * ld + n]));
            let got = f64::from(c[m * g.ldc + n]);
            assert!((got - want).abs() <= 2e-6 * (4.0 + g.k as f64).sqrt() * 4.0, "{g:?} at ({m}, {n}): {got} {want}");
        }
        // What lies between the rows is someone else's.
        assert_eq!(c[m * g.ldc + g.n..(m + 1) * g.ldc], case.c[m * g.ldc + g.n..(m + 1) * g.ldc], "{g:?}");
    }
}

const LAYOUTS: [Layout; 3] = [Layout::NN, Layout::NT, Layout::TN];

#[test]
fn awkward_shapes() {
    let (mr, nr) = tile_shape();
    // Those up to eight stream B; the others leave 1, 2, 3 .. rows in the last tile.
    let ms = [1, 2, 3, 5, 8, 9, 10, 11, 12, 13, 2 * mr + 1, 3 * mr];
    let ns = [1, 3, nr - 1, nr, nr + 1, 17, 37];
    for layout in LAYOUTS {
        for m in ms {
            for n in ns {
                for k in [0, 1, 2, 5, 8, 19, 64] {
                    check(&case(layout, m, n, k, 0, false), &Epilogue::default());
                    check(&case(layout, m, n, k, 3, true), &Epilogue::default());
                }
            }
        }
        for (m, n, k) in [(0, 5, 5), (5, 0, 5), (0, 0, 0)] {
            check(&case(layout, m, n, k, 0, false), &Epilogue::default());
        }
    }
}

#[test]
fn several_blocks_in_every_direction() {
    for layout in LAYOUTS {
        check(&case(layout, 9, 11, 3 * KC + 5, 1, true), &Epilogue::default());
        check(&case(layout, TASK_ROWS + 3, 21, 9, 0, false), &Epilogue::default());
        check(&case(layout, 7, 2 * TASK_COLS + 5, 13, 2, true), &Epilogue::default());
        check(&case(layout, 1, 2 * TASK_COLS + 5, 131, 2, true), &Epilogue::default());
    }
}

#[test]
fn epilogues() {
    for layout in LAYOUTS {
        for (m, n, k) in [(1, 37, 19), (3, 8, 5), (13, 41, KC + 3)] {
            let (bias, residual) = (noise(n, 8), noise(m * (n + 2), 9));
            for activation in [Activation::None, Activation::GeluTanh, Activation::GeluErf, Activation::Relu] {
                for accumulate in [false, true] {
                    let full = Epilogue { bias: Some(&bias), activation, residual: Some((&residual, n + 2)) };
                    check(&case(layout, m, n, k, 1, accumulate), &full);
                    check(&case(layout, m, n, k, 0, accumulate), &Epilogue { activation, ..Default::default() });
                }
            }
        }
    }
}

/// The tasks' cut must not show: each column of the whole equals the same column computed in other company.
#[test]
fn cutting_changes_no_bit() {
    for layout in LAYOUTS {
        for m in [1, 3, 300] {
            let whole = case(layout, m, 803, 700, 0, false);
            let g = whole.gemm;
            let mut c = whole.c.clone();
            g.run(&whole.a, &whole.b, &mut c, &Epilogue::default(), &mut Scratch::default());
            let mut again = whole.c.clone();
            let mut scratch = Scratch::default();
            for task in 0..g.task_count() {
                g.run_task(task, &whole.a, &whole.b, &mut again, &Epilogue::default(), &mut scratch);
            }
            assert!(c.iter().zip(&again).all(|(x, y)| x.to_bits() == y.to_bits()));
            // Columns 64.. as a product of their own: other tasks, other tiles.
            let part = Gemm { n: 803 - 64, ..g };
            let b = if layout == Layout::NT { &whole.b[64 * g.ldb..] } else { &whole.b[64..] };
            let mut shifted = whole.c.clone();
            part.run(&whole.a, b, &mut shifted[64..], &Epilogue::default(), &mut scratch);
            for row in 0..m {
                for n in 64..803 {
                    assert_eq!(c[row * g.ldc + n].to_bits(), shifted[row * g.ldc + n].to_bits(), "{layout:?} {m} {n}");
                }
            }
        }
    }
}

#[test]
fn tasks_are_short_and_cover_large_products() {
    for (layout, m, n, k) in
        [(Layout::NT, 1024, 50257, 768), (Layout::NN, 1024, 768, 50257), (Layout::NT, 1, 50257, 768)]
    {
        let g = Gemm::new(layout, m, n, k);
        let each = m as f64 * n as f64 * k as f64 / g.task_count() as f64;
        assert!(each < 1.3 * TASK_MACS as f64, "{each} multiply-adds a task");
        assert!(each > 1e6, "{each} multiply-adds a task");
    }
}

#[test]
#[should_panic(expected = "too few")]
fn a_short_operand_is_refused() {
    let g = Gemm::new(Layout::NN, 4, 4, 4);
    g.run(&[0.0; 15], &[0.0; 16], &mut [0.0; 16], &Epilogue::default(), &mut Scratch::default());
}

fn attention64(q: &[f32], k: &[f32], v: &[f32], hd: usize, keys: usize, scale: f32) -> (Vec<f64>, Vec<f64>, f64) {
    let score = |t: usize| (0..hd).map(|i| f64::from(q[i]) * f64::from(k[t * hd + i])).sum::<f64>() * f64::from(scale);
    let e: Vec<f64> = (0..keys).map(|t| score(t).exp()).collect();
    let sum: f64 = e.iter().sum();
    let out = (0..hd).map(|i| (0..keys).map(|t| e[t] / sum * f64::from(v[t * hd + i])).sum()).collect();
    (out, e.iter().map(|x| x / sum).collect(), sum.ln())
}

#[test]
fn attention_of_a_block_and_of_one_query() {
    for (m, hd, pos0) in [(1, 4, 0), (1, 64, 70), (5, 8, 3), (67, 16, 9), (130, 64, 0), (64, 5, 64)] {
        let (t, stride, scale) = (pos0 + m, 3 * hd + 1, 3.0 / (hd as f32).sqrt());
        let (q, k, v) = (noise(m * stride, 4), noise(t * hd, 5), noise(t * hd, 6));
        let shape =
            AttentionBlock { m, head_dim: hd, q_stride: stride, kv_stride: hd, out_stride: hd + 2, pos0, scale };
        let (mut out, mut lse, mut probs) = (vec![7.0; m * (hd + 2)], vec![0.0; m], vec![7.0; m * (t + 1)]);
        let mut scratch = Scratch::default();
        attention_block(&shape, &q, &k, &v, &mut out, Some(&mut lse), Some((&mut probs, t + 1)), &mut scratch);
        for i in 0..m {
            let row = &q[i * stride..i * stride + hd];
            let (want, p, l) = attention64(row, &k, &v, hd, pos0 + i + 1, scale);
            let (mut one, mut scores) = (vec![0.0; hd], vec![0.0; t]);
            let lse_one = attention_row(row, &k, &v, pos0 + i + 1, scale, &mut scores, &mut one);
            for j in 0..hd {
                assert!((f64::from(out[i * (hd + 2) + j]) - want[j]).abs() < 2e-6, "{shape:?} {i}");
                assert!((f64::from(one[j]) - want[j]).abs() < 2e-6, "{shape:?} {i}");
            }
            assert_eq!(out[i * (hd + 2) + hd], 7.0, "the gap between rows");
            assert!((f64::from(lse[i]) - l).abs() < 1e-5 && (f64::from(lse_one) - l).abs() < 1e-5);
            for j in 0..t {
                let want = p.get(j).copied().unwrap_or(0.0);
                assert!((f64::from(probs[i * (t + 1) + j]) - want).abs() < 1e-6);
            }
        }
        // Any cut of the queries gives the same bits.
        for cut in [1, 3, 64].into_iter().filter(|&c| c < m) {
            let mut parts = vec![7.0; out.len()];
            for i in (0..m).step_by(cut) {
                let part = AttentionBlock { m: cut.min(m - i), pos0: pos0 + i, ..shape };
                attention_block(&part, &q[i * stride..], &k, &v, &mut parts[i * (hd + 2)..], None, None, &mut scratch);
            }
            assert!(out.iter().zip(&parts).all(|(x, y)| x.to_bits() == y.to_bits()), "{shape:?} cut by {cut}");
        }
    }
}

/// What is not finite in a query, key or value reaches every query that sees it, and no other.
#[test]
fn attention_passes_on_what_is_not_finite_to_those_that_see_it() {
    let (m, hd, pos0) = (70, 8, 3);
    let (t, mut scratch) = (pos0 + m, Scratch::default());
    let shape = AttentionBlock { m, head_dim: hd, q_stride: hd, kv_stride: hd, out_stride: hd, pos0, scale: 1.0 };
    let mut run = |q: &[f32], k: &[f32], v: &[f32]| {
        let mut out = vec![7.0; m * hd];
        attention_block(&shape, q, k, v, &mut out, None, None, &mut scratch);
        for i in 0..m {
            let (mut one, mut scores) = (vec![0.0; hd], vec![0.0; t]);
            attention_row(&q[i * hd..][..hd], k, v, pos0 + i + 1, 1.0, &mut scores, &mut one);
            let alike = |(a, b): (&f32, &f32)| if a.is_finite() { (a - b).abs() < 1e-5 } else { !b.is_finite() };
            assert!(out[i * hd..].iter().zip(&one).all(alike), "a block and one query differ in row {i}");
        }
        out.chunks(hd).map(|row| row.iter().all(|x| x.is_finite())).collect::<Vec<_>>()
    };
    let (q, k, v) = (noise(m * hd, 4), noise(t * hd, 5), noise(t * hd, 6));
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for at in [0, 2, 3, 40, 66, 67, t - 1] {
            let spoil = |x: &[f32], row: usize| {
                let mut x = x.to_vec();
                x[row * hd + 5] = bad;
                x
            };
            let sees: Vec<bool> = (0..m).map(|i| pos0 + i < at).collect();
            assert_eq!(run(&q, &spoil(&k, at), &v), sees, "key {at} is {bad}");
            assert_eq!(run(&q, &k, &spoil(&v, at)), sees, "value {at} is {bad}");
            if at < m {
                let others: Vec<bool> = (0..m).map(|i| i != at).collect();
                assert_eq!(run(&spoil(&q, at), &k, &v), others, "query {at} is {bad}");
            }
        }
    }
}
