//! How the time is cut.

use crate::InvalidInput;
use fx_domain::UnixNanos;
use serde::{Deserialize, Serialize};

/// Most windows of a walk.
pub const WINDOWS_MAX: usize = 1_000;

/// Where training begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Training {
    /// Each window a step later, always as long.
    #[default]
    Rolling,
    /// Always at the start: each window a step longer.
    Anchored,
}

/// How a stretch of time is cut into windows. Errors name the durations `train`, `test`, `step` and `embargo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalkForward {
    /// The first instant of the first training.
    pub start: UnixNanos,
    /// No window reaches beyond this instant, which is none of the windows' any more.
    pub end: UnixNanos,
    /// Length of a training; of the first one where it is anchored.
    pub train_nanos: i64,
    /// Length of a test.
    pub test_nanos: i64,
    /// From the start of one test to the start of the next; at least that of a test, or days would count twice.
    pub step_nanos: i64,
    /// Time between training and test that is in neither, so that nothing held or averaged at the end of the training
    /// reaches into the test; zero or above.
    pub embargo_nanos: i64,
    /// Where training begins.
    pub training: Training,
}

/// A stretch of time: `from` is the first instant of it, `to` the first behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The first instant.
    pub from: UnixNanos,
    /// The first instant behind it.
    pub to: UnixNanos,
}

/// A training and the test after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// Where parameters are chosen.
    pub train: Span,
    /// Where the choice is tried.
    pub test: Span,
}

impl WalkForward {
    /// The windows in order of time, at least one. Number k, from 0, is tested from `start + train + embargo + k ·
    /// step` on for `test`, and trained for `train` (anchored: from `start` on) up to the embargo before that. A test
    /// that would reach beyond `end` is left out: shorter than the others, it would not compare.
    ///
    /// # Errors
    /// A duration that is not above zero (the embargo: below), a step shorter than the test, an end at which no window
    /// fits, and more than [`WINDOWS_MAX`] windows: each names its field.
    pub fn windows(&self) -> Result<Vec<Window>, InvalidInput> {
        self.check()?;
        let Self { start, end, training, .. } = *self;
        // In 128 bits nothing overflows, and no instant kept is beyond `end`.
        let at = |nanos: i128| UnixNanos::new(nanos as i64);
        let (first, end) = (i128::from(start.get()), i128::from(end.get()));
        let [train, test, step, embargo] =
            [self.train_nanos, self.test_nanos, self.step_nanos, self.embargo_nanos].map(i128::from);
        let last_start = end - test - embargo - train - first;
        if last_start < 0 {
            let reason = format!(
                "leaves no room for a window: train, embargo and test take {} s, from start to end there are {} s",
                seconds(train + embargo + test),
                seconds(end - first),
            );
            return Err(InvalidInput::new("end", reason));
        }
        let count = last_start / step + 1;
        if count > WINDOWS_MAX as i128 {
            return Err(InvalidInput::new(
                "step",
                format!("gives {count} windows, at most {WINDOWS_MAX} are allowed"),
            ));
        }
        Ok((0..count)
            .map(|number| {
                let trained = first + number * step + train;
                let from = match training {
                    Training::Rolling => trained - train,
                    Training::Anchored => first,
                };
                let tested = trained + embargo;
                Window {
                    train: Span { from: at(from), to: at(trained) },
                    test: Span { from: at(tested), to: at(tested + test) },
                }
            })
            .collect())
    }

    fn check(&self) -> Result<(), InvalidInput> {
        let Self { train_nanos, test_nanos, step_nanos, embargo_nanos, .. } = *self;
        for (field, nanos) in [("train", train_nanos), ("test", test_nanos), ("step", step_nanos)] {
            if nanos <= 0 {
                return Err(InvalidInput::new(field, "must be longer than nothing"));
            }
        }
        if embargo_nanos < 0 {
            return Err(InvalidInput::new("embargo", "must not be below zero"));
        }
        if step_nanos < test_nanos {
            return Err(InvalidInput::new("step", "must not be shorter than `test`: tests would overlap"));
        }
        Ok(())
    }
}

fn seconds(nanos: i128) -> i128 {
    nanos / i128::from(fx_domain::NANOS_PER_SECOND)
}
