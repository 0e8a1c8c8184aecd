//! Percentiles of a sample.

use serde::{Deserialize, Serialize};

/// Percentiles by definition 7 of Hyndman and Fan, *Sample Quantiles in Statistical Packages*, 1996, which is that of
/// R, NumPy and spreadsheets: of n values in order, from x₀, the one at h = (n − 1) · p ÷ 100, between two values on
/// the line that joins them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Percentiles {
    /// One value of a hundred lies below.
    pub p1: f64,
    /// Five of a hundred.
    pub p5: f64,
    /// The lower quartile.
    pub p25: f64,
    /// The median.
    pub p50: f64,
    /// The upper quartile.
    pub p75: f64,
    /// Ninety-five of a hundred.
    pub p95: f64,
    /// Ninety-nine of a hundred.
    pub p99: f64,
}

impl Percentiles {
    /// Of finite values in any order; `None` of none.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let at = |percent: usize| {
            let (below, part) = (last * percent / 100, last * percent % 100);
            let (low, high) = (values[below], values[(below + 1).min(last)]);
            low + (high - low) * (part as f64 / 100.0)
        };
        Some(Self { p1: at(1), p5: at(5), p25: at(25), p50: at(50), p75: at(75), p95: at(95), p99: at(99) })
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // the values are exact
mod tests {
    use super::*;

    #[test]
    fn they_are_those_of_r_and_numpy() {
        // numpy.percentile([15, 20, 35, 40, 50], …)
        let found = Percentiles::of(vec![50.0, 15.0, 40.0, 20.0, 35.0]).unwrap();
        assert_eq!((found.p25, found.p50, found.p75), (20.0, 35.0, 40.0));
        for (found, expected) in [(found.p1, 15.2), (found.p5, 16.0), (found.p95, 48.0), (found.p99, 49.6)] {
            assert!((found - expected).abs() < 1e-12);
        }
        let hundred = Percentiles::of((0..=100).map(f64::from).collect()).unwrap();
        assert_eq!((hundred.p1, hundred.p5, hundred.p99), (1.0, 5.0, 99.0));
    }

    #[test]
    fn of_one_value_all_are_that_value_and_of_none_there_are_none() {
        let one = Percentiles::of(vec![-3.0]).unwrap();
        assert_eq!((one.p1, one.p50, one.p99), (-3.0, -3.0, -3.0));
        assert_eq!(Percentiles::of(Vec::new()), None);
    }
}
