//! Whether the best of many trials is more than the luckiest.
//!
//! Two views of the same question. [`deflated_sharpe_ratio`] asks how likely the best trial's Sharpe ratio is above
//! what the best of as many worthless trials would show. [`backtest_overfitting`] cuts the time into blocks, chooses
//! the best trial on each half of them and looks at how it ranks on the other half.
//!
//! Sharpe ratios are *per period* here, not annualised: mean over standard deviation (n − 1) of the returns. An
//! annualised one is divided by the root of the periods of a year, as
//! [`PeriodReturns::periods_per_year`](crate::PeriodReturns) has them.

mod cross_validation;
mod normal;
mod sharpe;

pub use cross_validation::{
    BLOCKS_DEFAULT, BLOCKS_MAX, BacktestOverfitting, PERIODS_PER_BLOCK_MIN, TRIALS_MAX, backtest_overfitting,
};
pub use sharpe::{
    DeflatedSharpe, SharpeSample, deflated_sharpe_ratio, expected_maximum_sharpe,
    minimum_track_record_length, probabilistic_sharpe_ratio,
};
