//! Small sums over whole columns, and the last index of each day and month.

use fx_domain::{Granularity, Money, NANOS_PER_DAY, NANOS_PER_SECOND, UnixNanos};

/// `value` unless it is NaN or infinite.
pub(super) fn defined(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// `numerator / denominator` where that is a number.
pub(super) fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    defined(numerator / denominator)
}

/// The mean; `None` of nothing.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    ratio(values.iter().sum(), values.len() as f64)
}

/// The sample variance (n − 1); `None` of fewer than two values.
pub(super) fn variance(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    if values.len() < 2 { None } else { defined(squares / (values.len() - 1) as f64) }
}

/// The sample standard deviation (n − 1). `None` where it is undefined, and where it is zero or no more than the
/// rounding noise of equal values: a ratio over it would be noise that looks like a number.
pub(super) fn spread_of(values: &[f64]) -> Option<f64> {
    let deviation = variance(values)?.sqrt();
    let largest = values.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    (deviation > largest * NOISE).then_some(deviation)
}

/// Relative size below which a deviation is rounding.
const NOISE: f64 = 1e-13;

/// Root of the mean square of what lies below zero, over all values.
pub(super) fn downside(values: &[f64]) -> Option<f64> {
    let squares: f64 = values.iter().map(|value| value.min(0.0) * value.min(0.0)).sum();
    let deviation = ratio(squares, values.len() as f64)?.sqrt();
    (deviation > 0.0).then_some(deviation)
}

/// The constant return that compounds to the same: `exp(mean(ln(1 + r))) − 1`; 0 once all was lost, as backtesting.py
/// has it; `None` of nothing.
pub(super) fn geometric_mean(returns: &[f64]) -> Option<f64> {
    if returns.iter().any(|value| *value <= -1.0) {
        return Some(0.0);
    }
    let logarithms: f64 = returns.iter().map(|value| libm::log(1.0 + value)).sum();
    ratio(logarithms, returns.len() as f64).map(|mean| libm::exp(mean) - 1.0)
}

/// Changes from one value to the next, as fractions.
pub(super) fn changes(values: &[f64]) -> Vec<f64> {
    values.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect()
}

/// Millionths as whole currency.
pub(super) fn currency(micros: i128) -> f64 {
    micros as f64 / Money::SCALE as f64
}

/// Seconds from one instant to another.
pub(super) fn seconds_between(from: UnixNanos, to: UnixNanos) -> f64 {
    (i128::from(to.get()) - i128::from(from.get())) as f64 / NANOS_PER_SECOND as f64
}

const WEEK_CLOSE_DAYS: i64 = 5;

/// The last instant inside the bar that opens at `open`; the instant of a quote.
pub(super) fn last_instant(open: UnixNanos, granularity: Granularity) -> UnixNanos {
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
pub(super) fn trading_days(times: &[UnixNanos], granularity: Granularity) -> Vec<usize> {
    match granularity {
        Granularity::D1 | Granularity::W1 => (0..times.len()).collect(),
        _ => {
            last_of_each(times.iter().map(|time| last_instant(*time, granularity)), UnixNanos::next_rollover)
        }
    }
}

/// The last bar of each UTC calendar day, by the bars' stamps; of each week ending Sunday for weekly bars. This is how
/// backtesting.py resamples.
pub(super) fn calendar_periods(times: &[UnixNanos], granularity: Granularity) -> Vec<usize> {
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
pub(super) fn weekday(time: UnixNanos) -> i64 {
    (time.get().div_euclid(NANOS_PER_DAY) + MONDAY_OFFSET_DAYS).rem_euclid(7)
}

/// The last bar of each UTC month, by the bars' closes, with year and month.
pub(super) fn months(times: &[UnixNanos], granularity: Granularity) -> Vec<((i16, i8), usize)> {
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
