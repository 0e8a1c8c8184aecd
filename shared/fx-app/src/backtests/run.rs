//! One backtest, from request to stored result.

use super::compute::{Computed, compute};
use super::{BacktestOutcome, BacktestRequest};
use crate::inputs::{History, RunSeries, Stretch, Wanted};
use crate::ports::TimeRange;
use crate::records::{BacktestRecord, FinancingUsed, RECORD_SCHEMA, StrategyVersion};
use crate::{App, Caller, errors, strategies};
use fx_domain::{BacktestId, Digest, DigestBuilder, ErrorKind, PlatformResult, UnixNanos};
use fx_engine::{ENGINE_VERSION, IntrabarPolicy, RunConfig};
use fx_strategy::Compiled;

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
        let prepared = self.prepare(caller, request).await?;
        let history = History::of(&prepared.compiled.plan, prepared.strategy.timeframe);
        let created_at = self.clock.now();
        let owner = caller.principal().clone();
        let id = backtest_id(caller, &prepared, created_at)?;
        let (series, range) = (prepared.series.clone(), prepared.range);
        let load = self.load_bars(&series, range, history);
        let calculate = move |bars| {
            let computed = compute(&prepared, &bars)?;
            outcome(prepared, computed, BacktestOf { id, owner, created_at })
        };
        let outcome = self.run(ErrorKind::BacktestExecution, load, calculate).await?;
        self.files.results.put(&outcome.record.id, &outcome.artefacts).await.map_err(errors::store)?;
        self.backtests.put(&outcome.record).await.map_err(errors::store)?;
        tracing::info!(
            backtest.id = %outcome.record.id,
            instrument = %outcome.record.series.instrument,
            instruments = outcome.record.config.tracks.len(),
            bars = outcome.record.bars,
            trades = outcome.artefacts.trades.len(),
            "backtest completed"
        );
        Ok(outcome)
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
        let feeds = compiled.plan.feeds();
        let wanted = Wanted {
            dataset: &request.dataset,
            pinned: request.data_version.as_ref(),
            stretch: Stretch::Range(range),
            feeds: &feeds,
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

fn outcome(prepared: Prepared, computed: Computed, of: BacktestOf) -> PlatformResult<BacktestOutcome> {
    let first = prepared.series.first()?.series.clone();
    let Computed { artefacts, report, open_positions, result_hash, warnings, scenarios, scenario_ranges } =
        computed;
    let record = BacktestRecord {
        schema: RECORD_SCHEMA,
        id: of.id,
        owner: of.owner,
        series: first,
        data_version: prepared.series.version(),
        inputs: prepared.series.records(),
        synthetic: prepared.series.synthetic(),
        strategy_id: prepared.strategy.id,
        strategy_version: prepared.strategy.version,
        strategy_name: prepared.strategy.name,
        plan_hash: prepared.compiled.plan.hash(),
        parameters: prepared.compiled.effective,
        start: prepared.range.start,
        end: prepared.range.end,
        seed: prepared.config.seed,
        config: recorded(prepared.config, &prepared.financing),
        financing: prepared.financing,
        engine_version: ENGINE_VERSION.to_owned(),
        result_hash,
        bars: artefacts.equity.times.len() as u64,
        report,
        scenarios,
        scenario_ranges,
        open_positions,
        warnings,
        created_at: of.created_at,
    };
    Ok(BacktestOutcome { record, artefacts })
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
