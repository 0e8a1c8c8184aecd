//! One backtest, from request to stored result.

use super::compute::{Computed, Window, compute, split};
use super::{BacktestOutcome, BacktestRequest};
use crate::inputs::{History, RunSeries, Stretch, Wanted, not_pinned};
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
                self.read_windows(prepared, window).await?;
            }
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
