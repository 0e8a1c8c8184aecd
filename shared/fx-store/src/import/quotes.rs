//! Which columns a file of quote ticks has.

use crate::Error;
use crate::import::Format;
use crate::import::delimited::{EmptyPrice, Layout, PairColumn, PriceColumns, TimeColumns};
use crate::import::detect::{date_of_name, find, is_digits, is_millis_of_day, is_number, time_columns};
use crate::import::stamp;

const BID_NAMES: [&str; 3] = ["bid", "bid_price", "bidprice"];
const ASK_NAMES: [&str; 3] = ["ask", "ask_price", "askprice"];

/// The columns of bid and ask, by their names.
pub(crate) fn quote_columns(names: &[String]) -> Option<(usize, usize)> {
    Some((find(names, &BID_NAMES)?, find(names, &ASK_NAMES)?))
}

/// Quotes under a header. MetaTrader leaves a price empty that did not change since the row before.
pub(crate) fn with_header(names: &[String], delimiter: u8, format: Format) -> Option<Layout> {
    let (bid, ask) = quote_columns(names)?;
    let empty = if format == Format::MetaTrader { EmptyPrice::AsBefore } else { EmptyPrice::Bad };
    Some(Layout {
        delimiter,
        header: true,
        time: time_columns(names)?,
        prices: PriceColumns::Quotes { bid, ask, empty },
        volume: None,
        spread: None,
        spread_unit: None,
        side: None,
        pair: None,
    })
}

/// Quotes without a header, by the form of the first line.
pub(crate) fn headerless(
    outer: &str,
    member: &str,
    delimiter: u8,
    fields: &[&str],
) -> Result<Option<(Format, Layout)>, Error> {
    let prices = |bid: &str, ask: &str| is_number(bid) && is_number(ask);
    let layout = |time, bid| Layout {
        delimiter,
        header: false,
        time,
        prices: PriceColumns::Quotes { bid, ask: bid + 1, empty: EmptyPrice::Bad },
        volume: None,
        spread: None,
        spread_unit: None,
        side: None,
        pair: None,
    };
    Ok(match fields {
        [time, bid, ask] if is_millis_of_day(time) && prices(bid, ask) => {
            let date = date_of_name(outer, member, Format::LeanTick)?;
            Some((Format::LeanTick, layout(TimeColumns::MillisOfDay(date), 1)))
        }
        [time, bid, ask, _] if is_histdata_stamp(time) && prices(bid, ask) => {
            Some((Format::HistData, layout(TimeColumns::One(0), 1)))
        }
        [pair, time, bid, ask] if pair.contains('/') && stamp::parse(time).is_some() && prices(bid, ask) => {
            let pair = Some(PairColumn { column: 0, text: (*pair).to_owned() });
            Some((Format::TrueFx, Layout { pair, ..layout(TimeColumns::One(1), 2) }))
        }
        [time, bid, ask] if stamp::parse(time).is_some() && prices(bid, ask) => {
            Some((Format::Csv, layout(TimeColumns::One(0), 1)))
        }
        _ => None,
    })
}

/// `YYYYMMDD HHMMSSmmm`.
fn is_histdata_stamp(time: &str) -> bool {
    time.split_once(' ').is_some_and(|(day, clock)| is_digits(day, 8) && is_digits(clock, 9))
}
