//! A bar's place in time.

use crate::BLOCK;
use crate::evaluate::loops;
use crate::value::{FALSE, Tri, compare};
use fx_domain::{Granularity, NANOS_PER_DAY, NANOS_PER_HOUR, NANOS_PER_MINUTE, TradingCentre, UnixNanos};
use fx_strategy::{Binary, ClockField};
use std::ops::Range;

/// Where the bars stand in time.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    /// First row of the call's bars that is decided on.
    pub(crate) first_decision: usize,
    /// Its number.
    pub(crate) first_index: u64,
    /// The length of the bars.
    pub(crate) granularity: Granularity,
}

impl Clock {
    /// The number of the bar in `row` among those decided on; none while warming up.
    pub(crate) fn index(self, row: usize) -> Option<u64> {
        row.checked_sub(self.first_decision).map(|after| self.first_index + after as u64)
    }

    /// What `data.index` is at the bars of `rows`.
    pub(crate) fn indices(self, rows: Range<usize>, out: &mut [f64]) {
        let (warm_up, decided) =
            out.split_at_mut(self.first_decision.clamp(rows.start, rows.end) - rows.start);
        warm_up.fill(WARM_UP_INDEX);
        let first = self.index(rows.start + warm_up.len()).unwrap_or_default();
        for (out, index) in decided.iter_mut().zip(first..) {
            *out = index as f64;
        }
    }

    /// Compares `data.index` with a constant at the bars of `rows`: writes the results, or yields the one that all
    /// bars have.
    #[inline(always)]
    pub(crate) fn compare(
        self,
        op: Binary,
        constant: f64,
        rows: Range<usize>,
        out: &mut [Tri],
    ) -> Option<Tri> {
        let at = |row| self.index(row).map_or(WARM_UP_INDEX, |index| index as f64);
        let (first, last) = (at(rows.start), at(rows.end.max(rows.start + 1) - 1));
        // The index never falls: what holds of its order at both ends holds between them.
        let decided = match op {
            Binary::Eq | Binary::Ne => constant < first || constant > last,
            _ => compare(op, first, constant) == compare(op, last, constant),
        };
        if decided {
            return Some(compare(op, first, constant));
        }
        let mut indices = [0.0; BLOCK];
        let indices = &mut indices[..out.len()];
        self.indices(rows, indices);
        loops::compare_each(op, indices, &[constant; BLOCK], out);
        None
    }
}

/// A field of the clock at bars that open at ascending `times`. It is worked out where it can change.
#[inline(always)]
pub(crate) fn values(field: ClockField, times: &[UnixNanos], out: &mut [f64]) {
    let period = match field {
        ClockField::Weekday | ClockField::Day | ClockField::Month | ClockField::Year => NANOS_PER_DAY,
        ClockField::Hour => NANOS_PER_HOUR,
        ClockField::Minute | ClockField::Index => NANOS_PER_MINUTE,
    };
    let (mut value, mut until) = (0.0, i64::MIN);
    for (out, time) in out.iter_mut().zip(times) {
        if time.get() >= until {
            value = clock_value(field, *time, None);
            until = time.get().saturating_add(period - time.get().rem_euclid(period));
        }
        *out = value;
    }
}

/// Whether bars that open at ascending `times` open within the hours of `centre`. Its clocks are read where the session
/// changes, twice a day.
#[inline(always)]
pub(crate) fn sessions(centre: TradingCentre, times: &[UnixNanos], out: &mut [Tri]) {
    let (mut open, mut until) = (FALSE, UnixNanos::new(i64::MIN));
    for (out, time) in out.iter_mut().zip(times) {
        if *time >= until {
            (open, until) = (Tri::from(centre.is_open(*time)), centre.next_change_after(*time));
        }
        *out = open;
    }
}

/// While warming up no bar can tell how many more will follow: its index is this.
const WARM_UP_INDEX: f64 = -1.0;

/// A bar's place in time.
pub(crate) fn clock_value(field: ClockField, time: UnixNanos, index: Option<u64>) -> f64 {
    /// 1970-01-01 was a Thursday.
    const EPOCH_WEEKDAY: i64 = 3;
    let of_day = time.get().rem_euclid(NANOS_PER_DAY);
    match field {
        ClockField::Index => index.map_or(WARM_UP_INDEX, |index| index as f64),
        ClockField::Hour => (of_day / NANOS_PER_HOUR) as f64,
        ClockField::Minute => (of_day % NANOS_PER_HOUR / NANOS_PER_MINUTE) as f64,
        ClockField::Weekday => (time.get().div_euclid(NANOS_PER_DAY) + EPOCH_WEEKDAY).rem_euclid(7) as f64,
        ClockField::Day => f64::from(time.utc().day()),
        ClockField::Month => f64::from(time.utc().month()),
        ClockField::Year => f64::from(time.utc().year()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::UNKNOWN;

    #[test]
    fn an_index_is_compared_the_same_at_once_and_bar_by_bar() {
        let operators = [Binary::Lt, Binary::Le, Binary::Gt, Binary::Ge, Binary::Eq, Binary::Ne];
        let clock = Clock { first_decision: 3, first_index: 5, granularity: Granularity::M1 };
        for op in operators {
            for (constant, rows) in
                [-2.0, -1.0, 4.5, 5.0, 6.0, 9.0, 10.0, 11.0].into_iter().flat_map(|constant| {
                    (0..7).flat_map(move |start| (start + 1..9).map(move |end| (constant, start..end)))
                })
            {
                let mut found = [UNKNOWN; 9];
                let found = &mut found[..rows.len()];
                let one = clock.compare(op, constant, rows.clone(), found);
                let values =
                    rows.clone().map(|row| clock.index(row).map_or(WARM_UP_INDEX, |index| index as f64));
                for (value, found) in values.zip(found) {
                    assert_eq!(
                        one.unwrap_or(*found),
                        compare(op, value, constant),
                        "{value} {op:?} {constant}"
                    );
                }
            }
        }
    }

    #[test]
    fn fields_change_where_their_period_ends() {
        let times: Vec<_> =
            (-3_000..3_000).map(|at| UnixNanos::new(at * 41 * NANOS_PER_MINUTE / 2 + at)).collect();
        for field in [
            ClockField::Minute,
            ClockField::Hour,
            ClockField::Weekday,
            ClockField::Day,
            ClockField::Month,
            ClockField::Year,
        ] {
            let mut found = vec![0.0; times.len()];
            values(field, &times, &mut found);
            let plain: Vec<_> = times.iter().map(|time| clock_value(field, *time, None)).collect();
            assert_eq!(found, plain);
        }
    }

    #[test]
    fn dates_are_those_of_the_open_in_utc() {
        let date = |text| {
            let time = UnixNanos::parse(text).unwrap();
            [ClockField::Year, ClockField::Month, ClockField::Day]
                .map(|field| clock_value(field, time, None) as i64)
        };
        assert_eq!(date("2024-02-29T23:59:59Z"), [2024, 2, 29]);
        assert_eq!(date("2024-03-01T00:00:00Z"), [2024, 3, 1]);
        assert_eq!(date("2023-12-31T22:00:00Z"), [2023, 12, 31], "the trading day is the next one");
        assert_eq!(date("1969-12-31T23:59:59Z"), [1969, 12, 31]);
    }

    #[test]
    fn sessions_are_the_same_at_once_and_bar_by_bar_where_clocks_change() {
        for (start, step) in [
            ("2024-03-04", 7),
            ("2024-03-25", 60),
            ("2024-04-01", 31),
            ("2024-09-30", 15),
            ("2024-10-21", 240),
        ] {
            let start = UnixNanos::parse(start).unwrap();
            let step = step * NANOS_PER_MINUTE;
            let times: Vec<_> =
                (0..16 * NANOS_PER_DAY / step).map(|bar| start.plus_nanos(bar * step)).collect();
            for centre in TradingCentre::ALL {
                let mut found = vec![FALSE; times.len()];
                sessions(centre, &times, &mut found);
                let plain: Vec<_> = times.iter().map(|time| Tri::from(centre.is_open(*time))).collect();
                assert_eq!(found, plain, "{centre} from {start}");
                for block in [1, 5, 64] {
                    let mut parts = vec![FALSE; times.len()];
                    for (times, out) in times.chunks(block).zip(parts.chunks_mut(block)) {
                        sessions(centre, times, out);
                    }
                    assert_eq!(parts, plain, "{centre} in blocks of {block}");
                }
            }
        }
    }
}
