//! Indicators of pace and direction.

use super::{Called, add, divide, either_of, multiply, subtract, tuple};
use crate::Interpreter;
use crate::arithmetic::{absolute, compare, connect};
use crate::memory::Place;
use crate::series::{highest, lowest, mean_deviation};
use crate::statement::Frame;
use crate::value::{Number, Steps, Value};
use anyhow::Result;
use ruff_python_ast::CmpOp;

/// Lambert's constant.
const CCI_SCALE: f64 = 0.015;

impl Interpreter<'_> {
    /// 100 · (close − lowest) ÷ (highest − lowest), smoothed, and its mean.
    pub(super) fn stochastic(&mut self, frame: &Frame, called: Called<'_>) -> Result<Value> {
        let [n, smooth, d] = self.arguments(called.call, ["n", "smooth", "d"])?;
        let (bars, at) = (self.bars(frame, n)?, called.at);
        let (smooth, d) = (self.bars_or(frame, smooth, 3)?, self.bars_or(frame, d, 3)?);
        let (high, low, close) = (self.price("high")?, self.price("low")?, self.price("close")?);
        let upper = self.window(at, "highest", high, bars, highest);
        let lower = self.window(at, "lowest", low, bars, lowest);
        let raw = percent_of(subtract(close, lower)?, subtract(upper, lower)?)?;
        let k = self.mean(at, "k", raw, smooth);
        let d = self.mean(at, "d", k, d);
        Ok(tuple([k, d]))
    }

    /// (price − its mean) ÷ (0.015 · its mean deviation) of high + low + close; 0 of a flat price.
    pub(super) fn cci(&mut self, frame: &Frame, called: Called<'_>) -> Result<Number> {
        let [n] = self.arguments(called.call, ["n"])?;
        let (bars, price) = (self.bars(frame, n)?, self.typical_sum()?);
        let mean = self.mean(called.at, "mean", price, bars);
        let deviation = self.window(called.at, "deviation", price, bars, mean_deviation);
        let index = divide(subtract(price, mean)?, multiply(Number::constant(CCI_SCALE), deviation)?)?;
        where_positive(deviation, index)
    }

    /// `plus_di`, `minus_di`, `adx`, and all three.
    pub(super) fn directions(&mut self, frame: &Frame, called: Called<'_>) -> Result<Value> {
        let [n] = self.arguments(called.call, ["n"])?;
        let (bars, at) = (self.bars(frame, n)?, called.at);
        let (high, low) = (self.price("high")?, self.price("low")?);
        let up = self.change(at, "high", high, 1)?;
        let down = subtract(self.number_ago(at, "low", low, 1), low)?;
        let range = self.true_range(at)?;
        let range = self.wilder_sum(at, "range", range, bars);
        let mut indicator = |parts: [&'static str; 2], movement: Number, opposite: Number| {
            let zero = Number::constant(0.0);
            let is_wider = compare(CmpOp::Gt, movement, opposite)?;
            let counts = connect(true, is_wider, compare(CmpOp::Gt, movement, zero)?);
            let average = self.wilder_sum(at, parts[0], either_of(counts, movement, zero), bars);
            self.withheld(at, parts[1], [percent_of(average, range)?, low], bars)
        };
        let plus = indicator(["up", "plus"], up, down)?;
        let minus = indicator(["down", "minus"], down, up)?;
        let index = percent_of(absolute(subtract(plus, minus)?), add(plus, minus)?)?;
        let strength = self.wilder(at, "index", index, bars);
        Ok(match called.name {
            "plus_di" => Value::Number(plus),
            "minus_di" => Value::Number(minus),
            "adx" => Value::Number(strength),
            _ => tuple([plus, minus, strength]),
        })
    }

    /// Wilder's average of x, which counts as 0 where it is undefined.
    fn wilder_sum(&mut self, at: Place, part: &'static str, x: Number, bars: usize) -> Number {
        let counted = Number::computed(Some(x.now.unwrap_or(0.0)), Steps::of("or 0", &[x.steps]));
        self.wilder(at, part, counted, bars)
    }
}

/// 100 · part ÷ whole, 0 where the whole is 0.
fn percent_of(part: Number, whole: Number) -> Result<Number> {
    where_positive(whole, multiply(Number::constant(100.0), divide(part, whole)?)?)
}

/// x where `test` is above zero, else 0.
fn where_positive(test: Number, x: Number) -> Result<Number> {
    let zero = Number::constant(0.0);
    Ok(either_of(compare(CmpOp::Gt, test, zero)?, x, zero))
}
