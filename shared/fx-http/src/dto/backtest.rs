//! Results of backtests on the wire.

use super::backtest_request::fill_policy_word;
use super::dataset::FeatureNameDto;
use super::order_event::PendingOrderDto;
use super::parameter::{ParameterDto, parameter_map};
use super::report::{CostsDto, MetricsDto};
use fx_app::backtests::BacktestOutcome;
use fx_app::records::{
    BacktestRecord, FeatureInput, FinancingUsed, OpenPosition, ScenarioRange, ScenarioRecord, SeriesInput,
};
use fx_domain::{EquityCurve, Money, Price, Trade, UnixNanos};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A finished backtest: statistics, trades, equity, and everything needed to get it again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BacktestResult {
    /// The backtest.
    backtest_id: String,
    /// The strategy.
    strategy_id: String,
    /// Its name at the time.
    strategy_name: String,
    /// First instant of decisions.
    #[schema(format = DateTime)]
    start_date: String,
    /// First instant behind the run.
    #[schema(format = DateTime)]
    end_date: String,
    /// The pair, the first of several.
    instrument: String,
    /// What is traded, in order.
    instruments: Vec<String>,
    /// Whether each pair had an account of its own. Balance and equity are of all together, each point of `/margin` is of one.
    independent: bool,
    /// The bars' length.
    timeframe: &'static str,
    /// The source of the bars.
    dataset: String,
    /// Whether the bars were generated, not traded.
    synthetic: bool,
    /// Starting balance.
    initial_capital: f64,
    /// The currency of balance and P&L.
    account_currency: String,
    /// Effective parameters.
    parameters: BTreeMap<String, ParameterDto>,
    /// Statistics.
    metrics: MetricsDto,
    /// Closed trades in order of exit; the first page when there are more than 1000.
    trades: Vec<TradeDto>,
    /// Where `/trades` goes on; absent when `trades` is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
    /// Equity at bars' closes: every n-th point and the last, at most 2000.
    equity_curve: Vec<EquityPoint>,
    /// Points of the whole curve, which `/equity` answers.
    equity_points_total: u64,
    /// Positions still open at the end.
    open_positions: Vec<OpenPositionDto>,
    /// Orders that still wait at the end.
    pending_orders: Vec<PendingOrderDto>,
    /// The same run under each fill policy of `scenarios`, the first being this result; absent when none was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scenarios: Vec<ScenarioDto>,
    /// The smallest and the largest value of each figure over the scenarios. What other policies give may lie outside.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    range: BTreeMap<String, ScenarioRange>,
    /// Bars that decisions were made on; of several pairs the instants at which bars closed.
    bars: u64,
    /// Digest of trades, ledger and equity.
    result_hash: String,
    /// Version of the strategy.
    strategy_version: String,
    /// Digest of the plan that ran.
    plan_hash: String,
    /// Version of the bars; of several series the digest over all `inputs` and `features`.
    data_version: String,
    /// Every series that was read.
    inputs: Vec<InputDto>,
    /// Every feature that was read; absent when none was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    features: Vec<FeatureInputDto>,
    /// Where the rates of rollover came from.
    financing: FinancingDto,
    /// Version of the engine.
    engine_version: String,
    /// The seed of everything random.
    seed: u64,
    /// What the reader should know before believing the numbers.
    warnings: Vec<String>,
    /// When it was run.
    #[schema(format = DateTime)]
    created_at: String,
}

impl BacktestResult {
    pub(crate) fn of(outcome: &BacktestOutcome) -> Self {
        let BacktestOutcome { record, shown } = outcome;
        let more = record.report.metrics.total_trades > shown.trades.len() as u64;
        Self {
            backtest_id: record.id.to_string(),
            strategy_id: record.strategy_id.to_string(),
            strategy_name: record.strategy_name.clone(),
            start_date: record.start.to_string(),
            end_date: record.end.to_string(),
            instrument: record.series.instrument.to_string(),
            instruments: record.config.tracks.iter().map(|track| track.instrument.to_string()).collect(),
            independent: record.independent,
            timeframe: record.series.granularity.as_str(),
            dataset: record.series.dataset.to_string(),
            synthetic: record.synthetic,
            initial_capital: record.config.account.capital.to_f64(),
            account_currency: record.config.account.currency.code().to_owned(),
            parameters: parameter_map(&record.parameters),
            metrics: MetricsDto::of(record),
            trades: shown.trades.iter().map(TradeDto::of).collect(),
            next_page_token: more.then(|| shown.trades.len().to_string()),
            equity_curve: EquityPoint::all(&shown.curve).collect(),
            equity_points_total: record.bars,
            open_positions: record.open_positions.iter().map(OpenPositionDto::of).collect(),
            pending_orders: PendingOrderDto::all(&shown.pending),
            scenarios: record.scenarios.iter().map(ScenarioDto::of).collect(),
            range: record.scenario_ranges.clone(),
            bars: record.bars,
            result_hash: record.result_hash.to_string(),
            strategy_version: record.strategy_version.to_string(),
            plan_hash: record.plan_hash.to_string(),
            data_version: record.data_version.to_string(),
            inputs: record.inputs.iter().map(InputDto::of).collect(),
            features: record.features.iter().map(FeatureInputDto::of).collect(),
            financing: FinancingDto::of(&record.financing),
            engine_version: record.engine_version.clone(),
            seed: record.seed,
            warnings: record.warnings.clone(),
            created_at: record.created_at.to_string(),
        }
    }
}

/// A series that was read.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InputDto {
    /// The source of the bars.
    dataset: String,
    /// The pair.
    instrument: String,
    /// The bars' length.
    timeframe: &'static str,
    /// Its version.
    version: String,
    /// `track`: traded on. `intrabar`: shows the path inside a track's bars. `rate`: converts into the account currency. `reference`: read by the strategy, not traded.
    #[schema(pattern = "^(track|intrabar|rate|reference)$")]
    role: &'static str,
}

impl InputDto {
    fn of(input: &SeriesInput) -> Self {
        Self {
            dataset: input.series.dataset.to_string(),
            instrument: input.series.instrument.to_string(),
            timeframe: input.series.granularity.as_str(),
            version: input.version.to_string(),
            role: input.role.as_str(),
        }
    }
}

/// A feature that was read.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeatureInputDto {
    #[serde(flatten)]
    of: FeatureNameDto,
    /// Its version.
    version: String,
}

impl FeatureInputDto {
    fn of(input: &FeatureInput) -> Self {
        Self { of: FeatureNameDto::of(&input.series), version: input.version.to_string() }
    }
}

/// Where the rates of rollover came from.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct FinancingDto {
    /// `zero`: nowhere. `table`: a stored table. `request`: the request.
    #[schema(pattern = "^(zero|table|request)$")]
    source: &'static str,
    /// The table's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Digest of a stored table.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// How many rates it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    rates: Option<u64>,
}

impl FinancingDto {
    fn of(used: &FinancingUsed) -> Self {
        match used {
            FinancingUsed::Zero => Self { source: "zero", ..Self::default() },
            FinancingUsed::Table { name, digest, rows } => Self {
                source: "table",
                name: Some(name.clone()),
                digest: Some(digest.to_string()),
                rates: Some(*rows),
            },
            FinancingUsed::Request { name, rows } => {
                Self { source: "request", name: Some(name.clone()), digest: None, rates: Some(*rows) }
            }
        }
    }
}

/// The run under one fill policy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScenarioDto {
    /// The policy.
    fill_policy: &'static str,
    /// Digest of trades, ledger and equity.
    result_hash: String,
    /// Statistics.
    metrics: MetricsDto,
    /// As in the performance report.
    sharpe_ratio: Option<f64>,
    /// As in the performance report.
    sortino_ratio: Option<f64>,
    /// As in the performance report.
    calmar_ratio: Option<f64>,
}

impl ScenarioDto {
    fn of(scenario: &ScenarioRecord) -> Self {
        Self {
            fill_policy: fill_policy_word(scenario.policy),
            result_hash: scenario.result_hash.to_string(),
            metrics: MetricsDto::of_scenario(scenario),
            sharpe_ratio: scenario.sharpe_ratio,
            sortino_ratio: scenario.sortino_ratio,
            calmar_ratio: scenario.calmar_ratio,
        }
    }
}

/// A closed trade.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TradeDto {
    /// Number in order of exit, from 0.
    id: u64,
    /// Number of the position in order of entry, from 0.
    position_id: u64,
    /// The pair.
    instrument: String,
    /// `long` or `short`.
    #[serde(rename = "type")]
    #[schema(pattern = "^(long|short)$")]
    side: &'static str,
    /// After spread and slippage.
    entry_price: f64,
    /// When it was entered.
    #[schema(format = DateTime)]
    entry_time: String,
    /// After spread and slippage.
    exit_price: f64,
    /// When it was left.
    #[schema(format = DateTime)]
    exit_time: String,
    /// Units of the base currency.
    size: i64,
    /// Gain after commission and financing, in the account currency.
    profit_loss: f64,
    /// Gain in percent of the entry's notional.
    profit_loss_pct: f64,
    /// `close`, `reverse`, `stop_loss`, `take_profit`, `trailing_stop`, `stop_out`.
    exit_reason: &'static str,
    /// What it cost.
    costs: CostsDto,
    /// Worst price difference against the entry, zero or below.
    mae: f64,
    /// Best price difference, zero or above.
    mfe: f64,
    /// Whether the bars leave open which of two exits came first.
    ambiguous: bool,
}

impl TradeDto {
    pub(crate) fn of(trade: &Trade) -> Self {
        let money = |micros: i64| Money::from_micros(micros, trade.profit_loss.currency()).to_f64();
        Self {
            id: trade.id,
            position_id: trade.position_id,
            instrument: trade.instrument.to_string(),
            side: trade.side.as_str(),
            entry_price: trade.entry_price.to_f64(),
            entry_time: trade.entry_time.to_string(),
            exit_price: trade.exit_price.to_f64(),
            exit_time: trade.exit_time.to_string(),
            size: trade.units.get(),
            profit_loss: trade.profit_loss.to_f64(),
            profit_loss_pct: trade.return_fraction() * 100.0,
            exit_reason: trade.exit_reason.as_str(),
            costs: CostsDto {
                spread: money(trade.costs.spread_micros),
                commission: money(trade.costs.commission_micros),
                slippage: money(trade.costs.slippage_micros),
                financing: money(trade.costs.financing_micros),
            },
            mae: trade.mae.to_f64(),
            mfe: trade.mfe.to_f64(),
            ambiguous: trade.ambiguous,
        }
    }
}

/// Equity at one bar's close.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EquityPoint {
    /// Open time of the bar.
    #[schema(format = DateTime)]
    timestamp: String,
    /// Equity in the account currency.
    equity: f64,
}

impl EquityPoint {
    pub(crate) fn all(curve: &EquityCurve) -> impl Iterator<Item = Self> {
        let point = |(index, time): (usize, &UnixNanos)| Self {
            timestamp: time.to_string(),
            equity: curve.at(index).to_f64(),
        };
        curve.times.iter().enumerate().map(point)
    }
}

/// A position that is still open.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpenPositionDto {
    /// Number in order of entry, from 0.
    position_id: u64,
    /// The pair.
    instrument: String,
    /// `long` or `short`.
    #[serde(rename = "type")]
    #[schema(pattern = "^(long|short)$")]
    side: &'static str,
    /// Units of the base currency.
    size: i64,
    /// After spread and slippage.
    entry_price: f64,
    /// When it was entered.
    #[schema(format = DateTime)]
    entry_time: String,
    /// Exit at a loss.
    stop_loss: Option<f64>,
    /// Exit at a gain.
    take_profit: Option<f64>,
    /// How far a trailing exit stays behind the best price.
    trailing_distance: Option<f64>,
    /// Gain at the last close, in the account currency.
    unrealized_profit_loss: f64,
}

impl OpenPositionDto {
    fn of(position: &OpenPosition) -> Self {
        let level = |level: Option<Price>| level.map(Price::to_f64);
        Self {
            position_id: position.position_id,
            instrument: position.instrument.to_string(),
            side: position.side.as_str(),
            size: position.units.get(),
            entry_price: position.entry_price.to_f64(),
            entry_time: position.entry_time.to_string(),
            stop_loss: level(position.protect.stop_loss),
            take_profit: level(position.protect.take_profit),
            trailing_distance: level(position.protect.trailing_distance),
            unrealized_profit_loss: position.unrealized.to_f64(),
        }
    }
}

/// Where a backtest stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BacktestStatus {
    /// The backtest.
    pub(crate) backtest_id: String,
    /// Always `completed`: a backtest is stored when it is done.
    #[schema(pattern = "^completed$")]
    pub(crate) status: &'static str,
    /// Done, a fraction.
    pub(crate) progress: f64,
    /// Seconds left.
    pub(crate) eta_seconds: f64,
    /// What came out.
    pub(crate) result: BacktestResult,
}

/// A page of closed trades, in order of exit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TradePage {
    /// The backtest.
    pub(crate) backtest_id: String,
    /// The trades.
    pub(crate) trades: Vec<TradeDto>,
    /// Where to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page_token: Option<String>,
}

/// A page of the equity curve.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EquityPage {
    /// The backtest.
    pub(crate) backtest_id: String,
    /// The points.
    pub(crate) equity_curve: Vec<EquityPoint>,
    /// Where to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page_token: Option<String>,
}

/// A backtest in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BacktestSummary {
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
    /// Statistics.
    metrics: MetricsDto,
}

impl BacktestSummary {
    pub(crate) fn of(record: &BacktestRecord) -> Self {
        Self {
            backtest_id: record.id.to_string(),
            strategy_id: record.strategy_id.to_string(),
            start_date: record.start.to_string(),
            end_date: record.end.to_string(),
            initial_capital: record.config.account.capital.to_f64(),
            metrics: MetricsDto::of(record),
        }
    }
}

/// A page of backtests, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BacktestSummaries {
    /// The backtests.
    pub(crate) backtests: Vec<BacktestSummary>,
    /// Where to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page_token: Option<String>,
}
