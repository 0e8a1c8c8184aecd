//! All samples together.

use super::SampleFigures;
use crate::invalid_input::{all_finite, within};
use crate::{InvalidInput, Percentiles};
use serde::{Deserialize, Serialize};

/// Most samples of a summary.
pub const SAMPLES_MAX: u64 = 1_000_000;
/// Most thresholds that drawdowns are held against.
pub const THRESHOLDS_MAX: u64 = 100;

/// How the samples are distributed. The order of the samples changes nothing. Probabilities are parts of the samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResampleSummary {
    /// Samples.
    pub samples: u64,
    /// Of the capital at the end, in the account currency.
    pub final_balance: Percentiles,
    /// Of the return, percent.
    pub return_pct: Percentiles,
    /// Of the deepest fall, percent: its 95th percentile is passed by one sample of twenty.
    pub max_drawdown_pct: Percentiles,
    /// How likely the capital ends below where it began.
    pub loss_probability: f64,
    /// How likely it falls to zero or below.
    pub ruin_probability: f64,
    /// How likely it falls deeper than each threshold, in the order asked for.
    pub drawdown_probabilities: Vec<DrawdownProbability>,
}

/// How likely a fall is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DrawdownProbability {
    /// Percent of the peak.
    pub threshold_pct: f64,
    /// Part of the samples that fell deeper.
    pub probability: f64,
}

impl ResampleSummary {
    /// Of all samples.
    ///
    /// # Errors
    /// No sample, or more than [`SAMPLES_MAX`]; more than [`THRESHOLDS_MAX`] thresholds; a figure or threshold that is
    /// NaN or infinite.
    pub fn of(samples: &[SampleFigures], drawdown_thresholds_pct: &[f64]) -> Result<Self, InvalidInput> {
        let count = samples.len() as u64;
        within("samples", count, 1..=SAMPLES_MAX)?;
        within("drawdown_thresholds_pct", drawdown_thresholds_pct.len() as u64, 0..=THRESHOLDS_MAX)?;
        all_finite("drawdown_thresholds_pct", drawdown_thresholds_pct)?;
        let percentiles = |field: &'static str, figure: fn(&SampleFigures) -> f64| {
            let values: Vec<f64> = samples.iter().map(figure).collect();
            all_finite(field, &values)?;
            Percentiles::of(values).ok_or_else(|| InvalidInput::new("samples", "is empty"))
        };
        let part = |test: &dyn Fn(&SampleFigures) -> bool| {
            samples.iter().filter(|sample| test(sample)).count() as f64 / count as f64
        };
        let deeper = |threshold_pct: f64| DrawdownProbability {
            threshold_pct,
            probability: part(&|sample| sample.max_drawdown_pct > threshold_pct),
        };
        Ok(Self {
            samples: count,
            final_balance: percentiles("final_balance", |sample| sample.final_balance)?,
            return_pct: percentiles("return_pct", |sample| sample.return_pct)?,
            max_drawdown_pct: percentiles("max_drawdown_pct", |sample| sample.max_drawdown_pct)?,
            loss_probability: part(&|sample| sample.return_pct < 0.0),
            ruin_probability: part(&|sample| sample.ruined),
            drawdown_probabilities: drawdown_thresholds_pct.iter().map(|pct| deeper(*pct)).collect(),
        })
    }
}
