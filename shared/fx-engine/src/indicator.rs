//! Windows and recursions, a block at a time, with a memory that is carried from block to block.
//!
//! A memory is a function of the values seen so far and of nothing else: how they were cut into blocks cannot be told
//! from it.

mod dyadic;
mod number_window;
mod psar;
mod scan;
mod session;
mod smoother;

pub(crate) use number_window::NumberWindow;
pub(crate) use psar::{Psar, PsarInput};
pub(crate) use scan::Scanner;
pub(crate) use session::SessionMemory;
pub(crate) use smoother::{Smoother, ema_weight, rma_step};

use crate::BLOCK;
use crate::market::Series;
use crate::value::{TRUE, Tri, UNDEFINED};
use fx_strategy::Window;
use std::ops::Range;

/// Bars that a window takes at once: what it works on stays in the first-level cache.
pub(crate) const CHUNK: usize = 256;

/// The last `keep` values, in one contiguous run that ends with the newest.
#[derive(Clone, Debug)]
pub(crate) struct History<T> {
    values: Vec<T>,
    keep: usize,
}

impl<T: Copy> History<T> {
    pub(crate) fn new(keep: usize, values: Vec<T>) -> Self {
        Self { values, keep }
    }

    /// The last values, `keep` at most, oldest first.
    pub(crate) fn tail(&self) -> &[T] {
        &self.values[self.values.len().saturating_sub(self.keep)..]
    }

    /// Lets `add` put values behind, and yields all with the place of the first new one. At least `keep` older values
    /// stand before it, once there were as many.
    fn grow(&mut self, add: impl FnOnce(&mut Vec<T>)) -> (&[T], usize) {
        if self.values.len() > 2 * self.keep + BLOCK {
            self.values.drain(..self.values.len() - self.keep);
        }
        let first_new = self.values.len();
        add(&mut self.values);
        (&self.values, first_new)
    }

    /// Adds `count` values: `add` is given where to put those whose places, counted from the first, are asked for.
    fn add(&mut self, count: usize, add: impl FnOnce(&mut Vec<T>, Range<usize>)) {
        if count >= self.keep {
            self.values.clear();
            add(&mut self.values, count - self.keep..count);
        } else {
            self.grow(|values| add(values, 0..count));
        }
    }

    /// Adds a block and yields what stood `keep` values earlier; there always were as many.
    #[inline(always)]
    fn late(&mut self, block: &[T]) -> &[T] {
        let keep = self.keep;
        let (values, first_new) = self.grow(|values| values.extend_from_slice(block));
        &values[first_new - keep..][..block.len()]
    }

    /// Adds one value.
    pub(crate) fn push(&mut self, value: T) {
        self.grow(|values| values.push(value));
    }

    /// The value `bars` before the one that would be pushed next.
    pub(crate) fn back(&self, bars: usize) -> Option<T> {
        self.values.len().checked_sub(bars).map(|index| self.values[index])
    }

    /// Adds a block and writes what stood `keep` values earlier, `missing` where nothing did.
    #[inline(always)]
    pub(crate) fn lag(&mut self, block: &[T], missing: T, out: &mut [T]) {
        let (before, after) = out.split_at_mut(self.keep.min(block.len()));
        self.earlier(missing, before);
        after.copy_from_slice(&block[..after.len()]);
        self.see(block);
    }

    /// Writes what stands `keep` values before each of the next ones, `keep` of them at most; `missing` where nothing does.
    #[inline(always)]
    pub(crate) fn earlier(&self, missing: T, out: &mut [T]) {
        let tail = self.tail();
        let absent = (self.keep - tail.len()).min(out.len());
        out[..absent].fill(missing);
        for (out, value) in out[absent..].iter_mut().zip(tail) {
            *out = *value;
        }
    }

    /// Adds a block.
    #[inline(always)]
    pub(crate) fn see(&mut self, block: &[T]) {
        self.add(block.len(), |values, wanted| values.extend_from_slice(&block[wanted]));
    }
}

impl History<f64> {
    /// Keeps `block` where `condition` holds, and writes what is `bars` occasions old, counted from 1.
    #[inline(always)]
    pub(crate) fn recall(&mut self, condition: &[Tri], block: &[f64], bars: usize, out: &mut [f64]) {
        let mut value = self.back(bars).unwrap_or(UNDEFINED);
        for ((condition, x), out) in condition.iter().zip(block).zip(out) {
            if *condition == TRUE {
                self.push(*x);
                value = self.back(bars).unwrap_or(UNDEFINED);
            }
            *out = value;
        }
    }
}

/// A window over a stored price: whole numbers, so that a running sum never drifts.
#[derive(Clone, Debug)]
pub(crate) struct PriceWindow {
    kind: Window,
    bars: usize,
    history: History<i64>,
    /// Of the last `bars` values, or of all while there are fewer. Below [`PRICE_MAX`](crate::PRICE_MAX) · 2 ·
    /// [`LOOKBACK_MAX`](crate::LOOKBACK_MAX), which fits.
    sum: i64,
    /// Of squares; kept for the standard deviation only.
    squares: i128,
}

impl PriceWindow {
    /// A window that has seen `seen`, its last values.
    pub(crate) fn new(kind: Window, bars: usize, seen: Vec<i64>) -> Self {
        let sum = seen.iter().sum();
        let squares = seen.iter().map(|value| i128::from(*value) * i128::from(*value)).sum();
        Self { kind, bars, history: History::new(bars, seen), sum, squares }
    }

    pub(crate) fn tail(&self) -> &[i64] {
        self.history.tail()
    }

    pub(crate) const fn kind(&self) -> Window {
        self.kind
    }

    /// How many values it is over.
    pub(crate) const fn bars(&self) -> usize {
        self.bars
    }

    /// How many values it holds: `bars`, or all that there were.
    pub(crate) fn seen(&self) -> usize {
        self.history.tail().len()
    }

    /// Of those values.
    pub(crate) const fn sum(&self) -> i64 {
        self.sum
    }

    /// Gives `each` of the next bars what is left of the sum of earlier values when that bar has come.
    #[inline(always)]
    pub(crate) fn left<T>(&self, bars: impl Iterator<Item = T>, mut each: impl FnMut(T, i64)) {
        let tail = self.history.tail();
        let (mut left, mut growing) = (self.sum, self.bars - tail.len());
        let mut tail = tail.iter();
        for bar in bars {
            if growing > 0 {
                growing -= 1;
            } else {
                left -= tail.next().copied().unwrap_or_default();
            }
            each(bar, left);
        }
    }

    /// Goes past the bars of `range`, of which the last `bars` or all come to `sum`.
    pub(crate) fn remember(&mut self, sum: i64, series: Series<'_>, range: Range<usize>) {
        let bars = range.len();
        let mut left = self.sum;
        self.left(0..bars.min(self.bars), |_, now| left = now);
        self.sum = if bars < self.bars { left + sum } else { sum };
        self.history.add(bars, |values, wanted| {
            series.extend(range.start + wanted.start..range.start + wanted.end, values);
        });
    }

    /// Adds the bars of `range` and writes the standard deviations.
    #[inline(always)]
    pub(crate) fn deviations(&mut self, series: Series<'_>, range: Range<usize>, out: &mut [f64]) {
        let bars = self.bars;
        let (values, first_new) = self.history.grow(|values| series.extend(range, values));
        let growing = bars.saturating_sub(first_new).min(out.len());
        let (mut sum, mut squares) = (self.sum, self.squares);
        let mut spread = |new: i64, old: i64| {
            sum += new - old;
            squares += i128::from(new - old) * i128::from(new + old);
            // n·Σx² − (Σx)²: neither is above (n·x)², 4·10^36 at most, which fits.
            let spread = (bars as i128).wrapping_mul(squares) - i128::from(sum) * i128::from(sum);
            // One rounding from either width, and one instruction from the narrow one.
            i64::try_from(spread).map_or_else(|_| spread as f64, |spread| spread as f64)
        };
        let (before, after) = out.split_at_mut(growing);
        let from = first_new + growing;
        for (out, new) in before.iter_mut().zip(&values[first_new..]) {
            *out = spread(*new, 0);
        }
        for ((out, new), old) in after.iter_mut().zip(&values[from..]).zip(&values[from - bars.min(from)..]) {
            *out = spread(*new, *old);
        }
        (self.sum, self.squares) = (sum, squares);
        // √(n·Σx² − (Σx)²) ÷ (n·scale): the radicand is exact, then one rounding each.
        let divisor = bars as f64 * series.scale() as f64;
        for out in &mut *out {
            *out = out.sqrt() / divisor;
        }
        let young = bars.saturating_sub(first_new + 1).min(out.len());
        out[..young].fill(UNDEFINED);
    }
}

#[cfg(test)]
mod tests;
