//! Generated bars for quickstarts and benches. Never traded: the manifest and every record made from it say so.
//!
//! The generator uses integers and `+ − × ÷ √` of 64-bit floats only, which IEEE 754 fixes to the bit, and a seeded
//! ChaCha stream: the same specification gives the same bytes on every platform.

use crate::Error;
use crate::bars_file::{FormNeeds, Shape};
use crate::import::FileZone;
use crate::manifest::Anchor;
use crate::publish::{Provenance, StagedSeries, Stager, publish as publish_staged};
use fx_app::ports::{BlobStore, Catalog};
use fx_app::records::{SeriesKey, SeriesVersion};
use fx_domain::{
    Bar, DatasetName, Granularity, Instrument, NANOS_PER_HOUR, NANOS_PER_MINUTE, Ohlc, Price, PriceSource,
    UnixNanos,
};
use jiff::civil::Weekday;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::iter;

/// Bars of one specification, at most: as many as one backtest takes.
pub const SYNTHETIC_BARS_MAX: usize = 100_000_000;

/// What to generate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntheticSpec {
    /// The pair: its tick is the price step.
    pub instrument: Instrument,
    /// The bars' length. Quotes are not generated.
    pub granularity: Granularity,
    /// The first bar opens here or at the next market time after.
    pub start: UnixNanos,
    /// How many bars, 1 to [`SYNTHETIC_BARS_MAX`].
    pub bars: usize,
    /// Seed of everything random.
    pub seed: u64,
    /// Bid at the start.
    pub start_price: Price,
}

/// How busy each hour of New York's clock is, in percent of the daily mean: the roll and Asia are quiet, London wakes
/// at 3, both are open from 8 to 12.
const ACTIVITY_PERCENT: [i64; 24] = [
    55, 60, 85, 140, 130, 115, 110, 120, 175, 180, 175, 150, 115, 105, 100, 95, 75, 30, 40, 60, 75, 70, 60,
    55,
];
/// The spread of each hour of New York's clock, in tenths of the usual: wide from the roll at 17:00 on.
const SPREAD_TENTHS: [i64; 24] =
    [12, 12, 11, 10, 10, 10, 10, 10, 9, 9, 9, 10, 10, 10, 11, 12, 16, 60, 28, 16, 13, 12, 12, 12];
/// The usual spread in ticks: 1.2 pips.
const SPREAD_TICKS: i64 = 12;
/// Standard deviation of one minute's return at mean activity: some 8 % a year.
const MINUTE_SIGMA: f64 = 1.3e-4;
/// Steps of the path inside one bar.
const PATH_STEPS: usize = 6;
/// One step in this many is drawn with three times the deviation.
const TAIL_ONE_IN: u32 = 40;
/// Pull towards the start price in each bar of one minute, so that long series stay in a plausible range.
const PULL: f64 = 2.0e-6;
/// Prices stay above this many ticks.
const FLOOR_TICKS: f64 = 1_000.0;
/// Bars in which the market can be closed in a row before the search for an open one ends: two weeks of minutes.
const CLOSED_STEPS_MAX: usize = 14 * 24 * 60;

/// Generates the bars, bid and ask, never crossed, one after the other. It ends after its first error.
///
/// # Errors
/// [`Error::Option`] for quotes, a count or price out of range, or a start so late that time ends.
pub fn bars(spec: &SyntheticSpec) -> Result<impl Iterator<Item = Result<Bar, Error>> + use<>, Error> {
    let refuse = |option, reason: &str| Err(Error::Option { option, reason: reason.to_owned() });
    if spec.bars == 0 || spec.bars > SYNTHETIC_BARS_MAX {
        return refuse("bars", "expected 1 to 100 000 000");
    }
    if spec.granularity == Granularity::Tick {
        return refuse("granularity", "expected the length of a bar: quotes are not generated");
    }
    let tick = spec.instrument.tick().nanos();
    let start_ticks = (spec.start_price.nanos() / tick) as f64;
    if start_ticks < 2.0 * FLOOR_TICKS || spec.start_price.nanos() > 1_000_000 * Price::SCALE {
        return refuse("start_price", "expected 2000 ticks of the instrument to 1 000 000");
    }
    let calendar = Calendar { granularity: spec.granularity, zone: FileZone::parse("America/New_York")? };
    let mut path = Path::new(spec, start_ticks);
    let first = calendar.first(spec.start)?;
    let times = iter::successors(Some(Ok(first)), {
        let calendar = calendar.clone();
        move |time| time.as_ref().ok().map(|time| calendar.next(*time))
    });
    Ok(times.take(spec.bars).map(move |time| time.map(|time| path.bar(time, calendar.hour(time)))))
}

/// The bars as a version ready to be stored, labelled synthetic. They are generated twice and never all in memory: what
/// form they need is known after the last.
///
/// # Errors
/// Those of [`bars`], and failures of the spool file.
pub fn stage(spec: &SyntheticSpec, dataset: &DatasetName) -> Result<StagedSeries, Error> {
    let series =
        SeriesKey { dataset: dataset.clone(), instrument: spec.instrument, granularity: spec.granularity };
    let mut needs = FormNeeds::default();
    let mut gaps = crate::import::GapCounter::new(spec.granularity);
    for bar in bars(spec)? {
        let bar = bar?;
        needs.add_time(bar.time);
        gaps.add(bar.time);
        [Some(bar.bid.high), bar.ask.map(|ask| ask.high)]
            .into_iter()
            .flatten()
            .for_each(|high| needs.add_price(high));
    }
    let mut stager = Stager::new(series, needs.form(Shape::BothSides, spec.instrument.quote_decimals()))?;
    for bar in bars(spec)? {
        stager.push(bar?)?;
    }
    let long = spec.granularity >= Granularity::H4;
    let anchor = if long { Anchor::NewYork17 } else { Anchor::UtcMidnight };
    let sources = vec![format!("synthetic seed {}", spec.seed)];
    let (ask_source, gaps) = (PriceSource::Measured, gaps.into_gaps());
    stager.finish(Provenance { anchor, ask_source, sources, synthetic: true, gaps })
}

/// [`stage`], then stored as the latest version of the series.
///
/// # Errors
/// Those of [`stage`] and of [`publish`](crate::publish).
pub async fn publish(
    spec: SyntheticSpec,
    dataset: DatasetName,
    blobs: &dyn BlobStore,
    catalog: &dyn Catalog<SeriesVersion>,
    created_at: UnixNanos,
) -> Result<SeriesVersion, Error> {
    let staged =
        tokio::task::spawn_blocking(move || stage(&spec, &dataset)).await.map_err(Error::Background)??;
    publish_staged(staged, blobs, catalog, created_at).await
}

/// When bars open: not from Friday 17:00 to Sunday 17:00 New York. New York's clocks change on Sunday morning, so a
/// trading week is always five days of 24 hours.
#[derive(Clone)]
struct Calendar {
    granularity: Granularity,
    zone: FileZone,
}

impl Calendar {
    fn local(&self, time: UnixNanos) -> Result<jiff::civil::DateTime, Error> {
        let timestamp = jiff::Timestamp::from_nanosecond(i128::from(time.get()));
        let late =
            |_| Error::Option { option: "start", reason: "the bars would pass the end of time".to_owned() };
        timestamp.map(|timestamp| self.zone.zone().to_datetime(timestamp)).map_err(late)
    }

    fn opens(&self, time: UnixNanos) -> Result<bool, Error> {
        let local = self.local(time)?;
        let (day, hour) = (local.weekday(), local.hour());
        let open = match day {
            Weekday::Friday => hour < 17,
            Weekday::Saturday => false,
            Weekday::Sunday => hour >= 17,
            _ => true,
        };
        Ok(open
            && match self.granularity {
                Granularity::W1 => day == Weekday::Sunday && hour == 17,
                Granularity::D1 => hour == 17,
                Granularity::H4 => hour % 4 == 1,
                _ => true,
            })
    }

    fn first(&self, start: UnixNanos) -> Result<UnixNanos, Error> {
        let step = self.step();
        let aligned = start.get().checked_add(step - 1).map(|late| late.div_euclid(step) * step);
        self.search(aligned.map_or(start, UnixNanos::new))
    }

    fn next(&self, time: UnixNanos) -> Result<UnixNanos, Error> {
        self.search(time.plus_nanos(self.step()))
    }

    /// Long bars are searched by the hour: they begin at an hour of New York's clock.
    const fn step(&self) -> i64 {
        let nominal = self.granularity.nominal_nanos();
        if nominal < NANOS_PER_HOUR { nominal } else { NANOS_PER_HOUR }
    }

    fn search(&self, from: UnixNanos) -> Result<UnixNanos, Error> {
        let mut time = from;
        for _ in 0..CLOSED_STEPS_MAX {
            if self.opens(time)? {
                return Ok(time);
            }
            time = time.plus_nanos(self.step());
        }
        Err(Error::Option { option: "start", reason: "no market time after it".to_owned() })
    }

    fn hour(&self, time: UnixNanos) -> Option<usize> {
        // Bars of four hours and more span sessions: they have mean activity.
        if self.granularity >= Granularity::H4 {
            return None;
        }
        usize::try_from(self.local(time).ok()?.hour()).ok()
    }
}

/// The bid's walk, in ticks.
struct Path {
    random: ChaCha8Rng,
    tick_nanos: i64,
    start: f64,
    bid: f64,
    spread: i64,
    /// Slowly changing factor of the deviation: busy bars follow busy bars.
    mood: f64,
    minutes: i64,
}

impl Path {
    fn new(spec: &SyntheticSpec, start: f64) -> Self {
        Self {
            random: ChaCha8Rng::seed_from_u64(spec.seed),
            tick_nanos: spec.instrument.tick().nanos(),
            start,
            bid: start,
            spread: SPREAD_TICKS,
            mood: 1.0,
            minutes: spec.granularity.nominal_nanos() / NANOS_PER_MINUTE,
        }
    }

    fn bar(&mut self, time: UnixNanos, hour: Option<usize>) -> Bar {
        let activity = hour.map_or(100, |hour| ACTIVITY_PERCENT[hour]) as f64 / 100.0;
        let minutes = self.minutes as f64;
        let deviation =
            self.start * MINUTE_SIGMA * activity * self.mood * (minutes / PATH_STEPS as f64).sqrt();
        let first = whole(self.bid);
        let (mut high, mut low) = (first, first);
        let before = self.bid;
        for _ in 0..PATH_STEPS {
            let tail = if self.random.next_u32().is_multiple_of(TAIL_ONE_IN) { 3.0 } else { 1.0 };
            let step = self.gaussian() * deviation * tail;
            let pull = (self.start - self.bid) * PULL * minutes / PATH_STEPS as f64;
            self.bid = (self.bid + step + pull).max(FLOOR_TICKS);
            high = high.max(whole(self.bid));
            low = low.min(whole(self.bid));
        }
        let last = whole(self.bid);
        self.change_mood(before, deviation);
        let open_spread = self.spread;
        let usual = SPREAD_TICKS * hour.map_or(10, |hour| SPREAD_TENTHS[hour]) / 10;
        self.spread = (usual + i64::from(self.random.next_u32() % 7) - 3).max(2);
        let wide = usual + i64::from(self.random.next_u32() % 9);
        let (ask_open, ask_close) = (first + open_spread, last + self.spread);
        let ask_high = (high + wide.min(usual + 2)).max(ask_open).max(ask_close);
        let ask_low = (low + wide).min(ask_open).min(ask_close);
        let volume = ((0.5 + self.uniform()) * 40.0 * minutes * activity) as i64 + 1;
        let ohlc = |open: i64, high: i64, low: i64, close: i64| {
            let price = |ticks: i64| Price::from_nanos(ticks * self.tick_nanos);
            Ohlc { open: price(open), high: price(high), low: price(low), close: price(close) }
        };
        let ask = ohlc(ask_open, ask_high, ask_low, ask_close);
        Bar { time, bid: ohlc(first, high, low, last), ask: Some(ask), volume }
    }

    /// The deviation's factor follows the size of the last move, between a half and twice the usual.
    fn change_mood(&mut self, before: f64, deviation: f64) {
        let expected = deviation * (PATH_STEPS as f64).sqrt();
        let surprise = ((self.bid - before).abs() / expected.max(1.0e-9)).min(4.0);
        self.mood = (0.06 + 0.90 * self.mood + 0.05 * surprise).clamp(0.5, 2.0);
    }

    /// From 0 to below 1, by 2⁻⁵³.
    fn uniform(&mut self) -> f64 {
        (self.random.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// The sum of twelve uniforms less six: mean 0, deviation 1, and only additions.
    fn gaussian(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// The nearest whole number of ticks.
fn whole(ticks: f64) -> i64 {
    (ticks + 0.5).floor() as i64
}
