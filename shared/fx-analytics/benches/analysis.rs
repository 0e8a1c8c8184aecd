//! Bars per second of the statistics: a window of a run after the other, and the page of a long run.

#![allow(clippy::expect_used, missing_docs)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fx_analytics::{Analysis, RunStart};
use std::hint::black_box;

#[path = "../tests/runs/mod.rs"]
mod runs;

use runs::Run;

/// Bars of a window, as a run streams them.
const WINDOW: usize = 131_072;
const BARS: usize = 1 << 20;

fn measure(run: &Run, start: RunStart) -> Analysis {
    let mut analysis = Analysis::new(start);
    let mut trades = run.trades.as_slice();
    for from in (0..run.equity.times.len()).step_by(WINDOW) {
        let to = run.equity.times.len().min(from + WINDOW);
        analysis.points(&run.equity.times[from..to], &run.equity.micros[from..to], &run.closes[from..to]);
        let (ended, later) = trades.split_at(trades.partition_point(|trade| trade.exit_bar < to as u64));
        analysis.trades(ended);
        trades = later;
    }
    analysis
}

fn analysis(c: &mut Criterion) {
    let mut group = c.benchmark_group("analysis");
    group.throughput(Throughput::Elements(BARS as u64));
    // Always in the market: equity and close change on nearly every bar. Then flat four bars of five.
    for (name, run) in [("held", Run::walk(BARS, 40_000)), ("mostly flat", flat(Run::walk(BARS, 40_000)))] {
        assert_eq!(measure(&run, run.start()).finish(run.end()).0, run.report(), "windows change nothing");
        group.bench_function(name, |b| b.iter(|| black_box(measure(&run, run.start()))));
        let analysis = measure(&run, run.start());
        group.bench_function(format!("{name}, finish"), |b| {
            b.iter_batched(|| analysis.clone(), |analysis| analysis.finish(run.end()), BatchSize::LargeInput);
        });
    }
    group.finish();
}

/// The same prices; the equity moves on one bar of five.
fn flat(mut run: Run) -> Run {
    for bar in 0..run.equity.micros.len() {
        run.equity.micros[bar] = run.equity.micros[bar / 5 * 5];
    }
    run
}

criterion_group!(benches, analysis);
criterion_main!(benches);
