//! Single-thread f32 matrix products, cut into short tasks so that a caller can stop between them.
//!
//! Large products follow the classic scheme of Goto and van de Geijn ("Anatomy of High-Performance Matrix
//! Multiplication", 2008): blocks of A and B are packed into panels that stay in cache, and a register tile is computed
//! from one panel of each. Products with few rows stream B from memory once, without packing. In wasm
//! this measured as fast as the `gemm` and `matrixmultiply` crates on large products and up to three times as fast on few
//! rows.
//!
//! Every element of C is summed over k in an order that depends only on the shape of the whole product and the machine,
//! never on how it was cut: results are the same bit for bit.
mod attention;
mod attention_backward;
mod kernel;
mod matvec;
mod pack;
#[cfg(test)]
mod tests;

pub use attention::{AttentionBlock, DropMask, attention_block, attention_row, dropped_attention_block};
pub use attention_backward::{AttentionBackwardBlock, BACKWARD_QUERIES, attention_backward_block};
pub use matvec::{matvec_nn, matvec_nt};

use crate::vecops;
use kernel::{KC, packed_block, tile_shape};

/// Which operands are stored transposed. C is always `(M, N)` row-major.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `C = A · B` with A `(M, K)` and B `(K, N)`: a forward linear layer with weights stored (in, out).
    NN,
    /// `C = A · Bᵀ` with A `(M, K)` and B `(N, K)`: the tied head, and `d_x = d_y · Wᵀ`.
    NT,
    /// `C = Aᵀ · B` with A `(K, M)` and B `(K, N)`: `d_W = xᵀ · d_y`.
    TN,
}

/// The function applied to each element of C after the bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// The identity.
    #[default]
    None,
    /// GELU in its tanh form (GPT-2's `gelu_new`).
    GeluTanh,
    /// GELU by the error function (PyTorch's default).
    GeluErf,
    /// `max(x, 0)`
    Relu,
}

/// What happens to a finished element: `c = activation(c + bias[n]) + residual[m, n]`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Epilogue<'a> {
    /// `(N)`
    pub bias: Option<&'a [f32]>,
    /// Applied after the bias.
    pub activation: Activation,
    /// `(M, N)` and its row stride; added last.
    pub residual: Option<(&'a [f32], usize)>,
}

impl Epilogue<'_> {
    /// Whether it changes nothing.
    fn is_none(&self) -> bool {
        self.bias.is_none() && self.activation == Activation::None && self.residual.is_none()
    }

    /// Finishes the elements of rows `m0..m1`, columns `n0..n1`.
    fn apply(&self, c: &mut [f32], ldc: usize, m0: usize, m1: usize, n0: usize, n1: usize) {
        if self.is_none() {
            return;
        }
        for m in m0..m1 {
            let row = &mut c[m * ldc + n0..m * ldc + n1];
            if let Some(bias) = self.bias {
                vecops::add(row, &bias[n0..n1]);
            }
            match self.activation {
                Activation::None => {}
                Activation::GeluTanh => vecops::gelu_tanh(row),
                Activation::GeluErf => vecops::gelu_erf(row),
                Activation::Relu => vecops::relu(row),
            }
            if let Some((residual, ld)) = self.residual {
                vecops::add(row, &residual[m * ld + n0..m * ld + n1]);
            }
        }
    }
}

/// Memory that products reuse from call to call (about 1 MiB once grown).
#[derive(Debug, Default)]
pub struct Scratch {
    a: Vec<f32>,
    b: Vec<f32>,
    scores: Vec<f32>,
}

impl Scratch {
    /// Room for at least `len` attention scores, with undefined contents.
    pub fn scores(&mut self, len: usize) -> &mut [f32] {
        grown(&mut self.scores, len)
    }
}

/// Grows `buf` to at least `len` and returns that much of it.
fn grown(buf: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if buf.len() < len {
        buf.resize(len, 0.0);
    }
    &mut buf[..len]
}

/// A product's shape: `C (M, N)` from operands stored as [`Layout`] says, all row-major.
///
/// The strides are in floats, at least the operand's row length; larger ones address a column block of a wider matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gemm {
    /// Which operands are transposed.
    pub layout: Layout,
    /// Rows of C.
    pub m: usize,
    /// Columns of C.
    pub n: usize,
    /// Length of the sums.
    pub k: usize,
    /// Row stride of A.
    pub lda: usize,
    /// Row stride of B.
    pub ldb: usize,
    /// Row stride of C.
    pub ldc: usize,
    /// Add to what C holds instead of overwriting it.
    pub accumulate: bool,
}

/// Products with at most this many rows stream B unpacked.
const STREAM_ROWS: usize = 8;
/// Multiply-adds of a packed task: 3 ms in wasm on a current core.
const TASK_MACS: usize = 48 << 20;
/// Multiply-adds of a streaming task: 16 MiB of B, about 1 ms.
const STREAM_MACS: usize = 4 << 20;
/// Rows and columns of a packed task.
const TASK_ROWS: usize = 256;
const TASK_COLS: usize = 384;

/// The blocks a product is cut into.
struct Cut {
    rows: usize,
    cols: usize,
    ks: usize,
    row_tasks: usize,
    col_tasks: usize,
    k_tasks: usize,
}

impl Gemm {
    /// A product of dense matrices that overwrites C.
    pub fn new(layout: Layout, m: usize, n: usize, k: usize) -> Self {
        let (lda, ldb) = match layout {
            Layout::NN => (k, n),
            Layout::NT => (k, k),
            Layout::TN => (m, n),
        };
        Self { layout, m, n, k, lda, ldb, ldc: n, accumulate: false }
    }

    /// The same product with other row strides.
    pub fn strides(self, lda: usize, ldb: usize, ldc: usize) -> Self {
        Self { lda, ldb, ldc, ..self }
    }

    /// The same product added to C.
    pub fn accumulating(self, accumulate: bool) -> Self {
        Self { accumulate, ..self }
    }

    fn streams(&self) -> bool {
        self.m <= STREAM_ROWS && self.layout != Layout::TN
    }

    fn cut(&self) -> Cut {
        let (rows, cols, ks);
        if self.streams() {
            rows = self.m.max(1);
            // Whole cache lines and tiles, so that no vector straddles two tasks.
            cols = (STREAM_MACS / (self.k * rows).max(1)).next_multiple_of(64).min(self.n.max(1));
            ks = self.k.max(1);
        } else {
            let (mr, nr) = tile_shape();
            rows = even_split(self.m, TASK_ROWS, mr);
            cols = even_split(self.n, TASK_COLS, nr);
            ks = (TASK_MACS / (rows * cols)).max(1).next_multiple_of(KC);
        }
        let tasks = |len: usize, step: usize| len.div_ceil(step).max(1);
        let (row_tasks, col_tasks, k_tasks) = (tasks(self.m, rows), tasks(self.n, cols), tasks(self.k, ks));
        Cut { rows, cols, ks, row_tasks, col_tasks, k_tasks }
    }

    /// How many tasks make up the product.
    pub fn task_count(&self) -> usize {
        let cut = self.cut();
        cut.row_tasks * cut.col_tasks * cut.k_tasks
    }

    /// Checks that the operands are as large as the shape says.
    fn check(&self, a: &[f32], b: &[f32], c: &[f32], epilogue: &Epilogue) {
        let holds = |s: &[f32], rows: usize, cols: usize, ld: usize, what: &str| {
            assert!(
                rows == 0 || cols == 0 || (ld >= cols && s.len() >= (rows - 1) * ld + cols),
                "{what} has {} floats, too few for ({rows}, {cols}) with row stride {ld}",
                s.len()
            );
        };
        let (ar, ac) = if self.layout == Layout::TN { (self.k, self.m) } else { (self.m, self.k) };
        let (br, bc) = if self.layout == Layout::NT { (self.n, self.k) } else { (self.k, self.n) };
        holds(a, ar, ac, self.lda, "A");
        holds(b, br, bc, self.ldb, "B");
        holds(c, self.m, self.n, self.ldc, "C");
        if let Some(bias) = epilogue.bias {
            holds(bias, 1, self.n, self.n, "the bias");
        }
        if let Some((residual, ld)) = epilogue.residual {
            holds(residual, self.m, self.n, ld, "the residual");
        }
    }

    /// Runs task `task` of [`Gemm::task_count`]. Tasks must run in order (a long sum is spread over several).
    ///
    /// # Panics
    /// If an operand is shorter than its shape and stride need.
    pub fn run_task(
        &self,
        task: usize,
        a: &[f32],
        b: &[f32],
        c: &mut [f32],
        epilogue: &Epilogue,
        scratch: &mut Scratch,
    ) {
        self.check(a, b, c, epilogue);
        if self.m == 0 || self.n == 0 {
            return;
        }
        let cut = self.cut();
        let (tile, kt) = (task / cut.k_tasks, task % cut.k_tasks);
        // Row blocks of one column block follow each other, so that its part of B is still in cache.
        let (m0, n0, k0) = ((tile % cut.row_tasks) * cut.rows, (tile / cut.row_tasks) * cut.cols, kt * cut.ks);
        let (m1, n1, k1) = ((m0 + cut.rows).min(self.m), (n0 + cut.cols).min(self.n), (k0 + cut.ks).min(self.k));
        assert!(n0 < self.n, "task {task} of {}", self.task_count());
        if self.streams() {
            matvec::stream_block(self, a, b, c, n0, n1);
        } else {
            self.packed(a, b, c, scratch, [m0, m1], [n0, n1], [k0, k1]);
        }
        if k1 == self.k {
            epilogue.apply(c, self.ldc, m0, m1, n0, n1);
        }
    }

    /// Computes the block `[m0, m1) x [n0, n1)` over `[k0, k1)` by the packed scheme, without epilogue.
    fn packed(
        &self,
        a: &[f32],
        b: &[f32],
        c: &mut [f32],
        scratch: &mut Scratch,
        m: [usize; 2],
        n: [usize; 2],
        k: [usize; 2],
    ) {
        let (mr, nr) = tile_shape();
        let kc = KC.min(k[1] - k[0]);
        let pa = grown(&mut scratch.a, (m[1] - m[0]).next_multiple_of(mr) * kc);
        let pb = grown(&mut scratch.b, (n[1] - n[0]).next_multiple_of(nr) * kc);
        packed_block(self, a, b, c, pa, pb, m, n, k);
    }

    /// Runs every task.
    ///
    /// # Panics
    /// If an operand is shorter than its shape and stride need.
    pub fn run(&self, a: &[f32], b: &[f32], c: &mut [f32], epilogue: &Epilogue, scratch: &mut Scratch) {
        for task in 0..self.task_count() {
            self.run_task(task, a, b, c, epilogue, scratch);
        }
    }
}

/// A block length of at most about `most` that is a multiple of `unit` and divides `len` into equal shares.
fn even_split(len: usize, most: usize, unit: usize) -> usize {
    len.div_ceil(len.div_ceil(most).max(1)).next_multiple_of(unit).max(unit)
}
