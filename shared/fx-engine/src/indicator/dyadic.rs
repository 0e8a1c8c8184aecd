//! What is known of the last n values, from what is known of stretches of 1, 2, 4, 8 … values.
//!
//! A stretch of 2q values is made of the two of q that it consists of, and n values of the stretches that n's binary
//! digits name, the shortest being the oldest. A bar costs a step per digit whatever the length, each of them a loop
//! over the block that needs no value of its own; nothing is ever taken out of a sum, so that no error stays in it; and
//! a value is a function of the window's values alone.
//!
//! An undefined value, a NaN, is passed on by every step: it undefines exactly the windows that it is in. Before the
//! first bar there are undefined values.

use super::{CHUNK, History};
use crate::value::UNDEFINED;

/// What the second number of a stretch is, beside its mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Nothing.
    Mean,
    /// The sum of the squares of the differences from the mean.
    Spread,
    /// The sum of the values times their distances from the middle of the stretch.
    Tilt,
}

/// Means of the last n values, and their second numbers; see [`Window`](fx_strategy::Window).
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    shape: Shape,
    bars: usize,
    levels: Vec<MomentLevel>,
}

/// Stretches of one length.
#[derive(Clone, Debug)]
struct MomentLevel {
    span: usize,
    /// Stretches of this length, `span` bars late.
    whole: Delayed,
    /// What shorter stretches have come to, `span` bars late.
    rest: Delayed,
}

/// Means and second numbers of earlier bars.
#[derive(Clone, Debug)]
struct Delayed {
    mean: History<f64>,
    second: History<f64>,
}

/// The means and second numbers of one length over a chunk of bars.
struct Stretches {
    mean: [f64; CHUNK],
    second: [f64; CHUNK],
}

impl Moments {
    pub(crate) fn new(shape: Shape, bars: usize) -> Self {
        let spans = std::iter::successors(Some(1), |span| Some(2 * span)).take_while(|span| *span <= bars);
        let levels = spans.map(|span| MomentLevel {
            span,
            // The longest stretch is not doubled, and the shortest one that n names has no rest before it.
            whole: Delayed::new(if 2 * span <= bars { span } else { 0 }),
            rest: Delayed::new(if bars & span != 0 && bars & (span - 1) != 0 { span } else { 0 }),
        });
        Self { shape, bars, levels: levels.collect() }
    }

    /// Adds a chunk, and writes the means and second numbers of the windows that end at its bars.
    #[inline(always)]
    pub(crate) fn advance(&mut self, block: &[f64], means: &mut [f64], seconds: &mut [f64; CHUNK]) {
        match self.shape {
            Shape::Mean => self.advance_each(block, means, seconds, |_, _, _| 0.0),
            Shape::Spread => {
                self.advance_each(block, means, seconds, |p, q, delta| delta * delta * (p * q / (p + q)))
            }
            Shape::Tilt => self.advance_each(block, means, seconds, |p, q, delta| delta * (p * q / 2.0)),
        }
    }

    #[inline(always)]
    fn advance_each(
        &mut self,
        block: &[f64],
        means: &mut [f64],
        seconds: &mut [f64; CHUNK],
        between: impl Fn(f64, f64, f64) -> f64,
    ) {
        let bars = block.len();
        let mut whole = Stretches { mean: [0.0; CHUNK], second: [0.0; CHUNK] };
        for ((mean, second), x) in whole.mean.iter_mut().zip(&mut whole.second).zip(block) {
            (*mean, *second) = (*x, if x.is_nan() { UNDEFINED } else { 0.0 });
        }
        let mut rest_length = 0;
        for level in &mut self.levels {
            let span = level.span;
            if self.bars & span != 0 {
                let newer = (&whole.mean[..bars], &whole.second[..bars]);
                if rest_length == 0 {
                    means.copy_from_slice(newer.0);
                    seconds[..bars].copy_from_slice(newer.1);
                } else {
                    let lengths = [rest_length as f64, span as f64];
                    level.rest.join((means, &mut seconds[..bars]), newer, lengths, &between);
                }
                rest_length += span;
            }
            if 2 * span <= self.bars {
                let Stretches { mean, second } = &mut whole;
                level.whole.double((&mut mean[..bars], &mut second[..bars]), span as f64, &between);
            }
        }
    }
}

impl Delayed {
    fn new(bars: usize) -> Self {
        let history = || History::new(bars, vec![UNDEFINED; bars]);
        Self { mean: history(), second: history() }
    }

    /// Puts the older stretches, of `lengths[0]` values, in front of the newer ones, of `lengths[1]`.
    #[inline(always)]
    fn join(
        &mut self,
        (means, seconds): (&mut [f64], &mut [f64]),
        newer: (&[f64], &[f64]),
        [p, q]: [f64; 2],
        between: &impl Fn(f64, f64, f64) -> f64,
    ) {
        let older = (self.mean.late(means), self.second.late(seconds));
        let stretches = older.0.iter().zip(older.1).zip(newer.0.iter().zip(newer.1));
        for ((mean, second), (older, newer)) in means.iter_mut().zip(seconds).zip(stretches) {
            let delta = newer.0 - older.0;
            *mean = older.0 + delta * (q / (p + q));
            *second = (older.1 + newer.1) + between(p, q, delta);
        }
    }

    /// Puts the stretches of `span` bars ago in front of those of now.
    #[inline(always)]
    fn double(
        &mut self,
        (means, seconds): (&mut [f64], &mut [f64]),
        span: f64,
        between: &impl Fn(f64, f64, f64) -> f64,
    ) {
        let older = (self.mean.late(means), self.second.late(seconds));
        let stretches = means.iter_mut().zip(seconds).zip(older.0.iter().zip(older.1));
        for ((mean, second), (older_mean, older_second)) in stretches {
            let delta = *mean - older_mean;
            *mean = older_mean + delta * (span / (span + span));
            *second = (older_second + *second) + between(span, span, delta);
        }
    }
}

/// The largest or the smallest of the last n values: two stretches of the longest length that fits cover them.
#[derive(Clone, Debug)]
pub(crate) struct Extremes {
    largest: bool,
    /// Stretches of 1, 2, 4 … values, as many bars late.
    levels: Vec<History<f64>>,
    /// Stretches of the longest length, as late as the oldest one in the window.
    oldest: History<f64>,
}

impl Extremes {
    pub(crate) fn new(largest: bool, bars: usize) -> Self {
        let history = |bars| History::new(bars, vec![UNDEFINED; bars]);
        let spans = std::iter::successors(Some(1), |span| Some(2 * span)).take_while(|span| 2 * span <= bars);
        let levels: Vec<_> = spans.map(history).collect();
        let longest = 1 << levels.len();
        Self { largest, levels, oldest: history(bars - longest) }
    }

    #[inline(always)]
    pub(crate) fn advance(&mut self, block: &[f64], out: &mut [f64]) {
        if self.largest {
            self.advance_each(block, out, |older, newer| older > newer);
        } else {
            self.advance_each(block, out, |older, newer| older < newer);
        }
    }

    /// Of equal values (zeros of either sign) the newer is taken.
    #[inline(always)]
    fn advance_each(&mut self, block: &[f64], out: &mut [f64], beats: impl Fn(f64, f64) -> bool) {
        // From one buffer to the other: a choice that is written where one side of it stood would become a write of some
        // lanes only, which several processors are slow at.
        let (mut newer, mut joined) = ([0.0; CHUNK], [0.0; CHUNK]);
        let (mut newer, mut joined) = (&mut newer[..block.len()], &mut joined[..block.len()]);
        newer.copy_from_slice(block);
        for history in self.levels.iter_mut().chain([&mut self.oldest]) {
            let stretches = history.late(newer).iter().zip(&*newer);
            for (joined, (older, newer)) in joined.iter_mut().zip(stretches) {
                *joined = if beats(*older, *newer) | older.is_nan() { *older } else { *newer };
            }
            std::mem::swap(&mut newer, &mut joined);
        }
        out.copy_from_slice(newer);
    }
}
