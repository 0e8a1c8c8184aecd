//! A backtest takes the memory of a window of bars, not of all bars.

#![allow(clippy::unwrap_used)]

mod long;

use long::Platform;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Enough that every buffer of a run has been full.
const BARS: usize = 1_500_000;
/// The further bars alone would take 230 MB. How far reading, calculating and writing overlap is chance.
const GROWTH_MAX_MB: f32 = 40.0;

#[tokio::test(flavor = "multi_thread")]
async fn three_times_the_bars_take_the_same_memory() {
    let mut peaks_mb = Vec::new();
    for bars in [BARS, 3 * BARS] {
        let platform = Platform::with_bars(bars).await;
        assert_eq!(platform.read().await, bars as u64);
        MEMORY.reset_peak_usage();
        let before_mb = MEMORY.current_usage_as_mb();
        let record = platform.backtest(1).await;
        peaks_mb.push(MEMORY.peak_usage_as_mb() - before_mb);
        assert_eq!(record.bars, bars as u64);
        assert!(record.report.metrics.total_trades > bars as u64 / 100);
    }
    println!("peaks: {peaks_mb:.1?} MB");
    assert!(peaks_mb[1] < peaks_mb[0] + GROWTH_MAX_MB, "{peaks_mb:?} MB");
}
