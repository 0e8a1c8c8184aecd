//! What is stored. Each record carries the version of its form; adapters keep it as JSON beside the keys they index.

use crate::ports::Versioned;
use fx_domain::{
    BacktestId, DatasetName, Digest, ExecutionId, Granularity, Instrument, PriceSource, Principal, QuoteSide,
    StrategyId, UnixNanos,
};
use fx_engine::RunConfig;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

mod feature;

pub use feature::{FeatureKey, FeatureVersion, Told};
pub use fx_analytics::{Comparable, ScenarioRange};
pub use fx_engine::{
    CancelReason, Causality, IntrabarPolicy, MarginCause, MarginPoint, OpenPosition, OrderEvent,
    OrderEventKind, RejectReason,
};
pub use fx_strategy::ParameterValue;

/// Parameters by name.
pub type Parameters = BTreeMap<String, ParameterValue>;

/// Version of the records' form.
pub const RECORD_SCHEMA: u16 = 1;

/// One version of a strategy. Its `version` is the digest of all that decides what it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrategyVersion {
    /// Form of this record, [`RECORD_SCHEMA`].
    pub schema: u16,
    /// The strategy.
    pub id: StrategyId,
    /// Digest of source, parameters, instruments and timeframe.
    pub version: Digest,
    /// Who registered it.
    pub owner: Principal,
    /// Its name; the same owner and name is the same strategy.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The pairs it trades, in order.
    pub instruments: Vec<Instrument>,
    /// The bars it sees.
    pub timeframe: Granularity,
    /// Overrides of the source's parameters, as registered.
    pub parameters: Parameters,
    /// The source.
    pub source: String,
    /// Digest of the plan with these parameters.
    pub plan_hash: Digest,
    /// How it was shown that no decision depends on later bars; none of versions from before that was recorded.
    #[serde(default)]
    pub causality: Option<Causality>,
    /// When this version was first registered.
    pub created_at: UnixNanos,
}

/// A series of bars: where from, what, how long.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SeriesKey {
    /// The source.
    pub dataset: DatasetName,
    /// The pair.
    pub instrument: Instrument,
    /// The bars' length.
    pub granularity: Granularity,
}

/// `default/EUR_USD/1h`: a valid beginning of a blob key.
impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.dataset, self.instrument.key(), self.granularity)
    }
}

/// One version of a series. `version` is the digest of the manifest, which names every object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesVersion {
    /// Form of this record, [`RECORD_SCHEMA`].
    pub schema: u16,
    /// The series.
    pub series: SeriesKey,
    /// Digest of the manifest's bytes.
    pub version: Digest,
    /// Key of the manifest in the blob store.
    pub manifest_key: String,
    /// The stored side; none when both are.
    pub side: Option<QuoteSide>,
    /// Where a stored ask comes from; said only where it was made of a column of spreads.
    #[serde(default, skip_serializing_if = "PriceSource::is_measured")]
    pub ask_source: PriceSource,
    /// How many bars.
    pub rows: u64,
    /// Open time of the first bar.
    pub first: UnixNanos,
    /// Open time of the last bar.
    pub last: UnixNanos,
    /// Stretches without bars longer than one bar, weekends included.
    pub gaps: u64,
    /// Whether the bars were generated, not traded.
    pub synthetic: bool,
    /// When it was imported.
    pub created_at: UnixNanos,
}

impl Versioned for SeriesVersion {
    type Key = SeriesKey;
    const KIND: &'static str = "SERIES";
    fn key(&self) -> &SeriesKey {
        &self.series
    }
    fn version(&self) -> &Digest {
        &self.version
    }
}

/// The summary of one backtest: what was asked, what came out, and everything needed to get it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BacktestRecord {
    /// Form of this record, [`RECORD_SCHEMA`].
    pub schema: u16,
    /// The backtest.
    pub id: BacktestId,
    /// Who asked.
    pub owner: Principal,
    /// The strategy.
    pub strategy_id: StrategyId,
    /// Its version.
    pub strategy_version: Digest,
    /// Its name at the time.
    pub strategy_name: String,
    /// Digest of the plan that ran.
    pub plan_hash: Digest,
    /// Effective parameters.
    pub parameters: Parameters,
    /// The series of the first instrument's bars.
    pub series: SeriesKey,
    /// Of one series its version; of several, and with features, the digest over all of `inputs` and `features`, in order.
    pub data_version: Digest,
    /// Every series that was read: those traded on, finer ones, those converted by.
    pub inputs: Vec<SeriesInput>,
    /// Every feature that was read.
    #[serde(default)]
    pub features: Vec<FeatureInput>,
    /// Whether any of the bars were generated.
    pub synthetic: bool,
    /// Whether each instrument had an account of its own: the capital was split equally, the ledger's balance and the equity
    /// are of all accounts together, and margin is of single ones.
    #[serde(default)]
    pub independent: bool,
    /// First instant of decisions.
    pub start: UnixNanos,
    /// First instant behind the run.
    pub end: UnixNanos,
    /// The run's configuration; of a stored table of rates `financing` has the name and digest instead.
    pub config: RunConfig,
    /// Where the rates of rollover came from.
    pub financing: FinancingUsed,
    /// The engine's version.
    pub engine_version: String,
    /// The seed of everything random.
    pub seed: u64,
    /// Digest of trades, ledger and equity.
    pub result_hash: Digest,
    /// Bars that decisions were made on; of several instruments the instants at which bars closed.
    pub bars: u64,
    /// Statistics.
    pub report: fx_analytics::Report,
    /// The same run under each policy that was asked for, in order; none when none was.
    pub scenarios: Vec<ScenarioRecord>,
    /// The smallest and the largest of each figure over `scenarios`. What other policies give may lie outside.
    pub scenario_ranges: BTreeMap<String, ScenarioRange>,
    /// Positions still open at the end.
    pub open_positions: Vec<OpenPosition>,
    /// What the reader should know before believing the numbers.
    pub warnings: Vec<String>,
    /// When it was run.
    pub created_at: UnixNanos,
}

/// What a series was read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputRole {
    /// Its bars are traded on.
    Track,
    /// Its bars show the path inside a track's.
    Intrabar,
    /// Its prices convert into the account currency.
    Rate,
    /// The strategy reads it and trades something else.
    Reference,
}

impl InputRole {
    /// `track`, `intrabar`, `rate` or `reference`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Intrabar => "intrabar",
            Self::Rate => "rate",
            Self::Reference => "reference",
        }
    }
}

/// A series that a run read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesInput {
    /// The series.
    pub series: SeriesKey,
    /// Its version.
    pub version: Digest,
    /// What for.
    pub role: InputRole,
}

/// A feature that a run read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureInput {
    /// Which.
    pub series: FeatureKey,
    /// Its version.
    pub version: Digest,
}

/// Where the rates of rollover came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum FinancingUsed {
    /// Nowhere: rollover paid and cost nothing.
    #[default]
    Zero,
    /// A stored table.
    Table {
        /// Its name.
        name: String,
        /// Digest of its text.
        digest: Digest,
        /// How many rows it has.
        rows: u64,
    },
    /// The request: the rates are in the record's configuration.
    Request {
        /// The table's name.
        name: String,
        /// How many rows it has.
        rows: u64,
    },
}

/// The run under one intrabar policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScenarioRecord {
    /// The policy.
    pub policy: IntrabarPolicy,
    /// Digest of trades, ledger and equity.
    pub result_hash: Digest,
    /// Headline numbers.
    pub metrics: fx_analytics::Metrics,
    /// As [`fx_analytics::Report::sharpe_ratio`].
    pub sharpe_ratio: Option<f64>,
    /// As [`fx_analytics::Report::sortino_ratio`].
    pub sortino_ratio: Option<f64>,
    /// As [`fx_analytics::Report::calmar_ratio`].
    pub calmar_ratio: Option<f64>,
}

/// What one execution of a strategy decided and did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutionRecord {
    /// Form of this record, [`RECORD_SCHEMA`].
    pub schema: u16,
    /// The execution.
    pub id: ExecutionId,
    /// Who asked.
    pub owner: Principal,
    /// The strategy.
    pub strategy_id: StrategyId,
    /// Its version.
    pub strategy_version: Digest,
    /// Whether orders were only intended.
    pub dry_run: bool,
    /// `completed`, or `refused` by the risk check.
    pub status: String,
    /// The series of the first instrument's bars.
    pub series: SeriesKey,
    /// Of one series its version; of several the digest over all of them.
    pub data_version: Digest,
    /// Open time of the newest bar.
    pub signal_time: UnixNanos,
    /// What the strategy decided at that bar.
    pub signals: Vec<SignalRecord>,
    /// The risk service's word.
    pub risk_valid: bool,
    /// Why.
    pub risk_reason: String,
    /// The orders that follow.
    pub orders: Vec<IntendedOrder>,
    /// When it ran.
    pub created_at: UnixNanos,
}

/// One decision of a strategy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignalRecord {
    /// The pair.
    pub instrument: Instrument,
    /// `buy`, `sell`, `target`, `close`.
    pub action: String,
    /// The deciding bar's close.
    pub price: f64,
    /// Open time of the deciding bar.
    pub time: UnixNanos,
}

/// An order as it would be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntendedOrder {
    /// Its id with us.
    pub order_id: String,
    /// Its id with the gateway: the same decision has the same one.
    pub client_order_id: String,
    /// `intended` in a dry run.
    pub status: String,
    /// The pair.
    pub instrument: Instrument,
    /// How it meets the market: at once, or at the price that it waits for.
    pub kind: fx_domain::OrderKind,
    /// `long` or `short`.
    pub side: fx_domain::Side,
    /// How much; zero where that shows at the fill only.
    pub units: fx_domain::Units,
    /// Stop loss.
    pub stop_loss: Option<fx_domain::Price>,
    /// Take profit.
    pub take_profit: Option<fx_domain::Price>,
    /// Distance of the trailing stop.
    pub trailing_distance: Option<fx_domain::Price>,
    /// How long it waits.
    pub time_in_force: fx_domain::TimeInForce,
    /// What it filled at; none in a dry run.
    pub filled_price: Option<fx_domain::Price>,
}

/// What the records of runs are found by.
pub trait RunRecord: Serialize + DeserializeOwned + PartialEq + Send + Sync + 'static {
    /// The kind, as keys spell it: `BACKTEST`, `EXECUTION`.
    const KIND: &'static str;
    /// Its id.
    fn id(&self) -> &str;
    /// Who asked.
    fn owner(&self) -> &Principal;
    /// The strategy.
    fn strategy(&self) -> &StrategyId;
    /// When it ran.
    fn created_at(&self) -> UnixNanos;
}

macro_rules! run_record {
    ($record:ty, $kind:literal) => {
        impl RunRecord for $record {
            const KIND: &'static str = $kind;
            fn id(&self) -> &str {
                self.id.as_str()
            }
            fn owner(&self) -> &Principal {
                &self.owner
            }
            fn strategy(&self) -> &StrategyId {
                &self.strategy_id
            }
            fn created_at(&self) -> UnixNanos {
                self.created_at
            }
        }
    };
}
run_record!(BacktestRecord, "BACKTEST");
run_record!(ExecutionRecord, "EXECUTION");
