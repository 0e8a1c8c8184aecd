//! What can go wrong in a run.

use fx_domain::{BarFault, UnixNanos};

/// A run that cannot be started or go on. Nothing of a failed call's output may be used.
///
/// Bars are named by their number since the run's first bar, warm-up included, from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The run's configuration is wrong.
    #[error("{field}: {reason}")]
    Config {
        /// The field of [`RunConfig`](crate::RunConfig).
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The plan is not well formed.
    #[error(transparent)]
    Plan(#[from] fx_strategy::PlanError),
    /// The columns of the bars have different lengths.
    #[error("the columns of the bars differ in length")]
    ColumnsDiffer,
    /// These bars store other sides than the bars before.
    #[error("these bars store other sides of the quote than the bars before them")]
    SidesChanged,
    /// A bar cannot be traded on.
    #[error("bar {index} at {time}: {source}")]
    Bar {
        /// Its number.
        index: u64,
        /// Its open time.
        time: UnixNanos,
        /// What is wrong with it.
        source: BadBar,
    },
    /// An amount does not fit its integer, or a size is beyond [`UNITS_MAX`](crate::UNITS_MAX).
    #[error("bar {index} at {time}: the {what} is out of range")]
    Overflow {
        /// The bar's number.
        index: u64,
        /// Its open time.
        time: UnixNanos,
        /// Balance, equity, commission, size or fill price.
        what: &'static str,
    },
    /// The bytes are not a state of this run.
    #[error("the stored state cannot be resumed: {reason}")]
    State {
        /// Why not.
        reason: &'static str,
    },
}

/// What makes a bar unfit to trade on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBar {
    /// It is no bar.
    #[error(transparent)]
    Fault(#[from] BarFault),
    /// A price is beyond [`PRICE_MAX`](crate::PRICE_MAX).
    #[error("a price is above the largest that the engine computes with")]
    PriceTooHigh,
}
