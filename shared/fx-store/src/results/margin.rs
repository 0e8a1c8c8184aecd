//! The account's margin.
//!
//! | column | holds |
//! | --- | --- |
//! | `time` | open of the bar |
//! | `cause` | `fill`, `rollover`, `margin_call` or `stop_out` |
//! | `equity` | balance and open gain |
//! | `used_margin` | margin that the open positions hold |
//!
//! The account currency stands in the file's key-value pairs, as for equity.

use super::{MONEY, integers, named, texts};
use crate::Error;
use crate::table::{Columns, Meaning, Table};
use fx_app::records::{MarginCause, MarginPoint};
use fx_domain::UnixNanos;

pub(super) fn columns(points: &[MarginPoint]) -> Columns {
    vec![
        ("time", integers(points, Meaning::Timestamp, |point| point.time.get())),
        ("cause", texts(points, |point| name(point.cause))),
        ("equity", integers(points, MONEY, |point| point.equity_micros)),
        ("used_margin", integers(points, MONEY, |point| point.used_micros)),
    ]
}

pub(super) fn decode(table: &Table) -> Result<Vec<MarginPoint>, Error> {
    let (times, causes) = (table.integers("time")?, table.texts("cause")?);
    let (equities, used) = (table.integers("equity")?, table.integers("used_margin")?);
    let point = |row: usize| -> Result<MarginPoint, Error> {
        Ok(MarginPoint {
            time: UnixNanos::new(times[row]),
            cause: named(&causes[row])?,
            equity_micros: equities[row],
            used_micros: used[row],
        })
    };
    (0..table.rows()).map(point).collect()
}

const fn name(cause: MarginCause) -> &'static str {
    match cause {
        MarginCause::Fill => "fill",
        MarginCause::Rollover => "rollover",
        MarginCause::MarginCall => "margin_call",
        MarginCause::StopOut => "stop_out",
    }
}
