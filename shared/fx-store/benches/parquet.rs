//! One million synthetic M1 bars: decoding, also of their closes as quotes, encoding, and one backtest from the stored bytes
//! to its figures, beside the same backtest from memory. The ratio of `backtest/from_parquet` to `parquet/decode` is what
//! the engine adds to reading.
#![allow(clippy::unwrap_used, missing_docs)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fx_domain::{
    Bar, Bars, Currency, Granularity, Instrument, Money, Price, QuoteColumns, QuoteSide, UnixNanos,
};
use fx_engine::{Inputs, Market, RunConfig, State, Tally, advance_over};
use fx_store::synthetic::{SyntheticSpec, bars};
use fx_store::{decode_bars, encode_bars};
use std::collections::BTreeMap;
use std::hint::black_box;

const BARS: usize = 1_000_000;

fn one_sided(bars: &Bars) -> Bars {
    let quotes = QuoteColumns::One { side: QuoteSide::Bid, ohlc: bars.signal_side().clone() };
    Bars { quotes, ..bars.clone() }
}

/// The closes as quotes.
fn quotes(bars: &Bars) -> Bars {
    let mut quotes = Bars::empty(None);
    for index in 0..bars.len() {
        let bar = bars.get(index);
        quotes.push(Bar::tick(bar.time, bar.bid.close, bar.ask.unwrap().close));
    }
    quotes
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
    let mut generated = Bars::empty(None);
    bars(&spec).unwrap().for_each(|bar| generated.push(bar.unwrap()));
    generated
}

fn parquet(criterion: &mut Criterion) {
    let both = synthetic_bars();
    let one = one_sided(&both);
    let mut group = criterion.benchmark_group("parquet");
    group.sample_size(10).throughput(Throughput::Elements(BARS as u64));
    for (name, bars, side) in [("one_sided", &one, Some(QuoteSide::Bid)), ("both_sides", &both, None)] {
        let encoded = bytes::Bytes::from(encode_bars(bars, Granularity::M1, 5).unwrap());
        eprintln!("{name}: {:.2} bytes/bar", encoded.len() as f64 / BARS as f64);
        group.bench_function(format!("decode_{name}"), |bench| {
            bench.iter_batched(
                || encoded.clone(),
                |encoded| black_box(decode_bars(encoded, Granularity::M1, side).unwrap()),
                BatchSize::LargeInput,
            );
        });
        group.bench_function(format!("encode_{name}"), |bench| {
            bench.iter(|| black_box(encode_bars(bars, Granularity::M1, 5).unwrap()));
        });
    }
    let quotes = quotes(&both);
    let encoded = bytes::Bytes::from(encode_bars(&quotes, Granularity::Tick, 5).unwrap());
    eprintln!("quotes: {:.2} bytes/quote", encoded.len() as f64 / BARS as f64);
    group.bench_function("decode_quotes", |bench| {
        bench.iter_batched(
            || encoded.clone(),
            |encoded| black_box(decode_bars(encoded, Granularity::Tick, None).unwrap()),
            BatchSize::LargeInput,
        );
    });
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
    let capital = Money::from_micros(1_000_000 * Money::SCALE, Currency::USD);
    let config = RunConfig::new(Instrument::parse("EUR/USD").unwrap(), Granularity::M1, capital);
    let run = |bars: &Bars| {
        let state = State::start(&plan, &config).unwrap();
        let inputs = Inputs::of(bars);
        let market = Market::new(&config, &state, &inputs).unwrap();
        let mut tally = Tally::default();
        black_box(advance_over(&plan, &config, state, &market, &mut tally).unwrap());
        assert!(tally.trades > BARS as u64 / 100, "a bench that does not trade measures nothing");
    };
    let encoded = bytes::Bytes::from(encode_bars(&bars, Granularity::M1, 5).unwrap());
    let mut group = criterion.benchmark_group("backtest");
    group.sample_size(10).throughput(Throughput::Elements(BARS as u64));
    group.bench_function("from_memory", |bench| bench.iter(|| run(&bars)));
    group.bench_function("from_parquet", |bench| {
        bench.iter(|| run(&decode_bars(encoded.clone(), Granularity::M1, Some(QuoteSide::Bid)).unwrap()));
    });
    group.finish();
}

criterion_group!(benches, parquet, backtest);
criterion_main!(benches);
