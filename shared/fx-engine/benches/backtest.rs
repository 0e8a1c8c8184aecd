//! Bars per second of whole backtests in memory. Each workload first proves that it computes the right answer.

#![allow(clippy::expect_used, missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fx_domain::{
    Bar, Bars, Currency, Instrument, Money, NANOS_PER_MINUTE, Ohlc, Price, QuoteSide, UnixNanos,
};
use fx_engine::{Commission, FillTime, IntrabarPolicy, RunConfig, Slice, SpreadModel, State, advance};
use fx_strategy::Plan;
use parquet::column::reader::ColumnReader;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;

const CROSS: &str = r#"
class Cross(Strategy):
    def analyze(self, data):
        quick = sma(data.close, 10)
        calm = sma(data.close, 30)
        if data.index >= 30 and quick > calm:
            return buy(units=10000)
        if data.index >= 30 and quick < calm:
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

fn config() -> RunConfig {
    RunConfig {
        instrument: Instrument::parse("EUR/USD").expect("a pair"),
        account_currency: Currency::USD,
        initial_capital: Money::from_micros(1_000_000 * Money::SCALE, Currency::USD),
        start: UnixNanos::new(i64::MIN),
        fill: FillTime::Open,
        fill_policy: IntrabarPolicy::Pessimistic,
        spread: SpreadModel::Measured,
        commission: Commission::None,
        slippage: Price::ZERO,
        pyramiding: 0,
        leverage: 100.0,
    }
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

/// A walk of whole points, for machines without the reference data.
fn generated_bars(count: usize) -> Bars {
    let mut bars = Bars::empty(Some(QuoteSide::Bid));
    let (mut seed, mut points) = (42_u64, 110_000_i64);
    let mut step = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 60) as i64 - 7
    };
    for row in 0..count {
        let open = points;
        points = (points + step()).clamp(50_000, 200_000);
        let (high, low) = (open.max(points) + step().abs(), open.min(points) - step().abs());
        let price = |points: i64| Price::from_nanos(points * 10_000);
        let bid = Ohlc { open: price(open), high: price(high), low: price(low), close: price(points) };
        bars.push(Bar { time: UnixNanos::new(row as i64 * NANOS_PER_MINUTE), bid, ask: None, volume: 1 });
    }
    bars
}

fn run(plan: &Plan, config: &RunConfig, bars: &Bars) -> Slice {
    let state = State::start(plan, config).expect("a plan");
    advance(plan, config, state, bars).expect("sound bars")
}

fn workload(criterion: &mut Criterion, name: &str, source: &str, bars: &Bars, answer: Option<Answer>) {
    let (plan, config) = (fx_strategy::compile(source, &BTreeMap::new()).expect("a strategy").plan, config());
    let slice = run(&plan, &config, bars);
    match answer {
        Some(answer) => {
            assert_eq!(slice.trades.len(), answer.trades, "{name}: closed trades");
            assert_eq!(slice.equity.last(), Some(&answer.final_equity_micros), "{name}: final equity");
        }
        None => assert!(!slice.trades.is_empty(), "{name} trades"),
    }
    let mut group = criterion.benchmark_group("backtest");
    group.throughput(Throughput::Elements(bars.len() as u64)).sample_size(20);
    group.bench_function(name, |bencher| bencher.iter(|| black_box(run(&plan, &config, black_box(bars)))));
    group.finish();
}

/// The same run taken a day of minutes at a time, as a host that streams its bars does.
fn streamed(criterion: &mut Criterion, source: &str, bars: &Bars) {
    const DAY: usize = 1_440;
    let (plan, config) = (fx_strategy::compile(source, &BTreeMap::new()).expect("a strategy").plan, config());
    let days: Vec<_> =
        (0..bars.len()).step_by(DAY).map(|from| bars.slice(from..bars.len().min(from + DAY))).collect();
    let stream = || {
        let start = State::start(&plan, &config).expect("a plan");
        days.iter().fold((start, 0), |(state, trades), day| {
            let slice = advance(&plan, &config, state, black_box(day)).expect("sound bars");
            (slice.state, trades + slice.trades.len())
        })
    };
    let (whole, (state, trades)) = (run(&plan, &config, bars), stream());
    assert_eq!((state.hash(), trades), (whole.state.hash(), whole.trades.len()), "streamed is whole");
    let mut group = criterion.benchmark_group("backtest");
    group.throughput(Throughput::Elements(bars.len() as u64)).sample_size(20);
    group.bench_function("sma_cross_1m_by_day", |bencher| bencher.iter(stream));
    group.finish();
}

fn backtests(criterion: &mut Criterion) {
    let reference = reference_bars();
    assert!(reference.is_some() || std::env::var_os("CI").is_none(), "CI needs the reference data");
    let known = reference.is_some();
    let bars = reference.unwrap_or_else(|| generated_bars(1_000_000));
    let answer = |trades, final_equity_micros| known.then_some(Answer { trades, final_equity_micros });
    workload(criterion, "sma_cross_1m", CROSS, &bars, answer(39_094, 998_109_900_000));
    streamed(criterion, CROSS, &bars);
    workload(criterion, "rsi_100k", REVERSION, &bars.slice(0..100_000), answer(729, 999_416_100_000));
}

criterion_group!(benches, backtests);
criterion_main!(benches);
