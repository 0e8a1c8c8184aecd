//! A circuit breaker: a peer that fails again and again is left alone for a while.

use fx_app::peers::BreakerPolicy;
use fx_app::ports::Clock;
use fx_domain::UnixNanos;
use std::sync::{Arc, Mutex, PoisonError};

/// The breaker of one peer.
///
/// Closed → open after [`BreakerPolicy::threshold`] failures in a row; open → one trial after
/// [`BreakerPolicy::reset`]; the trial closes it or opens it anew. A trial whose caller went away before it ended counts
/// as still running: the next trial is due after another reset time.
pub(crate) struct Breaker {
    policy: BreakerPolicy,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
enum State {
    Closed { failures: u32 },
    Open { since: UnixNanos },
}

impl Breaker {
    pub(crate) fn new(policy: BreakerPolicy, clock: Arc<dyn Clock>) -> Self {
        Self { policy, clock, state: Mutex::new(State::Closed { failures: 0 }) }
    }

    /// Whether a call may be made now. When a trial is due, the caller that is told so makes it.
    pub(crate) fn admits(&self) -> bool {
        self.change(|state| match *state {
            State::Closed { .. } => true,
            State::Open { since } => {
                let now = self.clock.now();
                // A clock that was set back must not hold the breaker open until it has caught up.
                let due = now < since
                    || now.get().saturating_sub(since.get()) as u128 >= self.policy.reset.as_nanos();
                if due {
                    *state = State::Open { since: now };
                }
                due
            }
        })
    }

    pub(crate) fn succeeded(&self) {
        self.change(|state| *state = State::Closed { failures: 0 });
    }

    pub(crate) fn failed(&self) {
        self.change(|state| {
            *state = match *state {
                State::Closed { failures } if failures + 1 < self.policy.threshold => {
                    State::Closed { failures: failures + 1 }
                }
                State::Closed { .. } | State::Open { .. } => State::Open { since: self.clock.now() },
            }
        });
    }

    /// The state is one word, so a panic elsewhere while it was held left it whole.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, Ordering};

    /// A clock that is set by hand.
    #[derive(Default)]
    pub(crate) struct HandClock(AtomicI64);

    impl HandClock {
        pub(crate) fn set_seconds(&self, seconds: i64) {
            self.0.store(seconds * fx_domain::NANOS_PER_SECOND, Ordering::SeqCst);
        }
    }

    impl Clock for HandClock {
        fn now(&self) -> UnixNanos {
            UnixNanos::new(self.0.load(Ordering::SeqCst))
        }
    }

    fn breaker() -> (Breaker, Arc<HandClock>) {
        let clock = Arc::new(HandClock::default());
        clock.set_seconds(100);
        let policy = BreakerPolicy { threshold: 2, reset: std::time::Duration::from_secs(30) };
        (Breaker::new(policy, clock.clone()), clock)
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_not_before() {
        let (breaker, _) = breaker();
        breaker.failed();
        breaker.succeeded();
        breaker.failed();
        assert!(breaker.admits());
        breaker.failed();
        assert!(!breaker.admits());
    }

    #[test]
    fn after_its_time_one_trial_decides() {
        let (breaker, clock) = breaker();
        breaker.failed();
        breaker.failed();
        clock.set_seconds(129);
        assert!(!breaker.admits());
        clock.set_seconds(130);
        assert!(breaker.admits());
        assert!(!breaker.admits(), "a second caller waits for the trial");
        breaker.failed();
        clock.set_seconds(159);
        assert!(!breaker.admits());
        clock.set_seconds(160);
        assert!(breaker.admits());
        breaker.succeeded();
        assert!(breaker.admits() && breaker.admits());
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_keep_it_open() {
        let (breaker, clock) = breaker();
        breaker.failed();
        breaker.failed();
        clock.set_seconds(50);
        assert!(breaker.admits());
    }
}
