//! Small sums that more than one statistic needs. Their values come one by one, and none is kept.

use fx_domain::{Money, NANOS_PER_SECOND, UnixNanos};
use serde::{Deserialize, Serialize};

/// `value` unless it is NaN or infinite.
pub(crate) fn defined(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// `numerator / denominator` where that is a number.
pub(crate) fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    defined(numerator / denominator)
}

/// A fraction as percent, where that is a number.
pub(crate) fn percent(fraction: f64) -> Option<f64> {
    defined(fraction * 100.0)
}

/// Millionths as whole currency.
pub(crate) fn currency(micros: i128) -> f64 {
    micros as f64 / Money::SCALE as f64
}

/// Seconds from one instant to another.
pub(crate) fn seconds_between(from: UnixNanos, to: UnixNanos) -> f64 {
    (i128::from(to.get()) - i128::from(from.get())) as f64 / NANOS_PER_SECOND as f64
}

/// Mean, smallest and largest value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    count: u64,
    sum: f64,
    lowest: Option<f64>,
    highest: Option<f64>,
}

impl Summary {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        self.lowest = Some(self.lowest.map_or(value, |lowest| lowest.min(value)));
        self.highest = Some(self.highest.map_or(value, |highest| highest.max(value)));
    }

    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// The mean; `None` of nothing.
    pub(crate) fn mean(&self) -> Option<f64> {
        ratio(self.sum, self.count as f64)
    }

    pub(crate) const fn lowest(&self) -> Option<f64> {
        self.lowest
    }

    pub(crate) const fn highest(&self) -> Option<f64> {
        self.highest
    }
}

/// Values that are added up before they join the sum: the rounding of a hundred million additions stays that of some
/// hundred thousand.
const PART: u64 = 1_024;

/// A sum of sums of [`PART`] values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sum {
    parts: f64,
    part: f64,
}

impl Sum {
    /// Adds the value that is number `count`, from one.
    #[inline]
    fn add(&mut self, value: f64, count: u64) {
        self.part += value;
        if count.is_multiple_of(PART) {
            self.parts += self.part;
            self.part = 0.0;
        }
    }

    fn value(&self) -> f64 {
        self.parts + self.part
    }
}

/// Mean and deviation in one pass: sums about the first value, which is as close to the mean as anything known then.
///
/// Of equal values the variance is exactly 0, and values that hardly differ lose no digit, because their differences are
/// exact. Where the first value lies k deviations off the mean, the variance loses k² roundings, and k² is below the
/// number of values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moments {
    count: u64,
    first: f64,
    sum: Sum,
    squares: Sum,
    largest: f64,
}

impl Moments {
    /// Adds a value; gives how far from the first it lies.
    #[inline]
    pub(crate) fn add(&mut self, value: f64) -> f64 {
        if self.count == 0 {
            self.first = value;
        }
        let off = value - self.first;
        self.count += 1;
        self.sum.add(off, self.count);
        self.squares.add(off * off, self.count);
        self.largest = self.largest.max(value.abs());
        off
    }

    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// The mean; `None` of nothing.
    pub(crate) fn mean(&self) -> Option<f64> {
        ratio(self.sum.value(), self.count as f64).and_then(|off| defined(self.first + off))
    }

    /// The sum of squares about the mean.
    fn squares(&self) -> f64 {
        let sum = self.sum.value();
        let squares = self.squares.value() - sum * sum / self.count as f64;
        // Rounding may leave what is zero a little below it. A NaN stays one.
        if squares < 0.0 { 0.0 } else { squares }
    }

    /// The sample variance (n − 1); `None` of fewer than two values.
    pub(crate) fn variance(&self) -> Option<f64> {
        if self.count < 2 { None } else { ratio(self.squares(), (self.count - 1) as f64) }
    }

    /// The sample standard deviation (n − 1). `None` where it is undefined, and where it is zero or no more than the
    /// rounding noise of equal values: a ratio over it would be noise that looks like a number.
    pub(crate) fn deviation(&self) -> Option<f64> {
        let deviation = self.variance()?.sqrt();
        (deviation > self.largest * NOISE).then_some(deviation)
    }
}

/// Relative size below which a deviation is rounding.
const NOISE: f64 = 1e-13;

/// The slope of one value over another of the same moment: their covariance over the second's variance, in one pass by
/// the same sums about the first values as [`Moments`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Slope {
    of: Moments,
    over: Moments,
    products: Sum,
}

impl Slope {
    #[inline]
    pub(crate) fn add(&mut self, of: f64, over: f64) {
        let product = self.of.add(of) * self.over.add(over);
        self.products.add(product, self.of.count);
    }

    /// `None` where the second value does not vary beyond its rounding.
    pub(crate) fn value(&self) -> Option<f64> {
        self.over.deviation()?;
        let means = self.of.sum.value() * self.over.sum.value() / self.over.count as f64;
        ratio(self.products.value() - means, self.over.squares())
    }

    /// The height at zero of the line with this slope through both means.
    pub(crate) fn intercept(&self) -> Option<f64> {
        defined(self.of.mean()? - self.value()? * self.over.mean()?)
    }
}

/// Returns, one by one: what their ratios are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Returns {
    moments: Moments,
    squares_below: f64,
}

impl Returns {
    #[inline]
    pub(crate) fn add(&mut self, value: f64) {
        self.moments.add(value);
        let below = value.min(0.0);
        self.squares_below += below * below;
    }

    pub(crate) const fn moments(&self) -> &Moments {
        &self.moments
    }

    /// Root of the mean square of what lies below zero, over all values.
    pub(crate) fn downside(&self) -> Option<f64> {
        let deviation = ratio(self.squares_below, self.moments.count as f64)?.sqrt();
        (deviation > 0.0).then_some(deviation)
    }
}

/// Returns that compound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Growth {
    count: u64,
    logarithms: f64,
    all_lost: bool,
}

impl Growth {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1;
        self.all_lost |= value <= -1.0;
        if !self.all_lost {
            self.logarithms += libm::log(1.0 + value);
        }
    }

    /// The constant return that compounds to the same: `exp(mean(ln(1 + r))) − 1`; 0 once all was lost, as
    /// backtesting.py has it; `None` of nothing.
    pub(crate) fn mean(&self) -> Option<f64> {
        if self.all_lost {
            return Some(0.0);
        }
        ratio(self.logarithms, self.count as f64).map(|mean| libm::exp(mean) - 1.0)
    }
}

/// Where compound growth stops, so that it stays a number.
pub(crate) const GROWTH_MAX: f64 = 1e300;

/// A fall from a peak, in values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fall {
    peak: f64,
    lowest: f64,
}

impl Fall {
    /// The fall that begins, or may, at `peak`.
    pub(crate) const fn from(peak: f64) -> Self {
        Self { peak, lowest: peak }
    }

    /// Goes on to `value`. Where that is at or above the peak, this fall is over: it is given, and the next one begins.
    #[inline]
    pub(crate) fn step(&mut self, value: f64) -> Option<Self> {
        if value >= self.peak {
            return Some(std::mem::replace(self, Self::from(value)));
        }
        self.lowest = if value < self.lowest { value } else { self.lowest };
        None
    }

    /// How deep, as a fraction of the peak: `1 − lowest ÷ peak`, zero or above.
    pub(crate) fn depth(&self) -> f64 {
        if self.lowest < self.peak { (1.0 - self.lowest / self.peak).max(0.0) } else { 0.0 }
    }

    pub(crate) const fn peak(&self) -> f64 {
        self.peak
    }
}

/// `ln(to ÷ from)`.
///
/// Bars hardly move the price: of two near values, s = (to − from) ÷ (to + from) and 2·(s + s³/3 + s⁵/5 + s⁷/7) is the
/// logarithm to its last digits, quicker than the logarithm of a quotient and without the quotient's rounding, which
/// next to 1 is large against the logarithm. What is left out, 2·s⁹/9, is below 2⁻⁵⁹ of it for |s| up to 2⁻⁷.
fn log_ratio(from: f64, to: f64) -> f64 {
    let (logarithm, near) = near_log_ratio(from, to);
    if near {
        return logarithm;
    }
    // Equal values, a pair of zeros included, have not moved.
    if from.to_bits() == to.to_bits() { 0.0 } else { libm::log(to / from) }
}

/// The series of [`log_ratio`], and whether the values are near enough for it.
#[inline]
fn near_log_ratio(from: f64, to: f64) -> (f64, bool) {
    let s = (to - from) / (to + from);
    let square = s * s;
    let series = 1.0 + square * (1.0 / 3.0 + square * (1.0 / 5.0 + square * (1.0 / 7.0)));
    (2.0 * s * series, s.abs() <= NEAR)
}

/// The logarithms of each value over the one before it; `before` is that of the first. Values that are all near take no
/// branch.
pub(crate) fn log_changes<'a>(before: f64, values: &[f64], logarithms: &'a mut [f64]) -> &'a [f64] {
    let logarithms = &mut logarithms[..values.len()];
    let mut fill = |change: fn(f64, f64) -> (f64, bool)| {
        let (mut from, mut near) = (before, true);
        for (logarithm, &to) in logarithms.iter_mut().zip(values) {
            let (change, is_near) = change(from, to);
            *logarithm = change;
            near &= is_near;
            from = to;
        }
        near
    };
    if !fill(near_log_ratio) {
        fill(|from, to| (log_ratio(from, to), true));
    }
    logarithms
}

/// Largest |s| of [`log_ratio`]'s series.
const NEAR: f64 = 1.0 / 128.0;

#[cfg(test)]
#[allow(clippy::float_cmp)] // the values are exact
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moments(values: impl IntoIterator<Item = f64>) -> Moments {
        let mut moments = Moments::default();
        for value in values {
            moments.add(value);
        }
        moments
    }

    /// Mean and variance in two passes.
    fn two_passes(values: &[f64]) -> (f64, f64) {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        (mean, squares / (values.len() - 1) as f64)
    }

    #[test]
    fn equal_values_have_no_deviation_at_all() {
        for value in [0.1, 1e-300, -7.3e9, 1.0 / 3.0] {
            let moments = moments(std::iter::repeat_n(value, 1_000));
            assert_eq!(
                (moments.mean(), moments.variance(), moments.deviation()),
                (Some(value), Some(0.0), None)
            );
        }
        assert_eq!((moments([1.0]).variance(), moments([]).mean()), (None, None));
        let mut slope = Slope::default();
        for of in [1.0, 4.0, 2.0] {
            slope.add(of, 0.1);
        }
        assert_eq!(slope.value(), None);
    }

    #[test]
    fn values_that_hardly_differ_lose_no_digit() {
        // 1e9 and 1e9 + 1 by turns: variance n/(4(n − 1)).
        let found = moments((0..1_000).map(|index| 1e9 + f64::from(index % 2))).variance().unwrap();
        assert!((found / (250.0 / 999.0) - 1.0).abs() < 1e-15, "{found}");
    }

    #[test]
    fn a_first_value_a_thousand_deviations_off_costs_eight_digits_of_sixteen() {
        let values: Vec<f64> =
            (0..1_000_000).map(|index| if index == 0 { 1.0 } else { f64::from(index % 7) * 1e-6 }).collect();
        let (mean, variance) = two_passes(&values);
        let found = moments(values);
        let (mean, variance) =
            (found.mean().unwrap() / mean - 1.0, found.variance().unwrap() / variance - 1.0);
        assert!(mean.abs() < 1e-8 && variance.abs() < 1e-7, "{mean:e} {variance:e}");
    }

    #[test]
    fn what_is_infinite_leaves_the_moments_undefined() {
        let found = moments([1.0, f64::INFINITY, 2.0]);
        assert_eq!((found.mean(), found.variance(), found.deviation()), (None, None, None));
    }

    proptest! {
        #[test]
        fn one_pass_gives_what_two_give(
            values in prop::collection::vec(-1.0f64..1.0, 2..400), offset in -1e3f64..1e3, scale in 1e-6f64..1e3,
        ) {
            let values: Vec<f64> = values.iter().map(|value| offset + value * scale).collect();
            let (mean, variance) = two_passes(&values);
            let found = moments(values.iter().copied());
            prop_assert!((found.mean().unwrap() - mean).abs() <= 1e-12 * (offset.abs() + scale));
            // What the two passes themselves lose: the rounding of the offset against the deviation.
            let lost = (f64::EPSILON * offset / scale).abs();
            prop_assert!((found.variance().unwrap() / variance - 1.0).abs() <= 1e-11 + 100.0 * lost);
        }

        #[test]
        fn the_series_is_the_logarithm(from in 0.5f64..2.0, step in -0.015f64..0.015) {
            let to = from * (1.0 + step);
            // Of the exact quotient less one, which the floats of numerator and denominator give.
            let expected = libm::log1p((to - from) / from);
            prop_assert!((log_ratio(from, to) - expected).abs() <= 4.0 * f64::EPSILON * expected.abs());
        }
    }

    #[test]
    fn a_logarithm_of_what_is_not_above_zero_is_undefined() {
        assert_eq!((log_ratio(1.0, 1.0), log_ratio(0.0, 0.0)), (0.0, 0.0));
        assert!(log_ratio(1.0, -1.0).is_nan() && log_ratio(0.0, 1.0).is_infinite());
        assert!((log_ratio(1.0, 2.0) - std::f64::consts::LN_2).abs() < 1e-16);
    }
}
