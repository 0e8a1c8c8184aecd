//! Run a strategy once on the newest bars: what does it want now, and may it?
//!
//! It is a dry run: orders are intended, approved or refused, and recorded, and nothing is sent.

mod wish;

use crate::inputs::{History, Stretch, Wanted};
use crate::ports::{Page, PageRequest, RiskAnswer, RiskRequest, TimeRange};
use crate::records::{
    ExecutionRecord, IntendedOrder, Parameters, RECORD_SCHEMA, SeriesKey, SignalRecord, StrategyVersion,
};
use crate::{App, Caller, backtests, errors, strategies};
use fx_domain::{
    DatasetName, Digest, DigestBuilder, ErrorKind, ExecutionId, PlatformError, PlatformResult, StrategyId,
    UnixNanos,
};
use wish::{Intended, Wish, wish_of};

/// Bars before the deciding one that a strategy is run over, besides its warm-up: recursive indicators forget their
/// seed within this many, and the position that it would hold by now has had time to form.
pub const HISTORY_BARS: usize = 5_000;

/// A strategy to be run once.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecutionRequest {
    /// The strategy.
    pub strategy_id: StrategyId,
    /// Capital that it may use, in the quote currency of its first pair.
    pub capital_allocation: f64,
    /// Overrides of the registered parameters.
    pub parameters: Parameters,
    /// The source of the bars.
    pub dataset: DatasetName,
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
        let mut config =
            backtest.run_config(&strategy.instruments, strategy.timeframe).map_err(name_capital)?;
        let mut parameters = strategy.parameters.clone();
        parameters.extend(request.parameters);
        let compiled = strategies::compile(strategy.source.clone(), parameters).await?;
        let warm_up = History::of(&compiled.plan, strategy.timeframe);
        let history = History { bars: warm_up.bars.saturating_add(HISTORY_BARS), ..warm_up };
        let stretch = Stretch::Newest(history.bars);
        let wanted = Wanted { dataset: &backtest.dataset, pinned: None, stretch, plan: &compiled.plan };
        let series = self.find_series(&wanted, &mut config).await?;
        let newest = series.tracks.iter().map(|data| data.last).max().unwrap_or(UnixNanos::new(0));
        let range = TimeRange { start: newest, end: newest.plus_nanos(1) };
        let features = config.features.clone();
        let load = self.load_bars(&series, &features, range, history);
        let calculate = move |bars| wish_of(&compiled.plan, config, &bars);
        let wish = self.run(ErrorKind::StrategyExecution, load, calculate).await?;
        let risk = self.ask_risk(&strategy, &wish).await;
        let what = Executed {
            strategy: &strategy,
            series: series.first()?.series.clone(),
            version: series.version(),
        };
        let record = record(caller, &what, wish, risk, self.clock.now());
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

    /// Every order must be approved; the first refusal, or a service that cannot be asked, refuses all. An order whose
    /// size shows at the fill only has none to approve.
    async fn ask_risk(&self, strategy: &StrategyVersion, wish: &Wish) -> RiskAnswer {
        let refused = |reason: String| RiskAnswer { is_valid: false, reason };
        if let Some(refusal) = wish.refusals.first() {
            return refused(refusal.clone());
        }
        if !wish.enters {
            return RiskAnswer {
                is_valid: true,
                reason: "nothing to approve: no order enters a position".to_owned(),
            };
        }
        let mut reasons = Vec::new();
        for order in wish.orders.iter().filter(|order| !order.units.is_zero()) {
            let request = RiskRequest {
                instrument: order.instrument,
                side: order.side,
                units: order.units,
                entry_price: order.price,
                protect: order.protect,
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

/// What was executed, on what.
struct Executed<'a> {
    strategy: &'a StrategyVersion,
    /// Of the first instrument.
    series: SeriesKey,
    version: Digest,
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

fn record(
    caller: &Caller,
    what: &Executed<'_>,
    wish: Wish,
    risk: RiskAnswer,
    created_at: UnixNanos,
) -> ExecutionRecord {
    let Executed { strategy, series, version } = what;
    let occasion = DigestBuilder::new("execution")
        .part(caller.principal().as_str().as_bytes())
        .part(strategy.version.as_bytes())
        .part(version.as_bytes())
        .part(&created_at.get().to_le_bytes())
        .finish();
    let approved = wish.orders.iter().enumerate().filter(|_| risk.is_valid);
    let orders = approved.map(|(index, order)| intended_order(&occasion, what, index, order));
    let signal = |signal: wish::Signal| SignalRecord {
        instrument: signal.instrument,
        action: signal.action.to_owned(),
        price: signal.close,
        time: signal.time,
    };
    ExecutionRecord {
        schema: RECORD_SCHEMA,
        id: ExecutionId::from_digest(&occasion),
        owner: caller.principal().clone(),
        strategy_id: strategy.id.clone(),
        strategy_version: strategy.version,
        dry_run: true,
        status: if risk.is_valid { "completed" } else { "refused" }.to_owned(),
        series: series.clone(),
        data_version: *version,
        signal_time: wish.time,
        orders: orders.collect(),
        signals: wish.signals.into_iter().map(signal).collect(),
        risk_valid: risk.is_valid,
        risk_reason: risk.reason,
        created_at,
    }
}

fn intended_order(occasion: &Digest, what: &Executed<'_>, index: usize, order: &Intended) -> IntendedOrder {
    let order_id =
        DigestBuilder::new("order").part(occasion.as_bytes()).part(&(index as u64).to_le_bytes()).finish();
    let series = SeriesKey { instrument: order.instrument, ..what.series.clone() };
    let client_order_id = DigestBuilder::new("client-order")
        .part(what.strategy.version.as_bytes())
        .part(series.to_string().as_bytes())
        .part(&order.decided_at.get().to_le_bytes())
        .part(&order.number.to_le_bytes())
        .finish();
    IntendedOrder {
        order_id: order_id.short(),
        client_order_id: client_order_id.short(),
        status: "intended".to_owned(),
        instrument: order.instrument,
        kind: order.kind,
        side: order.side,
        units: order.units,
        stop_loss: order.protect.stop_loss,
        take_profit: order.protect.take_profit,
        trailing_distance: order.protect.trailing_distance,
        time_in_force: order.time_in_force,
        filled_price: None,
    }
}
