//! Windows over any number.

use super::dyadic::{Extremes, Moments, Shape};
use super::{CHUNK, History};
use crate::value::{UNDEFINED, finite_or_undefined};
use fx_strategy::Window;

/// A window over any number, undefined while one of its values is.
#[derive(Clone, Debug)]
pub(crate) struct NumberWindow {
    kind: Window,
    bars: usize,
    /// The last values, all that there were while there are fewer than `bars`.
    history: History<f64>,
    sums: Sums,
}

#[derive(Clone, Debug)]
enum Sums {
    Moments(Moments),
    Extremes(Extremes),
}

/// Bars whose deviations are added side by side: each in its order, none waiting for another.
const LANES: usize = 16;

impl NumberWindow {
    /// A window that has seen `seen`, its last values.
    pub(crate) fn new(kind: Window, bars: usize, seen: &[f64]) -> Self {
        let sums = match kind {
            Window::Highest => Sums::Extremes(Extremes::new(true, bars)),
            Window::Lowest => Sums::Extremes(Extremes::new(false, bars)),
            Window::Sma | Window::MeanDeviation => Sums::Moments(Moments::new(Shape::Mean, bars)),
            Window::Stdev => Sums::Moments(Moments::new(Shape::Spread, bars)),
            Window::Wma | Window::Slope => Sums::Moments(Moments::new(Shape::Tilt, bars)),
        };
        let mut window = Self { kind, bars, history: History::new(bars, Vec::new()), sums };
        for seen in seen.chunks(CHUNK) {
            window.advance(seen, &mut [UNDEFINED; CHUNK][..seen.len()]);
        }
        window
    }

    pub(crate) fn tail(&self) -> &[f64] {
        self.history.tail()
    }

    pub(crate) const fn kind(&self) -> Window {
        self.kind
    }

    #[inline(always)]
    pub(crate) fn advance(&mut self, block: &[f64], out: &mut [f64]) {
        for (block, out) in block.chunks(CHUNK).zip(out.chunks_mut(CHUNK)) {
            let count = self.bars as f64;
            match &mut self.sums {
                Sums::Extremes(extremes) => extremes.advance(block, out),
                Sums::Moments(moments) => {
                    let mut second = [0.0; CHUNK];
                    moments.advance(block, out, &mut second);
                    let pairs = out.iter_mut().zip(&second);
                    match self.kind {
                        Window::Wma => {
                            let weights = count * (count + 1.0) / 2.0;
                            pairs.for_each(|(out, tilt)| *out += tilt / weights);
                        }
                        Window::Slope => {
                            let distances = sum_of_squared_distances(self.bars);
                            pairs.for_each(|(out, tilt)| *out = tilt / distances);
                        }
                        Window::Stdev => pairs.for_each(|(out, spread)| *out = (spread / count).sqrt()),
                        _ => {}
                    }
                }
            }
            let bars = self.bars;
            let (values, first_new) = self.history.grow(|values| values.extend_from_slice(block));
            let young = bars.saturating_sub(first_new + 1).min(out.len());
            if self.kind == Window::MeanDeviation && young < out.len() {
                let first = first_new + young + 1 - bars;
                mean_deviations(&values[first..], bars, &mut out[young..]);
            }
            for out in out {
                *out = finite_or_undefined(*out);
            }
        }
    }
}

/// n · (n² − 1) ÷ 12: exact up to the one division, since n³ of [`LOOKBACK_MAX`](crate::LOOKBACK_MAX) fits 53 bits.
fn sum_of_squared_distances(bars: usize) -> f64 {
    let count = bars as f64;
    count * (count * count - 1.0) / 12.0
}

/// Turns the means of every `bars` values in a row into the mean distances from them.
#[inline(always)]
fn mean_deviations(values: &[f64], bars: usize, means: &mut [f64]) {
    let (tiles, rest) = means.as_chunks_mut::<LANES>();
    let mut from = 0;
    for tile in tiles {
        *tile = mean_deviation(&values[from..], bars, tile);
        from += LANES;
    }
    for mean in rest {
        [*mean] = mean_deviation(&values[from..], bars, &[*mean]);
        from += 1;
    }
}

/// Of `bars` values from each of the first `N` on, the distances added from oldest to newest.
#[inline(always)]
fn mean_deviation<const N: usize>(values: &[f64], bars: usize, means: &[f64; N]) -> [f64; N] {
    let mut sums = [0.0; N];
    for (values, _) in values.array_windows::<N>().zip(0..bars) {
        for ((sum, mean), x) in sums.iter_mut().zip(means).zip(values) {
            *sum += (x - mean).abs();
        }
    }
    sums.map(|sum| sum / bars as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_zeros_the_newest_sign_is_the_extreme() {
        for kind in [Window::Highest, Window::Lowest] {
            for (older, newer) in [(0.0, -0.0), (-0.0, 0.0)] {
                let mut out = [1.0; 4];
                NumberWindow::new(kind, 3, &[]).advance(&[older, older, newer, newer], &mut out);
                assert_eq!(out[2].to_bits(), f64::to_bits(newer));
                assert_eq!(out[3].to_bits(), f64::to_bits(newer));
            }
        }
    }

    #[test]
    fn values_that_are_all_equal_have_their_mean_and_no_spread() {
        let values = [0.1; 50];
        for bars in [1, 2, 3, 7, 20, 23, 41] {
            for (kind, expected) in [
                (Window::Sma, 0.1),
                (Window::Wma, 0.1),
                (Window::Stdev, 0.0),
                (Window::MeanDeviation, 0.0),
                (Window::Slope, if bars > 1 { 0.0 } else { UNDEFINED }),
            ] {
                let mut out = [1.0; 50];
                NumberWindow::new(kind, bars, &[]).advance(&values, &mut out);
                assert_eq!(out[49].to_bits(), expected.to_bits(), "{kind:?} of {bars}");
            }
        }
    }
}
