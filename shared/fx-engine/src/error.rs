//! What can go wrong in a run.

use crate::FeatureTrack;
use fx_domain::{BarFault, Currency, Granularity, Instrument, Side, UnixNanos};

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
    /// The strategy reads a timeframe that its own bars do not add up to.
    #[error("the strategy reads bars of {wanted}, which are not longer than its own bars of {own}")]
    Timeframe {
        /// What it reads.
        wanted: Granularity,
        /// What it runs on.
        own: Granularity,
    },
    /// The run has no series of an instrument that the strategy reads.
    #[error("the strategy reads bars of {instrument}, which the run does not have")]
    NoReference {
        /// The pair.
        instrument: Instrument,
    },
    /// The run has no values of a feature that the strategy reads.
    #[error("the strategy reads {} of {}, which the run does not have", .0.feature, .0.instrument)]
    NoFeature(FeatureTrack),
    /// A bar is decided on for which no value of a feature was available, or only one that is too old.
    #[error("at {time} there is no value of {} for {}{}", track.feature, track.instrument, last_told(*seen, *hours_max))]
    StaleFeature {
        /// Which feature of which pair.
        track: FeatureTrack,
        /// The bar's close.
        time: UnixNanos,
        /// When the newest value was available.
        seen: Option<UnixNanos>,
        /// How old it may be, in hours.
        hours_max: u32,
    },
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
    /// None of the run's series converts the one currency into the other.
    #[error("there are no prices that convert {from} into {to}: neither their pair nor both against USD")]
    NoRate {
        /// The currency of an amount.
        from: Currency,
        /// The account currency.
        to: Currency,
    },
    /// The price that converts is missing or too old.
    #[error("at {time} there is no fresh price of {instrument} to convert by{}", last_seen(*seen))]
    StaleRate {
        /// The pair that is converted by.
        instrument: Instrument,
        /// When it was needed.
        time: UnixNanos,
        /// When it was last seen.
        seen: Option<UnixNanos>,
    },
    /// The financing table has no rate for a position that is held over 17:00 New York.
    #[error("the financing table has no rate for {instrument} {} at {time}", side.as_str())]
    NoSwap {
        /// The pair.
        instrument: Instrument,
        /// The position's side.
        side: Side,
        /// 17:00 New York.
        time: UnixNanos,
    },
    /// The bars begin before an instant that the run has passed: a call was cut where a bar was open.
    #[error(
        "a bar of {instrument} opens at {time}, when the run is at {now} already: cut where no bar is open"
    )]
    CutThroughBar {
        /// The pair.
        instrument: Instrument,
        /// The bar's open.
        time: UnixNanos,
        /// Where the run is.
        now: UnixNanos,
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
    /// The time is 146 years or more from 1970.
    #[error("the time is too far from 1970")]
    TimeTooFar,
}

fn last_seen(seen: Option<UnixNanos>) -> String {
    seen.map_or_else(String::new, |seen| format!(": the last is of {seen}"))
}

fn last_told(seen: Option<UnixNanos>, hours_max: u32) -> String {
    match seen {
        None => ": none was available by then".to_owned(),
        Some(seen) => format!(": the newest was available at {seen}, more than {hours_max} hours before"),
    }
}
