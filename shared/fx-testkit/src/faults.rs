//! Ports that fail: before a call took effect, after it did, or in a way that ends whoever made it. Which call fails how is
//! drawn from a seed, so that a failure found once is found again.

use async_trait::async_trait;
use bytes::Bytes;
use fx_app::jobs::protocol::{Chunk, Job};
use fx_app::ports::{
    BlobKey, BlobStore, ChunkKey, Delivery, JobMessage, JobQueue, JobStore, Put, StoreError, StoreResult,
    Swap,
};
use fx_domain::{BacktestId, Principal, UnixNanos};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// It does nothing, and says that it failed.
    Before,
    /// It does its work, and says that it failed.
    After,
    /// It does nothing, and who called is no more.
    CrashBefore,
    /// It does its work, and who called is no more.
    CrashAfter,
}

/// Draws what fails.
pub struct Faults {
    random: Mutex<ChaCha8Rng>,
    /// Of 256 calls so many fail.
    rate: u8,
    crashed: Notify,
}

impl Faults {
    /// Of 256 calls `rate` fail, drawn by `seed`.
    #[must_use]
    pub fn new(seed: u64, rate: u8) -> Arc<Self> {
        let random = Mutex::new(ChaCha8Rng::seed_from_u64(seed));
        Arc::new(Self { random, rate, crashed: Notify::new() })
    }

    /// A number below `limit`, for what else a test leaves to chance.
    pub fn below(&self, limit: u32) -> u32 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).next_u32() % limit
    }

    /// Ends when a caller is to be no more: what it was doing is to be dropped.
    pub async fn crash(&self) {
        self.crashed.notified().await;
    }

    fn draw(&self) -> Fault {
        let drawn = self.below(256);
        if drawn >= u32::from(self.rate) {
            return Fault::None;
        }
        [Fault::Before, Fault::After, Fault::CrashBefore, Fault::CrashAfter][(drawn % 4) as usize]
    }

    /// The call, with what happens to it.
    async fn around<T>(&self, call: impl Future<Output = StoreResult<T>>) -> StoreResult<T> {
        match self.draw() {
            Fault::None => call.await,
            Fault::Before => Err(failed()),
            Fault::After => call.await.and(Err(failed())),
            Fault::CrashBefore => self.end().await,
            Fault::CrashAfter => {
                let _ = call.await;
                self.end().await
            }
        }
    }

    async fn end<T>(&self) -> T {
        self.crashed.notify_one();
        std::future::pending().await
    }
}

fn failed() -> StoreError {
    StoreError::Unavailable { store: "faulty store", source: "drawn to fail".into() }
}

/// A port with faults in front of it.
pub struct Faulty<P: ?Sized> {
    inner: Arc<P>,
    faults: Arc<Faults>,
}

impl<P: ?Sized> Faulty<P> {
    /// `inner` with `faults` in front of it.
    pub fn new(inner: Arc<P>, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

#[async_trait]
impl JobStore for Faulty<dyn JobStore> {
    async fn create(&self, job: &Job, now: UnixNanos) -> StoreResult<Put> {
        self.faults.around(self.inner.create(job, now)).await
    }
    async fn job(&self, id: &BacktestId) -> StoreResult<Option<Job>> {
        self.faults.around(self.inner.job(id)).await
    }
    async fn swap(&self, next: &Job) -> StoreResult<Swap> {
        self.faults.around(self.inner.swap(next)).await
    }
    async fn create_chunks(&self, chunks: &[Chunk]) -> StoreResult<()> {
        self.faults.around(self.inner.create_chunks(chunks)).await
    }
    async fn chunk(&self, key: &ChunkKey) -> StoreResult<Option<Chunk>> {
        self.faults.around(self.inner.chunk(key)).await
    }
    async fn chunks(&self, job: &BacktestId, epoch: u64) -> StoreResult<Vec<Chunk>> {
        self.faults.around(self.inner.chunks(job, epoch)).await
    }
    async fn swap_chunk(&self, next: &Chunk) -> StoreResult<Swap> {
        self.faults.around(self.inner.swap_chunk(next)).await
    }
    async fn open(&self) -> StoreResult<Vec<BacktestId>> {
        self.faults.around(self.inner.open()).await
    }
    async fn open_of(&self, owner: &Principal) -> StoreResult<Vec<BacktestId>> {
        self.faults.around(self.inner.open_of(owner)).await
    }
}

#[async_trait]
impl JobQueue for Faulty<dyn JobQueue> {
    /// Twice now and then: a queue may do that, too.
    async fn send(&self, message: &JobMessage, owner: &Principal, delay: Duration) -> StoreResult<()> {
        if self.faults.below(8) == 0 {
            self.inner.send(message, owner, Duration::ZERO).await?;
        }
        self.faults.around(self.inner.send(message, owner, delay)).await
    }
    async fn receive(&self, limit: usize, wait: Duration) -> StoreResult<Vec<Delivery>> {
        self.faults.around(self.inner.receive(limit, wait)).await
    }
    async fn delete(&self, receipt: &str) -> StoreResult<()> {
        self.faults.around(self.inner.delete(receipt)).await
    }
    async fn depth(&self) -> StoreResult<u64> {
        self.faults.around(self.inner.depth()).await
    }
}

#[async_trait]
impl BlobStore for Faulty<dyn BlobStore> {
    async fn put(&self, key: &BlobKey, bytes: Bytes) -> StoreResult<Put> {
        self.faults.around(self.inner.put(key, bytes)).await
    }
    async fn get(&self, key: &BlobKey) -> StoreResult<Option<Bytes>> {
        self.faults.around(self.inner.get(key)).await
    }
    async fn get_range(&self, key: &BlobKey, offset: u64, length: u64) -> StoreResult<Option<Bytes>> {
        self.faults.around(self.inner.get_range(key, offset, length)).await
    }
    async fn list(&self, folder: &BlobKey) -> StoreResult<Vec<BlobKey>> {
        self.faults.around(self.inner.list(folder)).await
    }
}
