//! Instants, and the trading day of New York.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, civil};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::LazyLock;

/// Nanoseconds in a second.
pub const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// Nanoseconds in a minute.
pub const NANOS_PER_MINUTE: i64 = 60 * NANOS_PER_SECOND;
/// Nanoseconds in an hour.
pub const NANOS_PER_HOUR: i64 = 60 * NANOS_PER_MINUTE;
/// Nanoseconds in a day of 24 hours.
pub const NANOS_PER_DAY: i64 = 24 * NANOS_PER_HOUR;

/// An instant: nanoseconds since 1970-01-01T00:00:00Z, good from 1678 to 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[repr(transparent)]
pub struct UnixNanos(i64);

/// A text that is neither an RFC 3339 instant nor a date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time: expected RFC 3339 such as 2024-03-08T21:00:00Z, or a date such as 2024-03-08")]
pub struct InvalidTime(pub String);

impl UnixNanos {
    /// The instant `nanos` nanoseconds after 1970.
    #[must_use]
    pub const fn new(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since 1970.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The instant `nanos` later; saturates at the ends of time.
    #[must_use]
    pub const fn plus_nanos(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// Sixteen hex digits that sort as the instants do, those before 1970 included: part of a store's sort key.
    #[must_use]
    pub fn sort_key(self) -> String {
        format!("{:016x}", self.0.cast_unsigned() ^ (1 << 63))
    }

    /// Reads RFC 3339 (`2024-03-08T21:00:00Z`) or a bare date, which is its first instant, UTC.
    ///
    /// # Errors
    /// [`InvalidTime`] for anything else, and for instants that nanoseconds since 1970 cannot hold.
    pub fn parse(text: &str) -> Result<Self, InvalidTime> {
        let invalid = || InvalidTime(text.to_owned());
        if let Some(date) = Self::parse_date(text) {
            return Ok(date);
        }
        let timestamp: Timestamp = text.parse().map_err(|_| invalid())?;
        i64::try_from(timestamp.as_nanosecond()).map(Self).map_err(|_| invalid())
    }

    /// Reads a bare `YYYY-MM-DD` as its first instant, UTC; `None` for anything else.
    #[must_use]
    pub fn parse_date(text: &str) -> Option<Self> {
        if text.len() != 10 {
            return None;
        }
        let date: civil::Date = text.parse().ok()?;
        let midnight = date.to_zoned(TimeZone::UTC).ok()?;
        i64::try_from(midnight.timestamp().as_nanosecond()).ok().map(Self)
    }

    /// The trading day that this instant belongs to, named by the date in New York on which it ends at 17:00.
    #[must_use]
    pub fn trading_day(self) -> civil::Date {
        let local = self.new_york();
        if local.hour() < ROLLOVER_HOUR {
            local.date()
        } else {
            local.date().saturating_add(jiff::Span::new().days(1))
        }
    }

    /// The first 17:00 New York after this instant: where its trading day ends. The end of time where it has none.
    #[must_use]
    pub fn next_rollover(self) -> Self {
        Self::end_of_trading_day(self.trading_day())
    }

    /// 17:00 New York of `day`. The end of time where it has none.
    pub(crate) fn end_of_trading_day(day: civil::Date) -> Self {
        Self::from_new_york(day.at(ROLLOVER_HOUR, 0, 0, 0)).unwrap_or(Self(i64::MAX))
    }

    /// What New York's clocks show.
    pub(crate) fn new_york(self) -> civil::DateTime {
        self.in_zone(&NEW_YORK).datetime()
    }

    /// When New York's clocks show `local`; see [`UnixNanos::from_zone`].
    pub(crate) fn from_new_york(local: civil::DateTime) -> Option<Self> {
        Self::from_zone(local, &NEW_YORK)
    }

    /// When the clocks of `zone` show `local`: the first time where they show it twice, an hour later where never. `None`
    /// outside of time.
    pub(crate) fn from_zone(local: civil::DateTime, zone: &TimeZone) -> Option<Self> {
        let instant = local.to_zoned(zone.clone()).ok()?.timestamp();
        i64::try_from(instant.as_nanosecond()).ok().map(Self)
    }

    /// Year and month, UTC: the key of a monthly return.
    #[must_use]
    pub fn year_month(self) -> (i16, i8) {
        let local = self.in_zone(&TimeZone::UTC);
        (local.year(), local.month())
    }

    /// The calendar parts in UTC.
    #[must_use]
    pub fn utc(self) -> civil::DateTime {
        self.in_zone(&TimeZone::UTC).datetime()
    }

    pub(crate) fn in_zone(self, zone: &TimeZone) -> jiff::Zoned {
        // Every i64 of nanoseconds lies inside jiff's range of years −9999 to 9999.
        Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone())
    }
}

/// The hour in New York at which the trading day ends.
pub(crate) const ROLLOVER_HOUR: i8 = 17;

static NEW_YORK: LazyLock<TimeZone> = LazyLock::new(|| bundled_zone("America/New_York"));

/// A time zone from the data bundled in the binary, never the host's.
pub(crate) fn bundled_zone(name: &str) -> TimeZone {
    let zone = TimeZoneDatabase::bundled().get(name);
    assert!(zone.is_ok(), "the bundled time-zone data lacks {name}");
    zone.unwrap_or(TimeZone::UTC)
}

/// RFC 3339 in UTC, with as many decimals as needed.
impl fmt::Display for UnixNanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or(Timestamp::UNIX_EPOCH).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> UnixNanos {
        UnixNanos::parse(text).unwrap()
    }

    #[test]
    fn the_trading_day_ends_at_2200z_in_winter_and_2100z_in_summer() {
        let day = |text| at(text).trading_day().to_string();
        assert_eq!(day("2024-03-08T21:59:59Z"), "2024-03-08");
        assert_eq!(day("2024-03-08T22:00:00Z"), "2024-03-09");
        assert_eq!(day("2024-03-11T20:59:59Z"), "2024-03-11");
        assert_eq!(day("2024-03-11T21:00:00Z"), "2024-03-12");
        assert_eq!(day("2024-11-01T21:00:00Z"), "2024-11-02");
        assert_eq!(day("2024-11-04T21:59:59Z"), "2024-11-04");
    }

    #[test]
    fn times_are_read_and_written_in_utc() {
        assert_eq!(at("2024-03-08").to_string(), "2024-03-08T00:00:00Z");
        assert_eq!(at("2024-03-08T01:00:00+02:00").to_string(), "2024-03-07T23:00:00Z");
        for bad in ["", "2024-13-01", "2024-03-08T21:00:00", "yesterday", "9999-01-01T00:00:00Z", "2024-3-8"]
        {
            assert!(UnixNanos::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn sort_keys_sort_as_the_instants_do(a: i64, b: i64) {
            let (a, b) = (UnixNanos::new(a), UnixNanos::new(b));
            prop_assert_eq!(a.cmp(&b), a.sort_key().cmp(&b.sort_key()));
            prop_assert_eq!(a.sort_key().len(), 16);
        }

        #[test]
        fn text_and_back_is_the_same_instant(nanos: i64) {
            prop_assert_eq!(UnixNanos::parse(&UnixNanos::new(nanos).to_string()), Ok(UnixNanos::new(nanos)));
        }
    }
}
