//! What has just happened, and what was when it did.

use super::{Called, computed, either_of, tuple};
use crate::Interpreter;
use crate::arithmetic::{compare, connect};
use crate::scan::{bars_since, value_when};
use crate::series::{highest, lowest, values};
use crate::statement::Frame;
use crate::value::{Condition, Number, Steps, Value};
use anyhow::{Context, Result};
use ruff_python_ast::CmpOp;

impl Interpreter<'_> {
    /// a is on one side of b, and one bar ago it was not.
    pub(super) fn crosses(&mut self, frame: &Frame, called: Called<'_>) -> Result<Condition> {
        let [a, b] = self.arguments(called.call, ["a", "b"])?;
        let (a, b) = (self.operand(frame, a)?, self.operand(frame, b)?);
        let is_above = called.name == "crosses_above";
        let (now, before) = if is_above { (CmpOp::Gt, CmpOp::LtE) } else { (CmpOp::Lt, CmpOp::GtE) };
        let crossed = compare(now, a, b)?;
        let a_before = self.number_ago(called.at, "a", a, 1);
        let b_before = self.number_ago(called.at, "b", b, 1);
        Ok(connect(true, crossed, compare(before, a_before, b_before)?))
    }

    /// x is beyond each of its n values before this bar.
    pub(super) fn beyond(&mut self, frame: &Frame, called: Called<'_>) -> Result<Condition> {
        let [x, n] = self.arguments(called.call, ["x", "n"])?;
        let (x, bars) = (self.operand(frame, x)?, self.bars_or(frame, n, 1)?);
        let before = self.number_ago(called.at, "before", x, 1);
        if called.name == "rising" {
            compare(CmpOp::Gt, x, self.window(called.at, "highest", before, bars, highest))
        } else {
            compare(CmpOp::Lt, x, self.window(called.at, "lowest", before, bars, lowest))
        }
    }

    pub(super) fn bars_since(&mut self, frame: &Frame, called: Called<'_>) -> Result<Number> {
        let [condition] = self.arguments(called.call, ["condition"])?;
        let condition = self.condition(frame, condition.context("of which condition")?)?;
        let now = bars_since(self.memory.conditions(called.at, "condition", condition.now));
        Ok(Number::computed(now, Steps::of("barssince", &[condition.steps])))
    }

    pub(super) fn value_when(&mut self, frame: &Frame, called: Called<'_>) -> Result<Number> {
        let [condition, x, occurrence] = self.arguments(called.call, ["condition", "x", "occurrence"])?;
        let condition = self.condition(frame, condition.context("of which condition")?)?;
        let (x, occurrence) = (self.operand(frame, x)?, self.bars_or(frame, occurrence, 0)?);
        let xs = values(self.memory.numbers(called.at, "x", x));
        let now = value_when(self.memory.conditions(called.at, "condition", condition.now), &xs, occurrence);
        let steps = Steps::of(&format!("valuewhen {occurrence}"), &[condition.steps, x.steps]);
        Ok(Number::computed(now, steps))
    }

    /// The high of n bars ago where it is above the n highs on each side of it, and the low likewise.
    pub(super) fn fractals(&mut self, frame: &Frame, called: Called<'_>) -> Result<Value> {
        let [n] = self.arguments(called.call, ["n"])?;
        let (bars, at) = (self.bars_or(frame, n, 2)?, called.at);
        let (high, low) = (self.price("high")?, self.price("low")?);
        let swing_high = {
            let middle = self.number_ago(at, "high", high, bars);
            let newer = self.window(at, "newer highs", high, bars, highest);
            let older = self.number_ago(at, "older highs", newer, bars + 1);
            swing(CmpOp::Gt, middle, [newer, older])?
        };
        let middle = self.number_ago(at, "low", low, bars);
        let newer = self.window(at, "newer lows", low, bars, lowest);
        let older = self.number_ago(at, "older lows", newer, bars + 1);
        Ok(tuple([swing_high, swing(CmpOp::Lt, middle, [newer, older])?]))
    }
}

/// `middle` where it is beyond both others, undefined elsewhere.
fn swing(op: CmpOp, middle: Number, [newer, older]: [Number; 2]) -> Result<Number> {
    let is_beyond = connect(true, compare(op, middle, newer)?, compare(op, middle, older)?);
    Ok(either_of(is_beyond, middle, computed("undefined", middle, 0, None)))
}
