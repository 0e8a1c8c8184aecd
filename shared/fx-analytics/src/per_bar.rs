//! Ratios over per-bar returns, by the definitions of vectorbt 1.2.0: annualised with 365 days of 24 hours.
//!
//! They count every bar, the closed weekend not at all, so an hourly year has 8,760 bars where a market year has some
//! 6,200: they compare with vectorbt's numbers and should not be read as the run's Sharpe ratio. A year has no number of
//! quotes: what is annualised is undefined for them.

use crate::numbers::{defined, downside, mean, ratio, spread_of};
use fx_domain::{Granularity, NANOS_PER_DAY};
use serde::{Deserialize, Serialize};

/// Days of vectorbt's year.
const DAYS_PER_YEAR: f64 = 365.0;

/// What [`per_bar`] reads.
#[derive(Clone, Copy, Debug)]
pub struct PerBarInput<'a> {
    /// Equity at each bar's close, account currency.
    pub equity: &'a [f64],
    /// Capital before the first bar.
    pub initial_capital: f64,
    /// First and last close, for the benchmark.
    pub closes: &'a [f64],
    /// The bars' length.
    pub granularity: Granularity,
}

/// Per-bar statistics. Percent where the name says so, else fractions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PerBar {
    /// Last equity over initial capital less one, percent.
    pub total_return_pct: Option<f64>,
    /// Last close over first close less one, percent.
    pub benchmark_return_pct: Option<f64>,
    /// Deepest fall, percent, zero or above.
    pub max_drawdown_pct: Option<f64>,
    /// `(1 + total return)^(bars a year / bars) − 1`.
    pub annualized_return: Option<f64>,
    /// Standard deviation (n − 1) of per-bar returns times `√(bars a year)`.
    pub annualized_volatility: Option<f64>,
    /// Mean over standard deviation (n − 1) of per-bar returns times `√(bars a year)`.
    pub sharpe_ratio: Option<f64>,
    /// Mean over downside deviation of per-bar returns times `√(bars a year)`.
    pub sortino_ratio: Option<f64>,
    /// Annualised return over deepest fall.
    pub calmar_ratio: Option<f64>,
    /// Sum of positive over sum of negative per-bar returns.
    pub omega_ratio: Option<f64>,
}

/// Computes the per-bar statistics; undefined is `None`.
#[must_use]
pub fn per_bar(input: &PerBarInput<'_>) -> PerBar {
    let PerBarInput { equity, initial_capital, closes, granularity } = *input;
    let bars_a_year = ratio(DAYS_PER_YEAR * NANOS_PER_DAY as f64, granularity.nominal_nanos() as f64);
    let Some(last) = equity.last() else { return PerBar::default() };
    let mut returns = Vec::with_capacity(equity.len());
    let (mut previous, mut peak, mut deepest) = (initial_capital, initial_capital, 0.0f64);
    for value in equity {
        returns.push(value / previous - 1.0);
        peak = peak.max(*value);
        deepest = deepest.max(1.0 - value / peak);
        previous = *value;
    }
    let total = last / initial_capital;
    let annual = bars_a_year.and_then(|bars| defined(libm::pow(total, bars / equity.len() as f64) - 1.0));
    let (gains, losses) = returns.iter().fold((0.0, 0.0), |(gains, losses), value| {
        if *value > 0.0 { (gains + value, losses) } else { (gains, losses - value) }
    });
    let year = bars_a_year.map(f64::sqrt);
    let scaled_mean = mean(&returns).zip(year).map(|(mean, year)| mean * year);
    let deviation = spread_of(&returns);
    let benchmark = closes.first().zip(closes.last()).and_then(|(first, last)| ratio(*last, *first));
    PerBar {
        total_return_pct: defined((total - 1.0) * 100.0),
        benchmark_return_pct: benchmark.map(|value| (value - 1.0) * 100.0),
        max_drawdown_pct: defined(deepest * 100.0),
        annualized_return: annual,
        annualized_volatility: deviation.zip(year).map(|(deviation, year)| deviation * year),
        sharpe_ratio: scaled_mean.zip(deviation).and_then(|(mean, deviation)| ratio(mean, deviation)),
        sortino_ratio: scaled_mean.zip(downside(&returns)).and_then(|(mean, below)| ratio(mean, below)),
        calmar_ratio: annual.and_then(|annual| ratio(annual, deepest)),
        omega_ratio: ratio(gains, losses),
    }
}
