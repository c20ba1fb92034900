//! Runs of plans, as executors speak of them.

/// A run that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunId(pub(crate) u64);

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// The budget was used up.
    Working,
    /// On a GPU: submitted to its end.
    Done,
    /// Another run took its place, or it was dropped: what it was to compute is to be begun again.
    Lost,
}
