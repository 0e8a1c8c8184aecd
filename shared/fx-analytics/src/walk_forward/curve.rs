//! Tests behind each other as one curve.

use crate::invalid_input::all_finite;
use crate::numbers::{Fall, GROWTH_MAX, Returns, defined, ratio};
use crate::ratios::Ratios;
use crate::{InvalidInput, PeriodReturns};
use serde::{Deserialize, Serialize};

/// What returns of periods come to, by the definitions of the report's ratios.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CurveFigures {
    /// Returns.
    pub periods: u64,
    /// Linked growth less one, Π(1 + r) − 1, percent.
    pub return_pct: f64,
    /// The same a year: growth^(periods of a year ÷ periods) − 1, percent. None of no period.
    pub annualised_return_pct: Option<f64>,
    /// Deepest fall from the highest point so far, percent of it, zero or above; at the ends of periods, so falls
    /// within one are not seen. The first peak is the beginning.
    pub max_drawdown_pct: f64,
    /// As in a report: undefined of fewer than two returns, of equal ones, and once all is lost.
    pub sharpe_ratio: Option<f64>,
    /// As in a report.
    pub sortino_ratio: Option<f64>,
    /// As in a report, over `max_drawdown_pct`.
    pub calmar_ratio: Option<f64>,
    /// Whether all was lost in some period: the growth is 0 from there on.
    pub lost: bool,
}

/// The tests of all windows as one curve.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stitched {
    /// The returns of all tests in order of time. A trading day that the border of two windows cuts has one of each.
    pub returns: PeriodReturns,
    /// What 1 at the beginning has grown to after each of them.
    pub growth: Vec<f64>,
    /// What they come to.
    pub figures: CurveFigures,
}

/// Links the returns of the tests of all windows, in order of time. A gap between two tests earns nothing and counts no
/// time.
///
/// # Errors
/// No test; tests that overlap or are not in order; tests with another number of periods a year; and what
/// [`CurveFigures::of`] refuses.
pub fn stitch(tests: &[PeriodReturns]) -> Result<Stitched, InvalidInput> {
    let Some(first) = tests.first() else { return Err(InvalidInput::new("tests", "is empty")) };
    let mut whole = PeriodReturns { periods_per_year: first.periods_per_year, ..PeriodReturns::default() };
    for (number, test) in tests.iter().enumerate() {
        if test.periods_per_year.total_cmp(&whole.periods_per_year).is_ne() {
            let (found, expected) = (test.periods_per_year, whole.periods_per_year);
            let reason = format!("{number} has {found} periods a year, the first has {expected}");
            return Err(InvalidInput::new("tests", reason));
        }
        if test.ends.first().zip(whole.ends.last()).is_some_and(|(next, last)| next <= last) {
            return Err(InvalidInput::new("tests", format!("{number} begins before the one before it ends")));
        }
        whole.ends.extend_from_slice(&test.ends);
        whole.returns.extend_from_slice(&test.returns);
    }
    let (figures, growth) = measure(&whole)?;
    Ok(Stitched { returns: whole, growth, figures })
}

impl CurveFigures {
    /// Of the returns of a run, or of a stretch of it.
    ///
    /// # Errors
    /// A return that is NaN, infinite or below −1; another number of ends than of returns; periods a year that are not
    /// above zero.
    pub fn of(returns: &PeriodReturns) -> Result<Self, InvalidInput> {
        measure(returns).map(|(figures, _)| figures)
    }
}

fn measure(periods: &PeriodReturns) -> Result<(CurveFigures, Vec<f64>), InvalidInput> {
    let PeriodReturns { ends, returns, periods_per_year } = periods;
    let year = *periods_per_year;
    if ends.len() != returns.len() {
        let reason = format!("holds {} instants for {} returns", ends.len(), returns.len());
        return Err(InvalidInput::new("ends", reason));
    }
    if !(year > 0.0 && year.is_finite()) {
        return Err(InvalidInput::new("periods_per_year", format!("must be above zero, not {year}")));
    }
    all_finite("returns", returns)?;
    if let Some(index) = returns.iter().position(|change| *change < -1.0) {
        return Err(InvalidInput::new("returns", format!("holds {} at {index}, below -1", returns[index])));
    }
    let (mut value, mut fall, mut deepest) = (1.0, Fall::from(1.0), 0.0f64);
    let mut moments = Returns::default();
    let growth: Vec<f64> = returns
        .iter()
        .map(|change| {
            moments.add(*change);
            value = f64::min(value * (1.0 + change), GROWTH_MAX);
            fall.step(value);
            deepest = deepest.max(fall.depth());
            value
        })
        .collect();
    let (lost, max_drawdown_pct) = (returns.iter().any(|change| *change <= -1.0), deepest * 100.0);
    let ratios = if lost { Ratios::default() } else { Ratios::of(&moments, value, year, max_drawdown_pct) };
    let annual = ratio(year, returns.len() as f64).map(|power| (libm::pow(value, power) - 1.0) * 100.0);
    let figures = CurveFigures {
        periods: returns.len() as u64,
        return_pct: (value - 1.0) * 100.0,
        annualised_return_pct: annual.and_then(defined),
        max_drawdown_pct,
        sharpe_ratio: ratios.sharpe,
        sortino_ratio: ratios.sortino,
        calmar_ratio: ratios.calmar,
        lost,
    };
    Ok((figures, growth))
}

/// The walk-forward efficiency: the annualised return of the tests over the mean of the trainings' annualised returns;
/// 1 where the choice earned outside its sample what it earned inside. Pardo, *The Evaluation and Optimization of
/// Trading Strategies*, 2nd edition, 2008, "Walk-forward efficiency".
///
/// Percent a year, as [`CurveFigures::annualised_return_pct`] has them. `None` of no training, of values that are no
/// numbers, and where the trainings did not earn: a loss over a loss would look like a success.
#[must_use]
pub fn efficiency(test_pct: f64, training_pct: &[f64]) -> Option<f64> {
    let mean = ratio(training_pct.iter().sum(), training_pct.len() as f64)?;
    if mean > 0.0 { ratio(test_pct, mean) } else { None }
}
