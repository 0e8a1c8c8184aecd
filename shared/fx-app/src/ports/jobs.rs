//! Jobs, their chunks, and the messages about them.

use super::{Put, StoreError, StoreResult};
use crate::jobs::protocol::{Chunk, Job};
use async_trait::async_trait;
use fx_domain::{BacktestId, Principal, UnixNanos};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What became of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// The item is what was given.
    Swapped,
    /// It is not there, or of another submission, or not of the revision before the given one; nothing changed.
    Conflict,
}

/// Which chunk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkKey {
    /// Its job.
    pub job: BacktestId,
    /// Which submission of that job.
    pub epoch: u64,
    /// Which one, from 0.
    pub index: u32,
}

/// Jobs and chunks: the truth about what is done and what is due. What a change needs is decided by
/// [`crate::jobs::protocol`] on the item as it was read; a store only writes what nobody else has changed since.
///
/// Adapters MUST:
/// - let exactly one of several concurrent writes of the same revision answer [`Swap::Swapped`];
/// - list a job as open, of all owners and of its own, exactly while its status is not terminal, by the same write that
///   changes the status.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Adds a job. One that is there already stays, unless it is past its `expires` at `now`: then the new one takes its
    /// place, and the chunks of the old one are none of its.
    async fn create(&self, job: &Job, now: UnixNanos) -> StoreResult<Put>;
    /// One job, expired or not; one that has expired may be gone.
    async fn job(&self, id: &BacktestId) -> StoreResult<Option<Job>>;
    /// Writes `next` over the revision before it.
    async fn swap(&self, next: &Job) -> StoreResult<Swap>;
    /// Adds chunks, each unless it is there already; none of a submission that is not there.
    async fn create_chunks(&self, chunks: &[Chunk]) -> StoreResult<()>;
    /// One chunk.
    async fn chunk(&self, key: &ChunkKey) -> StoreResult<Option<Chunk>>;
    /// All chunks of one submission, by index.
    async fn chunks(&self, job: &BacktestId, epoch: u64) -> StoreResult<Vec<Chunk>>;
    /// Writes `next` over the revision before it.
    async fn swap_chunk(&self, next: &Chunk) -> StoreResult<Swap>;
    /// Jobs that are not over, those submitted first first, at most [`OPEN_JOBS_MAX`].
    async fn open(&self) -> StoreResult<Vec<BacktestId>>;
    /// Those of one owner.
    async fn open_of(&self, owner: &Principal) -> StoreResult<Vec<BacktestId>>;
}

/// Open jobs that one list names, at most.
pub const OPEN_JOBS_MAX: usize = 1_000;

/// What a worker is told. A hint: the store knows what is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum JobMessage {
    /// Make the job's chunks and send them.
    Plan {
        /// The job.
        job: BacktestId,
        /// Which submission of it.
        epoch: u64,
    },
    /// Run a chunk.
    Chunk {
        /// The job.
        job: BacktestId,
        /// Which submission of it.
        epoch: u64,
        /// Which chunk.
        index: u32,
    },
    /// Put the chunks' results together.
    Merge {
        /// The job.
        job: BacktestId,
        /// Which submission of it.
        epoch: u64,
    },
}

impl JobMessage {
    /// The job that it is about.
    #[must_use]
    pub const fn job(&self) -> &BacktestId {
        match self {
            Self::Plan { job, .. } | Self::Chunk { job, .. } | Self::Merge { job, .. } => job,
        }
    }

    /// Its text, for a queue that carries text.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it has none.
    pub fn to_text(&self, store: &'static str) -> StoreResult<String> {
        serde_json::to_string(self).map_err(|error| StoreError::Corrupt {
            store,
            what: format!("a message about {} cannot be written: {error}", self.job()),
        })
    }
}

/// A message that a worker holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// What it says.
    pub message: JobMessage,
    /// What deletes it.
    pub receipt: String,
}

/// Delays of messages, at most: SQS takes no longer one.
pub const DELAY_MAX: Duration = Duration::from_secs(900);
/// Messages taken at once, at most.
pub const DELIVERIES_MAX: usize = 10;

/// Messages on their way. They may come twice, late, in any order, or never.
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// Sends a message that is not given out before `delay`, at most [`DELAY_MAX`]. Messages of one `owner` do not hold up
    /// those of another.
    async fn send(&self, message: &JobMessage, owner: &Principal, delay: Duration) -> StoreResult<()>;
    /// Takes up to `limit` messages, waiting up to `wait` for the first. They are hidden for a while and come again unless
    /// they are deleted. A message that cannot be read is deleted and logged.
    async fn receive(&self, limit: usize, wait: Duration) -> StoreResult<Vec<Delivery>>;
    /// Deletes a message that was taken. One that is gone already is no error.
    async fn delete(&self, receipt: &str) -> StoreResult<()>;
    /// How many messages could be taken now, about.
    async fn depth(&self) -> StoreResult<u64>;
}
