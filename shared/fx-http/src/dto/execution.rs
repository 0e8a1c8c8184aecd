//! Executions on the wire.

use super::parameter::ParameterDto;
use crate::input::{Faults, Fields, FromFields, read};
use fx_app::executions::ExecutionRequest;
use fx_app::records::{ExecutionRecord, IntendedOrder, Parameters, SignalRecord};
use fx_domain::{DatasetName, ErrorKind, OrderKind, Price, StrategyId};
use serde::Serialize;
use utoipa::ToSchema;

/// A strategy to be run once on the newest bars.
#[derive(Debug, ToSchema)]
pub(crate) struct ExecuteBody {
    /// The strategy.
    #[schema(value_type = String, min_length = 1, max_length = 80, pattern = "^[A-Za-z0-9_-]+$")]
    strategy_id: StrategyId,
    /// Capital it may use, in the quote currency of the first pair.
    #[schema(exclusive_minimum = 0, maximum = 1e12, example = 10000)]
    capital_allocation: f64,
    /// Overrides of the registered parameters.
    #[schema(value_type = Option<BTreeMap<String, ParameterDto>>)]
    parameters: Parameters,
    /// The source of the bars.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 80, pattern = "^[A-Za-z0-9_-]+$", default = "default")]
    dataset: Option<DatasetName>,
    /// Only true: orders are intended, not sent.
    #[schema(value_type = Option<bool>, default = true)]
    #[expect(dead_code, reason = "one value is accepted, and it is the default")]
    dry_run: Option<()>,
}

impl FromFields for ExecuteBody {
    const UNSUPPORTED: ErrorKind = ErrorKind::StrategyConfiguration;

    fn read(fields: &mut Fields) -> Option<Self> {
        let strategy_id = fields.required("strategy_id", read::parsed(StrategyId::parse));
        let capital_allocation = fields.required("capital_allocation", read::number);
        let parameters = fields.optional("parameters", read::parameters).unwrap_or_default();
        let dataset = fields.optional("dataset", read::parsed(DatasetName::parse));
        let dry_run = fields.optional("dry_run", |path, value| match read::boolean(path, value)? {
            true => Ok(()),
            false => Err(Faults::unsupported(
                path,
                "this deployment supports dry runs only: send true, or leave it out",
            )),
        });
        fields.unsupported("account_id", "this deployment has no accounts");
        Some(Self {
            strategy_id: strategy_id?,
            capital_allocation: capital_allocation?,
            parameters,
            dataset,
            dry_run,
        })
    }
}

impl From<ExecuteBody> for ExecutionRequest {
    fn from(body: ExecuteBody) -> Self {
        let ExecuteBody { strategy_id, capital_allocation, parameters, dataset, dry_run: _ } = body;
        Self { strategy_id, capital_allocation, parameters, dataset: dataset.unwrap_or_default() }
    }
}

/// What one execution of a strategy decided and did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExecutionDto {
    /// The execution.
    execution_id: String,
    /// The strategy.
    strategy_id: String,
    /// Its version.
    strategy_version: String,
    /// `completed`, or `refused` by the risk check.
    status: String,
    /// Whether orders were only intended.
    dry_run: bool,
    /// The pair.
    instrument: String,
    /// The bars' length.
    timeframe: &'static str,
    /// Version of the bars.
    data_version: String,
    /// Open time of the deciding bar.
    #[schema(format = DateTime)]
    signal_time: String,
    /// What the strategy decided at that bar.
    signals: Vec<SignalDto>,
    /// The risk service's word.
    risk: RiskDto,
    /// The orders that follow.
    orders: Vec<OrderDto>,
    /// When it ran.
    #[schema(format = DateTime)]
    created_at: String,
}

/// One decision.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignalDto {
    /// The pair.
    instrument: String,
    /// `buy`, `sell`, `target`, `close`.
    action: String,
    /// The deciding bar's close.
    price: f64,
    /// Open time of the deciding bar.
    #[schema(format = DateTime)]
    timestamp: String,
}

/// The risk service's word.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RiskDto {
    /// Whether the orders may be sent.
    is_valid: bool,
    /// Why.
    reason: String,
}

/// An order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderDto {
    /// Its id with us.
    order_id: String,
    /// Its id with the gateway.
    client_order_id: String,
    /// `intended` in a dry run.
    status: String,
    /// The pair.
    instrument: String,
    /// `market`, `limit`, `stop`, `stop_limit`, `market_if_touched`, `trailing_stop`.
    kind: &'static str,
    /// What it waits for, of a stop-limit order its limit; null of a market order.
    price: Option<f64>,
    /// `long` or `short`.
    #[schema(pattern = "^(long|short)$")]
    side: &'static str,
    /// Units of the base currency; 0 where they are known at the fill only.
    size: i64,
    /// Exit at a loss.
    stop_loss: Option<f64>,
    /// Exit at a gain.
    take_profit: Option<f64>,
    /// How far a trailing exit stays behind the best price.
    trailing_distance: Option<f64>,
    /// What it filled at; null in a dry run.
    filled_price: Option<f64>,
}

impl ExecutionDto {
    pub(crate) fn of(record: &ExecutionRecord) -> Self {
        Self {
            execution_id: record.id.to_string(),
            strategy_id: record.strategy_id.to_string(),
            strategy_version: record.strategy_version.to_string(),
            status: record.status.clone(),
            dry_run: record.dry_run,
            instrument: record.series.instrument.to_string(),
            timeframe: record.series.granularity.as_str(),
            data_version: record.data_version.to_string(),
            signal_time: record.signal_time.to_string(),
            signals: record.signals.iter().map(SignalDto::of).collect(),
            risk: RiskDto { is_valid: record.risk_valid, reason: record.risk_reason.clone() },
            orders: record.orders.iter().map(OrderDto::of).collect(),
            created_at: record.created_at.to_string(),
        }
    }
}

impl SignalDto {
    fn of(signal: &SignalRecord) -> Self {
        Self {
            instrument: signal.instrument.to_string(),
            action: signal.action.clone(),
            price: signal.price,
            timestamp: signal.time.to_string(),
        }
    }
}

impl OrderDto {
    fn of(order: &IntendedOrder) -> Self {
        Self {
            order_id: order.order_id.clone(),
            client_order_id: order.client_order_id.clone(),
            status: order.status.clone(),
            instrument: order.instrument.to_string(),
            kind: order.kind.as_str(),
            price: waits_for(order.kind).map(Price::to_f64),
            side: order.side.as_str(),
            size: order.units.get(),
            stop_loss: order.stop_loss.map(Price::to_f64),
            take_profit: order.take_profit.map(Price::to_f64),
            trailing_distance: order.trailing_distance.map(Price::to_f64),
            filled_price: order.filled_price.map(Price::to_f64),
        }
    }
}

const fn waits_for(kind: OrderKind) -> Option<Price> {
    match kind {
        OrderKind::Market => None,
        OrderKind::Limit(price)
        | OrderKind::Stop(price)
        | OrderKind::MarketIfTouched(price)
        | OrderKind::StopLimit { limit: price, .. }
        | OrderKind::TrailingStop { level: price, .. } => Some(price),
    }
}

/// A page of executions, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExecutionPage {
    /// The executions.
    pub(crate) executions: Vec<ExecutionDto>,
    /// Where to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page_token: Option<String>,
}
