//! What one run, and all of them together, may take.

use super::*;
use futures::stream::StreamExt;
use fx_app::backtests::RUN_BARS_MAX;
use fx_app::ports::{BarStream, Page, PageRequest, StoreResult, TimeRange};
use fx_app::records::SeriesVersion;
use fx_domain::{Digest, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Barrier;

/// Says how many bars a range holds, and counts how many streams begin at once: each waits until so many have.
struct Watched {
    inner: Arc<dyn BarStore>,
    rows: u64,
    reading: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    together: Arc<Barrier>,
}

#[async_trait]
impl BarStore for Watched {
    async fn describe(
        &self,
        key: &SeriesKey,
        version: Option<&Digest>,
    ) -> StoreResult<Option<SeriesVersion>> {
        let described = self.inner.describe(key, version).await?;
        Ok(described.map(|version| SeriesVersion { rows: 100 * RUN_BARS_MAX, ..version }))
    }
    fn stream(&self, version: &SeriesVersion, range: TimeRange, warm_up: usize) -> BarStream {
        let (most, reading, together) = (self.most.clone(), self.reading.clone(), self.together.clone());
        let stream = self.inner.stream(version, range, warm_up);
        let first = async move {
            let now = reading.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            together.wait().await;
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            reading.fetch_sub(1, Ordering::SeqCst);
            stream
        };
        futures::stream::once(first).flatten().boxed()
    }
    async fn list(&self, page: &PageRequest) -> StoreResult<Page<SeriesVersion>> {
        self.inner.list(page).await
    }
    async fn rows_within_max(&self, _: &SeriesVersion, _: TimeRange) -> StoreResult<u64> {
        Ok(self.rows)
    }
}

async fn bench(rows: u64, together: usize) -> (Bench, BacktestRequest, Arc<AtomicUsize>) {
    let most = Arc::new(AtomicUsize::new(0));
    let (watch, together) = (most.clone(), Arc::new(Barrier::new(together)));
    let bench = Bench::over(move |inner| {
        Arc::new(Watched { inner, rows, reading: Arc::default(), most: watch, together })
    });
    bench.hours("EUR/USD", (0..24).map(|_| flat(10_800)));
    let strategy = bench.strategy(&["EUR/USD"], &HOLD).await;
    let request = bench.request(strategy);
    (bench, request, most)
}

#[tokio::test]
async fn the_bars_of_the_range_count_not_those_of_the_series() {
    let (bench, request, _) = bench(RUN_BARS_MAX, 1).await;
    bench.run(request).await.unwrap();
    let (bench, request, most) = self::bench(RUN_BARS_MAX + 1, 1).await;
    let refused = bench.run(request).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BacktestData);
    assert!(refused.message().contains("100000001 bars"), "{}", refused.message());
    assert_eq!(most.load(Ordering::SeqCst), 0, "nothing is read before");
}

#[tokio::test(flavor = "multi_thread")]
async fn bars_are_loaded_for_as_many_runs_as_may_run() {
    let (bench, request, most) = bench(1, LIMITS.concurrent_max).await;
    let runs = (0..12).map(|number| {
        let (app, caller) = (bench.app.clone(), bench.caller.clone());
        let request = BacktestRequest { seed: number, ..request.clone() };
        tokio::spawn(async move { app.run_backtest(&caller, request).await.map(drop) })
    });
    for run in runs.collect::<Vec<_>>() {
        run.await.unwrap().unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), LIMITS.concurrent_max);
}
