//! Two files of one series, one for each side, joined by time.

use crate::Error;
use crate::import::check::{Collector, ohlc, record_of_one};
use crate::import::detect::side_of_name;
use crate::import::report::BadRow;
use crate::import::source::Meter;
use crate::import::spool::{SpoolReader, SpoolWriter};
use crate::import::{Flow, ImportFile, ImportOptions, Notes, Row, read_file};
use fx_domain::{Bar, Granularity, QuoteSide, UnixNanos};

/// The bid file and the ask file, when there are exactly two of bars whose names say so, and neither a side nor asks by a
/// column of spreads were asked for.
pub(crate) fn of<'a>(
    files: &'a [ImportFile],
    options: &ImportOptions,
) -> Option<(&'a ImportFile, &'a ImportFile)> {
    let [first, second] = files else { return None };
    if options.series.granularity == Granularity::Tick || options.spread_unit.is_some() {
        return None;
    }
    match (options.side, side_of_name(&first.name), side_of_name(&second.name)) {
        (None, Some(QuoteSide::Bid), Some(QuoteSide::Ask)) => Some((first, second)),
        (None, Some(QuoteSide::Ask), Some(QuoteSide::Bid)) => Some((second, first)),
        _ => None,
    }
}

/// Line, time, open, high, low, close.
type AskRecord = [i64; 6];

/// Reads both files and judges the joined bars. A row without a partner is a bad row of its file. The volume is the
/// bid's.
pub(crate) fn collect(
    bid: &ImportFile,
    ask: &ImportFile,
    options: &ImportOptions,
    meter: &Meter,
    tick: &mut dyn FnMut() -> Result<(), Error>,
) -> Result<Collector, Error> {
    let mut collector = Collector::new(options.clone())?;
    let mut asks = spool_asks(ask, options, meter, tick, &mut collector)?;
    collector.begin(&bid.name);
    let mut next: Option<AskRecord> = asks.next()?;
    let mut notes = Notes::default();
    let described = read_file(bid, options, meter, &mut notes, &mut |row| {
        tick()?;
        let Row { line, parsed } = row;
        let joined = match parsed {
            Ok(bar) => {
                while let Some(lonely) = next.filter(|record| record[1] < bar.time.get()) {
                    collector.reject(without_partner(&ask.name, &lonely));
                    next = asks.next()?;
                }
                join(bar, next.as_ref())
            }
            Err(reason) => Err(reason),
        };
        if joined.is_ok() {
            next = asks.next()?;
        }
        collector.take(Row { line, parsed: joined })?;
        Ok(Flow::Continue)
    })?;
    while let Some(lonely) = next {
        collector.reject(without_partner(&ask.name, &lonely));
        next = asks.next()?;
    }
    collector.end(&described, notes);
    Ok(collector)
}

fn join(bar: Bar, ask: Option<&AskRecord>) -> Result<Bar, String> {
    match (bar.ask, ask) {
        (Some(_), _) => Err("the file of one side holds two".to_owned()),
        (None, Some([_, time, prices @ ..])) if *time == bar.time.get() => {
            Ok(Bar { ask: Some(ohlc(*prices)), ..bar })
        }
        (None, _) => Err(format!("there is no ask bar at {}", bar.time)),
    }
}

fn without_partner(file: &str, record: &AskRecord) -> BadRow {
    let reason = format!("there is no bid bar at {}", UnixNanos::new(record[1]));
    BadRow { file: file.to_owned(), line: record[0].unsigned_abs(), reason }
}

fn spool_asks(
    ask: &ImportFile,
    options: &ImportOptions,
    meter: &Meter,
    tick: &mut dyn FnMut() -> Result<(), Error>,
    collector: &mut Collector,
) -> Result<SpoolReader, Error> {
    let mut spool = SpoolWriter::new()?;
    let mut last: Option<UnixNanos> = None;
    let mut notes = Notes::default();
    collector.begin(&ask.name);
    let described = read_file(ask, options, meter, &mut notes, &mut |row| {
        tick()?;
        let judged = row.parsed.and_then(|bar| {
            if bar.ask.is_some() {
                return Err("the file of one side holds two".to_owned());
            }
            if last.is_some_and(|last| bar.time <= last) {
                return Err(format!("the time {} is not after that of the row before", bar.time));
            }
            last = Some(bar.time);
            Ok(bar)
        });
        match judged {
            Ok(bar) => {
                let [time, open, high, low, close, _] = record_of_one(&bar);
                spool.push(&[row.line.cast_signed(), time, open, high, low, close])?;
            }
            Err(reason) => collector.reject(BadRow { file: ask.name.clone(), line: row.line, reason }),
        }
        Ok(Flow::Continue)
    })?;
    collector.end(&described, notes);
    spool.into_reader()
}
