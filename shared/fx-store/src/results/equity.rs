//! Equity: `time`, the open of the bar, and `equity` at its close.

use super::MONEY;
use crate::Error;
use crate::table::{Columns, Meaning, Table, Values};
use fx_domain::{Currency, EquityCurve, UnixNanos};

/// A point of the curve: when its bar opened, and millionths of the account currency.
pub(super) type Point = (UnixNanos, i64);

pub(super) fn columns(points: &[Point]) -> Columns {
    vec![
        ("time", Values::Integer(Meaning::Timestamp, points.iter().map(|(time, _)| time.get()).collect())),
        ("equity", Values::Integer(MONEY, points.iter().map(|(_, micros)| *micros).collect())),
    ]
}

pub(super) fn decode(table: &Table) -> Result<Vec<Point>, Error> {
    let times = table.integers("time")?.into_iter().map(UnixNanos::new);
    Ok(times.zip(table.integers("equity")?).collect())
}

pub(super) fn points(curve: &EquityCurve) -> Vec<Point> {
    curve.times.iter().copied().zip(curve.micros.iter().copied()).collect()
}

pub(super) fn curve(points: Vec<Point>, currency: Currency) -> EquityCurve {
    let (times, micros) = points.into_iter().unzip();
    EquityCurve { times, micros, currency }
}
