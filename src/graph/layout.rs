//! Where persistent tensors live: parameter slabs, states and inputs.

use super::{Meta, Storage, Tensor};
use crate::error::{Error, Result};
use crate::message::{Message, message};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// Largest slab: the default WebGPU limit of one storage binding.
pub const SLAB_BYTES: usize = 128 << 20;

/// Start of a storage binding must be a multiple of this (WebGPU `minStorageBufferOffsetAlignment` default).
const ALIGN: usize = 256;

/// Sets of slabs that share one table of offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SlabSet {
    /// The weights.
    Param,
    /// The low-rank adapters' weights.
    Adapter,
    /// Gradients of what is trained: the weights, or the adapters.
    Grad,
    /// AdamW's first moments.
    Moment1,
    /// AdamW's second moments.
    Moment2,
}

/// A device buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Buf {
    /// Slab `i` of a set.
    Slab(SlabSet, usize),
    /// A state or an input: each has a buffer of its own.
    Own(usize),
    /// Slot `i` of the pool that all plans' temporaries share.
    Temp(usize),
}

/// A range of a buffer, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Loc {
    /// The buffer.
    pub buf: Buf,
    /// First byte.
    pub offset: usize,
    /// Length in bytes.
    pub bytes: usize,
}

/// What a trained weight has beside it, at the same offsets: name prefixes and slab sets. The first prefix is that of
/// [`gradient_name`](super::gradient_name); the others are torch's names for AdamW's state.
pub const COMPANIONS: [(&str, SlabSet); 3] =
    [("grad:", SlabSet::Grad), ("exp_avg:", SlabSet::Moment1), ("exp_avg_sq:", SlabSet::Moment2)];

/// The name of rows of a parameter's piece: a tensor that shows a part of another.
pub fn rows_name(piece: &str, rows: &Range<usize>) -> String {
    format!("{piece}[{}..{}]", rows.start, rows.end)
}

/// The piece and the rows that [`rows_name`] named.
fn parse_rows(name: &str) -> Option<(&str, Range<usize>)> {
    let (piece, rows) = name.strip_suffix(']')?.split_once('[')?;
    let (start, end) = rows.split_once("..")?;
    Some((piece, start.parse().ok()?..end.parse().ok()?))
}

/// The name under which a whole slab is a tensor of one dimension.
pub fn slab_name(set: SlabSet, slab: usize) -> String {
    format!("slab:{set:?}.{slab}")
}

/// A range of a parameter's rows that is one tensor of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Tensor name in the graph: the parameter's own, or `name#i` where it had to be cut.
    pub name: String,
    /// Rows of the parameter.
    pub rows: Range<usize>,
}

/// Cuts a parameter into row ranges of at most `slab_bytes`; one piece of the same name where it fits.
pub fn split_rows(name: &str, shape: &[usize], slab_bytes: usize) -> Vec<Piece> {
    let rows = shape[0];
    let row_bytes = shape[1..].iter().product::<usize>() * 4;
    // In 64 bits: the whole of a parameter may be larger than a 32-bit `usize` can say.
    if rows as u64 * row_bytes as u64 <= slab_bytes as u64 {
        return vec![Piece { name: name.to_string(), rows: 0..rows }];
    }
    // A multiple of 64 rows keeps every piece 256-byte aligned whatever the row length.
    let per = (slab_bytes / row_bytes.max(1) / 64 * 64).max(1);
    (0..rows.div_ceil(per))
        .map(|i| Piece { name: format!("{name}#{i}"), rows: i * per..rows.min((i + 1) * per) })
        .collect()
}

/// The map of everything that outlives a run. Plans are compiled against it; executors allocate what it lists.
#[derive(Debug, Clone)]
pub struct Layout {
    slab_bytes: usize,
    slabs: BTreeMap<SlabSet, Vec<usize>>,
    /// Name and bytes; `None` where one was removed, until another takes its place.
    own: Vec<Option<(String, usize)>>,
    places: HashMap<String, Loc>,
}

impl Default for Layout {
    fn default() -> Self {
        Self::new(SLAB_BYTES)
    }
}

impl Layout {
    /// An empty layout whose slabs hold at most `slab_bytes` (tests use small ones).
    pub fn new(slab_bytes: usize) -> Self {
        Self { slab_bytes, slabs: BTreeMap::new(), own: Vec::new(), places: HashMap::new() }
    }

    /// Largest slab in bytes.
    pub fn slab_bytes(&self) -> usize {
        self.slab_bytes
    }

    /// Places a weight in the slabs, cut into pieces where it is larger than one.
    pub fn add_param(&mut self, name: &str, shape: &[usize]) {
        self.add_to(SlabSet::Param, name, shape);
    }

    /// Places an adapter's weight.
    pub fn add_adapter(&mut self, name: &str, shape: &[usize]) {
        self.add_to(SlabSet::Adapter, name, shape);
    }

    fn add_to(&mut self, set: SlabSet, name: &str, shape: &[usize]) {
        let row_bytes = shape[1..].iter().product::<usize>() * 4;
        let slabs = self.slabs.entry(set).or_default();
        for piece in split_rows(name, shape, self.slab_bytes) {
            let bytes = piece.rows.len() * row_bytes;
            let fits = slabs.last().is_some_and(|used| used + bytes <= self.slab_bytes);
            if !fits {
                slabs.push(0);
            }
            let slab = slabs.len() - 1;
            let offset = slabs[slab];
            slabs[slab] = (offset + bytes).next_multiple_of(ALIGN);
            self.places.insert(piece.name, Loc { buf: Buf::Slab(set, slab), offset, bytes });
        }
    }

    /// Adds gradients and moments for a set of weights, at the weights' own offsets: `grad:NAME` for each, and each slab
    /// as a whole under [`slab_name`].
    pub fn add_training(&mut self, trained: SlabSet) {
        let slabs = self.slabs.get(&trained).cloned().unwrap_or_default();
        let places: Vec<(String, Loc)> = self.places.iter().map(|(n, l)| (n.clone(), *l)).collect();
        for (name, loc) in places {
            if let Buf::Slab(set, i) = loc.buf
                && set == trained
            {
                for (prefix, set) in COMPANIONS {
                    self.places.insert(format!("{prefix}{name}"), Loc { buf: Buf::Slab(set, i), ..loc });
                }
            }
        }
        for set in [trained, SlabSet::Grad, SlabSet::Moment1, SlabSet::Moment2] {
            for (i, &bytes) in slabs.iter().enumerate() {
                self.places.insert(slab_name(set, i), Loc { buf: Buf::Slab(set, i), offset: 0, bytes });
            }
            self.slabs.insert(set, slabs.clone());
        }
    }

    /// Bytes of each slab of a set.
    pub fn slabs(&self, set: SlabSet) -> &[usize] {
        self.slabs.get(&set).map_or(&[], Vec::as_slice)
    }

    /// Bytes of all slabs of a set.
    pub fn set_bytes(&self, set: SlabSet) -> u64 {
        total(self.slabs(set))
    }

    /// The place of a graph's persistent tensor; states and inputs are added when first seen.
    ///
    /// # Errors
    /// [`Error::Plan`] when a parameter was never added, or a name is used with two sizes.
    pub(crate) fn place(&mut self, tensor: &Tensor) -> Result<Loc> {
        let Tensor { name, meta, storage, .. } = tensor;
        if let Some((piece, rows)) = parse_rows(name)
            && let Some(whole) = self.places.get(piece)
            && !rows.is_empty()
        {
            let bytes = meta.bytes();
            let offset = whole.offset + bytes / rows.len() * rows.start;
            if offset % ALIGN != 0 || offset + bytes > whole.offset + whole.bytes {
                return Err(Error::Plan(Message::uncoded(format!(
                    "{name} does not start at a binding's alignment, or passes its end"
                ))));
            }
            return Ok(Loc { buf: whole.buf, offset, bytes });
        }
        let Some(&loc) = self.places.get(name) else {
            if *storage == Storage::Param {
                return Err(Error::Plan(match self.places.get(&format!("{name}#0")) {
                    // Only the embedding and the head are computed piece by piece.
                    Some(_) => message!(
                        "plan.weight",
                        "the weight {tensor} takes {bytes} bytes, more than the {allowed} that one matrix may; \
                         use a narrower model",
                        tensor = name,
                        bytes = meta.bytes(),
                        allowed = self.slab_bytes
                    ),
                    None => Message::uncoded(format!("the parameter {name} has no place in the layout; add it first")),
                }));
            }
            let free = self.own.iter().position(Option::is_none).unwrap_or_else(|| {
                self.own.push(None);
                self.own.len() - 1
            });
            self.own[free] = Some((name.clone(), meta.bytes()));
            let loc = Loc { buf: Buf::Own(free), offset: 0, bytes: meta.bytes() };
            self.places.insert(name.clone(), loc);
            return Ok(loc);
        };
        if loc.bytes != meta.bytes() {
            let (has, wants) = (loc.bytes, meta.bytes());
            return Err(Error::Plan(Message::uncoded(format!(
                "{name} takes {wants} bytes in this plan but {has} in another"
            ))));
        }
        Ok(loc)
    }

    /// The place of a persistent tensor by name.
    pub fn find(&self, name: &str) -> Option<Loc> {
        self.places.get(name).copied()
    }

    /// The places that hold elements `range` of a parameter of this shape, with the part of the range each holds.
    ///
    /// With a prefix of [`COMPANIONS`] the name means the parameter's gradient or moment.
    pub fn param_ranges(&self, name: &str, shape: &[usize], range: Range<usize>) -> Vec<(Loc, Range<usize>)> {
        let row = shape[1..].iter().product::<usize>();
        let mut found = Vec::new();
        for piece in split_rows(name, shape, self.slab_bytes) {
            let (start, end) = (range.start.max(piece.rows.start * row), range.end.min(piece.rows.end * row));
            if start >= end {
                continue;
            }
            if let Some(loc) = self.find(&piece.name) {
                let offset = loc.offset + (start - piece.rows.start * row) * 4;
                found.push((Loc { buf: loc.buf, offset, bytes: (end - start) * 4 }, start..end));
            }
        }
        found
    }

    /// All persistent buffers with their sizes in bytes.
    pub fn buffers(&self) -> Vec<(Buf, usize)> {
        let of_set = |(&set, sizes): (&SlabSet, &Vec<usize>)| -> Vec<(Buf, usize)> {
            sizes.iter().enumerate().map(|(i, &bytes)| (Buf::Slab(set, i), bytes)).collect()
        };
        let slabs = self.slabs.iter().flat_map(of_set);
        let own = self.own.iter().enumerate().filter_map(|(i, o)| Some((Buf::Own(i), o.as_ref()?.1)));
        slabs.chain(own).collect()
    }

    /// Forgets a state or an input, which no plan may use any more; its buffer's number goes to the next that is added.
    pub(crate) fn remove(&mut self, buf: Buf) {
        if let Buf::Own(i) = buf
            && let Some((name, _)) = self.own[i].take()
        {
            self.places.remove(&name);
        }
    }

    /// What a buffer holds, for labels and messages.
    pub fn buffer_name(&self, buf: Buf) -> String {
        match buf {
            Buf::Slab(set, i) => format!("{set:?} slab {i}"),
            Buf::Own(i) => self.own[i].as_ref().map_or_else(String::new, |o| o.0.clone()),
            Buf::Temp(i) => format!("temporary {i}"),
        }
    }

    /// Bytes of all weights.
    pub fn param_bytes(&self) -> u64 {
        self.set_bytes(SlabSet::Param) + self.set_bytes(SlabSet::Adapter)
    }

    /// Bytes of gradients and moments.
    pub fn training_bytes(&self) -> u64 {
        [SlabSet::Grad, SlabSet::Moment1, SlabSet::Moment2].into_iter().map(|set| self.set_bytes(set)).sum()
    }

    /// Bytes of all states and inputs.
    pub fn own_bytes(&self) -> u64 {
        self.own.iter().flatten().map(|o| o.1 as u64).sum()
    }
}

/// The sum of sizes in bytes. In 64 bits: on wasm32, a `usize` would pass for less what is more than 4 GiB.
pub(crate) fn total(sizes: &[usize]) -> u64 {
    sizes.iter().map(|&bytes| bytes as u64).sum()
}

impl Loc {
    /// Whether two ranges of one buffer share a byte.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.buf == other.buf && self.offset < other.offset + other.bytes && other.offset < self.offset + self.bytes
    }
}

/// Size of a tensor's buffer: never zero, a multiple of 16 bytes.
pub(crate) fn buffer_bytes(meta: &Meta) -> usize {
    meta.bytes().max(16).next_multiple_of(16)
}
