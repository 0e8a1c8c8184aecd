//! Each statistic of the golden results, computed from the golden's own trades and the equity that its README's rules
//! give, compared at 1e-9 relative.

#![allow(clippy::print_stdout)] // a test says what it leaves out

use anyhow::{Context as _, Result, ensure};
use fx_analytics::{Comparable, ComparableRun, ComparableTrade, PerBarRun};
use fx_domain::{Granularity, UnixNanos};
use serde_json::Value;
use std::io::Read as _;
use std::path::{Path, PathBuf};

const TOLERANCE: f64 = 1e-9;
const SIZE: f64 = 10_000.0;
const CASH: f64 = 100_000.0;

/// The folder of golden results and data; `None` where it is absent and need not be there.
fn shared() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    if folder.join("golden").is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "the golden results are missing: {}", folder.display());
    println!("left out: the golden results are not at {}", folder.display());
    None
}

#[derive(Clone, Debug)]
struct Bars {
    granularity: Granularity,
    times: Vec<UnixNanos>,
    closes: Vec<f64>,
}

fn time(text: &str) -> Result<UnixNanos> {
    UnixNanos::parse(&format!("{}Z", text.trim_end_matches("+00:00").replace(' ', "T"))).context("a time")
}

fn bars_of(shared: &Path, case: &str) -> Result<Bars> {
    let data = shared.join("data");
    if case.contains("oanda") {
        let file = std::fs::File::open(data.join("lean/forex/oanda/hour/eurusd.zip"))?;
        let mut text = String::new();
        zip::ZipArchive::new(file)?.by_index(0)?.read_to_string(&mut text)?;
        let first_20000 = |line: &str| -> Result<(UnixNanos, f64)> {
            let (day, rest) = line.split_at(8);
            let clock = rest.trim_start().get(..5).context("a clock")?;
            let stamp = format!("{}-{}-{} {clock}:00", &day[..4], &day[4..6], &day[6..8]);
            Ok((time(&stamp)?, line.split(',').nth(4).context("a close")?.parse()?))
        };
        let rows: Vec<_> = text.lines().take(20_000).map(first_20000).collect::<Result<_>>()?;
        let (times, closes) = rows.into_iter().unzip();
        return Ok(Bars { granularity: Granularity::H1, times, closes });
    }
    let (granularity, bytes) = if case.contains("gbpusd") {
        let file = std::fs::File::open(data.join("nautilus/fxcm/gbpusd-m1-bid-2012.csv.gz"))?;
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(file).read_to_end(&mut bytes)?;
        (Granularity::M1, bytes)
    } else {
        (Granularity::H1, std::fs::read(data.join("backtestingpy/EURUSD_H1_2017-2018.csv"))?)
    };
    let mut bars = Bars { granularity, times: Vec::new(), closes: Vec::new() };
    for row in csv::Reader::from_reader(bytes.as_slice()).records() {
        let row = row?;
        bars.times.push(time(&row[0])?);
        bars.closes.push(row[4].parse()?);
    }
    Ok(bars)
}

#[derive(Clone, Debug)]
struct Row {
    entry_bar: usize,
    exit_bar: usize,
    entry_time: UnixNanos,
    exit_time: UnixNanos,
    side: f64,
    entry: f64,
    exit: f64,
    commission: f64,
    pnl: f64,
    return_frac: f64,
}

fn trades_of(path: &Path, bars: &Bars) -> Result<Vec<Row>> {
    let mut reader = csv::Reader::from_path(path).with_context(|| path.display().to_string())?;
    let names = reader.headers()?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let text = |name: &str| names.iter().position(|found| found == name).and_then(|at| record.get(at));
        let get = |name: &str| -> Result<f64> { Ok(text(name).with_context(|| name.to_owned())?.parse()?) };
        let at = |name: &str| time(text(name).unwrap_or_default());
        let (entry_time, exit_time) = (at("entry_time")?, at("exit_time")?);
        let (entry, pnl) = (get("entry_price")?, get("pnl")?);
        let bar = |time| bars.times.binary_search(&time).map_err(|_| anyhow::anyhow!("no bar at {time}"));
        rows.push(Row {
            entry_bar: bar(entry_time)?,
            exit_bar: bar(exit_time)?,
            entry_time,
            exit_time,
            side: get("side")?,
            entry,
            exit: get("exit_price")?,
            commission: get("commission").unwrap_or(0.0),
            pnl,
            return_frac: get("return_frac").unwrap_or(pnl / (SIZE * entry)),
        });
    }
    Ok(rows)
}

/// When an entry or exit is booked, by the README: the fill's bar, and one later for orders filled at a close.
struct Booking {
    late_entry: bool,
    late_exit: bool,
}

/// A position that the last bar leaves open: entry bar, side, entry price.
type Open = Option<(usize, f64, f64)>;

/// Equity at every bar: cash, entry and exit commission taken at their fills, plus the open position at the close.
fn equity_of(bars: &Bars, trades: &[Row], open: Open, rate: f64, booking: &Booking) -> Vec<f64> {
    let mut equity = Vec::with_capacity(bars.times.len());
    let (entry_lag, exit_lag) = (usize::from(booking.late_entry), usize::from(booking.late_exit));
    let (mut cash, mut entered, mut exited) = (CASH, 0, 0);
    for (bar, close) in bars.closes.iter().enumerate() {
        while entered < trades.len() && trades[entered].entry_bar + entry_lag <= bar {
            cash -= SIZE * trades[entered].entry * rate;
            entered += 1;
        }
        while exited < trades.len() && trades[exited].exit_bar + exit_lag <= bar {
            let trade = &trades[exited];
            cash += trade.side * SIZE * (trade.exit - trade.entry) - SIZE * trade.exit * rate;
            exited += 1;
        }
        let held = trades[exited..entered].first().map(|trade| (trade.side, trade.entry));
        let mut value = cash + held.map_or(0.0, |(side, entry)| side * SIZE * (close - entry));
        if let Some((_, side, entry)) = open.filter(|(from, ..)| from + entry_lag <= bar) {
            value += side * SIZE * (close - entry) - SIZE * entry * rate;
        }
        equity.push(value);
    }
    equity
}

fn close_to(found: Option<f64>, expected: &Value, what: &str) -> Result<()> {
    let expected = expected.as_f64();
    match (found, expected) {
        (None, None) => Ok(()),
        (Some(found), Some(expected)) => {
            let distance = (found - expected).abs();
            ensure!(
                distance <= TOLERANCE * expected.abs().max(1e-3),
                "{what}: {found} instead of {expected}"
            );
            Ok(())
        }
        _ => anyhow::bail!("{what}: {found:?} instead of {expected:?}"),
    }
}

fn by_name(stats: &Comparable, name: &str) -> Option<Option<f64>> {
    Some(match name {
        "Exposure Time [%]" => stats.exposure_time_pct,
        "Equity Final [$]" => stats.equity_final,
        "Equity Peak [$]" => stats.equity_peak,
        "Commissions [$]" => stats.commissions,
        "Return [%]" => stats.return_pct,
        "Buy & Hold Return [%]" => stats.buy_and_hold_return_pct,
        "Return (Ann.) [%]" => stats.return_ann_pct,
        "Volatility (Ann.) [%]" => stats.volatility_ann_pct,
        "CAGR [%]" => stats.cagr_pct,
        "Sharpe Ratio" => stats.sharpe_ratio,
        "Sortino Ratio" => stats.sortino_ratio,
        "Calmar Ratio" => stats.calmar_ratio,
        "Alpha [%]" => stats.alpha_pct,
        "Beta" => stats.beta,
        "Max. Drawdown [%]" => stats.max_drawdown_pct,
        "Avg. Drawdown [%]" => stats.avg_drawdown_pct,
        "Max. Drawdown Duration" => stats.max_drawdown_duration_seconds,
        "Avg. Drawdown Duration" => stats.avg_drawdown_duration_seconds,
        "# Trades" => Some(stats.trades as f64),
        "Win Rate [%]" => stats.win_rate_pct,
        "Best Trade [%]" => stats.best_trade_pct,
        "Worst Trade [%]" => stats.worst_trade_pct,
        "Avg. Trade [%]" => stats.avg_trade_pct,
        "Max. Trade Duration" => stats.max_trade_duration_seconds,
        "Avg. Trade Duration" => stats.avg_trade_duration_seconds,
        "Profit Factor" => stats.profit_factor,
        "Expectancy [%]" => stats.expectancy_pct,
        "SQN" => stats.sqn,
        "Kelly Criterion" => stats.kelly_criterion,
        _ => return None,
    })
}

fn golden_files(shared: &Path, suffix: impl Fn(&str) -> bool) -> Result<Vec<(String, Value)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(shared.join("golden"))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if name.starts_with('w') && !name.starts_with("w6") && suffix(&name) {
            files.push((name, serde_json::from_slice(&std::fs::read(path)?)?));
        }
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(files)
}

fn open_of(golden: &Value) -> Result<Open> {
    let open = &golden["open_position_at_end"];
    if open.is_null() {
        return Ok(None);
    }
    let entry_bar = usize::try_from(open["entry_bar"].as_u64().context("entry_bar")?)?;
    let (side, entry) =
        (open["side"].as_f64().context("side")?, open["entry_price"].as_f64().context("price")?);
    Ok(Some((entry_bar, side, entry)))
}

fn compare_case(shared: &Path, name: &str, golden: &Value) -> Result<usize> {
    let case = golden["case"].as_str().context("case")?;
    let bars = bars_of(shared, case)?;
    ensure!(bars.times.len() as u64 == golden["bars"].as_u64().context("bars")?, "bars of {case}");
    let trades = trades_of(&shared.join("golden").join(name.replace(".json", ".trades.csv")), &bars)?;
    let rate = golden["commission_rate_per_side"].as_f64().context("commission")?;
    // At-close fills are stamped by the deciding bar and booked with the next; stops and targets are booked at once.
    let late_entry = golden["fill"] == "close";
    let booking = Booking { late_entry, late_exit: late_entry && case.starts_with("w1") };
    let equity = equity_of(&bars, &trades, open_of(golden)?, rate, &booking);
    let samples = golden["equity_samples"].as_array().context("samples")?;
    ensure!(samples.len() == 101, "samples");
    for sample in samples {
        let bar = usize::try_from(sample[0].as_u64().context("bar")?)?;
        let expected = sample[1].as_f64().context("equity")?;
        ensure!((equity[bar] - expected).abs() < 1e-7, "equity at bar {bar}: {} not {expected}", equity[bar]);
    }
    let first_decision = usize::try_from(golden["first_decision_bar"].as_u64().context("decision")?)?;
    let mut run = ComparableRun::new(first_decision, bars.granularity);
    run.points(&bars.times, &equity, &bars.closes);
    for trade in &trades {
        run.trade(&ComparableTrade {
            entry_bar: trade.entry_bar,
            exit_bar: trade.exit_bar,
            seconds: (trade.exit_time.get() - trade.entry_time.get()) as f64 / 1e9,
            profit: trade.pnl,
            return_fraction: trade.return_frac,
            commission: trade.commission,
        });
    }
    let stats = run.finish();
    let expected = golden["stats"].as_object().context("stats")?;
    for (statistic, value) in expected {
        let found = by_name(&stats, statistic).with_context(|| format!("{statistic} is not reported"))?;
        close_to(found, value, statistic)?;
    }
    Ok(expected.len())
}

#[test]
fn every_statistic_of_backtesting_py_is_met() -> Result<()> {
    let Some(shared) = shared() else { return Ok(()) };
    let files = golden_files(&shared, |name| name.ends_with(".json") && !name.contains("vectorbt"))?;
    ensure!(files.len() >= 14, "only {} golden files", files.len());
    let mut failures = Vec::new();
    for (name, golden) in &files {
        match compare_case(&shared, name, golden) {
            Ok(count) => ensure!(count >= 28, "{name}: only {count} statistics"),
            Err(error) => failures.push(format!("{name}: {error:#}")),
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

/// Whether it could be compared.
fn compare_vectorbt(shared: &Path, name: &str, golden: &Value) -> Result<bool> {
    let case = golden["case"].as_str().context("case")?;
    let stats = &golden["stats"];
    let bars = bars_of(shared, case)?;
    let fees = golden["fees"].as_f64().context("fees")?;
    // Where the cost model is symmetric vectorbt has trades of its own. The rest equals backtesting.py's, whose trades of
    // one case are in the fixtures under the variant's name, or (oanda) not at all.
    let own = shared.join("golden").join(name.replace(".json", ".trades.csv"));
    let twin = shared.join("golden").join(name.replace(".vectorbt.json", ".trades.csv"));
    let path = if own.is_file() { own } else { twin };
    if !path.is_file() {
        println!("left out: {name} has no trades of its own");
        return Ok(false);
    }
    let trades = trades_of(&path, &bars)?;
    // The open position: entered where the last trade ended, on the other side, at its exit price.
    let last = trades.last().context("trades")?;
    let equity = equity_of(
        &bars,
        &trades,
        Some((last.exit_bar, -last.side, last.exit)),
        fees,
        &Booking { late_entry: false, late_exit: false },
    );
    let mut run = PerBarRun::new(CASH, bars.granularity);
    run.points(&equity, &bars.closes);
    let found = run.finish();
    // Its trade statistics are the report's: money of closed trades.
    let sum = |keep: fn(f64) -> bool| -> f64 { trades.iter().map(|t| t.pnl).filter(|pnl| keep(*pnl)).sum() };
    let (gains, losses) = (sum(|pnl| pnl > 0.0), sum(|pnl| pnl < 0.0));
    close_to(Some(gains / -losses), &stats["Profit Factor"], "profit factor")?;
    close_to(Some((gains + losses) / trades.len() as f64), &stats["Expectancy"], "expectancy")?;
    for (what, value, key) in [
        ("total return", found.total_return_pct, "Total Return [%]"),
        ("benchmark", found.benchmark_return_pct, "Benchmark Return [%]"),
        ("drawdown", found.max_drawdown_pct, "Max Drawdown [%]"),
        ("annual return", found.annualized_return, "annualized_return"),
        ("volatility", found.annualized_volatility, "annualized_volatility"),
        ("sharpe", found.sharpe_ratio, "Sharpe Ratio"),
        ("sortino", found.sortino_ratio, "Sortino Ratio"),
        ("calmar", found.calmar_ratio, "Calmar Ratio"),
        ("omega", found.omega_ratio, "Omega Ratio"),
    ] {
        close_to(value, &stats[key], what)?;
    }
    Ok(true)
}

#[test]
fn every_per_bar_statistic_of_vectorbt_is_met() -> Result<()> {
    let Some(shared) = shared() else { return Ok(()) };
    let files = golden_files(&shared, |name| name.ends_with(".vectorbt.json"))?;
    let (mut compared, mut failures) = (0, Vec::new());
    for (name, golden) in &files {
        match compare_vectorbt(&shared, name, golden) {
            Ok(done) => compared += usize::from(done),
            Err(error) => failures.push(format!("{name}: {error:#}")),
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    ensure!(compared >= 4, "only {compared} golden files compared");
    Ok(())
}
