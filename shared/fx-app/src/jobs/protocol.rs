//! What may happen to a job and its chunks, as functions from an item to the item after it. The store writes what they
//! give only over the item that they were given (see [`JobStore`](crate::ports::JobStore)): that makes each condition one
//! of the write.
//!
//! ```text
//! job:    PLANNED → RUNNING → MERGING → SUCCEEDED        chunk:  PENDING ⇄ LEASED → DONE
//!            └─────────┴─────────┴─→ FAILED, CANCELLED              └───────┴─→ DEAD
//! ```
//!
//! Invariants:
//! - SUCCEEDED, FAILED, CANCELLED, DONE and DEAD absorb.
//! - A fence grows with every claim: who holds an older one changes nothing any more, whatever its clock says.
//! - `done` names DONE chunks only; it is marked after the chunk is.
//! - A checkpoint never goes back.

use crate::records::RECORD_SCHEMA;
use fx_domain::{BacktestId, Digest, Principal, UnixNanos};
use serde::{Deserialize, Serialize};
use std::time::Duration;

mod done;

pub use done::Done;

/// Chunks of one job, at most. Larger work is several jobs.
pub const CHUNKS_MAX: u32 = 2_000;
/// Claims of a chunk without a checkpoint or a result between them, at most: what crashes its worker is not tried for ever.
pub const ATTEMPTS_MAX: u32 = 5;
/// Messages about a chunk that nobody claimed, at most.
pub const SENDS_MAX: u32 = 8;
/// Merges of a job that began, at most.
pub const MERGES_MAX: u32 = 5;

/// How long things take. Fences keep answers right whatever stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// A worker gives a chunk up at the next boundary after so long, and leaves a checkpoint.
    pub slice: Duration,
    /// A claim holds for so long: longer than a slice and what ends it.
    pub lease: Duration,
    /// A chunk that nobody claimed is sent again after so long, twice as long after the next time, and so on.
    pub resend: Duration,
    /// Between two messages about one chunk, at most.
    pub resend_max: Duration,
}

impl Default for Timing {
    /// For functions that may run five minutes.
    fn default() -> Self {
        Self {
            slice: Duration::from_secs(240),
            lease: Duration::from_secs(330),
            resend: Duration::from_secs(120),
            resend_max: Duration::from_secs(1_800),
        }
    }
}

/// Why something did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Another state, another holder, or another submission: nothing to do here.
    NotNow,
    /// It is so already.
    Already,
}

/// What a change gives.
pub type Change<T> = Result<T, Refused>;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// Its chunks are not all there yet.
    Planned,
    /// Its chunks are run.
    Running,
    /// Its result is put together.
    Merging,
    /// Its result is there.
    Succeeded,
    /// It has no result.
    Failed,
    /// Its owner does not want it any more.
    Cancelled,
}

impl JobStatus {
    /// Whether nothing changes any more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// Why a chunk or a job has no result, as its owner is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cause {
    /// The platform's code: `BACKTEST_DATA_ERROR`, `ENGINE_CHANGED`.
    pub code: String,
    /// What happened, with chunk, bar or field.
    pub message: String,
    /// Whether the same request may succeed.
    pub retryable: bool,
}

/// A submitted job.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Job {
    /// Form of this record.
    pub schema: u16,
    /// The job; of a single run its backtest.
    pub id: BacktestId,
    /// Who asked.
    pub owner: Principal,
    /// Which submission: a job that comes back after it expired has another.
    pub epoch: u64,
    /// Grows with every change.
    pub revision: u64,
    /// Where it stands.
    pub status: JobStatus,
    /// How many chunks it has, 1 to [`CHUNKS_MAX`].
    pub chunks: u32,
    /// Digest of what was asked, and the object that says it.
    pub spec: Digest,
    /// Digest of the request as it came.
    pub request: Digest,
    /// Chunks that are known to be done.
    pub done: Done,
    /// Merges that began.
    pub merge_fence: u32,
    /// Until when the merge that began last is left alone.
    pub merge_lease_until: UnixNanos,
    /// The result's digest, and the object that says it.
    pub result: Option<Digest>,
    /// Why there is none.
    pub cause: Option<Cause>,
    /// When it was submitted.
    pub created_at: UnixNanos,
    /// When it changed last.
    pub changed_at: UnixNanos,
    /// When it fails if it is not over by then.
    pub deadline: UnixNanos,
    /// When it is as if it had never been.
    pub expires: UnixNanos,
}

/// What is submitted.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// The job.
    pub id: BacktestId,
    /// Who asks.
    pub owner: Principal,
    /// How many chunks it has.
    pub chunks: u32,
    /// As [`Job::spec`].
    pub spec: Digest,
    /// As [`Job::request`].
    pub request: Digest,
    /// How long it may take.
    pub time_max: Duration,
    /// How long it is kept, from now on.
    pub kept: Duration,
}

impl Job {
    /// A job that was submitted `now`.
    #[must_use]
    pub fn submitted(new: NewJob, now: UnixNanos) -> Self {
        let NewJob { id, owner, chunks, spec, request, time_max, kept } = new;
        assert!((1..=CHUNKS_MAX).contains(&chunks), "a job has 1 to {CHUNKS_MAX} chunks, not {chunks}");
        Self {
            schema: RECORD_SCHEMA,
            id,
            owner,
            // Two submissions of one id are as far apart as the first one was kept.
            epoch: now.get().unsigned_abs(),
            revision: 0,
            status: JobStatus::Planned,
            chunks,
            spec,
            request,
            done: Done::none(chunks),
            merge_fence: 0,
            merge_lease_until: now,
            result: None,
            cause: None,
            created_at: now,
            changed_at: now,
            deadline: after(now, time_max),
            expires: after(now, kept),
        }
    }

    /// Whether it is as if it had never been.
    #[must_use]
    pub fn is_expired(&self, now: UnixNanos) -> bool {
        self.expires <= now
    }

    /// Its chunks as they begin.
    pub fn new_chunks(&self) -> impl Iterator<Item = Chunk> + '_ {
        (0..self.chunks).map(|index| Chunk {
            schema: RECORD_SCHEMA,
            job: self.id.clone(),
            epoch: self.epoch,
            index,
            revision: 0,
            status: ChunkStatus::Pending,
            fence: 0,
            attempts: 0,
            owner: None,
            lease_until: self.created_at,
            not_before: self.created_at,
            checkpoint: None,
            result: None,
            cause: None,
            sent_at: self.created_at,
            sends: 0,
        })
    }

    fn next(&self, now: UnixNanos) -> Self {
        Self { revision: self.revision + 1, changed_at: now, ..self.clone() }
    }

    /// All its chunks are there.
    ///
    /// # Errors
    /// [`Refused`] unless PLANNED.
    pub fn run(&self, now: UnixNanos) -> Change<Self> {
        match self.status {
            JobStatus::Planned => Ok(Self { status: JobStatus::Running, ..self.next(now) }),
            JobStatus::Running => Err(Refused::Already),
            _ => Err(Refused::NotNow),
        }
    }

    /// A chunk is DONE.
    ///
    /// # Errors
    /// [`Refused`] in another submission, or when that is known or does not matter any more.
    pub fn mark(&self, epoch: u64, index: u32, now: UnixNanos) -> Change<Self> {
        if epoch != self.epoch || index >= self.chunks || self.status.is_terminal() {
            return Err(Refused::NotNow);
        }
        let done = self.done.with(index).ok_or(Refused::Already)?;
        Ok(Self { done, ..self.next(now) })
    }

    /// Somebody puts the result together.
    ///
    /// # Errors
    /// [`Refused`] unless all chunks are done and nobody else is at it.
    pub fn elect(&self, now: UnixNanos, lease: Duration) -> Change<Self> {
        let free = match self.status {
            JobStatus::Running => true,
            JobStatus::Merging => self.merge_lease_until < now,
            _ => false,
        };
        if !free || !self.done.is_all() || self.merge_fence >= MERGES_MAX {
            return Err(Refused::NotNow);
        }
        Ok(Self {
            status: JobStatus::Merging,
            merge_fence: self.merge_fence + 1,
            merge_lease_until: after(now, lease),
            ..self.next(now)
        })
    }

    /// The result is there.
    ///
    /// # Errors
    /// [`Refused`] unless the merge of this fence is the last one that began.
    pub fn publish(&self, merge_fence: u32, result: Digest, now: UnixNanos) -> Change<Self> {
        match self.status {
            JobStatus::Merging if self.merge_fence == merge_fence => {
                Ok(Self { status: JobStatus::Succeeded, result: Some(result), ..self.next(now) })
            }
            JobStatus::Succeeded if self.result == Some(result) => Err(Refused::Already),
            _ => Err(Refused::NotNow),
        }
    }

    /// There will be no result.
    ///
    /// # Errors
    /// [`Refused`] when the job is over.
    pub fn fail(&self, cause: Cause, now: UnixNanos) -> Change<Self> {
        self.end(JobStatus::Failed, Some(cause), now)
    }

    /// Nobody wants the result any more.
    ///
    /// # Errors
    /// [`Refused`] when the job is over.
    pub fn cancel(&self, now: UnixNanos) -> Change<Self> {
        self.end(JobStatus::Cancelled, None, now)
    }

    fn end(&self, status: JobStatus, cause: Option<Cause>, now: UnixNanos) -> Change<Self> {
        match self.status {
            over if over == status => Err(Refused::Already),
            over if over.is_terminal() => Err(Refused::NotNow),
            _ => Ok(Self { status, cause, ..self.next(now) }),
        }
    }
}

/// Where a chunk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChunkStatus {
    /// It waits.
    Pending,
    /// A worker is at it.
    Leased,
    /// Its result is there.
    Done,
    /// It cannot be done.
    Dead,
}

/// How far a chunk has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Digest of the object to go on from.
    pub digest: Digest,
    /// Bars that are behind it.
    pub bars: u64,
}

/// A part of a job that one worker does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Chunk {
    /// Form of this record.
    pub schema: u16,
    /// Its job.
    pub job: BacktestId,
    /// Which submission of it.
    pub epoch: u64,
    /// Which one, from 0.
    pub index: u32,
    /// Grows with every change.
    pub revision: u64,
    /// Where it stands.
    pub status: ChunkStatus,
    /// Grows with every claim.
    pub fence: u64,
    /// Claims since it last came further.
    pub attempts: u32,
    /// Who claimed it last.
    pub owner: Option<String>,
    /// Until when it is that one's.
    pub lease_until: UnixNanos,
    /// Before this it is not claimed.
    pub not_before: UnixNanos,
    /// Where to go on.
    pub checkpoint: Option<Checkpoint>,
    /// Digest of its result, and the object that says it.
    pub result: Option<Digest>,
    /// What went wrong last.
    pub cause: Option<Cause>,
    /// When a message about it was sent last.
    pub sent_at: UnixNanos,
    /// Messages since somebody claimed it.
    pub sends: u32,
}

/// Who says that a chunk is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judge {
    /// Who holds this fence.
    Holder(u64),
    /// Who sees at this time that it was tried too often.
    Sweeper(UnixNanos),
}

impl Chunk {
    fn next(&self) -> Self {
        Self { revision: self.revision + 1, ..self.clone() }
    }

    fn held_by(&self, fence: u64) -> bool {
        self.status == ChunkStatus::Leased && self.fence == fence
    }

    /// Nobody is at it.
    fn is_free(&self, now: UnixNanos) -> bool {
        match self.status {
            ChunkStatus::Pending => true,
            ChunkStatus::Leased => self.lease_until < now,
            ChunkStatus::Done | ChunkStatus::Dead => false,
        }
    }

    /// Whether it was tried as often as it may.
    #[must_use]
    pub const fn is_worn_out(&self) -> bool {
        self.attempts >= ATTEMPTS_MAX || self.sends >= SENDS_MAX
    }

    /// `owner`, a name that is nobody else's and used once, does it from now on.
    ///
    /// # Errors
    /// [`Refused`] when it waits, somebody is at it, or it was tried too often.
    pub fn claim(&self, owner: &str, now: UnixNanos, lease: Duration) -> Change<Self> {
        if self.status == ChunkStatus::Leased && self.owner.as_deref() == Some(owner) {
            return Err(Refused::Already);
        }
        let waits = self.status == ChunkStatus::Pending && now < self.not_before;
        if !self.is_free(now) || waits || self.attempts >= ATTEMPTS_MAX {
            return Err(Refused::NotNow);
        }
        Ok(Self {
            status: ChunkStatus::Leased,
            owner: Some(owner.to_owned()),
            lease_until: after(now, lease),
            fence: self.fence + 1,
            attempts: self.attempts + 1,
            sends: 0,
            ..self.next()
        })
    }

    /// The holder gives it back further than it was.
    ///
    /// # Errors
    /// [`Refused`] to anybody else, and for a checkpoint that is not further.
    pub fn checkpoint(&self, fence: u64, checkpoint: Checkpoint, now: UnixNanos) -> Change<Self> {
        let before = self.checkpoint.as_ref().map(|before| before.bars);
        if !self.held_by(fence) || before >= Some(checkpoint.bars) {
            return Err(Refused::NotNow);
        }
        Ok(Self {
            status: ChunkStatus::Pending,
            checkpoint: Some(checkpoint),
            attempts: 0,
            sent_at: now,
            sends: 0,
            not_before: now,
            ..self.next()
        })
    }

    /// The holder could not do it now; it is tried again after `delay`.
    ///
    /// # Errors
    /// [`Refused`] to anybody else.
    pub fn release(&self, fence: u64, cause: Cause, now: UnixNanos, delay: Duration) -> Change<Self> {
        if !self.held_by(fence) {
            return Err(Refused::NotNow);
        }
        let (status, not_before) = (ChunkStatus::Pending, after(now, delay));
        Ok(Self { status, cause: Some(cause), not_before, sent_at: now, sends: 0, ..self.next() })
    }

    /// The holder has its result, which is stored.
    ///
    /// # Errors
    /// [`Refused`] to anybody else.
    pub fn commit(&self, fence: u64, result: Digest) -> Change<Self> {
        if self.status == ChunkStatus::Done && self.result == Some(result) {
            return Err(Refused::Already);
        }
        if !self.held_by(fence) {
            return Err(Refused::NotNow);
        }
        Ok(Self { status: ChunkStatus::Done, result: Some(result), cause: None, ..self.next() })
    }

    /// It cannot be done.
    ///
    /// # Errors
    /// [`Refused`] to anybody but its holder, and to a sweeper while somebody is at it or may still try.
    pub fn die(&self, judge: Judge, cause: Cause) -> Change<Self> {
        let just = match judge {
            Judge::Holder(fence) => self.held_by(fence),
            Judge::Sweeper(now) => self.is_free(now) && self.is_worn_out(),
        };
        if !just {
            return Err(Refused::NotNow);
        }
        Ok(Self { status: ChunkStatus::Dead, cause: Some(cause), ..self.next() })
    }

    /// A message about it is sent, as far as it was seen to be due.
    ///
    /// # Errors
    /// [`Refused`] when somebody sent one since, or nobody needs to be told.
    pub fn resend(&self, seen: UnixNanos, now: UnixNanos) -> Change<Self> {
        if self.sent_at != seen || !self.is_free(now) {
            return Err(Refused::NotNow);
        }
        Ok(Self { sent_at: now, sends: self.sends + 1, ..self.next() })
    }

    /// When a message about it is due again, if nobody claims it.
    #[must_use]
    pub fn resend_at(&self, timing: &Timing) -> UnixNanos {
        let doubled = timing.resend.saturating_mul(1 << self.sends.min(SENDS_MAX));
        let waited = after(self.sent_at, doubled.min(timing.resend_max));
        match self.status {
            // A message before would find somebody at it.
            ChunkStatus::Leased => waited.max(self.lease_until),
            _ => waited.max(self.not_before),
        }
    }
}

/// `time` and so much later, at most the end of time.
#[must_use]
pub fn after(time: UnixNanos, wait: Duration) -> UnixNanos {
    let nanos = i64::try_from(wait.as_nanos()).unwrap_or(i64::MAX);
    UnixNanos::new(time.get().saturating_add(nanos))
}

#[cfg(test)]
mod tests;
