//! Averages and lines through prices.

use super::{Called, add, divide, either_of, multiply, subtract, tuple};
use crate::Interpreter;
use crate::arithmetic::{absolute, compare};
use crate::memory::Place;
use crate::scan::{adaptive, sum_of_session};
use crate::series::{slope, values};
use crate::statement::Frame;
use crate::value::{Number, Steps, Value};
use anyhow::{Result, ensure};
use ruff_python_ast::CmpOp;

/// Weights of `kama` where the price goes straight, and where it goes nowhere.
const KAMA_WEIGHTS: [f64; 2] = [2.0 / 3.0, 2.0 / 31.0];

impl Interpreter<'_> {
    /// 2·e − ema(e).
    pub(super) fn double(&mut self, at: Place, x: Number, bars: usize) -> Result<Number> {
        let once = self.exponential(at, "once", x, bars);
        let twice = self.exponential(at, "twice", once, bars);
        subtract(multiply(Number::constant(2.0), once)?, twice)
    }

    /// (3·e − 3·ema(e)) + ema(ema(e)).
    pub(super) fn triple(&mut self, at: Place, x: Number, bars: usize) -> Result<Number> {
        let three = Number::constant(3.0);
        let once = self.exponential(at, "once", x, bars);
        let twice = self.exponential(at, "twice", once, bars);
        let thrice = self.exponential(at, "thrice", twice, bars);
        add(subtract(multiply(three, once)?, multiply(three, twice)?)?, thrice)
    }

    /// An average whose weight is (efficiency · (fast − slow) + slow)², the efficiency the change over the bars ÷ the sum
    /// of their steps, and 1 where the steps are no more than the change.
    #[expect(clippy::cast_precision_loss, reason = "a number of bars is small")]
    pub(super) fn adaptive(&mut self, at: Place, x: Number, bars: usize) -> Result<Number> {
        let change = absolute(self.change(at, "change", x, bars)?);
        let step = absolute(self.change(at, "step", x, 1)?);
        let path = multiply(Number::constant(bars as f64), self.mean(at, "path", step, bars))?;
        let straight = compare(CmpOp::LtE, path, change)?;
        let efficiency = either_of(straight, Number::constant(1.0), divide(change, path)?);
        let [fast, slow] = KAMA_WEIGHTS;
        let weight = multiply(Number::constant(fast - slow), efficiency)?;
        let weight = add(weight, Number::constant(slow))?;
        let weight = multiply(weight, weight)?;
        let xs = values(self.memory.numbers(at, "adaptive", x));
        let weights = values(self.memory.numbers(at, "weight", weight));
        Ok(Number::computed(adaptive(&xs, &weights), Steps::of("adaptive", &[x.steps, weight.steps])))
    }

    /// The least squares line: its slope, or its last point. It passes through the mean at the middle of the window.
    #[expect(clippy::cast_precision_loss, reason = "a number of bars is small")]
    pub(super) fn line(&mut self, called: Called<'_>, x: Number, bars: usize) -> Result<Number> {
        ensure!(bars > 1, "a line needs two bars");
        let slope = self.window(called.at, "slope", x, bars, slope);
        if called.name == "linreg_slope" {
            return Ok(slope);
        }
        let mean = self.mean(called.at, "mean", x, bars);
        add(mean, multiply(Number::constant((bars - 1) as f64 / 2.0), slope)?)
    }

    /// Σ typical price · volume ÷ Σ volume, of the last bars or of the trading day so far.
    pub(super) fn vwap(&mut self, frame: &Frame, called: Called<'_>) -> Result<Number> {
        let [n] = self.arguments(called.call, ["n"])?;
        let price = divide(self.typical_sum()?, Number::constant(3.0))?;
        let volume = self.now.market.volume(self.now.bar);
        let volume = Number::computed(Some(volume), Steps::of("Data volume", &[]));
        let weighted = multiply(price, volume)?;
        if n.is_some() {
            let bars = self.bars(frame, n)?;
            let weighted = self.mean(called.at, "weighted", weighted, bars);
            return divide(weighted, self.mean(called.at, "volume", volume, bars));
        }
        let (market, bar) = (self.now.market, self.now.bar);
        let mut sum = |part, x: Number| {
            let history = values(self.memory.numbers(called.at, part, x));
            Number::computed(
                sum_of_session(&market.day_ends[..=bar], &history),
                Steps::of("sum of the day", &[x.steps]),
            )
        };
        divide(sum("weighted", weighted), sum("volume", volume))
    }

    /// The difference of two exponential averages that have their first value at the same bar, its own average, and the
    /// difference of both. The fast average is seeded with the `fast` values before that bar.
    pub(super) fn macd(&mut self, frame: &Frame, called: Called<'_>) -> Result<Value> {
        let [x, fast, slow, signal] = self.arguments(called.call, ["x", "fast", "slow", "signal"])?;
        let x = self.operand(frame, x)?;
        let (fast, slow) = (self.bars_or(frame, fast, 12)?, self.bars_or(frame, slow, 26)?);
        let (signal, at) = (self.bars_or(frame, signal, 9)?, called.at);
        let withheld = self.withheld(at, "early", [x, x], slow - fast)?;
        let quick = self.exponential(at, "fast", withheld, fast);
        let calm = self.exponential(at, "slow", x, slow);
        let line = subtract(quick, calm)?;
        let average = self.exponential(at, "signal", line, signal);
        Ok(tuple([line, average, subtract(line, average)?]))
    }
}
