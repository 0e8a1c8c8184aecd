//! Which format a file has, from its first bytes and its name.

use crate::Error;
use crate::import::delimited::{Layout, PriceColumns, TimeColumns};
use crate::import::{FileZone, Format, quotes, stamp};
use fx_domain::QuoteSide;
use jiff::civil::Date;

/// How rows are found in the bytes.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Delimited(Layout),
    Oanda,
    Parquet,
}

/// A recognised file.
#[derive(Clone, Debug)]
pub(crate) struct Recognised {
    pub(crate) format: Format,
    pub(crate) kind: Kind,
    /// The one side that the columns or the file's name tell.
    pub(crate) side: Option<QuoteSide>,
}

impl Recognised {
    /// The zone that the format's own definition names.
    pub(crate) fn default_zone(&self) -> FileZone {
        match self.format {
            Format::HistData => FileZone::est_without_dst(),
            _ => FileZone::utc(),
        }
    }

    pub(crate) const fn zone_warning(&self) -> Option<&'static str> {
        match self.format {
            Format::MetaTrader => Some(
                "MetaTrader writes the broker's server time, which the file does not name: it was read as UTC; give --timezone",
            ),
            _ => None,
        }
    }
}

/// Recognises the member `member` of the file `outer`.
pub(crate) fn detect(
    outer: &str,
    member: &str,
    sample: &[u8],
    asked: Option<Format>,
) -> Result<Recognised, Error> {
    let side = side_of_name(outer).or_else(|| side_of_name(member));
    let found = candidates(outer, member, sample)?;
    let structure = |format| Error::Structure {
        file: member.to_owned(),
        format,
        reason: "the content does not have its structure".to_owned(),
    };
    let chosen = match asked {
        Some(asked) => {
            found.into_iter().find(|(format, _)| *format == asked).ok_or_else(|| structure(asked))?
        }
        None => {
            let formats: Vec<Format> = found.iter().map(|(format, _)| *format).collect();
            let mut found = found.into_iter();
            match (found.next(), found.next()) {
                (Some(only), None) => only,
                (Some(_), Some(_)) => {
                    return Err(Error::AmbiguousFormat { file: member.to_owned(), candidates: formats });
                }
                (None, _) => {
                    let reason =
                        if sample.is_empty() { "it is empty" } else { "no header, and no vendor's columns" };
                    return Err(Error::UnknownFormat { file: member.to_owned(), reason: reason.to_owned() });
                }
            }
        }
    };
    let (format, kind) = chosen;
    let side = match &kind {
        Kind::Delimited(layout) => match layout.prices {
            PriceColumns::Bars { ask: None, .. } => layout.side.or(side),
            PriceColumns::Bars { ask: Some(_), .. } | PriceColumns::Quotes { .. } => None,
        },
        Kind::Oanda => side_of_candles(sample),
        Kind::Parquet => side,
    };
    Ok(Recognised { format, kind, side })
}

/// The one side that candles hold; none when they hold bid and ask.
fn side_of_candles(sample: &[u8]) -> Option<QuoteSide> {
    let text = String::from_utf8_lossy(sample);
    match ["\"bid\"", "\"ask\"", "\"mid\""].map(|key| text.contains(key)) {
        [true, true, _] => None,
        [true, false, _] => Some(QuoteSide::Bid),
        [false, true, _] => Some(QuoteSide::Ask),
        [false, false, true] => Some(QuoteSide::Mid),
        [false, false, false] => None,
    }
}

/// The side that a file's name tells: `bid` or `ask` as a word of it.
pub(crate) fn side_of_name(name: &str) -> Option<QuoteSide> {
    let lower = name.to_ascii_lowercase();
    let mut words = lower.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.find_map(|word| match word {
        "bid" => Some(QuoteSide::Bid),
        "ask" => Some(QuoteSide::Ask),
        "mid" => Some(QuoteSide::Mid),
        _ => None,
    })
}

fn candidates(outer: &str, member: &str, sample: &[u8]) -> Result<Vec<(Format, Kind)>, Error> {
    if sample.starts_with(b"PAR1") {
        return Ok(vec![(Format::Parquet, Kind::Parquet)]);
    }
    let text = String::from_utf8_lossy(sample);
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with(['{', '[']) {
        return Ok(vec![(Format::Oanda, Kind::Oanda)]);
    }
    let Some(line) = text.lines().find(|line| !line.trim().is_empty()) else { return Ok(Vec::new()) };
    let delimiter = delimiter_of(line);
    let fields: Vec<&str> = line.split(char::from(delimiter)).map(unquote).collect();
    if is_header(&fields) {
        return Ok(with_header(delimiter, &fields).into_iter().collect());
    }
    let mut found = Vec::new();
    if let Some((format, layout)) = quotes::headerless(outer, member, delimiter, &fields)? {
        found.push((format, Kind::Delimited(layout)));
    }
    if let Some(layout) = lean(&fields) {
        found.push((Format::Lean, Kind::Delimited(layout)));
    }
    if let Some(layout) = lean_minute(outer, member, &fields)? {
        found.push((Format::LeanMinute, Kind::Delimited(layout)));
    }
    if let Some(layout) = histdata(delimiter, &fields) {
        found.push((Format::HistData, Kind::Delimited(layout)));
    }
    if let Some(layout) = metatrader(delimiter, &fields) {
        // HistData ships the same columns in its own zone, and names those files so.
        if outer.to_ascii_uppercase().contains("DAT_MT_") || member.to_ascii_uppercase().contains("DAT_MT_") {
            found.push((Format::HistData, Kind::Delimited(layout.clone())));
        }
        found.push((Format::MetaTrader, Kind::Delimited(layout)));
    }
    Ok(found)
}

fn delimiter_of(line: &str) -> u8 {
    let count = |delimiter: u8| line.bytes().filter(|byte| *byte == delimiter).count();
    [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|delimiter| (count(*delimiter), *delimiter == b','))
        .unwrap_or(b',')
}

pub(crate) fn unquote(field: &str) -> &str {
    let field = field.trim();
    field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(field)
}

/// Whether the fields are names: one of them says what a price is.
fn is_header(fields: &[&str]) -> bool {
    fields.iter().any(|field| {
        let name = normal(field);
        ["open", "close", "bid", "ask"].iter().any(|part| name.contains(part)) || name == "o" || name == "c"
    })
}

/// A column's name in lower case, words joined by `_`, without the `<…>` of MetaTrader.
fn normal(field: &str) -> String {
    let field = unquote(field).trim_start_matches('<').trim_end_matches('>');
    field.trim().to_ascii_lowercase().replace([' ', '-', '.'], "_")
}

const TIME_NAMES: [&str; 15] = [
    "",
    "timestamp",
    "datetime",
    "date_time",
    "gmt_time",
    "local_time",
    "time_utc",
    "timestamp_utc",
    "utc",
    "utc_time",
    "open_time",
    "opentime",
    "date_utc",
    "unix",
    "ts",
];
/// Names of volume columns, the best first.
pub(crate) const VOLUME_NAMES: [&str; 7] =
    ["tickvol", "tick_volume", "tickvolume", "volume", "vol", "v", "ticks"];

/// Whether a column's name is one of a time.
pub(crate) fn is_time_name(name: &str) -> bool {
    TIME_NAMES.contains(&name) || ["time", "date", "__index_level_0__"].contains(&name)
}

/// The first of the `wanted` names that a column has.
pub(crate) fn find(names: &[String], wanted: &[&str]) -> Option<usize> {
    wanted.iter().find_map(|name| names.iter().position(|have| have == name))
}

/// Where the time stands, by the columns' names.
pub(crate) fn time_columns(names: &[String]) -> Option<TimeColumns> {
    let (date, clock) = (find(names, &["date", "day"]), find(names, &["time", "hour"]));
    match (find(names, &TIME_NAMES), date, clock) {
        (None, Some(date), Some(clock)) => Some(TimeColumns::DateAndClock(date, clock)),
        (Some(time), _, _) | (None, Some(time), None) | (None, None, Some(time)) => {
            Some(TimeColumns::One(time))
        }
        (None, None, None) => None,
    }
}

fn with_header(delimiter: u8, fields: &[&str]) -> Option<(Format, Kind)> {
    let names: Vec<String> = fields.iter().map(|field| normal(field)).collect();
    let format = if fields.iter().any(|field| field.trim().starts_with('<')) {
        Format::MetaTrader
    } else if names.iter().any(|name| name == "gmt_time" || name == "local_time") {
        Format::Dukascopy
    } else {
        Format::Csv
    };
    let Some(BarColumns { side, bid, ask }) = bar_columns(&names) else {
        return Some((format, Kind::Delimited(quotes::with_header(&names, delimiter, format)?)));
    };
    let layout = Layout {
        delimiter,
        header: true,
        time: time_columns(&names)?,
        prices: PriceColumns::Bars { bid, ask },
        volume: find(&names, &VOLUME_NAMES),
        spread: find(&names, &["spread"]),
        spread_unit: None,
        side,
        pair: None,
    };
    Some((format, Kind::Delimited(layout)))
}

/// Where the prices of bars stand.
pub(crate) struct BarColumns {
    /// The one side that the names tell; none when they name none, or both.
    pub(crate) side: Option<QuoteSide>,
    /// Open, high, low, close of the bid or the only side.
    pub(crate) bid: [usize; 4],
    pub(crate) ask: Option<[usize; 4]>,
}

/// The columns of bars by their names; none when no side is complete.
pub(crate) fn bar_columns(names: &[String]) -> Option<BarColumns> {
    let plain = side_columns(names, "");
    let [bid, ask, mid] = ["bid", "ask", "mid"].map(|side| side_columns(names, side));
    let (side, bid, ask) = match (bid, ask, plain, mid) {
        (Some(bid), Some(ask), _, _) => (None, bid, Some(ask)),
        (Some(bid), None, _, _) => (Some(QuoteSide::Bid), bid, None),
        (None, Some(ask), _, _) => (Some(QuoteSide::Ask), ask, None),
        (None, None, Some(plain), _) => (None, plain, None),
        (None, None, None, Some(mid)) => (Some(QuoteSide::Mid), mid, None),
        (None, None, None, None) => return None,
    };
    Some(BarColumns { side, bid, ask })
}

/// Open, high, low and close of a side by the usual spellings; `side` is empty for columns that name none.
fn side_columns(names: &[String], side: &str) -> Option<[usize; 4]> {
    let column = |long: &str, short: &str| {
        names.iter().position(|name| {
            if side.is_empty() {
                return name == long || name == short;
            }
            let rest = name.strip_prefix(side).map(|rest| rest.strip_prefix('_').unwrap_or(rest));
            let front = name.strip_suffix(side).map(|front| front.strip_suffix('_').unwrap_or(front));
            [rest, front].into_iter().flatten().any(|part| part == long || part == short)
        })
    };
    Some([column("open", "o")?, column("high", "h")?, column("low", "l")?, column("close", "c")?])
}

pub(crate) fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(crate) fn is_millis_of_day(text: &str) -> bool {
    text.parse::<u32>().is_ok_and(|millis| millis < 86_400_000)
}

pub(crate) fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Time, bid OHLC, size, ask OHLC, size.
const LEAN_COLUMNS: usize = 11;

fn lean(fields: &[&str]) -> Option<Layout> {
    let (day, clock) = fields.first()?.split_once(' ')?;
    let matches = fields.len() == LEAN_COLUMNS && is_digits(day, 8) && clock.contains(':');
    matches.then(|| quote_bars(TimeColumns::One(0)))
}

const fn quote_bars(time: TimeColumns) -> Layout {
    Layout {
        delimiter: b',',
        header: false,
        time,
        prices: PriceColumns::Bars { bid: [1, 2, 3, 4], ask: Some([6, 7, 8, 9]) },
        volume: Some(5),
        spread: None,
        spread_unit: None,
        side: None,
        pair: None,
    }
}

fn lean_minute(outer: &str, member: &str, fields: &[&str]) -> Result<Option<Layout>, Error> {
    if fields.len() != LEAN_COLUMNS || !fields.first().is_some_and(|time| is_millis_of_day(time)) {
        return Ok(None);
    }
    Ok(Some(quote_bars(TimeColumns::MillisOfDay(date_of_name(outer, member, Format::LeanMinute)?))))
}

/// The day that the name of a member or of its archive begins with.
pub(crate) fn date_of_name(outer: &str, member: &str, format: Format) -> Result<Date, Error> {
    let date = |name: &str| stamp::parse_date(name.get(..8).filter(|day| is_digits(day, 8))?);
    date(member).or_else(|| date(outer)).ok_or_else(|| Error::Structure {
        file: outer.to_owned(),
        format,
        reason: "the name must begin with the day, as in 20140501_quote.zip".to_owned(),
    })
}

/// `YYYYMMDD HHMMSS`, open, high, low, close, volume.
fn histdata(delimiter: u8, fields: &[&str]) -> Option<Layout> {
    let (day, clock) = fields.first()?.split_once(' ')?;
    let matches = fields.len() == 6 && is_digits(day, 8) && is_digits(clock, 6);
    matches.then_some(Layout {
        delimiter,
        header: false,
        time: TimeColumns::One(0),
        prices: PriceColumns::Bars { bid: [1, 2, 3, 4], ask: None },
        volume: Some(5),
        spread: None,
        spread_unit: None,
        side: None,
        pair: None,
    })
}

/// `YYYY.MM.DD`, `HH:MM`, open, high, low, close, volume.
fn metatrader(delimiter: u8, fields: &[&str]) -> Option<Layout> {
    let (day, clock) = (fields.first()?, fields.get(1)?);
    let matches = (6..=9).contains(&fields.len())
        && day.contains('.')
        && clock.contains(':')
        && stamp::parse_date(day).is_some();
    matches.then_some(Layout {
        delimiter,
        header: false,
        time: TimeColumns::DateAndClock(0, 1),
        prices: PriceColumns::Bars { bid: [2, 3, 4, 5], ask: None },
        volume: (fields.len() > 6).then_some(6),
        // Date, time, prices, tick volume, volume, spread.
        spread: (fields.len() == 9).then_some(8),
        spread_unit: None,
        side: None,
        pair: None,
    })
}
