//! The in-memory adapters pass the contract suite.

use fx_app::jobs::protocol::after;
use fx_app::ports::Clock as _;
use fx_app::records::{FeatureVersion, SeriesVersion};
use fx_testkit::fixtures::FRIDAY;
use fx_testkit::{contract, memory};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn strategies() {
    contract::strategy_store(&(Arc::new(memory::Strategies::default()) as _)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn series() {
    contract::catalog::<SeriesVersion>(&(Arc::new(memory::Catalogue::default()) as _)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn features() {
    contract::catalog::<FeatureVersion>(&(Arc::new(memory::Catalogue::default()) as _)).await;
    contract::feature_store(&(Arc::new(memory::Features::default()) as _)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn backtests() {
    contract::backtest_store(&(Arc::new(memory::Backtests::default()) as _)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn executions() {
    contract::execution_store(&(Arc::new(memory::Executions::default()) as _)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs() {
    contract::blob_store(&(Arc::new(memory::Blobs::default()) as _)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn results() {
    contract::result_store(&(Arc::new(memory::Results::default()) as _)).await;
}

#[test]
fn the_clock_stands_until_it_is_set() {
    let clock = memory::ManualClock::new(FRIDAY);
    assert_eq!((clock.now(), clock.now()), (FRIDAY, FRIDAY));
    clock.set(FRIDAY.plus_nanos(-1));
    assert_eq!(clock.now(), FRIDAY.plus_nanos(-1));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs() {
    contract::job_store(&(Arc::new(memory::Jobs::default()) as _)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages() {
    const VISIBILITY: Duration = Duration::from_secs(60);
    let clock = Arc::new(memory::ManualClock::new(FRIDAY));
    let queue = Arc::new(memory::Queue::new(clock.clone(), VISIBILITY)) as _;
    contract::job_queue(&queue, VISIBILITY, async |time| clock.set(after(clock.now(), time))).await;
    contract::fair_job_queue(&queue).await;
}
