//! Ratios over per-bar returns, by the definitions of vectorbt 1.2.0: annualised with 365 days of 24 hours.
//!
//! They count every bar, the closed weekend not at all, so an hourly year has 8,760 bars where a market year has some
//! 6,200: they compare with vectorbt's numbers and should not be read as the run's Sharpe ratio. A year has no number of
//! quotes: what is annualised is undefined for them.

use crate::numbers::{Fall, Returns, defined, percent, ratio};
use fx_domain::{Granularity, NANOS_PER_DAY};
use serde::{Deserialize, Serialize};

/// Days of vectorbt's year.
const DAYS_PER_YEAR: f64 = 365.0;

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

/// Takes what [`PerBar`] is made of, bar by bar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerBarRun {
    granularity: Granularity,
    initial_capital: f64,
    last: f64,
    fall: Fall,
    deepest: f64,
    returns: Returns,
    gains: f64,
    losses: f64,
    closes: Option<(f64, f64)>,
}

impl PerBarRun {
    /// Before the first bar. The capital is in the account currency.
    #[must_use]
    pub fn new(initial_capital: f64, granularity: Granularity) -> Self {
        Self {
            granularity,
            initial_capital,
            last: initial_capital,
            fall: Fall::from(initial_capital),
            deepest: 0.0,
            returns: Returns::default(),
            gains: 0.0,
            losses: 0.0,
            closes: None,
        }
    }

    /// Equity at the next bars' closes, account currency, and those closes, for the benchmark, or nothing.
    pub fn points(&mut self, equity: &[f64], closes: &[f64]) {
        for &value in equity {
            let change = value / self.last - 1.0;
            self.last = value;
            self.returns.add(change);
            let gain = if change > 0.0 { change } else { 0.0 };
            self.gains += gain;
            self.losses -= change - gain;
            if let Some(fall) = self.fall.step(value) {
                self.deepest = self.deepest.max(fall.depth());
            }
        }
        if let (Some(first), Some(last)) = (closes.first(), closes.last()) {
            self.closes = Some((self.closes.map_or(*first, |(first, _)| first), *last));
        }
    }

    /// The statistics; undefined is `None`.
    #[must_use]
    pub fn finish(self) -> PerBar {
        let moments = self.returns.moments();
        if moments.count() == 0 {
            return PerBar::default();
        }
        let bars = moments.count() as f64;
        let bars_a_year =
            ratio(DAYS_PER_YEAR * NANOS_PER_DAY as f64, self.granularity.nominal_nanos() as f64);
        let deepest = self.deepest.max(self.fall.depth());
        let total = self.last / self.initial_capital;
        let annual = bars_a_year.and_then(|year| defined(libm::pow(total, year / bars) - 1.0));
        let year = bars_a_year.map(f64::sqrt);
        let scaled = |value: Option<f64>| value.zip(year).and_then(|(value, year)| defined(value * year));
        let scaled_mean = scaled(moments.mean());
        let over = |deviation: Option<f64>| {
            scaled_mean.zip(deviation).and_then(|(mean, deviation)| ratio(mean, deviation))
        };
        let benchmark = self.closes.and_then(|(first, last)| ratio(last, first));
        PerBar {
            total_return_pct: percent(total - 1.0),
            benchmark_return_pct: benchmark.and_then(|value| percent(value - 1.0)),
            max_drawdown_pct: percent(deepest),
            annualized_return: annual,
            annualized_volatility: scaled(moments.deviation()),
            sharpe_ratio: over(moments.deviation()),
            sortino_ratio: over(self.returns.downside()),
            calmar_ratio: annual.and_then(|annual| ratio(annual, deepest)),
            omega_ratio: ratio(self.gains, self.losses),
        }
    }
}
