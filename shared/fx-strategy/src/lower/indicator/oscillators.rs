//! Indicators of pace and direction.

use super::tuple;
use crate::lower::decision::Given;
use crate::lower::{Frame, Lowered, Lowering};
use crate::plan::{Binary, Node, NodeId, PriceField, Recursion, Unary, Window};
use crate::value::Value;

/// Bars over which `stochastic` is smoothed, and averaged once more.
const STOCHASTIC_PERIODS: [u32; 2] = [3, 3];
/// Lambert's constant: most values of `cci` then lie between −100 and 100.
const CCI_SCALE: f64 = 0.015;

impl<'a> Lowering<'a, '_> {
    /// x − x of `bars` bars ago (TA-Lib MOM).
    pub(super) fn change(&mut self, x: NodeId, bars: u32) -> NodeId {
        let before = self.builder.lag(x, bars);
        self.subtract(x, before)
    }

    /// 100 · (x − before) ÷ before (TA-Lib ROC).
    pub(super) fn rate_of_change(&mut self, x: NodeId, bars: u32) -> NodeId {
        let before = self.builder.lag(x, bars);
        let change = self.subtract(x, before);
        let ratio = self.divide(change, before);
        self.scaled(100.0, ratio)
    }

    /// (x − mean) ÷ standard deviation.
    pub(super) fn standard_score(&mut self, x: NodeId, bars: u32) -> NodeId {
        let mean = self.window(Window::Sma, x, bars);
        let deviation = self.window(Window::Stdev, x, bars);
        let difference = self.subtract(x, mean);
        self.divide(difference, deviation)
    }

    /// TA-Lib STOCH with simple averages: 100 · (close − lowest) ÷ (highest − lowest), 0 where there is no range.
    pub(super) fn stochastic(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        let bars = self.period(frame, given, "n")?;
        let smooth = self.period_or(frame, given, "smooth", STOCHASTIC_PERIODS[0])?;
        let d = self.period_or(frame, given, "d", STOCHASTIC_PERIODS[1])?;
        let (high, low) = (self.price(PriceField::High), self.price(PriceField::Low));
        let (highest, lowest) =
            (self.window(Window::Highest, high, bars), self.window(Window::Lowest, low, bars));
        let close = self.price(PriceField::Close);
        let (above, range) = (self.subtract(close, lowest), self.subtract(highest, lowest));
        let raw = self.percent_of(above, range);
        let k = self.window(Window::Sma, raw, smooth);
        let d = self.window(Window::Sma, k, d);
        Ok(tuple([k, d]))
    }

    /// TA-Lib CCI: (typical price − its mean) ÷ (0.015 · its mean deviation), 0 of a flat price. Three times the typical
    /// price gives the same and is rounded less.
    pub(super) fn cci(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<NodeId> {
        let bars = self.period(frame, given, "n")?;
        let price = self.typical_sum();
        let mean = self.window(Window::Sma, price, bars);
        let deviation = self.window(Window::MeanDeviation, price, bars);
        let (difference, scale) = (self.subtract(price, mean), self.scaled(CCI_SCALE, deviation));
        let index = self.divide(difference, scale);
        Ok(self.where_positive(deviation, index))
    }

    pub(super) fn dmi(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        self.dmi_of(frame, given).map(tuple)
    }

    /// TA-Lib PLUS_DI, MINUS_DI and ADX. Wilder's sums of movement and range begin with the first bar's 0: as averages
    /// they are seeded at bar n, and shown from the next one on.
    pub(super) fn dmi_of(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<[NodeId; 3]> {
        let bars = self.period(frame, given, "n")?;
        let (high, low) = (self.price(PriceField::High), self.price(PriceField::Low));
        let up = self.change(high, 1);
        let (before, zero) = (self.builder.lag(low, 1), self.builder.number(0.0));
        let down = self.subtract(before, low);
        let range = self.true_range();
        let range = self.wilder_sum(range, bars);
        let [plus, minus] = [(up, down), (down, up)].map(|(movement, opposite)| {
            let wider = self.builder.binary(Binary::Gt, movement, opposite);
            let rises = self.builder.binary(Binary::Gt, movement, zero);
            let counts = self.builder.and(wider, rises);
            let movement = self.builder.select(counts, movement, zero);
            let average = self.wilder_sum(movement, bars);
            let indicator = self.percent_of(average, range);
            self.withheld(indicator, low, bars)
        });
        let (difference, sum) = (self.subtract(plus, minus), self.add(plus, minus));
        let difference = self.builder.unary(Unary::Abs, difference);
        let index = self.percent_of(difference, sum);
        Ok([plus, minus, self.recursion(Recursion::Rma, index, bars)])
    }

    /// Wilder's average of x, which counts as 0 where it is undefined: at the first bar.
    fn wilder_sum(&mut self, x: NodeId, bars: u32) -> NodeId {
        let (defined, zero) =
            (self.builder.intern(Node::Unary { op: Unary::Defined, x }), self.builder.number(0.0));
        let x = self.builder.select(defined, x, zero);
        self.recursion(Recursion::Rma, x, bars)
    }

    /// 100 · part ÷ whole, 0 where the whole is 0; neither is negative.
    fn percent_of(&mut self, part: NodeId, whole: NodeId) -> NodeId {
        let ratio = self.divide(part, whole);
        let percent = self.scaled(100.0, ratio);
        self.where_positive(whole, percent)
    }

    /// x where `test` is above zero, else 0.
    fn where_positive(&mut self, test: NodeId, x: NodeId) -> NodeId {
        let zero = self.builder.number(0.0);
        let positive = self.builder.binary(Binary::Gt, test, zero);
        self.builder.select(positive, x, zero)
    }
}
