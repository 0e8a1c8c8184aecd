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
            (chunk.resend_at(timing) <= now).then_some(Action::SendChunk { index, seen: chunk.sent_at })
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

#[cfg(test)]
mod tests {
    use super::super::protocol::{ATTEMPTS_MAX, NewJob, SENDS_MAX, after};
    use super::*;
    use fx_domain::{BacktestId, Digest, Principal};
    use std::time::Duration;

    const TIMING: Timing = Timing {
        slice: Duration::from_secs(240),
        lease: Duration::from_secs(330),
        resend: Duration::from_secs(120),
        resend_max: Duration::from_secs(1_800),
    };

    fn at(seconds: u64) -> UnixNanos {
        after(UnixNanos::new(1_700_000_000_000_000_000), Duration::from_secs(seconds))
    }

    /// Two chunks, running.
    fn scene() -> (Job, Vec<Chunk>) {
        let new = NewJob {
            id: BacktestId::from_digest(&Digest::of(b"job")),
            owner: Principal::parse("ann").unwrap(),
            chunks: 2,
            spec: Digest::of(b"spec"),
            request: Digest::of(b"request"),
            time_max: Duration::from_secs(10_000),
            kept: Duration::from_secs(86_400),
        };
        let job = Job::submitted(new, at(0)).run(at(0)).unwrap();
        let chunks = job.new_chunks().collect();
        (job, chunks)
    }

    fn due(job: &Job, chunks: &[Chunk], seconds: u64) -> Vec<Action> {
        plan_actions(job, chunks, at(seconds), &TIMING)
    }

    #[test]
    fn what_nobody_claims_is_sent_again_later_and_later() {
        let (job, mut chunks) = scene();
        chunks.truncate(1);
        let (mut now, mut waits) = (0, Vec::new());
        for _ in 0..6 {
            let before = now;
            while due(&job, &chunks, now).is_empty() {
                now += 30;
            }
            let seen = chunks[0].sent_at;
            assert_eq!(due(&job, &chunks, now), [Action::SendChunk { index: 0, seen }]);
            chunks[0] = chunks[0].resend(seen, at(now)).unwrap();
            waits.push(now - before);
        }
        assert_eq!(waits, [120, 240, 480, 960, 1_800, 1_800]);
    }

    #[test]
    fn a_claim_is_left_alone_until_it_is_over() {
        let (job, mut chunks) = scene();
        chunks[1] = chunks[1].claim("one", at(0), TIMING.lease).unwrap().commit(1, Digest::of(b"r")).unwrap();
        chunks[0] = chunks[0].claim("one", at(0), TIMING.lease).unwrap();
        assert_eq!(due(&job, &chunks, 330), [Action::Mark { index: 1 }]);
        let seen = chunks[0].sent_at;
        assert_eq!(
            due(&job, &chunks, 331),
            [Action::SendChunk { index: 0, seen }, Action::Mark { index: 1 }]
        );
    }

    #[test]
    fn what_was_tried_too_often_is_buried_and_ends_the_job() {
        let (job, mut chunks) = scene();
        chunks[0].attempts = ATTEMPTS_MAX;
        chunks[1].sends = SENDS_MAX;
        let [Action::Bury { index: 0, .. }, Action::Bury { index: 1, cause }] = &due(&job, &chunks, 0)[..]
        else {
            panic!("{:?}", due(&job, &chunks, 0));
        };
        chunks[1].status = ChunkStatus::Dead;
        chunks[1].cause = Some(cause.clone());
        assert_eq!(due(&job, &chunks, 0), [Action::Fail(cause.clone())]);
        assert!(
            cause.message.starts_with("chunk 1 was given up after 0 attempts and 8 messages"),
            "{cause:?}"
        );
    }

    #[test]
    fn a_job_is_merged_when_all_is_done_and_fails_when_its_time_is_over() {
        let (job, chunks) = scene();
        let all = job.mark(job.epoch, 0, at(1)).unwrap().mark(job.epoch, 1, at(1)).unwrap();
        assert_eq!(due(&all, &chunks, 2), [Action::SendMerge]);
        let merging = all.elect(at(2), TIMING.lease).unwrap();
        assert_eq!(due(&merging, &chunks, 332), []);
        assert_eq!(due(&merging, &chunks, 333), [Action::SendMerge]);
        let worn = Job { merge_fence: MERGES_MAX, ..merging.clone() };
        assert!(matches!(&due(&worn, &chunks, 333)[..], [Action::Fail(cause)] if cause.retryable));
        assert!(matches!(&due(&merging, &chunks, 10_001)[..], [Action::Fail(_)]));
        let over = merging.publish(1, Digest::of(b"r"), at(3)).unwrap();
        assert_eq!(due(&over, &chunks, 10_001), []);
    }
}
