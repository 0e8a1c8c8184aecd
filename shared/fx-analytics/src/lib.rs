//! Statistics of a finished run, and the tear sheet that shows them.
//!
//! Every definition stands, with its source, in `docs/STATISTICS.md`.
//!
//! Invariants:
//! - Undefined is `None`: no statistic is ever NaN or infinite, and no input panics, the empty run included.
//! - One pass over the bars: a report of a million bars takes milliseconds.
//! - Logarithms and powers come from `libm`, so the same run has the same statistics on every platform.
//! - A tear sheet is one file without scripts and without links to anywhere; text of the user's is always escaped.
//!
//! What this crate must not know: where results are stored, how a run was computed, the clock.

mod comparable;
mod drawdowns;
mod numbers;
mod per_bar;
mod report;
mod run;
mod sampling;
mod scenarios;
mod tear_sheet;
mod trade_stats;

pub use comparable::{Comparable, ComparableInput, ComparableTrade, comparable};
pub use per_bar::{PerBar, PerBarInput, per_bar};
pub use report::{CostTotals, Drawdown, DrawdownStats, Metrics, RatioBasis, Report, TradeStats};
pub use run::{MarginFigures, RunView, TradeBars, report};
pub use scenarios::{ScenarioRange, figures, scenario_ranges};
pub use tear_sheet::{TRADE_ROWS_MAX, TRADES_DRAWN_MAX, TearSheet, content_security_policy, tear_sheet};
