//! Changes of what is stored: read, decided by the protocol, written over what was read; and again where somebody else was
//! faster.

use super::Jobs;
use super::protocol::{Change, Chunk, Job, Refused};
use crate::errors;
use crate::ports::{ChunkKey, Swap};
use fx_domain::{BacktestId, ErrorKind, PlatformError, PlatformResult};

/// Times that one change meets another one, at most. So many workers mark their chunks at once at the worst.
const MEETINGS_MAX: u32 = 200;

fn busy(what: &BacktestId) -> PlatformError {
    PlatformError::new(ErrorKind::ServiceUnavailable, format!("job {what} changes too often: try again"))
}

impl Jobs {
    /// Changes a job as `change` says.
    ///
    /// # Errors
    /// When a store fails, or others change it all the time. That `change` refuses is an answer.
    pub(super) async fn change(
        &self,
        id: &BacktestId,
        change: impl Fn(&Job) -> Change<Job>,
    ) -> PlatformResult<Change<Job>> {
        for _ in 0..MEETINGS_MAX {
            let Some(job) = self.store.job(id).await.map_err(errors::store)? else {
                return Ok(Err(Refused::NotNow));
            };
            let next = match change(&job) {
                Ok(next) => next,
                Err(refused) => return Ok(Err(refused)),
            };
            if self.store.swap(&next).await.map_err(errors::store)? == Swap::Swapped {
                return Ok(Ok(next));
            }
        }
        Err(busy(id))
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
        for _ in 0..MEETINGS_MAX {
            let Some(chunk) = self.store.chunk(key).await.map_err(errors::store)? else {
                return Ok(Err(Refused::NotNow));
            };
            let next = match change(&chunk) {
                Ok(next) => next,
                Err(refused) => return Ok(Err(refused)),
            };
            if self.store.swap_chunk(&next).await.map_err(errors::store)? == Swap::Swapped {
                return Ok(Ok(next));
            }
        }
        Err(busy(&key.job))
    }
}
