//! Jobs and messages in a folder pass the contract suite, and several openers of the folder share them.

#![allow(clippy::unwrap_used)]

use fx_app::jobs::protocol::after;
use fx_app::ports::{Clock as _, JobMessage, Put, StoreError, Swap};
use fx_domain::{NANOS_PER_DAY, NANOS_PER_SECOND};
use fx_embedded::{DATABASE_FILE, Embedded, QueueSettings};
use fx_testkit::contract;
use fx_testkit::fixtures::{FRIDAY, job, principal};
use fx_testkit::memory::ManualClock;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const VISIBILITY: Duration = Duration::from_secs(60);

struct Folder {
    folder: TempDir,
    clock: Arc<ManualClock>,
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: Arc::new(ManualClock::new(FRIDAY)) }
    }

    fn open(&self) -> Embedded {
        let settings = QueueSettings { clock: self.clock.clone(), visibility: VISIBILITY };
        fx_embedded::open(self.folder.path(), settings).unwrap()
    }

    fn pass(&self, time: Duration) {
        self.clock.set(after(self.clock.now(), time));
    }

    fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join(DATABASE_FILE)).unwrap()
    }
}

fn message(index: u32) -> JobMessage {
    JobMessage::Chunk { job: job(&principal("ann"), "1", 1, FRIDAY).id, epoch: 1, index }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs() {
    contract::job_store(&Folder::new().open().jobs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages() {
    let folder = Folder::new();
    let queue = folder.open().queue;
    contract::job_queue(&queue, VISIBILITY, async |time| folder.pass(time)).await;
    contract::fair_job_queue(&queue).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_openers_take_each_message_once() {
    const MESSAGES: u32 = 100;
    let folder = Folder::new();
    let openers = [folder.open(), folder.open(), folder.open()];
    for index in 0..MESSAGES {
        let sender = &openers[index as usize % openers.len()];
        sender.queue.send(&message(index), &principal("ann"), Duration::ZERO).await.unwrap();
    }
    let takers: Vec<_> = openers
        .into_iter()
        .map(|opener| {
            tokio::spawn(async move {
                let mut taken = Vec::new();
                loop {
                    let more = opener.queue.receive(3, Duration::ZERO).await.unwrap();
                    if more.is_empty() {
                        return taken;
                    }
                    taken.extend(more);
                }
            })
        })
        .collect();
    let mut receipts = Vec::new();
    for taker in takers {
        receipts.extend(taker.await.unwrap().into_iter().map(|taken| taken.receipt));
    }
    assert_eq!(receipts.len(), MESSAGES as usize);
    assert_eq!(receipts.iter().collect::<BTreeSet<_>>().len(), MESSAGES as usize);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_opener_sends_is_received_while_it_is_waited_for() {
    let folder = Folder::new();
    let (one, two) = (folder.open(), folder.open());
    let waiting = tokio::spawn(async move { one.queue.receive(1, Duration::from_secs(15)).await.unwrap() });
    tokio::task::yield_now().await;
    two.queue.send(&message(0), &principal("ann"), Duration::ZERO).await.unwrap();
    let taken = waiting.await.unwrap();
    assert_eq!(taken.iter().map(|taken| &taken.message).collect::<Vec<_>>(), [&message(0)]);
}

#[tokio::test]
async fn jobs_and_messages_are_there_after_a_restart() {
    let folder = Folder::new();
    let job = job(&principal("ann"), "1", 3, FRIDAY);
    {
        let Embedded { jobs, queue, .. } = folder.open();
        jobs.create(&job, FRIDAY).await.unwrap();
        jobs.create_chunks(&job.new_chunks().collect::<Vec<_>>()).await.unwrap();
        assert_eq!(jobs.swap(&job.run(FRIDAY).unwrap()).await.unwrap(), Swap::Swapped);
        queue.send(&message(0), &job.owner, Duration::ZERO).await.unwrap();
    }
    let Embedded { jobs, queue, .. } = folder.open();
    assert_eq!(jobs.job(&job.id).await.unwrap(), Some(job.run(FRIDAY).unwrap()));
    assert_eq!(jobs.chunks(&job.id, job.epoch).await.unwrap().len(), 3);
    assert_eq!(jobs.open().await.unwrap(), [job.id]);
    assert_eq!(queue.receive(10, Duration::ZERO).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_dropped_and_the_next_one_comes() {
    let folder = Folder::new();
    let queue = folder.open().queue;
    for index in 0..4 {
        queue.send(&message(index), &principal("ann"), Duration::ZERO).await.unwrap();
    }
    for (id, body) in [(1, "{"), (2, r#"{"do":"dance"}"#), (3, r#"{"do":"plan","job":"a b","epoch":1}"#)] {
        folder.database().execute("UPDATE messages SET body = ?2 WHERE id = ?1", (id, body)).unwrap();
    }
    let taken = queue.receive(1, Duration::ZERO).await.unwrap();
    assert_eq!(taken.iter().map(|taken| &taken.message).collect::<Vec<_>>(), [&message(3)]);
    folder.pass(VISIBILITY);
    assert_eq!(queue.depth().await.unwrap(), 1, "the broken ones are gone");
}

#[tokio::test]
async fn a_message_that_nobody_ever_deletes_is_dropped_at_last() {
    const ENOUGH: usize = 100;
    let folder = Folder::new();
    let queue = folder.open().queue;
    queue.send(&message(0), &principal("ann"), Duration::ZERO).await.unwrap();
    let mut receives = 0;
    while receives < ENOUGH && !queue.receive(1, Duration::ZERO).await.unwrap().is_empty() {
        receives += 1;
        folder.pass(VISIBILITY);
    }
    assert_eq!(receives, 20);
    assert_eq!(queue.depth().await.unwrap(), 0);
}

#[tokio::test]
async fn no_receipt_is_an_error_and_an_old_one_deletes_nothing() {
    let folder = Folder::new();
    let queue = folder.open().queue;
    queue.send(&message(0), &principal("ann"), Duration::ZERO).await.unwrap();
    let first = queue.receive(1, Duration::ZERO).await.unwrap();
    folder.pass(VISIBILITY);
    assert_eq!(queue.receive(1, Duration::ZERO).await.unwrap().len(), 1);
    for receipt in ["", "-", "1", "x-1", "9-9", "99999999999999999999-1", "'; --", &first[0].receipt] {
        queue.delete(receipt).await.unwrap();
    }
    folder.pass(VISIBILITY);
    assert_eq!(queue.depth().await.unwrap(), 1);
}

#[tokio::test]
async fn expired_jobs_do_not_pile_up() {
    let folder = Folder::new();
    let store = folder.open().jobs;
    for day in 0..10 {
        let now = FRIDAY.plus_nanos(day * (NANOS_PER_DAY + NANOS_PER_SECOND));
        let job = job(&principal("ann"), &day.to_string(), 3, now);
        assert_eq!(store.create(&job, now).await.unwrap(), Put::Created);
        store.create_chunks(&job.new_chunks().collect::<Vec<_>>()).await.unwrap();
    }
    let count = |table| {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        folder.database().query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!((count("jobs"), count("chunks")), (1, 3));
}

#[tokio::test]
async fn a_broken_job_is_reported_not_skipped() {
    let folder = Folder::new();
    let store = folder.open().jobs;
    let job = job(&principal("ann"), "1", 1, FRIDAY);
    store.create(&job, FRIDAY).await.unwrap();
    store.create_chunks(&job.new_chunks().collect::<Vec<_>>()).await.unwrap();
    for body in [r#"{"schema":1}"#, r#"{"schema":2}"#, "", "{"] {
        for table in ["jobs", "chunks"] {
            folder.database().execute(&format!("UPDATE {table} SET body = ?1"), [body]).unwrap();
        }
        let found = store.job(&job.id).await;
        assert!(matches!(found, Err(StoreError::Corrupt { .. })), "{body}: {found:?}");
        let chunks = store.chunks(&job.id, job.epoch).await;
        assert!(matches!(chunks, Err(StoreError::Corrupt { .. })), "{body}: {chunks:?}");
    }
}
