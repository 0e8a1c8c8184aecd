//! One backtest, from request to stored result.

use super::{BacktestOutcome, BacktestRequest};
use crate::ports::{RunArtefacts, TimeRange};
use crate::records::{BacktestRecord, RECORD_SCHEMA, SeriesVersion, StrategyVersion};
use crate::{App, Caller, errors, strategies};
use fx_analytics::{Report, RunView, TearSheet};
use fx_domain::{
    BacktestId, Bars, Digest, DigestBuilder, EquityCurve, ErrorKind, Issue, Location, PlatformError,
    PlatformResult, Price, QuoteColumns,
};
use fx_engine::{ENGINE_VERSION, EngineError, OpenPosition, RunConfig, SpreadModel, State};
use fx_strategy::{Compiled, Plan};

/// Bars of one synchronous backtest, at most: ten years of minutes take four million.
pub const RUN_BARS_MAX: u64 = 20_000_000;
/// Below this many trades a statistic says little.
const FEW_TRADES: usize = 30;

/// Everything that one run needs, resolved.
struct Prepared {
    strategy: StrategyVersion,
    compiled: Compiled,
    config: RunConfig,
    data: SeriesVersion,
    range: TimeRange,
    seed: u64,
}

/// What the engine and the statistics made of it.
struct Computed {
    artefacts: RunArtefacts,
    report: Report,
    open_positions: Vec<OpenPosition>,
    result_hash: Digest,
    warnings: Vec<String>,
}

impl App {
    /// Runs a strategy over stored bars, stores the result and answers it.
    ///
    /// # Errors
    /// `StrategyLoadError` (404), `StrategyConfigurationError`, `BacktestConfigError` naming the field,
    /// `BacktestDataError` when the bars are missing or unsound, `BacktestExecutionError` when the run breaks,
    /// `ServiceError` when a store fails.
    #[tracing::instrument(skip_all, fields(strategy.id = %request.strategy_id))]
    pub async fn run_backtest(
        &self,
        caller: &Caller,
        request: BacktestRequest,
    ) -> PlatformResult<BacktestOutcome> {
        let prepared = self.prepare(caller, request).await?;
        let warm_up = usize::try_from(prepared.compiled.plan.warm_up_bars()).unwrap_or(usize::MAX);
        let bars =
            self.files.bars.load(&prepared.data, prepared.range, warm_up).await.map_err(errors::store)?;
        let created_at = self.clock.now();
        let id = backtest_id(caller, &prepared, created_at.get());
        let owner = caller.principal().clone();
        let calculate = move || -> PlatformResult<BacktestOutcome> {
            let Computed { artefacts, report, open_positions, result_hash, warnings } =
                compute(&prepared, &bars)?;
            let Prepared { strategy, compiled, config, data, range, seed } = prepared;
            let record = BacktestRecord {
                schema: RECORD_SCHEMA,
                id,
                owner,
                strategy_id: strategy.id,
                strategy_version: strategy.version,
                strategy_name: strategy.name,
                plan_hash: compiled.plan.hash(),
                parameters: compiled.effective,
                series: data.series,
                data_version: data.version,
                synthetic: data.synthetic,
                start: range.start,
                end: range.end,
                config,
                engine_version: ENGINE_VERSION.to_owned(),
                seed,
                result_hash,
                bars: artefacts.equity.times.len() as u64,
                report,
                open_positions,
                warnings,
                created_at,
            };
            Ok(BacktestOutcome { record, artefacts })
        };
        let outcome = self.run(ErrorKind::BacktestExecution, calculate).await?;
        self.files.results.put(&outcome.record.id, &outcome.artefacts).await.map_err(errors::store)?;
        self.backtests.put(&outcome.record).await.map_err(errors::store)?;
        tracing::info!(
            backtest.id = %outcome.record.id,
            instrument = %outcome.record.series.instrument,
            bars = outcome.record.bars,
            trades = outcome.artefacts.trades.len(),
            "backtest completed"
        );
        Ok(outcome)
    }

    async fn prepare(&self, caller: &Caller, request: BacktestRequest) -> PlatformResult<Prepared> {
        let strategy =
            self.get_strategy(caller, &request.strategy_id, request.strategy_version.as_ref()).await?;
        let series = request.series(&strategy)?;
        let config = request.run_config(series.instrument)?;
        let data = self.describe_series(&series, request.data_version.as_ref()).await?;
        let range = TimeRange { start: request.start, end: request.end };
        check_coverage(&data, range)?;
        let mut parameters = strategy.parameters.clone();
        parameters.extend(request.parameters);
        let compiled = strategies::compile(strategy.source.clone(), parameters).await?;
        Ok(Prepared { strategy, compiled, config, data, range, seed: request.seed })
    }
}

fn check_coverage(data: &SeriesVersion, range: TimeRange) -> PlatformResult<()> {
    if data.rows > RUN_BARS_MAX {
        let message = format!("the series has {} bars; one run takes {RUN_BARS_MAX} at most", data.rows);
        return Err(PlatformError::new(ErrorKind::BacktestData, message));
    }
    if range.end > data.first && range.start <= data.last {
        return Ok(());
    }
    let message = format!(
        "no bars of {} between {} and {}: stored are {} to {}",
        data.series, range.start, range.end, data.first, data.last
    );
    Err(PlatformError::new(ErrorKind::BacktestData, message))
}

/// The same question at the same instant is the same backtest.
fn backtest_id(caller: &Caller, prepared: &Prepared, now_nanos: i64) -> BacktestId {
    let digest = DigestBuilder::new("backtest")
        .part(caller.principal().as_str().as_bytes())
        .part(prepared.strategy.version.as_bytes())
        .part(prepared.compiled.plan.hash().as_bytes())
        .part(prepared.data.version.as_bytes())
        .part(format!("{:?}", (&prepared.config, prepared.range, prepared.seed)).as_bytes())
        .part(&now_nanos.to_le_bytes())
        .finish();
    BacktestId::from_digest(&digest)
}

fn compute(prepared: &Prepared, bars: &Bars) -> PlatformResult<Computed> {
    let Prepared { compiled, config, .. } = prepared;
    let plan = &compiled.plan;
    let state = State::start(plan, config).map_err(engine)?;
    let slice = fx_engine::advance(plan, config, state, bars).map_err(engine)?;
    let equity =
        EquityCurve { times: slice.equity_times, micros: slice.equity, currency: config.account_currency };
    let open_positions = slice.state.open_positions();
    let result_hash = fx_engine::result_hash(&slice.trades, &slice.ledger, &equity);
    let closes = closes_of(bars, equity.times.len());
    let report = fx_analytics::report(&RunView {
        trades: &slice.trades,
        equity: &equity,
        initial_capital: config.initial_capital,
        final_balance: slice.state.balance(),
        closes,
        first_decision: first_decision(plan, bars, equity.times.len()),
        granularity: prepared.data.series.granularity,
    });
    let warnings = warnings(prepared, bars, &report);
    let reproduce = reproduction(prepared, &result_hash);
    let report_html = fx_analytics::tear_sheet(&TearSheet {
        title: &prepared.strategy.name,
        subtitle: prepared.strategy.description.as_deref().unwrap_or_default(),
        report: &report,
        trades: &slice.trades,
        equity: &equity,
        closes,
        initial_capital: config.initial_capital,
        instrument: config.instrument,
        granularity: prepared.data.series.granularity,
        warnings: &warnings,
        reproduce: &reproduce,
        synthetic: prepared.data.synthetic,
    });
    let artefacts = RunArtefacts { trades: slice.trades, ledger: slice.ledger, equity, report_html };
    Ok(Computed { artefacts, report, open_positions, result_hash, warnings })
}

/// The closes that the equity was marked at: the last `count` bars of the signal side.
fn closes_of(bars: &Bars, count: usize) -> &[Price] {
    let closes = &bars.signal_side().close;
    &closes[closes.len() - count..]
}

/// Index of the first bar that a decision was possible on: indicators that the bars before the start did not warm need
/// bars of the run.
fn first_decision(plan: &Plan, bars: &Bars, count: usize) -> usize {
    let warmed = bars.len() - count;
    usize::try_from(plan.warm_up_bars())
        .unwrap_or(usize::MAX)
        .saturating_sub(warmed)
        .min(count.saturating_sub(1))
}

/// The engine's errors: a bad bar is the data's fault, a bad option the caller's, the rest ours.
fn engine(error: EngineError) -> PlatformError {
    let message = error.to_string();
    match &error {
        EngineError::Bar { index, time, .. } => {
            let location = Location::Bar { index: *index, time: *time };
            let issue = Issue { location, message: message.clone(), hint: None };
            PlatformError::new(ErrorKind::BacktestData, message).with_issues([issue])
        }
        EngineError::Config { field, .. } => {
            let issue = Issue::field(*field, message.clone());
            PlatformError::new(ErrorKind::BacktestConfig, message).with_issues([issue])
        }
        _ => PlatformError::new(ErrorKind::BacktestExecution, message).caused_by(error),
    }
}

/// What the reader should know before believing the numbers, in plain words, the gravest first.
fn warnings(prepared: &Prepared, bars: &Bars, report: &Report) -> Vec<String> {
    let mut warnings = Vec::new();
    let Prepared { data, config, range, .. } = prepared;
    if data.synthetic {
        warnings.push(
            "The bars are synthetic: generated, not traded. The result says nothing about a market."
                .to_owned(),
        );
    }
    if let (QuoteColumns::One { side, .. }, SpreadModel::Measured) = (&bars.quotes, config.spread) {
        warnings.push(format!(
            "The data holds one side only ({side:?}) and no spread is modelled: buying and selling cost nothing."
        ));
    }
    warnings.push(
        "Financing is zero: positions held over 17:00 New York pay and receive no rollover.".to_owned(),
    );
    if range.start < data.first
        || range.end.get() > data.last.get().saturating_add(data.series.granularity.nominal_nanos())
    {
        warnings.push(format!(
            "The range asked for is longer than the data, which is {} to {}.",
            data.first, data.last
        ));
    }
    let trades = report.metrics.total_trades;
    if trades < FEW_TRADES as u64 {
        warnings.push(format!("{trades} closed trades are too few for the statistics to mean much."));
    }
    let ambiguous = report.metrics.ambiguous_trades;
    if ambiguous > 0 {
        warnings.push(format!(
            "{ambiguous} exits are ambiguous: stop and target lie in one bar, and the fill policy decided."
        ));
    }
    warnings
}

fn reproduction(prepared: &Prepared, result_hash: &Digest) -> Vec<(String, String)> {
    let Prepared { strategy, compiled, data, range, seed, .. } = prepared;
    let parameters: Vec<_> =
        compiled.effective.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let rows = [
        ("Strategy", strategy.id.to_string()),
        ("Strategy version", strategy.version.to_string()),
        ("Plan", compiled.plan.hash().to_string()),
        ("Parameters", parameters.join(", ")),
        ("Data", data.series.to_string()),
        ("Data version", data.version.to_string()),
        ("From", range.start.to_string()),
        ("To", range.end.to_string()),
        ("Engine", ENGINE_VERSION.to_owned()),
        ("Seed", seed.to_string()),
        ("Result", result_hash.to_string()),
    ];
    rows.map(|(name, value)| (name.to_owned(), value)).into()
}
