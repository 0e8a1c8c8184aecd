//! Random bars and accounts: walks, flat stretches, gaps, ties, extreme prices, one side of the quote or both.

use fx_domain::{
    Bar, Bars, Currency, Granularity, Instrument, Money, NANOS_PER_DAY, NANOS_PER_HOUR, NANOS_PER_MINUTE,
    Ohlc, Price, QuoteSide, UnixNanos,
};
use fx_engine::{AccountKind, FillTime, IntrabarPolicy, RunConfig, SpreadModel};
use fx_strategy::Feature;
use oracle::Told;
use proptest::collection::vec;
use proptest::prelude::*;

/// Bars of one case, at most: longer than a block of the engine is never needed to differ, and the oracle is slow.
const BARS_MAX: usize = 160;
/// 2 January 2012, 00:00 UTC, a Monday.
const FIRST_BAR: i64 = 15_341 * NANOS_PER_DAY;
/// 256 of these are a year.
const BETWEEN_BEGINNINGS: i64 = 34 * NANOS_PER_HOUR;
/// One point in nanos.
const POINT: i64 = 10_000;

/// Bars and how they are traded.
#[derive(Clone, Debug)]
pub(crate) struct Traded {
    pub(crate) config: RunConfig,
    pub(crate) bars: Bars,
}

/// What moves from bar to bar.
type Step = (i8, u8, u8, u8);

pub(crate) fn traded() -> impl Strategy<Value = Traded> {
    let steps = vec(any::<Step>(), 1..BARS_MAX);
    (steps, any::<[u8; 4]>(), any::<[u8; 5]>()).prop_map(|(steps, shape, options)| {
        let bars = bars(&steps, shape);
        Traded { config: config(options, shape[0], &bars), bars }
    })
}

/// The fourth part of a step says what kind of bar it is: seldom a gap, often one without movement.
///
/// They begin on any hour of a year in which every clock has changed twice.
fn bars(steps: &[Step], [sides, scale, calm, begins]: [u8; 4]) -> Bars {
    let side =
        [Some(QuoteSide::Bid), Some(QuoteSide::Ask), Some(QuoteSide::Mid), None][usize::from(sides % 4)];
    let (start, unit) = match scale % 8 {
        0 => (4_000_000_000, 10_000_000),
        1 => (300, 1),
        _ => (110_000, 10),
    };
    let mut bars = Bars::empty(side);
    let (mut time, mut last) = (FIRST_BAR + i64::from(begins) * BETWEEN_BEGINNINGS, start);
    for (step, up, down, kind) in steps {
        time += if kind % 16 == 0 { 3_000 * NANOS_PER_MINUTE } else { NANOS_PER_MINUTE };
        let is_still = kind % 8 < calm % 8;
        let step = if is_still { 0 } else { i64::from(*step) };
        let open = if kind % 32 == 1 { last + step * unit } else { last };
        let open = open.clamp(start / 2, start * 2);
        last = (open + step * unit).clamp(start / 2, start * 2);
        let reach = |points: &u8| if is_still { 0 } else { i64::from(points % 16) * unit };
        let (high, low) = (open.max(last) + reach(up), (open.min(last) - reach(down)).max(1));
        let ohlc = |add: i64| {
            let price = |points: i64| Price::from_nanos((points + add) * POINT);
            Ohlc { open: price(open), high: price(high), low: price(low), close: price(last) }
        };
        let ask = side.is_none().then(|| ohlc(i64::from(kind % 7)));
        bars.push(Bar { time: UnixNanos::new(time), bid: ohlc(0), ask, volume: i64::from(*kind) });
    }
    bars
}

fn config([start, fill, account, policy, spread]: [u8; 5], sides: u8, bars: &Bars) -> RunConfig {
    let capital = Money::from_micros(1_000_000 * Money::SCALE, Currency::USD);
    let instrument = Instrument::parse("EUR/USD").expect("a pair");
    let mut config = RunConfig::new(instrument, Granularity::M1, capital);
    config.account.leverage = 500.0;
    config.account.kind = if account % 3 == 0 { AccountKind::Hedging } else { AccountKind::Netting };
    if spread % 3 > 0 && sides % 4 < 2 {
        // Below the lowest price that random bars have.
        config.spread = SpreadModel::Pips(f64::from(spread % 3) * 0.1);
    }
    let first = usize::from(start % 64).min(bars.len() - 1);
    RunConfig {
        start: bars.times[first],
        fill: if fill % 2 == 0 { FillTime::Open } else { FillTime::Close },
        fill_policy: if policy % 2 == 0 { IntrabarPolicy::Pessimistic } else { IntrabarPolicy::Ohlc },
        pyramiding: u32::from(account % 4),
        ..config
    }
}

/// What the oracle calls a feature that is a number.
pub(crate) fn key(feature: &Feature) -> String {
    match feature {
        Feature::Pattern(name) => format!("pattern {name}"),
        named => format!("feature {}", named.name()),
    }
}

/// What is told of `features` beside `bars`, drawn from the bars themselves: at a close, right behind it, within the bar, or
/// nothing. It begins in the warm-up, where there is one.
pub(crate) fn told(
    bars: &Bars,
    granularity: Granularity,
    first_decision: usize,
    features: &[Feature],
) -> Told {
    let mut told = Told::default();
    let mut names: Vec<_> =
        features.iter().filter(|it| matches!(it, Feature::Regime(_))).map(Feature::name).collect();
    names.push("told by nobody");
    let begin = first_decision / 2;
    for (number, feature) in features.iter().enumerate() {
        let mut last = None;
        for row in begin..bars.len() {
            let (open, close) = (bars.times[row], granularity.close_of(bars.times[row]));
            let drawn = bars.signal_side().close[row].nanos() / POINT
                + bars.volume[row]
                + row as i64 * 7
                + number as i64;
            let at = match drawn % 5 {
                _ if row == begin => close,
                0 | 1 => close,
                2 => close.plus_nanos(1),
                3 => open.plus_nanos((close.get() - open.get()) / 2),
                _ => continue,
            };
            if last.is_some_and(|last| last >= at) {
                continue;
            }
            last = Some(at);
            match feature {
                // One series for all of its names: the first one's.
                Feature::Regime(_) if names[0] != feature.name() => {}
                Feature::Regime(_) => {
                    let name = names[usize::try_from(drawn / 5).unwrap_or(0) % names.len()];
                    told.regimes.push((at, name.to_owned()));
                }
                _ => {
                    let value = (drawn % 41) as f64 / 16.0 - 1.0;
                    told.numbers.entry(key(feature)).or_default().push((at, value));
                }
            }
        }
    }
    told
}
