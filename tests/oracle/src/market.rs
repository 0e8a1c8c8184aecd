//! The prices of a run, and the account as it stands after each bar.

use crate::scan::{end_of_day, end_of_week};
use crate::told::Told;
use crate::value::{Kind, Number, Steps};
use fx_domain::{Bars, Granularity, OhlcColumns, Price, QuoteColumns, QuoteSide, UnixNanos};

/// Both sides of the quote at every bar.
#[derive(Clone, Debug)]
pub struct Market {
    times: Vec<UnixNanos>,
    volume: Vec<i64>,
    /// The bid where both sides are stored, else the stored side.
    signal: OhlcColumns,
    bid: OhlcColumns,
    ask: OhlcColumns,
    /// The stored side is the mid already.
    mid_is_stored: bool,
    /// When the trading day and the trading week of each bar end.
    pub(crate) day_ends: Vec<UnixNanos>,
    pub(crate) week_ends: Vec<UnixNanos>,
    /// The length of the bars, where something is told.
    granularity: Option<Granularity>,
    /// What other services told.
    pub(crate) told: Told,
}

/// Position and account after all fills of a bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Account {
    /// Signed units.
    pub units: f64,
    /// Average entry price; none when flat.
    pub entry_price: Option<f64>,
    /// Bars since the entry bar.
    pub bars: f64,
    /// Open gain in pips.
    pub unrealized_pips: f64,
    /// Balance and open gain.
    pub equity: f64,
    /// Realised capital.
    pub balance: f64,
}

impl Account {
    /// Without a position: what every bar of the warm-up sees.
    #[must_use]
    pub const fn flat(capital: f64) -> Self {
        Self {
            units: 0.0,
            entry_price: None,
            bars: 0.0,
            unrealized_pips: 0.0,
            equity: capital,
            balance: capital,
        }
    }
}

/// Which column of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quote {
    Signal,
    Bid,
    Ask,
    Mid,
}

impl Market {
    /// `bars`; of one-sided ones the other side stands `spread_nanos` away: a stored bid below its ask, a stored ask
    /// above its bid, a stored mid between both, the bid half of the spread below it, rounded down.
    #[must_use]
    pub fn new(bars: &Bars, spread_nanos: i64) -> Self {
        let (bid, ask, mid_is_stored) = match &bars.quotes {
            QuoteColumns::Both { bid, ask } => (bid.clone(), ask.clone(), false),
            QuoteColumns::One { side, ohlc } => {
                let below = match side {
                    QuoteSide::Bid => 0,
                    QuoteSide::Ask => spread_nanos,
                    QuoteSide::Mid => spread_nanos / 2,
                };
                let mid = *side == QuoteSide::Mid;
                (moved(ohlc, -below), moved(ohlc, spread_nanos - below), mid)
            }
        };
        let signal = bars.signal_side().clone();
        let ends = |of: fn(UnixNanos) -> UnixNanos| bars.times.iter().copied().map(of).collect();
        let (day_ends, week_ends) = (ends(end_of_day), ends(end_of_week));
        let (times, volume) = (bars.times.clone(), bars.volume.clone());
        let (granularity, told) = (None, Told::default());
        Self { times, volume, signal, bid, ask, mid_is_stored, day_ends, week_ends, granularity, told }
    }

    /// The same bars, each of this length, and what other services told of the pair.
    #[must_use]
    pub fn with_told(self, granularity: Granularity, told: Told) -> Self {
        Self { granularity: Some(granularity), told, ..self }
    }

    /// When a bar is complete.
    pub(crate) fn close(&self, bar: usize) -> UnixNanos {
        let open = self.times[bar];
        self.granularity.map_or(open, |granularity| granularity.close_of(open))
    }

    /// How many bars there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    pub(crate) fn time(&self, bar: usize) -> UnixNanos {
        self.times[bar]
    }

    #[expect(clippy::cast_precision_loss, reason = "a count becomes the nearest number")]
    pub(crate) fn volume(&self, bar: usize) -> f64 {
        self.volume[bar] as f64
    }

    /// One of the four prices of a bar, by its name.
    pub(crate) fn price(&self, quote: Quote, field: &str, bar: usize) -> Option<Number> {
        let of = |side: &OhlcColumns| Some(column(side, field)?[bar].nanos());
        let (numerator, denominator) = match quote {
            Quote::Mid if !self.mid_is_stored => (of(&self.bid)? + of(&self.ask)?, 2 * Price::SCALE),
            Quote::Signal | Quote::Mid => (of(&self.signal)?, Price::SCALE),
            Quote::Bid => (of(&self.bid)?, Price::SCALE),
            Quote::Ask => (of(&self.ask)?, Price::SCALE),
        };
        Some(Number {
            now: Some(crate::series::nearest(i128::from(numerator), i128::from(denominator))),
            kind: Kind::Stored { numerator, denominator },
            steps: Steps::of(&format!("{quote:?} {field}"), &[]),
        })
    }
}

fn column<'a>(side: &'a OhlcColumns, field: &str) -> Option<&'a [Price]> {
    Some(match field {
        "open" => &side.open,
        "high" => &side.high,
        "low" => &side.low,
        "close" => &side.close,
        _ => return None,
    })
}

fn moved(side: &OhlcColumns, by_nanos: i64) -> OhlcColumns {
    let column = |prices: &[Price]| {
        prices.iter().map(|price| Price::from_nanos(price.nanos() + by_nanos)).collect::<Vec<_>>()
    };
    OhlcColumns {
        open: column(&side.open),
        high: column(&side.high),
        low: column(&side.low),
        close: column(&side.close),
    }
}
