//! From bars to figures: the engine once for each policy, the statistics, the tear sheet.

use super::run::Prepared;
use super::warnings::warnings;
use crate::inputs::RunBars;
use crate::ports::RunArtefacts;
use crate::records::{OpenPosition, ScenarioRange, ScenarioRecord, SeriesVersion};
use fx_analytics::{Analysis, MarginFigures, Report, RunEnd, RunStart, Sketch, TearSheet, TradeBars};
use fx_domain::{
    Bars, Digest, EquityCurve, ErrorKind, Issue, Location, PlatformError, PlatformResult, Price,
};
use fx_engine::{
    ENGINE_VERSION, EngineError, IntrabarPolicy, Journal, MarginCause, MarginPoint, Market, RunConfig, State,
};
use fx_strategy::Plan;
use std::collections::BTreeMap;

/// What engine and statistics made of a request.
pub(super) struct Computed {
    pub(super) artefacts: RunArtefacts,
    pub(super) report: Report,
    pub(super) open_positions: Vec<OpenPosition>,
    pub(super) result_hash: Digest,
    pub(super) warnings: Vec<String>,
    pub(super) scenarios: Vec<ScenarioRecord>,
    pub(super) scenario_ranges: BTreeMap<String, ScenarioRange>,
}

/// One run of the engine, with its statistics.
pub(super) struct Finished {
    pub(super) journal: Journal,
    pub(super) equity: EquityCurve,
    pub(super) report: Report,
    pub(super) result_hash: Digest,
    sketch: Sketch,
    state: State,
}

/// Runs every policy over the same prices. The first one's is the result.
pub(super) fn compute(prepared: &Prepared, bars: &RunBars) -> PlatformResult<Computed> {
    let plan = &prepared.compiled.plan;
    let state = State::start(plan, &prepared.config).map_err(engine)?;
    let market = Market::new(&prepared.config, &state, &bars.inputs()).map_err(engine)?;
    let mut result = None;
    let (mut scenarios, mut reports) = (Vec::new(), Vec::new());
    for policy in &prepared.policies {
        let finished = finish(prepared, bars, &market, *policy)?;
        if prepared.compares {
            scenarios.push(scenario(*policy, &finished));
            reports.push(finished.report.clone());
        }
        result.get_or_insert(finished);
    }
    let none = || PlatformError::new(ErrorKind::BacktestConfig, "no policy is asked for");
    let finished = result.ok_or_else(none)?;
    let warnings = warnings(prepared, bars, &finished);
    let report_html = page(prepared, &finished, &warnings)?;
    let Finished { journal, equity, report, result_hash, state, .. } = finished;
    let Journal { trades, ledger, events, margin, .. } = journal;
    Ok(Computed {
        artefacts: RunArtefacts { trades, ledger, equity, events, margin, report_html },
        report,
        open_positions: state.open_positions(),
        result_hash,
        warnings,
        scenarios,
        scenario_ranges: fx_analytics::scenario_ranges(&reports),
    })
}

fn scenario(policy: IntrabarPolicy, finished: &Finished) -> ScenarioRecord {
    let Report { metrics, sharpe_ratio, sortino_ratio, calmar_ratio, .. } = &finished.report;
    ScenarioRecord {
        policy,
        result_hash: finished.result_hash,
        metrics: metrics.clone(),
        sharpe_ratio: *sharpe_ratio,
        sortino_ratio: *sortino_ratio,
        calmar_ratio: *calmar_ratio,
    }
}

fn finish(
    prepared: &Prepared,
    bars: &RunBars,
    market: &Market<'_>,
    policy: IntrabarPolicy,
) -> PlatformResult<Finished> {
    let plan = &prepared.compiled.plan;
    let config = RunConfig { fill_policy: policy, ..prepared.config.clone() };
    let state = State::start(plan, &config).map_err(engine)?;
    let mut journal = Journal::new(plan.recordings.len());
    let state = fx_engine::advance_over(plan, &config, state, market, &mut journal).map_err(engine)?;
    let equity = EquityCurve {
        times: std::mem::take(&mut journal.equity_times),
        micros: std::mem::take(&mut journal.equity),
        currency: config.account.currency,
    };
    let shown = Shown::of(prepared, bars, equity.times.len())?;
    let mut analysis = Analysis::new(RunStart {
        initial_capital: config.account.capital,
        granularity: shown.data.series.granularity,
        trade_bars: shown.trade_bars,
        first_decision: shown.first_decision,
    });
    analysis.points(&equity.times, &equity.micros, shown.closes);
    analysis.trades(&journal.trades);
    let (report, sketch) =
        analysis.finish(RunEnd { final_balance: state.balance(), margin: margin_figures(&journal.margin) });
    let result_hash = fx_engine::result_hash(&journal.trades, &journal.ledger, &equity);
    Ok(Finished { journal, equity, report, result_hash, sketch, state })
}

fn margin_figures(points: &[MarginPoint]) -> MarginFigures {
    let count = |cause| points.iter().filter(|point| point.cause == cause).count() as u64;
    MarginFigures {
        stop_outs: count(MarginCause::StopOut),
        margin_calls: count(MarginCause::MarginCall),
        lowest_level_pct: points.iter().filter_map(MarginPoint::level_percent).reduce(f64::min),
    }
}

/// What statistics show of the prices: those of one instrument, nothing of several.
struct Shown<'a> {
    data: &'a SeriesVersion,
    closes: &'a [Price],
    first_decision: usize,
    trade_bars: TradeBars,
}

impl<'a> Shown<'a> {
    fn of(prepared: &'a Prepared, bars: &'a RunBars, count: usize) -> PlatformResult<Self> {
        let data = prepared.series.first()?;
        Ok(match bars.tracks.as_slice() {
            [only] => Self {
                data,
                closes: closes_of(only, count),
                first_decision: first_decision(&prepared.compiled.plan, only, count),
                trade_bars: TradeBars::OfEquity,
            },
            _ => Self { data, closes: &[], first_decision: 0, trade_bars: TradeBars::OfInstrument },
        })
    }
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
    usize::try_from(plan.warm_up_bars()).unwrap_or(usize::MAX).saturating_sub(warmed)
}

fn page(prepared: &Prepared, finished: &Finished, warnings: &[String]) -> PlatformResult<String> {
    Ok(fx_analytics::tear_sheet(&TearSheet {
        title: &prepared.strategy.name,
        subtitle: prepared.strategy.description.as_deref().unwrap_or_default(),
        report: &finished.report,
        sketch: &finished.sketch,
        instrument: prepared.series.first()?.series.instrument,
        warnings,
        reproduce: &reproduction(prepared, &finished.result_hash),
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
        EngineError::NoSwap { .. } => PlatformError::field(ErrorKind::BacktestConfig, "financing", message),
        EngineError::Config { field, reason } => {
            PlatformError::field(ErrorKind::BacktestConfig, *field, *reason)
        }
        _ => PlatformError::new(ErrorKind::BacktestExecution, message).caused_by(error),
    }
}
