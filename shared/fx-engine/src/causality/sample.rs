//! Seeded bars to look at a strategy with: both sides, trends and quiet stretches, weekends, gaps, and jumps behind them.

use super::start_price;
use crate::{FeatureSeries, FeatureTrack, Track};
use fx_domain::{
    Bar, Bars, Digest, DigestBuilder, Granularity, NANOS_PER_DAY, NANOS_PER_HOUR, NANOS_PER_SECOND, Ohlc,
    Price, QuoteColumns, UnixNanos,
};
use fx_strategy::Feature;

/// Monday, 2024-01-08, midnight UTC.
const START: UnixNanos = UnixNanos::new(1_704_672_000 * NANOS_PER_SECOND);
/// Seed of every sample.
const SEED: u64 = 0x5EED_CA05_A117_0001;
/// One bar in this many is followed by a gap.
const GAP_ONE_IN: u64 = 97;
/// Bars that a gap leaves out, at most.
const GAP_BARS_MAX: u64 = 5;
/// Bars of one mood: a drift and a width.
const MOOD_BARS: usize = 160;
/// Ticks that a bar moves at most, in a quiet mood; a lively one has up to three times as many.
const STEP_TICKS: i64 = 40;
/// The market closes on Friday and opens on Sunday at this hour.
const WEEKEND_HOUR: i64 = 22;

/// As many bars as the time after the start surely holds, gaps included.
pub(super) fn bars_max(granularity: Granularity) -> u64 {
    let step = granularity.nominal_nanos().max(NANOS_PER_SECOND);
    ((i64::MAX - START.get()) / step / 2).unsigned_abs()
}

/// `count` bars of `track`, the same ones every time.
pub(super) fn bars(track: Track, count: usize) -> Bars {
    let tick = track.instrument.tick().nanos();
    let start = start_price(track).nanos() / tick;
    let step_nanos = track.granularity.nominal_nanos().max(NANOS_PER_SECOND);
    let mut random = Random(seed("causality-seed", &track.instrument.to_string()));
    let (mut time, mut open, mut drift, mut width) = (START, start, 0, STEP_TICKS);
    let mut bars = Bars::empty(None);
    for row in 0..count {
        if row % MOOD_BARS == 0 {
            drift = random.between(-STEP_TICKS / 8, STEP_TICKS / 8);
            width = random.between(STEP_TICKS / 8, STEP_TICKS * 3);
        }
        // The walk is pulled back, so that prices stay of one size however long it is.
        let pull = (start - open) / 400;
        let close = (open + drift + pull + random.between(-width, width)).max(start / 4);
        let high = open.max(close) + random.between(0, width / 2);
        let low = (open.min(close) - random.between(0, width / 2)).max(start / 8);
        let spread = random.between(2, 20);
        bars.push(bar(track.granularity, time, [open, high, low, close], spread, tick));
        let missing = random.one_in(GAP_ONE_IN).then(|| random.below(GAP_BARS_MAX) + 1);
        time = next_open(time, step_nanos, missing.unwrap_or(0));
        let jumps = missing.is_some() || time.get() - bars.times[row].get() > step_nanos;
        open = close + if jumps { random.between(-width, width) } else { 0 };
        open = open.max(start / 4);
    }
    bars
}

/// Another name has other numbers.
fn seed(kind: &str, name: &str) -> u64 {
    let digest = DigestBuilder::new(kind).part(name.as_bytes()).finish();
    digest.as_bytes().iter().take(8).fold(SEED, |seed, byte| seed.rotate_left(8) ^ u64::from(*byte))
}

/// Values of a feature beside `bars`, the same ones every time: some bars are told of once, some twice, some not at all.
/// A regime has its name half of the time, and so is a pattern there.
pub(super) fn feature(track: &FeatureTrack, granularity: Granularity, bars: &Bars) -> FeatureSeries {
    let FeatureTrack { instrument, feature } = track;
    let mut random = Random(seed("causality-feature", &format!("{instrument} {feature:?}")));
    let mut series = FeatureSeries::default();
    let mut last = START.plus_nanos(-1);
    let mut tell = |at: UnixNanos, drawn: i64| {
        let drawn = drawn as f64 / 1_000.0;
        series.available_at.push(at);
        series.values.push(match feature {
            Feature::Named(_) => drawn,
            Feature::Pattern(_) => drawn.max(0.0),
            Feature::Regime(_) => f64::from(drawn > 0.0),
        });
    };
    tell(last, 0);
    for open in &bars.times {
        let close = granularity.close_of(*open);
        let within = UnixNanos::new(open.get().midpoint(close.get()));
        let instants: &[UnixNanos] = match random.below(4) {
            0 => &[],
            1 => &[close],
            2 => &[close, close.plus_nanos(1)],
            _ => &[within],
        };
        for at in instants {
            let drawn = random.between(-1_000, 1_000);
            if *at > last {
                tell(*at, drawn);
                last = *at;
            }
        }
    }
    series
}

fn bar(granularity: Granularity, time: UnixNanos, bid: [i64; 4], spread: i64, tick: i64) -> Bar {
    let price = |ticks: i64| Price::from_nanos(ticks * tick);
    let side = |[open, high, low, close]: [i64; 4]| Ohlc {
        open: price(open),
        high: price(high),
        low: price(low),
        close: price(close),
    };
    if granularity == Granularity::Tick {
        let [open, ..] = bid;
        return Bar::tick(time, price(open), price(open + spread));
    }
    Bar { time, bid: side(bid), ask: Some(side(bid.map(|ticks| ticks + spread))), volume: 10 + spread }
}

/// The next open after `missing` bars that are left out and, of bars below a day, the weekend.
fn next_open(time: UnixNanos, step: i64, missing: u64) -> UnixNanos {
    let mut next = time.plus_nanos(step * (missing as i64 + 1));
    while step < NANOS_PER_DAY && is_weekend(next) {
        next = next.plus_nanos(step.max(NANOS_PER_HOUR));
    }
    next
}

fn is_weekend(time: UnixNanos) -> bool {
    // 1970 began on a Thursday; Monday is 0.
    let day = (time.get().div_euclid(NANOS_PER_DAY) + 3).rem_euclid(7);
    let hour = time.get().rem_euclid(NANOS_PER_DAY) / NANOS_PER_HOUR;
    match day {
        4 => hour >= WEEKEND_HOUR,
        5 => true,
        6 => hour < WEEKEND_HOUR,
        _ => false,
    }
}

/// Names the bars of all series, and the features, by their content.
pub(super) fn digest<'a>(series: impl IntoIterator<Item = &'a Bars>, features: &[FeatureSeries]) -> Digest {
    let parts = series.into_iter().map(content).chain(features.iter().map(told));
    parts.fold(DigestBuilder::new("causality-sample"), |digest, bytes| digest.part(&bytes)).finish()
}

fn content(bars: &Bars) -> Vec<u8> {
    let mut bytes = Vec::new();
    for time in &bars.times {
        bytes.extend_from_slice(&time.get().to_le_bytes());
    }
    let sides = match &bars.quotes {
        QuoteColumns::One { ohlc, .. } => vec![ohlc],
        QuoteColumns::Both { bid, ask } => vec![bid, ask],
    };
    for side in sides {
        for column in [&side.open, &side.high, &side.low, &side.close] {
            for price in column {
                bytes.extend_from_slice(&price.nanos().to_le_bytes());
            }
        }
    }
    bytes
}

fn told(series: &FeatureSeries) -> Vec<u8> {
    let times = series.available_at.iter().map(|at| at.get().to_le_bytes());
    times.chain(series.values.iter().map(|value| value.to_bits().to_le_bytes())).flatten().collect()
}

/// SplitMix64, by Steele, Lea and Flood.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`, which is small: the remainder's bias does not matter here.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    /// Both ends included.
    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fx_domain::Instrument;

    #[test]
    fn samples_are_sound_and_have_weekends_and_gaps() {
        for granularity in Granularity::ALL {
            let bars = bars(Track { instrument: Instrument::parse("GBP/JPY").unwrap(), granularity }, 5_000);
            let step = granularity.nominal_nanos().max(NANOS_PER_SECOND);
            let mut gaps = 0;
            for row in 0..bars.len() {
                bars.get(row).check().unwrap();
                if let Some(before) = row.checked_sub(1) {
                    let passed = bars.times[row].get() - bars.times[before].get();
                    assert!(passed >= step);
                    gaps += u32::from(passed > step);
                }
            }
            assert!(gaps > 20, "{granularity}: {gaps}");
        }
        let hours = bars(
            Track { instrument: Instrument::parse("EUR/USD").unwrap(), granularity: Granularity::H1 },
            2_000,
        );
        assert!(hours.times.iter().all(|time| !is_weekend(*time)));
    }

    #[test]
    fn the_sample_of_this_release_is_the_one_that_records_name() {
        let track = Track { instrument: Instrument::parse("EUR/USD").unwrap(), granularity: Granularity::H1 };
        let named = |count| digest([&bars(track, count)], &[]);
        assert_eq!(named(500), named(500));
        assert_ne!(named(500), named(501));
    }
}
