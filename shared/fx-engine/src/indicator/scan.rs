//! Functions of what they were before and of two operands; see [`Scan`](fx_strategy::Scan).

use crate::value::{FALSE, TRUE, Tri, UNDEFINED, UNKNOWN, finite_or_undefined};
use serde::{Deserialize, Serialize};

/// What such a function remembers, undefined where it remembers nothing yet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scanner {
    /// Its own last defined value; of a latch 1 while it holds.
    value: f64,
    /// The last defined first operand.
    last: f64,
}

impl Scanner {
    pub(crate) const fn new() -> Self {
        Self { value: UNDEFINED, last: UNDEFINED }
    }

    /// The same with no number that is not finite.
    pub(crate) fn canonical(self) -> Self {
        Self { value: finite_or_undefined(self.value), last: finite_or_undefined(self.last) }
    }

    /// An average of `block` with a weight of each bar's own.
    #[inline(always)]
    pub(crate) fn adapt(&mut self, block: &[f64], weights: &[f64], out: &mut [f64]) {
        for ((x, weight), out) in block.iter().zip(weights).zip(out) {
            *out = if x.is_nan() | weight.is_nan() {
                UNDEFINED
            } else {
                let before = if self.value.is_nan() { self.last } else { self.value };
                let before = if before.is_nan() { *x } else { before };
                self.value = finite_or_undefined(before + weight * (x - before));
                self.value
            };
            self.last = if x.is_nan() { self.last } else { *x };
        }
    }

    /// What only falls, until it is released.
    #[inline(always)]
    pub(crate) fn ratchet(&mut self, block: &[f64], releases: &[f64], out: &mut [f64]) {
        for ((x, release), out) in block.iter().zip(releases).zip(out) {
            *out = if x.is_nan() | release.is_nan() {
                UNDEFINED
            } else {
                let held = self.value <= *x && *release <= self.value;
                self.value = if held { self.value } else { *x };
                self.value
            };
        }
    }

    /// What is set by one condition and reset by another.
    #[inline(always)]
    pub(crate) fn latch(&mut self, sets: &[Tri], resets: &[Tri], out: &mut [Tri]) {
        let mut held = self.value > 0.0;
        for ((set, reset), out) in sets.iter().zip(resets).zip(out) {
            *out = if (*set == UNKNOWN) | (*reset == UNKNOWN) {
                UNKNOWN
            } else {
                held = if held { *reset == FALSE } else { *set == TRUE };
                Tri::from(held)
            };
        }
        self.value = f64::from(u8::from(held));
    }

    /// Bars since the condition held.
    #[inline(always)]
    pub(crate) fn since(&mut self, condition: &[Tri], out: &mut [f64]) {
        for (condition, out) in condition.iter().zip(out) {
            // Undefined and one more is undefined.
            self.value = if *condition == TRUE { 0.0 } else { finite_or_undefined(self.value + 1.0) };
            *out = self.value;
        }
    }
}
