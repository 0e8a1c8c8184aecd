//! Windows over any number.

use super::History;
use crate::value::{UNDEFINED, finite_or_undefined};
use fx_strategy::Window;

/// A window over any number. An undefined value empties it.
#[derive(Clone, Debug)]
pub(crate) struct NumberWindow {
    kind: Window,
    bars: usize,
    history: History<f64>,
}

/// Bars whose sums are taken side by side: each in its specified order, none waiting for another.
const LANES: usize = 32;

impl NumberWindow {
    /// A window that has seen `seen`, its last defined values.
    pub(crate) fn new(kind: Window, bars: usize, seen: Vec<f64>) -> Self {
        Self { kind, bars, history: History::new(bars, seen) }
    }

    pub(crate) fn tail(&self) -> &[f64] {
        self.history.tail()
    }

    pub(crate) const fn kind(&self) -> Window {
        self.kind
    }

    #[inline(always)]
    pub(crate) fn advance(&mut self, block: &[f64], out: &mut [f64]) {
        let mut done = 0;
        while done < block.len() {
            let rest = &block[done..];
            let run = rest.iter().position(|x| x.is_nan()).unwrap_or(rest.len());
            self.advance_defined(&rest[..run], &mut out[done..done + run]);
            done += run;
            if done < block.len() {
                self.history.clear();
                out[done] = UNDEFINED;
                done += 1;
            }
        }
    }

    #[inline(always)]
    fn advance_defined(&mut self, run: &[f64], out: &mut [f64]) {
        let bars = self.bars;
        let (values, first_new) = self.history.grow(|values| values.extend_from_slice(run));
        let (young, full) = out.split_at_mut(bars.saturating_sub(first_new + 1).min(run.len()));
        young.fill(UNDEFINED);
        if full.is_empty() {
            return;
        }
        let values = &values[values.len() + 1 - bars - full.len()..];
        match self.kind {
            Window::Highest => {
                extremes(values, bars, full, |older, newer| if older <= newer { newer } else { older });
            }
            Window::Lowest => {
                extremes(values, bars, full, |older, newer| if older >= newer { newer } else { older });
            }
            kind => averages(kind, values, bars, full),
        }
    }
}

/// The mean, weighted mean or standard deviation of every `bars` values in a row.
#[inline(always)]
fn averages(kind: Window, values: &[f64], bars: usize, out: &mut [f64]) {
    let (tiles, rest) = out.as_chunks_mut::<LANES>();
    let mut from = 0;
    for tile in tiles {
        *tile = average(kind, &values[from..], bars);
        from += LANES;
    }
    for out in rest {
        [*out] = average(kind, &values[from..], bars);
        from += 1;
    }
}

/// The average of `bars` values from each of the first `N` on, added from oldest to newest.
#[inline(always)]
fn average<const N: usize>(kind: Window, values: &[f64], bars: usize) -> [f64; N] {
    let count = bars as f64;
    let averages = match kind {
        Window::Wma => {
            let mut weight = 0.0;
            let weighted = sum(values, bars, |sums: &mut [f64; N], values| {
                weight += 1.0;
                for (sum, x) in sums.iter_mut().zip(values) {
                    *sum += weight * x;
                }
            });
            weighted.map(|weighted| weighted / (count * (count + 1.0) / 2.0))
        }
        Window::Stdev => {
            let means: [f64; N] = mean(values, bars);
            let squares = sum(values, bars, |sums: &mut [f64; N], values| {
                for ((sum, mean), x) in sums.iter_mut().zip(&means).zip(values) {
                    *sum += (x - mean) * (x - mean);
                }
            });
            squares.map(|squares| (squares / count).sqrt())
        }
        _ => mean(values, bars),
    };
    averages.map(finite_or_undefined)
}

#[inline(always)]
fn mean<const N: usize>(values: &[f64], bars: usize) -> [f64; N] {
    let sums = sum(values, bars, |sums: &mut [f64; N], values| {
        for (sum, x) in sums.iter_mut().zip(values) {
            *sum += x;
        }
    });
    sums.map(|sum| sum / bars as f64)
}

/// Lets `add` the first value of each of `N` neighbouring windows to its sum, then the second, and so on.
#[inline(always)]
fn sum<const N: usize>(
    values: &[f64],
    bars: usize,
    mut add: impl FnMut(&mut [f64; N], &[f64; N]),
) -> [f64; N] {
    let mut sums = [0.0; N];
    for (values, _) in values.array_windows::<N>().zip(0..bars) {
        add(&mut sums, values);
    }
    sums
}

/// The extreme of every `bars` values in a row; of equal ones (zeros of either sign) the newer.
///
/// Extremes of 2, 4, 8 … values come from two halves; a window is covered by two of the largest that fit.
#[inline(always)]
fn extremes(values: &[f64], bars: usize, out: &mut [f64], pick: impl Fn(f64, f64) -> f64) {
    let merge = |older: &[f64], newer: &[f64], out: &mut [f64]| {
        for ((out, older), newer) in out.iter_mut().zip(older).zip(newer) {
            *out = pick(*older, *newer);
        }
    };
    let (mut merged, mut next) = (values.to_vec(), vec![0.0; values.len()]);
    let mut span = 1;
    while 2 * span <= bars {
        let count = merged.len() - span;
        next.truncate(count);
        merge(&merged, &merged[span..], &mut next);
        std::mem::swap(&mut merged, &mut next);
        next.resize(count, 0.0);
        span *= 2;
    }
    merge(&merged, &merged[bars - span..], out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_zeros_the_newest_sign_is_the_extreme() {
        for kind in [Window::Highest, Window::Lowest] {
            for (older, newer) in [(0.0, -0.0), (-0.0, 0.0)] {
                let mut out = [1.0; 4];
                NumberWindow::new(kind, 3, Vec::new()).advance(&[older, older, newer, newer], &mut out);
                assert_eq!(out[2].to_bits(), f64::to_bits(newer));
                assert_eq!(out[3].to_bits(), f64::to_bits(newer));
            }
        }
    }
}
