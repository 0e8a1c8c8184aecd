//! Bar lengths.

use crate::time::ROLLOVER_HOUR;
use crate::{NANOS_PER_DAY, NANOS_PER_HOUR, NANOS_PER_MINUTE, UnixNanos};
use jiff::ToSpan;
use jiff::civil::Weekday;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The length of a bar. Bars are stamped by their open, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Granularity {
    /// No length: single quotes.
    Tick,
    /// One minute.
    M1,
    /// Five minutes.
    M5,
    /// Fifteen minutes.
    M15,
    /// Thirty minutes.
    M30,
    /// One hour.
    H1,
    /// Four hours, anchored at 17:00 New York.
    H4,
    /// One trading day, ending 17:00 New York.
    D1,
    /// One trading week, ending Friday 17:00 New York.
    W1,
}

/// A text that names no granularity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown timeframe `{0}`: expected one of tick 1m 5m 15m 30m 1h 4h 1d 1w (or M1 M5 M15 M30 H1 H4 D1 W1)"
)]
pub struct UnknownGranularity(pub String);

/// Hours between two points of the four-hour grid.
const H4_HOURS: i8 = 4;
/// Days of a week.
const WEEK_DAYS: i8 = 7;
/// Days from Sunday 17:00 to Friday 17:00.
const TRADING_WEEK_DAYS: i64 = 5;

impl Granularity {
    /// All of them, shortest first.
    pub const ALL: [Self; 9] =
        [Self::Tick, Self::M1, Self::M5, Self::M15, Self::M30, Self::H1, Self::H4, Self::D1, Self::W1];

    /// The nominal length. A day or week across a change of New York's clocks is an hour shorter or longer.
    #[must_use]
    pub const fn nominal_nanos(self) -> i64 {
        match self {
            Self::Tick => 0,
            Self::M1 => NANOS_PER_MINUTE,
            Self::M5 => 5 * NANOS_PER_MINUTE,
            Self::M15 => 15 * NANOS_PER_MINUTE,
            Self::M30 => 30 * NANOS_PER_MINUTE,
            Self::H1 => NANOS_PER_HOUR,
            Self::H4 => 4 * NANOS_PER_HOUR,
            Self::D1 => NANOS_PER_DAY,
            Self::W1 => 7 * NANOS_PER_DAY,
        }
    }

    /// When a bar that opens at `open` is complete.
    ///
    /// A bar of 4 hours, a day or a week that opens where our grid has one ends where the grid says: 4 hours, a day or
    /// (Sunday to Friday) five days later on New York's clocks, which is an hour more or less where they change. Every
    /// other bar, those anchored elsewhere included, ends its nominal length later.
    #[must_use]
    pub fn close_of(self, open: UnixNanos) -> UnixNanos {
        self.anchored_close(open).unwrap_or_else(|| open.plus_nanos(self.nominal_nanos()))
    }

    /// The first end of a bar of our grid after `at`: every bar of the grid that `at` lies in ends there.
    ///
    /// Bars below four hours end at whole multiples of their length in UTC; those of four hours, a day and a week where
    /// [`Granularity::close_of`] says, so that a weekend belongs to the week that follows. A tick has no length and ends
    /// at `at`.
    #[must_use]
    pub fn end_after(self, at: UnixNanos) -> UnixNanos {
        match self {
            Self::Tick => at,
            Self::M1 | Self::M5 | Self::M15 | Self::M30 | Self::H1 => {
                let length = self.nominal_nanos();
                at.plus_nanos(length - at.get().rem_euclid(length))
            }
            Self::H4 => {
                let local = at.new_york();
                let past = (local.hour() - ROLLOVER_HOUR).rem_euclid(H4_HOURS);
                let on_the_hour = local.date().at(local.hour(), 0, 0, 0);
                let end = on_the_hour.checked_add(i64::from(H4_HOURS - past).hours());
                end.ok().and_then(UnixNanos::from_new_york).unwrap_or(UnixNanos::new(i64::MAX))
            }
            Self::D1 => at.next_rollover(),
            Self::W1 => {
                let day = at.trading_day();
                let left = (Weekday::Friday.to_monday_zero_offset() - day.weekday().to_monday_zero_offset())
                    .rem_euclid(WEEK_DAYS);
                UnixNanos::end_of_trading_day(day.saturating_add(i64::from(left).days()))
            }
        }
    }

    /// The end on New York's clocks; `None` where the grid has no bar at `open`.
    fn anchored_close(self, open: UnixNanos) -> Option<UnixNanos> {
        if self < Self::H4 {
            return None;
        }
        let local = open.new_york();
        let at_rollover = local.hour() == ROLLOVER_HOUR;
        let length = match self {
            Self::H4 if local.hour() % H4_HOURS == ROLLOVER_HOUR % H4_HOURS => i64::from(H4_HOURS).hours(),
            Self::D1 if at_rollover => 1.day(),
            Self::W1 if at_rollover && local.weekday() == Weekday::Sunday => TRADING_WEEK_DAYS.days(),
            _ => return None,
        };
        let on_the_hour = local.date().at(local.hour(), 0, 0, 0);
        // False also in the hour that the clocks show a second time: the grid has the first.
        let on_grid = UnixNanos::from_new_york(on_the_hour) == Some(open);
        on_grid.then(|| UnixNanos::from_new_york(local.checked_add(length).ok()?))?
    }

    /// How the times of such a series follow each other.
    #[must_use]
    pub const fn time_order(self) -> crate::TimeOrder {
        match self {
            Self::Tick => crate::TimeOrder::NonDecreasing,
            _ => crate::TimeOrder::Strict,
        }
    }

    /// `tick`, `1m`, `1h`, `1d`, …
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tick => "tick",
            Self::M1 => "1m",
            Self::M5 => "5m",
            Self::M15 => "15m",
            Self::M30 => "30m",
            Self::H1 => "1h",
            Self::H4 => "4h",
            Self::D1 => "1d",
            Self::W1 => "1w",
        }
    }
}

impl FromStr for Granularity {
    type Err = UnknownGranularity;
    /// Reads `1h` or `H1`. `1M` is refused rather than guessed: it could be a month.
    fn from_str(text: &str) -> Result<Self, UnknownGranularity> {
        Self::ALL
            .into_iter()
            .find(|candidate| candidate.as_str() == text || format!("{candidate:?}") == text)
            .ok_or_else(|| UnknownGranularity(text.to_owned()))
    }
}

impl TryFrom<String> for Granularity {
    type Error = UnknownGranularity;
    fn try_from(text: String) -> Result<Self, UnknownGranularity> {
        text.parse()
    }
}

impl From<Granularity> for String {
    fn from(granularity: Granularity) -> Self {
        granularity.as_str().to_owned()
    }
}

impl fmt::Display for Granularity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_read_and_a_month_is_refused() {
        for granularity in Granularity::ALL {
            assert_eq!(granularity.as_str().parse(), Ok(granularity));
            assert_eq!(format!("{granularity:?}").parse(), Ok(granularity));
        }
        assert!("1M".parse::<Granularity>().is_err());
    }

    fn at(text: &str) -> UnixNanos {
        UnixNanos::parse(text).unwrap()
    }

    /// Each open's close is the next open.
    fn assert_chain(granularity: Granularity, opens: &[&str]) {
        for ends in opens.windows(2) {
            assert_eq!(
                granularity.close_of(at(ends[0])).to_string(),
                ends[1],
                "{granularity} at {}",
                ends[0]
            );
        }
    }

    #[test]
    fn short_bars_end_their_length_later() {
        let open = at("2024-03-10T06:30:00Z");
        for granularity in [Granularity::Tick, Granularity::M1, Granularity::M30, Granularity::H1] {
            assert_eq!(granularity.close_of(open), open.plus_nanos(granularity.nominal_nanos()));
        }
    }

    #[test]
    fn days_are_23_and_25_hours_long_where_the_clocks_change() {
        // 10 March and 3 November 2024, Sundays: markets are closed, some vendors have bars.
        assert_chain(
            Granularity::D1,
            &["2024-03-07T22:00:00Z", "2024-03-08T22:00:00Z", "2024-03-09T22:00:00Z", "2024-03-10T21:00:00Z"],
        );
        assert_chain(Granularity::D1, &["2024-03-10T21:00:00Z", "2024-03-11T21:00:00Z"]);
        assert_chain(
            Granularity::D1,
            &["2024-11-01T21:00:00Z", "2024-11-02T21:00:00Z", "2024-11-03T22:00:00Z"],
        );
    }

    #[test]
    fn four_hours_follow_the_clocks_of_new_york() {
        assert_chain(
            Granularity::H4,
            &[
                "2024-03-09T22:00:00Z",
                "2024-03-10T02:00:00Z",
                "2024-03-10T06:00:00Z", // 01:00, before the change
                "2024-03-10T09:00:00Z", // 05:00: three hours later
                "2024-03-10T13:00:00Z",
                "2024-03-10T17:00:00Z",
                "2024-03-10T21:00:00Z", // 17:00
                "2024-03-11T01:00:00Z",
            ],
        );
        assert_chain(
            Granularity::H4,
            &[
                "2024-11-03T01:00:00Z",
                "2024-11-03T05:00:00Z", // 01:00, the first time
                "2024-11-03T10:00:00Z", // 05:00: five hours later
                "2024-11-03T14:00:00Z",
            ],
        );
    }

    #[test]
    fn weeks_end_on_friday_at_1700_new_york() {
        for (open, close) in [
            ("2024-03-03T22:00:00Z", "2024-03-08T22:00:00Z"),
            ("2024-03-10T21:00:00Z", "2024-03-15T21:00:00Z"),
            ("2024-10-27T21:00:00Z", "2024-11-01T21:00:00Z"),
            ("2024-11-03T22:00:00Z", "2024-11-08T22:00:00Z"),
        ] {
            assert_eq!(Granularity::W1.close_of(at(open)), at(close), "{open}");
        }
    }

    #[test]
    fn every_instant_of_a_bar_has_its_end() {
        for (granularity, open) in [
            (Granularity::M5, "2024-03-10T06:55:00Z"),
            (Granularity::H1, "2024-03-10T06:00:00Z"),
            (Granularity::H4, "2024-03-10T06:00:00Z"), // three hours long
            (Granularity::H4, "2024-11-03T05:00:00Z"), // five hours long
            (Granularity::H4, "2024-06-03T21:00:00Z"),
            (Granularity::D1, "2024-03-09T22:00:00Z"),
            (Granularity::D1, "2024-11-02T21:00:00Z"),
            (Granularity::W1, "2024-03-03T22:00:00Z"),
            (Granularity::W1, "2024-10-27T21:00:00Z"),
        ] {
            let (open, end) = (at(open), granularity.close_of(at(open)));
            for instant in [open, open.plus_nanos(1), end.plus_nanos(-1)] {
                assert_eq!(granularity.end_after(instant), end, "{granularity} {instant}");
            }
            assert!(granularity.end_after(end) > end);
            // The weekend in front of a week belongs to it.
            let belongs = granularity == Granularity::W1;
            assert_eq!(granularity.end_after(open.plus_nanos(-1)) == end, belongs, "{granularity} {open}");
        }
        let saturday = at("2024-03-09T12:00:00Z");
        assert_eq!(Granularity::W1.end_after(saturday), at("2024-03-15T21:00:00Z"));
        assert_eq!(Granularity::Tick.end_after(saturday), saturday);
    }

    #[test]
    fn bars_anchored_elsewhere_end_their_nominal_length_later() {
        for (granularity, open) in [
            (Granularity::H4, "2024-03-10T04:00:00Z"),
            (Granularity::H4, "2024-11-03T06:00:00Z"), // 01:00, the second time
            (Granularity::H4, "2024-03-10T06:00:00.000000001Z"),
            (Granularity::H4, "2024-03-08T22:30:00Z"),
            (Granularity::D1, "2024-03-10T00:00:00Z"),
            (Granularity::D1, "2024-03-09T22:00:01Z"),
            (Granularity::W1, "2024-03-10T00:00:00Z"),
            (Granularity::W1, "2024-03-08T22:00:00Z"), // a Friday
        ] {
            let nominal = at(open).plus_nanos(granularity.nominal_nanos());
            assert_eq!(granularity.close_of(at(open)), nominal, "{granularity} {open}");
        }
        let end = UnixNanos::new(i64::MAX);
        assert!(Granularity::ALL.into_iter().all(|granularity| granularity.close_of(end) == end));
    }
}
