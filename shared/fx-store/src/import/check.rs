//! Every row held to account, and what is found told.

use crate::Error;
use crate::bars_file::{FormNeeds, PRICE_NANOS_MAX, Shape, one_sided_quotes};
use crate::import::report::{BAD_ROWS_LISTED_MAX, BadRow, ImportReport};
use crate::import::spool::SpoolWriter;
use crate::import::{Described, FileZone, Format, ImportOptions, Label, Notes, Row, stamp};
use crate::manifest::{Anchor, GAPS_LISTED_MAX, Gap, Gaps};
use crate::publish::{Provenance, StagedSeries, Stager};
use fx_domain::{
    Bar, Granularity, NANOS_PER_DAY, NANOS_PER_HOUR, Ohlc, Price, PriceSource, QuoteSide, TimeOrder,
    UnixNanos,
};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// Different distances of neighbours that are counted; a sound file has a few dozen.
const SPACINGS_MAX: usize = 4_096;
/// Quotes further apart than this have a gap between them; at quiet hours some minutes without one are usual.
const QUOTE_GAP_NANOS: i64 = NANOS_PER_HOUR;
/// A weekend without bars is no longer than this; longer ones are holidays or holes.
const WEEKEND_NANOS_MAX: i64 = 62 * NANOS_PER_HOUR;

/// Judges rows, spools the sound ones.
pub(crate) struct Collector {
    options: ImportOptions,
    zone: FileZone,
    spool: SpoolWriter,
    needs: FormNeeds,
    two_sided: Option<bool>,
    sources: Vec<String>,
    side: Option<QuoteSide>,
    /// Time of the last row that could be read, sound or not.
    seen: Option<UnixNanos>,
    spacings: BTreeMap<i64, u64>,
    anchors: Anchors,
    gaps: GapCounter,
    notes: Notes,
    rows_read: u64,
    rows_stored: u64,
    first: Option<UnixNanos>,
    last: Option<UnixNanos>,
    duplicates: u64,
    out_of_order: u64,
    bad_rows: u64,
    bad_rows_listed: Vec<BadRow>,
    format: Option<Format>,
    zone_name: Option<String>,
    warnings: Vec<String>,
}

impl Collector {
    pub(crate) fn new(options: ImportOptions) -> Result<Self, Error> {
        let granularity = options.series.granularity;
        Ok(Self {
            zone: FileZone::parse("America/New_York")?,
            spool: SpoolWriter::new()?,
            needs: FormNeeds::default(),
            two_sided: None,
            sources: Vec::new(),
            side: None,
            seen: None,
            spacings: BTreeMap::new(),
            anchors: Anchors::new(granularity),
            gaps: GapCounter::new(granularity),
            notes: Notes::default(),
            rows_read: 0,
            rows_stored: 0,
            first: None,
            last: None,
            duplicates: 0,
            out_of_order: 0,
            bad_rows: 0,
            bad_rows_listed: Vec::new(),
            format: None,
            zone_name: None,
            warnings: Vec::new(),
            options,
        })
    }

    /// Rows of this file follow.
    pub(crate) fn begin(&mut self, file: &str) {
        self.sources.push(file.to_owned());
    }

    /// The file of [`Collector::begin`] was read.
    pub(crate) fn end(&mut self, described: &Described, notes: Notes) {
        self.format.get_or_insert(described.format);
        self.zone_name.get_or_insert_with(|| described.zone.clone());
        self.side = self.side.or(described.side);
        self.notes.rounded_prices += notes.rounded_prices;
        self.notes.rounded_volumes += notes.rounded_volumes;
        self.notes.incomplete += notes.incomplete;
        for warning in &described.warnings {
            if !self.warnings.iter().any(|known| known == warning) {
                self.warnings.push((*warning).to_owned());
            }
        }
    }

    /// Judges one row of the current file.
    pub(crate) fn take(&mut self, row: Row) -> Result<(), Error> {
        self.rows_read += 1;
        match row.parsed.and_then(|bar| self.judge(bar)) {
            Ok(bar) => self.keep(bar),
            Err(reason) => {
                let file = self.sources.last().cloned().unwrap_or_default();
                self.reject(BadRow { file, line: row.line, reason });
                Ok(())
            }
        }
    }

    /// Counts a bad row.
    pub(crate) fn reject(&mut self, row: BadRow) {
        self.bad_rows += 1;
        if self.bad_rows_listed.len() < BAD_ROWS_LISTED_MAX {
            self.bad_rows_listed.push(row);
        }
    }

    fn judge(&mut self, mut bar: Bar) -> Result<Bar, String> {
        let granularity = self.options.series.granularity;
        if self.options.label == Label::End {
            bar.time = bar.time.plus_nanos(-granularity.nominal_nanos());
        }
        let order = granularity.time_order();
        if granularity != Granularity::Tick
            && let Some(seen) = self.seen.replace(bar.time)
        {
            let distance = bar.time.get().saturating_sub(seen.get());
            if distance > 0 && (self.spacings.len() < SPACINGS_MAX || self.spacings.contains_key(&distance)) {
                *self.spacings.entry(distance).or_default() += 1;
            }
        }
        if order == TimeOrder::Strict && self.last == Some(bar.time) {
            self.duplicates += 1;
            return Err(format!("the time {} is that of the row before", bar.time));
        }
        if let Some(last) = self.last.filter(|last| *last > bar.time) {
            self.out_of_order += 1;
            return Err(format!("the time {} is before {last}, that of an earlier row", bar.time));
        }
        // Quotes stand anywhere, and so, within their hour, do days and weeks.
        let on_grid = match granularity {
            Granularity::Tick | Granularity::D1 | Granularity::W1 => true,
            _ => bar.time.get() % granularity.nominal_nanos().min(NANOS_PER_HOUR) == 0,
        };
        if !on_grid {
            return Err(format!("the time {} is no start of a {granularity} bar", bar.time));
        }
        if *self.two_sided.get_or_insert(bar.ask.is_some()) != bar.ask.is_some() {
            return Err("the row has another number of sides than the rows before".to_owned());
        }
        if sides(&bar).flat_map(prices).any(|price| price.nanos() > PRICE_NANOS_MAX) {
            return Err("a price is too high to be stored".to_owned());
        }
        bar.check().map_err(|fault| fault.to_string())?;
        Ok(bar)
    }

    fn keep(&mut self, bar: Bar) -> Result<(), Error> {
        self.needs.add_time(bar.time);
        sides(&bar).flat_map(prices).for_each(|price| self.needs.add_price(price));
        self.anchors.add(bar.time, &self.zone);
        self.gaps.add(bar.time);
        self.first.get_or_insert(bar.time);
        self.last = Some(bar.time);
        self.rows_stored += 1;
        match (self.options.series.granularity, bar.ask) {
            (Granularity::Tick, Some(ask)) => {
                self.spool.push(&[bar.time.get(), bar.bid.close.nanos(), ask.close.nanos()])
            }
            (_, None) => self.spool.push(&record_of_one(&bar)),
            (_, Some(ask)) => {
                let [time, open, high, low, close, volume] = record_of_one(&bar);
                let [ask_open, ask_high, ask_low, ask_close] = prices(ask).map(Price::nanos);
                self.spool
                    .push(&[time, open, high, low, close, volume, ask_open, ask_high, ask_low, ask_close])
            }
        }
    }

    /// Encodes what was kept, if it is sound or bad rows are to be skipped.
    pub(crate) fn finish(mut self) -> Result<(StagedSeries, ImportReport), Error> {
        self.check_spacing()?;
        let two_sided = self.two_sided.unwrap_or(false);
        let side = self.stored_side(two_sided)?;
        let ask_source = match self.options.spread_unit {
            Some(_) => PriceSource::Modelled,
            None => PriceSource::Measured,
        };
        let report = self.report(side);
        if report.bad_rows > 0 && !self.options.skip_bad_rows {
            return Err(Error::Unsound(Box::new(report)));
        }
        if self.rows_stored == 0 {
            return Err(Error::Empty);
        }
        let series = self.options.series.clone();
        let shape = Shape::of(series.granularity, side).ok_or_else(one_sided_quotes)?;
        let form = self.needs.form(shape, series.instrument.quote_decimals());
        let mut stager = Stager::new(series, form)?;
        let mut spool = self.spool.into_reader()?;
        if shape == Shape::Quotes {
            while let Some([time, bid, ask]) = spool.next::<3>()? {
                let [bid, ask] = [bid, ask].map(Price::from_nanos);
                stager.push(Bar::tick(UnixNanos::new(time), bid, ask))?;
            }
        } else if two_sided {
            while let Some([time, open, high, low, close, volume, ask @ ..]) = spool.next::<10>()? {
                let ask = Some(ohlc(ask));
                stager.push(Bar {
                    time: UnixNanos::new(time),
                    bid: ohlc([open, high, low, close]),
                    ask,
                    volume,
                })?;
            }
        } else {
            while let Some([time, open, high, low, close, volume]) = spool.next::<6>()? {
                let bid = ohlc([open, high, low, close]);
                stager.push(Bar { time: UnixNanos::new(time), bid, ask: None, volume })?;
            }
        }
        let anchor = self.anchors.result();
        let provenance = Provenance {
            anchor,
            ask_source,
            sources: self.sources,
            synthetic: false,
            gaps: report.gaps.clone(),
        };
        Ok((stager.finish(provenance)?, report))
    }

    /// The most frequent distance of neighbours must be the bar's length; days and weeks may differ by the hour of a
    /// change of clocks.
    fn check_spacing(&self) -> Result<(), Error> {
        let expected = self.options.series.granularity;
        if expected == Granularity::Tick {
            return Ok(());
        }
        let mode =
            self.spacings.iter().max_by_key(|(distance, count)| (**count, std::cmp::Reverse(**distance)));
        let Some((distance, _)) = mode else { return Ok(()) };
        let tolerance = if expected >= Granularity::D1 { NANOS_PER_HOUR } else { 0 };
        if (distance - expected.nominal_nanos()).abs() <= tolerance {
            return Ok(());
        }
        let known = Granularity::ALL.into_iter().find(|known| known.nominal_nanos() == *distance);
        let found = known.map_or_else(
            || format!("{} s", *distance as f64 / fx_domain::NANOS_PER_SECOND as f64),
            |known| known.to_string(),
        );
        Err(Error::Spacing { expected, found })
    }

    fn stored_side(&mut self, two_sided: bool) -> Result<Option<QuoteSide>, Error> {
        match (two_sided, self.options.side, self.side) {
            (true, None, _) => Ok(None),
            // The one side that the file holds.
            (true, Some(QuoteSide::Bid), _) if self.options.spread_unit.is_some() => Ok(None),
            (true, Some(_), _) => Err(Error::Option {
                option: "side",
                reason: "the files hold both sides: leave it out".to_owned(),
            }),
            (false, Some(asked), Some(told)) if asked != told => Err(Error::Option {
                option: "side",
                reason: format!("{asked:?} was given, but the file's columns or name say {told:?}")
                    .to_lowercase(),
            }),
            (false, Some(side), _) | (false, None, Some(side)) => Ok(Some(side)),
            (false, None, None) => {
                self.warnings.push("the file does not name its side: stored as bid; give --side".to_owned());
                Ok(Some(QuoteSide::Bid))
            }
        }
    }

    fn report(&mut self, side: Option<QuoteSide>) -> ImportReport {
        let tick_digits = self.options.series.instrument.quote_decimals();
        let digits = self.needs.decimals();
        let mut warnings = std::mem::take(&mut self.warnings);
        if digits > tick_digits {
            warnings.push(format!(
                "prices have {digits} decimals, finer than the {tick_digits} of {}; stored as they are",
                self.options.series.instrument
            ));
        }
        for (count, what) in [
            (self.notes.rounded_prices, "prices with more than nine decimals were rounded to the ninth"),
            (self.notes.rounded_volumes, "volumes were rounded to whole numbers"),
            (self.notes.incomplete, "unfinished candles were left out"),
        ] {
            if count > 0 {
                warnings.push(format!("{count} {what}"));
            }
        }
        ImportReport {
            rows_read: self.rows_read,
            rows_stored: self.rows_stored,
            first: self.first,
            last: self.last,
            gaps: self.gaps.gaps.clone(),
            duplicates: self.duplicates,
            out_of_order: self.out_of_order,
            bad_rows: self.bad_rows,
            bad_rows_listed: self.bad_rows_listed.clone(),
            format: self.format,
            zone: self.zone_name.clone().unwrap_or_default(),
            side,
            digits,
            tick_digits,
            warnings,
        }
    }
}

fn sides(bar: &Bar) -> impl Iterator<Item = Ohlc> {
    std::iter::once(bar.bid).chain(bar.ask)
}

pub(crate) const fn prices(side: Ohlc) -> [Price; 4] {
    [side.open, side.high, side.low, side.close]
}

/// Time, open, high, low, close of the bid, volume.
pub(crate) fn record_of_one(bar: &Bar) -> [i64; 6] {
    let [open, high, low, close] = prices(bar.bid).map(Price::nanos);
    [bar.time.get(), open, high, low, close, bar.volume]
}

pub(crate) fn ohlc(nanos: [i64; 4]) -> Ohlc {
    let [open, high, low, close] = nanos.map(Price::from_nanos);
    Ohlc { open, high, low, close }
}

/// Counts stretches without bars.
pub(crate) struct GapCounter {
    granularity: Granularity,
    previous: Option<UnixNanos>,
    gaps: Gaps,
}

impl GapCounter {
    pub(crate) fn new(granularity: Granularity) -> Self {
        Self { granularity, previous: None, gaps: Gaps::default() }
    }

    pub(crate) fn into_gaps(self) -> Gaps {
        self.gaps
    }

    pub(crate) fn add(&mut self, time: UnixNanos) {
        let Some(from) = self.previous.replace(time) else { return };
        let nominal = self.granularity.nominal_nanos();
        let usual = match self.granularity {
            Granularity::Tick => QUOTE_GAP_NANOS,
            // Across a change of clocks they are an hour longer.
            Granularity::D1 | Granularity::W1 => nominal + NANOS_PER_HOUR,
            _ => nominal,
        };
        if time.get() - from.get() <= usual {
            return;
        }
        let missing = (from.plus_nanos(nominal), time);
        let gap = Gap { from, to: time, weekend: is_weekend(missing.0, missing.1) };
        self.gaps.count += 1;
        self.gaps.weekends += u64::from(gap.weekend);
        let length = |gap: &Gap| gap.to.get() - gap.from.get();
        let place = self.gaps.longest.partition_point(|known| length(known) >= length(&gap));
        if place < GAPS_LISTED_MAX {
            self.gaps.longest.insert(place, gap);
            self.gaps.longest.truncate(GAPS_LISTED_MAX);
        }
    }
}

/// Whether the stretch spans Saturday noon UTC and is no longer than a weekend.
fn is_weekend(from: UnixNanos, to: UnixNanos) -> bool {
    // 1970-01-03 was a Saturday.
    let (week, saturday_noon) = (7 * NANOS_PER_DAY, 2 * NANOS_PER_DAY + NANOS_PER_DAY / 2);
    let since = (from.get() - saturday_noon).rem_euclid(week);
    let until_noon = (week - since) % week;
    let length = to.get() - from.get();
    length <= WEEKEND_NANOS_MAX && until_noon < length
}

/// Which anchors all bars so far agree with.
pub(crate) struct Anchors {
    granularity: Granularity,
    utc_midnight: bool,
    new_york: bool,
}

impl Anchors {
    pub(crate) const fn new(granularity: Granularity) -> Self {
        Self { granularity, utc_midnight: true, new_york: true }
    }

    pub(crate) fn add(&mut self, time: UnixNanos, new_york: &FileZone) {
        if self.granularity < Granularity::H4 {
            return;
        }
        let hours: i8 = if self.granularity == Granularity::H4 { 4 } else { 24 };
        let at = |zone: &TimeZone, hour: i8| {
            stamp::clock_in(time, zone)
                .is_some_and(|(h, minute)| minute == 0 && (h - hour).rem_euclid(hours) == 0)
        };
        self.utc_midnight = self.utc_midnight && at(&TimeZone::UTC, 0);
        self.new_york = self.new_york && at(new_york.zone(), 17);
    }

    pub(crate) const fn result(&self) -> Anchor {
        match (self.granularity.nominal_nanos() < 2 * NANOS_PER_HOUR, self.utc_midnight, self.new_york) {
            (true, _, _) | (false, true, false) => Anchor::UtcMidnight,
            (false, _, true) => Anchor::NewYork17,
            (false, false, false) => Anchor::Other,
        }
    }
}
