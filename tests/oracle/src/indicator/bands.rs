//! Bands, channels and stop lines.

use super::{Called, add, divide, either_of, multiply, subtract, tuple};
use crate::Interpreter;
use crate::arithmetic::{compare, negative};
use crate::memory::Place;
use crate::scan::{Followed, latch, parabolic, ratchet};
use crate::series::{highest, lowest, values};
use crate::statement::Frame;
use crate::value::{Condition, Number, Steps, Value};
use anyhow::Result;
use ruff_python_ast::CmpOp;

impl Interpreter<'_> {
    /// The mean and k deviations to both sides.
    pub(super) fn bollinger(&mut self, frame: &Frame, called: Called<'_>) -> Result<Value> {
        let [x, n, k] = self.arguments(called.call, ["x", "n", "k"])?;
        let (x, bars) = (self.operand(frame, x)?, self.bars(frame, n)?);
        let k = self.operand_or(frame, k, 2.0)?;
        let middle = self.mean(called.at, "mean", x, bars);
        around(middle, k, self.deviation(called.at, "spread", x, bars))
    }

    /// The exponential average of the close and k average true ranges to both sides.
    pub(super) fn keltner(&mut self, frame: &Frame, called: Called<'_>) -> Result<Value> {
        let [n, k, atr_n] = self.arguments(called.call, ["n", "k", "atr_n"])?;
        let (bars, k) = (self.bars(frame, n)?, self.operand_or(frame, k, 2.0)?);
        let range_bars = self.bars_or(frame, atr_n, 10)?;
        let close = self.price("close")?;
        let middle = self.exponential(called.at, "close", close, bars);
        around(middle, k, self.average_true_range(called.at, range_bars)?)
    }

    pub(super) fn donchian(&mut self, frame: &Frame, called: Called<'_>) -> Result<Value> {
        let [n] = self.arguments(called.call, ["n"])?;
        let bars = self.bars(frame, n)?;
        self.channel(called.at, ["high", "low"], bars).map(tuple)
    }

    /// The highest high, the mean of both, the lowest low.
    fn channel(&mut self, at: Place, parts: [&'static str; 2], bars: usize) -> Result<[Number; 3]> {
        let (high, low) = (self.price("high")?, self.price("low")?);
        let upper = self.window(at, parts[0], high, bars, highest);
        let lower = self.window(at, parts[1], low, bars, lowest);
        Ok([upper, half_sum(upper, lower)?, lower])
    }

    /// `atr`, and `natr`: 100 · atr ÷ close.
    pub(super) fn ranges(&mut self, frame: &Frame, called: Called<'_>) -> Result<Number> {
        let [n] = self.arguments(called.call, ["n"])?;
        let bars = self.bars(frame, n)?;
        let range = self.average_true_range(called.at, bars)?;
        if called.name == "atr" {
            return Ok(range);
        }
        multiply(Number::constant(100.0), divide(range, self.price("close")?)?)
    }

    /// Bands k average true ranges around the bar's middle. The upper one only falls until the close before is above it,
    /// the lower one is the upper one of prices turned upside down. The trend turns up where the close is above the
    /// upper band, down where it is below the lower one; the line is the band behind it.
    pub(super) fn supertrend(&mut self, frame: &Frame, called: Called<'_>) -> Result<Value> {
        let [n, k] = self.arguments(called.call, ["n", "k"])?;
        let (bars, k, at) = (self.bars_or(frame, n, 10)?, self.operand_or(frame, k, 3.0)?, called.at);
        let (high, low, close) = (self.price("high")?, self.price("low")?, self.price("close")?);
        let before = self.number_ago(at, "close before", close, 1);
        let middle = half_sum(high, low)?;
        let away = multiply(k, self.average_true_range(at, bars)?)?;
        let upper = self.ratchet(at, ["upper", "upper release"], [add(middle, away)?, before]);
        let below = negative(subtract(middle, away)?);
        let lower = negative(self.ratchet(at, ["lower", "lower release"], [below, negative(before)]));
        let turns_up = compare(CmpOp::Gt, close, upper)?;
        let turns_down = compare(CmpOp::Lt, close, lower)?;
        let sets = self.memory.conditions(at, "up", turns_up.now).to_vec();
        let resets = self.memory.conditions(at, "down", turns_down.now);
        let rises = latch(&sets, resets);
        let rises = Condition::computed(rises, Steps::of("latch", &[turns_up.steps, turns_down.steps]));
        let line = either_of(rises, lower, upper);
        let direction = either_of(rises, Number::constant(1.0), Number::constant(-1.0));
        Ok(tuple([line, direction]))
    }

    fn ratchet(&mut self, at: Place, parts: [&'static str; 2], [x, release]: [Number; 2]) -> Number {
        let xs = values(self.memory.numbers(at, parts[0], x));
        let releases = values(self.memory.numbers(at, parts[1], release));
        Number::computed(ratchet(&xs, &releases), Steps::of("ratchet", &[x.steps, release.steps]))
    }

    /// Wilder's parabolic stop and reverse.
    pub(super) fn psar(&mut self, frame: &Frame, called: Called<'_>) -> Result<Number> {
        let [step, limit] = self.arguments(called.call, ["step", "limit"])?;
        let (step, limit) = (self.operand_or(frame, step, 0.02)?, self.operand_or(frame, limit, 0.2)?);
        let (high, low) = (self.price("high")?, self.price("low")?);
        let operands = [("high", high), ("low", low), ("step", step), ("limit", limit)];
        let [high_history, low_history, steps, limits] =
            operands.map(|(part, x)| values(self.memory.numbers(called.at, part, x)));
        let followed = |bar: usize| {
            let (high, low) = (high_history[bar]?, low_history[bar]?);
            Some(Followed { high, low, step: steps[bar]?, limit: limits[bar]? })
        };
        let bars: Vec<_> = (0..high_history.len()).map(followed).collect();
        Ok(Number::computed(parabolic(&bars), Steps::of("psar", &operands.map(|(_, x)| x.steps))))
    }

    /// Middles of three channels; the spans are those of `shift` bars ago.
    pub(super) fn ichimoku(&mut self, frame: &Frame, called: Called<'_>) -> Result<Value> {
        let given = self.arguments(called.call, ["tenkan", "kijun", "senkou", "shift"])?;
        let mut periods = [9, 26, 52, 26];
        for (period, given) in periods.iter_mut().zip(given) {
            *period = self.bars_or(frame, given, *period)?;
        }
        let ([tenkan, kijun, senkou, shift], at) = (periods, called.at);
        let [_, conversion, _] = self.channel(at, ["tenkan high", "tenkan low"], tenkan)?;
        let [_, base, _] = self.channel(at, ["kijun high", "kijun low"], kijun)?;
        let [_, wide, _] = self.channel(at, ["senkou high", "senkou low"], senkou)?;
        let middle = half_sum(conversion, base)?;
        let span_a = self.number_ago(at, "span a", middle, shift);
        let span_b = self.number_ago(at, "span b", wide, shift);
        Ok(tuple([conversion, base, span_a, span_b]))
    }
}

/// (a + b) ÷ 2.
fn half_sum(a: Number, b: Number) -> Result<Number> {
    divide(add(a, b)?, Number::constant(2.0))
}

/// middle + k · width, middle, middle − k · width.
fn around(middle: Number, k: Number, width: Number) -> Result<Value> {
    let width = multiply(k, width)?;
    Ok(tuple([add(middle, width)?, middle, subtract(middle, width)?]))
}
