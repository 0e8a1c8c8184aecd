//! The times of a run's points, kept small.

use fx_domain::UnixNanos;
use serde::{Deserialize, Serialize};

/// Points that follow each other at one distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stretch {
    /// Index of its first point.
    index: usize,
    from: UnixNanos,
    step: i64,
    /// Its points, one at least.
    count: usize,
}

impl Stretch {
    /// The point after the last, if it were one of them.
    fn next(&self) -> Option<i64> {
        self.from.get().checked_add(self.step.checked_mul(i64::try_from(self.count).ok()?)?)
    }
}

/// Times in order, by index. Bars are equally long: each gap between them, a night or a weekend, costs 32 bytes. Quotes
/// are equally far from each other by chance only, and cost 16 bytes each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamps {
    stretches: Vec<Stretch>,
}

impl Stamps {
    pub(crate) fn push(&mut self, time: UnixNanos) {
        let mut index = 0;
        if let Some(last) = self.stretches.last_mut() {
            let step = time.get().checked_sub(last.from.get());
            if let (1, Some(step)) = (last.count, step) {
                (last.step, last.count) = (step, 2);
                return;
            }
            if last.count > 1 && last.next() == Some(time.get()) {
                last.count += 1;
                return;
            }
            index = last.index + last.count;
        }
        self.stretches.push(Stretch { index, from: time, step: 0, count: 1 });
    }

    /// Index of the last point at or before `time`; 0 where there is none.
    pub(crate) fn index_at(&self, time: UnixNanos) -> usize {
        let begun = self.stretches.partition_point(|stretch| stretch.from <= time);
        let Some(stretch) = begun.checked_sub(1).and_then(|at| self.stretches.get(at)) else { return 0 };
        let since = i128::from(time.get()) - i128::from(stretch.from.get());
        let steps = since.checked_div(i128::from(stretch.step)).and_then(|steps| usize::try_from(steps).ok());
        // Without a step all points are at one time.
        stretch.index + steps.unwrap_or(usize::MAX).min(stretch.count - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fx_domain::{NANOS_PER_HOUR, NANOS_PER_MINUTE};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_point_is_found_as_in_the_whole_list(steps in prop::collection::vec(0i64..3, 0..60)) {
            let (mut time, mut times, mut stamps) = (0, Vec::new(), Stamps::default());
            for step in steps {
                time += step * 10;
                times.push(UnixNanos::new(time));
                stamps.push(UnixNanos::new(time));
            }
            for time in -15..time + 15 {
                let time = UnixNanos::new(time);
                let expected = times.partition_point(|open| *open <= time).saturating_sub(1);
                prop_assert_eq!(stamps.index_at(time), expected);
            }
        }
    }

    #[test]
    fn a_week_of_minutes_is_one_stretch_and_the_ends_of_time_are_points_too() {
        let mut stamps = Stamps::default();
        for week in 0..10 {
            for minute in 0..7_200 {
                stamps.push(UnixNanos::new(week * 168 * NANOS_PER_HOUR + minute * NANOS_PER_MINUTE));
            }
        }
        assert_eq!(stamps.stretches.len(), 10);
        for time in [i64::MIN, i64::MAX, i64::MIN, i64::MAX] {
            stamps.push(UnixNanos::new(time));
        }
        assert!(stamps.index_at(UnixNanos::new(i64::MAX)) <= 72_003);
    }
}
