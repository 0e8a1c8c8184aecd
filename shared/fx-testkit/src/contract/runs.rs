//! [`BacktestStore`] and [`ExecutionStore`]: one contract, two kinds of record.

use super::{Run, contend, hostile_pages_are_answered, walk};
use crate::fixtures::{self, FRIDAY};
use async_trait::async_trait;
use fx_app::ports::{BacktestStore, ExecutionStore, Page, PageRequest, Put, StoreResult};
use fx_app::records::{BacktestRecord, ExecutionRecord};
use fx_domain::{NANOS_PER_MINUTE, Principal, StrategyId, UnixNanos};
use std::fmt::Debug;
use std::sync::Arc;

/// Holds an adapter to the docs of [`BacktestStore`].
///
/// # Panics
/// When a property does not hold.
pub async fn backtest_store(store: &Arc<dyn BacktestStore>) {
    run_store(&Backtests(Arc::clone(store))).await;
}

/// Holds an adapter to the docs of [`ExecutionStore`].
///
/// # Panics
/// When a property does not hold.
pub async fn execution_store(store: &Arc<dyn ExecutionStore>) {
    run_store(&Executions(Arc::clone(store))).await;
}

/// What both ports have in common, and a record to put.
#[async_trait]
trait RunStore: Clone + Send + Sync + 'static {
    type Record: Clone + Debug + PartialEq + Send + Sync + 'static;
    fn record(owner: &Principal, strategy: &str, occasion: &str, created_at: UnixNanos) -> Self::Record;
    fn at_another_time(record: &Self::Record) -> Self::Record;
    async fn put(&self, record: &Self::Record) -> StoreResult<Put>;
    async fn get_same(&self, record: &Self::Record) -> StoreResult<Option<Self::Record>>;
    async fn list(
        &self,
        owner: &Principal,
        strategy: Option<&StrategyId>,
        page: &PageRequest,
    ) -> StoreResult<Page<Self::Record>>;
}

macro_rules! run_store {
    ($name:ident, $port:ident, $record:ty, $fixture:path) => {
        #[derive(Clone)]
        struct $name(Arc<dyn $port>);

        #[async_trait]
        impl RunStore for $name {
            type Record = $record;
            fn record(owner: &Principal, strategy: &str, occasion: &str, created_at: UnixNanos) -> $record {
                $fixture(owner, strategy, occasion, created_at)
            }
            fn at_another_time(record: &$record) -> $record {
                let mut later = record.clone();
                later.created_at = record.created_at.plus_nanos(NANOS_PER_MINUTE);
                later
            }
            async fn put(&self, record: &$record) -> StoreResult<Put> {
                self.0.put(record).await
            }
            async fn get_same(&self, record: &$record) -> StoreResult<Option<$record>> {
                self.0.get(&record.id).await
            }
            async fn list(
                &self,
                owner: &Principal,
                strategy: Option<&StrategyId>,
                page: &PageRequest,
            ) -> StoreResult<Page<$record>> {
                self.0.list(owner, strategy, page).await
            }
        }
    };
}
run_store!(Backtests, BacktestStore, BacktestRecord, fixtures::backtest);
run_store!(Executions, ExecutionStore, ExecutionRecord, fixtures::execution);

async fn run_store<S: RunStore>(store: &S) {
    let run = &Run::new();
    what_is_unknown_is_none(store, run).await;
    the_first_record_stays(store, run).await;
    one_of_several_first_puts_creates(store, run).await;
    records_are_listed_newest_first(store, run).await;
    hostile_pages_are_answered(|page| async move { store.list(&run.owner("ann"), None, &page).await }).await;
    let strategy = &StrategyId::of(&run.owner("ann"), "s0");
    hostile_pages_are_answered(
        |page| async move { store.list(&run.owner("ann"), Some(strategy), &page).await },
    )
    .await;
}

async fn what_is_unknown_is_none<S: RunStore>(store: &S, run: &Run) {
    let owner = run.owner("nobody");
    assert_eq!(store.get_same(&S::record(&owner, "s", "never", FRIDAY)).await.unwrap(), None);
    let strategy = StrategyId::of(&owner, "s");
    for strategy in [None, Some(&strategy)] {
        let empty = store.list(&owner, strategy, &PageRequest::default()).await.unwrap();
        assert!(empty.items.is_empty() && empty.next.is_none());
    }
}

async fn the_first_record_stays<S: RunStore>(store: &S, run: &Run) {
    let first = S::record(&run.owner("first"), "s", "1", FRIDAY);
    assert_eq!(store.put(&first).await.unwrap(), Put::Created);
    assert_eq!(store.put(&S::at_another_time(&first)).await.unwrap(), Put::AlreadyThere);
    assert_eq!(store.get_same(&first).await.unwrap().as_ref(), Some(&first));
    let listed = store.list(&run.owner("first"), None, &PageRequest::default()).await.unwrap();
    assert_eq!(listed.items, [first], "the second put left no trace in the list");
}

async fn one_of_several_first_puts_creates<S: RunStore>(store: &S, run: &Run) {
    let record = S::record(&run.owner("race"), "s", "1", FRIDAY);
    let puts = contend(|_| {
        let (store, record) = (store.clone(), record.clone());
        async move { store.put(&record).await.unwrap() }
    })
    .await;
    assert_eq!(puts.iter().filter(|put| **put == Put::Created).count(), 1, "{puts:?}");
    assert_eq!(store.get_same(&record).await.unwrap(), Some(record));
}

async fn records_are_listed_newest_first<S: RunStore>(store: &S, run: &Run) {
    let (ann, bob) = (run.owner("ann"), run.owner("bob"));
    let minutes = [3, 1, 4, 0, 5, 2];
    let mut records = Vec::new();
    for (number, minute) in (0..).zip(minutes) {
        let strategy = format!("s{}", number % 2);
        let created_at = FRIDAY.plus_nanos(minute * NANOS_PER_MINUTE);
        let record = S::record(&ann, &strategy, &format!("{number}"), created_at);
        assert_eq!(store.put(&record).await.unwrap(), Put::Created);
        records.push((minute, strategy, record));
    }
    let bobs = S::record(&bob, "s0", "0", FRIDAY);
    store.put(&bobs).await.unwrap();
    records.sort_by_key(|(minute, ..)| std::cmp::Reverse(*minute));
    for wanted in [None, Some("s0"), Some("s1"), Some("s2")] {
        let expected: Vec<_> = records
            .iter()
            .filter(|(_, strategy, _)| wanted.is_none_or(|wanted| wanted == strategy))
            .map(|(.., record)| record.clone())
            .collect();
        let (ann, strategy) = (&ann, &wanted.map(|name| StrategyId::of(&ann, name)));
        for size in [1, 2, 3, 6, 7] {
            let listed =
                walk(size, |page| async move { store.list(ann, strategy.as_ref(), &page).await }).await;
            assert_eq!(listed, expected, "{wanted:?} in pages of {size}");
        }
    }
    assert_eq!(store.list(&bob, None, &PageRequest::default()).await.unwrap().items, [bobs]);
}
