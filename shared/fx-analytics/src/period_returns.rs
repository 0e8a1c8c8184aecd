//! The returns of a run's trading days: what resampling, tests of overfitting and walk-forward curves are made of.

use fx_domain::UnixNanos;
use serde::{Deserialize, Serialize};

/// Returns from one trading day's last equity to the next one's; of weekly bars, from week to week. They are the sample
/// of the report's ratios and compound to its return.
///
/// All are finite and none is below −1: the day on which the account falls to zero or below has −1, those after it 0,
/// whatever open positions are worth later. So every run over the same bars has as many returns, a lost one included,
/// although the report's ratios of that are undefined.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PeriodReturns {
    /// The stamp of each period's last point of the equity, in order: runs over the same bars have the same.
    pub ends: Vec<UnixNanos>,
    /// A fraction for each of `ends`: 0.01 is a gain of one percent. The first is from the initial capital.
    pub returns: Vec<f64>,
    /// Periods of a year: 252 days, or 52 weeks of weekly bars.
    pub periods_per_year: f64,
}
