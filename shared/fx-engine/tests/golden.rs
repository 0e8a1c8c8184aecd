//! Trades and equity of well-known engines on real data, reproduced trade by trade.

mod market;

use anyhow::{Context, Result, ensure};
use fx_domain::{Bars, Currency, ExitReason, Granularity, Instrument, Money, Price, Side, Trade, UnixNanos};
use fx_engine::{Commission, FillTime, Inputs, RunConfig, Slice, SpreadModel, State, advance};
use fx_strategy::{ParameterValue, Plan};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// One bar after the first full window, and in the market ever after.
const CROSS: &str = r#"
class Cross(Strategy):
    fast = 10
    slow = 30

    def analyze(self, data):
        quick = sma(data.close, self.fast)
        calm = sma(data.close, self.slow)
        if data.index >= self.slow and quick > calm:
            return buy(units=10000)
        if data.index >= self.slow and quick < calm:
            return sell(units=10000)
        return {}
"#;

/// Entries only when flat; levels hang on the close of the deciding bar.
const REVERSION: &str = r#"
class Reversion(Strategy):
    n = 14
    lo = 30.0
    hi = 70.0
    sl = 0.003
    tp = 0.0045

    def analyze(self, data):
        strength = rsi(data.close, self.n)
        ready = data.index > self.n and position.units == 0
        if ready and strength < self.lo:
            return buy(units=10000, stop_loss=data.close - self.sl, take_profit=data.close + self.tp)
        if ready and strength > self.hi:
            return sell(units=10000, stop_loss=data.close + self.sl, take_profit=data.close - self.tp)
        return {}
"#;

const BAR_CASES: [&str; 15] = [
    "w1_sma10_30_eurusd_h1.nocost",
    "w1_sma10_30_eurusd_h1.comm",
    "w1_sma10_30_eurusd_h1.spread",
    "w1_sma10_30_eurusd_h1.both",
    "w1_sma10_30_eurusd_h1_onclose.nocost",
    "w1_sma10_30_eurusd_h1_onclose.comm",
    "w1_sma20_50_oanda_eurusd_h1_0_20000.both",
    "w4_rsi14_eurusd_h1.nocost",
    "w4_rsi14_eurusd_h1.comm",
    "w4_rsi14_eurusd_h1.both",
    "w4_rsi14_eurusd_h1_onclose.nocost",
    "w4_rsi14_gbpusd_m1_2012.nocost",
    "w4_rsi14_gbpusd_m1_2012.comm",
    "w4_stress_rsi14_eurusd_h1_tight.nocost",
    STRESS_WITH_COSTS,
];

const STRESS_WITH_COSTS: &str = "w4_stress_rsi14_eurusd_h1_tight.both";

const TICK_CASES: [&str; 2] =
    ["w6_ticks_oanda_eurusd_20140501_08.comm", "w6_ticks_oanda_eurusd_20140501_08.nocost"];

/// On every quote, the middle of bid and ask.
const TICK_CROSS: &str = r#"
class TickCross(Strategy):
    fast = 200
    slow = 1000

    def analyze(self, data):
        quick = sma(data.mid.close, self.fast)
        calm = sma(data.mid.close, self.slow)
        if data.index >= self.slow and quick > calm:
            return buy(units=10000)
        if data.index >= self.slow and quick < calm:
            return sell(units=10000)
        return {}
"#;

fn plan(case: &Value) -> Result<Plan> {
    let parameters = case["params"].as_object().context("no params")?;
    let (source, names): (_, &[&str]) = match parameters["kind"].as_str() {
        Some("sma") => (CROSS, &["fast", "slow"]),
        _ => (REVERSION, &["n", "lo", "hi", "sl", "tp"]),
    };
    let mut overrides = BTreeMap::new();
    for name in names {
        let value = &parameters[*name];
        let value = match value.as_i64() {
            Some(whole) => ParameterValue::Integer(whole),
            None => ParameterValue::Number(value.as_f64().context("no number")?),
        };
        overrides.insert((*name).to_owned(), value);
    }
    Ok(fx_strategy::compile(source, &overrides).map_err(|found| anyhow::anyhow!("{found:?}"))?.plan)
}

fn config(case: &Value) -> Result<RunConfig> {
    let pair = if case["params"]["data"].as_str().is_some_and(|data| data.starts_with("gbp")) {
        "GBP/USD"
    } else {
        "EUR/USD"
    };
    let rate = |name: &str| case[name].as_f64().filter(|rate| *rate > 0.0);
    let cash = case["params"]["cash"].as_f64().context("no cash")?;
    let capital = Money::from_f64(cash, Currency::USD).context("cash out of range")?;
    let mut config = RunConfig::new(Instrument::parse(pair)?, Granularity::H1, capital);
    config.account.leverage = 100.0;
    if case["fill"] == "close" {
        config.fill = FillTime::Close;
    }
    if let Some(rate) = rate("spread_rate_on_entry") {
        config.spread = SpreadModel::RelativeOnEntry(rate);
    }
    if let Some(rate) = rate("commission_rate_per_side") {
        config.commission = Commission::PerNotional { rate, minimum: 0.0 };
    }
    Ok(config)
}

fn run(plan: &Plan, config: &RunConfig, bars: &Bars) -> Result<Slice> {
    Ok(advance(plan, config, State::start(plan, config)?, &Inputs::of(bars))?)
}

fn read_json(folder: &Path, name: &str) -> Result<Value> {
    Ok(serde_json::from_str(&std::fs::read_to_string(folder.join("golden").join(format!("{name}.json")))?)?)
}

/// Rows of a file of trades, by column name.
fn read_trades(folder: &Path, name: &str) -> Result<Vec<BTreeMap<String, String>>> {
    let path = folder.join("golden").join(format!("{name}.trades.csv"));
    csv::Reader::from_path(path)?.into_deserialize().map(|row| Ok(row?)).collect()
}

fn near(ours: f64, theirs: f64, relative: f64, absolute: f64) -> bool {
    (ours - theirs).abs() <= (relative * theirs.abs()).max(absolute)
}

/// Equal once theirs is rounded to 1e-9; a tie that float noise moved may go either way.
fn same_price(ours: Price, theirs: f64) -> bool {
    (ours.nanos() as f64 - theirs * 1e9).abs() <= 0.500_001
}

fn check_trade(ours: &Trade, theirs: &BTreeMap<String, String>) -> Result<()> {
    let number =
        |name: &str| -> Result<f64> { Ok(theirs.get(name).with_context(|| format!("no {name}"))?.parse()?) };
    if theirs.contains_key("entry_bar") {
        ensure!(theirs["entry_bar"].parse() == Ok(ours.entry_bar), "entry bar");
        ensure!(theirs["exit_bar"].parse() == Ok(ours.exit_bar), "exit bar");
        let commission = ours.costs.commission_micros as f64 / 1e6;
        ensure!(near(commission, number("commission")?, 1e-6, 2e-5), "commission");
        ensure!(near(ours.return_fraction(), number("return_frac")?, 1e-6, 2e-9), "return");
    }
    for (stamp, name) in [(ours.entry_time, "entry_time"), (ours.exit_time, "exit_time")] {
        let expected = theirs[name].replacen(' ', "T", 1) + "Z";
        ensure!(stamp == UnixNanos::parse(&expected)?, "{name}");
    }
    ensure!(ours.side == if number("side")? > 0.0 { Side::Long } else { Side::Short }, "side");
    ensure!(near(ours.units.get() as f64, number("size")?, 0.0, 0.0), "size");
    ensure!(same_price(ours.entry_price, number("entry_price")?), "entry price");
    ensure!(same_price(ours.exit_price, number("exit_price")?), "exit price");
    ensure!(near(ours.profit_loss.to_f64(), number("pnl")?, 1e-6, 2e-5), "profit");
    Ok(())
}

fn check_trades(ours: &[Trade], theirs: &[BTreeMap<String, String>], case: &str) -> Result<()> {
    for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        check_trade(ours, theirs).with_context(|| format!("{case}, trade {index}:\n{ours:?}\n{theirs:?}"))?;
    }
    ensure!(ours.len() == theirs.len(), "{case}: {} trades instead of {}", ours.len(), theirs.len());
    Ok(())
}

fn check_case(folder: &Path, name: &str) -> Result<()> {
    let case = read_json(folder, name)?;
    let bars = market::bars(folder, case["params"]["data"].as_str().context("no data")?)?;
    let slice = run(&plan(&case)?, &config(&case)?, &bars)?;
    check_trades(&slice.trades, &read_trades(folder, name)?, name)?;
    ensure!(slice.equity.len() as u64 == case["bars"].as_u64().context("no bars")?, "{name}: bars");
    for sample in case["equity_samples"].as_array().context("no samples")? {
        let bar = sample[0].as_u64().context("no bar")? as usize;
        let (ours, theirs) = (slice.equity[bar] as f64 / 1e6, sample[1].as_f64().context("no equity")?);
        ensure!(near(ours, theirs, 1e-6, 0.0), "{name}: equity {ours} instead of {theirs} at bar {bar}");
    }
    let open = slice.state.open_positions();
    match (&case["open_position_at_end"], open.as_slice()) {
        (Value::Null, []) => Ok(()),
        (theirs, [ours]) => {
            ensure!(Some(ours.entry_bar) == theirs["entry_bar"].as_u64(), "{name}: entry bar at the end");
            ensure!(Some(ours.side.sign()) == theirs["side"].as_i64(), "{name}: side at the end");
            ensure!(Some(ours.units.get()) == theirs["size"].as_i64(), "{name}: size at the end");
            let number = |field: &str| theirs[field].as_f64().context("no number at the end");
            ensure!(same_price(ours.entry_price, number("entry_price")?), "{name}: price at the end");
            ensure!(
                near(ours.unrealized.to_f64(), number("unrealised")?, 1e-6, 2e-5),
                "{name}: gain at the end"
            );
            Ok(())
        }
        (theirs, ours) => anyhow::bail!("{name}: {ours:?} open at the end instead of {theirs}"),
    }
}

#[test]
fn every_case_on_bars_is_reproduced_trade_by_trade() -> Result<()> {
    let Some(folder) = market::reference() else {
        println!("left out without the reference data: {BAR_CASES:?}");
        return Ok(());
    };
    for name in BAR_CASES {
        check_case(&folder, name)?;
    }
    Ok(())
}

#[test]
fn every_file_of_the_references_is_covered() -> Result<()> {
    let Some(folder) = market::reference() else {
        println!("left out without the reference data");
        return Ok(());
    };
    for entry in std::fs::read_dir(folder.join("golden"))? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        if let Some(name) = file.strip_suffix(".json").filter(|name| !name.ends_with(".vectorbt")) {
            let known = BAR_CASES.contains(&name) || TICK_CASES.contains(&name);
            ensure!(known, "{name} is not covered");
        }
    }
    Ok(())
}

#[test]
fn half_a_spread_on_each_fill_is_vectorbts_slippage() -> Result<()> {
    let Some(folder) = market::reference() else {
        println!("left out without the reference data: *.both.vectorbt");
        return Ok(());
    };
    for name in ["w1_sma10_30_eurusd_h1.both", "w1_sma20_50_oanda_eurusd_h1_0_20000.both"] {
        let (case, theirs) = (read_json(&folder, name)?, read_json(&folder, &format!("{name}.vectorbt"))?);
        let bars = market::bars(&folder, case["params"]["data"].as_str().context("no data")?)?;
        let config = RunConfig { spread: SpreadModel::Relative(1e-4), ..config(&case)? };
        let slice = run(&plan(&case)?, &config, &bars)?;
        check_trades(&slice.trades, &read_trades(&folder, &format!("{name}.vectorbt"))?, name)?;
        let last = slice.equity.last().copied().context("no equity")? as f64 / 1e6;
        ensure!(
            near(last, theirs["final_value"].as_f64().context("no value")?, 1e-6, 0.0),
            "{name}: final value"
        );
    }
    Ok(())
}

#[test]
fn the_tight_case_is_full_of_what_it_is_for() -> Result<()> {
    let Some(folder) = market::reference() else {
        println!("left out without the reference data");
        return Ok(());
    };
    let case = read_json(&folder, STRESS_WITH_COSTS)?;
    let bars = market::bars(&folder, "eurusd_h1")?;
    let slice = run(&plan(&case)?, &config(&case)?, &bars)?;
    let count = |wanted: fn(&Trade) -> bool| slice.trades.iter().filter(|trade| wanted(trade)).count();
    assert_eq!(count(|trade| trade.entry_bar == trade.exit_bar), 1_738);
    assert!(count(|trade| trade.ambiguous) > 400);
    assert_eq!(count(|trade| trade.exit_reason == ExitReason::Reverse), 0);
    Ok(())
}

#[test]
fn every_case_on_ticks_is_reproduced_trade_by_trade() -> Result<()> {
    let Some(folder) = market::reference() else {
        println!("left out without the reference data: {TICK_CASES:?}");
        return Ok(());
    };
    let plan = fx_strategy::compile(TICK_CROSS, &BTreeMap::new());
    let plan = plan.map_err(|found| anyhow::anyhow!("{found:?}"))?.plan;
    for name in TICK_CASES {
        let case = read_json(&folder, name)?;
        let file = |field: &str| case[field].as_u64().map(|file| file as usize).context("no file");
        let quotes = market::ticks(&folder, file("first_file_index")?..file("end_file_index")?)?;
        ensure!(Some(quotes.len() as u64) == case["ticks"].as_u64(), "{name}: quotes");
        let cash = case["params"]["cash"].as_f64().context("no cash")?;
        let capital = Money::from_f64(cash, Currency::USD).context("cash out of range")?;
        let mut config = RunConfig::new(Instrument::parse("EUR/USD")?, Granularity::Tick, capital);
        config.fill = FillTime::Close;
        if let Some(rate) = case["commission_rate_per_fill"].as_f64().filter(|rate| *rate > 0.0) {
            config.commission = Commission::PerNotional { rate, minimum: 0.0 };
        }
        let slice = run(&plan, &config, &quotes)?;
        let theirs = read_trades(&folder, name)?;
        for (ours, theirs) in slice.trades.iter().zip(&theirs) {
            let number = |field: &str| -> Result<f64> { Ok(theirs[field].parse()?) };
            let bars = (theirs["entry_tick"].parse()?, theirs["exit_tick"].parse()?);
            ensure!((ours.entry_bar, ours.exit_bar) == bars, "{name}: {ours:?} instead of {theirs:?}");
            ensure!(Ok(ours.side.sign()) == theirs["side"].parse(), "{name}: side of {theirs:?}");
            ensure!(same_price(ours.entry_price, number("entry_price")?), "{name}: entry of {theirs:?}");
            ensure!(same_price(ours.exit_price, number("exit_price")?), "{name}: exit of {theirs:?}");
            ensure!(
                near(ours.profit_loss.to_f64(), number("pnl")?, 1e-6, 2e-5),
                "{name}: {ours:?} {theirs:?}"
            );
            for (stamp, field) in [(ours.entry_time, "entry_time"), (ours.exit_time, "exit_time")] {
                let expected = theirs[field].replacen(' ', "T", 1) + "Z";
                ensure!(stamp == UnixNanos::parse(&expected)?, "{name}: {field} of {theirs:?}");
            }
        }
        ensure!(slice.trades.len() == theirs.len(), "{name}: {} trades", slice.trades.len());
        let last = slice.equity.last().copied().context("no equity")? as f64 / 1e6;
        let expected = case["final_equity"].as_f64().context("no final equity")?;
        ensure!((last - expected).abs() < 1e-3, "{name}: {last} instead of {expected} at the end");
        let open: i64 =
            slice.state.open_positions().iter().map(|open| open.side.sign() * open.units.get()).sum();
        ensure!(Some(open) == case["open_position_at_end"].as_i64(), "{name}: {open} units at the end");
    }
    Ok(())
}
