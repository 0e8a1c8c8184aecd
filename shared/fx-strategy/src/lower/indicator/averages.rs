//! Averages and lines through prices.

use crate::lower::decision::Given;
use crate::lower::{Frame, Lowered, Lowering};
use crate::plan::{Binary, Node, NodeId, Period, Recursion, Scan, Session, Unary, Window};
use ruff_text_size::Ranged;

/// `macd`'s periods where none are given.
const MACD_PERIODS: [u32; 3] = [12, 26, 9];
/// Weights of `kama` where the price goes straight and where it goes nowhere: those of exponential averages of 2 and of
/// 30 bars (Kaufman 1995).
const KAMA_WEIGHTS: [f64; 2] = [2.0 / 3.0, 2.0 / 31.0];

impl<'a> Lowering<'a, '_> {
    /// 2·e − ema(e), e an exponential average (TA-Lib DEMA; Mulloy 1994).
    pub(super) fn dema(&mut self, x: NodeId, bars: u32) -> NodeId {
        let once = self.recursion(Recursion::Ema, x, bars);
        let twice = self.recursion(Recursion::Ema, once, bars);
        let double = self.scaled(2.0, once);
        self.subtract(double, twice)
    }

    /// (3·e − 3·ema(e)) + ema(ema(e)) (TA-Lib TEMA; Mulloy 1994).
    pub(super) fn tema(&mut self, x: NodeId, bars: u32) -> NodeId {
        let once = self.recursion(Recursion::Ema, x, bars);
        let twice = self.recursion(Recursion::Ema, once, bars);
        let thrice = self.recursion(Recursion::Ema, twice, bars);
        let (a, b) = (self.scaled(3.0, once), self.scaled(3.0, twice));
        let difference = self.subtract(a, b);
        self.add(difference, thrice)
    }

    /// TA-Lib KAMA. The efficiency is the change over the bars ÷ the sum of their steps, at most 1, and 1 where neither
    /// is above zero; the weight is (efficiency · (fast − slow) + slow)².
    pub(super) fn kama(&mut self, x: NodeId, bars: u32) -> NodeId {
        let change = self.change(x, bars);
        let change = self.builder.unary(Unary::Abs, change);
        let step = self.change(x, 1);
        let step = self.builder.unary(Unary::Abs, step);
        let step = self.window(Window::Sma, step, bars);
        let path = self.scaled(f64::from(bars), step);
        let straight = self.builder.binary(Binary::Le, path, change);
        let (one, ratio) = (self.builder.number(1.0), self.divide(change, path));
        let efficiency = self.builder.select(straight, one, ratio);
        let [fast, slow] = KAMA_WEIGHTS;
        let weight = self.scaled(fast - slow, efficiency);
        let slow = self.builder.number(slow);
        let weight = self.add(weight, slow);
        let weight = self.multiply(weight, weight);
        self.builder.intern(Node::Scan { kind: Scan::Adaptive, a: x, b: weight, bars: 1 })
    }

    /// TA-Lib LINEARREG and LINEARREG_SLOPE. The line passes through the mean at the middle of the window.
    pub(super) fn line(&mut self, given: &Given<'_, 'a>, x: NodeId, bars: u32) -> Lowered<NodeId> {
        if bars < 2 {
            let place = given.get("n").map_or(given.range, Ranged::range);
            return Err(self.report.error(place, "limit", "a line needs two bars or more"));
        }
        let slope = self.window(Window::Slope, x, bars);
        if given.row.name == "linreg_slope" {
            return Ok(slope);
        }
        let mean = self.window(Window::Sma, x, bars);
        let rise = self.scaled(f64::from(bars - 1) / 2.0, slope);
        Ok(self.add(mean, rise))
    }

    /// Σ typical price · volume ÷ Σ volume.
    pub(super) fn vwap(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<NodeId> {
        let price = self.typical_price();
        let volume = self.volume();
        let weighted = self.multiply(price, volume);
        let sums = if given.get("n").is_some() {
            let bars = self.period(frame, given, "n")?;
            [weighted, volume].map(|x| self.window(Window::Sma, x, bars))
        } else {
            let (kind, period) = (Session::Sum, Period::Day);
            [weighted, volume].map(|x| self.builder.intern(Node::Session { kind, x, period }))
        };
        Ok(self.divide(sums[0], sums[1]))
    }

    /// TA-Lib MACD. Both averages have their first value at the bar where the slow one has it: the fast one is seeded
    /// with the `fast` values before that bar, so its input is withheld during the first `slow − fast` bars.
    pub(super) fn macd(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<crate::value::Value> {
        let x = self.market(frame, given, "x")?;
        let fast = self.period_or(frame, given, "fast", MACD_PERIODS[0])?;
        let slow = self.period_or(frame, given, "slow", MACD_PERIODS[1])?;
        let signal = self.period_or(frame, given, "signal", MACD_PERIODS[2])?;
        if fast >= slow {
            let message = format!("`fast` is {fast} and `slow` is {slow}: fast must be the smaller");
            return Err(self.report.error(given.range, "argument", message));
        }
        let withheld = self.withheld(x, x, slow - fast);
        let fast = self.recursion(Recursion::Ema, withheld, fast);
        let slow = self.recursion(Recursion::Ema, x, slow);
        let line = self.subtract(fast, slow);
        let signal = self.recursion(Recursion::Ema, line, signal);
        let histogram = self.subtract(line, signal);
        Ok(super::tuple([line, signal, histogram]))
    }
}
