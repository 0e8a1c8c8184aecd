//! How much a Sharpe ratio says, after how long and after how many trials.

use super::normal;
use crate::InvalidInput;
use crate::invalid_input::all_finite;
use crate::numbers::{Moments, defined, ratio};
use serde::{Deserialize, Serialize};

/// Euler and Mascheroni's constant.
const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

/// A Sharpe ratio and what its error depends on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharpeSample {
    /// Returns that it was taken of.
    pub periods: u64,
    /// Mean over standard deviation (n − 1), per period.
    pub sharpe: f64,
    /// Third central moment over the deviation's third power, m₃ ÷ m₂^1.5: 0 of a normal sample.
    pub skewness: f64,
    /// Fourth central moment over the variance's square, m₄ ÷ m₂²: 3 of a normal sample.
    pub kurtosis: f64,
}

impl SharpeSample {
    /// Of a trial's returns. `None` where the ratio is undefined: of fewer than two returns, and of equal ones.
    ///
    /// # Errors
    /// A return that is NaN or infinite.
    pub fn of(returns: &[f64]) -> Result<Option<Self>, InvalidInput> {
        all_finite("returns", returns)?;
        let mut moments = Moments::default();
        for change in returns {
            moments.add(*change);
        }
        Ok(Self::from_moments(&moments, returns))
    }

    fn from_moments(moments: &Moments, returns: &[f64]) -> Option<Self> {
        let (mean, deviation) = (moments.mean()?, moments.deviation()?);
        let central = |power: i32| {
            let sum: f64 = returns.iter().map(|change| whole_power((change - mean) / deviation, power)).sum();
            sum / returns.len() as f64
        };
        let variance = central(2);
        Some(Self {
            periods: moments.count(),
            sharpe: ratio(mean, deviation)?,
            skewness: ratio(central(3), variance * variance.sqrt())?,
            kurtosis: ratio(central(4), variance * variance)?,
        })
    }

    /// The variance of the estimate times its n − 1: 1 − γ₃·SR + (γ₄ − 1) ÷ 4 · SR². `None` unless above zero.
    fn error(&self) -> Option<f64> {
        let Self { sharpe, skewness, kurtosis, .. } = *self;
        let error = 1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe * sharpe;
        defined(error).filter(|error| *error > 0.0)
    }
}

/// `base` to a small power, by products: `powi` does not promise the same bits everywhere.
fn whole_power(base: f64, power: i32) -> f64 {
    (0..power).fold(1.0, |product, _| product * base)
}

/// The probabilistic Sharpe ratio: how likely the true ratio lies above `benchmark` (per period), 0 to 1.
///
/// Φ((SR − SR*) · √(n − 1) ÷ √(1 − γ₃·SR + (γ₄ − 1) ÷ 4 · SR²)): Bailey and López de Prado, *The Sharpe Ratio Efficient
/// Frontier*, Journal of Risk 15(2), 2012, "Probabilistic Sharpe ratio"; the error is Mertens', 2002. `None` for fewer
/// than two periods, for a benchmark that is no number and where the error is not above zero.
#[must_use]
pub fn probabilistic_sharpe_ratio(sample: &SharpeSample, benchmark: f64) -> Option<f64> {
    if sample.periods < 2 {
        return None;
    }
    let root = ((sample.periods - 1) as f64).sqrt();
    defined((sample.sharpe - benchmark) * root / sample.error()?.sqrt()).map(normal::probability)
}

/// The minimum track record length: the periods after which the probabilistic Sharpe ratio of the same sample reaches
/// `confidence`, for example 0.95. Not rounded up.
///
/// 1 + (1 − γ₃·SR + (γ₄ − 1) ÷ 4 · SR²) · (Φ⁻¹(confidence) ÷ (SR − SR*))²: the same paper, "Minimum track record
/// length". `None` where the ratio is not above `benchmark`, which no length would show, and for a confidence that does
/// not lie between 0.5 and 1.
#[must_use]
pub fn minimum_track_record_length(sample: &SharpeSample, benchmark: f64, confidence: f64) -> Option<f64> {
    if !((0.5..1.0).contains(&confidence) && sample.sharpe > benchmark) {
        return None;
    }
    let deviations = normal::quantile(confidence) / (sample.sharpe - benchmark);
    defined(1.0 + sample.error()? * deviations * deviations)
}

/// What the best of `trials` independent trials without any skill shows in expectation, per period, where their ratios
/// vary by `variance`.
///
/// √variance · ((1 − γ) · Φ⁻¹(1 − 1 ÷ N) + γ · Φ⁻¹(1 − 1 ÷ (N·e))), γ = 0.5772…: Bailey and López de Prado, *The
/// Deflated Sharpe Ratio*, Journal of Portfolio Management 40(5), 2014, equation 1 with a mean of 0. Of one trial it is
/// 0. `None` of no trial and for a variance that is below zero or no number.
#[must_use]
pub fn expected_maximum_sharpe(trials: u64, variance: f64) -> Option<f64> {
    if trials == 0 || !(variance >= 0.0 && variance.is_finite()) {
        return None;
    }
    if trials == 1 {
        return Some(0.0);
    }
    let one_of = 1.0 / trials as f64;
    // Φ⁻¹(1 − p) = −Φ⁻¹(p), which loses nothing for small p.
    let largest = -(1.0 - EULER_GAMMA) * normal::quantile(one_of)
        - EULER_GAMMA * normal::quantile(one_of / std::f64::consts::E);
    defined(variance.sqrt() * largest)
}

/// A Sharpe ratio in the light of how many were tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeflatedSharpe {
    /// Trials, those whose ratio is undefined included: they were tried too.
    pub trials: u64,
    /// Trials whose ratio is undefined. They do not enter the variance.
    pub undefined: u64,
    /// Variance (n − 1) of the trials' ratios, per period; none of fewer than two.
    pub variance: Option<f64>,
    /// What the best of as many trials without skill shows, per period.
    pub expected_maximum: Option<f64>,
    /// How likely the best trial's true ratio lies above that, 0 to 1.
    pub deflated_sharpe_ratio: Option<f64>,
}

/// The deflated Sharpe ratio of the best trial: its probabilistic Sharpe ratio against the expected maximum of all,
/// `sharpes`, per period and the best's included. Trials that resemble each other count as if they did not, which
/// deflates too much rather than too little. Of one trial it is the probabilistic ratio against 0.
///
/// Bailey and López de Prado, 2014, equation 2.
///
/// # Errors
/// A ratio that is NaN or infinite, and no ratio at all.
pub fn deflated_sharpe_ratio(
    sharpes: &[Option<f64>],
    best: &SharpeSample,
) -> Result<DeflatedSharpe, InvalidInput> {
    if sharpes.is_empty() {
        return Err(InvalidInput::new("sharpes", "is empty"));
    }
    let known: Vec<f64> = sharpes.iter().copied().flatten().collect();
    all_finite("sharpes", &known)?;
    let mut moments = Moments::default();
    for sharpe in &known {
        moments.add(*sharpe);
    }
    let (trials, variance) = (sharpes.len() as u64, moments.variance());
    let expected_maximum = if trials == 1 {
        Some(0.0)
    } else {
        variance.and_then(|variance| expected_maximum_sharpe(trials, variance))
    };
    Ok(DeflatedSharpe {
        trials,
        undefined: trials - known.len() as u64,
        variance,
        expected_maximum,
        deflated_sharpe_ratio: expected_maximum
            .and_then(|benchmark| probabilistic_sharpe_ratio(best, benchmark)),
    })
}
