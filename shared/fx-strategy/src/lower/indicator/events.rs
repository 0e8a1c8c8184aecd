//! What has just happened, and what was when it did.

use super::tuple;
use crate::builtins::Function;
use crate::limits::LOOK_BACK_MAX;
use crate::lower::decision::Given;
use crate::lower::{Frame, Lowered, Lowering};
use crate::plan::{Binary, Node, NodeId, PriceField, Scan, Window};
use crate::value::Value;
use ruff_text_size::Ranged;

/// Bars on each side of a fractal where none are given (Williams).
const FRACTAL_BARS: u32 = 2;

impl<'a> Lowering<'a, '_> {
    pub(super) fn crosses(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        let a = self.operand(frame, given, "a")?;
        let b = self.operand(frame, given, "b")?;
        let [a, b] = self.builder.together(a, b);
        let above = given.row.function == Function::CrossesAbove;
        let (now, before) = if above { (Binary::Gt, Binary::Le) } else { (Binary::Lt, Binary::Ge) };
        let crossed = self.builder.binary(now, a, b);
        let (a, b) = (self.builder.lag(a, 1), self.builder.lag(b, 1));
        let was_not = self.builder.binary(before, a, b);
        Ok(Value::Condition(self.builder.and(crossed, was_not)))
    }

    /// `rising` and `falling`: beyond the extreme of the n values before.
    pub(super) fn runs(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        let x = self.market(frame, given, "x")?;
        let bars = self.period_or(frame, given, "n", 1)?;
        let before = self.builder.lag(x, 1);
        let rising = given.row.function == Function::Rising;
        let (kind, op) = if rising { (Window::Highest, Binary::Gt) } else { (Window::Lowest, Binary::Lt) };
        let extreme = self.window(kind, before, bars);
        Ok(Value::Condition(self.builder.binary(op, x, extreme)))
    }

    pub(super) fn bars_since(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<NodeId> {
        let condition = self.market_condition(frame, given, "condition")?;
        let (a, b) = (condition, condition);
        Ok(self.builder.intern(Node::Scan { kind: Scan::BarsSince, a, b, bars: 1 }))
    }

    pub(super) fn value_when(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<NodeId> {
        let a = self.market_condition(frame, given, "condition")?;
        let b = self.market(frame, given, "x")?;
        let bars = match given.get("occurrence") {
            Some(at) => {
                let occurrence =
                    self.whole_number(frame, at, "an occurrence is a constant: 0 is the last")?;
                let bars = occurrence.checked_add(1).and_then(|bars| u32::try_from(bars).ok());
                bars.filter(|bars| (1..=LOOK_BACK_MAX).contains(bars)).ok_or_else(|| {
                    let last = LOOK_BACK_MAX - 1;
                    let message = format!("an occurrence is from 0 to {last}, this is {occurrence}");
                    self.report.error(at.range(), "limit", message)
                })?
            }
            None => 1,
        };
        Ok(self.builder.intern(Node::Scan { kind: Scan::ValueWhen, a, b, bars }))
    }

    /// The high of n bars ago where it is above the n highs on each side of it, and the low likewise (Williams 1995).
    pub(super) fn fractals(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        let bars = self.period_or(frame, given, "n", FRACTAL_BARS)?;
        if bars > LOOK_BACK_MAX / 2 {
            let place = given.get("n").map_or(given.range, Ranged::range);
            let message = format!("a fractal has at most {} bars on each side", LOOK_BACK_MAX / 2);
            return Err(self.report.error(place, "limit", message));
        }
        let sides =
            [(PriceField::High, Window::Highest, Binary::Gt), (PriceField::Low, Window::Lowest, Binary::Lt)];
        Ok(tuple(sides.map(|(field, kind, op)| {
            let x = self.price(field);
            let middle = self.builder.lag(x, bars);
            let newer = self.window(kind, x, bars);
            let older = self.builder.lag(newer, bars + 1);
            let [beyond_newer, beyond_older] =
                [newer, older].map(|extreme| self.builder.binary(op, middle, extreme));
            let is_fractal = self.builder.and(beyond_newer, beyond_older);
            let zero = self.builder.number(0.0);
            let undefined = self.divide(zero, zero);
            self.builder.select(is_fractal, middle, undefined)
        })))
    }
}
