//! Returns by month.

use crate::sampling::Periods;
use fx_domain::{Granularity, UnixNanos};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Takes percent by UTC month of the bars' closes; the first month's from the initial capital, so that the months
/// compound to the run's return. From equity at or below zero on, months are left out: a return of nothing is undefined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MonthlyReturns {
    /// A month is looked up once a day.
    days: Periods,
    month: Option<(i16, i8)>,
    /// Equity at the end of the month before; the initial capital before the first.
    before: i64,
    /// The last point, which ends its month if the next one begins another.
    last: i64,
    returns: BTreeMap<String, f64>,
}

impl MonthlyReturns {
    pub(crate) const fn new(initial_micros: i64, granularity: Granularity) -> Self {
        Self {
            days: Periods::closed(granularity),
            month: None,
            before: initial_micros,
            last: initial_micros,
            returns: BTreeMap::new(),
        }
    }

    pub(crate) fn points(&mut self, times: &[UnixNanos], micros: &[i64]) {
        let mut next = 0;
        while next < times.len() {
            if self.days.begins(times[next]) {
                let month = Some(self.days.instant(times[next]).year_month());
                if month != self.month {
                    self.end_month();
                    self.month = month;
                }
            }
            next += self.days.within(&times[next..]);
            self.last = micros[next - 1];
        }
    }

    fn end_month(&mut self) {
        if let Some((year, month)) = self.month.filter(|_| self.before > 0) {
            let change = (self.last as f64 / self.before as f64 - 1.0) * 100.0;
            self.returns.insert(format!("{year:04}-{month:02}"), change);
            self.before = self.last;
        }
    }

    /// By `YYYY-MM`.
    pub(crate) fn finish(mut self) -> BTreeMap<String, f64> {
        self.end_month();
        self.returns
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // the values are exact
mod tests {
    use super::*;
    use fx_domain::NANOS_PER_HOUR;

    fn months(times: &[UnixNanos], micros: &[i64], granularity: Granularity) -> Vec<(String, f64)> {
        let mut months = MonthlyReturns::new(100, granularity);
        months.points(times, micros);
        months.finish().into_iter().collect()
    }

    #[test]
    fn a_bar_that_closes_at_midnight_ends_its_month_and_a_quote_at_midnight_begins_one() {
        let start = UnixNanos::parse("2024-01-31T22:00:00Z").unwrap();
        let times: Vec<_> = (0..4).map(|hour| start.plus_nanos(hour * NANOS_PER_HOUR)).collect();
        let expected = [("2024-01".to_owned(), 50.0), ("2024-02".to_owned(), 100.0)];
        assert_eq!(months(&times, &[1, 150, 2, 300], Granularity::H1), expected);
        assert_eq!(months(&times, &[1, 150, 2, 300], Granularity::Tick), expected);
        // A week closes on Friday.
        let week = [UnixNanos::parse("2024-05-26T21:00:00Z").unwrap()];
        assert_eq!(months(&week, &[150], Granularity::W1), [("2024-05".to_owned(), 50.0)]);
    }

    #[test]
    fn months_after_the_account_reached_zero_are_left_out() {
        let times = ["2024-01-10", "2024-02-10", "2024-03-10"].map(|day| UnixNanos::parse(day).unwrap());
        assert_eq!(
            months(&times, &[200, 0, 50], Granularity::D1),
            [("2024-01".to_owned(), 100.0), ("2024-02".to_owned(), -100.0)]
        );
    }
}
