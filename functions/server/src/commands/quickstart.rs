//! `server quickstart`: bars, a strategy, a backtest, a report, on embedded defaults.

use crate::compose;
use anyhow::{Context, Result};
use clap::Args;
use fx_app::backtests::{BacktestOutcome, BacktestRequest};
use fx_app::ports::Clock;
use fx_app::{Caller, Reach};
use fx_domain::{DatasetName, Granularity, Instrument, Price, Principal, StrategyId, UnixNanos};
use fx_host::{Config, Platform, SystemClock};
use fx_store::synthetic::{self, SyntheticSpec};
use std::io::Write;
use std::path::PathBuf;

/// The strategy that is shown.
const STRATEGY: &str = "ma_crossover";
/// The data set that the generated bars go to: never mixed with real ones.
const DATASET: &str = "synthetic";
/// Two years of hours, and a little more than the run takes.
const BARS: usize = 12_600;
/// First instant of the generated bars.
const START: &str = "2023-01-02";
/// First instant behind the run.
const END: &str = "2025-01-01";
/// The seed of the generated bars.
const SEED: u64 = 42;

/// Where the report goes.
#[derive(Args)]
pub(crate) struct Options {
    /// Folder of the report.
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

pub(crate) async fn run(options: Options) -> Result<()> {
    let config = Config::from_env(Platform::Server)?;
    let stores = compose::stores(&config.storage).await?;
    let mut out = std::io::stdout();
    let spec = SyntheticSpec {
        instrument: Instrument::parse("EUR/USD")?,
        granularity: Granularity::H1,
        start: UnixNanos::parse(START)?,
        bars: BARS,
        seed: SEED,
        start_price: Price::from_nanos(1_070_000_000),
    };
    let dataset = DatasetName::parse(DATASET)?;
    let now = SystemClock.now();
    let series = synthetic::publish(spec, dataset.clone(), &*stores.blobs, &*stores.series, now).await?;
    writeln!(
        out,
        "{} synthetic bars of {} are stored as data set `{DATASET}`.",
        series.rows, series.series.instrument
    )?;

    let app = compose::app(&config, stores)?;
    let request = BacktestRequest {
        dataset,
        ..BacktestRequest::new(StrategyId::parse(STRATEGY)?, UnixNanos::parse(START)?, UnixNanos::parse(END)?)
    };
    let caller = Caller::new(Principal::parse("local")?, Reach::All);
    let outcome =
        app.run_backtest(&caller, request).await.with_context(|| format!("cannot backtest `{STRATEGY}`"))?;

    std::fs::create_dir_all(&options.out)
        .with_context(|| format!("cannot make {}", options.out.display()))?;
    let report = options.out.join("quickstart-report.html");
    let page = app.backtest_report(&caller, &outcome.record.id).await?;
    std::fs::write(&report, page).with_context(|| format!("cannot write {}", report.display()))?;
    print_statistics(&mut out, &outcome)?;
    let shown = report.canonicalize().unwrap_or(report);
    writeln!(out, "\nReport: {}\n", shown.display())?;
    print_next(&mut out, config.bind.port())?;
    Ok(())
}

fn print_statistics(out: &mut impl Write, outcome: &BacktestOutcome) -> std::io::Result<()> {
    let record = &outcome.record;
    let (report, metrics) = (&record.report, &record.report.metrics);
    let money = |value: f64| format!("{value:.2} {}", record.config.account.currency);
    let percent = |value: f64| format!("{value:.2} %");
    let optional = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
    let rows = [
        ("Strategy", record.strategy_name.clone()),
        ("Bars", format!("{} of {} {}", record.bars, record.series.instrument, record.series.granularity)),
        ("Trades", metrics.total_trades.to_string()),
        ("Win rate", optional(metrics.win_rate.map(|rate| rate * 100.0)) + " %"),
        ("Profit factor", optional(metrics.profit_factor)),
        ("Expectancy", metrics.expectancy.map_or("–".to_owned(), money)),
        ("Net profit", money(metrics.net_profit)),
        ("Return", percent(metrics.return_pct)),
        ("Final equity", money(metrics.final_equity)),
        ("Max drawdown", percent(metrics.max_drawdown)),
        ("Sharpe ratio", optional(report.sharpe_ratio)),
        ("Sortino ratio", optional(report.sortino_ratio)),
        ("Calmar ratio", optional(report.calmar_ratio)),
        ("Average trade", optional(report.trade_stats.avg_trade_duration) + " h"),
        ("Losing streak", report.trade_stats.consecutive_losses.to_string()),
        ("Result hash", record.result_hash.to_string()),
    ];
    writeln!(out)?;
    for (name, value) in rows {
        writeln!(out, "  {name:<14} {value}")?;
    }
    for warning in &record.warnings {
        writeln!(out, "  ! {warning}")?;
    }
    Ok(())
}

fn print_next(out: &mut impl Write, port: u16) -> std::io::Result<()> {
    writeln!(
        out,
        "Next: start the server with `cargo run --release -p server`, then\n\n  \
         curl -s localhost:{port}/api/v1/strategies\n  \
         curl -s localhost:{port}/api/v1/backtest -H 'content-type: application/json' -d '{{\"strategy_id\": \
         \"{STRATEGY}\", \"dataset\": \"{DATASET}\", \"start_date\": \"{START}\", \"end_date\": \"2024-12-31\"}}'"
    )
}
