//! What the use-cases need from the world. Each port is one group of verbs, so that a function cannot name what its role
//! forbids. The docs state the contract; `fx-testkit` holds every adapter to it with one suite.
//!
//! All adapters: calls are cancel-safe (a dropped future leaves the old state or the new one), reads see every write
//! that returned before they began, and a failure is a [`StoreError`] that says whether trying again can help.

mod jobs;
mod results;

pub use jobs::{
    ChunkKey, DELAY_MAX, DELIVERIES_MAX, Delivery, JobMessage, JobQueue, JobStore, OPEN_JOBS_MAX, Swap,
};
pub use results::{ResultEnd, ResultPart, ResultStore, ResultWriter, RunRows};

use crate::records::{
    BacktestRecord, ExecutionRecord, FeatureKey, FeatureVersion, SeriesKey, SeriesVersion, StrategyVersion,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use fx_domain::{BacktestId, Bars, Digest, ExecutionId, Principal, StrategyId, UnixNanos};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// A store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It failed or did not answer; trying again may help. The call may or may not have taken effect.
    #[error("{store} is unavailable")]
    Unavailable {
        /// Which store, in the operator's words: `strategies table`.
        store: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is stored cannot be read: trying again will not help.
    #[error("{store} holds a broken entry: {what}")]
    Corrupt {
        /// Which store.
        store: &'static str,
        /// Which entry, and how it is broken.
        what: String,
    },
    /// The entry is over a limit of the store.
    #[error("{what} is larger than {limit_bytes} bytes")]
    TooLarge {
        /// Which entry.
        what: String,
        /// The limit.
        limit_bytes: usize,
    },
}

/// The result of a port's call.
pub type StoreResult<T> = Result<T, StoreError>;

/// Whether a put made something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was not there before.
    Created,
    /// The same thing was there already; nothing changed.
    AlreadyThere,
}

/// Entries of one page, at most.
pub const PAGE_SIZE_MAX: usize = 200;
/// Entries of one page when the caller does not say.
pub const PAGE_SIZE_DEFAULT: usize = 50;

/// Which page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Entries at most, 1 to [`PAGE_SIZE_MAX`].
    pub size: usize,
    /// Where to go on: the key of the last entry seen, as [`Page::next`] gave it.
    pub after: Option<String>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { size: PAGE_SIZE_DEFAULT, after: None }
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries, in the list's order.
    pub items: Vec<T>,
    /// Where to go on; none on the last page. A page may be short, or empty, and still have a next one.
    pub next: Option<String>,
}

/// Strategies, by id and content-addressed version.
///
/// Adapters MUST:
/// - keep every version that was put, whoever else writes at the same time: versions are never overwritten;
/// - move the latest pointer to a version only after the version itself is readable;
/// - keep versions readable by [`StrategyStore::version`] after [`StrategyStore::delete`]: results refer to them.
#[async_trait]
pub trait StrategyStore: Send + Sync {
    /// Adds a version and makes it the latest. Putting a version that is there already makes it the latest again (and
    /// undoes a deletion) and answers [`Put::AlreadyThere`]; its stored `created_at` stays.
    async fn put(&self, version: &StrategyVersion) -> StoreResult<Put>;
    /// The latest version; none when there is no such strategy or it was deleted.
    async fn latest(&self, id: &StrategyId) -> StoreResult<Option<StrategyVersion>>;
    /// One version, deleted or not.
    async fn version(&self, id: &StrategyId, version: &Digest) -> StoreResult<Option<StrategyVersion>>;
    /// A page of all versions of a strategy, oldest first (by `created_at`, then version); empty when deleted.
    async fn versions(&self, id: &StrategyId, page: &PageRequest) -> StoreResult<Page<StrategyVersion>>;
    /// A page of the latest versions of an owner's strategies, by id; deleted ones left out.
    async fn list(&self, owner: &Principal, page: &PageRequest) -> StoreResult<Page<StrategyVersion>>;
    /// Hides a strategy from `latest`, `versions` and `list`. False when there was none.
    async fn delete(&self, id: &StrategyId) -> StoreResult<bool>;
}

/// A key of the blob store: segments of `a–z A–Z 0–9 . _ -`, none starting with a dot, joined by `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobKey(String);

/// Characters of a blob key, at most.
pub const BLOB_KEY_LENGTH_MAX: usize = 512;

impl BlobKey {
    /// Reads a key; `None` when it breaks the rules above.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let segment = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(allowed);
        (text.len() <= BLOB_KEY_LENGTH_MAX && text.split('/').all(segment)).then(|| Self(text.to_owned()))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Bytes of one blob, at most: larger data is cut into several by its writer.
pub const BLOB_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Write-once objects.
///
/// Adapters MUST:
/// - let exactly one of several concurrent first puts of a key answer [`Put::Created`], and never change a stored blob;
/// - make a blob readable whole or not at all;
/// - refuse more than [`BLOB_BYTES_MAX`] as [`StoreError::TooLarge`].
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Stores `bytes` under `key` unless something is there.
    async fn put(&self, key: &BlobKey, bytes: Bytes) -> StoreResult<Put>;
    /// The whole blob.
    async fn get(&self, key: &BlobKey) -> StoreResult<Option<Bytes>>;
    /// `length` bytes from `offset`, fewer at the end of the blob, none behind it.
    async fn get_range(&self, key: &BlobKey, offset: u64, length: u64) -> StoreResult<Option<Bytes>>;
    /// The keys of the blobs that lie directly in `folder`: `folder` and one more segment. Ascending; the first
    /// [`LISTED_BLOBS_MAX`] of them.
    async fn list(&self, folder: &BlobKey) -> StoreResult<Vec<BlobKey>>;
}

/// Blobs that one list names, at most.
pub const LISTED_BLOBS_MAX: usize = 1_000;

/// A conditional write found another version than it expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publish {
    /// It is the latest now.
    Published,
    /// Another version is the latest; nothing changed.
    Conflict,
}

/// One version of something that changes: of a series of bars, of a feature.
pub trait Versioned: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What it is a version of; its text is unique among its kind.
    type Key: fmt::Display + Send + Sync;
    /// The kind, as keys spell it: `SERIES`, `FEATURE`.
    const KIND: &'static str;
    /// What it is a version of.
    fn key(&self) -> &Self::Key;
    /// Which one.
    fn version(&self) -> &Digest;
}

/// Which version of each thing of one kind is the latest.
///
/// Adapters MUST:
/// - publish only if the latest version is `expected` (none: the key is new), atomically;
/// - keep earlier versions readable.
#[async_trait]
pub trait Catalog<V: Versioned>: Send + Sync {
    /// Makes `next` the latest version if the latest is `expected`. Publishing what is the latest already answers
    /// [`Publish::Published`].
    async fn publish(&self, next: &V, expected: Option<&Digest>) -> StoreResult<Publish>;
    /// The latest version.
    async fn latest(&self, key: &V::Key) -> StoreResult<Option<V>>;
    /// One version.
    async fn version(&self, key: &V::Key, version: &Digest) -> StoreResult<Option<V>>;
    /// A page of the latest versions of all keys, by key.
    async fn list(&self, page: &PageRequest) -> StoreResult<Page<V>>;
}

/// A half-open range of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// First instant in it.
    pub start: UnixNanos,
    /// First instant behind it.
    pub end: UnixNanos,
}

/// Bars of one piece of a [`BarStream`], at most.
pub const PIECE_BARS_MAX: usize = 131_072;

/// Bars as they are read, piece by piece. After an error nothing follows.
pub type BarStream = BoxStream<'static, StoreResult<Bars>>;

/// Bars, by series and version.
///
/// Adapters MUST return bars in the order of their granularity ([`fx_domain::Granularity::time_order`]): strictly
/// ascending; quotes of one instant in the order in which they were imported. They MUST verify what they read against the
/// manifest.
#[async_trait]
pub trait BarStore: Send + Sync {
    /// The latest version of a series, or the one that is named.
    async fn describe(
        &self,
        series: &SeriesKey,
        version: Option<&Digest>,
    ) -> StoreResult<Option<SeriesVersion>>;
    /// The bars of `range`, all quotes at its first instant included, and up to `warm_up` bars before it, in pieces: in order;
    /// none is empty, and none longer than [`PIECE_BARS_MAX`]. However long the range is, only a few are in memory.
    fn stream(&self, version: &SeriesVersion, range: TimeRange, warm_up: usize) -> BarStream;
    /// A page of the latest versions of all series, by key.
    async fn list(&self, page: &PageRequest) -> StoreResult<Page<SeriesVersion>>;
    /// At least as many bars as `range` holds, without reading them; none where it holds none by the series' first and
    /// last bar.
    async fn rows_within_max(&self, version: &SeriesVersion, range: TimeRange) -> StoreResult<u64>;
}

/// What was told of a feature, in order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureValues {
    /// When each could be read for the first time, strictly ascending.
    pub available_at: Vec<UnixNanos>,
    /// As many values.
    pub values: FeatureColumn,
}

/// Values of a feature.
#[derive(Clone, Debug, PartialEq)]
pub enum FeatureColumn {
    /// Of a feature or a pattern: finite numbers.
    Numbers(Vec<f64>),
    /// Of the regime: its names.
    Names(Vec<String>),
}

/// Rows of one version of a feature, at most: nine years of minutes.
pub const FEATURE_ROWS_MAX: usize = 5_000_000;

/// What other services tell, by feature and version.
///
/// Adapters MUST give values back as they were stored, verified against the version's digest, and make a version readable
/// before it is the latest.
#[async_trait]
pub trait FeatureStore: Send + Sync {
    /// Stores `values`, which are in order and not empty, and makes them the feature's latest version. The same values are
    /// the same version.
    async fn put(
        &self,
        series: &FeatureKey,
        values: FeatureValues,
        created_at: UnixNanos,
    ) -> StoreResult<FeatureVersion>;
    /// The latest version of a feature.
    async fn describe(&self, series: &FeatureKey) -> StoreResult<Option<FeatureVersion>>;
    /// All values of a version.
    async fn load(&self, version: &FeatureVersion) -> StoreResult<FeatureValues>;
    /// A page of the latest versions of all features, by key.
    async fn list(&self, page: &PageRequest) -> StoreResult<Page<FeatureVersion>>;
}

/// The summaries of backtests.
///
/// Adapters MUST keep a record as it was first put: a second put of the same id answers [`Put::AlreadyThere`].
#[async_trait]
pub trait BacktestStore: Send + Sync {
    /// Adds a record.
    async fn put(&self, record: &BacktestRecord) -> StoreResult<Put>;
    /// One record.
    async fn get(&self, id: &BacktestId) -> StoreResult<Option<BacktestRecord>>;
    /// A page of an owner's records of one strategy, or of all, newest first.
    async fn list(
        &self,
        owner: &Principal,
        strategy: Option<&StrategyId>,
        page: &PageRequest,
    ) -> StoreResult<Page<BacktestRecord>>;
}

/// The records of executions. Same contract as [`BacktestStore`].
#[async_trait]
pub trait ExecutionStore: Send + Sync {
    /// Adds a record.
    async fn put(&self, record: &ExecutionRecord) -> StoreResult<Put>;
    /// One record.
    async fn get(&self, id: &ExecutionId) -> StoreResult<Option<ExecutionRecord>>;
    /// A page of an owner's records of one strategy, or of all, newest first.
    async fn list(
        &self,
        owner: &Principal,
        strategy: Option<&StrategyId>,
        page: &PageRequest,
    ) -> StoreResult<Page<ExecutionRecord>>;
}

/// The time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> UnixNanos;
}

/// How a part of the platform does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether it works.
    pub status: HealthStatus,
    /// What it is, and how it does: `embedded`, `http://… answered in 3 ms`.
    pub message: String,
}

/// Whether a part of the platform works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthStatus {
    /// It does.
    Healthy,
    /// It does, with less than it should.
    Degraded,
    /// It does not.
    Unhealthy,
}

/// A part of the platform that can be asked how it does.
#[async_trait]
pub trait HealthProbe: Send + Sync {
    /// Its name in `/health/detailed`: `trading_gateway`, `database`.
    fn name(&self) -> &'static str;
    /// How it does. Never fails: a failure is an answer.
    async fn check(&self) -> Health;
}

/// An order that is to be approved.
#[derive(Clone, Debug, PartialEq)]
pub struct RiskRequest {
    /// The pair.
    pub instrument: fx_domain::Instrument,
    /// Which way.
    pub side: fx_domain::Side,
    /// How much, above zero.
    pub units: fx_domain::Units,
    /// Expected entry.
    pub entry_price: fx_domain::Price,
    /// Exits attached.
    pub protect: fx_domain::ProtectiveLevels,
    /// The account's equity.
    pub account_balance: fx_domain::Money,
    /// The strategy behind it.
    pub strategy_id: StrategyId,
}

/// The answer of the risk service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RiskAnswer {
    /// Whether the order may be sent.
    pub is_valid: bool,
    /// Why not, or what was checked.
    pub reason: String,
}

/// A peer could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// It did not answer in time.
    #[error("{peer} did not answer in time")]
    Timeout {
        /// Which peer.
        peer: &'static str,
    },
    /// It answered with an error, or not at all.
    #[error("{peer} failed: {reason}")]
    Failed {
        /// Which peer.
        peer: &'static str,
        /// What it said, in one line.
        reason: String,
    },
    /// It failed too often lately and is not asked.
    #[error("{peer} is not asked: it failed too often lately")]
    BreakerOpen {
        /// Which peer.
        peer: &'static str,
    },
}

/// The risk service. Unreachable means no order.
#[async_trait]
pub trait RiskManagement: Send + Sync {
    /// Checks one order.
    async fn check(&self, request: &RiskRequest) -> Result<RiskAnswer, PeerError>;
}
