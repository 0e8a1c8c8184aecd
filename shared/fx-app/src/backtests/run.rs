//! One backtest, from request to stored result.

use super::compute::{Computed, Window, compute, page, split};
use super::{BacktestOutcome, BacktestRequest, Shown};
use crate::inputs::{History, RunSeries, Stretch, Wanted, not_pinned};
use crate::ports::{ResultEnd, ResultWriter, RunRows, TimeRange};
use crate::records::{BacktestRecord, FinancingUsed, Parameters, RECORD_SCHEMA, StrategyVersion};
use crate::{App, Caller, errors, strategies};
use fx_analytics::{PeriodReturns, Report};
use fx_domain::{BacktestId, Digest, DigestBuilder, ErrorKind, PlatformResult, UnixNanos};
use fx_engine::{ENGINE_VERSION, IntrabarPolicy, RunConfig};
use fx_strategy::Compiled;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Windows of bars that are read before they are calculated, and windows of rows before they are written.
const WINDOWS_AHEAD: usize = 1;

/// Everything that one run needs, resolved.
pub(crate) struct Prepared {
    pub(super) strategy: StrategyVersion,
    pub(super) compiled: Compiled,
    /// Of all accounts together.
    pub(super) config: RunConfig,
    /// Of each account: one that all instruments share, or one for each.
    pub(super) accounts: Vec<RunConfig>,
    /// Whether the caller asked for an account for each.
    pub(super) independent: bool,
    pub(super) financing: FinancingUsed,
    /// What all accounts read.
    pub(super) series: RunSeries,
    /// What each account reads.
    pub(super) account_series: Vec<RunSeries>,
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
        let (created_at, owner) = (self.clock.now(), caller.principal().clone());
        let id = backtest_id(caller, &prepared, created_at)?;
        let outcome = self.run_stored(&prepared, BacktestOf { id, owner, created_at }).await?;
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

    /// Runs it and stores its files. The record is the caller's to store: what it speaks of is there.
    ///
    /// # Errors
    /// As [`App::run_backtest`].
    pub(crate) async fn run_stored(
        &self,
        prepared: &Arc<Prepared>,
        of: BacktestOf,
    ) -> PlatformResult<BacktestOutcome> {
        let (computed, writer) = self.stream(prepared, &of.id).await?;
        let report_html = page(prepared, &computed)?;
        let Shown { curve, pending, .. } = computed.shown.clone();
        writer.finish(ResultEnd { curve, pending, report_html }).await.map_err(errors::store)?;
        outcome(prepared, computed, of)
    }

    /// Runs it for its figures: no row of it is kept.
    ///
    /// # Errors
    /// As [`App::run_backtest`].
    pub(crate) async fn run_measured(&self, prepared: &Arc<Prepared>) -> PlatformResult<Measured> {
        let Computed { report, result_hash, bars, returns, .. } = self.calculate(prepared, |_| true).await?;
        Ok(Measured { report, result_hash, bars, returns })
    }

    /// Reads, calculates and writes at the same time, a window of bars each.
    async fn stream(
        &self,
        prepared: &Arc<Prepared>,
        id: &BacktestId,
    ) -> PlatformResult<(Computed, Box<dyn ResultWriter>)> {
        let (spilled, mut rows) = mpsc::channel(WINDOWS_AHEAD);
        let computed = self.calculate(prepared, move |rows| spilled.blocking_send(rows).is_ok());
        let mut writer = self.files.results.writer(id, prepared.config.account.currency);
        let write = async {
            while let Some(rows) = rows.recv().await {
                writer.append(rows).await.map_err(errors::store)?;
            }
            Ok(())
        };
        let (computed, ()) = tokio::try_join!(computed, write)?;
        Ok((computed, writer))
    }

    /// Reads and calculates at the same time, and gives the rows to `spill` until that takes no more.
    async fn calculate(
        &self,
        prepared: &Arc<Prepared>,
        spill: impl FnMut(RunRows) -> bool + Send + 'static,
    ) -> PlatformResult<Computed> {
        let (window, mut windows) = mpsc::channel(WINDOWS_AHEAD);
        let (begin, begun) = oneshot::channel();
        let place_taken = async {
            // Who waits for it is gone only with this whole run.
            let _ = begin.send(());
            Ok(())
        };
        let calculated = Arc::clone(prepared);
        let calculate = move |()| {
            let windows = std::iter::from_fn(|| windows.blocking_recv());
            compute(&calculated, windows, spill)
        };
        let read = async {
            if begun.await.is_ok() {
                self.read_windows(prepared, window).await?;
            }
            Ok(())
        };
        let run = self.run(ErrorKind::BacktestExecution, place_taken, calculate);
        let (computed, ()) = tokio::try_join!(run, read)?;
        Ok(computed)
    }

    /// Reads the windows of every account, of the one that is furthest behind next: what one did waits for the others.
    async fn read_windows(&self, prepared: &Prepared, to: mpsc::Sender<Window>) -> PlatformResult<()> {
        let history = History::of(&prepared.compiled.plan, prepared.strategy.timeframe);
        let mut reading = Vec::with_capacity(prepared.accounts.len());
        for (account, series) in prepared.account_series.iter().enumerate() {
            let features = &prepared.accounts[account].features;
            let windows = self.open_windows(series, features, prepared.range, history).await?;
            reading.push((None, account, windows));
        }
        while let Some(behind) = (0..reading.len()).min_by_key(|place| (reading[*place].0, reading[*place].1))
        {
            let (passed, account, windows) = &mut reading[behind];
            let (account, bars) = (*account, windows.next().await?);
            match &bars {
                Some(bars) => {
                    let last = bars.tracks.iter().filter_map(|track| track.times.last().copied()).max();
                    *passed = last.or(*passed);
                }
                None => drop(reading.swap_remove(behind)),
            }
            if to.send(Window { account, bars }).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    pub(crate) async fn prepare(
        &self,
        caller: &Caller,
        request: BacktestRequest,
    ) -> PlatformResult<Prepared> {
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
        let independent = request.independent;
        let mut accounts = if independent { split(&config) } else { vec![config.clone()] };
        let account_series = self.find_accounts(&wanted, &mut accounts).await?;
        let series = RunSeries::together(&account_series)?;
        match wanted.pinned {
            Some(pinned) if *pinned != series.version() => return Err(not_pinned(pinned, &series)),
            _ => {}
        }
        self.check_size(&series, range, History::of(&compiled.plan, strategy.timeframe)).await?;
        for account in &accounts {
            join(&mut config.rates, &account.rates);
            join(&mut config.references, &account.references);
            join(&mut config.features, &account.features);
        }
        Ok(Prepared {
            strategy,
            compiled,
            config,
            accounts,
            independent,
            financing,
            series,
            account_series,
            range,
            policies,
            compares,
        })
    }

    /// The series of each account; several have a version only together.
    async fn find_accounts(
        &self,
        wanted: &Wanted<'_>,
        accounts: &mut [RunConfig],
    ) -> PlatformResult<Vec<RunSeries>> {
        let pinned = wanted.pinned.filter(|_| accounts.len() == 1);
        let mut found = Vec::with_capacity(accounts.len());
        for account in accounts {
            found.push(self.find_series(&Wanted { pinned, ..*wanted }, account).await?);
        }
        Ok(found)
    }
}

/// Adds what is not there yet.
fn join<T: Clone + PartialEq>(known: &mut Vec<T>, more: &[T]) {
    for item in more {
        if !known.contains(item) {
            known.push(item.clone());
        }
    }
}

/// Which backtest, whose, and when.
pub(crate) struct BacktestOf {
    pub(crate) id: BacktestId,
    pub(crate) owner: fx_domain::Principal,
    pub(crate) created_at: UnixNanos,
}

/// What a run gave of which no row is kept.
pub(crate) struct Measured {
    pub(crate) report: Report,
    pub(crate) result_hash: Digest,
    pub(crate) bars: u64,
    pub(crate) returns: Option<PeriodReturns>,
}

impl Prepared {
    pub(crate) fn strategy_version(&self) -> Digest {
        self.strategy.version
    }

    pub(crate) fn data_version(&self) -> Digest {
        self.series.version()
    }

    /// Effective ones.
    pub(crate) fn parameters(&self) -> &Parameters {
        &self.compiled.effective
    }

    pub(crate) fn plan_hash(&self) -> Digest {
        self.compiled.plan.hash()
    }

    /// Checks that the strategy takes these instead of those of the request.
    ///
    /// # Errors
    /// `StrategyConfigurationError` naming the parameter.
    pub(crate) async fn check_parameters(&self, parameters: Parameters) -> PlatformResult<()> {
        let mut all = self.strategy.parameters.clone();
        all.extend(parameters);
        strategies::compile(self.strategy.source.clone(), all).await.map(|_| ())
    }
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
        independent: prepared.independent,
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
    let asked = (&config, &prepared.financing, &prepared.policies, prepared.range, prepared.independent);
    let asked = format!("{asked:?}");
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
