//! On how many bars some trade was open.

use crate::numbers::percent;
use serde::{Deserialize, Serialize};

const BITS: usize = u64::BITS as usize;

/// One bit for each bar up to the last that a trade was open on: trades overlap and come in order of exit, so no bar is
/// done with before the end. A hundred million bars take 12.5 MB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Exposure {
    words: Vec<u64>,
}

impl Exposure {
    /// A trade from one bar to another, both included, of `bars` so far. What lies beyond them is not there.
    pub(super) fn cover(&mut self, entry: usize, exit: usize, bars: usize) {
        if entry >= bars {
            return;
        }
        let exit = exit.min(bars - 1).max(entry);
        let (first, last) = (entry / BITS, exit / BITS);
        if self.words.len() <= last {
            self.words.resize(last + 1, 0);
        }
        let (from, to) = (u64::MAX << (entry % BITS), u64::MAX >> (BITS - 1 - exit % BITS));
        if first == last {
            self.words[first] |= from & to;
            return;
        }
        self.words[first] |= from;
        self.words[first + 1..last].fill(u64::MAX);
        self.words[last] |= to;
    }

    /// The bars covered, counted once, of all `bars`; `None` of none.
    pub(super) fn percent_of(&self, bars: usize) -> Option<f64> {
        let covered: u64 = self.words.iter().map(|word| u64::from(word.count_ones())).sum();
        percent(covered as f64 / bars as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_bar_is_counted_once(
            trades in prop::collection::vec((0usize..400, 0usize..400), 0..12), bars in 0usize..300,
        ) {
            let mut exposure = Exposure::default();
            for (entry, exit) in &trades {
                exposure.cover(*entry, *exit, bars);
            }
            // An exit before its entry is one at it.
            let covers = |bar: usize| {
                trades.iter().any(|(entry, exit)| *entry <= bar && bar <= (*exit).max(*entry))
            };
            let expected = (0..bars).filter(|bar| covers(*bar)).count();
            prop_assert_eq!(exposure.percent_of(bars), percent(expected as f64 / bars as f64));
        }
    }
}
