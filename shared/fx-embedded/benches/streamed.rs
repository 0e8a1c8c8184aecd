//! Whole backtests as the service makes them: bars from Parquet in a folder, figures, hash and page, all rows into Parquet
//! again; beside it reading the bars alone. The ratio is what everything else costs. `BENCH_BARS` names another number of
//! bars than one and ten million.

#![allow(clippy::unwrap_used, missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use long::Platform;
use std::cell::Cell;
use tokio::runtime::Runtime;

#[path = "../tests/long/mod.rs"]
mod long;

fn streamed(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let asked = std::env::var("BENCH_BARS").ok().map(|bars| vec![bars.parse().unwrap()]);
    for bars in asked.unwrap_or_else(|| vec![1_000_000, 10_000_000]) {
        let platform = runtime.block_on(Platform::with_bars(bars));
        let mut group = criterion.benchmark_group(format!("streamed_{bars}"));
        group.sample_size(10).throughput(Throughput::Elements(bars as u64));
        group.bench_function("read", |bench| bench.iter(|| runtime.block_on(platform.read())));
        // Another seed is another backtest: what is stored once is not stored again.
        let seed = Cell::new(0);
        group.bench_function("backtest", |bench| {
            bench.iter(|| runtime.block_on(platform.backtest(seed.replace(seed.get() + 1))));
        });
        group.finish();
    }
}

criterion_group!(benches, streamed);
criterion_main!(benches);
