//! Levels of the last trading day or week.

use crate::lower::decision::Given;
use crate::lower::{Frame, Lowered, Lowering};
use crate::plan::{Node, NodeId, Period, PriceField, Session};
use crate::value::Value;
use ruff_text_size::Ranged;

/// Fibonacci's ratios of the range, nearest first.
const FIBONACCI: [f64; 3] = [0.382, 0.618, 1.0];
/// Divisors of 1.1 · the range, nearest first (Camarilla, after Nick Scott).
const CAMARILLA: [f64; 4] = [12.0, 6.0, 4.0, 2.0];
const CAMARILLA_RANGE: f64 = 1.1;

/// The last completed session.
#[derive(Clone, Copy)]
struct Before {
    high: NodeId,
    low: NodeId,
    close: NodeId,
    range: NodeId,
    /// (high + low + close) ÷ 3.
    pivot: NodeId,
}

impl<'a> Lowering<'a, '_> {
    /// The pivot, the resistances and the supports, nearest first.
    pub(super) fn pivots(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        let period = self.choice(frame, given, "period", &["day", "week"])?;
        let kind = self.choice(frame, given, "kind", &["classic", "fibonacci", "camarilla"])?;
        let before = self.session_before(if period == 0 { Period::Day } else { Period::Week });
        let (resistances, supports) = match kind {
            0 => self.classic(before),
            1 => {
                let steps = FIBONACCI.map(|ratio| self.scaled(ratio, before.range));
                self.ladder(before.pivot, &steps)
            }
            _ => {
                let range = self.scaled(CAMARILLA_RANGE, before.range);
                let steps = CAMARILLA.map(|divisor| {
                    let divisor = self.builder.number(divisor);
                    self.divide(range, divisor)
                });
                self.ladder(before.close, &steps)
            }
        };
        let levels = std::iter::once(before.pivot).chain(resistances).chain(supports);
        Ok(Value::Tuple(levels.map(Value::Number).collect::<Vec<_>>().into()))
    }

    fn session_before(&mut self, period: Period) -> Before {
        let mut last = |kind, field| {
            let x = self.price(field);
            self.builder.intern(Node::Session { kind, x, period })
        };
        let high = last(Session::Highest, PriceField::High);
        let low = last(Session::Lowest, PriceField::Low);
        let close = last(Session::Last, PriceField::Close);
        let range = self.subtract(high, low);
        let sum = self.add(high, low);
        let sum = self.add(sum, close);
        let three = self.builder.number(3.0);
        Before { high, low, close, range, pivot: self.divide(sum, three) }
    }

    /// 2p − low, p + range, high + 2(p − low), and their mirror images.
    fn classic(&mut self, before: Before) -> (Vec<NodeId>, Vec<NodeId>) {
        let Before { high, low, range, pivot, .. } = before;
        let twice = self.scaled(2.0, pivot);
        let (first_up, first_down) = (self.subtract(twice, low), self.subtract(twice, high));
        let (second_up, second_down) = (self.add(pivot, range), self.subtract(pivot, range));
        let (above, below) = (self.subtract(pivot, low), self.subtract(high, pivot));
        let [above, below] = [above, below].map(|x| self.scaled(2.0, x));
        let (third_up, third_down) = (self.add(high, above), self.subtract(low, below));
        (vec![first_up, second_up, third_up], vec![first_down, second_down, third_down])
    }

    /// `steps` above and below `from`.
    fn ladder(&mut self, from: NodeId, steps: &[NodeId]) -> (Vec<NodeId>, Vec<NodeId>) {
        let above = steps.iter().map(|step| self.add(from, *step)).collect();
        let below = steps.iter().map(|step| self.subtract(from, *step)).collect();
        (above, below)
    }

    /// Which of `choices` the text `name` is; the first one where it is not given.
    fn choice(
        &mut self,
        frame: &Frame<'a>,
        given: &Given<'_, 'a>,
        name: &str,
        choices: &[&str],
    ) -> Lowered<usize> {
        let listed = choices.iter().map(|choice| format!("`\"{choice}\"`")).collect::<Vec<_>>().join(", ");
        let hint = format!("it is one of {listed}");
        let Some((text, range)) = self.text(frame, given, name, &hint)? else { return Ok(0) };
        choices.iter().position(|choice| *choice == text).ok_or_else(|| {
            let place = given.get(name).map_or(range, Ranged::range);
            let message = format!("`{name}` has no value `\"{text}\"`");
            self.report.error_with_hint(place, "argument", message, hint)
        })
    }
}
