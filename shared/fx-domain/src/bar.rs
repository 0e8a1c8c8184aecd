//! Bars, one at a time and in columns. A quote is a bar without length: its four prices are one.

use crate::{Price, PriceSource, UnixNanos};
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

/// One bar, stamped by its open, or one quote, as [`Bar::tick`] makes it.
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

/// How the times of a series follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeOrder {
    /// Each after the one before: bars.
    Strict,
    /// Each not before the one before: quotes of one instant keep their order.
    NonDecreasing,
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
    /// The time breaks the series' [`TimeOrder`].
    #[error("the time is not after the bar before")]
    NotAscending,
}

impl TimeOrder {
    /// Whether a row at `time` may follow one at `previous`.
    #[must_use]
    pub fn allows(self, previous: UnixNanos, time: UnixNanos) -> bool {
        match self {
            Self::Strict => time > previous,
            Self::NonDecreasing => time >= previous,
        }
    }
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
    /// A quote as a bar of [`Granularity::Tick`](crate::Granularity::Tick): all four prices of a side are that side's
    /// one price, and the volume is 0.
    #[must_use]
    pub const fn tick(time: UnixNanos, bid: Price, ask: Price) -> Self {
        Self { time, bid: Ohlc::flat(bid), ask: Some(Ohlc::flat(ask)), volume: 0 }
    }

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

/// A run of bars or quotes in columns, times in the [`TimeOrder`] of the series: bars ascend strictly, quotes may share
/// an instant. Nothing here sorts: rows stay in the order in which they were added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bars {
    /// Open times.
    pub times: Vec<UnixNanos>,
    /// Prices.
    pub quotes: QuoteColumns,
    /// Volume or tick count; as long as `times`.
    pub volume: Vec<i64>,
    /// Where a stored ask comes from: quoted, or made of the bid and a column of spreads when the bars were imported.
    pub ask_source: PriceSource,
}

impl Bars {
    /// No bars of one side.
    #[must_use]
    pub fn empty(side: Option<QuoteSide>) -> Self {
        let quotes = match side {
            Some(side) => QuoteColumns::One { side, ohlc: OhlcColumns::default() },
            None => QuoteColumns::Both { bid: OhlcColumns::default(), ask: OhlcColumns::default() },
        };
        Self { times: Vec::new(), quotes, volume: Vec::new(), ask_source: PriceSource::Measured }
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

    /// Adds one bar behind all others, also behind those of its own instant. Without a stored ask, `bar.ask` is
    /// ignored. Order is not looked at here but by [`Bars::check`].
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

    /// Adds the bars of `other` behind these, in their order.
    ///
    /// # Panics
    /// When the two store other sides.
    pub fn append(&mut self, other: &Self) {
        assert!(
            self.ask_source == other.ask_source || other.is_empty(),
            "a series has its asks from one place"
        );
        match (&mut self.quotes, &other.quotes) {
            (QuoteColumns::One { side, ohlc }, QuoteColumns::One { side: more_side, ohlc: more })
                if side == more_side =>
            {
                ohlc.append(more);
            }
            (QuoteColumns::Both { bid, ask }, QuoteColumns::Both { bid: more_bid, ask: more_ask }) => {
                bid.append(more_bid);
                ask.append(more_ask);
            }
            _ => panic!("a series stores the same sides from its first bar to its last"),
        }
        self.times.extend_from_slice(&other.times);
        self.volume.extend_from_slice(&other.volume);
    }

    /// The bars of `range`, a range of indices, copied. A cut may fall between quotes of one instant: to keep them
    /// together, cut at a [`Bars::lower_bound`].
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
        let (times, volume) = (self.times[range.clone()].to_vec(), self.volume[range].to_vec());
        Self { times, quotes, volume, ask_source: self.ask_source }
    }

    /// The index of the first bar at or after `time`: of quotes of one instant, the first. So `lower_bound(a)` to
    /// `lower_bound(b)` holds every quote from `a` on, all of those at `a`, and none at `b`.
    #[must_use]
    pub fn lower_bound(&self, time: UnixNanos) -> usize {
        self.times.partition_point(|candidate| *candidate < time)
    }

    /// Checks every bar, and that times are in `order`.
    ///
    /// # Errors
    /// The index and [`BarFault`] of the first unusable bar.
    pub fn check(&self, order: TimeOrder) -> Result<(), (usize, BarFault)> {
        for index in 0..self.len() {
            self.get(index).check().map_err(|fault| (index, fault))?;
            if index > 0 && !order.allows(self.times[index - 1], self.times[index]) {
                return Err((index, BarFault::NotAscending));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        assert_eq!(bars.check(TimeOrder::Strict), Err((2, BarFault::NotAscending)));
        assert_eq!(bars.slice(0..2).check(TimeOrder::Strict), Ok(()));
        assert_eq!(bars.lower_bound(UnixNanos::new(2)), 1);
        bars.times[2] = UnixNanos::new(1);
        assert_eq!(bars.check(TimeOrder::NonDecreasing), Err((2, BarFault::NotAscending)));
    }

    fn quotes(rows: &[(i64, i64)]) -> Bars {
        let mut quotes = Bars::empty(None);
        for (time, bid) in rows {
            quotes.push(Bar::tick(
                UnixNanos::new(*time),
                Price::from_nanos(*bid),
                Price::from_nanos(bid + 1),
            ));
        }
        quotes
    }

    #[test]
    fn quotes_of_one_instant_keep_their_order_and_a_bound_is_before_all_of_them() {
        let quotes = quotes(&[(1, 10), (2, 13), (2, 11), (2, 12), (3, 10)]);
        assert_eq!(quotes.check(TimeOrder::NonDecreasing), Ok(()));
        assert_eq!(quotes.check(TimeOrder::Strict), Err((2, BarFault::NotAscending)));
        let bids = |bars: &Bars| -> Vec<i64> {
            bars.signal_side().close.iter().map(|price| price.nanos()).collect()
        };
        let at = |time| quotes.lower_bound(UnixNanos::new(time));
        assert_eq!(bids(&quotes.slice(at(2)..at(3))), [13, 11, 12]);
        assert_eq!(bids(&quotes.slice(at(1)..at(2))), [10]);
        assert_eq!((at(0), at(4)), (0, 5));
    }

    #[test]
    fn a_quote_is_one_price_of_each_side_and_is_refused_when_crossed() {
        let quote = Bar::tick(UnixNanos::new(1), Price::from_nanos(10), Price::from_nanos(10));
        assert_eq!(quote.bid, ohlc(10, 10, 10, 10));
        assert_eq!((quote.ask, quote.volume, quote.check()), (Some(quote.bid), 0, Ok(())));
        let crossed = Bar::tick(UnixNanos::new(1), Price::from_nanos(10), Price::from_nanos(9));
        assert_eq!(crossed.check(), Err(BarFault::Crossed));
    }

    proptest! {
        #[test]
        fn ranges_between_bounds_share_no_quote_and_lose_none(
            steps in proptest::collection::vec(0..3_i64, 0..60), cuts in [0..70_i64, 0..70],
        ) {
            let rows: Vec<(i64, i64)> = steps.iter().zip(1..).scan(0, |time, (step, bid)| {
                *time += step;
                Some((*time, bid))
            }).collect();
            let quotes = quotes(&rows);
            prop_assert_eq!(quotes.check(TimeOrder::NonDecreasing), Ok(()));
            let [low, high] = if cuts[0] <= cuts[1] { cuts } else { [cuts[1], cuts[0]] };
            let bounds = [0, quotes.lower_bound(UnixNanos::new(low)), quotes.lower_bound(UnixNanos::new(high)), rows.len()];
            for (bound, time) in [(bounds[1], low), (bounds[2], high)] {
                prop_assert!(rows[..bound].iter().all(|row| row.0 < time));
                prop_assert!(rows[bound..].iter().all(|row| row.0 >= time));
            }
            let mut joined = Bars::empty(None);
            for part in bounds.windows(2).map(|pair| quotes.slice(pair[0]..pair[1])) {
                (0..part.len()).for_each(|index| joined.push(part.get(index)));
            }
            prop_assert_eq!(joined, quotes);
        }
    }
}
