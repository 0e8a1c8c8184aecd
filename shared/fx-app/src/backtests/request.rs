//! What a backtest is asked for.

use super::IntrabarPolicy;
use crate::records::{Parameters, StrategyVersion};
use fx_domain::{
    Currency, DatasetName, Digest, FinancingTable, Granularity, Instrument, StrategyId, UnixNanos,
};
use fx_engine::{AccountKind, Commission, FEATURES_AGE_HOURS_DEFAULT, FillTime, Slippage, StopOutPolicy};
use serde::{Deserialize, Serialize};

/// What a backtest is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BacktestRequest {
    /// The strategy.
    pub strategy_id: StrategyId,
    /// Its version; the latest when absent.
    pub strategy_version: Option<Digest>,
    /// What is traded, asked in this order at equal times; the strategy's own when empty.
    pub instruments: Vec<Instrument>,
    /// Whether each instrument has an account of its own, with an equal share of the capital; else all share one.
    pub independent: bool,
    /// First instant of decisions.
    pub start: UnixNanos,
    /// First instant behind the run.
    pub end: UnixNanos,
    /// Starting balance in the account currency.
    pub initial_capital: f64,
    /// Overrides of the registered parameters.
    pub parameters: Parameters,
    /// The currency of balance and P&L; the first instrument's quote currency when absent.
    pub account_currency: Option<Currency>,
    /// Whether opposite entries meet.
    pub account: AccountKind,
    /// Notional over used margin.
    pub leverage: f64,
    /// Margin level in percent at or below which the account is called.
    pub margin_call_pct: f64,
    /// Margin level in percent at or below which entries are closed.
    pub stop_out_pct: f64,
    /// Which entries a stop-out closes.
    pub stop_out_policy: StopOutPolicy,
    /// Whether a balance below zero with nothing open is set to zero.
    pub negative_balance_protection: bool,
    /// When market orders fill.
    pub fill: FillTime,
    /// Which exit comes first inside a bar.
    pub fill_policy: IntrabarPolicy,
    /// Finer bars that show the path inside each bar.
    pub intrabar: Option<Granularity>,
    /// Policies that the run is made under, each once; the first one's is the result. Empty: `fill_policy` alone.
    pub scenarios: Vec<IntrabarPolicy>,
    /// Modelled spread.
    pub spread: SpreadRequest,
    /// Commission.
    pub commission: Commission,
    /// How far market and stop fills move against the trader; distances in pips.
    pub slippage: Slippage,
    /// What holding over 17:00 New York pays or costs.
    pub financing: FinancingRequest,
    /// Entries on the side already held that are allowed on top of the first.
    pub pyramiding: u32,
    /// The source of the bars.
    pub dataset: DatasetName,
    /// The version of the bars, as a result names it; the latest when absent.
    pub data_version: Option<Digest>,
    /// A feature's value that was available longer ago than this, in hours, is not decided by: the run is refused.
    pub features_age_hours_max: u32,
    /// The seed of everything random.
    pub seed: u64,
}

/// How the missing side of one-sided data is made, before the instruments are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpreadRequest {
    /// As stored; none for one-sided data.
    #[default]
    Measured,
    /// A fixed number of pips.
    Pips(f64),
    /// Tenths of a pip: the smallest quoted step.
    Points(f64),
    /// Pips by the UTC hour in which a bar opens.
    ByHour([f64; 24]),
    /// As [`SpreadModel::RelativeOnEntry`](fx_engine::SpreadModel::RelativeOnEntry).
    RelativeOnEntry(f64),
    /// As [`SpreadModel::Relative`](fx_engine::SpreadModel::Relative).
    Relative(f64),
}

/// Where the rates of rollover come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinancingRequest {
    /// Nowhere: rollover pays and costs nothing.
    #[default]
    Zero,
    /// The stored table of this name.
    Table(String),
    /// Given with the request.
    Rates(FinancingTable),
}

impl BacktestRequest {
    /// A request with every option at its default.
    #[must_use]
    pub fn new(strategy_id: StrategyId, start: UnixNanos, end: UnixNanos) -> Self {
        Self {
            strategy_id,
            strategy_version: None,
            instruments: Vec::new(),
            independent: false,
            start,
            end,
            initial_capital: 10_000.0,
            parameters: Parameters::new(),
            account_currency: None,
            account: AccountKind::default(),
            leverage: 30.0,
            margin_call_pct: 100.0,
            stop_out_pct: 50.0,
            stop_out_policy: StopOutPolicy::default(),
            negative_balance_protection: false,
            fill: FillTime::default(),
            fill_policy: IntrabarPolicy::default(),
            intrabar: None,
            scenarios: Vec::new(),
            spread: SpreadRequest::default(),
            commission: Commission::default(),
            slippage: Slippage::default(),
            financing: FinancingRequest::default(),
            pyramiding: 0,
            dataset: DatasetName::default(),
            data_version: None,
            features_age_hours_max: FEATURES_AGE_HOURS_DEFAULT,
            seed: 0,
        }
    }

    /// What is traded, in order.
    pub(crate) fn traded<'a>(&'a self, strategy: &'a StrategyVersion) -> &'a [Instrument] {
        if self.instruments.is_empty() { &strategy.instruments } else { &self.instruments }
    }

    /// The policies of the runs, the result's first.
    pub(crate) fn policies(&self) -> Vec<IntrabarPolicy> {
        if self.scenarios.is_empty() { vec![self.fill_policy] } else { self.scenarios.clone() }
    }
}
