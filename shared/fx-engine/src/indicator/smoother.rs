//! Functions with memory of all earlier values.

use crate::BLOCK;
use crate::value::{UNDEFINED, finite_or_undefined};
use fx_strategy::Recursion;

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

    /// Every value waits for the one before it; what need not wait is done apart, in vectors.
    #[inline(always)]
    pub(crate) fn advance(&mut self, kind: Recursion, bars: u32, block: &[f64], out: &mut [f64]) {
        let undefined = block.iter().fold(false, |undefined, x| undefined | x.is_nan());
        let seeds = match kind {
            Recursion::Rsi => (bars + 1).saturating_sub(self.seen),
            Recursion::Ema | Recursion::Rma => bars.saturating_sub(self.seen),
        };
        let one_by_one = if undefined { block.len() } else { block.len().min(seeds as usize) };
        let (first, rest) = block.split_at(one_by_one);
        let (first_out, rest_out) = out.split_at_mut(one_by_one);
        for (x, out) in first.iter().zip(first_out) {
            *out = if x.is_nan() { UNDEFINED } else { self.next(kind, bars, *x) };
        }
        let count = f64::from(bars);
        match kind {
            Recursion::Rsi => self.strengths(count, rest, rest_out),
            Recursion::Ema => {
                let weight = ema_weight(count);
                self.averages(rest, rest_out, |y, x| y + weight * (x - y));
            }
            Recursion::Rma => self.averages(rest, rest_out, |y, x| rma_step(y, x, count)),
        }
    }

    /// Seeded averages of defined values.
    #[inline(always)]
    fn averages(&mut self, block: &[f64], out: &mut [f64], step: impl Fn(f64, f64) -> f64) {
        let mut average = self.up;
        for (x, out) in block.iter().zip(&mut *out) {
            average = step(average, *x);
            *out = average;
        }
        self.up = average;
        // An average that is not finite never becomes finite again: the last one tells.
        if !average.is_finite() {
            self.up = finite_or_undefined(average);
            for out in out {
                *out = finite_or_undefined(*out);
            }
        }
    }

    /// Relative strengths of defined values, averages of gains and losses seeded.
    #[inline(always)]
    fn strengths(&mut self, count: f64, block: &[f64], out: &mut [f64]) {
        let mut downs = [0.0; BLOCK];
        let downs = &mut downs[..block.len()];
        let Self { last, up, down, .. } = self;
        for ((x, up_out), down_out) in block.iter().zip(&mut *out).zip(&mut *downs) {
            let difference = x - *last;
            *last = *x;
            *up = rma_step(*up, difference.max(0.0), count);
            *down = rma_step(*down, (-difference).max(0.0), count);
            (*up_out, *down_out) = (*up, *down);
        }
        (*up, *down) = (finite_or_undefined(*up), finite_or_undefined(*down));
        for (out, down) in out.iter_mut().zip(downs) {
            *out = strength(finite_or_undefined(*out), finite_or_undefined(*down));
        }
    }

    fn next(&mut self, kind: Recursion, bars: u32, x: f64) -> f64 {
        let count = f64::from(bars);
        if kind == Recursion::Rsi {
            return self.next_strength(bars, x);
        }
        if self.seen < bars {
            self.seen += 1;
            self.up = finite_or_undefined(self.up + x);
            if self.seen < bars {
                return UNDEFINED;
            }
            self.up = finite_or_undefined(self.up / count);
        } else {
            let average = match kind {
                Recursion::Ema => self.up + ema_weight(count) * (x - self.up),
                _ => rma_step(self.up, x, count),
            };
            self.up = finite_or_undefined(average);
        }
        self.up
    }

    fn next_strength(&mut self, bars: u32, x: f64) -> f64 {
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
        strength(self.up, self.down)
    }
}

#[inline(always)]
pub(crate) fn ema_weight(bars: f64) -> f64 {
    2.0 / (bars + 1.0)
}

#[inline(always)]
pub(crate) fn rma_step(y: f64, x: f64, bars: f64) -> f64 {
    (y * (bars - 1.0) + x) / bars
}

/// The index from the averages of gains and losses.
#[inline(always)]
fn strength(up: f64, down: f64) -> f64 {
    let of_both = finite_or_undefined(100.0 - 100.0 / (1.0 + up / down));
    let without_losses = if up > 0.0 { 100.0 } else { 50.0 };
    if down > 0.0 || up.is_nan() || down.is_nan() { of_both } else { without_losses }
}
