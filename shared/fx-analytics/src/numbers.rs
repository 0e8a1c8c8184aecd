//! Small sums that more than one statistic needs.

use fx_domain::{Money, NANOS_PER_SECOND, UnixNanos};

/// `value` unless it is NaN or infinite.
pub(crate) fn defined(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// `numerator / denominator` where that is a number.
pub(crate) fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    defined(numerator / denominator)
}

/// The mean; `None` of nothing.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    ratio(values.iter().sum(), values.len() as f64)
}

/// The sample variance (n − 1); `None` of fewer than two values.
pub(crate) fn variance(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    if values.len() < 2 { None } else { defined(squares / (values.len() - 1) as f64) }
}

/// The sample standard deviation (n − 1). `None` where it is undefined, and where it is zero or no more than the
/// rounding noise of equal values: a ratio over it would be noise that looks like a number.
pub(crate) fn spread_of(values: &[f64]) -> Option<f64> {
    let deviation = variance(values)?.sqrt();
    let largest = values.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    (deviation > largest * NOISE).then_some(deviation)
}

/// Relative size below which a deviation is rounding.
const NOISE: f64 = 1e-13;

/// Root of the mean square of what lies below zero, over all values.
pub(crate) fn downside(values: &[f64]) -> Option<f64> {
    let squares: f64 = values.iter().map(|value| value.min(0.0) * value.min(0.0)).sum();
    let deviation = ratio(squares, values.len() as f64)?.sqrt();
    (deviation > 0.0).then_some(deviation)
}

/// The constant return that compounds to the same: `exp(mean(ln(1 + r))) − 1`; 0 once all was lost, as backtesting.py
/// has it; `None` of nothing.
pub(crate) fn geometric_mean(returns: &[f64]) -> Option<f64> {
    if returns.iter().any(|value| *value <= -1.0) {
        return Some(0.0);
    }
    let logarithms: f64 = returns.iter().map(|value| libm::log(1.0 + value)).sum();
    ratio(logarithms, returns.len() as f64).map(|mean| libm::exp(mean) - 1.0)
}

/// Changes from one value to the next, as fractions.
pub(crate) fn changes(values: &[f64]) -> Vec<f64> {
    values.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect()
}

/// Millionths as whole currency.
pub(crate) fn currency(micros: i128) -> f64 {
    micros as f64 / Money::SCALE as f64
}

/// Seconds from one instant to another.
pub(crate) fn seconds_between(from: UnixNanos, to: UnixNanos) -> f64 {
    (i128::from(to.get()) - i128::from(from.get())) as f64 / NANOS_PER_SECOND as f64
}
