//! A long line in few points.

use fx_domain::UnixNanos;
use serde::{Deserialize, Serialize};

/// Points, or buckets, in each half of a level: some two for each pixel column of a chart.
const HALF: usize = 2_048;

/// Points of a bucket of the finest level: of four little more is left out than of two, at half the work.
const FINEST: usize = 4;

/// A value and when it was.
pub(super) type Point = (UnixNanos, f64);

/// First, lowest, highest and last of points that follow each other; of equal values the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Bucket {
    first: Point,
    lowest: Point,
    highest: Point,
    last: Point,
}

impl Bucket {
    fn of(points: &[Point; FINEST]) -> Self {
        let [a, b, c, d] =
            points.map(|point| Self { first: point, lowest: point, highest: point, last: point });
        a.with(&b).with(&c.with(&d))
    }

    /// Chosen by index: which of two is lower is a coin's toss, on which a branch would be wrong half the time.
    fn with(&self, next: &Self) -> Self {
        Self {
            first: self.first,
            lowest: [self.lowest, next.lowest][usize::from(next.lowest.1 < self.lowest.1)],
            highest: [self.highest, next.highest][usize::from(next.highest.1 > self.highest.1)],
            last: next.last,
        }
    }

    /// Its points in order of time, each once.
    fn points(&self) -> impl Iterator<Item = Point> {
        let (early, late) = if self.lowest.0 <= self.highest.0 {
            (self.lowest, self.highest)
        } else {
            (self.highest, self.lowest)
        };
        let mut before = None;
        [self.first, early, late, self.last]
            .into_iter()
            .filter(move |point| before.replace(*point) != Some(*point))
    }
}

/// Entries in two halves: a full level lets go of its older half, and none is moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Level<T> {
    older: Vec<T>,
    newer: Vec<T>,
}

impl<T> Default for Level<T> {
    fn default() -> Self {
        Self { older: Vec::new(), newer: Vec::new() }
    }
}

impl<T> Level<T> {
    fn is_full(&self) -> bool {
        self.newer.len() == HALF
    }

    /// Makes room in a full level: what was its older half goes to `next`, `N` of it as one.
    fn hand_on<const N: usize>(&mut self, next: &mut Level<Bucket>, join: impl Fn(&[T; N]) -> Bucket) {
        std::mem::swap(&mut self.older, &mut self.newer);
        next.newer.extend(self.newer.as_chunks().0.iter().map(join));
        self.newer.clear();
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        self.older.iter().chain(&self.newer)
    }
}

/// A line of any length in a size that grows with its logarithm: the newest points themselves, older ones in buckets of
/// four, those before in buckets of eight, and so on. A level that is full hands its older half on, two of it as one.
///
/// So a line of up to twice [`HALF`] points is kept as it is; of a longer one, whatever the time from which it is looked
/// at, the part from there to the end lies in some [`HALF`] buckets at least, and no extreme is lost. A hundred
/// million points are thirteen levels of buckets, some 4 MB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Outline {
    newest: Level<Point>,
    /// Level l holds buckets of 4 · 2^l points.
    levels: Vec<Level<Bucket>>,
}

impl Outline {
    /// The next points, in order of time.
    pub(super) fn extend(&mut self, points: impl ExactSizeIterator<Item = Point>) {
        let mut points = points;
        while points.len() > 0 {
            if self.newest.is_full() {
                self.make_room(0);
                self.newest.hand_on(&mut self.levels[0], Bucket::of);
            }
            let room = HALF - self.newest.newer.len();
            self.newest.newer.extend(points.by_ref().take(room));
        }
    }

    /// Makes room for what the level before `level` hands on.
    fn make_room(&mut self, level: usize) {
        if level == self.levels.len() {
            self.levels.push(Level::default());
        }
        if self.levels[level].is_full() {
            self.make_room(level + 1);
            let (finer, coarser) = self.levels.split_at_mut(level + 1);
            finer[level].hand_on(&mut coarser[0], |[a, b]| a.with(b));
        }
    }

    /// What is left of the line, in order of time.
    pub(super) fn points(&self) -> Vec<Point> {
        let older = self.levels.iter().rev().flat_map(Level::iter).flat_map(Bucket::points);
        older.chain(self.newest.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LEVEL_MAX: usize = 2 * HALF;

    fn line(count: usize, value: impl Fn(usize) -> f64) -> (Vec<Point>, Outline) {
        let points: Vec<Point> = (0..count).map(|at| (UnixNanos::new(at as i64), value(at))).collect();
        let mut outline = Outline::default();
        // In pieces of any size.
        for piece in points.chunks(count / 7 + 1) {
            outline.extend(piece.iter().copied());
        }
        (points, outline)
    }

    #[test]
    fn a_line_of_one_level_is_kept_as_it_is() {
        let (points, outline) = line(LEVEL_MAX, |at| (at % 17) as f64);
        assert_eq!(outline.points(), points);
        let (points, outline) = line(LEVEL_MAX + 1, |at| at as f64);
        assert_eq!(outline.points()[..2], [points[0], points[3]]);
        assert_eq!(outline.points()[HALF / 2..], points[HALF..]);
    }

    #[test]
    fn ten_million_points_take_little_room() {
        let (_, outline) = line(10_000_000, |at| (at % 1_013) as f64);
        assert!(outline.levels.len() <= 12 && outline.newest.iter().count() <= LEVEL_MAX);
        assert!(outline.levels.iter().all(|level| level.iter().count() <= LEVEL_MAX));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn from_any_time_on_the_line_is_fine_and_has_its_extremes(
            count in 2usize..300_000, from in 0.0f64..1.0, seed in 1usize..1_000_003,
        ) {
            let (points, outline) = line(count, |at| (at * seed % 1_000_003) as f64);
            let kept = outline.points();
            prop_assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0));
            prop_assert!(kept.iter().all(|(time, value)| points[time.get() as usize].1.to_bits() == value.to_bits()));
            prop_assert_eq!((kept.first(), kept.last()), (points.first(), points.last()));
            // From the first point kept after a time on, every extreme of the rest is there.
            let from = (count as f64 * from) as i64;
            let rest = &kept[kept.partition_point(|(time, _)| time.get() < from)..];
            let whole = &points[rest[0].0.get() as usize..];
                        prop_assert!(rest.len() >= HALF.min(points.len() - from as usize));
            let lowest = |points: &[Point]| points.iter().map(|point| point.1).reduce(f64::min);
            let highest = |points: &[Point]| points.iter().map(|point| point.1).reduce(f64::max);
            // A bucket that the time cuts may have kept an extreme of its own before it.
            let inner = &whole[whole.len().min(bucket_at(&outline, from))..];
            prop_assert!(lowest(rest) <= lowest(inner) && highest(rest) >= highest(inner) || inner.is_empty());
            prop_assert!(lowest(rest) >= lowest(whole) && highest(rest) <= highest(whole));
        }
    }

    /// Points of the bucket that holds a time.
    fn bucket_at(outline: &Outline, time: i64) -> usize {
        let holds = |bucket: &Bucket| (bucket.first.0.get()..=bucket.last.0.get()).contains(&time);
        let level = outline.levels.iter().position(|level| level.iter().any(&holds));
        level.map_or(1, |level| FINEST << level)
    }
}
