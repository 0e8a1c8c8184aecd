//! Changes of what is stored: read, decided by the protocol, written over what was read; and again where somebody else was
//! faster.

use super::Jobs;
use super::protocol::{Change, Chunk, Job, Refused};
use crate::errors;
use crate::ports::{ChunkKey, JobStore, StoreResult, Swap};
use async_trait::async_trait;
use fx_domain::{BacktestId, ErrorKind, PlatformError, PlatformResult};

/// Times that one change meets another one, at most. So many workers mark their chunks at once at the worst.
const MEETINGS_MAX: u32 = 200;

/// What changes.
#[async_trait]
trait Item: Sized {
    type Key: Sync;
    async fn read(store: &dyn JobStore, key: &Self::Key) -> StoreResult<Option<Self>>;
    async fn write(&self, store: &dyn JobStore) -> StoreResult<Swap>;
}

#[async_trait]
impl Item for Job {
    type Key = BacktestId;
    async fn read(store: &dyn JobStore, key: &BacktestId) -> StoreResult<Option<Self>> {
        store.job(key).await
    }
    async fn write(&self, store: &dyn JobStore) -> StoreResult<Swap> {
        store.swap(self).await
    }
}

#[async_trait]
impl Item for Chunk {
    type Key = ChunkKey;
    async fn read(store: &dyn JobStore, key: &ChunkKey) -> StoreResult<Option<Self>> {
        store.chunk(key).await
    }
    async fn write(&self, store: &dyn JobStore) -> StoreResult<Swap> {
        store.swap_chunk(self).await
    }
}

impl Jobs {
    /// Changes this submission of a job as `change` says.
    ///
    /// # Errors
    /// When a store fails, or others change it all the time. That `change` refuses is an answer.
    pub(super) async fn change(
        &self,
        id: &BacktestId,
        epoch: u64,
        change: impl Fn(&Job) -> Change<Job>,
    ) -> PlatformResult<Change<Job>> {
        self.settle(id, |job: &Job| if job.epoch == epoch { change(job) } else { Err(Refused::NotNow) }).await
    }

    /// Changes a chunk as `change` says.
    ///
    /// # Errors
    /// As [`Jobs::change`].
    pub(super) async fn change_chunk(
        &self,
        key: &ChunkKey,
        change: impl Fn(&Chunk) -> Change<Chunk>,
    ) -> PlatformResult<Change<Chunk>> {
        self.settle(key, change).await
    }

    /// Reads an item, changes it and writes it, until nobody is in between.
    async fn settle<T: Item>(
        &self,
        key: &T::Key,
        change: impl Fn(&T) -> Change<T>,
    ) -> PlatformResult<Change<T>> {
        for _ in 0..MEETINGS_MAX {
            let Some(item) = T::read(&*self.store, key).await.map_err(errors::store)? else {
                return Ok(Err(Refused::NotNow));
            };
            let next = match change(&item) {
                Ok(next) => next,
                Err(refused) => return Ok(Err(refused)),
            };
            if next.write(&*self.store).await.map_err(errors::store)? == Swap::Swapped {
                return Ok(Ok(next));
            }
        }
        Err(PlatformError::new(ErrorKind::ServiceUnavailable, "the job changes too often: try again"))
    }
}
