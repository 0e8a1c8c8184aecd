//! Statistics of a run, gathered as its rows come, and the tear sheet that shows them.
//!
//! Every definition stands, with its source, in `docs/STATISTICS.md`.
//!
//! Invariants:
//! - Undefined is `None`: no statistic is ever NaN or infinite, and no run panics, the empty one included.
//! - One pass over the bars, none of which is kept: an [`Analysis`] is a value that can be stored on the way, and however
//!   the rows are cut its figures are the same bits. Some ten nanoseconds a bar.
//! - Logarithms and powers come from `libm`, so the same run has the same statistics on every platform.
//! - What is random comes from a seed that is given, and each sample depends on that and its number alone.
//! - A tear sheet is one file without scripts and without links to anywhere; text of the user's is always escaped.
//!
//! What this crate must not know: where results are stored, how a run was computed, the clock.

mod analysis;
mod comparable;
mod drawdowns;
mod invalid_input;
mod monthly;
mod numbers;
pub mod overfitting;
mod per_bar;
mod percentiles;
mod period_returns;
mod ratios;
mod report;
pub mod resample;
mod sampling;
mod scenarios;
mod stamps;
mod targets;
mod tear_sheet;
mod trade_stats;
pub mod walk_forward;

pub use analysis::{Analysis, MarginFigures, RunEnd, RunStart, TradeBars};
pub use comparable::{Comparable, ComparableRun, ComparableTrade};
pub use invalid_input::InvalidInput;
pub use per_bar::{PerBar, PerBarRun};
pub use percentiles::Percentiles;
pub use period_returns::PeriodReturns;
pub use report::{CostTotals, Drawdown, DrawdownStats, Metrics, RatioBasis, Report, TradeStats};
pub use scenarios::{ScenarioRange, figures, scenario_ranges};
pub use targets::Target;
pub use tear_sheet::{
    Sketch, TRADE_ROWS_MAX, TRADES_DRAWN_MAX, TearSheet, content_security_policy, tear_sheet,
};
