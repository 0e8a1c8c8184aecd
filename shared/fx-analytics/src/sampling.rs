//! Which trading day, calendar day and month a bar's close belongs to.
//!
//! A point of equity is stamped by its bar's open and holds the equity at the bar's close. A close that falls on a
//! boundary belongs to what ends there, so the instant looked up is one nanosecond before the close. A quote closes
//! nothing: it belongs to what its own instant is in, at a boundary to what begins there.

use fx_domain::{Granularity, NANOS_PER_DAY, UnixNanos};

/// Days from the open of a week (Sunday 17:00 New York) to its last close (Friday 17:00).
const WEEK_CLOSE_DAYS: i64 = 5;

/// The last instant inside the bar that opens at `open`; the instant of a quote.
pub(crate) fn last_instant(open: UnixNanos, granularity: Granularity) -> UnixNanos {
    let length = match granularity {
        Granularity::Tick => return open,
        Granularity::W1 => WEEK_CLOSE_DAYS * NANOS_PER_DAY,
        shorter => shorter.nominal_nanos(),
    };
    open.plus_nanos(length - 1)
}

/// The last index of each period, `period_end` telling where the period of an instant ends (exclusive). Costs one
/// look-up per period, not per bar: the end is kept until an instant passes it.
fn last_of_each(
    instants: impl Iterator<Item = UnixNanos>,
    period_end: impl Fn(UnixNanos) -> UnixNanos,
) -> Vec<usize> {
    let mut lasts = Vec::new();
    let mut end: Option<UnixNanos> = None;
    let mut previous = None;
    for (index, instant) in instants.enumerate() {
        if end.is_none_or(|end| instant >= end) {
            lasts.extend(previous);
            end = Some(period_end(instant));
        }
        previous = Some(index);
    }
    lasts.extend(previous);
    lasts
}

/// The last bar of each trading day (ending 17:00 New York). A daily bar is a day by itself whatever its anchor, a
/// weekly bar a week.
pub(crate) fn trading_days(times: &[UnixNanos], granularity: Granularity) -> Vec<usize> {
    match granularity {
        Granularity::D1 | Granularity::W1 => (0..times.len()).collect(),
        _ => {
            last_of_each(times.iter().map(|time| last_instant(*time, granularity)), UnixNanos::next_rollover)
        }
    }
}

/// The last bar of each UTC calendar day, by the bars' stamps; of each week ending Sunday for weekly bars. This is how
/// backtesting.py resamples.
pub(crate) fn calendar_periods(times: &[UnixNanos], granularity: Granularity) -> Vec<usize> {
    let (length, offset) = match granularity {
        Granularity::W1 => (7, MONDAY_OFFSET_DAYS),
        _ => (1, 0),
    };
    let (length, offset) = (length * NANOS_PER_DAY, offset * NANOS_PER_DAY);
    last_of_each(times.iter().copied(), |time| {
        let into = time.get().saturating_add(offset).rem_euclid(length);
        time.plus_nanos(length - into)
    })
}

/// 1970-01-01 was a Thursday, the fourth day of its week.
const MONDAY_OFFSET_DAYS: i64 = 3;

/// The day of the week of a stamp, Monday 0, UTC.
pub(crate) fn weekday(time: UnixNanos) -> i64 {
    (time.get().div_euclid(NANOS_PER_DAY) + MONDAY_OFFSET_DAYS).rem_euclid(7)
}

/// The last bar of each UTC month, by the bars' closes, with year and month.
pub(crate) fn months(times: &[UnixNanos], granularity: Granularity) -> Vec<((i16, i8), usize)> {
    let day_end = |time: UnixNanos| time.plus_nanos(NANOS_PER_DAY - time.get().rem_euclid(NANOS_PER_DAY));
    let days = last_of_each(times.iter().map(|time| last_instant(*time, granularity)), day_end);
    let mut months: Vec<((i16, i8), usize)> = Vec::new();
    for index in days {
        let key = last_instant(times[index], granularity).year_month();
        match months.last_mut() {
            Some((last, at)) if *last == key => *at = index,
            _ => months.push((key, index)),
        }
    }
    months
}

#[cfg(test)]
mod tests {
    use super::*;
    use fx_domain::NANOS_PER_HOUR;

    fn hours(from: &str, count: i64) -> Vec<UnixNanos> {
        let start = UnixNanos::parse(from).unwrap();
        (0..count).map(|hour| start.plus_nanos(hour * NANOS_PER_HOUR)).collect()
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
            let day = |index: usize| last_instant(times[index], Granularity::H1).trading_day();
            let slow: Vec<usize> =
                (0..times.len()).filter(|i| i + 1 == times.len() || day(*i) != day(i + 1)).collect();
            assert_eq!(trading_days(&times, Granularity::H1), slow);
        }
    }

    #[test]
    fn a_quote_belongs_to_the_day_and_month_of_its_instant_and_the_last_of_several_closes_it() {
        let at = |text| UnixNanos::parse(text).unwrap();
        let times = ["2024-01-31T21:59:59.999Z", "2024-01-31T22:00:00Z", "2024-01-31T22:00:00Z"].map(at);
        assert_eq!(trading_days(&times, Granularity::Tick), [0, 2]);
        let times = ["2024-01-31T23:59:59Z", "2024-01-31T23:59:59Z", "2024-02-01T00:00:00Z"].map(at);
        assert_eq!(trading_days(&times, Granularity::Tick), [2]);
        assert_eq!(calendar_periods(&times, Granularity::Tick), [1, 2]);
        assert_eq!(months(&times, Granularity::Tick), [((2024, 1), 1), ((2024, 2), 2)]);
    }

    #[test]
    fn a_bar_that_closes_at_midnight_ends_its_month() {
        let times = hours("2024-01-31T22:00:00Z", 4);
        assert_eq!(months(&times, Granularity::H1), [((2024, 1), 1), ((2024, 2), 3)]);
        let week = [UnixNanos::parse("2024-05-26T21:00:00Z").unwrap()];
        assert_eq!(months(&week, Granularity::W1), [((2024, 5), 0)]);
    }

    #[test]
    fn the_epoch_was_a_thursday() {
        assert_eq!(weekday(UnixNanos::new(0)), 3);
        assert_eq!(weekday(UnixNanos::new(-1)), 2);
        assert_eq!(weekday(UnixNanos::parse("2024-03-10").unwrap()), 6);
    }
}
