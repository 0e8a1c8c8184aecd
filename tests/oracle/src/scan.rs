//! What depends on all of the past: averages with a weight of each bar's own, stop lines, events, trading days.
//!
//! Each is given its operands from the first bar to this one, and walks through them.

use crate::arithmetic::finite;
use crate::value::Truth;
use fx_domain::{UnixNanos, calendar::trading_day_ending_at, next_roll_after};

type History<'a> = &'a [Option<f64>];

/// `y += weight · (x − y)`. It begins at the last value of an earlier bar, or else at this bar's.
pub(crate) fn adaptive(values: History<'_>, weights: History<'_>) -> Option<f64> {
    let (mut average, mut last, mut now) = (None::<f64>, None, None);
    for (x, weight) in values.iter().zip(weights) {
        now = x.zip(*weight).and_then(|(x, weight)| {
            let before = average.or(last).unwrap_or(x);
            average = finite(before + weight * (x - before));
            average
        });
        last = x.or(last);
    }
    now
}

/// The value before while it is at most this bar's and at least `release`, else this bar's: what only falls until it is
/// released.
pub(crate) fn ratchet(values: History<'_>, releases: History<'_>) -> Option<f64> {
    let (mut held, mut now) = (None, None);
    for (x, release) in values.iter().zip(releases) {
        now = x.zip(*release).map(|(x, release)| match held {
            Some(held) if held <= x && release <= held => held,
            _ => x,
        });
        held = now.or(held);
    }
    now
}

/// Set by one condition, reset by another; false at first.
pub(crate) fn latch(sets: &[Truth], resets: &[Truth]) -> Truth {
    let (mut holds, mut now) = (false, None);
    for (set, reset) in sets.iter().zip(resets) {
        now = set.zip(*reset).map(|(set, reset)| if holds { !reset } else { set });
        holds = now.unwrap_or(holds);
    }
    now
}

/// Bars since the condition last held.
#[expect(clippy::cast_precision_loss, reason = "a count becomes the nearest number")]
pub(crate) fn bars_since(conditions: &[Truth]) -> Option<f64> {
    conditions.iter().rev().position(|condition| *condition == Some(true)).map(|bars| bars as f64)
}

/// The value at the bar where the condition held, counted backwards from 0.
pub(crate) fn value_when(conditions: &[Truth], values: History<'_>, occurrence: usize) -> Option<f64> {
    let held = conditions.iter().zip(values).rev().filter(|(condition, _)| **condition == Some(true));
    held.map(|(_, value)| *value).nth(occurrence).flatten()
}

/// A bar, and how fast the stop follows it.
#[derive(Clone, Copy)]
pub(crate) struct Followed {
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) step: f64,
    pub(crate) limit: f64,
}

/// Where a parabolic stop stands behind a bar.
struct Stop {
    rises: bool,
    level: f64,
    extreme: f64,
    factor: f64,
}

/// Wilder's parabolic stop and reverse, as the plan's `Psar` says it. Bars where something is undefined are passed over.
pub(crate) fn parabolic(bars: &[Option<Followed>]) -> Option<f64> {
    let known: Vec<Followed> = bars.iter().copied().flatten().collect();
    let ([first, second, ..], Some(Some(_))) = (known.as_slice(), bars.last()) else { return None };
    let (down, up) = (first.low - second.low, second.high - first.high);
    let rises = !(down > 0.0 && up < down);
    let (level, extreme) = if rises { (first.low, second.high) } else { (first.high, second.low) };
    let mut stop = Stop { rises, level, extreme, factor: least(second.step, second.limit) };
    let mut value = None;
    for (place, bar) in known.iter().enumerate().skip(1) {
        // The second bar has no other bar's range to stay out of.
        let before = if place == 1 { second } else { &known[place - 1] };
        value = Some(stop.meet(bar, before));
    }
    value.and_then(finite)
}

impl Stop {
    /// The value at `bar`, and where the stop stands behind it.
    fn meet(&mut self, bar: &Followed, before: &Followed) -> f64 {
        let (highest, lowest) = (most(before.high, bar.high), least(before.low, bar.low));
        let step = least(bar.step, bar.limit);
        let is_met = if self.rises { bar.low <= self.level } else { bar.high >= self.level };
        let reaches_further = if self.rises { bar.high > self.extreme } else { bar.low < self.extreme };
        let mut value = self.level;
        if is_met {
            value = if self.rises { most(self.extreme, highest) } else { least(self.extreme, lowest) };
            self.extreme = if self.rises { bar.low } else { bar.high };
            (self.factor, self.rises) = (step, !self.rises);
        } else if reaches_further {
            self.extreme = if self.rises { bar.high } else { bar.low };
            self.factor = least(self.factor + step, bar.limit);
        }
        let next = value + self.factor * (self.extreme - value);
        self.level = if self.rises { least(next, lowest) } else { most(next, highest) };
        value
    }
}

fn least(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

fn most(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}

/// When the trading day of a bar ends: 17:00 New York; what opens on a weekend belongs to the Monday.
pub(crate) fn end_of_day(time: UnixNanos) -> UnixNanos {
    next_roll_after(time)
}

/// When its trading week ends: with the Friday.
pub(crate) fn end_of_week(time: UnixNanos) -> UnixNanos {
    const FRIDAY: i8 = 4;
    let mut end = next_roll_after(time);
    while trading_day_ending_at(end).is_some_and(|day| day.weekday().to_monday_zero_offset() != FRIDAY) {
        end = next_roll_after(end);
    }
    end
}

/// What the values of the last completed session come to under `pick`. The one in which the data begins is never it.
pub(crate) fn of_last_session(
    ends: &[UnixNanos],
    values: History<'_>,
    pick: fn(f64, f64) -> f64,
) -> Option<f64> {
    let current = *ends.last()?;
    let completed = *ends.iter().rev().find(|end| **end != current)?;
    if ends.first() == Some(&completed) {
        return None;
    }
    let of_it = ends.iter().zip(values).filter(|(end, _)| **end == completed);
    of_it.filter_map(|(_, value)| *value).reduce(pick)
}

/// The sum of the current session's values so far, from oldest to newest; undefined at bars where the value is.
pub(crate) fn sum_of_session(ends: &[UnixNanos], values: History<'_>) -> Option<f64> {
    let current = ends.last()?;
    (*values.last()?)?;
    let of_it = ends.iter().zip(values).filter(|(end, _)| *end == current);
    of_it.filter_map(|(_, value)| *value).reduce(|sum, x| sum + x).and_then(finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_has_not_been_is_undefined() {
        assert_eq!(bars_since(&[Some(false), None]), None);
        assert_eq!(bars_since(&[Some(true), None, Some(false)]), Some(2.0));
        assert_eq!(value_when(&[Some(true), Some(true)], &[Some(4.0), None], 0), None);
        assert_eq!(value_when(&[Some(true), Some(true)], &[Some(4.0), None], 1), Some(4.0));
    }

    #[test]
    fn a_latch_stays_as_it_was_where_it_is_undefined() {
        let sets = [Some(true), None, Some(false)];
        assert_eq!(latch(&sets[..2], &[Some(false); 2]), None);
        assert_eq!(latch(&sets, &[Some(false); 3]), Some(true));
    }
}
