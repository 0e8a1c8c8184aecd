//! Bars, one at a time and in columns.

use crate::{Price, UnixNanos};
use serde::{Deserialize, Serialize};

/// Open, high, low and close of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ohlc {
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
}

/// Which side of the quote a one-sided series holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuoteSide {
    /// What a seller gets.
    Bid,
    /// What a buyer pays.
    Ask,
    /// Half-way between.
    Mid,
}

/// One bar, stamped by its open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Open time.
    pub time: UnixNanos,
    /// The bid, or the only stored side.
    pub bid: Ohlc,
    /// The ask, where both sides are stored.
    pub ask: Option<Ohlc>,
    /// Traded volume or tick count, 0 where the source has none.
    pub volume: i64,
}

/// What makes a bar unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BarFault {
    /// A price is zero or negative.
    #[error("a price is not above zero")]
    NotPositive,
    /// The high is below the open, low or close.
    #[error("the high is below another price of the bar")]
    HighTooLow,
    /// The low is above the open, high or close.
    #[error("the low is above another price of the bar")]
    LowTooHigh,
    /// A bid stands above its ask.
    #[error("the bid is above the ask")]
    Crossed,
    /// The volume is negative.
    #[error("the volume is negative")]
    NegativeVolume,
    /// The time is not after the bar before.
    #[error("the time is not after the bar before")]
    NotAscending,
}

impl Ohlc {
    /// A bar of one price.
    #[must_use]
    pub const fn flat(price: Price) -> Self {
        Self { open: price, high: price, low: price, close: price }
    }

    /// Checks that the four prices can be one bar.
    ///
    /// # Errors
    /// The first [`BarFault`] found.
    pub fn check(&self) -> Result<(), BarFault> {
        let Self { open, high, low, close } = *self;
        if !(open.is_positive() && high.is_positive() && low.is_positive() && close.is_positive()) {
            Err(BarFault::NotPositive)
        } else if high < open || high < low || high < close {
            Err(BarFault::HighTooLow)
        } else if low > open || low > close {
            Err(BarFault::LowTooHigh)
        } else {
            Ok(())
        }
    }
}

impl Bar {
    /// Checks that both sides can be one bar: open and close uncrossed, and so the extremes.
    ///
    /// # Errors
    /// The first [`BarFault`] found.
    pub fn check(&self) -> Result<(), BarFault> {
        self.bid.check()?;
        if let Some(ask) = self.ask {
            ask.check()?;
            let (bid, crossed) = (self.bid, BarFault::Crossed);
            if bid.open > ask.open || bid.high > ask.high || bid.low > ask.low || bid.close > ask.close {
                return Err(crossed);
            }
        }
        if self.volume < 0 { Err(BarFault::NegativeVolume) } else { Ok(()) }
    }
}

/// One side in columns, all of one length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OhlcColumns {
    /// First prices.
    pub open: Vec<Price>,
    /// Highest prices.
    pub high: Vec<Price>,
    /// Lowest prices.
    pub low: Vec<Price>,
    /// Last prices.
    pub close: Vec<Price>,
}

impl OhlcColumns {
    /// Empty columns with room for `capacity` bars.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let column = || Vec::with_capacity(capacity);
        Self { open: column(), high: column(), low: column(), close: column() }
    }

    /// Adds one bar.
    pub fn push(&mut self, bar: Ohlc) {
        self.open.push(bar.open);
        self.high.push(bar.high);
        self.low.push(bar.low);
        self.close.push(bar.close);
    }

    /// The bar at `index`.
    ///
    /// # Panics
    /// When `index` is out of range.
    #[must_use]
    pub fn get(&self, index: usize) -> Ohlc {
        Ohlc {
            open: self.open[index],
            high: self.high[index],
            low: self.low[index],
            close: self.close[index],
        }
    }

    /// Keeps the bars of `range`.
    #[must_use]
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        let cut = |column: &[Price]| column[range.clone()].to_vec();
        Self { open: cut(&self.open), high: cut(&self.high), low: cut(&self.low), close: cut(&self.close) }
    }

    /// Adds the bars of `other` behind these.
    pub fn append(&mut self, other: &Self) {
        self.open.extend_from_slice(&other.open);
        self.high.extend_from_slice(&other.high);
        self.low.extend_from_slice(&other.low);
        self.close.extend_from_slice(&other.close);
    }
}

/// The sides that a series stores. A missing side is not invented here: the engine's spread model makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuoteColumns {
    /// One side.
    One {
        /// Which one.
        side: QuoteSide,
        /// Its prices.
        ohlc: OhlcColumns,
    },
    /// Bid and ask.
    Both {
        /// What a seller gets.
        bid: OhlcColumns,
        /// What a buyer pays.
        ask: OhlcColumns,
    },
}

/// A run of bars in columns, times strictly ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bars {
    /// Open times.
    pub times: Vec<UnixNanos>,
    /// Prices.
    pub quotes: QuoteColumns,
    /// Volume or tick count; as long as `times`.
    pub volume: Vec<i64>,
}

impl Bars {
    /// No bars of one side.
    #[must_use]
    pub fn empty(side: Option<QuoteSide>) -> Self {
        let quotes = match side {
            Some(side) => QuoteColumns::One { side, ohlc: OhlcColumns::default() },
            None => QuoteColumns::Both { bid: OhlcColumns::default(), ask: OhlcColumns::default() },
        };
        Self { times: Vec::new(), quotes, volume: Vec::new() }
    }

    /// How many bars.
    #[must_use]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The bid where both sides are stored, else the stored side: what `data.close` means in a strategy.
    #[must_use]
    pub const fn signal_side(&self) -> &OhlcColumns {
        match &self.quotes {
            QuoteColumns::One { ohlc, .. } => ohlc,
            QuoteColumns::Both { bid, .. } => bid,
        }
    }

    /// The bar at `index`.
    ///
    /// # Panics
    /// When `index` is out of range.
    #[must_use]
    pub fn get(&self, index: usize) -> Bar {
        let ask = match &self.quotes {
            QuoteColumns::One { .. } => None,
            QuoteColumns::Both { ask, .. } => Some(ask.get(index)),
        };
        Bar { time: self.times[index], bid: self.signal_side().get(index), ask, volume: self.volume[index] }
    }

    /// Adds one bar. Without a stored ask, `bar.ask` is ignored.
    ///
    /// # Panics
    /// When this series stores both sides and the bar has one.
    pub fn push(&mut self, bar: Bar) {
        self.times.push(bar.time);
        self.volume.push(bar.volume);
        match (&mut self.quotes, bar.ask) {
            (QuoteColumns::One { ohlc, .. }, _) => ohlc.push(bar.bid),
            (QuoteColumns::Both { bid, ask }, Some(asked)) => {
                bid.push(bar.bid);
                ask.push(asked);
            }
            (QuoteColumns::Both { .. }, None) => panic!("a two-sided series takes bars of two sides"),
        }
    }

    /// The bars of `range`, copied.
    #[must_use]
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        let quotes = match &self.quotes {
            QuoteColumns::One { side, ohlc } => {
                QuoteColumns::One { side: *side, ohlc: ohlc.slice(range.clone()) }
            }
            QuoteColumns::Both { bid, ask } => {
                QuoteColumns::Both { bid: bid.slice(range.clone()), ask: ask.slice(range.clone()) }
            }
        };
        Self { times: self.times[range.clone()].to_vec(), quotes, volume: self.volume[range].to_vec() }
    }

    /// The index of the first bar at or after `time`.
    #[must_use]
    pub fn lower_bound(&self, time: UnixNanos) -> usize {
        self.times.partition_point(|candidate| *candidate < time)
    }

    /// Checks every bar, and that times ascend.
    ///
    /// # Errors
    /// The index and [`BarFault`] of the first unusable bar.
    pub fn check(&self) -> Result<(), (usize, BarFault)> {
        for index in 0..self.len() {
            self.get(index).check().map_err(|fault| (index, fault))?;
            if index > 0 && self.times[index] <= self.times[index - 1] {
                return Err((index, BarFault::NotAscending));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ohlc(open: i64, high: i64, low: i64, close: i64) -> Ohlc {
        let price = |nanos| Price::from_nanos(nanos);
        Ohlc { open: price(open), high: price(high), low: price(low), close: price(close) }
    }

    #[test]
    fn each_fault_of_a_bar_is_named() {
        assert_eq!(ohlc(2, 3, 1, 2).check(), Ok(()));
        assert_eq!(ohlc(2, 3, 0, 2).check(), Err(BarFault::NotPositive));
        assert_eq!(ohlc(4, 3, 1, 2).check(), Err(BarFault::HighTooLow));
        assert_eq!(ohlc(2, 3, 3, 3).check(), Err(BarFault::LowTooHigh));
        let bar = |bid, ask| Bar { time: UnixNanos::new(0), bid, ask: Some(ask), volume: 0 };
        assert_eq!(bar(ohlc(2, 3, 1, 2), ohlc(2, 3, 1, 2)).check(), Ok(()));
        assert_eq!(bar(ohlc(2, 3, 1, 2), ohlc(1, 3, 1, 2)).check(), Err(BarFault::Crossed));
    }

    #[test]
    fn a_series_names_the_first_bar_that_goes_back_in_time() {
        let mut bars = Bars::empty(Some(QuoteSide::Bid));
        for time in [1, 2, 2] {
            bars.push(Bar { time: UnixNanos::new(time), bid: ohlc(2, 3, 1, 2), ask: None, volume: 0 });
        }
        assert_eq!(bars.check(), Err((2, BarFault::NotAscending)));
        assert_eq!(bars.slice(0..2).check(), Ok(()));
        assert_eq!(bars.lower_bound(UnixNanos::new(2)), 1);
    }
}
