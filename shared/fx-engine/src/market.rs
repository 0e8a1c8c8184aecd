//! The prices of one call: both sides of the quote, whatever sides the data stores, checked once.

use crate::book::BarQuotes;
use crate::{BadBar, EngineError, FeatureSeries, PRICE_MAX, RunConfig, SpreadModel, State};
use fx_domain::{
    BarFault, Bars, Granularity, Instrument, NANOS_PER_HOUR, Ohlc, OhlcColumns, Pips, Price, PriceSource,
    QuoteColumns, QuoteSide, Side, TimeOrder, UnixNanos,
};
use fx_strategy::{PriceField, SeriesSide};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Range;

/// The bars of one call, in the order of the configuration's tracks and rates.
///
/// They follow the bars that the state has seen, and no bar reaches over the end of the call: where tracks have
/// bars of different lengths, a run is cut only where no bar is open.
#[derive(Clone, Debug, Default)]
pub struct Inputs<'a> {
    /// One for each of [`RunConfig::tracks`].
    pub tracks: Vec<TrackBars<'a>>,
    /// One for each of [`RunConfig::rates`].
    pub rates: Vec<&'a Bars>,
    /// One for each of [`RunConfig::references`]: those that calls before had not seen, and any others. A call sees what
    /// is complete at the closes of its tracks' bars; what completes later is given again to the call that reaches it,
    /// and what was seen before is passed over.
    pub references: Vec<&'a Bars>,
    /// One for each of [`RunConfig::features`]: the values that became available since the calls before, and any others. The
    /// first call needs the one before its first decision too; what was seen before is passed over.
    pub features: Vec<&'a FeatureSeries>,
}

/// The bars of one track.
#[derive(Clone, Copy, Debug)]
pub struct TrackBars<'a> {
    /// What is decided on.
    pub bars: &'a Bars,
    /// What shows the path inside them, where there is any; read when [`RunConfig::intrabar`] is set.
    pub finer: Option<&'a Bars>,
}

impl<'a> Inputs<'a> {
    /// One track without finer bars.
    #[must_use]
    pub fn of(bars: &'a Bars) -> Self {
        Self { tracks: vec![TrackBars { bars, finer: None }], ..Self::default() }
    }
}

/// The prices of one call, made ready: checked, and both sides made by the spread model. Runs of other plans over the
/// same prices and configuration share it.
pub struct Market<'a> {
    pub(crate) tracks: Vec<Quotes<'a>>,
    pub(crate) finer: Vec<Option<Quotes<'a>>>,
    pub(crate) rates: Vec<Quotes<'a>>,
    pub(crate) references: Vec<Quotes<'a>>,
    pub(crate) features: Vec<&'a FeatureSeries>,
}

impl<'a> Market<'a> {
    /// Checks that `inputs` follow what `state` has seen, bar by bar.
    ///
    /// # Errors
    /// [`EngineError::Bar`] for the first bar that cannot be traded on, [`EngineError::Config`] when inputs or spread
    /// model do not go with the configuration, [`EngineError::SidesChanged`], [`EngineError::ColumnsDiffer`].
    pub fn new(config: &RunConfig, state: &State, inputs: &Inputs<'a>) -> Result<Self, EngineError> {
        if inputs.tracks.len() != config.tracks.len()
            || inputs.rates.len() != config.rates.len()
            || inputs.references.len() != config.references.len()
            || inputs.features.len() != config.features.len()
        {
            let reason = "there must be bars for each of them, and for nothing else";
            return Err(EngineError::Config { field: "tracks", reason });
        }
        if !inputs.features.iter().all(|series| series.is_sound()) {
            let reason = "must be finite values, each available after the one before";
            return Err(EngineError::Config { field: "features", reason });
        }
        let mut market = Self {
            tracks: Vec::new(),
            finer: Vec::new(),
            rates: Vec::new(),
            references: Vec::new(),
            features: inputs.features.clone(),
        };
        let all = config.tracks.iter().chain(&config.rates).zip(&state.tracks);
        let bars = inputs.tracks.iter().map(|track| track.bars).chain(inputs.rates.iter().copied());
        for (index, ((track, seen), bars)) in all.zip(bars).enumerate() {
            let quotes = Quotes::new(bars, config.spread, &track.instrument)?;
            if seen.stored.is_some_and(|stored| stored != quotes.stored) && !bars.is_empty() {
                return Err(EngineError::SidesChanged);
            }
            let after = After { time: seen.last.map(|last| last.opened), number: seen.bars_done };
            quotes.check(track.granularity, after)?;
            if index < config.tracks.len() { market.tracks.push(quotes) } else { market.rates.push(quotes) }
        }
        for (track, input) in config.tracks.iter().zip(&inputs.tracks) {
            let finer = match (config.intrabar, input.finer) {
                (Some(granularity), Some(bars)) => {
                    let quotes = Quotes::new(bars, config.spread, &track.instrument)?;
                    quotes.check(granularity, After { time: None, number: 0 })?;
                    if quotes.stored != market.tracks[market.finer.len()].stored && !bars.is_empty() {
                        let reason = "must store the same sides of the quote as the bars that are traded on";
                        return Err(EngineError::Config { field: "intrabar", reason });
                    }
                    Some(quotes)
                }
                _ => None,
            };
            market.finer.push(finer);
        }
        for (reference, bars) in config.references.iter().zip(&inputs.references) {
            let spread = match bars.quotes {
                QuoteColumns::Both { .. } => SpreadModel::Measured,
                QuoteColumns::One { .. } => config.spread,
            };
            let quotes = Quotes::new(bars, spread, &reference.instrument)?;
            quotes.check(reference.granularity, After { time: None, number: 0 })?;
            market.references.push(quotes);
        }
        Ok(market)
    }

    /// Tracks, then rates.
    pub(crate) fn feed(&self, index: usize) -> &Quotes<'a> {
        match self.tracks.get(index) {
            Some(track) => track,
            None => &self.rates[index - self.tracks.len()],
        }
    }
}

/// Which sides the data stores. A run never mixes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StoredSides {
    One(QuoteSide),
    Both,
}

/// One side of the quote: columns, moved by what the spread model adds to all of them.
pub(crate) struct SideView<'a> {
    columns: Cow<'a, OhlcColumns>,
    shift_nanos: i64,
}

impl<'a> SideView<'a> {
    /// Columns as they are.
    pub(crate) const fn plain(columns: &'a OhlcColumns) -> Self {
        Self { columns: Cow::Borrowed(columns), shift_nanos: 0 }
    }
}

impl SideView<'_> {
    #[inline]
    pub(crate) fn ohlc(&self, bar: usize) -> Ohlc {
        let shift = Price::from_nanos(self.shift_nanos);
        let Ohlc { open, high, low, close } = self.columns.get(bar);
        Ohlc { open: open + shift, high: high + shift, low: low + shift, close: close + shift }
    }

    #[inline(always)]
    pub(crate) fn open(&self, bar: usize) -> Price {
        Price::from_nanos(self.columns.open[bar].nanos() + self.shift_nanos)
    }

    #[inline(always)]
    pub(crate) fn close(&self, bar: usize) -> Price {
        Price::from_nanos(self.columns.close[bar].nanos() + self.shift_nanos)
    }

    pub(crate) const fn shift_nanos(&self) -> i64 {
        self.shift_nanos
    }

    #[inline(always)]
    pub(crate) fn opens(&self, bars: Range<usize>) -> &[Price] {
        &self.columns.open[bars]
    }

    #[inline(always)]
    pub(crate) fn lows(&self, bars: Range<usize>) -> &[Price] {
        &self.columns.low[bars]
    }

    #[inline(always)]
    pub(crate) fn highs(&self, bars: Range<usize>) -> &[Price] {
        &self.columns.high[bars]
    }

    #[inline(always)]
    pub(crate) fn closes(&self, bars: Range<usize>) -> &[Price] {
        &self.columns.close[bars]
    }

    fn field(&self, field: PriceField) -> &[Price] {
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
}

/// The bars of one series in one call, seen from both sides.
pub(crate) struct Quotes<'a> {
    pub(crate) bars: &'a Bars,
    pub(crate) bid: SideView<'a>,
    pub(crate) ask: SideView<'a>,
    pub(crate) stored: StoredSides,
    /// At least the spread of any price of any bar.
    pub(crate) widest_nanos: i64,
}

/// What bars follow.
#[derive(Clone, Copy)]
struct After {
    time: Option<UnixNanos>,
    number: u64,
}

/// What a spread model puts between the sides of one-sided data.
enum Gap {
    Even(i64),
    ByHour([i64; 24]),
}

impl<'a> Quotes<'a> {
    /// Makes the missing side by the spread model.
    pub(crate) fn new(
        bars: &'a Bars,
        spread: SpreadModel,
        instrument: &Instrument,
    ) -> Result<Self, EngineError> {
        if !columns_agree(bars) {
            return Err(EngineError::ColumnsDiffer);
        }
        let nanos = |pips: f64| Pips(pips).to_price(instrument).map_or(0, Price::nanos);
        let gap = match spread {
            SpreadModel::Pips(pips) => Some(Gap::Even(nanos(pips))),
            SpreadModel::ByHour(pips) => Some(Gap::ByHour(pips.map(nanos))),
            _ => None,
        };
        let view = |columns, shift_nanos| SideView { columns: Cow::Borrowed(columns), shift_nanos };
        match (&bars.quotes, gap) {
            (QuoteColumns::Both { .. }, Some(_)) => {
                let reason = "a modelled spread needs data that stores one side only";
                Err(EngineError::Config { field: "spread", reason })
            }
            (QuoteColumns::Both { bid, ask }, None) => {
                let widest_nanos = widest(bid, ask);
                // An ask that a column of spreads has made is a model's, as if it were made here.
                let stored = match bars.ask_source {
                    PriceSource::Measured => StoredSides::Both,
                    PriceSource::Modelled => StoredSides::One(QuoteSide::Bid),
                };
                Ok(Self { bars, bid: view(bid, 0), ask: view(ask, 0), stored, widest_nanos })
            }
            (QuoteColumns::One { side, ohlc }, gap) => {
                let gap = gap.unwrap_or(Gap::Even(0));
                let widest_nanos = match gap {
                    Gap::Even(spread) => spread,
                    Gap::ByHour(spreads) => spreads.into_iter().fold(0, i64::max),
                };
                let (bid, ask) = match gap {
                    Gap::Even(spread) => {
                        let below = below(*side, spread);
                        (view(ohlc, -below), view(ohlc, spread - below))
                    }
                    Gap::ByHour(spreads) => {
                        let moved = |shift: &dyn Fn(i64) -> i64| SideView {
                            columns: Cow::Owned(shifted(ohlc, &bars.times, |hour| shift(spreads[hour]))),
                            shift_nanos: 0,
                        };
                        (
                            moved(&|spread| -below(*side, spread)),
                            moved(&|spread| spread - below(*side, spread)),
                        )
                    }
                };
                Ok(Self { bars, bid, ask, stored: StoredSides::One(*side), widest_nanos })
            }
        }
    }

    /// The side that closes a position: a long sells on the bid, a short buys on the ask.
    pub(crate) const fn closing(&self, position: Side) -> &SideView<'a> {
        match position {
            Side::Long => &self.bid,
            Side::Short => &self.ask,
        }
    }

    /// Whether the bars of `rows` reach as far as the longer bar over them: else a part of its path is missing.
    pub(crate) fn shows(&self, rows: Range<usize>, whole: BarQuotes) -> bool {
        let within = |side: &SideView<'_>, whole: Ohlc| {
            let shift = Price::from_nanos(side.shift_nanos);
            let lowest = side.lows(rows.clone()).iter().min().map(|low| *low + shift);
            let highest = side.highs(rows.clone()).iter().max().map(|high| *high + shift);
            lowest.is_some_and(|lowest| lowest <= whole.low)
                && highest.is_some_and(|highest| highest >= whole.high)
        };
        within(&self.bid, whole.bid) && within(&self.ask, whole.ask)
    }

    /// A price series as a strategy names it.
    pub(crate) fn series(&self, side: SeriesSide, field: PriceField) -> Series<'_> {
        let one = |view: &'_ SideView<'a>, column| Series::One { column, shift_nanos: view.shift_nanos };
        match (side, self.stored) {
            (SeriesSide::Signal, _) | (SeriesSide::Mid, StoredSides::One(QuoteSide::Mid)) => {
                let stored = self.bars.signal_side();
                let column = match field {
                    PriceField::Open => &stored.open,
                    PriceField::High => &stored.high,
                    PriceField::Low => &stored.low,
                    PriceField::Close => &stored.close,
                };
                Series::One { column, shift_nanos: 0 }
            }
            (SeriesSide::Bid, _) => one(&self.bid, self.bid.field(field)),
            (SeriesSide::Ask, _) => one(&self.ask, self.ask.field(field)),
            (SeriesSide::Mid, _) => Series::Mid {
                bid: self.bid.field(field),
                ask: self.ask.field(field),
                shift_nanos: self.bid.shift_nanos + self.ask.shift_nanos,
            },
        }
    }

    /// Checks every bar.
    fn check(&self, granularity: Granularity, after: After) -> Result<(), EngineError> {
        let range = 0..self.bars.len();
        let order = granularity.time_order();
        let times = &self.bars.times;
        let after_previous =
            times.first().is_none_or(|first| after.time.is_none_or(|last| follows(order, last, *first)));
        let volume = self.bars.volume.iter().fold(0, |signs, volume| signs | volume) >= 0;
        let shifts = [self.bid.shift_nanos, self.ask.shift_nanos];
        let sides_hold = match &self.bars.quotes {
            // By the hour both sides are columns of their own, one of them perhaps the stored one.
            QuoteColumns::One { .. } if matches!(self.ask.columns, Cow::Borrowed(_)) => {
                sound(shifts, &self.bid, range)
            }
            _ => {
                sound([0, 0], &self.bid, range.clone())
                    && sound([0, 0], &self.ask, range.clone())
                    && self.uncrossed(range)
            }
        };
        if after_previous && ascending(times, order) && volume && sides_hold {
            return Ok(());
        }
        self.first_fault(order, after)
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
    fn first_fault(&self, order: TimeOrder, after: After) -> Result<(), EngineError> {
        let mut previous = after.time;
        for (row, index) in (0..self.bars.len()).zip(after.number..) {
            let (time, stored) = (self.bars.times[row], self.bars.get(row));
            let bad = |source: BarFault| EngineError::Bar { index, time, source: source.into() };
            stored.check().map_err(bad)?;
            if self.bid.columns.low[row].nanos().saturating_add(self.bid.shift_nanos) <= 0 {
                return Err(bad(BarFault::NotPositive));
            }
            if previous.is_some_and(|last| !follows(order, last, time)) {
                return Err(bad(BarFault::NotAscending));
            }
            if self.ask.columns.high[row].nanos().saturating_add(self.ask.shift_nanos) > PRICE_MAX.nanos() {
                return Err(EngineError::Bar { index, time, source: BadBar::PriceTooHigh });
            }
            if time.get().unsigned_abs() >= FAR_NANOS.unsigned_abs() {
                return Err(EngineError::Bar { index, time, source: BadBar::TimeTooFar });
            }
            previous = Some(time);
        }
        Ok(())
    }
}

/// The widest spread between two sides.
fn widest(bid: &OhlcColumns, ask: &OhlcColumns) -> i64 {
    let between = |bid: &[Price], ask: &[Price]| {
        let pairs = bid.iter().zip(ask);
        pairs.fold(0, |widest, (bid, ask)| ask.nanos().wrapping_sub(bid.nanos()).max(widest))
    };
    [
        between(&bid.open, &ask.open),
        between(&bid.high, &ask.high),
        between(&bid.low, &ask.low),
        between(&bid.close, &ask.close),
    ]
    .into_iter()
    .fold(0, i64::max)
}

/// How far the bid stands below a stored side.
pub(crate) const fn below(side: QuoteSide, spread_nanos: i64) -> i64 {
    match side {
        QuoteSide::Bid => 0,
        QuoteSide::Ask => spread_nanos,
        QuoteSide::Mid => spread_nanos / 2,
    }
}

/// Columns moved bar by bar, by the hour in which the bar opens.
fn shifted(ohlc: &OhlcColumns, times: &[UnixNanos], shift: impl Fn(usize) -> i64) -> OhlcColumns {
    let moved = |column: &[Price]| {
        let pairs = column.iter().zip(times);
        pairs
            .map(|(price, time)| Price::from_nanos(price.nanos().saturating_add(shift(hour_of(*time)))))
            .collect()
    };
    OhlcColumns {
        open: moved(&ohlc.open),
        high: moved(&ohlc.high),
        low: moved(&ohlc.low),
        close: moved(&ohlc.close),
    }
}

/// The UTC hour of an instant.
pub(crate) const fn hour_of(time: UnixNanos) -> usize {
    (time.get().rem_euclid(fx_domain::NANOS_PER_DAY) / NANOS_PER_HOUR) as usize
}

fn columns_agree(bars: &Bars) -> bool {
    let count = bars.times.len();
    let whole = |side: &OhlcColumns| {
        [&side.open, &side.high, &side.low, &side.close].iter().all(|column| column.len() == count)
    };
    let sides = match &bars.quotes {
        QuoteColumns::One { ohlc, .. } => whole(ohlc),
        QuoteColumns::Both { bid, ask } => whole(bid) && whole(ask),
    };
    bars.volume.len() == count && sides
}

fn follows(order: TimeOrder, earlier: UnixNanos, later: UnixNanos) -> bool {
    match order {
        TimeOrder::Strict => earlier < later,
        TimeOrder::NonDecreasing => earlier <= later,
    }
}

/// Whether every bar of a stored side is a bar, above zero with the smaller and below [`PRICE_MAX`] with the larger shift.
///
/// All that must not be negative is joined by `or`, and the sign looked at once: no branch and no comparison per bar.
/// The prices themselves are among it, so that no difference of two of them wraps unseen.
fn sound(shifts_nanos: [i64; 2], side: &SideView<'_>, range: Range<usize>) -> bool {
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

/// Times this far from 1970, 146 years, are refused: differences of nearer ones cannot wrap.
const FAR_NANOS: i64 = 1 << 62;

/// Whether each time follows the one before, and none is [`FAR_NANOS`] away.
fn ascending(times: &[UnixNanos], order: TimeOrder) -> bool {
    let least = match order {
        TimeOrder::Strict => 1,
        TimeOrder::NonDecreasing => 0,
    };
    let mut signs = 0;
    for (earlier, later) in times.iter().zip(&times[1.min(times.len())..]) {
        let (earlier, later) = (earlier.get(), later.get());
        signs |= later.wrapping_sub(earlier).wrapping_sub(least);
        signs |= earlier.wrapping_add(FAR_NANOS) | later.wrapping_add(FAR_NANOS);
    }
    signs >= 0 && times.first().is_none_or(|time| time.get().wrapping_add(FAR_NANOS) >= 0)
}
