//! [`JobQueue`].

use super::Run;
use crate::fixtures::{FRIDAY, job};
use fx_app::ports::{Delivery, JobMessage, JobQueue};
use fx_domain::Principal;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

type Queue = Arc<dyn JobQueue>;

/// A wait that no test comes to the end of.
const LONG: Duration = Duration::from_secs(15);
/// A delay that real queues can tell from none.
const DELAY: Duration = Duration::from_secs(2);
/// Messages that are taken before a test gives up.
const TAKEN_MAX: usize = 200;
/// Messages of an owner who sends many.
const MANY: u32 = 30;

/// Holds an adapter to the docs of [`JobQueue`]. Nobody else uses the queue, and it is empty. `pass` makes the queue's time
/// pass: of a clock that is set, or of the world. `visibility` is for how long a taken message is hidden.
///
/// # Panics
/// When a property does not hold.
pub async fn job_queue(queue: &Queue, visibility: Duration, pass: impl AsyncFn(Duration)) {
    let run = &Run::new();
    a_message_is_taken_and_deleted(queue, run).await;
    all_kinds_of_messages_come_as_they_were_sent(queue, run).await;
    a_message_that_is_not_deleted_comes_again(queue, run, visibility, &pass).await;
    a_delayed_message_waits(queue, run, &pass).await;
    who_waits_is_told(queue, run).await;
    every_owner_gets_through(queue, run).await;
    pass(visibility).await;
    assert_eq!(take(queue, Duration::ZERO).await, [], "what was deleted does not come again");
}

/// Holds an adapter whose fairness is its own to it: whoever sends little is not held up by whoever sent much before.
///
/// # Panics
/// When a property does not hold.
pub async fn fair_job_queue(queue: &Queue) {
    let run = &Run::new();
    let (ann, bob) = (run.owner("ann"), run.owner("bob"));
    for index in 0..MANY {
        queue.send(&message(&ann, index), &ann, Duration::ZERO).await.unwrap();
    }
    let taken_before = take(queue, LONG).await;
    assert!(!taken_before.is_empty());
    for index in 0..2 {
        queue.send(&message(&bob, index), &bob, Duration::ZERO).await.unwrap();
    }
    for index in 0..2 {
        let one = queue.receive(1, LONG).await.unwrap();
        assert_eq!(one.len(), 1);
        let bobs = message(&bob, index);
        let two = [one, queue.receive(1, LONG).await.unwrap()].concat();
        assert!(two.iter().any(|taken| taken.message == bobs), "turn and turn about: {two:?}");
    }
}

fn message(owner: &Principal, index: u32) -> JobMessage {
    let job = job(owner, "1", 1, FRIDAY);
    JobMessage::Chunk { job: job.id, epoch: job.epoch, index }
}

async fn take(queue: &Queue, wait: Duration) -> Vec<Delivery> {
    queue.receive(10, wait).await.unwrap()
}

/// Takes and deletes until all of `expected` came.
async fn take_all(queue: &Queue, expected: &[JobMessage]) {
    let mut missing: Vec<_> = expected.to_vec();
    for _ in 0..TAKEN_MAX {
        if missing.is_empty() {
            return;
        }
        for taken in take(queue, LONG).await {
            assert!(expected.contains(&taken.message), "{taken:?}");
            queue.delete(&taken.receipt).await.unwrap();
            missing.retain(|message| *message != taken.message);
        }
    }
    panic!("never came: {missing:?}");
}

async fn a_message_is_taken_and_deleted(queue: &Queue, run: &Run) {
    assert_eq!(take(queue, Duration::ZERO).await, []);
    assert_eq!(queue.depth().await.unwrap(), 0);
    let owner = run.owner("ann");
    queue.send(&message(&owner, 0), &owner, Duration::ZERO).await.unwrap();
    assert_eq!(queue.depth().await.unwrap(), 1);
    let taken = take(queue, LONG).await;
    assert_eq!(taken.iter().map(|taken| &taken.message).collect::<Vec<_>>(), [&message(&owner, 0)]);
    assert_eq!(queue.depth().await.unwrap(), 0, "a taken message does not wait");
    assert_eq!(take(queue, Duration::ZERO).await, [], "it is hidden");
    for _ in 0..2 {
        queue.delete(&taken[0].receipt).await.unwrap();
    }
}

async fn all_kinds_of_messages_come_as_they_were_sent(queue: &Queue, run: &Run) {
    let owner = run.owner("kinds");
    let job = job(&owner, "1", 1, FRIDAY).id;
    let messages = [
        JobMessage::Plan { job: job.clone(), epoch: 0 },
        JobMessage::Chunk { job: job.clone(), epoch: u64::MAX, index: u32::MAX },
        JobMessage::Merge { job, epoch: 7 },
    ];
    for message in &messages {
        queue.send(message, &owner, Duration::ZERO).await.unwrap();
    }
    assert_eq!(queue.depth().await.unwrap(), messages.len() as u64);
    let one = queue.receive(1, LONG).await.unwrap();
    assert_eq!(one.len(), 1, "no more than were asked for");
    queue.delete(&one[0].receipt).await.unwrap();
    let rest: Vec<_> = messages.into_iter().filter(|message| *message != one[0].message).collect();
    assert_eq!(rest.len(), 2, "{one:?}");
    take_all(queue, &rest).await;
}

async fn a_message_that_is_not_deleted_comes_again(
    queue: &Queue,
    run: &Run,
    visibility: Duration,
    pass: impl AsyncFn(Duration),
) {
    let owner = run.owner("again");
    queue.send(&message(&owner, 0), &owner, Duration::ZERO).await.unwrap();
    let mut receipts = BTreeSet::new();
    for _ in 0..2 {
        let taken = take(queue, LONG).await;
        assert_eq!(taken.iter().map(|taken| &taken.message).collect::<Vec<_>>(), [&message(&owner, 0)]);
        receipts.insert(taken[0].receipt.clone());
        pass(visibility).await;
    }
    assert_eq!(receipts.len(), 2, "each time with a receipt of its own");
    take_all(queue, &[message(&owner, 0)]).await;
    for receipt in receipts {
        queue.delete(&receipt).await.unwrap();
    }
}

async fn a_delayed_message_waits(queue: &Queue, run: &Run, pass: impl AsyncFn(Duration)) {
    let owner = run.owner("late");
    queue.send(&message(&owner, 0), &owner, DELAY).await.unwrap();
    assert_eq!(take(queue, Duration::ZERO).await, [], "its delay has not passed");
    assert_eq!(queue.depth().await.unwrap(), 0, "it cannot be taken yet");
    pass(DELAY).await;
    take_all(queue, &[message(&owner, 0)]).await;
}

async fn who_waits_is_told(queue: &Queue, run: &Run) {
    let owner = run.owner("waits");
    let waiting = {
        let queue = Arc::clone(queue);
        tokio::spawn(async move { queue.receive(1, LONG).await.unwrap() })
    };
    tokio::task::yield_now().await;
    queue.send(&message(&owner, 0), &owner, Duration::ZERO).await.unwrap();
    let taken = waiting.await.unwrap();
    assert_eq!(taken.iter().map(|taken| &taken.message).collect::<Vec<_>>(), [&message(&owner, 0)]);
    queue.delete(&taken[0].receipt).await.unwrap();
}

async fn every_owner_gets_through(queue: &Queue, run: &Run) {
    let mut sent = Vec::new();
    for index in 0..4 {
        for name in ["ann", "bob", "cid"] {
            let owner = run.owner(name);
            queue.send(&message(&owner, index), &owner, Duration::ZERO).await.unwrap();
            sent.push(message(&owner, index));
        }
    }
    take_all(queue, &sent).await;
}
