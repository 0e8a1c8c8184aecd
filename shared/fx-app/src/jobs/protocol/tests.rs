use super::*;

fn id(name: &str) -> BacktestId {
    BacktestId::from_digest(&Digest::of(name.as_bytes()))
}

fn now(seconds: i64) -> UnixNanos {
    UnixNanos::new(1_700_000_000_000_000_000 + seconds * 1_000_000_000)
}

fn job(chunks: u32) -> Job {
    let new = NewJob {
        id: id("job"),
        owner: Principal::parse("ann").unwrap(),
        chunks,
        spec: Digest::of(b"spec"),
        request: Digest::of(b"request"),
        time_max: Duration::from_secs(3_600),
        kept: Duration::from_secs(86_400),
    };
    Job::submitted(new, now(0))
}

fn chunk() -> Chunk {
    job(1).new_chunks().next().unwrap()
}

const LEASE: Duration = Duration::from_secs(330);

fn cause() -> Cause {
    Cause { code: "SERVICE_ERROR".to_owned(), message: "away".to_owned(), retryable: true }
}

#[test]
fn who_lost_the_claim_changes_nothing_any_more() {
    let first = chunk().claim("first", now(1), LEASE).unwrap();
    assert_eq!(first.claim("second", now(2), LEASE), Err(Refused::NotNow));
    assert_eq!(first.claim("first", now(2), LEASE), Err(Refused::Already));
    let second = first.claim("second", now(400), LEASE).unwrap();
    assert_eq!((second.fence, second.attempts), (2, 2));
    let checkpoint = Checkpoint { digest: Digest::of(b"c"), bars: 10 };
    assert_eq!(second.commit(1, Digest::of(b"r")), Err(Refused::NotNow));
    assert_eq!(second.checkpoint(1, checkpoint.clone(), now(401)), Err(Refused::NotNow));
    assert_eq!(second.release(1, cause(), now(401), LEASE), Err(Refused::NotNow));
    assert_eq!(second.die(Judge::Holder(1), cause()), Err(Refused::NotNow));
    let done = second.commit(2, Digest::of(b"r")).unwrap();
    assert_eq!(done.commit(2, Digest::of(b"r")), Err(Refused::Already));
    assert_eq!(done.claim("third", now(9_999), LEASE), Err(Refused::NotNow));
    assert_eq!(done.die(Judge::Sweeper(now(9_999)), cause()), Err(Refused::NotNow));
}

#[test]
fn a_checkpoint_goes_on_only() {
    let at = |bars| Checkpoint { digest: Digest::of(b"c"), bars };
    let held = chunk().claim("a", now(1), LEASE).unwrap();
    let given = held.checkpoint(1, at(10), now(2)).unwrap();
    assert_eq!((given.status, given.attempts), (ChunkStatus::Pending, 0));
    let again = given.claim("b", now(3), LEASE).unwrap();
    assert_eq!(again.checkpoint(2, at(10), now(4)), Err(Refused::NotNow));
    assert!(again.checkpoint(2, at(11), now(4)).is_ok());
}

#[test]
fn what_is_released_waits_and_wears_out() {
    let mut worn = chunk();
    for attempt in 0..ATTEMPTS_MAX {
        let at = 1_000 * i64::from(attempt);
        let held = worn.claim(&format!("worker {attempt}"), now(at), LEASE).unwrap();
        worn = held.release(held.fence, cause(), now(at), Duration::from_secs(60)).unwrap();
        assert_eq!(worn.claim("early", now(at + 59), LEASE), Err(Refused::NotNow));
    }
    assert!(worn.is_worn_out());
    assert_eq!(worn.claim("late", now(9_999), LEASE), Err(Refused::NotNow));
    assert_eq!(worn.die(Judge::Sweeper(now(9_999)), cause()).unwrap().status, ChunkStatus::Dead);
}

#[test]
fn one_merge_publishes_and_the_end_stays() {
    let running = job(2).run(now(1)).unwrap();
    assert_eq!(running.run(now(1)), Err(Refused::Already));
    assert_eq!(running.elect(now(2), LEASE), Err(Refused::NotNow));
    assert_eq!(running.mark(7, 0, now(2)), Err(Refused::NotNow), "another submission");
    let epoch = running.epoch;
    let all = running.mark(epoch, 1, now(2)).unwrap().mark(epoch, 0, now(3)).unwrap();
    assert_eq!(all.mark(epoch, 0, now(4)), Err(Refused::Already));
    let first = all.elect(now(5), LEASE).unwrap();
    assert_eq!(first.elect(now(6), LEASE), Err(Refused::NotNow));
    let second = first.elect(now(400), LEASE).unwrap();
    assert_eq!(second.publish(1, Digest::of(b"r"), now(401)), Err(Refused::NotNow));
    let over = second.publish(2, Digest::of(b"r"), now(401)).unwrap();
    assert_eq!(over.cancel(now(402)), Err(Refused::NotNow));
    assert_eq!(over.fail(cause(), now(402)), Err(Refused::NotNow));
    assert_eq!(second.cancel(now(402)).unwrap().publish(2, Digest::of(b"r"), now(403)), Err(Refused::NotNow));
}
