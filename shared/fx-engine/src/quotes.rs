//! Both sides of the quote, whatever sides the data stores.

use crate::{BadBar, EngineError, PRICE_MAX, RunConfig, SpreadModel};
use fx_domain::{BarFault, Bars, Ohlc, OhlcColumns, Price, QuoteColumns, QuoteSide, Side, UnixNanos};
use fx_strategy::{PriceField, SeriesSide};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Which sides the data stores. A run never mixes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StoredSides {
    One(QuoteSide),
    Both,
}

/// One side of the quote: stored columns, moved by what the spread model adds.
#[derive(Clone, Copy)]
pub(crate) struct SideView<'a> {
    columns: &'a OhlcColumns,
    shift_nanos: i64,
}

impl<'a> SideView<'a> {
    pub(crate) fn ohlc(&self, bar: usize) -> Ohlc {
        let shift = Price::from_nanos(self.shift_nanos);
        let Ohlc { open, high, low, close } = self.columns.get(bar);
        Ohlc { open: open + shift, high: high + shift, low: low + shift, close: close + shift }
    }

    pub(crate) const fn shift_nanos(&self) -> i64 {
        self.shift_nanos
    }

    pub(crate) fn lows(&self, bars: Range<usize>) -> &'a [Price] {
        &self.columns.low[bars]
    }

    pub(crate) fn highs(&self, bars: Range<usize>) -> &'a [Price] {
        &self.columns.high[bars]
    }

    pub(crate) fn closes(&self, bars: Range<usize>) -> &'a [Price] {
        &self.columns.close[bars]
    }

    fn field(&self, field: PriceField) -> &'a [Price] {
        match field {
            PriceField::Open => &self.columns.open,
            PriceField::High => &self.columns.high,
            PriceField::Low => &self.columns.low,
            PriceField::Close => &self.columns.close,
        }
    }
}

/// A price series in whole numbers of `1 ÷ scale`: nanos, or half nanos for a mid price between two sides.
#[derive(Clone, Copy)]
pub(crate) enum Series<'a> {
    One { column: &'a [Price], shift_nanos: i64 },
    Mid { bid: &'a [Price], ask: &'a [Price], shift_nanos: i64 },
}

impl Series<'_> {
    /// How many make one of the quote currency.
    pub(crate) const fn scale(&self) -> i64 {
        match self {
            Self::One { .. } => Price::SCALE,
            Self::Mid { .. } => 2 * Price::SCALE,
        }
    }

    /// Adds the bars of `range` behind `values`. Prices are below [`PRICE_MAX`], so that sums of two cannot wrap.
    pub(crate) fn extend(&self, range: Range<usize>, values: &mut Vec<i64>) {
        match *self {
            Self::One { column, shift_nanos } => {
                values.extend(column[range].iter().map(|price| price.nanos().wrapping_add(shift_nanos)));
            }
            Self::Mid { bid, ask, shift_nanos } => {
                let pairs = bid[range.clone()].iter().zip(&ask[range]);
                values.extend(
                    pairs.map(|(bid, ask)| bid.nanos().wrapping_add(ask.nanos()).wrapping_add(shift_nanos)),
                );
            }
        }
    }

    /// The bars of `range` as floats, one rounding each.
    pub(crate) fn numbers(&self, range: Range<usize>, out: &mut [f64]) {
        let scale = self.scale() as f64;
        match *self {
            Self::One { column, shift_nanos } => {
                for (out, price) in out.iter_mut().zip(&column[range]) {
                    *out = price.nanos().wrapping_add(shift_nanos) as f64 / scale;
                }
            }
            Self::Mid { bid, ask, shift_nanos } => {
                for ((out, bid), ask) in out.iter_mut().zip(&bid[range.clone()]).zip(&ask[range]) {
                    *out = bid.nanos().wrapping_add(ask.nanos()).wrapping_add(shift_nanos) as f64 / scale;
                }
            }
        }
    }
}

/// The bars of one call, seen from both sides.
pub(crate) struct Quotes<'a> {
    pub(crate) bars: &'a Bars,
    pub(crate) bid: SideView<'a>,
    pub(crate) ask: SideView<'a>,
    pub(crate) stored: StoredSides,
}

impl<'a> Quotes<'a> {
    /// Makes the missing side by the spread model.
    pub(crate) fn new(bars: &'a Bars, config: &RunConfig) -> Result<Self, EngineError> {
        let view = |columns, shift_nanos| SideView { columns, shift_nanos };
        let fixed = match config.spread {
            SpreadModel::Fixed(spread) => Some(spread.nanos()),
            _ => None,
        };
        let quotes = match (&bars.quotes, fixed) {
            (QuoteColumns::Both { .. }, Some(_)) => {
                let reason = "a fixed spread needs data that stores one side only";
                return Err(EngineError::Config { field: "spread", reason });
            }
            (QuoteColumns::Both { bid, ask }, None) => {
                Self { bars, bid: view(bid, 0), ask: view(ask, 0), stored: StoredSides::Both }
            }
            (QuoteColumns::One { side, ohlc }, fixed) => {
                let spread = fixed.unwrap_or(0);
                let below = match side {
                    QuoteSide::Bid => 0,
                    QuoteSide::Ask => spread,
                    QuoteSide::Mid => spread / 2,
                };
                let (bid, ask) = (view(ohlc, -below), view(ohlc, spread - below));
                Self { bars, bid, ask, stored: StoredSides::One(*side) }
            }
        };
        if quotes.columns_agree() { Ok(quotes) } else { Err(EngineError::ColumnsDiffer) }
    }

    fn columns_agree(&self) -> bool {
        let bars = self.bars.times.len();
        let whole = |side: &OhlcColumns| {
            [&side.open, &side.high, &side.low, &side.close].iter().all(|column| column.len() == bars)
        };
        self.bars.volume.len() == bars && whole(self.bid.columns) && whole(self.ask.columns)
    }

    /// The side that closes a position: a long sells on the bid, a short buys on the ask.
    pub(crate) const fn closing(&self, position: Side) -> &SideView<'a> {
        match position {
            Side::Long => &self.bid,
            Side::Short => &self.ask,
        }
    }

    /// A price series as a strategy names it.
    pub(crate) fn series(&self, side: SeriesSide, field: PriceField) -> Series<'a> {
        let stored = SideView { columns: self.bid.columns, shift_nanos: 0 };
        let one =
            |view: SideView<'a>| Series::One { column: view.field(field), shift_nanos: view.shift_nanos };
        match (side, self.stored) {
            (SeriesSide::Signal, _) | (SeriesSide::Mid, StoredSides::One(QuoteSide::Mid)) => one(stored),
            (SeriesSide::Bid, _) => one(self.bid),
            (SeriesSide::Ask, _) => one(self.ask),
            (SeriesSide::Mid, _) => Series::Mid {
                bid: self.bid.field(field),
                ask: self.ask.field(field),
                shift_nanos: self.bid.shift_nanos + self.ask.shift_nanos,
            },
        }
    }

    /// Checks the bars of `range`, the first of which has the number `number` and follows `previous`.
    pub(crate) fn check(
        &self,
        range: Range<usize>,
        previous: Option<UnixNanos>,
        number: u64,
    ) -> Result<(), EngineError> {
        let times = &self.bars.times[range.clone()];
        let after_previous = times.first().is_none_or(|first| previous.is_none_or(|last| *first > last));
        let volume = self.bars.volume[range.clone()].iter().fold(0, |signs, volume| signs | volume) >= 0;
        let sides_hold = match self.stored {
            StoredSides::One(_) => {
                sound([self.bid.shift_nanos, self.ask.shift_nanos], self.bid, range.clone())
            }
            StoredSides::Both => {
                sound([0, 0], self.bid, range.clone())
                    && sound([0, 0], self.ask, range.clone())
                    && self.uncrossed(range.clone())
            }
        };
        if after_previous && ascending(times) && volume && sides_hold {
            return Ok(());
        }
        self.first_fault(range, previous, number)
    }

    fn uncrossed(&self, range: Range<usize>) -> bool {
        [PriceField::Open, PriceField::High, PriceField::Low, PriceField::Close].into_iter().all(|field| {
            let pairs =
                self.bid.field(field)[range.clone()].iter().zip(&self.ask.field(field)[range.clone()]);
            // Both are above zero: the difference does not wrap.
            pairs.fold(0, |signs, (bid, ask)| signs | ask.nanos().wrapping_sub(bid.nanos())) >= 0
        })
    }

    /// Names the first bar that [`Quotes::check`] objects to.
    fn first_fault(
        &self,
        range: Range<usize>,
        mut previous: Option<UnixNanos>,
        number: u64,
    ) -> Result<(), EngineError> {
        for (row, index) in range.zip(number..) {
            let (time, stored) = (self.bars.times[row], self.bars.get(row));
            let bad = |source: BarFault| EngineError::Bar { index, time, source: source.into() };
            stored.check().map_err(bad)?;
            if stored.bid.low.nanos().saturating_add(self.bid.shift_nanos) <= 0 {
                return Err(bad(BarFault::NotPositive));
            }
            if previous.is_some_and(|last| time <= last) {
                return Err(bad(BarFault::NotAscending));
            }
            let high = stored.ask.map_or(stored.bid.high, |ask| ask.high);
            if high.nanos().saturating_add(self.ask.shift_nanos) > PRICE_MAX.nanos() {
                return Err(EngineError::Bar { index, time, source: BadBar::PriceTooHigh });
            }
            previous = Some(time);
        }
        Ok(())
    }
}

/// Whether every bar of a stored side is a bar, above zero with the smaller and below [`PRICE_MAX`] with the larger shift.
///
/// All that must not be negative is joined by `or`, and the sign looked at once: no branch and no comparison per bar.
/// The prices themselves are among it, so that no difference of two of them wraps unseen.
fn sound(shifts_nanos: [i64; 2], side: SideView<'_>, range: Range<usize>) -> bool {
    let (opens, highs) = (&side.columns.open[range.clone()], &side.columns.high[range.clone()]);
    let (lows, closes) = (&side.columns.low[range.clone()], &side.columns.close[range]);
    let [smaller, larger] = shifts_nanos;
    let floor = 1 + 0_i64.saturating_sub(smaller).max(0);
    let ceiling = PRICE_MAX.nanos() - larger.max(0);
    let mut signs = 0;
    for (((open, high), low), close) in opens.iter().zip(highs).zip(lows).zip(closes) {
        let [open, high, low, close] = [open, high, low, close].map(|price| price.nanos());
        signs |= open | high | low | close;
        signs |= high.wrapping_sub(open) | high.wrapping_sub(close) | ceiling.wrapping_sub(high);
        signs |= open.wrapping_sub(low) | close.wrapping_sub(low) | low.wrapping_sub(floor);
    }
    signs >= 0
}

/// Whether each time is after the one before; `false` also for times that are 146 years or more away from 1970, whose
/// differences might wrap.
fn ascending(times: &[UnixNanos]) -> bool {
    const FAR: i64 = 1 << 62;
    let mut signs = 0;
    for (earlier, later) in times.iter().zip(&times[1.min(times.len())..]) {
        let (earlier, later) = (earlier.get(), later.get());
        signs |= later.wrapping_sub(earlier).wrapping_sub(1);
        signs |= earlier.wrapping_add(FAR) | later.wrapping_add(FAR);
    }
    signs >= 0
}
