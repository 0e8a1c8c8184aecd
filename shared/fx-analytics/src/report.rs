//! The shape of a backtest's statistics. Undefined is `None`, never 0 or infinity.

use crate::{Comparable, PerBar};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The headline numbers of a run. Money in the account currency; `*_pct` and `max_drawdown` in percent; `win_rate` a fraction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Metrics {
    /// Closed trades.
    pub total_trades: u64,
    /// Closed trades with a gain.
    pub winning_trades: u64,
    /// Closed trades with a loss.
    pub losing_trades: u64,
    /// Winning over total, a fraction.
    pub win_rate: Option<f64>,
    /// Gross profit over gross loss.
    pub profit_factor: Option<f64>,
    /// Final equity less initial capital.
    pub net_profit: f64,
    /// The same in percent of the initial capital.
    pub net_profit_pct: f64,
    /// Deepest fall of equity from its peak, percent, zero or above.
    pub max_drawdown: f64,
    /// Mean gain of a closed trade.
    pub expectancy: Option<f64>,
    /// Sum of gains.
    pub gross_profit: f64,
    /// Sum of losses, zero or above.
    pub gross_loss: f64,
    /// Mean gain of a winning trade.
    pub avg_profit: Option<f64>,
    /// Mean loss of a losing trade, zero or below.
    pub avg_loss: Option<f64>,
    /// Realised capital at the end.
    pub final_balance: f64,
    /// Capital at the end with open positions marked.
    pub final_equity: f64,
    /// Final equity over initial capital less one, percent.
    pub return_pct: f64,
    /// What was paid, by kind.
    pub costs: CostTotals,
    /// Trades whose exit the bars leave open.
    pub ambiguous_trades: u64,
    /// Times that the margin level fell to the stop-out.
    #[serde(default)]
    pub stop_outs: u64,
    /// Times that it fell to the margin call.
    #[serde(default)]
    pub margin_calls: u64,
    /// Lowest margin level that was looked at with a position, percent: after fills and rollovers, at calls and
    /// stop-outs.
    #[serde(default)]
    pub lowest_margin_level_pct: Option<f64>,
}

/// Costs of all closed trades, above zero when paid, in the account currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CostTotals {
    /// Modelled spread.
    pub spread: f64,
    /// Commission.
    pub commission: f64,
    /// Slippage.
    pub slippage: f64,
    /// Rollover.
    pub financing: f64,
}

/// Statistics of single trades. Durations in hours.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TradeStats {
    /// Mean duration, hours.
    pub avg_trade_duration: Option<f64>,
    /// Longest, hours.
    pub max_trade_duration: Option<f64>,
    /// Shortest, hours.
    pub min_trade_duration: Option<f64>,
    /// Mean gain of winning trades.
    pub avg_profit: Option<f64>,
    /// Mean loss of losing trades, zero or below.
    pub avg_loss: Option<f64>,
    /// Largest gain.
    pub max_profit: Option<f64>,
    /// Largest loss, zero or below.
    pub max_loss: Option<f64>,
    /// Mean return of winning trades, percent of entry notional.
    pub avg_profit_pct: Option<f64>,
    /// Mean return of losing trades, percent of entry notional.
    pub avg_loss_pct: Option<f64>,
    /// Largest return, percent of entry notional.
    pub max_profit_pct: Option<f64>,
    /// Smallest return, percent of entry notional.
    pub max_loss_pct: Option<f64>,
    /// Longest run of winning trades.
    pub consecutive_wins: u64,
    /// Longest run of losing trades.
    pub consecutive_losses: u64,
}

/// One fall of equity from a peak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Drawdown {
    /// Depth, percent of the peak.
    pub drawdown: f64,
    /// Equity at the peak.
    pub peak_equity: f64,
    /// Lowest equity.
    pub trough_equity: f64,
    /// When the peak was, RFC 3339.
    pub peak_timestamp: String,
    /// When the trough was, RFC 3339.
    pub trough_timestamp: String,
    /// Days from trough to recovery; none while under water.
    pub recovery_time: Option<f64>,
    /// When the peak was reached again; none while under water.
    pub recovery_timestamp: Option<String>,
}

/// Falls of equity from its peaks. Percent and days.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DrawdownStats {
    /// Deepest, percent.
    pub max_drawdown: f64,
    /// Mean depth, percent.
    pub avg_drawdown: Option<f64>,
    /// The deepest, deepest first.
    pub top_drawdowns: Vec<Drawdown>,
    /// Mean days from trough to recovery.
    pub avg_recovery_time: Option<f64>,
    /// Longest days from trough to recovery.
    pub max_recovery_time: Option<f64>,
    /// Mean days from peak to recovery (or the end).
    pub avg_underwater_period: Option<f64>,
    /// Longest days from peak to recovery (or the end).
    pub max_underwater_period: Option<f64>,
}

/// How the ratios were annualised.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RatioBasis {
    /// Daily returns that the ratios rest on.
    pub daily_returns: u64,
    /// Samples of a year: 252 days, or 52 weeks of weekly bars.
    pub days_per_year: f64,
    /// What the sample is: `equity at 17:00 New York`, or the week's last equity of weekly bars (52 a year).
    pub sampling: String,
}

/// Everything that is computed from a finished run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// Headline numbers.
    pub metrics: Metrics,
    /// Mean over standard deviation of daily returns, annualised.
    pub sharpe_ratio: Option<f64>,
    /// Mean over downside deviation of daily returns, annualised.
    pub sortino_ratio: Option<f64>,
    /// Compound annual return of the same sample over the deepest drawdown.
    pub calmar_ratio: Option<f64>,
    /// Sample and annualisation of the ratios.
    pub ratio_basis: RatioBasis,
    /// Statistics of single trades.
    pub trade_stats: TradeStats,
    /// Falls of equity.
    pub drawdown_stats: DrawdownStats,
    /// Return of each month, percent, by `YYYY-MM`.
    pub monthly_returns: BTreeMap<String, f64>,
    /// The same run by the definitions of backtesting.py, for comparison.
    #[serde(default)]
    pub comparable: Comparable,
    /// The same run by the per-bar definitions of vectorbt, for comparison.
    #[serde(default)]
    pub per_bar: PerBar,
}
