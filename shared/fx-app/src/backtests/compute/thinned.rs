//! A curve of which few points are kept.

use fx_domain::{Currency, EquityCurve, UnixNanos};

/// Keeps every n-th point of a curve and its last one. The number doubles whenever there would be too many, so that a curve
/// of any length leaves between half of the limit and the limit.
pub(super) struct Thinned {
    limit: usize,
    curve: EquityCurve,
    /// One point of so many is kept.
    stride: usize,
    seen: usize,
    last: Option<(UnixNanos, i64)>,
}

impl Thinned {
    /// At most `limit` points, two or more.
    pub(super) fn new(limit: usize, currency: Currency) -> Self {
        assert!(limit >= 2, "a curve has a beginning and an end");
        let curve = EquityCurve { times: Vec::new(), micros: Vec::new(), currency };
        Self { limit, curve, stride: 1, seen: 0, last: None }
    }

    pub(super) fn follow(&mut self, times: &[UnixNanos], micros: &[i64]) {
        let mut next = self.seen.next_multiple_of(self.stride) - self.seen;
        while let (Some(time), Some(micros)) = (times.get(next), micros.get(next)) {
            // The place of the last point stays free.
            if self.curve.times.len() + 1 == self.limit {
                self.halve();
                next = (self.seen + next).next_multiple_of(self.stride) - self.seen;
                continue;
            }
            self.curve.times.push(*time);
            self.curve.micros.push(*micros);
            next += self.stride;
        }
        self.seen += times.len();
        self.last = times.last().copied().zip(micros.last().copied()).or(self.last);
    }

    fn halve(&mut self) {
        let every_second = |index: usize| index.is_multiple_of(2);
        let mut index = 0..;
        self.curve.times.retain(|_| index.next().is_some_and(every_second));
        let mut index = 0..;
        self.curve.micros.retain(|_| index.next().is_some_and(every_second));
        self.stride *= 2;
    }

    pub(super) fn finish(mut self) -> EquityCurve {
        if let Some((time, micros)) = self.last.filter(|_| !(self.seen - 1).is_multiple_of(self.stride)) {
            self.curve.times.push(time);
            self.curve.micros.push(micros);
        }
        self.curve
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_thinned_curve_keeps_its_ends_its_order_and_its_limit_however_it_came(
            total in 0..500_usize, limit in 2..40_usize, cuts in proptest::collection::vec(0..500_usize, 0..6),
        ) {
            let times: Vec<_> = (0..total as i64).map(UnixNanos::new).collect();
            let micros: Vec<_> = (0..total as i64).map(|point| 10 * point).collect();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(total)).chain([0, total]).collect();
            cuts.sort_unstable();
            let (mut whole, mut apart) = (Thinned::new(limit, Currency::USD), Thinned::new(limit, Currency::USD));
            whole.follow(&times, &micros);
            for cut in cuts.windows(2) {
                apart.follow(&times[cut[0]..cut[1]], &micros[cut[0]..cut[1]]);
            }
            let curve = whole.finish();
            prop_assert_eq!(&apart.finish(), &curve);
            prop_assert!(curve.times.len() <= limit && curve.times.len() >= total.min(limit / 2));
            prop_assert_eq!(curve.times.first(), times.first());
            prop_assert_eq!(curve.times.last(), times.last());
            prop_assert!(curve.times.is_sorted() && curve.times.iter().zip(&curve.micros).all(|(time, micros)| 10 * time.get() == *micros));
        }
    }
}
