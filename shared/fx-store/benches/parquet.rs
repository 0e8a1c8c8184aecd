//! Decoding and encoding of one million synthetic M1 bars, bid and one-sided.
#![allow(clippy::unwrap_used, missing_docs)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fx_domain::{Bars, Granularity, Instrument, Price, QuoteColumns, QuoteSide, UnixNanos};
use fx_store::synthetic::{SyntheticSpec, bars};
use fx_store::{decode_bars, encode_bars};
use std::hint::black_box;

const BARS: usize = 1_000_000;

fn one_sided(bars: &Bars) -> Bars {
    let quotes = QuoteColumns::One { side: QuoteSide::Bid, ohlc: bars.signal_side().clone() };
    Bars { times: bars.times.clone(), quotes, volume: bars.volume.clone() }
}

fn parquet(criterion: &mut Criterion) {
    let spec = SyntheticSpec {
        instrument: Instrument::parse("EUR/USD").unwrap(),
        granularity: Granularity::M1,
        start: UnixNanos::parse("2015-01-05").unwrap(),
        bars: BARS,
        seed: 42,
        start_price: Price::parse("1.1").unwrap(),
    };
    let both = bars(&spec).unwrap();
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

criterion_group!(benches, parquet);
criterion_main!(benches);
