//! Run a strategy once on the newest bars: what does it want now, and may it?
//!
//! It is a dry run: orders are intended, approved or refused, and recorded, and nothing is sent.

use crate::ports::{Page, PageRequest, RiskAnswer, RiskRequest, TimeRange};
use crate::records::{
    ExecutionRecord, IntendedOrder, Parameters, RECORD_SCHEMA, SeriesKey, SeriesVersion, SignalRecord,
    StrategyVersion,
};
use crate::{App, Caller, backtests, errors, strategies};
use fx_domain::{
    Bar, Bars, DatasetName, Digest, DigestBuilder, ErrorKind, ExecutionId, Money, Ohlc, Order, PlatformError,
    PlatformResult, Price, QuoteColumns, Side, StrategyId, UnixNanos,
};
use fx_engine::{Decision, OrderEventKind, PendingOrder, RunConfig, State};
use fx_strategy::{Compiled, Plan};

/// Bars before the deciding one that a strategy is run over, besides its warm-up: recursive indicators forget their
/// seed within this many, and the position that it would hold by now has had time to form.
pub const HISTORY_BARS: usize = 5_000;

/// A strategy to be run once.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecutionRequest {
    /// The strategy.
    pub strategy_id: StrategyId,
    /// Capital that it may use, in the pair's quote currency.
    pub capital_allocation: f64,
    /// Overrides of the registered parameters.
    pub parameters: Parameters,
    /// The source of the bars.
    pub dataset: DatasetName,
}

/// What the strategy wants after the newest bar.
struct Wish {
    time: UnixNanos,
    close: f64,
    equity: Money,
    pending: Vec<PendingOrder>,
    orders: Vec<IntendedFill>,
    refusals: Vec<String>,
}

/// An order as it would fill if the market stood still at the newest close.
struct IntendedFill {
    order: Order,
    price: Price,
}

impl App {
    /// Runs a strategy over the newest bars and records what it wants, and whether risk approves.
    ///
    /// # Errors
    /// `StrategyLoadError` (404), `StrategyConfigurationError`, `BacktestDataError` when there are no bars,
    /// `StrategyExecutionError` when the run breaks, `ServiceError` when a store or the risk service fails.
    #[tracing::instrument(skip_all, fields(strategy.id = %request.strategy_id))]
    pub async fn execute(
        &self,
        caller: &Caller,
        request: ExecutionRequest,
    ) -> PlatformResult<ExecutionRecord> {
        let strategy = self.get_strategy(caller, &request.strategy_id, None).await?;
        let backtest = backtests::BacktestRequest {
            initial_capital: request.capital_allocation,
            dataset: request.dataset,
            ..backtests::BacktestRequest::new(
                strategy.id.clone(),
                UnixNanos::new(0),
                UnixNanos::new(i64::MAX),
            )
        };
        let series = backtest.series(&strategy)?;
        let config = backtest.run_config(series.instrument).map_err(name_capital)?;
        let data = self.describe_series(&series, None).await?;
        let mut parameters = strategy.parameters.clone();
        parameters.extend(request.parameters);
        let compiled = strategies::compile(strategy.source.clone(), parameters).await?;
        let wish = self.wish(&data, config, compiled).await?;
        let risk = self.ask_risk(&strategy, &series, &wish).await;
        let record = record(caller, &strategy, &data, &wish, risk, self.clock.now());
        self.executions.put(&record).await.map_err(errors::store)?;
        tracing::info!(execution.id = %record.id, status = record.status, orders = record.orders.len(), "strategy executed");
        Ok(record)
    }

    /// The record of an execution.
    ///
    /// # Errors
    /// `NotFoundError` when it does not exist for the caller.
    pub async fn get_execution(&self, caller: &Caller, id: &ExecutionId) -> PlatformResult<ExecutionRecord> {
        self.executions
            .get(id)
            .await
            .map_err(errors::store)?
            .filter(|record| caller.sees(&record.owner))
            .ok_or_else(|| PlatformError::new(ErrorKind::NotFound, format!("execution {id} not found")))
    }

    /// A page of the caller's executions of one strategy, or of all, newest first.
    ///
    /// # Errors
    /// `ServiceError` when the store fails.
    pub async fn list_executions(
        &self,
        caller: &Caller,
        strategy: Option<&StrategyId>,
        page: &PageRequest,
    ) -> PlatformResult<Page<ExecutionRecord>> {
        self.executions.list(caller.principal(), strategy, page).await.map_err(errors::store)
    }

    async fn wish(
        &self,
        data: &SeriesVersion,
        config: RunConfig,
        compiled: Compiled,
    ) -> PlatformResult<Wish> {
        let warm_up = usize::try_from(compiled.plan.warm_up_bars()).unwrap_or(usize::MAX);
        let newest = TimeRange { start: data.last, end: data.last.plus_nanos(1) };
        let bars = self
            .files
            .bars
            .load(data, newest, warm_up.saturating_add(HISTORY_BARS))
            .await
            .map_err(errors::store)?;
        let bar_nanos = data.series.granularity.nominal_nanos();
        let calculate = move || wish_of(&compiled.plan, config, &bars, bar_nanos);
        self.run(ErrorKind::StrategyExecution, calculate).await
    }

    /// Every order must be approved; the first refusal, or a service that cannot be asked, refuses all.
    async fn ask_risk(&self, strategy: &StrategyVersion, series: &SeriesKey, wish: &Wish) -> RiskAnswer {
        let refused = |reason: String| RiskAnswer { is_valid: false, reason };
        if let Some(refusal) = wish.refusals.first() {
            return refused(refusal.clone());
        }
        let entering = wish.pending.iter().any(|order| !matches!(order.decision, Decision::Close));
        if !entering {
            return RiskAnswer {
                is_valid: true,
                reason: "nothing to approve: no order enters a position".to_owned(),
            };
        }
        let mut reasons = Vec::new();
        for order in &wish.orders {
            let request = RiskRequest {
                instrument: series.instrument,
                side: order.order.side,
                units: order.order.units,
                entry_price: order.price,
                protect: order.order.protect,
                account_balance: wish.equity,
                strategy_id: strategy.id.clone(),
            };
            match self.services.risk.check(&request).await {
                Ok(answer) if answer.is_valid => reasons.push(answer.reason),
                Ok(answer) => return answer,
                Err(error) => return refused(format!("the risk check could not be made: {error}")),
            }
        }
        RiskAnswer { is_valid: true, reason: reasons.join("; ") }
    }
}

/// `initial_capital` is `capital_allocation` here.
fn name_capital(error: PlatformError) -> PlatformError {
    match error.message().strip_prefix("initial_capital: ") {
        Some(message) => {
            PlatformError::field(ErrorKind::StrategyConfiguration, "capital_allocation", message)
        }
        None => error,
    }
}

fn wish_of(plan: &Plan, config: RunConfig, bars: &Bars, bar_nanos: i64) -> PlatformResult<Wish> {
    let broke = |error: fx_engine::EngineError| {
        PlatformError::new(ErrorKind::StrategyExecution, error.to_string()).caused_by(error)
    };
    let (Some(first), Some(last)) = (bars.times.first(), bars.len().checked_sub(1)) else {
        return Err(PlatformError::new(ErrorKind::BacktestData, "the series has no bars"));
    };
    let config = RunConfig { start: *first, ..config };
    let now = fx_engine::advance(plan, &config, State::start(plan, &config).map_err(broke)?, bars)
        .map_err(broke)?;
    let pending = now.state.pending_orders().to_vec();
    let equity = now.equity.last().copied().unwrap_or(config.initial_capital.micros());
    let mut wish = Wish {
        time: bars.times[last],
        close: bars.signal_side().close[last].to_f64(),
        equity: Money::from_micros(equity, config.account_currency),
        pending,
        orders: Vec::new(),
        refusals: Vec::new(),
    };
    // The engine itself says what would fill, and at what size: one more bar in which the market stands still.
    let still = still_bar(bars, last, bar_nanos);
    let next = fx_engine::advance(plan, &config, now.state, &still).map_err(broke)?;
    for event in next.events.iter().filter(|event| event.order.decided_at == wish.time) {
        match event.kind {
            OrderEventKind::Filled(fill) => {
                wish.orders.push(IntendedFill { order: event.order, price: fill.price })
            }
            OrderEventKind::Rejected { reason } => {
                wish.refusals.push(format!("the order is not possible: {reason:?}"))
            }
            OrderEventKind::Submitted | OrderEventKind::Lapsed => {}
        }
    }
    Ok(wish)
}

/// A bar behind the last one, all its prices the last close.
fn still_bar(bars: &Bars, last: usize, bar_nanos: i64) -> Bars {
    let bar = bars.get(last);
    let side = match &bars.quotes {
        QuoteColumns::One { side, .. } => Some(*side),
        QuoteColumns::Both { .. } => None,
    };
    let mut still = Bars::empty(side);
    still.push(Bar {
        time: bar.time.plus_nanos(bar_nanos),
        bid: Ohlc::flat(bar.bid.close),
        ask: bar.ask.map(|ask| Ohlc::flat(ask.close)),
        volume: 0,
    });
    still
}

fn record(
    caller: &Caller,
    strategy: &StrategyVersion,
    data: &SeriesVersion,
    wish: &Wish,
    risk: RiskAnswer,
    created_at: UnixNanos,
) -> ExecutionRecord {
    let instrument = data.series.instrument;
    let signals = wish.pending.iter().map(|order| SignalRecord {
        instrument,
        action: action(&order.decision).to_owned(),
        price: wish.close,
        time: wish.time,
    });
    let occasion = DigestBuilder::new("execution")
        .part(caller.principal().as_str().as_bytes())
        .part(strategy.version.as_bytes())
        .part(data.version.as_bytes())
        .part(&created_at.get().to_le_bytes())
        .finish();
    let intended = wish.orders.iter().enumerate().filter(|_| risk.is_valid);
    let orders =
        intended.map(|(index, fill)| intended_order(&occasion, strategy, data, wish.time, index, fill));
    ExecutionRecord {
        schema: RECORD_SCHEMA,
        id: ExecutionId::from_digest(&occasion),
        owner: caller.principal().clone(),
        strategy_id: strategy.id.clone(),
        strategy_version: strategy.version,
        dry_run: true,
        status: if risk.is_valid { "completed" } else { "refused" }.to_owned(),
        series: data.series.clone(),
        data_version: data.version,
        signal_time: wish.time,
        signals: signals.collect(),
        orders: orders.collect(),
        risk_valid: risk.is_valid,
        risk_reason: risk.reason,
        created_at,
    }
}

fn intended_order(
    occasion: &Digest,
    strategy: &StrategyVersion,
    data: &SeriesVersion,
    time: UnixNanos,
    index: usize,
    fill: &IntendedFill,
) -> IntendedOrder {
    let index = (index as u64).to_le_bytes();
    let order_id = DigestBuilder::new("order").part(occasion.as_bytes()).part(&index).finish();
    let client_order_id = DigestBuilder::new("client-order")
        .part(strategy.version.as_bytes())
        .part(data.series.to_string().as_bytes())
        .part(&time.get().to_le_bytes())
        .part(&index)
        .finish();
    IntendedOrder {
        order_id: order_id.short(),
        client_order_id: client_order_id.short(),
        status: "intended".to_owned(),
        instrument: data.series.instrument,
        side: fill.order.side,
        units: fill.order.units,
        stop_loss: fill.order.protect.stop_loss,
        take_profit: fill.order.protect.take_profit,
        filled_price: None,
    }
}

const fn action(decision: &Decision) -> &'static str {
    match decision {
        Decision::Enter { side: Side::Long, .. } => "buy",
        Decision::Enter { side: Side::Short, .. } => "sell",
        Decision::Target(_) => "target",
        Decision::Close => "close",
    }
}
