//! Trading days and weeks; see [`Session`].

use crate::value::{UNDEFINED, finite_or_undefined};
use fx_domain::{UnixNanos, calendar::trading_day_ending_at, next_roll_after};
use fx_strategy::{Period, Session};
use serde::{Deserialize, Serialize};

/// What is known of the current session and of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SessionMemory {
    /// When the current one ends; before the first bar, the beginning of time.
    until: i64,
    /// Whether its first bar was the first one behind another session.
    whole: bool,
    /// What its values have come to.
    current: f64,
    /// What those of the last completed one came to.
    before: f64,
}

/// Rollovers in a week.
const ROLLOVERS_MAX: usize = 5;
/// Friday, counted from Monday.
const FRIDAY: i8 = 4;

impl SessionMemory {
    pub(crate) const fn new() -> Self {
        Self { until: i64::MIN, whole: false, current: UNDEFINED, before: UNDEFINED }
    }

    /// The same with no number that is not finite.
    pub(crate) fn canonical(self) -> Self {
        let [current, before] = [self.current, self.before].map(finite_or_undefined);
        Self { current, before, ..self }
    }

    /// Adds bars that open at `times`.
    #[inline(always)]
    pub(crate) fn advance(
        &mut self,
        (kind, period): (Session, Period),
        times: &[UnixNanos],
        block: &[f64],
        out: &mut [f64],
    ) {
        for ((time, x), out) in times.iter().zip(block).zip(out) {
            if time.get() >= self.until {
                self.turn(*time, period);
            }
            if !x.is_nan() {
                self.current = match kind {
                    _ if self.current.is_nan() => *x,
                    Session::Highest if *x < self.current => self.current,
                    Session::Lowest if *x > self.current => self.current,
                    Session::Sum => finite_or_undefined(self.current + x),
                    _ => *x,
                };
            }
            *out = match kind {
                Session::Sum if x.is_nan() => UNDEFINED,
                Session::Sum => self.current,
                _ => self.before,
            };
        }
    }

    /// Begins the session of `time`.
    #[inline(never)]
    fn turn(&mut self, time: UnixNanos, period: Period) {
        let first = self.until == i64::MIN;
        *self = Self {
            until: end_of_session(time, period).get(),
            whole: !first,
            current: UNDEFINED,
            before: if self.whole { self.current } else { UNDEFINED },
        };
    }
}

/// When the session of a bar that opens at `time` ends.
fn end_of_session(time: UnixNanos, period: Period) -> UnixNanos {
    let mut end = next_roll_after(time);
    if period == Period::Week {
        for _ in 1..ROLLOVERS_MAX {
            if trading_day_ending_at(end).is_none_or(|day| day.weekday().to_monday_zero_offset() == FRIDAY) {
                break;
            }
            end = next_roll_after(end);
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixNanos {
        UnixNanos::parse(text).unwrap()
    }

    #[test]
    fn a_day_ends_at_seventeen_in_new_york_and_a_week_with_its_friday() {
        for (open, day, week) in [
            // A Thursday in winter, and one in summer.
            ("2024-01-11T21:59:59Z", "2024-01-11T22:00:00Z", "2024-01-12T22:00:00Z"),
            ("2024-01-11T22:00:00Z", "2024-01-12T22:00:00Z", "2024-01-12T22:00:00Z"),
            ("2024-07-11T20:59:59Z", "2024-07-11T21:00:00Z", "2024-07-12T21:00:00Z"),
            // After Friday's end comes Monday, whenever the market opens, and here the clocks change between.
            ("2024-03-08T22:00:00Z", "2024-03-11T21:00:00Z", "2024-03-15T21:00:00Z"),
            ("2024-03-10T21:00:00Z", "2024-03-11T21:00:00Z", "2024-03-15T21:00:00Z"),
        ] {
            assert_eq!(end_of_session(at(open), Period::Day), at(day), "{open}");
            assert_eq!(end_of_session(at(open), Period::Week), at(week), "{open}");
        }
    }

    #[test]
    fn the_session_in_which_the_data_begins_is_never_the_completed_one() {
        let times =
            ["2024-01-09T12:00:00Z", "2024-01-10T12:00:00Z", "2024-01-10T13:00:00Z", "2024-01-11T12:00:00Z"];
        let times: Vec<_> = times.into_iter().map(at).collect();
        let values = |kind| {
            let mut out = [0.0; 4];
            SessionMemory::new().advance((kind, Period::Day), &times, &[5.0, 7.0, 6.0, 1.0], &mut out);
            out.map(|value| if value.is_nan() { None } else { Some(value) })
        };
        assert_eq!(values(Session::Highest), [None, None, None, Some(7.0)]);
        assert_eq!(values(Session::Lowest), [None, None, None, Some(6.0)]);
        assert_eq!(values(Session::Last), [None, None, None, Some(6.0)]);
        assert_eq!(values(Session::Sum), [Some(5.0), Some(7.0), Some(13.0), Some(1.0)]);
    }
}
