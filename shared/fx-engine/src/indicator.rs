//! Windows and recursions, a block at a time, with a memory that is carried from block to block.
//!
//! A memory is a function of the values seen so far and of nothing else: how they were cut into blocks cannot be told
//! from it.

use crate::BLOCK;
use crate::value::{UNDEFINED, finite_or_undefined, nearest_quotient};
use fx_strategy::{Recursion, Window};
use std::collections::VecDeque;

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

    /// Adds one value.
    pub(crate) fn push(&mut self, value: T) {
        self.grow(|values| values.push(value));
    }

    /// The value `bars` before the one that would be pushed next.
    pub(crate) fn back(&self, bars: usize) -> Option<T> {
        self.values.len().checked_sub(bars).map(|index| self.values[index])
    }

    /// Adds a block and writes what stood `keep` values earlier, `missing` where nothing did.
    pub(crate) fn lag(&mut self, block: &[T], missing: T, out: &mut [T]) {
        let keep = self.keep;
        let (values, first_new) = self.grow(|values| values.extend_from_slice(block));
        let absent = keep.saturating_sub(first_new).min(block.len());
        out[..absent].fill(missing);
        let from = first_new + absent - keep.min(first_new + absent);
        out[absent..].copy_from_slice(&values[from..from + block.len() - absent]);
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

    pub(crate) fn advance(&mut self, scale: i64, add: impl FnOnce(&mut Vec<i64>), out: &mut [f64]) {
        let (values, first_new) = self.history.grow(add);
        let growing = self.bars.saturating_sub(first_new).min(out.len());
        match self.kind {
            Window::Stdev => {
                let divisor = self.bars as f64 * scale as f64;
                for (index, out) in out.iter_mut().enumerate() {
                    let new = values[first_new + index];
                    let old = if index < growing { 0 } else { values[first_new + index - self.bars] };
                    self.sum += new - old;
                    self.squares += i128::from(new) * i128::from(new) - i128::from(old) * i128::from(old);
                    // √(n·Σx² − (Σx)²) ÷ (n·scale): the radicand is exact, then one rounding each.
                    let spread =
                        self.bars as i128 * self.squares - i128::from(self.sum) * i128::from(self.sum);
                    let full = first_new + index + 1 >= self.bars;
                    *out = if full { (spread as f64).sqrt() / divisor } else { UNDEFINED };
                }
            }
            _ => {
                let mut sums = [0_i64; BLOCK];
                let sums = &mut sums[..out.len()];
                let mut sum = self.sum;
                for (sums, new) in sums[..growing].iter_mut().zip(&values[first_new..]) {
                    sum = sum.wrapping_add(*new);
                    *sums = sum;
                }
                let from = first_new + growing;
                let pairs = values[from..].iter().zip(&values[from - self.bars.min(from)..]);
                for (sums, (new, old)) in sums[growing..].iter_mut().zip(pairs) {
                    sum = sum.wrapping_add(new.wrapping_sub(*old));
                    *sums = sum;
                }
                self.sum = sum;
                means(sums, self.bars as u64 * scale as u64, out);
                let undefined = self.bars.saturating_sub(first_new + 1).min(out.len());
                out[..undefined].fill(UNDEFINED);
            }
        }
    }
}

/// `sums ÷ divisor`, each rounded once.
fn means(sums: &[i64], divisor: u64, out: &mut [f64]) {
    let all_bits = sums.iter().fold(0, |bits, sum| bits | sum);
    if all_bits < 1 << 53 {
        let divisor = divisor as f64;
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = *sum as f64 / divisor;
        }
    } else {
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = nearest_quotient(sum.unsigned_abs(), divisor);
        }
    }
}

/// A window over any number. An undefined value empties it.
#[derive(Clone, Debug)]
pub(crate) struct NumberWindow {
    kind: Window,
    bars: usize,
    history: History<f64>,
    /// Candidates for the extreme, with their place in time, best first; for highest and lowest only.
    candidates: VecDeque<(u64, f64)>,
    now: u64,
}

impl NumberWindow {
    /// A window that has seen `seen`, its last defined values.
    pub(crate) fn new(kind: Window, bars: usize, seen: Vec<f64>) -> Self {
        let mut window =
            Self { kind, bars, history: History::new(bars, seen), candidates: VecDeque::new(), now: 0 };
        if matches!(kind, Window::Highest | Window::Lowest) {
            for value in window.history.values.clone() {
                window.offer(value);
            }
        }
        window
    }

    pub(crate) fn tail(&self) -> &[f64] {
        self.history.tail()
    }

    pub(crate) const fn kind(&self) -> Window {
        self.kind
    }

    pub(crate) fn advance(&mut self, block: &[f64], out: &mut [f64]) {
        for (x, out) in block.iter().zip(out) {
            *out = self.next(*x);
        }
    }

    fn next(&mut self, x: f64) -> f64 {
        if x.is_nan() {
            self.history.values.clear();
            self.candidates.clear();
            return UNDEFINED;
        }
        self.history.push(x);
        if matches!(self.kind, Window::Highest | Window::Lowest) {
            self.offer(x);
        }
        let values = self.history.tail();
        if values.len() < self.bars {
            return UNDEFINED;
        }
        let count = self.bars as f64;
        finite_or_undefined(match self.kind {
            Window::Sma => values.iter().fold(0.0, |sum, x| sum + x) / count,
            Window::Wma => {
                let weighted =
                    values.iter().zip(1_u32..).fold(0.0, |sum, (x, weight)| sum + f64::from(weight) * x);
                weighted / (count * (count + 1.0) / 2.0)
            }
            Window::Stdev => {
                let mean = values.iter().fold(0.0, |sum, x| sum + x) / count;
                let squares = values.iter().fold(0.0, |sum, x| sum + (x - mean) * (x - mean));
                (squares / count).sqrt()
            }
            Window::Highest | Window::Lowest => self.candidates.front().map_or(UNDEFINED, |(_, best)| *best),
        })
    }

    /// Keeps `value` and the candidates that it does not beat; drops those that have left the window.
    fn offer(&mut self, value: f64) {
        let beaten = |old: f64| if self.kind == Window::Highest { old <= value } else { old >= value };
        while self.candidates.back().is_some_and(|(_, old)| beaten(*old)) {
            self.candidates.pop_back();
        }
        self.candidates.push_back((self.now, value));
        self.now += 1;
        while self.candidates.front().is_some_and(|(place, _)| place + (self.bars as u64) < self.now) {
            self.candidates.pop_front();
        }
    }
}

/// A function with memory of all earlier values. It skips undefined ones.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Smoother {
    /// Defined values seen, up to `bars + 1`.
    pub(crate) seen: u32,
    /// The value before, for differences.
    pub(crate) last: f64,
    /// The average (of gains), or the sum that will seed it.
    pub(crate) up: f64,
    /// The same of losses.
    pub(crate) down: f64,
}

impl Smoother {
    pub(crate) const fn new() -> Self {
        Self { seen: 0, last: 0.0, up: 0.0, down: 0.0 }
    }

    pub(crate) fn advance(&mut self, kind: Recursion, bars: u32, block: &[f64], out: &mut [f64]) {
        for (x, out) in block.iter().zip(out) {
            *out = if x.is_nan() { UNDEFINED } else { self.next(kind, bars, *x) };
        }
    }

    fn next(&mut self, kind: Recursion, bars: u32, x: f64) -> f64 {
        let step = match kind {
            Recursion::Rsi => return self.next_rsi(bars, x),
            Recursion::Ema => ema_step,
            Recursion::Rma => rma_step,
        };
        if self.seen < bars {
            self.seen += 1;
            self.up = finite_or_undefined(self.up + x);
            if self.seen < bars {
                return UNDEFINED;
            }
            self.up = finite_or_undefined(self.up / f64::from(bars));
        } else {
            self.up = finite_or_undefined(step(self.up, x, f64::from(bars)));
        }
        self.up
    }

    fn next_rsi(&mut self, bars: u32, x: f64) -> f64 {
        let difference = x - self.last;
        self.last = x;
        if self.seen == 0 {
            self.seen = 1;
            return UNDEFINED;
        }
        let (gain, loss) = (difference.max(0.0), (-difference).max(0.0));
        let count = f64::from(bars);
        if self.seen <= bars {
            self.seen += 1;
            (self.up, self.down) = (self.up + gain, self.down + loss);
            if self.seen <= bars {
                return UNDEFINED;
            }
            (self.up, self.down) = (self.up / count, self.down / count);
        } else {
            (self.up, self.down) = (rma_step(self.up, gain, count), rma_step(self.down, loss, count));
        }
        (self.up, self.down) = (finite_or_undefined(self.up), finite_or_undefined(self.down));
        if self.down > 0.0 || self.down.is_nan() {
            finite_or_undefined(100.0 - 100.0 / (1.0 + self.up / self.down))
        } else if self.up > 0.0 {
            100.0
        } else {
            50.0
        }
    }
}

fn ema_step(y: f64, x: f64, bars: f64) -> f64 {
    y + 2.0 / (bars + 1.0) * (x - y)
}

fn rma_step(y: f64, x: f64, bars: f64) -> f64 {
    (y * (bars - 1.0) + x) / bars
}
