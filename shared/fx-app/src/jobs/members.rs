//! One run of a sweep.

use crate::records::Parameters;
use fx_analytics::{Metrics, PeriodReturns};
use fx_domain::Digest;
use serde::{Deserialize, Serialize};

/// One set of parameters of a sweep, and what it gave. Its trades are not kept: a backtest with these parameters makes them
/// again, and its `result_hash` says that they are the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepMember {
    /// Effective parameters.
    pub parameters: Parameters,
    /// Digest of the plan that ran.
    pub plan_hash: Digest,
    /// Digest of trades, ledger and equity.
    pub result_hash: Digest,
    /// Headline numbers.
    pub metrics: Metrics,
    /// Annualised, of daily equity.
    pub sharpe_ratio: Option<f64>,
    /// What the best one is best by; none where it is undefined.
    pub score: Option<f64>,
}

/// What a chunk keeps of a member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberResult {
    /// What the sweep's result shows.
    pub member: SweepMember,
    /// Bars that decisions were made on.
    pub bars: u64,
    /// Returns of trading days.
    pub returns: Option<PeriodReturns>,
}
