//! Lines of delimited fields: every vendor's text, of bars or of quotes, is one [`Layout`] of this one reader.

use crate::Error;
use crate::import::detect::unquote;
use crate::import::source::RunLimit;
use crate::import::stamp::{self, Stamp, Times};
use crate::import::{Flow, Notes, Row, Sink};
use fx_domain::{Bar, Ohlc, Price, QuoteSide, UnixNanos, div_half_even, f64_to_i64_half_even};
use jiff::civil::Date;
use std::io::{BufRead, BufReader, Read};

/// Where the time of a row stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TimeColumns {
    /// In one column.
    One(usize),
    /// Date and time of day in two.
    DateAndClock(usize, usize),
    /// Milliseconds since this day's midnight, in the first.
    MillisOfDay(Date),
}

/// Where the prices of a row stand.
#[derive(Clone, Debug)]
pub(crate) enum PriceColumns {
    /// Open, high, low, close of the bid or the only side, and of the ask where both are there.
    Bars { bid: [usize; 4], ask: Option<[usize; 4]> },
    /// One price of each side.
    Quotes { bid: usize, ask: usize, empty: EmptyPrice },
}

/// What an empty price of a quote is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmptyPrice {
    /// A fault.
    Bad,
    /// The price of the row before: only the other side has changed.
    AsBefore,
}

/// A column that names the pair, and the pair of the first row.
#[derive(Clone, Debug)]
pub(crate) struct PairColumn {
    pub(crate) column: usize,
    pub(crate) text: String,
}

/// Which column is what.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) delimiter: u8,
    pub(crate) header: bool,
    pub(crate) time: TimeColumns,
    pub(crate) prices: PriceColumns,
    pub(crate) volume: Option<usize>,
    /// Where a one-sided row tells its spread.
    pub(crate) spread: Option<usize>,
    /// What one in that column is worth; the column is not read without it.
    pub(crate) spread_unit: Option<Price>,
    /// The side that the columns' names tell, when there is one.
    pub(crate) side: Option<QuoteSide>,
    /// Where rows name their pair.
    pub(crate) pair: Option<PairColumn>,
}

/// Names of the price columns in messages.
pub(crate) const PRICE_NAMES: [&str; 4] = ["open", "high", "low", "close"];

/// Bytes read at once.
const BUFFER_BYTES: usize = 256 * 1024;
/// Characters of a field that a message shows.
const SHOWN_MAX: usize = 40;

pub(crate) fn read(
    file: &str,
    layout: &Layout,
    stream: &mut dyn Read,
    times: &mut Times,
    notes: &mut Notes,
    sink: &mut Sink<'_>,
) -> Result<(), Error> {
    // A line is a row: no vendor breaks one inside of quotes, and honouring quotes would let a stray one join lines.
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, RunLimit::new(stream, b'\n'));
    let mut header = layout.header;
    let mut before = Before::default();
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes).map_err(|error| Error::io(file, error))? == 0 {
            break;
        }
        if bytes.trim_ascii_end().is_empty() || std::mem::take(&mut header) {
            continue;
        }
        // Only the line's end is cut off: a tab before it is an empty field behind it.
        let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let record = Fields(text.split(|byte| *byte == layout.delimiter).collect());
        let parsed = parse(layout, &record, times, &mut before, notes);
        if sink(Row { line, parsed })? == Flow::Stop {
            break;
        }
    }
    Ok(())
}

/// The fields of one line.
struct Fields<'a>(Vec<&'a [u8]>);

/// The prices of the quote before.
#[derive(Default)]
struct Before {
    bid: Option<Price>,
    ask: Option<Price>,
}

fn parse(
    layout: &Layout,
    record: &Fields<'_>,
    times: &mut Times,
    before: &mut Before,
    notes: &mut Notes,
) -> Result<Bar, String> {
    let time = times.instant(read_stamp(layout, record)?)?;
    if let Some(PairColumn { column, text }) = &layout.pair {
        let found = field(record, *column, "", "pair")?;
        if found != text {
            return Err(format!("pair: the row is of `{}`, not of `{text}`", shown(found)));
        }
    }
    let (bid, ask) = match &layout.prices {
        PriceColumns::Bars { bid, ask: Some(ask) } => {
            let bid = read_side(record, bid, "bid ", notes)?;
            (bid, Some(read_side(record, ask, "ask ", notes)?))
        }
        PriceColumns::Bars { bid, ask: None } => {
            let bid = read_side(record, bid, "", notes)?;
            let ask = layout.spread.zip(layout.spread_unit).map(|(column, unit)| {
                let spread = read_spread(field(record, column, "", "spread")?, unit)?;
                let above =
                    |price: Price| price.checked_add(spread).ok_or("spread: the ask does not fit a price");
                let (open, high) = (above(bid.open)?, above(bid.high)?);
                Ok::<_, String>(Ohlc { open, high, low: above(bid.low)?, close: above(bid.close)? })
            });
            (bid, ask.transpose()?)
        }
        PriceColumns::Quotes { bid, ask, empty } => {
            return read_quote(record, [*bid, *ask], *empty, time, before, notes);
        }
    };
    let volume = match layout.volume {
        Some(column) => read_volume(field(record, column, "", "volume")?, notes)?,
        None => 0,
    };
    Ok(Bar { time, bid, ask, volume })
}

fn read_quote(
    record: &Fields<'_>,
    [bid, ask]: [usize; 2],
    empty: EmptyPrice,
    time: UnixNanos,
    before: &mut Before,
    notes: &mut Notes,
) -> Result<Bar, String> {
    let (bid, ask) = (field(record, bid, "", "bid")?, field(record, ask, "", "ask")?);
    if empty == EmptyPrice::AsBefore && bid.is_empty() && ask.is_empty() {
        return Err("the row has neither a bid nor an ask".to_owned());
    }
    let mut price = |text: &str, name: &str, before: &mut Option<Price>| -> Result<Price, String> {
        if empty == EmptyPrice::AsBefore && text.is_empty() {
            return before.ok_or_else(|| format!("{name}: empty, and no row before has one"));
        }
        let price =
            parse_price(text, notes).map_err(|reason| format!("{name}: `{}` {reason}", shown(text)))?;
        *before = Some(price);
        Ok(price)
    };
    // Both are read before either is judged: an empty price of the next row is this row's.
    let (bid, ask) = (price(bid, "bid", &mut before.bid), price(ask, "ask", &mut before.ask));
    Ok(Bar::tick(time, bid?, ask?))
}

fn read_stamp(layout: &Layout, record: &Fields<'_>) -> Result<Stamp, String> {
    let (text, stamp) = match layout.time {
        TimeColumns::One(column) => {
            let text = field(record, column, "", "time")?;
            (text, stamp::parse(text))
        }
        TimeColumns::DateAndClock(date, clock) => {
            let (date, clock) = (field(record, date, "", "date")?, field(record, clock, "", "time")?);
            (date, stamp::parse_date_time(date, clock))
        }
        TimeColumns::MillisOfDay(date) => {
            let text = field(record, 0, "", "time")?;
            (text, text.parse().ok().and_then(|millis| stamp::millis_of_day(date, millis)))
        }
    };
    stamp.ok_or_else(|| format!("time: `{}` is not a time of this format", shown(text)))
}

fn read_side(
    record: &Fields<'_>,
    columns: &[usize; 4],
    side: &str,
    notes: &mut Notes,
) -> Result<Ohlc, String> {
    let mut prices = [Price::ZERO; 4];
    for ((price, column), name) in prices.iter_mut().zip(columns).zip(PRICE_NAMES) {
        let text = field(record, *column, side, name)?;
        *price =
            parse_price(text, notes).map_err(|reason| format!("{side}{name}: `{}` {reason}", shown(text)))?;
    }
    let [open, high, low, close] = prices;
    Ok(Ohlc { open, high, low, close })
}

/// How far the ask stands above the bid, rounded half to even at 1e-9.
fn read_spread(text: &str, unit: Price) -> Result<Price, String> {
    let wrong = |reason| format!("spread: `{}` {reason}", shown(text));
    let count = Price::parse(text).ok_or_else(|| wrong("is not a plain decimal"))?;
    if count < Price::ZERO {
        return Err(wrong("is below zero"));
    }
    let nanos = i128::from(count.nanos()) * i128::from(unit.nanos());
    let nanos = i64::try_from(div_half_even(nanos, i128::from(Price::SCALE)));
    nanos.map(Price::from_nanos).map_err(|_| wrong("does not fit a price"))
}

fn field<'a>(record: &Fields<'a>, column: usize, side: &str, name: &str) -> Result<&'a str, String> {
    let bytes = record.0.get(column).copied().ok_or_else(|| {
        format!("{side}{name}: the row has {} fields, column {} is missing", record.0.len(), column + 1)
    })?;
    std::str::from_utf8(bytes).map(unquote).map_err(|_| format!("{side}{name}: not UTF-8"))
}

pub(crate) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_MAX).collect()
}

/// A decimal price. With more than nine decimals (a binary float that was printed) it is rounded to the nearest
/// billionth and noted.
pub(crate) fn parse_price(text: &str, notes: &mut Notes) -> Result<Price, &'static str> {
    if let Some(price) = Price::parse(text) {
        return Ok(price);
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'));
    let value: f64 = text.parse().map_err(|_| "is not a number")?;
    if !value.is_finite() {
        return Err("is not finite");
    }
    let price = Price::from_f64(value).filter(|_| plain).ok_or(if plain {
        "does not fit a price"
    } else {
        "is not a plain decimal"
    })?;
    notes.rounded_prices += 1;
    Ok(price)
}

/// A volume; fractions are rounded half to even and noted. An empty field is 0.
fn read_volume(text: &str, notes: &mut Notes) -> Result<i64, String> {
    if text.is_empty() {
        return Ok(0);
    }
    if let Ok(volume) = text.parse() {
        return Ok(volume);
    }
    let value: Option<f64> = text.parse().ok();
    let volume = value.and_then(|value| whole_volume(value, notes));
    volume.ok_or_else(|| format!("volume: `{}` is not a volume", shown(text)))
}

/// The nearest whole volume; `None` when it is not finite or does not fit.
pub(crate) fn whole_volume(value: f64, notes: &mut Notes) -> Option<i64> {
    let volume = f64_to_i64_half_even(value)?;
    if value.fract().abs() > 0.0 {
        notes.rounded_volumes += 1;
    }
    Some(volume)
}
