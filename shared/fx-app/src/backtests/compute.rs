//! From bars to figures: the engine over one window of bars after the other, once for each policy, and beside it the
//! statistics, the hash and what a page shows, taken from the rows as they come.

mod joined;
mod noted;
mod thinned;

use super::run::Prepared;
use super::warnings::warnings;
use super::{CURVE_POINTS_MAX, Shown, TRADES_SHOWN_MAX};
use crate::inputs::RunBars;
use crate::ports::RunRows;
use crate::records::{OpenPosition, ScenarioRange, ScenarioRecord};
use fx_analytics::{
    Analysis, MarginFigures, PeriodReturns, Report, RunEnd, RunStart, Sketch, TearSheet, TradeBars,
};
use fx_domain::{
    Bars, Digest, EquityCurve, ErrorKind, Issue, Location, Money, PlatformError, PlatformResult, Price, Trade,
};
use fx_engine::{
    ENGINE_VERSION, EngineError, IntrabarPolicy, Journal, MarginCause, MarginPoint, Market, ResultHasher,
    RunConfig, State,
};
use joined::Joined;
pub(super) use joined::split;
pub(super) use noted::Noted;
use std::collections::BTreeMap;
use thinned::Thinned;

/// What engine and statistics made of a request.
pub(super) struct Computed {
    pub(super) report: Report,
    /// Returns of trading days; none of a run without equity.
    pub(super) returns: Option<PeriodReturns>,
    pub(super) sketch: Sketch,
    pub(super) shown: Shown,
    pub(super) open_positions: Vec<OpenPosition>,
    pub(super) result_hash: Digest,
    pub(super) bars: u64,
    pub(super) warnings: Vec<String>,
    pub(super) scenarios: Vec<ScenarioRecord>,
    pub(super) scenario_ranges: BTreeMap<String, ScenarioRange>,
}

/// The next bars of an account.
pub(super) struct Window {
    /// Which account, by its place in [`Prepared::accounts`].
    pub(super) account: usize,
    /// None: there are no more.
    pub(super) bars: Option<RunBars>,
}

/// Runs every policy over the same prices, and gives the rows of the first one's run, which is the result, to `spill`
/// until that takes no more.
pub(super) fn compute(
    prepared: &Prepared,
    windows: impl Iterator<Item = Window>,
    mut spill: impl FnMut(RunRows) -> bool,
) -> PlatformResult<Computed> {
    let start = |policy: &IntrabarPolicy| Running::start(prepared, *policy);
    let mut running = prepared.policies.iter().map(start).collect::<PlatformResult<Vec<_>>>()?;
    let mut noted = Noted::default();
    for Window { account, bars } in windows {
        if let (Some(config), Some(bars)) = (prepared.accounts.get(account), &bars) {
            noted.window(account, config, bars);
        }
        for (number, rows) in step(prepared, &mut running, account, bars.as_ref())?.into_iter().enumerate() {
            if number == 0 {
                noted.ledger(&rows.ledger);
                if !spill(rows) {
                    let message = "the result was given up while it was made";
                    return Err(PlatformError::new(ErrorKind::BacktestExecution, message));
                }
            }
        }
    }
    let finished = running.into_iter().map(|run| run.finish(prepared)).collect::<PlatformResult<Vec<_>>>()?;
    let compared = if prepared.compares { finished.as_slice() } else { &[] };
    let scenarios = compared.iter().map(scenario).collect();
    let reports: Vec<_> = compared.iter().map(|run| run.report.clone()).collect();
    let none = || PlatformError::new(ErrorKind::BacktestConfig, "no policy is asked for");
    let result = finished.into_iter().next().ok_or_else(none)?;
    let warnings = warnings(prepared, &noted, &result.report);
    Ok(Computed {
        report: result.report,
        returns: result.returns,
        sketch: result.sketch,
        shown: result.shown,
        open_positions: result.open_positions,
        result_hash: result.result_hash,
        bars: result.bars,
        warnings,
        scenarios,
        scenario_ranges: fx_analytics::scenario_ranges(&reports),
    })
}

/// Takes an account over its next bars, or to its end, under each policy: the rows that this settles, of each.
fn step(
    prepared: &Prepared,
    running: &mut [Running],
    account: usize,
    bars: Option<&RunBars>,
) -> PlatformResult<Vec<RunRows>> {
    let (Some(bars), Some(first)) = (bars, running.first()) else {
        return running.iter_mut().map(|run| run.end(prepared, account)).collect();
    };
    let Account { config, state } = &first.accounts[account];
    let market = Market::new(config, state, &bars.inputs()).map_err(engine)?;
    running.iter_mut().map(|run| run.advance(prepared, account, bars, &market)).collect()
}

/// One account, as far as it has come.
struct Account {
    config: RunConfig,
    state: State,
}

impl Account {
    fn start(prepared: &Prepared, config: RunConfig) -> PlatformResult<Self> {
        let state = State::start(&prepared.compiled.plan, &config).map_err(engine)?;
        Ok(Self { config, state })
    }

    /// Takes it over the bars of `market`.
    fn advance(&mut self, prepared: &Prepared, market: &Market<'_>) -> PlatformResult<RunRows> {
        let plan = &prepared.compiled.plan;
        let mut journal = Journal::new(plan.recordings.len());
        // A state is small beside a window of bars.
        let state = self.state.clone();
        self.state =
            fx_engine::advance_over(plan, &self.config, state, market, &mut journal).map_err(engine)?;
        let Journal { trades, ledger, equity, equity_times, events, margin, .. } = journal;
        let currency = self.config.account.currency;
        let equity = EquityCurve { times: equity_times, micros: equity, currency };
        Ok(RunRows { trades, ledger, equity, events, margin })
    }
}

/// The run under one policy, as far as it has come.
struct Running {
    policy: IntrabarPolicy,
    accounts: Vec<Account>,
    joined: Joined,
    /// Bars of the first track in the windows so far.
    bars_seen: usize,
    /// Begins with the first point of the equity.
    analysis: Option<Analysis>,
    hasher: ResultHasher,
    margin: MarginFigures,
    trades: Vec<Trade>,
    curve: Thinned,
    pending: noted::Pending,
    bars: u64,
}

/// A run that is over.
struct Finished {
    policy: IntrabarPolicy,
    report: Report,
    returns: Option<PeriodReturns>,
    sketch: Sketch,
    shown: Shown,
    result_hash: Digest,
    bars: u64,
    open_positions: Vec<OpenPosition>,
}

impl Running {
    fn start(prepared: &Prepared, policy: IntrabarPolicy) -> PlatformResult<Self> {
        let currency = prepared.config.account.currency;
        let account = |config: &RunConfig| {
            Account::start(prepared, RunConfig { fill_policy: policy, ..config.clone() })
        };
        Ok(Self {
            policy,
            accounts: prepared.accounts.iter().map(account).collect::<PlatformResult<_>>()?,
            joined: Joined::new(&prepared.accounts, currency)?,
            bars_seen: 0,
            analysis: None,
            hasher: ResultHasher::new(currency),
            margin: MarginFigures::default(),
            trades: Vec::new(),
            curve: Thinned::new(CURVE_POINTS_MAX, currency),
            pending: noted::Pending::default(),
            bars: 0,
        })
    }

    /// Takes an account over a window, and what that settles.
    fn advance(
        &mut self,
        prepared: &Prepared,
        account: usize,
        bars: &RunBars,
        market: &Market<'_>,
    ) -> PlatformResult<RunRows> {
        let rows = self.accounts[account].advance(prepared, market)?;
        let passed = bars.tracks.iter().filter_map(|track| track.times.last().copied()).max();
        let rows = self.joined.add(account, rows, passed)?;
        self.follow(prepared, Some(bars), &rows);
        Ok(rows)
    }

    /// An account has no more bars.
    fn end(&mut self, prepared: &Prepared, account: usize) -> PlatformResult<RunRows> {
        let rows = self.joined.end(account)?;
        self.follow(prepared, None, &rows);
        Ok(rows)
    }

    /// Takes figures from rows, those of `bars` if one account has them.
    fn follow(&mut self, prepared: &Prepared, bars: Option<&RunBars>, rows: &RunRows) {
        self.hasher.trades(&rows.trades);
        self.hasher.ledger(&rows.ledger);
        self.hasher.equity(&rows.equity.times, &rows.equity.micros);
        self.analyse(prepared, bars, rows);
        self.note_margin(&rows.margin);
        self.pending.follow(&rows.events);
        self.curve.follow(&rows.equity.times, &rows.equity.micros);
        let left = TRADES_SHOWN_MAX - self.trades.len();
        self.trades.extend_from_slice(&rows.trades[..rows.trades.len().min(left)]);
        self.bars += rows.equity.times.len() as u64;
    }

    fn analyse(&mut self, prepared: &Prepared, bars: Option<&RunBars>, rows: &RunRows) {
        let times = &rows.equity.times;
        let alone = match bars.map(|bars| bars.tracks.as_slice()) {
            Some([only]) if self.accounts.len() == 1 => Some(only),
            _ => None,
        };
        let before = self.bars_seen + alone.map_or(0, |bars| bars.len() - times.len());
        if self.analysis.is_none() && !times.is_empty() {
            self.analysis = Some(Analysis::new(run_start(prepared, before)));
        }
        if let Some(analysis) = &mut self.analysis {
            analysis.points(
                times,
                &rows.equity.micros,
                alone.map_or(&[], |bars| closes_of(bars, times.len())),
            );
            analysis.trades(&rows.trades);
        }
        self.bars_seen += alone.map_or(0, Bars::len);
    }

    fn note_margin(&mut self, points: &[MarginPoint]) {
        let count = |cause| points.iter().filter(|point| point.cause == cause).count() as u64;
        self.margin.stop_outs += count(MarginCause::StopOut);
        self.margin.margin_calls += count(MarginCause::MarginCall);
        let lowest = points.iter().filter_map(MarginPoint::level_percent);
        self.margin.lowest_level_pct = lowest.chain(self.margin.lowest_level_pct).reduce(f64::min);
    }

    fn finish(self, prepared: &Prepared) -> PlatformResult<Finished> {
        let analysis = self.analysis.unwrap_or_else(|| Analysis::new(run_start(prepared, self.bars_seen)));
        let balances = self.accounts.iter().map(|account| account.state.balance().micros());
        let final_balance =
            Money::from_micros(joined::sum("balance", balances)?, prepared.config.account.currency);
        let returns = analysis.period_returns();
        let (report, sketch) = analysis.finish(RunEnd { final_balance, margin: self.margin });
        let open = self.accounts.iter().enumerate();
        let open =
            open.flat_map(|(number, account)| self.joined.open(number, account.state.open_positions()));
        Ok(Finished {
            open_positions: open.collect(),
            policy: self.policy,
            report,
            returns,
            sketch,
            shown: Shown {
                trades: self.trades,
                curve: self.curve.finish(),
                pending: self.pending.into_events(),
            },
            result_hash: self.hasher.finish(),
            bars: self.bars,
        })
    }
}

/// What is known of a run when its equity begins: indicators that the `warmed` bars before did not warm need bars of the
/// run.
fn run_start(prepared: &Prepared, warmed: usize) -> RunStart {
    let several = prepared.config.tracks.len() > 1;
    let warm_up = usize::try_from(prepared.compiled.plan.warm_up_bars()).unwrap_or(usize::MAX);
    RunStart {
        initial_capital: prepared.config.account.capital,
        granularity: prepared.strategy.timeframe,
        trade_bars: if several { TradeBars::OfInstrument } else { TradeBars::OfEquity },
        first_decision: if several { 0 } else { warm_up.saturating_sub(warmed) },
    }
}

/// The closes that the equity was marked at: the last `count` bars of the signal side.
fn closes_of(bars: &Bars, count: usize) -> &[Price] {
    let closes = &bars.signal_side().close;
    &closes[closes.len() - count..]
}

fn scenario(finished: &Finished) -> ScenarioRecord {
    let Report { metrics, sharpe_ratio, sortino_ratio, calmar_ratio, .. } = &finished.report;
    ScenarioRecord {
        policy: finished.policy,
        result_hash: finished.result_hash,
        metrics: metrics.clone(),
        sharpe_ratio: *sharpe_ratio,
        sortino_ratio: *sortino_ratio,
        calmar_ratio: *calmar_ratio,
    }
}

/// The tear sheet.
pub(super) fn page(prepared: &Prepared, computed: &Computed) -> PlatformResult<String> {
    let data = prepared.series.first()?;
    Ok(fx_analytics::tear_sheet(&TearSheet {
        title: &prepared.strategy.name,
        subtitle: prepared.strategy.description.as_deref().unwrap_or_default(),
        report: &computed.report,
        sketch: &computed.sketch,
        instrument: data.series.instrument,
        warnings: &computed.warnings,
        reproduce: &reproduction(prepared, &computed.result_hash),
        synthetic: prepared.series.synthetic(),
    }))
}

fn reproduction(prepared: &Prepared, result_hash: &Digest) -> Vec<(String, String)> {
    let Prepared { strategy, compiled, series, range, config, .. } = prepared;
    let parameters: Vec<_> =
        compiled.effective.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let data = series.records().into_iter().map(|input| match input.role {
        crate::records::InputRole::Track => input.series.to_string(),
        role => format!("{} ({})", input.series, role.as_str()),
    });
    let data = data.chain(series.feature_records().into_iter().map(|told| told.series.to_string()));
    let rows = [
        ("Strategy", strategy.id.to_string()),
        ("Strategy version", strategy.version.to_string()),
        ("Plan", compiled.plan.hash().to_string()),
        ("Parameters", parameters.join(", ")),
        ("Data", data.collect::<Vec<_>>().join(", ")),
        ("Data version", series.version().to_string()),
        ("From", range.start.to_string()),
        ("To", range.end.to_string()),
        ("Engine", ENGINE_VERSION.to_owned()),
        ("Seed", config.seed.to_string()),
        ("Result", result_hash.to_string()),
    ];
    rows.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The engine's errors: prices that are bad or missing are the data's fault, a bad option the caller's, the rest ours.
fn engine(error: EngineError) -> PlatformError {
    let message = error.to_string();
    match &error {
        EngineError::Bar { index, time, .. } => {
            let location = Location::Bar { index: *index, time: *time };
            let issue = Issue::at(location, message.clone());
            PlatformError::new(ErrorKind::BacktestData, message).with_issues([issue])
        }
        EngineError::NoRate { .. } | EngineError::StaleRate { .. } => {
            PlatformError::field(ErrorKind::BacktestData, "account_currency", message)
        }
        EngineError::Timeframe { .. } => {
            PlatformError::field(ErrorKind::BacktestConfig, "timeframe", message)
        }
        EngineError::NoReference { .. } => {
            PlatformError::field(ErrorKind::BacktestData, "instruments", message)
        }
        EngineError::NoFeature(_) | EngineError::StaleFeature { .. } => {
            PlatformError::field(ErrorKind::BacktestData, "features", message)
        }
        EngineError::NoSwap { .. } => PlatformError::field(ErrorKind::BacktestConfig, "financing", message),
        EngineError::Config { field, reason } => {
            PlatformError::field(ErrorKind::BacktestConfig, *field, *reason)
        }
        _ => PlatformError::new(ErrorKind::BacktestExecution, message).caused_by(error),
    }
}
