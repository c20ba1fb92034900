//! A GPU dispatch as an op describes it: source, constants, bindings, grid.

use std::fmt::Write as _;

/// Whether a kernel reads a binding or also writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// `var<storage, read>`.
    Read,
    /// `var<storage, read_write>`.
    Write,
}

/// Element type under which a kernel sees a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Elem {
    /// `f32`
    F32,
    /// `u32`
    U32,
    /// `vec4f`: the length must be a multiple of four floats.
    Vec4,
}

impl Elem {
    /// Its name in WGSL.
    pub fn wgsl(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::U32 => "u32",
            Self::Vec4 => "vec4f",
        }
    }
}

/// Which tensor of the op a binding shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arg {
    /// Input `i` of the op.
    Input(usize),
    /// Output `o` of the op.
    Output(usize),
}

/// One storage binding of a kernel; its index in [`Kernel::bindings`] is its `@binding` number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Binding {
    /// Variable name in the shader.
    pub name: &'static str,
    /// Read or write.
    pub access: Access,
    /// Element type.
    pub elem: Elem,
    /// The tensor shown.
    pub arg: Arg,
}

/// A compile-time constant of a kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Const {
    /// `const X: u32`
    U32(u32),
    /// `const X: f32`
    F32(f32),
    /// `const X: bool`
    Bool(bool),
}

impl From<usize> for Const {
    fn from(v: usize) -> Self {
        Self::U32(u32::try_from(v).expect("kernel constants fit 32 bits"))
    }
}

impl From<i32> for Const {
    fn from(v: i32) -> Self {
        Self::U32(u32::try_from(v).expect("kernel constants are not negative"))
    }
}

impl From<u32> for Const {
    fn from(v: u32) -> Self {
        Self::U32(v)
    }
}

impl From<f32> for Const {
    fn from(v: f32) -> Self {
        Self::F32(v)
    }
}

impl From<bool> for Const {
    fn from(v: bool) -> Self {
        Self::Bool(v)
    }
}

/// What kind of device a kernel is meant for: the same maths, shaped differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// A real GPU: many threads a row, shared memory, barriers.
    Hardware,
    /// SwiftShader, llvmpipe, WARP: one thread a row, no barriers. Slower than the SIMD CPU backend, used where asked for.
    Software,
}

/// One GPU dispatch of an op. The source handed to the device is the constants, the binding declarations, the includes
/// and the shader file, plainly concatenated; so the bindings a shader sees are by construction those listed here.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// Shader file name without `.wgsl`, and GPU label.
    pub name: &'static str,
    /// Included files' text, in order.
    pub includes: Vec<&'static str>,
    /// The shader file's text.
    pub source: &'static str,
    /// Compile-time constants.
    pub constants: Vec<(&'static str, Const)>,
    /// Storage bindings of group 0.
    pub bindings: Vec<Binding>,
    /// Workgroups per dimension.
    pub workgroups: [usize; 3],
}

impl Kernel {
    /// A kernel without constants or bindings yet.
    pub fn new(name: &'static str, source: &'static str) -> Self {
        Self { name, includes: Vec::new(), source, constants: Vec::new(), bindings: Vec::new(), workgroups: [1, 1, 1] }
    }

    /// Adds an included file's text.
    pub fn include(mut self, text: &'static str) -> Self {
        self.includes.push(text);
        self
    }

    /// Adds a constant.
    pub fn constant(mut self, name: &'static str, value: impl Into<Const>) -> Self {
        self.constants.push((name, value.into()));
        self
    }

    /// Adds a binding that is read.
    pub fn read(mut self, name: &'static str, elem: Elem, input: usize) -> Self {
        self.bindings.push(Binding { name, access: Access::Read, elem, arg: Arg::Input(input) });
        self
    }

    /// Adds a binding that is written (and may be read).
    pub fn write(mut self, name: &'static str, elem: Elem, output: usize) -> Self {
        self.bindings.push(Binding { name, access: Access::Write, elem, arg: Arg::Output(output) });
        self
    }

    /// Sets the grid.
    pub fn grid(mut self, workgroups: [usize; 3]) -> Self {
        self.workgroups = workgroups;
        self
    }

    /// A grid of at least `count` workgroups, folded into two dimensions where one would pass the limit of 65,535; the
    /// shader recovers its index as `id.y * GRID_X + id.x` and leaves when it is past `count`.
    pub fn grid_1d(self, count: usize) -> Self {
        let x = count.clamp(1, 32_768);
        let y = count.div_ceil(x).max(1);
        self.constant("GRID_X", x).grid([x, y, 1])
    }

    /// The complete WGSL; `lens` are the bindings' lengths in four-byte elements, in binding order.
    pub fn wgsl(&self, lens: &[usize]) -> String {
        let mut text = String::new();
        for (name, value) in &self.constants {
            let _ = match value {
                Const::U32(v) => writeln!(text, "const {name}: u32 = {v}u;"),
                Const::F32(v) => writeln!(text, "const {name}: f32 = {v:?}f;"),
                Const::Bool(v) => writeln!(text, "const {name}: bool = {v};"),
            };
        }
        for (i, (b, len)) in self.bindings.iter().zip(lens).enumerate() {
            let access = match b.access {
                Access::Read => "read",
                Access::Write => "read_write",
            };
            let len = if b.elem == Elem::Vec4 { len / 4 } else { *len };
            let (name, elem) = (b.name, b.elem.wgsl());
            let _ = writeln!(text, "@group(0) @binding({i}) var<storage, {access}> {name}: array<{elem}, {len}>;");
        }
        for part in self.includes.iter().chain([&self.source]) {
            text.push_str(part);
            text.push('\n');
        }
        text
    }
}
