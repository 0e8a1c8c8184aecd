//! Scales, and ticks at numbers and dates that people would choose.

use super::text::number;
use fx_domain::{NANOS_PER_DAY, NANOS_PER_HOUR, NANOS_PER_MINUTE, UnixNanos};

/// A range of values laid onto a range of pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
}

impl Scale {
    /// `from..to` onto `start..end`; a range of no width is opened around its value.
    pub(super) fn new(from: f64, to: f64, start: f64, end: f64) -> Self {
        if to > from {
            return Self { from, to, start, end };
        }
        let half = (from.abs() * 1e-3).max(1e-6);
        Self { from: from - half, to: from + half, start, end }
    }

    pub(super) fn at(&self, value: f64) -> f64 {
        self.start + (value - self.from) / (self.to - self.from) * (self.end - self.start)
    }

    /// Ticks at multiples of 1, 2, 2.5 or 5 times a power of ten, about `count` of them, with their labels.
    pub(super) fn ticks(&self, count: f64) -> Vec<(f64, String)> {
        let raw = (self.to - self.from) / count;
        let magnitude = libm::pow(10.0, libm::floor(libm::log10(raw)));
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .map(|factor| factor * magnitude)
            .into_iter()
            .find(|step| *step >= raw * 0.999)
            .unwrap_or(raw);
        let decimals = (0..=MAX_DECIMALS)
            .find(|decimals| {
                let scaled = step * libm::pow(10.0, *decimals as f64);
                (scaled - scaled.round()).abs() < 1e-6 * scaled.max(1.0)
            })
            .unwrap_or(MAX_DECIMALS);
        let first = libm::ceil(self.from / step - 1e-9);
        (0..TICKS_MAX)
            .map(|index| (first + index as f64) * step)
            .take_while(|value| *value <= self.to + step * 1e-9)
            .map(|value| (value, number(value, decimals)))
            .collect()
    }
}

/// Decimals of a tick's label, at most: prices are quoted to five.
const MAX_DECIMALS: usize = 6;
/// Ticks on one axis, at most.
const TICKS_MAX: usize = 24;
/// Ticks that fit beside each other on a time axis.
const TIME_TICKS: i64 = 9;
/// Months of the year as the axis writes them.
pub(super) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const STEPS: [i64; 11] = [
    NANOS_PER_MINUTE,
    5 * NANOS_PER_MINUTE,
    15 * NANOS_PER_MINUTE,
    30 * NANOS_PER_MINUTE,
    NANOS_PER_HOUR,
    3 * NANOS_PER_HOUR,
    6 * NANOS_PER_HOUR,
    12 * NANOS_PER_HOUR,
    NANOS_PER_DAY,
    2 * NANOS_PER_DAY,
    7 * NANOS_PER_DAY,
];
const MONTH_STEPS: [i64; 9] = [1, 2, 3, 6, 12, 24, 60, 120, 600];
/// The first Monday after 1970-01-01 lies four days later; weeks tick on Mondays.
const FIRST_MONDAY: i64 = 4 * NANOS_PER_DAY;

/// Ticks of a time axis, UTC, with their labels.
pub(super) fn time_ticks(from: UnixNanos, to: UnixNanos) -> Vec<(UnixNanos, String)> {
    let span = to.get().saturating_sub(from.get());
    if span <= 0 {
        return Vec::new();
    }
    match STEPS.into_iter().find(|step| span / step < TIME_TICKS) {
        Some(step) => regular_ticks(from, to, step),
        None => month_ticks(from, to, span),
    }
}

fn regular_ticks(from: UnixNanos, to: UnixNanos, step: i64) -> Vec<(UnixNanos, String)> {
    let offset = if step == 7 * NANOS_PER_DAY { FIRST_MONDAY } else { 0 };
    let into = from.get().saturating_sub(offset).rem_euclid(step);
    let first = if into == 0 { from } else { from.plus_nanos(step - into) };
    (0..=TIME_TICKS)
        .map(|index| first.plus_nanos(index * step))
        .take_while(|time| *time <= to)
        .map(|time| {
            let utc = time.utc();
            let day = format!("{} {}", utc.day(), MONTHS[utc.month().unsigned_abs() as usize - 1]);
            let at_midnight = utc.hour() == 0 && utc.minute() == 0;
            let clock = format!("{:02}:{:02}", utc.hour(), utc.minute());
            (time, if step >= NANOS_PER_DAY || at_midnight { day } else { clock })
        })
        .collect()
}

fn month_ticks(from: UnixNanos, to: UnixNanos, span: i64) -> Vec<(UnixNanos, String)> {
    let months = span / (30 * NANOS_PER_DAY);
    let step = MONTH_STEPS.into_iter().find(|step| months / step < TIME_TICKS).unwrap_or(1_200);
    let start = from.utc();
    let first = (i64::from(start.year()) * 12 + i64::from(start.month()) - 1).div_euclid(step) * step;
    (0..=2 * TIME_TICKS)
        .filter_map(|index| {
            let month = first + index * step;
            let (year, month) = (month.div_euclid(12), month.rem_euclid(12));
            let time = UnixNanos::parse_date(&format!("{year:04}-{:02}-01", month + 1))?;
            let label = match usize::try_from(month).ok().and_then(|month| MONTHS.get(month)) {
                Some(name) if step < 12 => format!("{name} {year}"),
                _ => year.to_string(),
            };
            (time >= from && time <= to).then_some((time, label))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(from: &str, to: &str) -> Vec<String> {
        let ticks = time_ticks(UnixNanos::parse(from).unwrap(), UnixNanos::parse(to).unwrap());
        ticks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn values_tick_at_round_numbers() {
        let labels = |from, to| -> Vec<String> {
            Scale::new(from, to, 0.0, 1.0).ticks(5.0).into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(labels(0.0, 100.0), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(1.0501, 1.0602), ["1.0525", "1.0550", "1.0575", "1.0600"]);
        assert_eq!(labels(-0.9, 0.0), ["−0.8", "−0.6", "−0.4", "−0.2", "0.0"]);
        assert!(!labels(7.0, 7.0).is_empty());
    }

    #[test]
    fn times_tick_at_midnights_mondays_and_firsts_of_months() {
        assert_eq!(labels("2024-03-08T05:00:00Z", "2024-03-08T08:00:00Z").first().unwrap(), "05:00");
        assert_eq!(labels("2024-03-08T20:00:00Z", "2024-03-09T20:00:00Z")[1], "9 Mar");
        assert_eq!(labels("2024-01-03", "2024-02-20")[0], "8 Jan");
        assert_eq!(labels("2017-04-19", "2018-02-07")[0], "May 2017");
        assert_eq!(labels("2007-01-02", "2018-12-31"), ["2008", "2010", "2012", "2014", "2016", "2018"]);
    }

    #[test]
    fn no_span_has_more_ticks_than_fit() {
        let from = UnixNanos::parse("1980-01-31T13:00:00Z").unwrap();
        let mut span = NANOS_PER_MINUTE;
        while span < 80 * 365 * NANOS_PER_DAY {
            let count = time_ticks(from, from.plus_nanos(span)).len();
            assert!((1..=12).contains(&count), "{span}: {count}");
            span = span / 4 * 5;
        }
    }
}
