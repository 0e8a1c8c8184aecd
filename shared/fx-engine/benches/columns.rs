//! Bars per second of the market part of plans: rules that never fire, so that no position is ever opened.
//!
//! `nothing` is what any run costs beside its plan: checks of the bars and a flat equity curve. The others less that
//! one are the cost of their columns.

#![allow(clippy::expect_used, missing_docs)]

mod walk;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fx_domain::{Currency, Granularity, Instrument, Money};
use fx_engine::{Inputs, RunConfig, State, advance, estimated_bars_per_second};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

/// Bars of one run: their prices stay in the second-level cache from run to run.
const BARS: usize = 50_000;

/// How far an estimate may be off, either way.
const ESTIMATE_FACTOR: f64 = 4.0;

/// Conditions; each is evaluated and then found to be of no use.
const CONDITIONS: [(&str, &str); 9] = [
    ("nothing", "data.index >= 0"),
    ("price_means_crossed", "sma(data.close, 10) > sma(data.close, 30)"),
    ("price_mean_and_price", "sma(data.close, 50) > data.close"),
    ("means_of_a_number", "sma((data.high + data.low + data.close) / 3, 20) > data.close"),
    ("weighted_mean", "wma(data.close, 20) > data.close"),
    ("exponential_means", "ema(data.close, 12) > ema(data.close, 26)"),
    ("relative_strength", "rsi(data.close, 14) < 30"),
    ("deviation", "stdev(data.close, 20) > 0.001"),
    ("breakout", "data.close > highest(data.high, 20)[-1]"),
];

/// Every other indicator, by what is called and which of its results is looked at.
const INDICATORS: [(&str, &str); 29] = [
    ("x", "wma(data.close, 200)"),
    ("x", "rma(data.close, 14)"),
    ("x", "dema(data.close, 20)"),
    ("x", "tema(data.close, 20)"),
    ("x", "kama(data.close, 10)"),
    ("x", "linreg(data.close, 50)"),
    ("x", "linreg_slope(data.close, 50)"),
    ("x", "vwap()"),
    ("x", "vwap(50)"),
    ("x, d", "stochastic(14)"),
    ("x", "cci(20)"),
    ("x", "cci(200)"),
    ("x", "roc(data.close, 10)"),
    ("x", "momentum(data.close, 10)"),
    ("line, signal, x", "macd(data.close)"),
    ("x", "adx(14)"),
    ("x", "stdev(data.high - data.low, 50)"),
    ("x", "zscore(data.close, 50)"),
    ("x", "highest(data.high, 2000)"),
    ("x, middle, lower", "bollinger(data.close, 20)"),
    ("x, middle, lower", "keltner(20)"),
    ("x, middle, lower", "donchian(55)"),
    ("x", "natr(14)"),
    ("x, direction", "supertrend()"),
    ("x", "psar()"),
    ("c, b, x, s", "ichimoku()"),
    ("p, x, r2, r3, s1, s2, s3", "pivots()"),
    ("x", "barssince(data.close > data.open)"),
    ("x", "valuewhen(data.close > data.open, data.high, 3)"),
];

fn config() -> RunConfig {
    let capital = Money::from_micros(1_000_000 * Money::SCALE, Currency::USD);
    let mut config = RunConfig::new(Instrument::parse("EUR/USD").expect("a pair"), Granularity::M1, capital);
    config.account.leverage = 100.0;
    config
}

/// The estimate that a linter shows is within a factor of what the best of some runs takes.
fn agrees<T>(name: &str, estimate: u64, run: &impl Fn() -> T) {
    let time = || {
        let begun = Instant::now();
        black_box(run());
        begun.elapsed().as_secs_f64()
    };
    let best = (0..20).map(|_| time()).fold(f64::INFINITY, f64::min);
    let ratio = estimate as f64 * best / BARS as f64;
    eprintln!("{name}: estimated {:.1} M bars/s, {ratio:.2} times the measured", estimate as f64 / 1e6);
    assert!((1.0 / ESTIMATE_FACTOR..=ESTIMATE_FACTOR).contains(&ratio), "{name}: the cost model is off");
}

fn columns(criterion: &mut Criterion) {
    let (bars, config) = (walk::bars(BARS), config());
    let mut group = criterion.benchmark_group("columns");
    group.throughput(Throughput::Elements(BARS as u64)).sample_size(30);
    let conditions = CONDITIONS.map(|(name, condition)| (name, String::new(), condition));
    let indicators = INDICATORS.map(|(names, call)| (call, format!("        {names} = {call}\n"), "x > 1"));
    for (name, line, condition) in conditions.into_iter().chain(indicators) {
        let source = format!(
            "class Never(Strategy):\n    def analyze(self, data):\n{line}        \
             if data.index >= 1000000000 and {condition}:\n            return buy(units=1000)\n        return {{}}\n"
        );
        let plan = fx_strategy::compile(&source, &BTreeMap::new()).expect("a strategy").plan;
        let run = || {
            let state = State::start(&plan, &config).expect("a plan");
            advance(&plan, &config, state, &Inputs::of(black_box(&bars))).expect("sound bars")
        };
        assert!(run().events.is_empty(), "{name} never acts");
        agrees(name, estimated_bars_per_second(&plan), &run);
        group.bench_function(name, |bencher| bencher.iter(|| black_box(run())));
    }
    group.finish();
}

criterion_group!(benches, columns);
criterion_main!(benches);
