//! One backtest, from request to stored result.

use super::compute::{Computed, compute};
use super::{BacktestOutcome, BacktestRequest};
use crate::inputs::{History, RunSeries, Stretch, Wanted};
use crate::ports::{ResultEnd, ResultWriter, TimeRange};
use crate::records::{BacktestRecord, FinancingUsed, RECORD_SCHEMA, StrategyVersion};
use crate::{App, Caller, errors, strategies};
use fx_domain::{BacktestId, Digest, DigestBuilder, ErrorKind, PlatformResult, UnixNanos};
use fx_engine::{ENGINE_VERSION, IntrabarPolicy, RunConfig};
use fx_strategy::Compiled;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Windows of bars that are read before they are calculated, and windows of rows before they are written.
const WINDOWS_AHEAD: usize = 1;

/// Everything that one run needs, resolved.
pub(super) struct Prepared {
    pub(super) strategy: StrategyVersion,
    pub(super) compiled: Compiled,
    pub(super) config: RunConfig,
    pub(super) financing: FinancingUsed,
    pub(super) series: RunSeries,
    pub(super) range: TimeRange,
    /// The policies of the runs, the result's first.
    pub(super) policies: Vec<IntrabarPolicy>,
    /// Whether the caller asked for them.
    pub(super) compares: bool,
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
        let prepared = Arc::new(self.prepare(caller, request).await?);
        let created_at = self.clock.now();
        let owner = caller.principal().clone();
        let id = backtest_id(caller, &prepared, created_at)?;
        let (computed, writer) = self.stream(&prepared, &id).await?;
        let Computed { report_html, shown, .. } = &computed;
        let end = ResultEnd {
            curve: shown.curve.clone(),
            pending: shown.pending.clone(),
            report_html: report_html.clone(),
        };
        writer.finish(end).await.map_err(errors::store)?;
        let outcome = outcome(&prepared, computed, BacktestOf { id, owner, created_at })?;
        self.backtests.put(&outcome.record).await.map_err(errors::store)?;
        tracing::info!(
            backtest.id = %outcome.record.id,
            instrument = %outcome.record.series.instrument,
            instruments = outcome.record.config.tracks.len(),
            bars = outcome.record.bars,
            trades = outcome.record.report.metrics.total_trades,
            "backtest completed"
        );
        Ok(outcome)
    }

    /// Reads, calculates and writes at the same time, a window of bars each.
    async fn stream(
        &self,
        prepared: &Arc<Prepared>,
        id: &BacktestId,
    ) -> PlatformResult<(Computed, Box<dyn ResultWriter>)> {
        let (window, mut windows) = mpsc::channel(WINDOWS_AHEAD);
        let (spilled, mut rows) = mpsc::channel(WINDOWS_AHEAD);
        let (begin, begun) = oneshot::channel();
        let place_taken = async {
            // Who waits for it is gone only with this whole run.
            let _ = begin.send(());
            Ok(())
        };
        let calculated = Arc::clone(prepared);
        let calculate = move |()| {
            let windows = std::iter::from_fn(|| windows.blocking_recv());
            compute(&calculated, windows, |rows| spilled.blocking_send(rows).is_ok())
        };
        let read = async {
            if begun.await.is_ok() {
                let history = History::of(&prepared.compiled.plan, prepared.strategy.timeframe);
                let features = &prepared.config.features;
                let mut bars = self.open_windows(&prepared.series, features, prepared.range, history).await?;
                while let Some(next) = bars.next().await? {
                    if window.send(next).await.is_err() {
                        break;
                    }
                }
            }
            drop(window);
            Ok(())
        };
        let mut writer = self.files.results.writer(id, prepared.config.account.currency);
        let write = async {
            while let Some(rows) = rows.recv().await {
                writer.append(rows).await.map_err(errors::store)?;
            }
            Ok(())
        };
        let run = self.run(ErrorKind::BacktestExecution, place_taken, calculate);
        let (computed, (), ()) = tokio::try_join!(run, read, write)?;
        Ok((computed, writer))
    }

    async fn prepare(&self, caller: &Caller, request: BacktestRequest) -> PlatformResult<Prepared> {
        let strategy =
            self.get_strategy(caller, &request.strategy_id, request.strategy_version.as_ref()).await?;
        let mut config = request.run_config(request.traded(&strategy), strategy.timeframe)?;
        let (table, financing) = self.find_financing(&request.financing).await?;
        config.financing = table;
        let range = TimeRange { start: request.start, end: request.end };
        let (policies, compares) = (request.policies(), !request.scenarios.is_empty());
        let mut parameters = strategy.parameters.clone();
        parameters.extend(request.parameters);
        let compiled = strategies::compile(strategy.source.clone(), parameters).await?;
        let wanted = Wanted {
            dataset: &request.dataset,
            pinned: request.data_version.as_ref(),
            stretch: Stretch::Range(range),
            plan: &compiled.plan,
        };
        let series = self.find_series(&wanted, &mut config).await?;
        self.check_size(&series, range, History::of(&compiled.plan, strategy.timeframe)).await?;
        Ok(Prepared { strategy, compiled, config, financing, series, range, policies, compares })
    }
}

/// Which backtest, whose, and when.
struct BacktestOf {
    id: BacktestId,
    owner: fx_domain::Principal,
    created_at: UnixNanos,
}

fn outcome(prepared: &Prepared, computed: Computed, of: BacktestOf) -> PlatformResult<BacktestOutcome> {
    let first = prepared.series.first()?.series.clone();
    let Computed { report, shown, open_positions, result_hash, warnings, scenarios, scenario_ranges, .. } =
        computed;
    let record = BacktestRecord {
        schema: RECORD_SCHEMA,
        id: of.id,
        owner: of.owner,
        series: first,
        data_version: prepared.series.version(),
        inputs: prepared.series.records(),
        features: prepared.series.feature_records(),
        synthetic: prepared.series.synthetic(),
        strategy_id: prepared.strategy.id.clone(),
        strategy_version: prepared.strategy.version,
        strategy_name: prepared.strategy.name.clone(),
        plan_hash: prepared.compiled.plan.hash(),
        parameters: prepared.compiled.effective.clone(),
        start: prepared.range.start,
        end: prepared.range.end,
        seed: prepared.config.seed,
        config: recorded(prepared.config.clone(), &prepared.financing),
        financing: prepared.financing.clone(),
        engine_version: ENGINE_VERSION.to_owned(),
        result_hash,
        bars: computed.bars,
        report,
        scenarios,
        scenario_ranges,
        open_positions,
        warnings,
        created_at: of.created_at,
    };
    Ok(BacktestOutcome { record, shown })
}

/// A stored table may be longer than a record: its name and digest stand for it.
fn recorded(config: RunConfig, financing: &FinancingUsed) -> RunConfig {
    match financing {
        FinancingUsed::Table { .. } => RunConfig { financing: None, ..config },
        FinancingUsed::Zero | FinancingUsed::Request { .. } => config,
    }
}

/// The same question at the same instant is the same backtest.
fn backtest_id(caller: &Caller, prepared: &Prepared, now: UnixNanos) -> PlatformResult<BacktestId> {
    let config = recorded(prepared.config.clone(), &prepared.financing);
    let asked = format!("{:?}", (&config, &prepared.financing, &prepared.policies, prepared.range));
    let version: Digest = prepared.series.version();
    let digest = DigestBuilder::new("backtest")
        .part(caller.principal().as_str().as_bytes())
        .part(prepared.strategy.version.as_bytes())
        .part(prepared.compiled.plan.hash().as_bytes())
        .part(version.as_bytes())
        .part(asked.as_bytes())
        .part(&now.get().to_le_bytes())
        .finish();
    Ok(BacktestId::from_digest(&digest))
}
