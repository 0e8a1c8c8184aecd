//! Bars per second of whole backtests in memory. Each workload first proves that it computes the right answer.

#![allow(clippy::expect_used, missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fx_domain::{
    Bar, Bars, Currency, Granularity, Instrument, LedgerRow, Money, NANOS_PER_MINUTE, Ohlc, Price,
    QuoteColumns, QuoteSide, Trade, UnixNanos,
};
use fx_engine::{
    Drawdown, FillTime, Inputs, MarginPoint, Market, OrderEvent, Recorder, RunConfig, State, Tally, advance,
    advance_over, sweep,
};
use fx_strategy::{ParameterValue, Plan};
use parquet::column::reader::ColumnReader;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::hint::black_box;
use std::path::Path;

mod walk;

#[path = "../tests/market/mod.rs"]
#[expect(dead_code, reason = "the tests read more of the reference data")]
mod market;

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

const TICK_CROSS: &str = r#"
class TickCross(Strategy):
    def analyze(self, data):
        quick = sma(data.mid.close, 200)
        calm = sma(data.mid.close, 1000)
        if data.index >= 1000 and quick > calm:
            return buy(units=10000)
        if data.index >= 1000 and quick < calm:
            return sell(units=10000)
        return {}
"#;

const REVERSION: &str = r#"
class Reversion(Strategy):
    def analyze(self, data):
        strength = rsi(data.close, 14)
        ready = data.index > 14 and position.units == 0
        if ready and strength < 30:
            return buy(units=10000, stop_loss=data.close - 0.0010, take_profit=data.close + 0.0015)
        if ready and strength > 70:
            return sell(units=10000, stop_loss=data.close + 0.0010, take_profit=data.close - 0.0015)
        return {}
"#;

/// What a workload must yield on the reference data.
struct Answer {
    trades: usize,
    final_equity_micros: i64,
}

fn config(granularity: Granularity) -> RunConfig {
    let capital = Money::from_micros(1_000_000 * Money::SCALE, Currency::USD);
    let mut config = RunConfig::new(Instrument::parse("EUR/USD").expect("a pair"), granularity, capital);
    config.account.leverage = 100.0;
    config
}

/// The million bars of the reference data; `None` where it is not there.
fn reference_bars() -> Option<Bars> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/synthetic/m1_1000000_seed42.parquet");
    let file = SerializedFileReader::new(std::fs::File::open(path).ok()?).expect("a Parquet file");
    let mut columns: [Vec<i64>; 6] = Default::default();
    for group in 0..file.num_row_groups() {
        let group = file.get_row_group(group).expect("a row group");
        let rows = group.metadata().num_rows() as usize;
        for (index, out) in columns.iter_mut().enumerate() {
            match group.get_column_reader(index).expect("a column") {
                ColumnReader::Int64ColumnReader(mut reader) => {
                    let (mut levels, mut values) = (Vec::new(), Vec::new());
                    reader.read_records(rows, Some(&mut levels), None, &mut values).expect("values");
                    out.extend(values);
                }
                ColumnReader::Int32ColumnReader(mut reader) => {
                    let (mut levels, mut values) = (Vec::new(), Vec::new());
                    reader.read_records(rows, Some(&mut levels), None, &mut values).expect("values");
                    out.extend(values.into_iter().map(i64::from));
                }
                _ => panic!("columns are integers"),
            }
        }
    }
    let [times, opens, highs, lows, closes, volumes] = columns;
    let mut bars = Bars::empty(Some(QuoteSide::Bid));
    for (row, (micros, volume)) in times.into_iter().zip(volumes).enumerate() {
        let price = |column: &[i64]| Price::from_nanos(column[row] * 10_000);
        let bid = Ohlc { open: price(&opens), high: price(&highs), low: price(&lows), close: price(&closes) };
        bars.push(Bar { time: UnixNanos::new(micros * 1_000), bid, ask: None, volume });
    }
    Some(bars)
}

/// Keeps trades and equity, and follows the drawdown: what the peers that it is compared with keep. Its room is used
/// again from run to run.
#[derive(Default)]
struct Figures {
    trades: Vec<Trade>,
    equity: Vec<i64>,
    drawdown: Drawdown,
}

impl Recorder for Figures {
    const DETAILED: bool = false;

    fn trade(&mut self, trade: &Trade) {
        self.trades.push(*trade);
    }

    fn ledger(&mut self, _: &LedgerRow) {}

    fn event(&mut self, _: impl FnOnce() -> OrderEvent) {}

    fn margin(&mut self, _: impl FnOnce() -> MarginPoint) {}

    fn equity(&mut self, _: &[UnixNanos], micros: &[i64]) {
        self.equity.extend_from_slice(micros);
        self.drawdown.follow(micros);
    }

    fn recording(&mut self, _: usize, _: &[f64]) {}
}

fn plan(source: &str, parameters: &[(&str, i64)]) -> Plan {
    let set = |(name, value): &(&str, i64)| ((*name).to_owned(), ParameterValue::Integer(*value));
    let parameters = parameters.iter().map(set).collect();
    fx_strategy::compile(source, &parameters).expect("a strategy").plan
}

/// Three times the same run: over prices that were checked before, with the check, and with everything written down.
fn workload(
    criterion: &mut Criterion,
    name: &str,
    plan: &Plan,
    config: &RunConfig,
    bars: &Bars,
    answer: Option<Answer>,
) {
    let start = || State::start(plan, config).expect("a plan");
    let inputs = Inputs::of(bars);
    let market = Market::new(config, &start(), &inputs).expect("sound bars");
    let mut figures = Figures::default();
    let mut run = |market: &Market<'_>| {
        figures.trades.clear();
        figures.equity.clear();
        advance_over(plan, config, start(), market, &mut figures).expect("sound bars");
        (figures.trades.len(), figures.equity.last().copied())
    };
    let (trades, equity) = run(&market);
    match answer {
        Some(answer) => {
            assert_eq!(trades, answer.trades, "{name}: closed trades");
            assert_eq!(equity, Some(answer.final_equity_micros), "{name}: final equity");
        }
        None => assert!(trades > 0, "{name} trades"),
    }
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(bars.len() as u64)).sample_size(20);
    group.bench_function("figures", |bencher| bencher.iter(|| black_box(run(black_box(&market)))));
    group.bench_function("figures_with_check", |bencher| {
        bencher.iter(|| black_box(run(&Market::new(config, &start(), &inputs).expect("sound bars"))));
    });
    group.bench_function("everything", |bencher| {
        bencher.iter(|| black_box(advance(plan, config, start(), &inputs).expect("sound bars")));
    });
    group.finish();
}

/// A thousand parameter sets at once, on two threads.
fn sweeps(criterion: &mut Criterion, bars: &Bars, known: bool) {
    let config = config(Granularity::M1);
    let sets = (5..30).flat_map(|fast| (30..=225).step_by(5).map(move |slow| (fast, slow)));
    let plans: Vec<_> = sets.map(|(fast, slow)| plan(CROSS, &[("fast", fast), ("slow", slow)])).collect();
    let inputs = Inputs::of(bars);
    let state = State::start(&plans[0], &config).expect("a plan");
    let market = Market::new(&config, &state, &inputs).expect("sound bars");
    let (first, second) = plans.split_at(plans.len() / 2);
    let both = || {
        let half = |plans: &[Plan]| sweep::<Tally>(plans, &config, &market).expect("sound bars");
        std::thread::scope(|scope| {
            let other = scope.spawn(|| half(second));
            let tallies = [half(first), other.join().expect("no panic")].concat();
            let trades: u64 = tallies.iter().map(|tally| tally.trades).sum();
            (trades, tallies.iter().map(|tally| tally.final_equity_micros).sum::<i64>())
        })
    };
    if known {
        assert_eq!(both(), (1_630_399, 1_000_387_959_700_000), "a thousand pairs");
    }
    let mut group = criterion.benchmark_group("sweep_1000_pairs_two_threads");
    group.throughput(Throughput::Elements(1_000 * bars.len() as u64)).sample_size(10);
    group.bench_function("tallies", |bencher| bencher.iter(both));
    group.finish();
}

/// Ten times the bars, one after the other, the times shifted.
fn repeated(bars: &Bars, times: usize) -> Bars {
    let length = bars.times[bars.len() - 1].get() - bars.times[0].get() + NANOS_PER_MINUTE;
    let mut all = bars.clone();
    let QuoteColumns::One { ohlc: one, .. } = &bars.quotes else { return all };
    for repeat in 1..times as i64 {
        all.times.extend(bars.times.iter().map(|time| time.plus_nanos(repeat * length)));
        all.volume.extend(&bars.volume);
        if let QuoteColumns::One { ohlc, .. } = &mut all.quotes {
            ohlc.append(one);
        }
    }
    all
}

/// As long as the engine's time allows, in windows of the given bars, each resumed from the state that the one before left.
/// What it costs to shift the times is in the figure.
fn windows(criterion: &mut Criterion, plan: &Plan, config: &RunConfig, bars: &Bars) {
    let mut window = bars.clone();
    let length = bars.times[bars.len() - 1].get() - bars.times[0].get() + NANOS_PER_MINUTE;
    let first = UnixNanos::parse("1850-01-01").expect("a date").get() - bars.times[0].get();
    let mut figures = Figures::default();
    let mut run = |count: i64| {
        let mut state = State::start(plan, config).expect("a plan");
        let mut trades = 0;
        for index in 0..count {
            for (time, at) in window.times.iter_mut().zip(&bars.times) {
                *time = at.plus_nanos(first + index * length);
            }
            figures.trades.clear();
            figures.equity.clear();
            let inputs = Inputs::of(&window);
            let market = Market::new(config, &state, &inputs).expect("sound bars");
            state = advance_over(plan, config, state, &market, &mut figures).expect("sound bars");
            trades += figures.trades.len();
        }
        trades
    };
    let mut group = criterion.benchmark_group("sma_cross_windows");
    for count in [1, 10, 100] {
        group.throughput(Throughput::Elements(count as u64 * bars.len() as u64)).sample_size(10);
        group.bench_function(count.to_string(), |bencher| bencher.iter(|| black_box(run(count))));
    }
    group.finish();
}

fn backtests(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let reference = reference_bars();
    assert!(reference.is_some() || std::env::var_os("CI").is_none(), "CI needs the reference data");
    let known = reference.is_some();
    let bars = reference.unwrap_or_else(|| walk::bars(1_000_000));
    let answer = |trades, final_equity_micros| known.then_some(Answer { trades, final_equity_micros });
    let (minutes, cross) = (config(Granularity::M1), plan(CROSS, &[]));
    let small = bars.slice(0..100_000);
    workload(criterion, "sma_cross_1m", &cross, &minutes, &bars, answer(39_094, 998_109_900_000));
    workload(criterion, "sma_cross_10m", &cross, &minutes, &repeated(&bars, 10), None);
    windows(criterion, &cross, &minutes, &bars);
    workload(criterion, "rsi_100k", &plan(REVERSION, &[]), &minutes, &small, answer(729, 999_416_100_000));
    sweeps(criterion, &small, known);
    if known {
        let quotes = market::ticks(&folder, 0..13).expect("the reference quotes");
        let ticks = RunConfig { fill: FillTime::Close, ..config(Granularity::Tick) };
        let answer = Some(Answer { trades: 768, final_equity_micros: 998_943_500_000 });
        workload(criterion, "tick_cross_533k", &plan(TICK_CROSS, &[]), &ticks, &quotes, answer);
    }
}

criterion_group!(benches, backtests);
criterion_main!(benches);
