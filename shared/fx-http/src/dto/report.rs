//! Statistics on the wire. Undefined is null, never 0 or infinity.

use fx_app::records::{BacktestRecord, Comparable, ScenarioRecord};
use fx_domain::{PlatformResult, StrategyId, UnixNanos};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The headline numbers of a run, in the account currency; `*_pct` and `max_drawdown` in percent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MetricsDto {
    /// Closed trades.
    total_trades: u64,
    /// Closed trades with a gain.
    winning_trades: u64,
    /// Closed trades with a loss.
    losing_trades: u64,
    /// Winning over total, a fraction.
    win_rate: Option<f64>,
    /// Gross profit over gross loss.
    profit_factor: Option<f64>,
    /// Final equity less initial capital.
    net_profit: f64,
    /// The same in percent of the initial capital.
    net_profit_pct: f64,
    /// Deepest fall of equity from its peak, percent, zero or above.
    max_drawdown: f64,
    /// Mean gain of a closed trade.
    expectancy: Option<f64>,
    /// Sum of gains.
    gross_profit: f64,
    /// Sum of losses, zero or above.
    gross_loss: f64,
    /// Mean gain of a winning trade.
    avg_profit: Option<f64>,
    /// Mean loss of a losing trade, zero or below.
    avg_loss: Option<f64>,
    /// Realised capital at the end.
    final_balance: f64,
    /// Capital at the end with open positions marked.
    final_equity: f64,
    /// Final equity over initial capital less one, percent.
    return_pct: f64,
    /// Costs of all closed trades, by kind.
    costs: CostsDto,
    /// Trades whose exit the bars leave open.
    ambiguous_trades: u64,
    /// Times that the margin level fell to the stop-out.
    stop_outs: u64,
    /// Times that it fell to the margin call.
    margin_calls: u64,
    /// Lowest margin level that was looked at with a position, percent.
    lowest_margin_level_pct: Option<f64>,
}

/// What was paid, by kind, in the account currency; above zero when paid.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CostsDto {
    /// Modelled spread.
    pub(crate) spread: f64,
    /// Commission.
    pub(crate) commission: f64,
    /// Slippage.
    pub(crate) slippage: f64,
    /// Rollover.
    pub(crate) financing: f64,
}

/// The wire form of headline numbers, whoever holds them.
macro_rules! metrics_dto {
    ($metrics:expr) => {{
        let metrics = &$metrics;
        MetricsDto {
            total_trades: metrics.total_trades,
            winning_trades: metrics.winning_trades,
            losing_trades: metrics.losing_trades,
            win_rate: metrics.win_rate,
            profit_factor: metrics.profit_factor,
            net_profit: metrics.net_profit,
            net_profit_pct: metrics.net_profit_pct,
            max_drawdown: metrics.max_drawdown,
            expectancy: metrics.expectancy,
            gross_profit: metrics.gross_profit,
            gross_loss: metrics.gross_loss,
            avg_profit: metrics.avg_profit,
            avg_loss: metrics.avg_loss,
            final_balance: metrics.final_balance,
            final_equity: metrics.final_equity,
            return_pct: metrics.return_pct,
            costs: CostsDto {
                spread: metrics.costs.spread,
                commission: metrics.costs.commission,
                slippage: metrics.costs.slippage,
                financing: metrics.costs.financing,
            },
            ambiguous_trades: metrics.ambiguous_trades,
            stop_outs: metrics.stop_outs,
            margin_calls: metrics.margin_calls,
            lowest_margin_level_pct: metrics.lowest_margin_level_pct,
        }
    }};
}

impl MetricsDto {
    pub(crate) fn of(record: &BacktestRecord) -> Self {
        metrics_dto!(record.report.metrics)
    }

    pub(crate) fn of_scenario(scenario: &ScenarioRecord) -> Self {
        metrics_dto!(scenario.metrics)
    }
}

/// Everything that is computed from a finished backtest.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PerformanceReport {
    /// The backtest.
    backtest_id: String,
    /// The strategy.
    strategy_id: String,
    /// First instant of decisions.
    #[schema(format = DateTime)]
    start_date: String,
    /// First instant behind the run.
    #[schema(format = DateTime)]
    end_date: String,
    /// Starting balance.
    initial_capital: f64,
    /// Headline numbers.
    metrics: MetricsDto,
    /// Mean over standard deviation of daily returns, annualised.
    sharpe_ratio: Option<f64>,
    /// Mean over downside deviation of daily returns, annualised.
    sortino_ratio: Option<f64>,
    /// Annual return over deepest drawdown.
    calmar_ratio: Option<f64>,
    /// Sample and annualisation of the ratios.
    ratio_basis: RatioBasisDto,
    /// Statistics of single trades.
    trade_stats: TradeStatsDto,
    /// Falls of equity from its peaks.
    drawdown_stats: DrawdownStatsDto,
    /// Return of each month, percent, by `YYYY-MM`.
    monthly_returns: BTreeMap<String, f64>,
    /// The same run in the definitions of backtesting.py, for comparison with it.
    comparable: Comparable,
}

/// How the ratios were annualised.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RatioBasisDto {
    /// Daily returns that the ratios rest on.
    daily_returns: u64,
    /// Days of a year.
    days_per_year: f64,
    /// When equity is sampled.
    sampling: String,
}

/// Statistics of single trades. Durations in hours.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TradeStatsDto {
    /// Mean duration, hours.
    avg_trade_duration: Option<f64>,
    /// Longest, hours.
    max_trade_duration: Option<f64>,
    /// Shortest, hours.
    min_trade_duration: Option<f64>,
    /// Mean gain of winning trades.
    avg_profit: Option<f64>,
    /// Mean loss of losing trades, zero or below.
    avg_loss: Option<f64>,
    /// Largest gain.
    max_profit: Option<f64>,
    /// Largest loss, zero or below.
    max_loss: Option<f64>,
    /// Mean return of winning trades, percent of entry notional.
    avg_profit_pct: Option<f64>,
    /// Mean return of losing trades, percent of entry notional.
    avg_loss_pct: Option<f64>,
    /// Largest return, percent of entry notional.
    max_profit_pct: Option<f64>,
    /// Smallest return, percent of entry notional.
    max_loss_pct: Option<f64>,
    /// Longest run of winning trades.
    consecutive_wins: u64,
    /// Longest run of losing trades.
    consecutive_losses: u64,
}

/// Falls of equity from its peaks. Percent and days.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DrawdownStatsDto {
    /// Deepest, percent.
    max_drawdown: f64,
    /// Mean depth, percent.
    avg_drawdown: Option<f64>,
    /// The deepest, deepest first.
    top_drawdowns: Vec<DrawdownDto>,
    /// Mean days from trough to recovery.
    avg_recovery_time: Option<f64>,
    /// Longest days from trough to recovery.
    max_recovery_time: Option<f64>,
    /// Mean days from peak to recovery, or to the end.
    avg_underwater_period: Option<f64>,
    /// Longest days from peak to recovery, or to the end.
    max_underwater_period: Option<f64>,
}

/// One fall of equity from a peak.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DrawdownDto {
    /// Depth, percent of the peak.
    drawdown: f64,
    /// Equity at the peak.
    peak_equity: f64,
    /// Lowest equity.
    trough_equity: f64,
    /// When the peak was.
    peak_timestamp: String,
    /// When the trough was.
    trough_timestamp: String,
    /// Days from trough to recovery; null while under water.
    recovery_time: Option<f64>,
    /// When the peak was reached again; null while under water.
    recovery_timestamp: Option<String>,
}

impl PerformanceReport {
    pub(crate) fn of(record: &BacktestRecord) -> Self {
        let report = &record.report;
        Self {
            backtest_id: record.id.to_string(),
            strategy_id: record.strategy_id.to_string(),
            start_date: record.start.to_string(),
            end_date: record.end.to_string(),
            initial_capital: record.config.account.capital.to_f64(),
            metrics: MetricsDto::of(record),
            sharpe_ratio: report.sharpe_ratio,
            sortino_ratio: report.sortino_ratio,
            calmar_ratio: report.calmar_ratio,
            ratio_basis: RatioBasisDto {
                daily_returns: report.ratio_basis.daily_returns,
                days_per_year: report.ratio_basis.days_per_year,
                sampling: report.ratio_basis.sampling.clone(),
            },
            trade_stats: TradeStatsDto::of(record),
            drawdown_stats: DrawdownStatsDto::of(record),
            monthly_returns: report.monthly_returns.clone(),
            comparable: report.comparable.clone(),
        }
    }
}

impl TradeStatsDto {
    fn of(record: &BacktestRecord) -> Self {
        let stats = &record.report.trade_stats;
        Self {
            avg_trade_duration: stats.avg_trade_duration,
            max_trade_duration: stats.max_trade_duration,
            min_trade_duration: stats.min_trade_duration,
            avg_profit: stats.avg_profit,
            avg_loss: stats.avg_loss,
            max_profit: stats.max_profit,
            max_loss: stats.max_loss,
            avg_profit_pct: stats.avg_profit_pct,
            avg_loss_pct: stats.avg_loss_pct,
            max_profit_pct: stats.max_profit_pct,
            max_loss_pct: stats.max_loss_pct,
            consecutive_wins: stats.consecutive_wins,
            consecutive_losses: stats.consecutive_losses,
        }
    }
}

impl DrawdownStatsDto {
    fn of(record: &BacktestRecord) -> Self {
        let stats = &record.report.drawdown_stats;
        let falls = stats.top_drawdowns.iter().map(|fall| DrawdownDto {
            drawdown: fall.drawdown,
            peak_equity: fall.peak_equity,
            trough_equity: fall.trough_equity,
            peak_timestamp: fall.peak_timestamp.clone(),
            trough_timestamp: fall.trough_timestamp.clone(),
            recovery_time: fall.recovery_time,
            recovery_timestamp: fall.recovery_timestamp.clone(),
        });
        Self {
            max_drawdown: stats.max_drawdown,
            avg_drawdown: stats.avg_drawdown,
            top_drawdowns: falls.collect(),
            avg_recovery_time: stats.avg_recovery_time,
            max_recovery_time: stats.max_recovery_time,
            avg_underwater_period: stats.avg_underwater_period,
            max_underwater_period: stats.max_underwater_period,
        }
    }
}

/// One metric of several strategies: `{strategy_id: value}`.
type ByStrategy = BTreeMap<String, Option<f64>>;

/// The newest backtest of several strategies, side by side.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Comparison {
    /// The strategies, in the order asked.
    strategies: Vec<String>,
    /// The backtest of each strategy.
    backtests: BTreeMap<String, String>,
    /// Each metric, by strategy.
    metrics_comparison: BTreeMap<String, ByStrategy>,
    /// Each statistic of single trades, by strategy.
    trade_stats_comparison: BTreeMap<String, ByStrategy>,
    /// Each statistic of drawdowns, by strategy.
    drawdown_comparison: BTreeMap<String, ByStrategy>,
    /// When it was compared.
    #[schema(format = DateTime)]
    timestamp: String,
}

impl Comparison {
    /// # Errors
    /// Never: numbers and texts always serialise.
    pub(crate) fn of(
        asked: &[StrategyId],
        records: &[BacktestRecord],
        now: UnixNanos,
    ) -> PlatformResult<Self> {
        let mut comparison = Self {
            strategies: asked.iter().map(ToString::to_string).collect(),
            backtests: BTreeMap::new(),
            metrics_comparison: BTreeMap::new(),
            trade_stats_comparison: BTreeMap::new(),
            drawdown_comparison: BTreeMap::new(),
            timestamp: now.to_string(),
        };
        for record in records {
            let id = record.strategy_id.as_str();
            comparison.backtests.insert(id.to_owned(), record.id.to_string());
            let metrics = &mut comparison.metrics_comparison;
            spread_out(metrics, id, &MetricsDto::of(record))?;
            for (name, ratio) in [
                ("sharpe_ratio", record.report.sharpe_ratio),
                ("sortino_ratio", record.report.sortino_ratio),
                ("calmar_ratio", record.report.calmar_ratio),
            ] {
                metrics.entry(name.to_owned()).or_default().insert(id.to_owned(), ratio);
            }
            spread_out(&mut comparison.trade_stats_comparison, id, &TradeStatsDto::of(record))?;
            spread_out(&mut comparison.drawdown_comparison, id, &DrawdownStatsDto::of(record))?;
        }
        Ok(comparison)
    }
}

/// Adds the numbers of `statistics` to a table by metric, then strategy. Lists and objects are no metric.
fn spread_out(
    table: &mut BTreeMap<String, ByStrategy>,
    id: &str,
    statistics: &impl Serialize,
) -> PlatformResult<()> {
    let value = serde_json::to_value(statistics).map_err(|error| {
        fx_domain::PlatformError::new(
            fx_domain::ErrorKind::BacktestReport,
            "the statistics cannot be compared",
        )
        .caused_by(error)
    })?;
    let Value::Object(fields) = value else { return Ok(()) };
    for (name, value) in fields {
        if value.is_number() || value.is_null() {
            table.entry(name).or_default().insert(id.to_owned(), value.as_f64());
        }
    }
    Ok(())
}
