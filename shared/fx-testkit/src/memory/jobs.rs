//! Jobs, chunks and messages in memory.

use super::lock;
use crate::fixtures::key_of;
use async_trait::async_trait;
use fx_app::jobs::protocol::{Chunk, Job, after};
use fx_app::ports::{
    ChunkKey, Clock, DELIVERIES_MAX, Delivery, JobMessage, JobQueue, JobStore, OPEN_JOBS_MAX, Put,
    StoreResult, Swap,
};
use fx_domain::{BacktestId, Principal, UnixNanos};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

#[derive(Default)]
struct Items {
    jobs: BTreeMap<BacktestId, Job>,
    chunks: BTreeMap<ChunkKey, Chunk>,
}

impl Items {
    fn open(&self, wanted: impl Fn(&Job) -> bool) -> Vec<BacktestId> {
        let mut open: Vec<_> =
            self.jobs.values().filter(|job| !job.status.is_terminal() && wanted(job)).collect();
        open.sort_by_key(|job| job.created_at);
        open.into_iter().take(OPEN_JOBS_MAX).map(|job| job.id.clone()).collect()
    }
}

/// Jobs and their chunks in memory.
#[derive(Default)]
pub struct Jobs(Mutex<Items>);

#[async_trait]
impl JobStore for Jobs {
    async fn create(&self, job: &Job, now: UnixNanos) -> StoreResult<Put> {
        let items = &mut *lock(&self.0);
        if items.jobs.get(&job.id).is_some_and(|kept| !kept.is_expired(now)) {
            return Ok(Put::AlreadyThere);
        }
        items.chunks.retain(|key, _| key.job != job.id);
        items.jobs.insert(job.id.clone(), job.clone());
        Ok(Put::Created)
    }

    async fn job(&self, id: &BacktestId) -> StoreResult<Option<Job>> {
        Ok(lock(&self.0).jobs.get(id).cloned())
    }

    async fn swap(&self, next: &Job) -> StoreResult<Swap> {
        let mut items = lock(&self.0);
        let before = items.jobs.get_mut(&next.id);
        Ok(match before.filter(|job| job.epoch == next.epoch && precedes(job.revision, next.revision)) {
            Some(job) => {
                job.clone_from(next);
                Swap::Swapped
            }
            None => Swap::Conflict,
        })
    }

    async fn create_chunks(&self, chunks: &[Chunk]) -> StoreResult<()> {
        let items = &mut *lock(&self.0);
        for chunk in chunks {
            if items.jobs.get(&chunk.job).is_some_and(|job| job.epoch == chunk.epoch) {
                items.chunks.entry(key_of(chunk)).or_insert_with(|| chunk.clone());
            }
        }
        Ok(())
    }

    async fn chunk(&self, key: &ChunkKey) -> StoreResult<Option<Chunk>> {
        Ok(lock(&self.0).chunks.get(key).cloned())
    }

    async fn chunks(&self, job: &BacktestId, epoch: u64) -> StoreResult<Vec<Chunk>> {
        let key = |index| ChunkKey { job: job.clone(), epoch, index };
        Ok(lock(&self.0).chunks.range(key(0)..=key(u32::MAX)).map(|(_, chunk)| chunk.clone()).collect())
    }

    async fn swap_chunk(&self, next: &Chunk) -> StoreResult<Swap> {
        let mut items = lock(&self.0);
        let before = items.chunks.get_mut(&key_of(next));
        Ok(match before.filter(|chunk| precedes(chunk.revision, next.revision)) {
            Some(chunk) => {
                chunk.clone_from(next);
                Swap::Swapped
            }
            None => Swap::Conflict,
        })
    }

    async fn open(&self) -> StoreResult<Vec<BacktestId>> {
        Ok(lock(&self.0).open(|_| true))
    }

    async fn open_of(&self, owner: &Principal) -> StoreResult<Vec<BacktestId>> {
        Ok(lock(&self.0).open(|job| job.owner == *owner))
    }
}

fn precedes(revision: u64, next: u64) -> bool {
    revision.checked_add(1) == Some(next)
}

/// How often a queue that is waited for looks whether a delay has passed.
const POLL: Duration = Duration::from_millis(10);

#[derive(Clone)]
struct Message {
    message: JobMessage,
    owner: Principal,
    visible_at: UnixNanos,
    receives: u64,
}

#[derive(Default)]
struct Messages {
    /// By number, in the order in which they were sent.
    waiting: BTreeMap<u64, Message>,
    sent: u64,
    /// When each owner had its last turn.
    turns: BTreeMap<Principal, u64>,
    turn: u64,
}

impl Messages {
    /// The oldest message of the owner whose last turn is longest ago.
    fn take(&mut self, now: UnixNanos, hidden_until: UnixNanos) -> Option<Delivery> {
        let turns = &self.turns;
        let visible = self.waiting.iter_mut().filter(|(_, message)| message.visible_at <= now);
        let (number, message) =
            visible.min_by_key(|(number, message)| (turns.get(&message.owner).copied(), **number))?;
        message.visible_at = hidden_until;
        message.receives += 1;
        let delivery =
            Delivery { message: message.message.clone(), receipt: format!("{number}-{}", message.receives) };
        self.turn += 1;
        self.turns.insert(message.owner.clone(), self.turn);
        Some(delivery)
    }
}

/// Messages in memory. Time is what its clock shows, beside the wait for a first message.
pub struct Queue {
    messages: Mutex<Messages>,
    sent: Notify,
    clock: Arc<dyn Clock>,
    visibility: Duration,
}

impl Queue {
    /// An empty queue that hides a message for `visibility` when it is taken.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, visibility: Duration) -> Self {
        Self { messages: Mutex::default(), sent: Notify::new(), clock, visibility }
    }

    fn take(&self, limit: usize) -> Vec<Delivery> {
        let now = self.clock.now();
        let mut messages = lock(&self.messages);
        std::iter::from_fn(|| messages.take(now, after(now, self.visibility)))
            .take(limit.min(DELIVERIES_MAX))
            .collect()
    }
}

#[async_trait]
impl JobQueue for Queue {
    async fn send(&self, message: &JobMessage, owner: &Principal, delay: Duration) -> StoreResult<()> {
        let mut messages = lock(&self.messages);
        messages.sent += 1;
        let (number, visible_at) = (messages.sent, after(self.clock.now(), delay));
        let message = Message { message: message.clone(), owner: owner.clone(), visible_at, receives: 0 };
        messages.waiting.insert(number, message);
        drop(messages);
        self.sent.notify_one();
        Ok(())
    }

    async fn receive(&self, limit: usize, wait: Duration) -> StoreResult<Vec<Delivery>> {
        let end = Instant::now() + wait;
        loop {
            let taken = self.take(limit);
            if !taken.is_empty() || Instant::now() >= end {
                return Ok(taken);
            }
            // Sent or not: the next look tells.
            let _ = timeout_at(end.min(Instant::now() + POLL), self.sent.notified()).await;
        }
    }

    async fn delete(&self, receipt: &str) -> StoreResult<()> {
        let mut messages = lock(&self.messages);
        let given = messages.waiting.iter().find(|(number, message)| {
            receipt.split_once('-') == Some((&number.to_string(), &message.receives.to_string()))
        });
        if let Some(number) = given.map(|(number, _)| *number) {
            messages.waiting.remove(&number);
        }
        Ok(())
    }

    async fn depth(&self) -> StoreResult<u64> {
        let now = self.clock.now();
        Ok(lock(&self.messages).waiting.values().filter(|message| message.visible_at <= now).count() as u64)
    }
}
