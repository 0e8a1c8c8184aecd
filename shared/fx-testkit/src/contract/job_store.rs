//! [`JobStore`].

use super::{Run, contend};
use crate::fixtures::{FRIDAY, job, key_of};
use fx_app::jobs::protocol::{CHUNKS_MAX, Cause, Checkpoint, Chunk, Job};
use fx_app::ports::{ChunkKey, JobStore, Put, Swap};
use fx_domain::{Digest, NANOS_PER_DAY, NANOS_PER_MINUTE, NANOS_PER_SECOND, UnixNanos};
use std::sync::Arc;
use std::time::Duration;

type Store = Arc<dyn JobStore>;

/// When the suite's jobs are submitted: so late that none expires by the store's own clock.
const NOW: UnixNanos = FRIDAY.plus_nanos(100 * 365 * NANOS_PER_DAY);
const LEASE: Duration = Duration::from_secs(60);

/// Holds an adapter to the docs of [`JobStore`]. The store holds fewer open jobs than one list names.
///
/// # Panics
/// When a property does not hold.
pub async fn job_store(store: &Store) {
    let run = &Run::new();
    what_is_unknown_is_none_and_not_changed(store, run).await;
    a_job_stays_until_it_expires(store, run).await;
    chunks_of_another_submission_are_not_seen(store, run).await;
    one_of_several_submissions_creates(store, run).await;
    one_of_several_changes_of_a_revision_wins(store, run).await;
    another_revision_or_epoch_changes_nothing(store, run).await;
    chunks_are_added_once_and_listed_by_index(store, run).await;
    as_many_chunks_as_a_job_may_have(store, run).await;
    open_lists_change_with_the_status(store, run).await;
    what_was_written_comes_back_as_it_is(store, run).await;
}

fn later(seconds: i64) -> UnixNanos {
    NOW.plus_nanos(seconds * NANOS_PER_SECOND)
}

fn cause() -> Cause {
    let message = "bar 7 of »EUR/USD« \u{10FFFF}📈\r\n\0".to_owned();
    Cause { code: "BACKTEST_DATA_ERROR".to_owned(), message, retryable: true }
}

fn chunks_of(job: &Job) -> Vec<Chunk> {
    job.new_chunks().collect()
}

async fn submit(store: &Store, job: &Job) {
    assert_eq!(store.create(job, job.created_at).await.unwrap(), Put::Created);
    store.create_chunks(&chunks_of(job)).await.unwrap();
}

async fn what_is_unknown_is_none_and_not_changed(store: &Store, run: &Run) {
    let job = job(&run.owner("nobody"), "never", 2, NOW);
    let chunk = &chunks_of(&job)[0];
    store.create_chunks(&chunks_of(&job)).await.unwrap();
    assert_eq!(store.swap(&job.run(NOW).unwrap()).await.unwrap(), Swap::Conflict);
    assert_eq!(store.swap_chunk(&chunk.claim("w", NOW, LEASE).unwrap()).await.unwrap(), Swap::Conflict);
    assert_eq!(store.job(&job.id).await.unwrap(), None);
    assert_eq!(store.chunk(&key_of(chunk)).await.unwrap(), None);
    assert!(store.chunks(&job.id, job.epoch).await.unwrap().is_empty(), "chunks without their job");
    assert!(store.open_of(&job.owner).await.unwrap().is_empty());
}

async fn a_job_stays_until_it_expires(store: &Store, run: &Run) {
    let first = job(&run.owner("stays"), "1", 2, NOW);
    let again = job(&first.owner, "1", 3, later(5));
    let unexpired = first.expires.plus_nanos(-1);
    assert_eq!(store.create(&first, NOW).await.unwrap(), Put::Created);
    assert_eq!(store.create(&again, unexpired).await.unwrap(), Put::AlreadyThere);
    assert_eq!(store.job(&first.id).await.unwrap().as_ref(), Some(&first));
    let running = first.run(later(1)).unwrap();
    assert_eq!(store.swap(&running).await.unwrap(), Swap::Swapped);
    assert_eq!(store.create(&again, unexpired).await.unwrap(), Put::AlreadyThere);
    assert_eq!(store.job(&first.id).await.unwrap().as_ref(), Some(&running), "a change does not free the id");
    assert_eq!(store.create(&again, first.expires).await.unwrap(), Put::Created);
    assert_eq!(store.job(&first.id).await.unwrap().as_ref(), Some(&again));
    assert_eq!(store.open_of(&first.owner).await.unwrap(), std::slice::from_ref(&first.id));
    let over = Job { revision: again.revision + 1, ..running.cancel(later(2)).unwrap() };
    assert_eq!(store.swap(&over).await.unwrap(), Swap::Conflict, "the one that expired is gone");
    assert_eq!(store.job(&first.id).await.unwrap(), Some(again));
}

async fn chunks_of_another_submission_are_not_seen(store: &Store, run: &Run) {
    let first = job(&run.owner("epochs"), "1", 3, NOW);
    submit(store, &first).await;
    let again = job(&first.owner, "1", 2, first.expires);
    assert_eq!(store.create(&again, first.expires).await.unwrap(), Put::Created);
    assert!(store.chunks(&again.id, again.epoch).await.unwrap().is_empty());
    let key = ChunkKey { job: again.id.clone(), epoch: again.epoch, index: 0 };
    assert_eq!(store.chunk(&key).await.unwrap(), None);
    store.create_chunks(&chunks_of(&first)).await.unwrap();
    store.create_chunks(&chunks_of(&again)).await.unwrap();
    assert_eq!(store.chunks(&again.id, again.epoch).await.unwrap(), chunks_of(&again));
}

async fn one_of_several_submissions_creates(store: &Store, run: &Run) {
    let first = job(&run.owner("race"), "1", 1, NOW);
    // The first time the id is free, the second time it has expired.
    for now in [NOW, first.expires] {
        let puts = contend(|number| {
            let store = Arc::clone(store);
            let job = job(&first.owner, "1", 1, now.plus_nanos(number as i64));
            async move { (store.create(&job, now).await.unwrap(), job) }
        })
        .await;
        let created: Vec<_> = puts.into_iter().filter(|(put, _)| *put == Put::Created).collect();
        assert_eq!(created.len(), 1, "{created:?}");
        let (_, job) = &created[0];
        assert_eq!(store.job(&first.id).await.unwrap().as_ref(), Some(job));
        // What the next round finds has expired by then.
        let kept = job.clone();
        let short = Job { expires: first.expires, revision: kept.revision + 1, ..kept };
        assert_eq!(store.swap(&short).await.unwrap(), Swap::Swapped);
    }
    assert_eq!(store.open_of(&first.owner).await.unwrap(), [first.id]);
}

async fn one_of_several_changes_of_a_revision_wins(store: &Store, run: &Run) {
    let mut job = job(&run.owner("winner"), "1", 1, NOW);
    submit(store, &job).await;
    let mut chunk = chunks_of(&job).remove(0);
    for round in 0..3 {
        let jobs = contend(|number| {
            let next = Job { revision: job.revision + 1, changed_at: later(number as i64), ..job.clone() };
            let store = Arc::clone(store);
            async move { (store.swap(&next).await.unwrap(), next) }
        })
        .await;
        job = the_winner(jobs);
        assert_eq!(store.job(&job.id).await.unwrap().as_ref(), Some(&job), "round {round}");
        let chunks = contend(|number| {
            let next = chunk.claim(&format!("{round}-{number}"), later(round * 100), LEASE).unwrap();
            let store = Arc::clone(store);
            async move { (store.swap_chunk(&next).await.unwrap(), next) }
        })
        .await;
        chunk = the_winner(chunks);
        assert_eq!(store.chunk(&key_of(&chunk)).await.unwrap().as_ref(), Some(&chunk), "round {round}");
    }
}

fn the_winner<T>(swaps: Vec<(Swap, T)>) -> T {
    let mut swapped: Vec<_> =
        swaps.into_iter().filter(|(swap, _)| *swap == Swap::Swapped).map(|(_, next)| next).collect();
    assert_eq!(swapped.len(), 1, "winners");
    swapped.remove(0)
}

async fn another_revision_or_epoch_changes_nothing(store: &Store, run: &Run) {
    let first = job(&run.owner("refused"), "1", 1, NOW);
    submit(store, &first).await;
    let job = first.run(NOW).unwrap();
    assert_eq!(store.swap(&job).await.unwrap(), Swap::Swapped);
    let chunk = chunks_of(&job)[0].claim("w", NOW, LEASE).unwrap();
    assert_eq!(store.swap_chunk(&chunk).await.unwrap(), Swap::Swapped);
    // The next revision is 2.
    for (epoch, revision) in [
        (job.epoch, 0),
        (job.epoch, 1),
        (job.epoch, 3),
        (job.epoch, u64::MAX),
        (job.epoch + 1, 2),
        (0, 2),
        (u64::MAX, 2),
    ] {
        let other = Job { epoch, revision, changed_at: later(9), ..job.clone() };
        assert_eq!(store.swap(&other).await.unwrap(), Swap::Conflict, "{epoch} {revision}");
        let other = Chunk { epoch, revision, attempts: 9, ..chunk.clone() };
        assert_eq!(store.swap_chunk(&other).await.unwrap(), Swap::Conflict, "{epoch} {revision}");
        assert_eq!(store.chunk(&key_of(&other)).await.unwrap().is_some(), epoch == job.epoch);
    }
    let other = Chunk { index: 1, revision: 2, ..chunk.clone() };
    assert_eq!(store.swap_chunk(&other).await.unwrap(), Swap::Conflict, "of another index");
    assert_eq!(store.job(&job.id).await.unwrap(), Some(job));
    assert_eq!(store.chunk(&key_of(&chunk)).await.unwrap(), Some(chunk));
}

async fn chunks_are_added_once_and_listed_by_index(store: &Store, run: &Run) {
    let job = job(&run.owner("chunks"), "1", 12, NOW);
    let mut chunks = chunks_of(&job);
    assert_eq!(store.create(&job, NOW).await.unwrap(), Put::Created);
    store.create_chunks(&[]).await.unwrap();
    store.create_chunks(&[chunks[11].clone(), chunks[2].clone()]).await.unwrap();
    assert_eq!(store.chunks(&job.id, job.epoch).await.unwrap(), [chunks[2].clone(), chunks[11].clone()]);
    chunks[2] = chunks[2].claim("w", NOW, LEASE).unwrap();
    assert_eq!(store.swap_chunk(&chunks[2]).await.unwrap(), Swap::Swapped);
    // Whoever plans the same job at the same time adds the same chunks.
    contend(|_| {
        let (store, chunks) = (Arc::clone(store), chunks_of(&job));
        async move { store.create_chunks(&chunks).await.unwrap() }
    })
    .await;
    assert_eq!(store.chunks(&job.id, job.epoch).await.unwrap(), chunks, "what is there stays as it is");
    assert!(store.chunks(&job.id, job.epoch + 1).await.unwrap().is_empty());
}

async fn as_many_chunks_as_a_job_may_have(store: &Store, run: &Run) {
    let job = job(&run.owner("many"), "1", CHUNKS_MAX, NOW);
    submit(store, &job).await;
    assert!(store.chunks(&job.id, job.epoch).await.unwrap() == chunks_of(&job));
}

async fn open_lists_change_with_the_status(store: &Store, run: &Run) {
    let (ann, bob) = (run.owner("ann"), run.owner("bob"));
    let ends: [fn(&Job) -> Job; 3] = [
        |job| job.fail(cause(), NOW).unwrap(),
        |job| job.cancel(NOW).unwrap(),
        |job| {
            let done = job.run(NOW).unwrap().mark(job.epoch, 0, NOW).unwrap();
            let merging = done.elect(NOW, LEASE).unwrap();
            merging.publish(1, Digest::of(b"result"), NOW).unwrap()
        },
    ];
    // Submitted newest first, listed oldest first.
    let mut jobs: Vec<_> = (0..=ends.len() as i64)
        .rev()
        .map(|minute| job(&ann, &minute.to_string(), 1, NOW.plus_nanos(minute * NANOS_PER_MINUTE)))
        .collect();
    for job in &jobs {
        assert_eq!(store.create(job, NOW).await.unwrap(), Put::Created);
    }
    jobs.reverse();
    let bobs = job(&bob, "1", 1, NOW);
    store.create(&bobs, NOW).await.unwrap();
    let is_open = async |job: &Job| {
        let (all, own) = (store.open().await.unwrap(), store.open_of(&job.owner).await.unwrap());
        assert_eq!(all.contains(&job.id), own.contains(&job.id), "both lists say the same");
        own.contains(&job.id)
    };
    let ids = |jobs: &[Job]| jobs.iter().map(|job| job.id.clone()).collect::<Vec<_>>();
    assert_eq!(store.open_of(&ann).await.unwrap(), ids(&jobs));
    for end in ends {
        let running = jobs[0].run(NOW).unwrap();
        assert!(is_open(&jobs[0]).await);
        assert_eq!(store.swap(&running).await.unwrap(), Swap::Swapped);
        assert!(is_open(&jobs[0]).await, "a running job is open");
        let stale = Job { revision: running.revision, ..end(&jobs[0]) };
        assert_eq!(store.swap(&stale).await.unwrap(), Swap::Conflict);
        assert!(is_open(&jobs[0]).await, "a refused change leaves the lists alone");
        let over = Job { revision: running.revision + 1, ..end(&jobs[0]) };
        assert_eq!(store.swap(&over).await.unwrap(), Swap::Swapped);
        assert!(!is_open(&jobs[0]).await, "{:?} is over", over.status);
        jobs.remove(0);
        assert_eq!(store.open_of(&ann).await.unwrap(), ids(&jobs));
    }
    assert_eq!(store.open_of(&bob).await.unwrap(), [bobs.id]);
}

async fn what_was_written_comes_back_as_it_is(store: &Store, run: &Run) {
    let job = job(&run.owner("same"), "1", 9, UnixNanos::new(-7));
    let job = Job { expires: NOW, epoch: u64::MAX, ..job };
    submit(store, &job).await;
    let over = job.mark(job.epoch, 8, UnixNanos::new(i64::MAX)).unwrap();
    let over = Job { result: Some(Digest::of(b"result")), cause: Some(cause()), merge_fence: 5, ..over };
    assert_eq!(store.swap(&over).await.unwrap(), Swap::Swapped);
    assert_eq!(store.job(&job.id).await.unwrap(), Some(over));
    let claimed = chunks_of(&job)[0].claim("worker/1 é", NOW, LEASE).unwrap();
    let checkpoint = Checkpoint { digest: Digest::of(b"state"), bars: u64::MAX };
    let full = Chunk {
        fence: u64::MAX,
        checkpoint: Some(checkpoint),
        result: Some(Digest::of(b"result")),
        cause: Some(cause()),
        not_before: UnixNanos::new(i64::MIN),
        ..claimed
    };
    assert_eq!(store.swap_chunk(&full).await.unwrap(), Swap::Swapped);
    assert_eq!(store.chunk(&key_of(&full)).await.unwrap(), Some(full.clone()));
    assert_eq!(store.chunks(&job.id, job.epoch).await.unwrap().first(), Some(&full));
}
