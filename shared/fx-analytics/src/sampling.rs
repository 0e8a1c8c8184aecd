//! Which trading day, calendar day and month a bar's close belongs to.
//!
//! A point of equity is stamped by its bar's open and holds the equity at the bar's close. A close that falls on a
//! boundary belongs to what ends there, so the instant looked up is one nanosecond before the close. A quote closes
//! nothing: it belongs to what its own instant is in, at a boundary to what begins there.

use fx_domain::{Granularity, NANOS_PER_DAY, UnixNanos};
use serde::{Deserialize, Serialize};

/// Days from the open of a week (Sunday 17:00 New York) to its last close (Friday 17:00).
const WEEK_CLOSE_DAYS: i64 = 5;

/// Nanoseconds from the open of a bar to the last instant inside it; none of a quote.
const fn reach(granularity: Granularity) -> i64 {
    match granularity {
        Granularity::Tick => 0,
        Granularity::W1 => WEEK_CLOSE_DAYS * NANOS_PER_DAY - 1,
        shorter => shorter.nominal_nanos() - 1,
    }
}

/// When the equity of the bar that opens at `open` was taken: its close, as a page draws it.
pub(crate) const fn close_of(open: UnixNanos, granularity: Granularity) -> UnixNanos {
    open.plus_nanos(reach(granularity)).plus_nanos(1)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Bars,
    TradingDays,
    Days,
    Weeks,
}

/// The periods that the points of a run fall into. Costs one look-up per period, not per bar: a period's end is kept
/// until an instant passes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Periods {
    kind: Kind,
    reach: i64,
    end: Option<UnixNanos>,
}

impl Periods {
    const fn new(kind: Kind, reach: i64) -> Self {
        Self { kind, reach, end: None }
    }

    /// Trading days (ending 17:00 New York). A daily bar is a day by itself whatever its anchor, a weekly bar a week.
    pub(crate) const fn trading_days(granularity: Granularity) -> Self {
        let kind = match granularity {
            Granularity::D1 | Granularity::W1 => Kind::Bars,
            _ => Kind::TradingDays,
        };
        Self::new(kind, reach(granularity))
    }

    /// UTC calendar days by the bars' stamps; of weekly bars the weeks ending Sunday. This is how backtesting.py
    /// resamples.
    pub(crate) const fn stamped(granularity: Granularity) -> Self {
        match granularity {
            Granularity::W1 => Self::new(Kind::Weeks, 0),
            _ => Self::new(Kind::Days, 0),
        }
    }

    /// UTC calendar days by the bars' closes.
    pub(crate) const fn closed(granularity: Granularity) -> Self {
        Self::new(Kind::Days, reach(granularity))
    }

    /// The instant by which a point belongs to its period.
    pub(crate) const fn instant(&self, open: UnixNanos) -> UnixNanos {
        open.plus_nanos(self.reach)
    }

    /// How many points from the first on, of points in order, belong to its period: it is one of them.
    pub(crate) fn within(&self, times: &[UnixNanos]) -> usize {
        self.end.map_or(1, |end| times.partition_point(|open| self.instant(*open) < end).max(1))
    }

    /// Goes on to the point of the bar that opens at `open`: whether it is the first of a period.
    #[inline]
    pub(crate) fn begins(&mut self, open: UnixNanos) -> bool {
        let instant = self.instant(open);
        if self.end.is_some_and(|end| instant < end) {
            return false;
        }
        let after = |length: i64, offset: i64| {
            let into = instant.get().saturating_add(offset).rem_euclid(length);
            instant.plus_nanos(length - into)
        };
        self.end = match self.kind {
            Kind::Bars => None,
            Kind::TradingDays => Some(instant.next_rollover()),
            Kind::Days => Some(after(NANOS_PER_DAY, 0)),
            Kind::Weeks => Some(after(7 * NANOS_PER_DAY, MONDAY_OFFSET_DAYS * NANOS_PER_DAY)),
        };
        true
    }
}

/// 1970-01-01 was a Thursday, the fourth day of its week.
const MONDAY_OFFSET_DAYS: i64 = 3;

/// Whether a stamp lies on a Saturday or Sunday, UTC.
pub(crate) const fn on_weekend(time: UnixNanos) -> bool {
    weekday(time) >= 5
}

/// The day of the week of a stamp, Monday 0, UTC.
const fn weekday(time: UnixNanos) -> i64 {
    (time.get().div_euclid(NANOS_PER_DAY) + MONDAY_OFFSET_DAYS).rem_euclid(7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fx_domain::NANOS_PER_HOUR;

    fn hours(from: &str, count: i64) -> Vec<UnixNanos> {
        let start = UnixNanos::parse(from).unwrap();
        (0..count).map(|hour| start.plus_nanos(hour * NANOS_PER_HOUR)).collect()
    }

    /// The last index of each period.
    fn lasts(mut periods: Periods, times: &[UnixNanos]) -> Vec<usize> {
        let (mut lasts, mut next) = (Vec::new(), 0);
        while next < times.len() {
            assert!(periods.begins(times[next]));
            next += periods.within(&times[next..]);
            lasts.push(next - 1);
        }
        lasts
    }

    fn trading_days(times: &[UnixNanos], granularity: Granularity) -> Vec<usize> {
        lasts(Periods::trading_days(granularity), times)
    }

    #[test]
    fn a_bar_that_closes_at_the_rollover_belongs_to_the_day_that_ends_there() {
        // Winter: 22:00Z. The bar of 21:00 closes the day, the bar of 22:00 opens the next.
        let times = hours("2024-01-10T20:00:00Z", 4);
        assert_eq!(trading_days(&times, Granularity::H1), [1, 3]);
        // Summer: 21:00Z.
        let times = hours("2024-07-10T19:00:00Z", 4);
        assert_eq!(trading_days(&times, Granularity::H1), [1, 3]);
    }

    #[test]
    fn the_days_found_are_those_of_a_look_up_per_bar() {
        for start in ["2024-03-07T00:00:00Z", "2024-10-31T00:00:00Z"] {
            let times = hours(start, 200);
            let days = Periods::trading_days(Granularity::H1);
            let day = |index: usize| days.instant(times[index]).trading_day();
            let slow: Vec<usize> =
                (0..times.len()).filter(|i| i + 1 == times.len() || day(*i) != day(i + 1)).collect();
            assert_eq!(trading_days(&times, Granularity::H1), slow);
        }
    }

    #[test]
    fn a_quote_belongs_to_the_day_of_its_instant_and_the_last_of_several_closes_it() {
        let at = |text| UnixNanos::parse(text).unwrap();
        let times = ["2024-01-31T21:59:59.999Z", "2024-01-31T22:00:00Z", "2024-01-31T22:00:00Z"].map(at);
        assert_eq!(trading_days(&times, Granularity::Tick), [0, 2]);
        let times = ["2024-01-31T23:59:59Z", "2024-01-31T23:59:59Z", "2024-02-01T00:00:00Z"].map(at);
        assert_eq!(trading_days(&times, Granularity::Tick), [2]);
        assert_eq!(lasts(Periods::stamped(Granularity::Tick), &times), [1, 2]);
        assert_eq!(lasts(Periods::closed(Granularity::Tick), &times), [1, 2]);
    }

    #[test]
    fn stamped_weeks_end_on_sundays_and_daily_bars_are_days_of_their_own() {
        let sundays: Vec<UnixNanos> = (0..3)
            .map(|week| {
                UnixNanos::parse("2024-05-26T21:00:00Z").unwrap().plus_nanos(week * 7 * NANOS_PER_DAY)
            })
            .collect();
        assert_eq!(lasts(Periods::stamped(Granularity::W1), &sundays), [0, 1, 2]);
        let same = [sundays[0]; 3];
        assert_eq!(trading_days(&same, Granularity::D1), [0, 1, 2]);
        assert_eq!(lasts(Periods::stamped(Granularity::D1), &same), [2]);
    }

    #[test]
    fn the_epoch_was_a_thursday() {
        assert_eq!(weekday(UnixNanos::new(0)), 3);
        assert_eq!(weekday(UnixNanos::new(-1)), 2);
        assert_eq!(weekday(UnixNanos::parse("2024-03-10").unwrap()), 6);
    }
}
