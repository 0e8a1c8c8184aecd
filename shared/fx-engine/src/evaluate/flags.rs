//! Where the rules of a plan can act.

use crate::BLOCK;
use crate::evaluate::Column;
use crate::program::{PreparedRule, Wakes};
use crate::value::{TRUE, Tri};
use fx_domain::Side;
use std::ops::Range;

/// Bytes of a word.
const WORD: usize = size_of::<u64>();

/// Words that the search for the next set flag looks at together.
const WORDS: usize = 4;

/// Room behind a block, so that a search need not look for its end.
const FLAGS: usize = BLOCK + WORDS * WORD;

/// The bars of a block at which some rule may act, by the position that it finds. A nonzero byte is a flag.
pub(crate) struct Flags {
    /// Flat, or with room for more on its side.
    open: Marks,
    full_long: Marks,
    full_short: Marks,
}

/// One byte a bar.
struct Marks {
    bars: Box<[u8; FLAGS]>,
    /// Whether all are zero.
    clear: bool,
}

impl Marks {
    fn new() -> Self {
        Self { bars: Box::new([0; FLAGS]), clear: true }
    }

    #[inline(always)]
    fn clear(&mut self) {
        if !self.clear {
            self.bars.fill(0);
            self.clear = true;
        }
    }

    #[inline(always)]
    fn mark(&mut self, holds: &[u8]) {
        for (bar, holds) in self.bars.iter_mut().zip(holds) {
            *bar |= *holds;
        }
        self.clear = false;
    }

    #[inline(always)]
    fn words(&self, at: usize) -> [u64; WORDS] {
        let (words, _) = self.bars[at..].as_chunks::<WORD>();
        words.first_chunk::<WORDS>().map_or([0; WORDS], |words| words.map(u64::from_le_bytes))
    }
}

impl Flags {
    pub(crate) fn new() -> Self {
        Self { open: Marks::new(), full_long: Marks::new(), full_short: Marks::new() }
    }

    /// Marks the bars at which each rule's necessary conditions hold.
    #[inline(always)]
    pub(crate) fn mark(&mut self, rules: &[PreparedRule], columns: &[Column], uniform: &[bool], bars: usize) {
        for marks in [&mut self.open, &mut self.full_long, &mut self.full_short] {
            marks.clear();
        }
        let mut room = [TRUE; BLOCK];
        for rule in rules {
            let holds = &mut room[..bars];
            let mut known = Holds::Everywhere;
            for id in &rule.necessary {
                if let Column::Condition(column) = &columns[id.index()] {
                    known = known.and(column, uniform[id.index()], holds);
                }
            }
            match known {
                Holds::Nowhere => continue,
                Holds::Everywhere => holds.fill(TRUE),
                Holds::Listed => {}
            }
            self.open.mark(holds);
            if matches!(rule.wakes, Wakes::UnlessShort | Wakes::Always) {
                self.full_long.mark(holds);
            }
            if matches!(rule.wakes, Wakes::UnlessLong | Wakes::Always) {
                self.full_short.mark(holds);
            }
        }
    }

    /// The first bar of `range` at which a rule may act on a position that is full on the side of `full`, if any.
    #[inline(always)]
    pub(crate) fn next(&self, range: Range<usize>, full: Option<Side>) -> Option<usize> {
        let marks = match full {
            None => &self.open,
            Some(Side::Long) => &self.full_long,
            Some(Side::Short) => &self.full_short,
        };
        if marks.clear {
            return None;
        }
        let mut at = range.start;
        while at < range.end {
            let words = marks.words(at);
            if words.into_iter().fold(0, |any, word| any | word) != 0 {
                let empty = words.into_iter().take_while(|word| *word == 0).count();
                let found = at + empty * WORD + words[empty].trailing_zeros() as usize / WORD;
                return (found < range.end).then_some(found);
            }
            at += WORDS * WORD;
        }
        None
    }
}

/// Where the conditions looked at so far all hold.
enum Holds {
    Everywhere,
    Nowhere,
    /// Where the listed byte is not zero.
    Listed,
}

impl Holds {
    #[inline(always)]
    fn and(self, condition: &[Tri], uniform: bool, listed: &mut [u8]) -> Self {
        match self {
            Self::Nowhere => Self::Nowhere,
            _ if uniform && condition.first() != Some(&TRUE) => Self::Nowhere,
            known if uniform => known,
            Self::Everywhere => {
                for (listed, condition) in listed.iter_mut().zip(condition) {
                    *listed = u8::from(*condition == TRUE);
                }
                Self::Listed
            }
            Self::Listed => {
                for (listed, condition) in listed.iter_mut().zip(condition) {
                    *listed &= u8::from(*condition == TRUE);
                }
                Self::Listed
            }
        }
    }
}
