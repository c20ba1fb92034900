//! Matrix products with their epilogues: every linear layer, the head, and (by `fuse`) the activation and residual after.

use super::activation::act_code;
use super::{BiasBackward, dims2, want_shape, wgsl};
use crate::config::Activation;
use crate::cpu::gemm::{self, Epilogue, Gemm};
use crate::error::{Error, Result};
use crate::graph::{Absorb, Backward, CpuArgs, Elem, Fused, Graph, Kernel, Meta, Node, Op, Shapes, Target, TensorId};
use crate::message::Message;
use std::sync::Arc;

/// Which operand is stored transposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// `A (M, K) · B (K, N)`: a linear layer with its weight as (in, out), as in HF's Conv1D.
    NN,
    /// `A (M, K) · B (N, K)ᵀ`: the head, whose weight is (vocabulary, n_embd).
    NT,
    /// `A (K, M)ᵀ · B (K, N)`: the gradient of a weight.
    TN,
}

/// `C = act(A · B + bias) + residual`, or `C +=` that.
///
/// Inputs: a, b, then bias `(width)` if `bias`, residual `(M, N)` if `residual`, and the matrix to write into or to add to
/// if `columns` or `accumulate` say so. Output: `(M, N)`, or that matrix.
#[derive(Debug, Clone)]
pub struct MatMul {
    /// Storage of the operands.
    pub product: Product,
    /// Whether a bias follows.
    pub bias: bool,
    /// Applied after the bias.
    pub act: Option<Activation>,
    /// Whether a residual follows.
    pub residual: bool,
    /// Whether the last input is a matrix to add to, in place: a parameter's gradient.
    pub accumulate: bool,
    /// Where the N columns go in a wider C: the head of a vocabulary that had to be cut writes its part of the logits.
    pub columns: Option<Columns>,
}

/// A range of columns of a wider matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// Columns of the whole matrix.
    pub width: usize,
    /// First column written.
    pub start: usize,
    /// Whether the last input is the matrix, written in place; else this op makes it.
    pub update: bool,
}

impl MatMul {
    /// `A · B`.
    pub fn new(product: Product) -> Self {
        Self { product, bias: false, act: None, residual: false, accumulate: false, columns: None }
    }

    /// The same with a bias.
    pub fn with_bias(self, bias: bool) -> Self {
        Self { bias, ..self }
    }

    /// The same, writing into columns of a wider matrix.
    pub fn into_columns(self, columns: Columns) -> Self {
        Self { columns: Some(columns), ..self }
    }

    /// (M, N, K).
    fn dims(&self, a: &Meta, b: &Meta) -> (usize, usize, usize) {
        let (a, b) = (&a.shape, &b.shape);
        match self.product {
            Product::NN => (a[0], b[1], a[1]),
            Product::NT => (a[0], b[0], a[1]),
            Product::TN => (a[1], b[1], a[0]),
        }
    }

    /// The same, added to the last input in place.
    pub fn accumulating(self) -> Self {
        Self { accumulate: true, ..self }
    }

    /// Whether the last input is changed in place.
    fn changes_input(&self) -> bool {
        self.accumulate || self.columns.is_some_and(|c| c.update)
    }

    fn residual_index(&self) -> usize {
        2 + usize::from(self.bias)
    }

    /// Row length of C and the first column.
    fn place(&self, n: usize) -> (usize, usize) {
        self.columns.map_or((n, 0), |c| (c.width, c.start))
    }

    fn gemm(&self, s: Shapes<'_>) -> Gemm {
        let (m, n, k) = self.dims(s.inputs[0], s.inputs[1]);
        let layout = match self.product {
            Product::NN => gemm::Layout::NN,
            Product::NT => gemm::Layout::NT,
            Product::TN => gemm::Layout::TN,
        };
        let gemm = Gemm::new(layout, m, n, k);
        gemm.strides(gemm.lda, gemm.ldb, self.place(n).0).accumulating(self.accumulate)
    }
}

impl Op for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        let update = self.changes_input();
        let count = self.residual_index() + usize::from(self.residual) + usize::from(update);
        if inputs.len() != count {
            return Err(Message::uncoded(format!("needs {count} inputs, not {}", inputs.len())));
        }
        dims2(inputs[0], "a")?;
        dims2(inputs[1], "b")?;
        let (m, n, k) = self.dims(inputs[0], inputs[1]);
        let other_k = if self.product == Product::NT { inputs[1].shape[1] } else { inputs[1].shape[0] };
        if other_k != k {
            return Err(Message::uncoded(format!("the sums run over {k} elements of a, but {other_k} of b")));
        }
        let (width, start) = self.place(n);
        if start + n > width {
            return Err(Message::uncoded(format!("columns {start}..{} do not fit a width of {width}", start + n)));
        }
        if self.bias {
            want_shape(inputs[2], &[width], "bias")?;
        }
        if self.residual {
            want_shape(inputs[self.residual_index()], &[m, n], "residual")?;
        }
        if update {
            want_shape(inputs[count - 1], &[m, width], "the matrix to write into")?;
        }
        Ok(vec![Meta::f32(&[m, width])])
    }

    fn updates(&self) -> &[(usize, usize)] {
        match (self.changes_input(), self.residual_index() + usize::from(self.residual)) {
            (false, _) => &[],
            (true, 2) => &[(0, 2)],
            (true, 3) => &[(0, 3)],
            (true, _) => &[(0, 4)],
        }
    }

    fn fuse(&self, _graph: &Graph, own: &Node, next: &Node, link: TensorId) -> Option<Fused> {
        if self.residual || self.columns.is_some() || self.accumulate {
            return None;
        }
        let mut op = self.clone();
        let mut inputs = own.inputs.clone();
        match next.op.absorbable()? {
            Absorb::Activation(act) if self.act.is_none() => op.act = Some(act),
            Absorb::Add => {
                let other = *next.inputs.iter().find(|&&t| t != link)?;
                op.residual = true;
                inputs.push(other);
            }
            // `grad += A · B` without a matrix in between.
            Absorb::Accumulate if next.inputs[1] == link && !self.bias && self.act.is_none() => {
                op.accumulate = true;
                inputs.push(next.inputs[0]);
            }
            _ => return None,
        }
        Some(Fused { op: Arc::new(op), inputs, outputs: next.outputs.clone() })
    }

    #[cfg(feature = "train")]
    fn backward(&self, g: &mut Backward<'_>, node: &Node) -> Result<()> {
        if self.act.is_some() || self.residual || self.columns.is_some() || self.accumulate {
            return Err(Error::Graph(Message::uncoded(
                "a matmul with an epilogue has no gradient rule: differentiate before fusion",
            )));
        }
        let (a, b, dy) = (node.inputs[0], node.inputs[1], g.of_output(node)?);
        // C = A B: dA = dC Bᵀ, dB = Aᵀ dC. C = A Bᵀ: dA = dC B, dB = dCᵀ A.
        let (for_a, for_b) = match self.product {
            Product::NN => ((Product::NT, dy, b), (Product::TN, a, dy)),
            Product::NT => ((Product::NN, dy, b), (Product::TN, dy, a)),
            Product::TN => {
                return Err(Error::Graph(Message::uncoded("the gradient of a weight has no gradient rule of its own")));
            }
        };
        for (tensor, (product, left, right)) in [(a, for_a), (b, for_b)] {
            if g.wants(tensor) {
                let d = g.graph.apply1(&g.name(tensor), Self::new(product), &[left, right])?;
                g.add(tensor, d)?;
            }
        }
        if self.bias && g.wants(node.inputs[2]) {
            let bias = node.inputs[2];
            let old = g.parameter(bias);
            let new = g.graph.apply1(&g.version(bias), BiasBackward, &[dy, old])?;
            g.set_parameter(bias, new);
        }
        Ok(())
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let (m, n, k) = self.dims(s.inputs[0], s.inputs[1]);
        let (ldc, c_col) = self.place(n);
        let (lda, ldb) = (s.input(0, 1), s.input(1, 1));
        let software = target == Target::Software;
        // (kernel, workgroup, outputs per invocation along n and m)
        let vector = m == 1 && self.product != Product::TN;
        let (mut kernel, wg_x, wg_y, rows) = match (vector, software) {
            (true, _) if self.product == Product::NN => (Kernel::new("matvec", wgsl!("matvec")), 0, 1, 1),
            (true, _) => (Kernel::new("matvec_t", wgsl!("matvec_t")), 0, 1, 1),
            (false, true) => (Kernel::new("matmul", wgsl!("matmul")), 4, 4, 8),
            // Small outputs are cut finer, or most of the GPU would idle.
            (false, false) if m.div_ceil(64) * n.div_ceil(64) < 64 => {
                (Kernel::new("matmul_tiled", wgsl!("matmul_tiled")), 8, 8, 4)
            }
            (false, false) => (Kernel::new("matmul_tiled", wgsl!("matmul_tiled")), 16, 16, 4),
        };
        let four = |x: usize| x.is_multiple_of(4);
        let (a4, b4) = (four(lda), four(ldb));
        let c4 = four(n) && four(ldc) && four(c_col);
        let elem = |vec4: bool| if vec4 { Elem::Vec4 } else { Elem::F32 };
        kernel = kernel.read("a", elem(a4), 0).read("b", elem(b4), 1);
        if self.bias {
            kernel = kernel.read("bias", Elem::F32, 2);
        }
        if self.residual {
            kernel = kernel.read("residual", Elem::F32, self.residual_index());
        }
        kernel = kernel
            .write("c", elem(c4), 0)
            .include(if a4 { wgsl!("common/a_vec4") } else { wgsl!("common/a_scalar") })
            .include(if b4 { wgsl!("common/b_vec4") } else { wgsl!("common/b_scalar") })
            .include(if c4 { wgsl!("common/c_vec4") } else { wgsl!("common/c_scalar") })
            .include(if self.bias { wgsl!("common/bias") } else { wgsl!("common/bias_none") })
            .include(if self.residual { wgsl!("common/residual") } else { wgsl!("common/residual_none") })
            .include(wgsl!("common/finite"))
            .include(wgsl!("common/activation"))
            .include(wgsl!("common/epilogue"))
            .include(wgsl!("common/blocks"));
        for (name, value) in [("M", m), ("N", n), ("K", k), ("LDA", lda), ("LDB", ldb), ("LDC", ldc), ("C_COL", c_col)]
        {
            kernel = kernel.constant(name, value);
        }
        kernel = kernel
            .constant("A_TRANS", self.product == Product::TN)
            .constant("B_TRANS", self.product == Product::NT)
            .constant("ACT", act_code(self.act))
            .constant("ACCUMULATE", self.accumulate);
        if !vector {
            let grid = [n.div_ceil(4 * wg_x), m.div_ceil(rows * wg_y), 1];
            return vec![kernel.constant("WG_X", wg_x).constant("WG_Y", wg_y).grid(grid)];
        }
        let (wg_x, split_k) = match (self.product, software) {
            (_, true) => (16, 1),
            (Product::NN, false) => (16, 16),
            (_, false) => (4, 32),
        };
        let split = if split_k == 1 { wgsl!("common/split_k_none") } else { wgsl!("common/split_k") };
        let grid = [n.div_ceil(4 * wg_x), 1, 1];
        vec![kernel.include(split).constant("WG_X", wg_x).constant("SPLIT_K", split_k).grid(grid)]
    }

    fn cpu_tasks(&self, s: Shapes<'_>) -> usize {
        self.gemm(s).task_count()
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, task: usize) {
        let s = args.shapes();
        let gemm = self.gemm(s);
        let (_, start) = self.place(gemm.n);
        let epilogue = Epilogue {
            bias: self.bias.then(|| &args.f32(2)[start..start + gemm.n]),
            activation: match self.act {
                None => gemm::Activation::None,
                Some(Activation::GeluTanh) => gemm::Activation::GeluTanh,
                Some(Activation::GeluErf) => gemm::Activation::GeluErf,
                Some(Activation::Relu) => gemm::Activation::Relu,
            },
            residual: self.residual.then(|| (args.f32(self.residual_index()), gemm.n)),
        };
        let (a, b, c) = (args.f32(0), args.f32(1), args.out_f32(0));
        gemm.run_task(task, a, b, &mut c[start..], &epilogue, args.scratch());
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        let (m, n, k) = self.dims(s.inputs[0], s.inputs[1]);
        2 * m as u64 * n as u64 * k as u64
    }
}
