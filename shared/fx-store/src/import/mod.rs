//! Vendor files to bars and quotes: detect the format, read it as a stream, hold every row to account, stage the sound ones.
//!
//! Rows are read once and spooled to disk in a plain form; only when all have been judged are they encoded. So memory
//! stays bounded for any length of input, and a bad last row still means that nothing is stored.

mod check;
mod delimited;
mod detect;
mod oanda;
mod options;
mod pair;
mod plain_parquet;
mod quotes;
mod report;
mod source;
mod spool;
mod stamp;

#[cfg(test)]
mod tests;

pub use options::{FileContent, FileZone, Format, ImportFile, ImportOptions, Label, Progress};
pub use report::{BAD_ROWS_LISTED_MAX, BadRow, ImportReport};
pub use source::{
    INFLATED_BYTES_FREE, INFLATED_RATIO_MAX, LINE_BYTES_MAX, PARQUET_BYTES_MAX, SAMPLE_BYTES, ZIP_MEMBERS_MAX,
};

use crate::Error;
use crate::publish::{StagedSeries, publish};
use check::Collector;
pub(crate) use check::GapCounter;
pub(crate) use delimited::shown;
use delimited::{Layout, PriceColumns};
use detect::{Kind, Recognised};
use fx_app::ports::{BlobStore, Catalog};
use fx_app::records::SeriesVersion;
use fx_domain::{Bar, Granularity, Instrument, QuoteSide, UnixNanos};
use source::Meter;
use stamp::Times;
use std::io::Read;

/// Files in one import, at most.
pub const FILES_MAX: usize = 20_000;
/// Rows in one import, at most.
pub const ROWS_MAX: u64 = 2_000_000_000;
/// Rows between two calls of the progress callback.
const PROGRESS_ROWS: u64 = 65_536;

/// One row of a file: its line (for JSON and Parquet its number, from 1), and a bar or why there is none.
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) parsed: Result<Bar, String>,
}

/// Whether a reader should go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Continue,
    Stop,
}

/// Takes the rows of one file in their order.
pub(crate) type Sink<'a> = dyn FnMut(Row) -> Result<Flow, Error> + 'a;

/// Things a reader did that the report must say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Notes {
    /// Prices with more than nine decimals, or binary floats, rounded to the nearest billionth.
    pub(crate) rounded_prices: u64,
    /// Volumes rounded to whole numbers.
    pub(crate) rounded_volumes: u64,
    /// Candles marked as unfinished, left out.
    pub(crate) incomplete: u64,
}

/// Reads `files` as one series, in order of their first rows, and encodes the sound rows. Blocking: it reads, inflates
/// and compresses.
///
/// # Errors
/// [`Error::Unsound`] with the report when a row is bad and bad rows are not to be skipped; otherwise what made the
/// files unreadable.
pub fn stage(
    files: Vec<ImportFile>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<(StagedSeries, ImportReport), Error> {
    if files.is_empty() || files.len() > FILES_MAX {
        return Err(Error::Option { option: "files", reason: format!("expected 1 to {FILES_MAX}") });
    }
    let mut bytes_total = 0_u64;
    for file in &files {
        bytes_total = bytes_total.saturating_add(file.length()?);
    }
    let mut rows = 0_u64;
    let meter = Meter::default();
    let reading = meter.clone();
    let mut tick = move || {
        rows += 1;
        if rows.is_multiple_of(PROGRESS_ROWS) {
            progress(Progress { rows, bytes_done: reading.bytes(), bytes_total });
        }
        if rows > ROWS_MAX {
            return Err(Error::Limit { what: "the import".to_owned(), limit: ROWS_MAX, unit: "rows" });
        }
        Ok(())
    };
    let collector = match pair::of(&files, options) {
        Some((bid, ask)) => pair::collect(bid, ask, options, &meter, &mut tick)?,
        None => collect(files, options, &meter, &mut tick)?,
    };
    collector.finish()
}

/// [`stage`] and [`publish`]: what the command and the service call.
///
/// # Errors
/// Those of both.
pub async fn import(
    files: Vec<ImportFile>,
    options: ImportOptions,
    mut progress: Box<dyn FnMut(Progress) + Send>,
    blobs: &dyn BlobStore,
    catalog: &dyn Catalog<SeriesVersion>,
    created_at: UnixNanos,
) -> Result<(SeriesVersion, ImportReport), Error> {
    let work = move || stage(files, &options, &mut *progress);
    let (staged, report) = tokio::task::spawn_blocking(work).await.map_err(Error::Background)??;
    Ok((publish(staged, blobs, catalog, created_at).await?, report))
}

fn collect(
    files: Vec<ImportFile>,
    options: &ImportOptions,
    meter: &Meter,
    tick: &mut dyn FnMut() -> Result<(), Error>,
) -> Result<Collector, Error> {
    let mut ordered = Vec::with_capacity(files.len());
    let single = files.len() == 1;
    for file in files {
        // With one file there is nothing to order.
        let first = if single { None } else { first_time(&file, options)? };
        ordered.push((first, file));
    }
    ordered.sort_by(|(left, a), (right, b)| (left, &a.name).cmp(&(right, &b.name)));
    let mut collector = Collector::new(options.clone())?;
    for (_, file) in &ordered {
        collector.begin(&file.name);
        let mut notes = Notes::default();
        let described = read_file(file, options, meter, &mut notes, &mut |row| {
            tick()?;
            collector.take(row)?;
            Ok(Flow::Continue)
        })?;
        collector.end(&described, notes);
    }
    Ok(collector)
}

/// The time of the first readable row of a file: what several files are put in order by.
fn first_time(file: &ImportFile, options: &ImportOptions) -> Result<Option<UnixNanos>, Error> {
    let mut first = None;
    read_file(file, options, &Meter::default(), &mut Notes::default(), &mut |row| {
        first = row.parsed.ok().map(|bar| bar.time);
        Ok(if first.is_some() { Flow::Stop } else { Flow::Continue })
    })?;
    Ok(first)
}

/// How a file was read.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    pub(crate) format: Format,
    pub(crate) zone: String,
    /// The side that columns or the file's name tell, when there is one side.
    pub(crate) side: Option<QuoteSide>,
    pub(crate) warnings: Vec<&'static str>,
}

/// Reads all members of one file as one stream of rows.
pub(crate) fn read_file(
    file: &ImportFile,
    options: &ImportOptions,
    meter: &Meter,
    notes: &mut Notes,
    sink: &mut Sink<'_>,
) -> Result<Described, Error> {
    let mut described = None;
    source::for_each_stream(file, meter, &mut |member, stream| {
        let sample = source::sample(stream).map_err(|error| Error::io(member, error))?;
        let recognised = detect::detect(&file.name, member, &sample, options.format)?;
        let zone = options.zone.clone().unwrap_or_else(|| recognised.default_zone());
        let mut description = Described {
            format: recognised.format,
            zone: zone.to_string(),
            side: recognised.side,
            warnings: recognised.zone_warning().into_iter().filter(|_| options.zone.is_none()).collect(),
        };
        let mut whole = std::io::Cursor::new(sample).chain(stream);
        let granularity = options.series.granularity;
        let mut times = Times::new(zone, granularity.time_order());
        let Recognised { kind, side, format } = recognised;
        let made = check_spread(member, &kind, options.side.or(side));
        match options.spread_unit {
            Some(_) => made?,
            None if made.is_ok() => description.warnings.push(UNUSED_SPREAD),
            None => {}
        }
        match kind {
            Kind::Delimited(mut layout) => {
                check_content(member, &layout, format, options)?;
                layout.spread_unit = options.spread_unit;
                delimited::read(member, &layout, &mut whole, &mut times, notes, sink)?;
            }
            Kind::Oanda if granularity == Granularity::Tick => {
                return Err(Error::Bars { file: member.to_owned(), format });
            }
            Kind::Oanda => oanda::read(member, options.side.or(side), &mut whole, &mut times, notes, sink)?,
            Kind::Parquet => {
                let told = plain_parquet::read(member, granularity, &mut whole, &mut times, notes, sink)?;
                description.side = told.or(description.side);
            }
        }
        described = Some(description);
        Ok(())
    })?;
    described.ok_or_else(|| Error::UnknownFormat {
        file: file.name.clone(),
        reason: "the archive holds no file".to_owned(),
    })
}

const UNUSED_SPREAD: &str = "a column of spreads is not used; give --spread-unit to make asks of it";

/// A column of spreads makes asks of bids.
fn check_spread(file: &str, kind: &Kind, side: Option<QuoteSide>) -> Result<(), Error> {
    let reason = match kind {
        Kind::Delimited(Layout { spread: Some(_), prices: PriceColumns::Bars { ask: None, .. }, .. }) => {
            if matches!(side, None | Some(QuoteSide::Bid)) {
                return Ok(());
            }
            format!("{file} does not hold bids")
        }
        _ => format!("{file} has no column `spread` beside the prices of one side"),
    };
    Err(Error::Option { option: "spread-unit", reason })
}

/// Quotes are imported as quotes, bars as bars, and a file that names its pair only as that pair.
fn check_content(
    member: &str,
    layout: &Layout,
    format: Format,
    options: &ImportOptions,
) -> Result<(), Error> {
    let file = || member.to_owned();
    let timeframe = options.series.granularity;
    match (&layout.prices, timeframe) {
        (PriceColumns::Quotes { .. }, Granularity::Tick) => {}
        (PriceColumns::Quotes { .. }, _) => return Err(Error::Ticks { file: file(), format, timeframe }),
        (PriceColumns::Bars { .. }, Granularity::Tick) => return Err(Error::Bars { file: file(), format }),
        (PriceColumns::Bars { .. }, _) => {}
    }
    match &layout.pair {
        Some(pair) if Instrument::parse(&pair.text).ok() != Some(options.series.instrument) => {
            let reason = format!("it is of `{}`, not of {}", shown(&pair.text), options.series.instrument);
            Err(Error::Structure { file: file(), format, reason })
        }
        _ => Ok(()),
    }
}
