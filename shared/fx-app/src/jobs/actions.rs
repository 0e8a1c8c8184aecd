//! What is due for a job: asked by who submits it, by who finished a part of it, and each minute by the sweeper.

use super::protocol::{Cause, Chunk, ChunkStatus, Job, JobStatus, MERGES_MAX, Timing};
use fx_domain::UnixNanos;

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Tell a worker to make the chunks.
    SendPlan,
    /// Tell a worker of a chunk; the message before was sent at this time.
    SendChunk {
        /// Which one.
        index: u32,
        /// What [`Chunk::resend`] is to be given.
        seen: UnixNanos,
    },
    /// Note that a chunk is done.
    Mark {
        /// Which one.
        index: u32,
    },
    /// Give a chunk up that was tried too often.
    Bury {
        /// Which one.
        index: u32,
        /// Why.
        cause: Cause,
    },
    /// Tell a worker to put the result together.
    SendMerge,
    /// End the job.
    Fail(Cause),
}

/// Everything that is due for `job` with these `chunks`, at `now`. Nothing for a job that is over.
///
/// Doing an action that somebody else did meanwhile changes nothing: each is a conditional write or a message.
#[must_use]
pub fn plan_actions(job: &Job, chunks: &[Chunk], now: UnixNanos, timing: &Timing) -> Vec<Action> {
    if job.status.is_terminal() {
        return Vec::new();
    }
    if let Some(cause) = cause_to_fail(job, chunks, now) {
        return vec![Action::Fail(cause)];
    }
    match job.status {
        JobStatus::Planned => vec![Action::SendPlan],
        JobStatus::Running => running(job, chunks, now, timing),
        JobStatus::Merging if job.merge_lease_until < now => vec![Action::SendMerge],
        _ => Vec::new(),
    }
}

fn running(job: &Job, chunks: &[Chunk], now: UnixNanos, timing: &Timing) -> Vec<Action> {
    if job.done.is_all() {
        return vec![Action::SendMerge];
    }
    chunks.iter().filter_map(|chunk| of_chunk(job, chunk, now, timing)).collect()
}

fn of_chunk(job: &Job, chunk: &Chunk, now: UnixNanos, timing: &Timing) -> Option<Action> {
    let index = chunk.index;
    match chunk.status {
        ChunkStatus::Done => (!job.done.has(index)).then_some(Action::Mark { index }),
        ChunkStatus::Leased if now <= chunk.lease_until => None,
        // Said by `cause_to_fail`.
        ChunkStatus::Dead => None,
        ChunkStatus::Pending | ChunkStatus::Leased if chunk.is_worn_out() => {
            Some(Action::Bury { index, cause: worn_out(chunk) })
        }
        ChunkStatus::Pending | ChunkStatus::Leased => {
            // The first message goes out with the chunk; sent so often as it was counted.
            let due = chunk.sends == 0 && chunk.attempts == 0 && chunk.checkpoint.is_none()
                || chunk.resend_at(timing) <= now;
            due.then_some(Action::SendChunk { index, seen: chunk.sent_at })
        }
    }
}

fn worn_out(chunk: &Chunk) -> Cause {
    let Chunk { index, attempts, sends, .. } = chunk;
    let last = chunk.cause.as_ref().map(|cause| format!(": {}", cause.message)).unwrap_or_default();
    Cause {
        code: chunk.cause.as_ref().map_or("BACKTEST_EXECUTION_ERROR".to_owned(), |cause| cause.code.clone()),
        message: format!(
            "chunk {index} was given up after {attempts} attempts and {sends} messages that nobody took{last}"
        ),
        retryable: true,
    }
}

fn cause_to_fail(job: &Job, chunks: &[Chunk], now: UnixNanos) -> Option<Cause> {
    let failed = |message: String| Cause { code: "BACKTEST_ERROR".to_owned(), message, retryable: true };
    let dead = chunks.iter().find(|chunk| chunk.status == ChunkStatus::Dead);
    if let Some(chunk) = dead {
        let unknown = || failed(format!("chunk {} cannot be done", chunk.index));
        return Some(chunk.cause.clone().unwrap_or_else(unknown));
    }
    if job.deadline < now {
        return Some(failed(format!(
            "not finished by {}: {} of {} chunks",
            job.deadline,
            job.done.count(),
            job.chunks
        )));
    }
    // The last merge that may begin has its time, too.
    let merged_too_often = job.merge_fence >= MERGES_MAX && job.merge_lease_until < now;
    merged_too_often.then(|| failed(format!("the result could not be put together in {MERGES_MAX} attempts")))
}
