//! What a strategy remembers: of each place that looks back, everything that it has seen.

use crate::value::{Number, Truth};
use std::collections::BTreeMap;

/// A place that remembers: where it stands in the source, and by which calls of helpers and passes of loops control
/// comes there. A helper that is called twice remembers twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Site {
    /// Source offsets of the calls, numbers of the passes, and the offset of the place itself.
    way: Vec<usize>,
    /// Which of several things the place remembers.
    part: &'static str,
}

/// All histories, the oldest value first.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The way to where control is now.
    pub(crate) way: Vec<usize>,
    numbers: BTreeMap<Site, Vec<Number>>,
    conditions: BTreeMap<Site, Vec<Truth>>,
}

/// A place in the source at which something is remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(pub(crate) usize);

impl Memory {
    fn site(&self, Place(offset): Place, part: &'static str) -> Site {
        let mut way = self.way.clone();
        way.push(offset);
        Site { way, part }
    }

    /// Remembers this bar's number, and gives all that were seen here.
    pub(crate) fn numbers(&mut self, place: Place, part: &'static str, now: Number) -> &[Number] {
        let site = self.site(place, part);
        let history = self.numbers.entry(site).or_default();
        history.push(now);
        history
    }

    /// Remembers this bar's condition, and gives all that were seen here.
    pub(crate) fn conditions(&mut self, place: Place, part: &'static str, now: Truth) -> &[Truth] {
        let site = self.site(place, part);
        let history = self.conditions.entry(site).or_default();
        history.push(now);
        history
    }
}

/// What stood `bars` bars before the last of `history`.
pub(crate) fn past<T: Copy>(history: &[T], bars: usize) -> Option<T> {
    history.len().checked_sub(bars + 1).map(|place| history[place])
}
