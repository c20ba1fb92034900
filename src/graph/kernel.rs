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

/// What a workgroup of a kernel asks of a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Workgroup {
    /// Invocations, in all dimensions together.
    pub invocations: usize,
    /// Bytes of memory that they share, each variable rounded up to 16 as WebGPU counts them.
    pub bytes: usize,
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

    /// What the text says of a workgroup's size, with its constants put in. A text that says nothing has no workgroup; one that
    /// cannot be read (a test sees to it that each can) counts as asking for more than any device has.
    pub fn workgroup(&self) -> Workgroup {
        let mut sizes = Sizes::default();
        for (name, value) in &self.constants {
            if let Const::U32(v) = value {
                sizes.known.push((name, *v as usize));
            }
        }
        let mut found = Workgroup::default();
        for line in self.includes.iter().chain([&self.source]).flat_map(|text| text.lines()) {
            sizes.note(line);
            if let Some((_, rest)) = line.split_once("@workgroup_size(") {
                let sides = rest.split_once(')').map_or("", |(sides, _)| sides).split(',');
                found.invocations = sides.fold(1, |n: usize, side| n.saturating_mul(sizes.value(side)));
            } else if let Some(rest) = line.strip_prefix("var<workgroup>") {
                found.bytes = found.bytes.saturating_add(sizes.bytes(rest));
            }
        }
        found
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

/// The whole-number constants of a shader, as far as a workgroup's size needs them.
#[derive(Default)]
struct Sizes<'a> {
    known: Vec<(&'a str, usize)>,
}

impl<'a> Sizes<'a> {
    /// Takes up a line such as `const THREADS: u32 = LANES * BQ;`. What else a constant may be is left out.
    fn note(&mut self, line: &'a str) {
        if let Some((name, value)) = line.strip_prefix("const ").and_then(|rest| rest.split_once(": u32 = ")) {
            let value = self.value(value.trim_end_matches(';'));
            self.known.push((name, value));
        }
    }

    /// Bytes of a declaration such as ` tile: array<vec4f, BK * STRIDE>;`.
    fn bytes(&self, declaration: &str) -> usize {
        let kind = declaration.split_once(": ").map_or("", |(_, kind)| kind.trim_end_matches(';'));
        let of = |kind: &str| match kind {
            "f32" | "u32" | "i32" | "atomic<u32>" => 4,
            "vec2f" | "vec2u" => 8,
            "vec4f" | "vec4u" => 16,
            _ => usize::MAX,
        };
        let array = kind.strip_prefix("array<").and_then(|rest| rest.strip_suffix('>')?.rsplit_once(", "));
        let bytes = array.map_or_else(|| of(kind), |(kind, len)| of(kind).saturating_mul(self.value(len)));
        bytes.checked_next_multiple_of(16).unwrap_or(usize::MAX)
    }

    /// The value of an expression of `+`, `-`, `*` and `/`; the largest number where it is no such expression.
    fn value(&self, text: &str) -> usize {
        let mut rest = text;
        match (self.sum(&mut rest), rest.trim()) {
            (Some(value), "") => value,
            _ => usize::MAX,
        }
    }

    fn sum(&self, rest: &mut &str) -> Option<usize> {
        let mut value = self.product(rest)?;
        loop {
            value = match operator(rest, ['+', '-']) {
                Some('+') => value.checked_add(self.product(rest)?)?,
                Some(_) => value.checked_sub(self.product(rest)?)?,
                None => return Some(value),
            };
        }
    }

    fn product(&self, rest: &mut &str) -> Option<usize> {
        let mut value = self.atom(rest)?;
        loop {
            value = match operator(rest, ['*', '/']) {
                Some('*') => value.checked_mul(self.atom(rest)?)?,
                Some(_) => value.checked_div(self.atom(rest)?)?,
                None => return Some(value),
            };
        }
    }

    fn atom(&self, rest: &mut &str) -> Option<usize> {
        *rest = rest.trim_start();
        if let Some(inner) = rest.strip_prefix('(') {
            *rest = inner;
            let value = self.sum(rest)?;
            *rest = rest.trim_start().strip_prefix(')')?;
            return Some(value);
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        *rest = after;
        let named = self.known.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
        named.or_else(|| word.trim_end_matches('u').parse().ok())
    }
}

/// Takes one of two operators off the front.
fn operator(rest: &mut &str, which: [char; 2]) -> Option<char> {
    let found = rest.trim_start().chars().next().filter(|c| which.contains(c))?;
    *rest = &rest.trim_start()[1..];
    Some(found)
}
