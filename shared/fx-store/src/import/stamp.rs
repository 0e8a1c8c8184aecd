//! Times as vendors write them.

use crate::import::FileZone;
use crate::import::options::parse_offset;
use fx_domain::{TimeOrder, UnixNanos};
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};

/// A time as it stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// It names its zone.
    Instant(UnixNanos),
    /// It is in the file's zone.
    Local(DateTime),
}

/// Turns stamps into instants.
pub(crate) struct Times {
    zone: FileZone,
    order: TimeOrder,
    previous: Option<UnixNanos>,
}

impl Times {
    pub(crate) const fn new(zone: FileZone, order: TimeOrder) -> Self {
        Self { zone, order, previous: None }
    }

    /// The instant of a stamp. In the hour that clocks repeat, the first pass is taken, and the second once the first
    /// would break the order.
    pub(crate) fn instant(&mut self, stamp: Stamp) -> Result<UnixNanos, String> {
        let instant = match stamp {
            Stamp::Instant(instant) => instant,
            Stamp::Local(local) => {
                let ambiguous = self.zone.zone().to_ambiguous_timestamp(local);
                let at = |offset: jiff::tz::Offset| -> Result<UnixNanos, String> {
                    let timestamp = offset
                        .to_timestamp(local)
                        .map_err(|_| format!("the time {local} is out of range"))?;
                    nanos(timestamp)
                };
                match ambiguous.offset() {
                    AmbiguousOffset::Unambiguous { offset } => at(offset)?,
                    AmbiguousOffset::Gap { .. } => {
                        return Err(format!("the time {local} does not exist in {}", self.zone));
                    }
                    AmbiguousOffset::Fold { before, after } => {
                        let first = at(before)?;
                        if self.previous.is_some_and(|previous| !self.order.allows(previous, first)) {
                            at(after)?
                        } else {
                            first
                        }
                    }
                }
            }
        };
        self.previous = Some(instant);
        Ok(instant)
    }
}

fn nanos(timestamp: jiff::Timestamp) -> Result<UnixNanos, String> {
    i64::try_from(timestamp.as_nanosecond())
        .map(UnixNanos::new)
        .map_err(|_| format!("the time {timestamp} is out of range"))
}

/// Reads a date and time, or an epoch number: `2012-02-01T00:00:00Z`, `2012-02-01 00:00:00+00:00`,
/// `2012.02.01 00:00`, `01.02.2012 00:00:00.000` (day first: only with dots), `20120201 000000`, `20120201`,
/// `1328054400` (seconds, milli-, micro- or nanoseconds by magnitude).
pub(crate) fn parse(text: &str) -> Option<Stamp> {
    let text = text.trim();
    if let Some(stamp) = parse_number(text) {
        return Some(stamp);
    }
    match text.find(['T', ' ']) {
        Some(split) => parse_date_time(&text[..split], text[split + 1..].trim_start()),
        None => parse_date_time(text, ""),
    }
}

/// Reads a date and a time of two fields; an empty time is midnight.
pub(crate) fn parse_date_time(date: &str, time: &str) -> Option<Stamp> {
    let date = parse_date(date.trim())?;
    let time = time.trim();
    let zone_at = time.find(['Z', '+', '-', ' ']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone_at);
    let local = with_clock(date, clock)?;
    let zone = zone.trim();
    let zone = zone
        .strip_prefix("UTC")
        .or_else(|| zone.strip_prefix("GMT"))
        .map_or(zone, |rest| if rest.is_empty() { "Z" } else { rest });
    let offset = match zone {
        "" => return Some(Stamp::Local(local)),
        "Z" => jiff::tz::Offset::UTC,
        offset => parse_offset(offset)?,
    };
    nanos(offset.to_timestamp(local).ok()?).ok().map(Stamp::Instant)
}

/// A date of eight digits, or with separators and the year first, or with dots and the day first.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if !text.is_ascii() {
        return None;
    }
    let number = |range: std::ops::Range<usize>| digits(&bytes[range]);
    let (year, month, day) = match bytes.len() {
        8 => (number(0..4)?, number(4..6)?, number(6..8)?),
        10 if matches!(bytes[4], b'-' | b'.' | b'/') && bytes[4] == bytes[7] => {
            (number(0..4)?, number(5..7)?, number(8..10)?)
        }
        10 if bytes[2] == b'.' && bytes[5] == b'.' => (number(6..10)?, number(3..5)?, number(0..2)?),
        _ => return None,
    };
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// `HH:MM`, `HH:MM:SS`, `HH:MM:SS.f…`, `HHMM`, `HHMMSS`, `HHMMSSmmm`, or nothing.
fn with_clock(date: Date, clock: &str) -> Option<DateTime> {
    if !clock.is_ascii() {
        return None;
    }
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let bytes = whole.as_bytes();
    let pair = |at: usize| digits(bytes.get(at..at + 2)?);
    let (hour, minute, second, millis) = match bytes.len() {
        0 => (0, 0, 0, 0),
        4 => (pair(0)?, pair(2)?, 0, 0),
        5 if bytes[2] == b':' => (pair(0)?, pair(3)?, 0, 0),
        6 => (pair(0)?, pair(2)?, pair(4)?, 0),
        8 if bytes[2] == b':' && bytes[5] == b':' => (pair(0)?, pair(3)?, pair(6)?, 0),
        9 => (pair(0)?, pair(2)?, pair(4)?, digits(&bytes[6..9])?),
        _ => return None,
    };
    let nanos = if fraction.is_empty() { millis * 1_000_000 } else { fraction_nanos(fraction)? };
    let part = |value: i64| i8::try_from(value).ok();
    DateTime::new(
        date.year(),
        date.month(),
        date.day(),
        part(hour)?,
        part(minute)?,
        part(second)?,
        i32::try_from(nanos).ok()?,
    )
    .ok()
}

/// A fraction of a second of one to nine digits, in nanoseconds.
fn fraction_nanos(fraction: &str) -> Option<i64> {
    let count = u32::try_from(fraction.len()).ok().filter(|count| (1..=9).contains(count))?;
    Some(digits(fraction.as_bytes())? * 10_i64.pow(9 - count))
}

/// Digits, all of them, as a number.
fn digits(bytes: &[u8]) -> Option<i64> {
    if bytes.is_empty() || bytes.len() > 18 {
        return None;
    }
    bytes
        .iter()
        .try_fold(0_i64, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// An epoch number by its magnitude; eight digits are a date and fourteen a date and time.
fn parse_number(text: &str) -> Option<Stamp> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let negative = whole.starts_with('-');
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    if unsigned.is_empty() || unsigned.len() > 19 || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if fraction.is_none() && !negative {
        match unsigned.len() {
            8 => return parse_date_time(unsigned, ""),
            14 => return parse_date_time(&unsigned[..8], &unsigned[8..]),
            _ => {}
        }
    }
    let magnitude: i64 = unsigned.parse().ok()?;
    let instant = match fraction {
        // pandas writes whole epochs of a float column as `1328054400.0`.
        Some(fraction) if magnitude < SECONDS_BELOW => {
            magnitude.checked_mul(1_000_000_000)?.checked_add(fraction_nanos(fraction)?)?
        }
        Some(fraction) if !fraction.bytes().all(|byte| byte == b'0') => return None,
        _ => epoch_nanos(magnitude)?,
    };
    Some(Stamp::Instant(UnixNanos::new(if negative { -instant } else { instant })))
}

/// Epoch numbers below this are seconds: the year 5138.
const SECONDS_BELOW: i64 = 100_000_000_000;

/// Nanoseconds of an epoch number in seconds, milliseconds, microseconds or nanoseconds, told by magnitude: between the
/// years 1973 and 5138 the four do not overlap.
pub(crate) fn epoch_nanos(magnitude: i64) -> Option<i64> {
    let scale = match magnitude.unsigned_abs() {
        below if below < SECONDS_BELOW.unsigned_abs() => 1_000_000_000,
        below if below < SECONDS_BELOW.unsigned_abs() * 1_000 => 1_000_000,
        below if below < SECONDS_BELOW.unsigned_abs() * 1_000_000 => 1_000,
        _ => 1,
    };
    magnitude.checked_mul(scale)
}

/// Midnight of `date` and `millis` milliseconds.
pub(crate) fn millis_of_day(date: Date, millis: i64) -> Option<Stamp> {
    if !(0..86_400_000).contains(&millis) {
        return None;
    }
    let midnight = date.to_datetime(jiff::civil::Time::midnight());
    midnight.checked_add(jiff::SignedDuration::from_millis(millis)).ok().map(Stamp::Local)
}

/// The hour and minute of an instant in `zone`.
pub(crate) fn clock_in(time: UnixNanos, zone: &TimeZone) -> Option<(i8, i8)> {
    let timestamp = jiff::Timestamp::from_nanosecond(i128::from(time.get())).ok()?;
    let local = zone.to_datetime(timestamp);
    Some((local.hour(), local.minute()))
}
