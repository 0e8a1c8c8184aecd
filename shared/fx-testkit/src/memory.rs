//! The ports in memory: every property of the contract, no IO.

use async_trait::async_trait;
use bytes::Bytes;
use fx_app::ports::{
    BLOB_BYTES_MAX, BacktestStore, BlobKey, BlobStore, Catalog, Clock, ExecutionStore, LISTED_BLOBS_MAX,
    PAGE_SIZE_MAX, Page, PageRequest, Publish, Put, StoreError, StoreResult, StrategyStore, Versioned,
};
use fx_app::records::{BacktestRecord, ExecutionRecord, RunRecord, StrategyVersion};
use fx_domain::{BacktestId, Digest, ExecutionId, Principal, StrategyId, UnixNanos};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

mod files;
mod jobs;

pub use files::{Bars, Features, Results};
pub use jobs::{Jobs, Queue};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change below is one call on a map: a panic elsewhere cannot leave half of one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The next page of entries that come with their position, in the list's order.
fn page_of<'a, T: Clone + 'a>(
    entries: impl Iterator<Item = (&'a String, &'a T)>,
    page: &PageRequest,
) -> Page<T> {
    let mut entries = entries.peekable();
    let taken: Vec<_> = entries.by_ref().take(page.size.clamp(1, PAGE_SIZE_MAX)).collect();
    let more = entries.peek().is_some();
    let next = taken.last().filter(|_| more).map(|(position, _)| (*position).clone());
    Page { items: taken.into_iter().map(|(_, entry)| entry.clone()).collect(), next }
}

fn after(page: &PageRequest) -> (Bound<&str>, Bound<&str>) {
    (page.after.as_deref().map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

fn before(page: &PageRequest) -> (Bound<&str>, Bound<&str>) {
    (Bound::Unbounded, page.after.as_deref().map_or(Bound::Unbounded, Bound::Excluded))
}

#[derive(Default)]
struct StrategyEntry {
    owner: Option<Principal>,
    /// By position: creation time and digest.
    versions: BTreeMap<String, StrategyVersion>,
    /// The position of each digest.
    positions: BTreeMap<Digest, String>,
    latest: Option<Digest>,
    deleted: bool,
}

impl StrategyEntry {
    fn version(&self, version: &Digest) -> Option<&StrategyVersion> {
        self.versions.get(self.positions.get(version)?)
    }

    fn latest(&self) -> Option<&StrategyVersion> {
        self.version(self.latest.as_ref().filter(|_| !self.deleted)?)
    }
}

/// Strategies in memory.
#[derive(Default)]
pub struct Strategies(Mutex<BTreeMap<String, StrategyEntry>>);

#[async_trait]
impl StrategyStore for Strategies {
    async fn put(&self, version: &StrategyVersion) -> StoreResult<Put> {
        let mut strategies = lock(&self.0);
        let entry = strategies.entry(version.id.to_string()).or_default();
        let created = entry.version(&version.version).is_none();
        if created {
            let position = format!("{}-{}", version.created_at.sort_key(), version.version);
            entry.versions.insert(position.clone(), version.clone());
            entry.positions.insert(version.version, position);
        }
        entry.owner = Some(version.owner.clone());
        entry.latest = Some(version.version);
        entry.deleted = false;
        Ok(if created { Put::Created } else { Put::AlreadyThere })
    }

    async fn latest(&self, id: &StrategyId) -> StoreResult<Option<StrategyVersion>> {
        Ok(lock(&self.0).get(id.as_str()).and_then(StrategyEntry::latest).cloned())
    }

    async fn version(&self, id: &StrategyId, version: &Digest) -> StoreResult<Option<StrategyVersion>> {
        Ok(lock(&self.0).get(id.as_str()).and_then(|entry| entry.version(version)).cloned())
    }

    async fn versions(&self, id: &StrategyId, page: &PageRequest) -> StoreResult<Page<StrategyVersion>> {
        Ok(match lock(&self.0).get(id.as_str()).filter(|entry| !entry.deleted) {
            Some(entry) => page_of(entry.versions.range::<str, _>(after(page)), page),
            None => Page { items: Vec::new(), next: None },
        })
    }

    async fn list(&self, owner: &Principal, page: &PageRequest) -> StoreResult<Page<StrategyVersion>> {
        let strategies = lock(&self.0);
        let owned =
            strategies.range::<str, _>(after(page)).filter(|(_, entry)| entry.owner.as_ref() == Some(owner));
        Ok(page_of(owned.filter_map(|(id, entry)| Some((id, entry.latest()?))), page))
    }

    async fn delete(&self, id: &StrategyId) -> StoreResult<bool> {
        let mut strategies = lock(&self.0);
        let entry = strategies.get_mut(id.as_str()).filter(|entry| !entry.deleted);
        Ok(entry.map(|entry| entry.deleted = true).is_some())
    }
}

/// Blobs in memory.
#[derive(Default)]
pub struct Blobs(Mutex<BTreeMap<BlobKey, Bytes>>);

#[async_trait]
impl BlobStore for Blobs {
    async fn put(&self, key: &BlobKey, bytes: Bytes) -> StoreResult<Put> {
        if bytes.len() > BLOB_BYTES_MAX {
            return Err(StoreError::TooLarge { what: key.to_string(), limit_bytes: BLOB_BYTES_MAX });
        }
        let mut blobs = lock(&self.0);
        if blobs.contains_key(key) {
            return Ok(Put::AlreadyThere);
        }
        blobs.insert(key.clone(), bytes);
        Ok(Put::Created)
    }

    async fn get(&self, key: &BlobKey) -> StoreResult<Option<Bytes>> {
        Ok(lock(&self.0).get(key).cloned())
    }

    async fn get_range(&self, key: &BlobKey, offset: u64, length: u64) -> StoreResult<Option<Bytes>> {
        Ok(lock(&self.0).get(key).map(|blob| {
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(blob.len());
            let length = usize::try_from(length).unwrap_or(usize::MAX).min(blob.len() - start);
            blob.slice(start..start + length)
        }))
    }

    async fn list(&self, folder: &BlobKey) -> StoreResult<Vec<BlobKey>> {
        let blobs = lock(&self.0);
        let below = format!("{folder}/");
        let listed = blobs
            .keys()
            .filter(|key| key.as_str().strip_prefix(&below).is_some_and(|name| !name.contains('/')));
        Ok(listed.take(LISTED_BLOBS_MAX).cloned().collect())
    }
}

struct Versions<V> {
    /// The latest version of each key, as it was first published.
    latest: BTreeMap<String, V>,
    all: BTreeMap<(String, Digest), V>,
}

/// A catalogue in memory.
pub struct Catalogue<V>(Mutex<Versions<V>>);

impl<V> Default for Catalogue<V> {
    fn default() -> Self {
        Self(Mutex::new(Versions { latest: BTreeMap::new(), all: BTreeMap::new() }))
    }
}

#[async_trait]
impl<V: Versioned> Catalog<V> for Catalogue<V> {
    async fn publish(&self, next: &V, expected: Option<&Digest>) -> StoreResult<Publish> {
        let mut versions = lock(&self.0);
        let key = next.key().to_string();
        let latest = versions.latest.get(&key).map(|version| *version.version());
        if latest == Some(*next.version()) {
            return Ok(Publish::Published);
        }
        if latest.as_ref() != expected {
            return Ok(Publish::Conflict);
        }
        let entry = versions.all.entry((key.clone(), *next.version()));
        let stored = entry.or_insert_with(|| next.clone()).clone();
        versions.latest.insert(key, stored);
        Ok(Publish::Published)
    }

    async fn latest(&self, key: &V::Key) -> StoreResult<Option<V>> {
        Ok(lock(&self.0).latest.get(&key.to_string()).cloned())
    }

    async fn version(&self, key: &V::Key, version: &Digest) -> StoreResult<Option<V>> {
        Ok(lock(&self.0).all.get(&(key.to_string(), *version)).cloned())
    }

    async fn list(&self, page: &PageRequest) -> StoreResult<Page<V>> {
        Ok(page_of(lock(&self.0).latest.range::<str, _>(after(page)), page))
    }
}

struct Records<R> {
    by_id: BTreeMap<String, R>,
    /// By position: creation time and id.
    in_order: BTreeMap<String, R>,
}

impl<R: RunRecord + Clone> Records<R> {
    const fn new() -> Self {
        Self { by_id: BTreeMap::new(), in_order: BTreeMap::new() }
    }

    fn put(&mut self, record: &R) -> Put {
        let id = record.id();
        if self.by_id.contains_key(id) {
            return Put::AlreadyThere;
        }
        self.by_id.insert(id.to_owned(), record.clone());
        self.in_order.insert(format!("{}-{id}", record.created_at().sort_key()), record.clone());
        Put::Created
    }

    fn list(&self, owner: &Principal, strategy: Option<&StrategyId>, page: &PageRequest) -> Page<R> {
        let newest_first = self.in_order.range::<str, _>(before(page)).rev();
        let wanted = |record: &R| {
            record.owner() == owner && strategy.is_none_or(|strategy| record.strategy() == strategy)
        };
        page_of(newest_first.filter(|(_, record)| wanted(record)), page)
    }
}

/// Summaries of backtests in memory.
pub struct Backtests(Mutex<Records<BacktestRecord>>);

impl Default for Backtests {
    fn default() -> Self {
        Self(Mutex::new(Records::new()))
    }
}

#[async_trait]
impl BacktestStore for Backtests {
    async fn put(&self, record: &BacktestRecord) -> StoreResult<Put> {
        Ok(lock(&self.0).put(record))
    }

    async fn get(&self, id: &BacktestId) -> StoreResult<Option<BacktestRecord>> {
        Ok(lock(&self.0).by_id.get(id.as_str()).cloned())
    }

    async fn list(
        &self,
        owner: &Principal,
        strategy: Option<&StrategyId>,
        page: &PageRequest,
    ) -> StoreResult<Page<BacktestRecord>> {
        Ok(lock(&self.0).list(owner, strategy, page))
    }
}

/// Records of executions in memory.
pub struct Executions(Mutex<Records<ExecutionRecord>>);

impl Default for Executions {
    fn default() -> Self {
        Self(Mutex::new(Records::new()))
    }
}

#[async_trait]
impl ExecutionStore for Executions {
    async fn put(&self, record: &ExecutionRecord) -> StoreResult<Put> {
        Ok(lock(&self.0).put(record))
    }

    async fn get(&self, id: &ExecutionId) -> StoreResult<Option<ExecutionRecord>> {
        Ok(lock(&self.0).by_id.get(id.as_str()).cloned())
    }

    async fn list(
        &self,
        owner: &Principal,
        strategy: Option<&StrategyId>,
        page: &PageRequest,
    ) -> StoreResult<Page<ExecutionRecord>> {
        Ok(lock(&self.0).list(owner, strategy, page))
    }
}

/// A clock that stands until it is set.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn new(now: UnixNanos) -> Self {
        Self(AtomicI64::new(now.get()))
    }

    /// Sets it.
    pub fn set(&self, now: UnixNanos) {
        self.0.store(now.get(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixNanos {
        UnixNanos::new(self.0.load(Ordering::SeqCst))
    }
}
