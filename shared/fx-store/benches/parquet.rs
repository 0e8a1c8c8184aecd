//! One million synthetic M1 bars: decoding, encoding, and one backtest from the stored bytes to its trades, beside the same
//! backtest from memory.
#![allow(clippy::unwrap_used, missing_docs)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fx_app::backtests::BacktestRequest;
use fx_domain::{Bars, Granularity, Instrument, Price, QuoteColumns, QuoteSide, StrategyId, UnixNanos};
use fx_engine::{State, advance};
use fx_store::synthetic::{SyntheticSpec, bars};
use fx_store::{decode_bars, encode_bars};
use std::collections::BTreeMap;
use std::hint::black_box;

const BARS: usize = 1_000_000;

fn one_sided(bars: &Bars) -> Bars {
    let quotes = QuoteColumns::One { side: QuoteSide::Bid, ohlc: bars.signal_side().clone() };
    Bars { times: bars.times.clone(), quotes, volume: bars.volume.clone() }
}

fn synthetic_bars() -> Bars {
    let spec = SyntheticSpec {
        instrument: Instrument::parse("EUR/USD").unwrap(),
        granularity: Granularity::M1,
        start: UnixNanos::parse("2015-01-05").unwrap(),
        bars: BARS,
        seed: 42,
        start_price: Price::parse("1.1").unwrap(),
    };
    bars(&spec).unwrap()
}

fn parquet(criterion: &mut Criterion) {
    let both = synthetic_bars();
    let one = one_sided(&both);
    let mut group = criterion.benchmark_group("parquet");
    group.sample_size(10).throughput(Throughput::Elements(BARS as u64));
    for (name, bars, side) in [("one_sided", &one, Some(QuoteSide::Bid)), ("both_sides", &both, None)] {
        let encoded = bytes::Bytes::from(encode_bars(bars, 5).unwrap());
        eprintln!("{name}: {:.2} bytes/bar", encoded.len() as f64 / BARS as f64);
        group.bench_function(format!("decode_{name}"), |bench| {
            bench.iter_batched(
                || encoded.clone(),
                |encoded| black_box(decode_bars(encoded, side).unwrap()),
                BatchSize::LargeInput,
            );
        });
        group.bench_function(format!("encode_{name}"), |bench| {
            bench.iter(|| black_box(encode_bars(bars, 5).unwrap()));
        });
    }
    group.finish();
}

const CROSS: &str = "
class Cross(Strategy):
    def analyze(self, data):
        fast = sma(data.close, 10)
        slow = sma(data.close, 30)
        if crosses_above(fast, slow):
            return buy(units=10000)
        if crosses_below(fast, slow):
            return sell(units=10000)
        return {}
";

fn backtest(criterion: &mut Criterion) {
    let bars = one_sided(&synthetic_bars());
    let plan = fx_strategy::compile(CROSS, &BTreeMap::new()).unwrap().plan;
    let config =
        BacktestRequest::new(StrategyId::parse("cross").unwrap(), bars.times[0], UnixNanos::new(i64::MAX));
    let config = config.run_config(Instrument::parse("EUR/USD").unwrap()).unwrap();
    let run = |bars: &Bars| {
        let slice = advance(&plan, &config, State::start(&plan, &config).unwrap(), bars).unwrap();
        assert!(slice.trades.len() > BARS / 100, "a bench that does not trade measures nothing");
        black_box(slice)
    };
    let encoded = bytes::Bytes::from(encode_bars(&bars, 5).unwrap());
    let mut group = criterion.benchmark_group("backtest");
    group.sample_size(10).throughput(Throughput::Elements(BARS as u64));
    group.bench_function("from_memory", |bench| bench.iter(|| run(&bars)));
    group.bench_function("from_parquet", |bench| {
        bench.iter(|| run(&decode_bars(encoded.clone(), Some(QuoteSide::Bid)).unwrap()));
    });
    group.finish();
}

criterion_group!(benches, parquet, backtest);
criterion_main!(benches);
