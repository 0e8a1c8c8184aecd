//! Wilder's parabolic stop and reverse; see [`Node::Psar`](fx_strategy::Node::Psar).

use crate::value::{UNDEFINED, finite_or_undefined};
use serde::{Deserialize, Serialize};

/// What it remembers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Psar {
    /// Bars seen, up to two.
    pub(crate) seen: u8,
    rises: bool,
    /// The stop of the next bar.
    stop: f64,
    /// The furthest price since the way turned.
    extreme: f64,
    factor: f64,
    /// Of the bar before.
    high: f64,
    low: f64,
}

/// A bar, and how fast the stop follows.
#[derive(Clone, Copy)]
pub(crate) struct PsarInput {
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) step: f64,
    pub(crate) limit: f64,
}

impl Psar {
    pub(crate) const fn new() -> Self {
        Self { seen: 0, rises: true, stop: 0.0, extreme: 0.0, factor: 0.0, high: 0.0, low: 0.0 }
    }

    /// The same with no number that is not finite.
    pub(crate) fn canonical(self) -> Self {
        Self {
            stop: finite_or_undefined(self.stop),
            extreme: finite_or_undefined(self.extreme),
            factor: finite_or_undefined(self.factor),
            high: finite_or_undefined(self.high),
            low: finite_or_undefined(self.low),
            ..self
        }
    }

    /// The value at the next bar.
    #[inline]
    pub(crate) fn next(&mut self, bar: PsarInput) -> f64 {
        let PsarInput { high, low, step, limit } = bar;
        if high.is_nan() || low.is_nan() || step.is_nan() || limit.is_nan() {
            return UNDEFINED;
        }
        let step = smaller(step, limit);
        // The second bar has no other bar's range to stay out of.
        let (mut before_high, mut before_low) = (self.high, self.low);
        (self.high, self.low) = (high, low);
        if self.seen < 2 {
            self.seen += 1;
            if self.seen < 2 {
                return UNDEFINED;
            }
            self.begin((before_high, before_low), bar);
            self.factor = step;
            (before_high, before_low) = (high, low);
        }
        let (highest, lowest) = (larger(before_high, high), smaller(before_low, low));
        let turns = if self.rises { low <= self.stop } else { high >= self.stop };
        let value = if turns {
            let stop = if self.rises { larger(self.extreme, highest) } else { smaller(self.extreme, lowest) };
            self.extreme = if self.rises { low } else { high };
            self.factor = step;
            self.rises = !self.rises;
            stop
        } else {
            let goes_on = if self.rises { high > self.extreme } else { low < self.extreme };
            if goes_on {
                self.extreme = if self.rises { high } else { low };
                self.factor = smaller(self.factor + step, limit);
            }
            self.stop
        };
        let next = value + self.factor * (self.extreme - value);
        self.stop = if self.rises { smaller(next, lowest) } else { larger(next, highest) };
        (self.stop, self.factor) = (finite_or_undefined(self.stop), finite_or_undefined(self.factor));
        // A zero has no sign here, whichever way it was reached from.
        finite_or_undefined(value + 0.0)
    }

    /// The way in which the second bar goes.
    fn begin(&mut self, (first_high, first_low): (f64, f64), second: PsarInput) {
        let (down, up) = (first_low - second.low, second.high - first_high);
        self.rises = !(down > 0.0 && up < down);
        (self.stop, self.extreme) =
            if self.rises { (first_low, second.high) } else { (first_high, second.low) };
    }
}

fn smaller(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

fn larger(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}
