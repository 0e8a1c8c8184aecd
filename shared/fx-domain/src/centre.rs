//! Trading sessions: when the financial centres of the currency market are at work.

use crate::UnixNanos;
use crate::calendar::{first_weekday_from, is_weekend};
use crate::time::bundled_zone;
use jiff::tz::TimeZone;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

/// A financial centre whose working hours have a name in the market: "the London session".
///
/// The market as a whole has no opening hours within the week. A session is the working day of a centre on its own
/// clocks, Monday to Friday, so it moves against UTC when these clocks change; the changes of two centres are weeks
/// apart. Hours are those that brokers publish as the four sessions (for example sandb.forex/en/trading-sessions): a
/// convention, the same for all years. Holidays are not left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum TradingCentre {
    /// 07:00 to 16:00 in Sydney.
    Sydney,
    /// 09:00 to 18:00 in Tokyo.
    Tokyo,
    /// 08:00 to 17:00 in London.
    London,
    /// 08:00 to 17:00 in New York.
    NewYork,
}

/// A text that names no centre.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown session `{0}`: expected one of sydney tokyo london new_york")]
pub struct UnknownCentre(pub String);

/// Hours of the local clock: the first belongs to the session, the last does not.
struct Hours {
    open: i8,
    close: i8,
}

const SYDNEY: Hours = Hours { open: 7, close: 16 };
const TOKYO: Hours = Hours { open: 9, close: 18 };
const LONDON: Hours = Hours { open: 8, close: 17 };
const NEW_YORK: Hours = Hours { open: 8, close: 17 };

impl TradingCentre {
    /// All of them, in the order in which their days begin.
    pub const ALL: [Self; 4] = [Self::Sydney, Self::Tokyo, Self::London, Self::NewYork];

    /// `sydney`, `tokyo`, `london`, `new_york`
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sydney => "sydney",
            Self::Tokyo => "tokyo",
            Self::London => "london",
            Self::NewYork => "new_york",
        }
    }

    /// Whether its session is on at `at`: from the opening hour, and up to the closing hour, itself excluded.
    #[must_use]
    pub fn is_open(self, at: UnixNanos) -> bool {
        let (local, hours) = (at.in_zone(self.zone()), self.hours());
        !is_weekend(local.date()) && (hours.open..hours.close).contains(&local.hour())
    }

    /// The first opening or close after `at`: up to there [`TradingCentre::is_open`] stays what it is at `at`. The end of
    /// time where none is left.
    #[must_use]
    pub fn next_change_after(self, at: UnixNanos) -> UnixNanos {
        let (local, hours) = (at.in_zone(self.zone()), self.hours());
        let (today, hour) = (local.date(), local.hour());
        let (day, hour) = if is_weekend(today) || hour >= hours.close {
            (first_weekday_from(today.tomorrow().unwrap_or(today)), hours.open)
        } else {
            (today, if hour < hours.open { hours.open } else { hours.close })
        };
        UnixNanos::from_zone(day.at(hour, 0, 0, 0), self.zone()).unwrap_or(UnixNanos::new(i64::MAX))
    }

    const fn hours(self) -> Hours {
        match self {
            Self::Sydney => SYDNEY,
            Self::Tokyo => TOKYO,
            Self::London => LONDON,
            Self::NewYork => NEW_YORK,
        }
    }

    /// Its clocks, from the data bundled in the binary.
    fn zone(self) -> &'static TimeZone {
        static ZONES: LazyLock<[TimeZone; 4]> = LazyLock::new(|| {
            ["Australia/Sydney", "Asia/Tokyo", "Europe/London", "America/New_York"].map(bundled_zone)
        });
        &ZONES[self as usize]
    }
}

impl FromStr for TradingCentre {
    type Err = UnknownCentre;

    fn from_str(text: &str) -> Result<Self, UnknownCentre> {
        let known = Self::ALL.into_iter().find(|centre| centre.as_str() == text);
        known.ok_or_else(|| UnknownCentre(text.to_owned()))
    }
}

impl fmt::Display for TradingCentre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NANOS_PER_DAY, NANOS_PER_HOUR};
    use proptest::prelude::*;

    fn at(text: &str) -> UnixNanos {
        UnixNanos::parse(text).unwrap()
    }

    /// Opening and close of the sessions that begin in the 7 days from `first`, UTC.
    fn sessions(centre: TradingCentre, first: &str) -> Vec<(String, String)> {
        // One that opens at `first` is one of them.
        let (mut now, end) = (at(first).plus_nanos(-1), at(first).plus_nanos(7 * NANOS_PER_DAY));
        let mut found = Vec::new();
        while now < end {
            let change = centre.next_change_after(now);
            if centre.is_open(change) && change < end {
                let close = centre.next_change_after(change);
                assert!(!centre.is_open(close) && centre.is_open(close.plus_nanos(-1)), "half open");
                found.push((change.to_string(), close.to_string()));
            }
            now = change;
        }
        found
    }

    /// The hours of each session of a week, UTC, and the day on which it opens.
    fn hours(centre: TradingCentre, first: &str) -> Vec<String> {
        let short = |time: &str| time[11..13].to_owned();
        let found = sessions(centre, first).into_iter();
        found.map(|(open, close)| format!("{} {}-{}", &open[8..10], short(&open), short(&close))).collect()
    }

    #[test]
    fn london_is_an_hour_earlier_from_the_last_sunday_of_march_to_the_last_of_october() {
        let spring = hours(TradingCentre::London, "2024-03-28");
        assert_eq!(spring, ["28 08-17", "29 08-17", "01 07-16", "02 07-16", "03 07-16"]);
        let autumn = hours(TradingCentre::London, "2024-10-24");
        assert_eq!(autumn, ["24 07-16", "25 07-16", "28 08-17", "29 08-17", "30 08-17"]);
    }

    #[test]
    fn new_york_is_an_hour_earlier_from_the_second_sunday_of_march_to_the_first_of_november() {
        let spring = hours(TradingCentre::NewYork, "2024-03-07");
        assert_eq!(spring, ["07 13-22", "08 13-22", "11 12-21", "12 12-21", "13 12-21"]);
        let autumn = hours(TradingCentre::NewYork, "2024-10-31");
        assert_eq!(autumn, ["31 12-21", "01 12-21", "04 13-22", "05 13-22", "06 13-22"]);
        let before_2007 = hours(TradingCentre::NewYork, "2006-03-30");
        assert_eq!(before_2007, ["30 13-22", "31 13-22", "03 12-21", "04 12-21", "05 12-21"]);
    }

    #[test]
    fn sydney_is_an_hour_later_from_the_first_sunday_of_april_to_the_first_of_october() {
        // Its Monday begins on Sunday, UTC.
        let autumn = hours(TradingCentre::Sydney, "2024-04-03");
        assert_eq!(autumn, ["03 20-05", "04 20-05", "07 21-06", "08 21-06", "09 21-06"]);
        let spring = hours(TradingCentre::Sydney, "2024-10-02");
        assert_eq!(spring, ["02 21-06", "03 21-06", "06 20-05", "07 20-05", "08 20-05"]);
    }

    #[test]
    fn tokyo_does_not_change_its_clocks() {
        for week in ["2024-03-07", "2024-03-28", "2024-04-04", "2024-10-03", "2024-10-24", "2024-10-31"] {
            let found = hours(TradingCentre::Tokyo, week);
            assert!(found.len() == 5 && found.iter().all(|hours| hours.ends_with("00-09")), "{found:?}");
        }
    }

    #[test]
    fn a_weekend_has_no_session_whatever_the_hour_in_utc() {
        // Friday 17:00 in New York to Monday 07:00 in Sydney.
        let mut time = at("2024-01-12T22:00:00Z");
        while time < at("2024-01-14T20:00:00Z") {
            assert!(TradingCentre::ALL.iter().all(|centre| !centre.is_open(time)), "{time}");
            time = time.plus_nanos(NANOS_PER_HOUR / 2);
        }
        assert!(TradingCentre::Sydney.is_open(time) && !TradingCentre::Tokyo.is_open(time));
    }

    #[test]
    fn names_are_read_as_they_are_written_and_others_are_named() {
        for centre in TradingCentre::ALL {
            assert_eq!(centre.to_string().parse(), Ok(centre));
        }
        let unknown = "London".parse::<TradingCentre>().unwrap_err().to_string();
        assert_eq!(unknown, "unknown session `London`: expected one of sydney tokyo london new_york");
    }

    proptest! {
        #[test]
        fn nothing_changes_before_the_next_change(
            seconds in 0..4_102_444_800_i64,
            centre in prop::sample::select(&TradingCentre::ALL),
            part in 0.0..1.0_f64,
        ) {
            let now = UnixNanos::new(seconds * 1_000_000_000);
            let change = centre.next_change_after(now);
            prop_assert!(now < change && change < now.plus_nanos(4 * NANOS_PER_DAY));
            let between = now.plus_nanos(((change.get() - now.get()) as f64 * part) as i64);
            for same in [between.min(change.plus_nanos(-1)), change.plus_nanos(-1)] {
                prop_assert_eq!(centre.is_open(same), centre.is_open(now));
            }
            prop_assert_ne!(centre.is_open(change), centre.is_open(now));
        }

        #[test]
        fn every_instant_has_an_answer(nanos: i64, centre in prop::sample::select(&TradingCentre::ALL)) {
            let now = UnixNanos::new(nanos);
            let _ = centre.is_open(now);
            prop_assert!(centre.next_change_after(now) >= now);
        }
    }
}
