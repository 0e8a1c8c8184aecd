//! Indicators in terms of the plan's nodes. The definitions are TA-Lib's where TA-Lib has one.
//!
//! Most are a few arithmetic nodes over windows and recursions: what two of them share is one node, and only what
//! cannot be written so has a node of its own.

mod averages;
mod bands;
mod events;
mod levels;
mod oscillators;

use crate::builtins::Function;
use crate::limits::LOOK_BACK_MAX;
use crate::lower::decision::Given;
use crate::lower::{Frame, Lowered, Lowering};
use crate::plan::{Binary, Clock, Node, NodeId, PriceField, Recursion, Unary, Window};
use crate::value::{BarsRead, Constant, Value};
use ruff_python_ast::Expr;
use ruff_text_size::{Ranged, TextRange};

impl<'a> Lowering<'a, '_> {
    /// What the call of an indicator stands for.
    pub(crate) fn indicator(
        &mut self,
        frame: &Frame<'a>,
        given: &Given<'_, 'a>,
        bars: BarsRead,
    ) -> Lowered<Value> {
        let outer = std::mem::replace(&mut self.bars, bars);
        let value = self.indicator_of_bars(frame, given);
        self.bars = outer;
        value
    }

    fn indicator_of_bars(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        let number = match given.row.function {
            Function::CrossesAbove | Function::CrossesBelow => return self.crosses(frame, given),
            Function::Rising | Function::Falling => return self.runs(frame, given),
            Function::Bollinger => return self.bollinger(frame, given),
            Function::Keltner => return self.keltner(frame, given),
            Function::Donchian => return self.donchian(frame, given),
            Function::Supertrend => return self.supertrend(frame, given),
            Function::Macd => return self.macd(frame, given),
            Function::Stochastic => return self.stochastic(frame, given),
            Function::Dmi => return self.dmi(frame, given),
            Function::Ichimoku => return self.ichimoku(frame, given),
            Function::Pivots => return self.pivots(frame, given),
            Function::Fractals => return self.fractals(frame, given),
            Function::BarsSince => self.bars_since(frame, given)?,
            Function::ValueWhen => self.value_when(frame, given)?,
            Function::Adx => self.dmi_of(frame, given)?[2],
            Function::PlusDi => self.dmi_of(frame, given)?[0],
            Function::MinusDi => self.dmi_of(frame, given)?[1],
            Function::Cci => self.cci(frame, given)?,
            Function::Atr => {
                let bars = self.period(frame, given, "n")?;
                self.average_true_range(bars)
            }
            Function::Natr => self.natr(frame, given)?,
            Function::Psar => self.psar(frame, given)?,
            Function::Vwap => self.vwap(frame, given)?,
            _ => {
                let x = self.market(frame, given, "x")?;
                let bars = self.period(frame, given, "n")?;
                self.of_last(given, x, bars)?
            }
        };
        Ok(Value::Number(number))
    }

    /// A function of a value and a number of bars.
    fn of_last(&mut self, given: &Given<'_, 'a>, x: NodeId, bars: u32) -> Lowered<NodeId> {
        Ok(match given.row.function {
            Function::Ema => self.recursion(Recursion::Ema, x, bars),
            Function::Rma => self.recursion(Recursion::Rma, x, bars),
            Function::Rsi => self.recursion(Recursion::Rsi, x, bars),
            Function::Wma => self.window(Window::Wma, x, bars),
            Function::Stdev => self.window(Window::Stdev, x, bars),
            Function::Highest => self.window(Window::Highest, x, bars),
            Function::Lowest => self.window(Window::Lowest, x, bars),
            Function::Dema => self.dema(x, bars),
            Function::Tema => self.tema(x, bars),
            Function::Kama => self.kama(x, bars),
            Function::Linreg | Function::LinregSlope => self.line(given, x, bars)?,
            Function::Roc => self.rate_of_change(x, bars),
            Function::Momentum => self.change(x, bars),
            Function::Zscore => self.standard_score(x, bars),
            _ => self.window(Window::Sma, x, bars),
        })
    }

    /// The largest of high − low, |high − previous close| and |low − previous close| (TA-Lib TRANGE).
    fn true_range(&mut self) -> NodeId {
        let (high, low) = (self.price(PriceField::High), self.price(PriceField::Low));
        let close = self.price(PriceField::Close);
        let before = self.builder.lag(close, 1);
        let mut widest = self.builder.binary(Binary::Sub, high, low);
        for extreme in [high, low] {
            let difference = self.builder.binary(Binary::Sub, extreme, before);
            let gap = self.builder.unary(Unary::Abs, difference);
            widest = self.builder.binary(Binary::Max, widest, gap);
        }
        widest
    }

    /// TA-Lib ATR.
    fn average_true_range(&mut self, bars: u32) -> NodeId {
        let range = self.true_range();
        self.recursion(Recursion::Rma, range, bars)
    }

    /// (high + low + close) ÷ 3 (TA-Lib TYPPRICE).
    fn typical_price(&mut self) -> NodeId {
        let sum = self.typical_sum();
        let three = self.builder.number(3.0);
        self.divide(sum, three)
    }

    /// high + low + close.
    fn typical_sum(&mut self) -> NodeId {
        let [high, low, close] =
            [PriceField::High, PriceField::Low, PriceField::Close].map(|field| self.price(field));
        let sum = self.add(high, low);
        self.add(sum, close)
    }

    /// x, undefined at the first `bars` bars on which `of` has a value: x + 0 · (`of` that many bars ago).
    fn withheld(&mut self, x: NodeId, of: NodeId, bars: u32) -> NodeId {
        let zero = self.builder.number(0.0);
        let early = self.builder.lag(of, bars);
        let nothing = self.multiply(zero, early);
        self.add(x, nothing)
    }

    fn price(&mut self, field: PriceField) -> NodeId {
        let BarsRead { feed, side } = self.bars;
        self.builder.intern(match feed {
            None => Node::Price { side, field },
            Some(feed) => Node::FeedPrice { feed, side, field },
        })
    }

    fn volume(&mut self) -> NodeId {
        self.builder.intern(self.bars.feed.map_or(Node::Volume, |feed| Node::FeedVolume { feed }))
    }

    /// Refuses a number of other bars than those that the indicator reads: it would be worked out at the strategy's own, where
    /// each of the others is seen many times.
    fn of_the_same_bars(&mut self, given: &Given<'_, 'a>, name: &str, x: NodeId) -> Lowered<NodeId> {
        let Some(feed) = self.bars.feed else { return Ok(x) };
        if self.builder.overflow().is_some()
            || matches!(self.builder.clock(x), Clock::Any)
            || self.builder.clock(x) == Clock::Of(feed)
        {
            return Ok(x);
        }
        let place: TextRange = given.get(name).map_or(given.range, Ranged::range);
        let message = format!("`{name}` is not of the bars that `{}` reads here", given.row.name);
        let hint = "make it of the same bars, or a constant";
        Err(self.report.error_with_hint(place, "type", message, hint))
    }

    fn window(&mut self, kind: Window, x: NodeId, bars: u32) -> NodeId {
        self.builder.intern(Node::Window { kind, x, bars })
    }

    fn recursion(&mut self, kind: Recursion, x: NodeId, bars: u32) -> NodeId {
        self.builder.intern(Node::Recursion { kind, x, bars })
    }

    fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.builder.binary(Binary::Add, a, b)
    }

    fn subtract(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.builder.binary(Binary::Sub, a, b)
    }

    fn multiply(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.builder.binary(Binary::Mul, a, b)
    }

    fn divide(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.builder.binary(Binary::Div, a, b)
    }

    /// x times a constant.
    fn scaled(&mut self, factor: f64, x: NodeId) -> NodeId {
        let factor = self.builder.number(factor);
        self.multiply(factor, x)
    }

    /// The number that is given for `name`, or else `default`.
    fn number_or(
        &mut self,
        frame: &Frame<'a>,
        given: &Given<'_, 'a>,
        name: &str,
        default: f64,
    ) -> Lowered<NodeId> {
        if given.get(name).is_some() {
            let x = self.operand(frame, given, name)?;
            self.of_the_same_bars(given, name, x)
        } else {
            Ok(self.builder.number(default))
        }
    }

    fn argument(&mut self, given: &Given<'_, 'a>, name: &str) -> Lowered<&'a Expr> {
        given.get(name).ok_or_else(|| {
            let message = format!("`{}` needs the argument `{name}`", given.row.name);
            self.report.error(given.range, "argument", message)
        })
    }

    fn operand(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>, name: &str) -> Lowered<NodeId> {
        let at = self.argument(given, name)?;
        let value = self.expression(frame, at)?;
        self.number(&value, at.range())
    }

    /// A number that does not depend on position, account or state: those are known at decisions only, and a window over
    /// them would depend on when it began.
    fn market(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>, name: &str) -> Lowered<NodeId> {
        let x = self.operand(frame, given, name)?;
        self.of_the_market(given, name, x)
    }

    /// The same of a condition.
    fn market_condition(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>, name: &str) -> Lowered<NodeId> {
        let at = self.argument(given, name)?;
        let value = self.expression(frame, at)?;
        let condition = self.condition(&value, at.range())?;
        self.of_the_market(given, name, condition)
    }

    fn of_the_market(&mut self, given: &Given<'_, 'a>, name: &str, x: NodeId) -> Lowered<NodeId> {
        if self.builder.overflow().is_none() && self.builder.is_reactive(x) {
            let place: TextRange = given.get(name).map_or(given.range, Ranged::range);
            let message = format!(
                "`{}` works on market data, this depends on the position, the account or a state",
                given.row.name
            );
            return Err(self.report.error_with_hint(
                place,
                "type",
                message,
                "use it on prices and on values made of them",
            ));
        }
        Ok(x)
    }

    /// A number of bars, known when the strategy is compiled.
    fn period(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>, name: &str) -> Lowered<u32> {
        let at = self.argument(given, name)?;
        let bars =
            self.whole_number(frame, at, "a number of bars is a constant or a parameter: `self.period`")?;
        u32::try_from(bars).ok().filter(|bars| (1..=LOOK_BACK_MAX).contains(bars)).ok_or_else(|| {
            let message = format!("a number of bars is from 1 to {LOOK_BACK_MAX}, this is {bars}");
            self.report.error(at.range(), "limit", message)
        })
    }

    /// The number of bars that is given for `name`, or else `default`.
    fn period_or(
        &mut self,
        frame: &Frame<'a>,
        given: &Given<'_, 'a>,
        name: &str,
        default: u32,
    ) -> Lowered<u32> {
        if given.get(name).is_some() { self.period(frame, given, name) } else { Ok(default) }
    }

    /// Refuses a constant that is not above zero.
    pub(crate) fn positive(&mut self, value: &Value, range: TextRange, name: &str) -> Lowered<()> {
        match value {
            Value::Constant(constant @ (Constant::Integer(_) | Constant::Number(_)))
                if constant.number().is_some_and(|value| value <= 0.0) =>
            {
                Err(self.report.error(range, "decision", format!("`{name}` must be above zero")))
            }
            _ => Ok(()),
        }
    }
}

/// Several numbers as one value.
fn tuple<const N: usize>(numbers: [NodeId; N]) -> Value {
    Value::Tuple(numbers.map(Value::Number).to_vec().into())
}
