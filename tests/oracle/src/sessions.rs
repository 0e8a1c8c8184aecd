//! The working hours of financial centres, by the rules of their clocks: no table of time zones is asked.

use crate::names::{date_of, weekday_of};
use anyhow::{Result, bail};
use fx_domain::{NANOS_PER_DAY, NANOS_PER_HOUR, UnixNanos};

const SUNDAY: i64 = 6;

/// Whether a bar that opens at `time` opens in the working hours of `centre`, Monday to Friday on its own clocks.
pub(crate) fn in_session(centre: &str, time: UnixNanos) -> Result<bool> {
    let nanos = time.get();
    let (from, to, offset) = match centre {
        "sydney" => (7, 16, sydney(nanos)),
        "tokyo" => (9, 18, 9),
        "london" => (8, 17, london(nanos)),
        "new_york" => (8, 17, new_york(nanos)),
        _ => bail!("no centre is called `{centre}`"),
    };
    let local = nanos + offset * NANOS_PER_HOUR;
    let hour = local.rem_euclid(NANOS_PER_DAY) / NANOS_PER_HOUR;
    Ok(weekday_of(local.div_euclid(NANOS_PER_DAY)) < 5 && (from..to).contains(&hour))
}

/// Hours ahead of UTC. Since 1996 the clocks are forward from the last Sunday of March to that of October, 01:00 UTC.
fn london(nanos: i64) -> i64 {
    let year = year_of(nanos);
    let summer = at(sunday_from([year, 3, 25]), 1)..at(sunday_from([year, 10, 25]), 1);
    i64::from(summer.contains(&nanos))
}

/// Since 2007 from the second Sunday of March to the first of November, at 02:00 of the clocks before the change.
fn new_york(nanos: i64) -> i64 {
    let year = year_of(nanos);
    let summer = at(sunday_from([year, 3, 8]), 7)..at(sunday_from([year, 11, 1]), 6);
    -5 + i64::from(summer.contains(&nanos))
}

/// South of the equator the winter is in the middle of the year: since 2008 from the first Sunday of April to that of
/// October, before from the last of March to that of October, at 02:00 of the standard clock: 16:00 UTC of the Saturday.
fn sydney(nanos: i64) -> i64 {
    let year = year_of(nanos);
    let (fall, spring) =
        if year < 2008 { ([year, 3, 25], [year, 10, 25]) } else { ([year, 4, 1], [year, 10, 1]) };
    let winter = at(sunday_from(fall) - 1, 16)..at(sunday_from(spring) - 1, 16);
    11 - i64::from(winter.contains(&nanos))
}

fn year_of(nanos: i64) -> i64 {
    date_of(nanos.div_euclid(NANOS_PER_DAY))[0]
}

/// An hour of a day in UTC, in nanoseconds.
const fn at(day: i64, hour: i64) -> i64 {
    day * NANOS_PER_DAY + hour * NANOS_PER_HOUR
}

/// The first Sunday that is not before a date, as a day counted from 1970-01-01.
fn sunday_from(date: [i64; 3]) -> i64 {
    // The earliest that the date can be; it is met within a few days.
    let mut day = (date[0] - 1970) * 365 + (date[1] - 1) * 28;
    while date_of(day) < date || weekday_of(day) != SUNDAY {
        day += 1;
    }
    day
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opens(centre: &str, instants: [&str; 2]) -> [bool; 2] {
        instants.map(|text| in_session(centre, UnixNanos::parse(text).unwrap()).unwrap())
    }

    #[test]
    fn sessions_move_with_the_clocks_of_their_centre() {
        // The last working days in front of a change, and the first ones behind it.
        let changes = [
            ("london", "2024-03-29T07:59:59Z", "2024-03-29T08:00:00Z"),
            ("london", "2024-04-01T06:59:59Z", "2024-04-01T07:00:00Z"),
            ("new_york", "2024-11-01T11:59:59Z", "2024-11-01T12:00:00Z"),
            ("new_york", "2024-11-04T12:59:59Z", "2024-11-04T13:00:00Z"),
            ("sydney", "2024-04-04T19:59:59Z", "2024-04-04T20:00:00Z"),
            ("sydney", "2024-04-07T20:59:59Z", "2024-04-07T21:00:00Z"),
            ("tokyo", "2024-07-01T23:59:59Z", "2024-07-02T00:00:00Z"),
        ];
        for (centre, before, from) in changes {
            assert_eq!(opens(centre, [before, from]), [false, true], "{centre} {from}");
        }
        assert_eq!(opens("london", ["2024-03-29T16:59:59Z", "2024-03-29T17:00:00Z"]), [true, false]);
        assert_eq!(opens("london", ["2024-03-30T12:00:00Z", "2024-03-31T12:00:00Z"]), [false, false]);
        assert!(in_session("paris", UnixNanos::new(0)).is_err());
    }
}
