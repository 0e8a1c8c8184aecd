//! Indicators in terms of the plan's nodes. The definitions are TA-Lib's where TA-Lib has one.

use crate::builtins::{Builtin, Function};
use crate::limits::LOOK_BACK_MAX;
use crate::lower::{Frame, Lowered, Lowering};
use crate::plan::{Binary, Node, NodeId, PriceField, Recursion, SeriesSide, Unary, Window};
use crate::value::{Constant, Value};
use ruff_python_ast::Expr;
use ruff_text_size::{Ranged, TextRange};

/// Standard deviations of `bollinger` where none are given.
const BOLLINGER_DEVIATIONS: f64 = 2.0;
/// `macd`'s periods where none are given.
const MACD_PERIODS: [u32; 3] = [12, 26, 9];

impl<'a> Lowering<'a, '_> {
    pub(crate) fn indicator(
        &mut self,
        frame: &Frame<'a>,
        row: &'static Builtin,
        bound: &[Option<&'a Expr>],
        range: TextRange,
    ) -> Lowered<Value> {
        let argument = |place: usize| bound.get(place).copied().flatten();
        match row.function {
            Function::CrossesAbove | Function::CrossesBelow => {
                let a = self.operand(frame, argument(0), range)?;
                let b = self.operand(frame, argument(1), range)?;
                let above = row.function == Function::CrossesAbove;
                let (now, before) = if above { (Binary::Gt, Binary::Le) } else { (Binary::Lt, Binary::Ge) };
                let crossed = self.builder.binary(now, a, b);
                let (a, b) = (self.builder.lag(a, 1), self.builder.lag(b, 1));
                let was_not = self.builder.binary(before, a, b);
                Ok(Value::Condition(self.builder.and(crossed, was_not)))
            }
            Function::Donchian => {
                let bars = self.period(frame, argument(0), range)?;
                let (high, low) = (self.price(PriceField::High), self.price(PriceField::Low));
                let upper = self.window(Window::Highest, high, bars);
                let lower = self.window(Window::Lowest, low, bars);
                let sum = self.builder.binary(Binary::Add, upper, lower);
                let two = self.builder.number(2.0);
                let middle = self.builder.binary(Binary::Div, sum, two);
                Ok(Value::Tuple([upper, middle, lower].map(Value::Number).to_vec()))
            }
            Function::Atr => {
                let bars = self.period(frame, argument(0), range)?;
                let range = self.true_range();
                Ok(Value::Number(self.builder.intern(Node::Recursion {
                    kind: Recursion::Rma,
                    x: range,
                    bars,
                })))
            }
            Function::Macd => self.macd(frame, bound, range),
            Function::Bollinger => self.bollinger(frame, bound, range),
            Function::Rising | Function::Falling => {
                let x = self.market_operand(frame, row.name, argument(0), range)?;
                let bars = match argument(1) {
                    Some(_) => self.period(frame, argument(1), range)?,
                    None => 1,
                };
                let before = self.builder.lag(x, 1);
                let rising = row.function == Function::Rising;
                let kind = if rising { Window::Highest } else { Window::Lowest };
                let extreme = self.window(kind, before, bars);
                let op = if rising { Binary::Gt } else { Binary::Lt };
                Ok(Value::Condition(self.builder.binary(op, x, extreme)))
            }
            _ => {
                let x = self.market_operand(frame, row.name, argument(0), range)?;
                let bars = self.period(frame, argument(1), range)?;
                Ok(Value::Number(self.builder.intern(averaged(row.function, x, bars))))
            }
        }
    }

    /// Mean of the last `n`, and `k` population standard deviations to both sides (TA-Lib BBANDS with an SMA).
    fn bollinger(
        &mut self,
        frame: &Frame<'a>,
        bound: &[Option<&'a Expr>],
        range: TextRange,
    ) -> Lowered<Value> {
        let argument = |place: usize| bound.get(place).copied().flatten();
        let x = self.market_operand(frame, "bollinger", argument(0), range)?;
        let bars = self.period(frame, argument(1), range)?;
        let k = match argument(2) {
            Some(_) => self.operand(frame, argument(2), range)?,
            None => self.builder.number(BOLLINGER_DEVIATIONS),
        };
        let middle = self.window(Window::Sma, x, bars);
        let deviation = self.window(Window::Stdev, x, bars);
        let width = self.builder.binary(Binary::Mul, k, deviation);
        let upper = self.builder.binary(Binary::Add, middle, width);
        let lower = self.builder.binary(Binary::Sub, middle, width);
        Ok(Value::Tuple([upper, middle, lower].map(Value::Number).to_vec()))
    }

    /// TA-Lib MACD. Both averages have their first value at the bar where the slow one has it: the fast one is seeded
    /// with the `fast` values before that bar, so its input is withheld during the first `slow − fast` bars.
    fn macd(&mut self, frame: &Frame<'a>, bound: &[Option<&'a Expr>], range: TextRange) -> Lowered<Value> {
        let argument = |place: usize| bound.get(place).copied().flatten();
        let x = self.market_operand(frame, "macd", argument(0), range)?;
        let mut periods = MACD_PERIODS;
        for (place, period) in periods.iter_mut().enumerate() {
            if argument(place + 1).is_some() {
                *period = self.period(frame, argument(place + 1), range)?;
            }
        }
        let [fast, slow, signal] = periods;
        if fast >= slow {
            let message = format!("`fast` is {fast} and `slow` is {slow}: fast must be the smaller");
            return Err(self.report.error(range, "argument", message));
        }
        let ema = |x, bars| Node::Recursion { kind: Recursion::Ema, x, bars };
        // x + 0·(x some bars ago) is x, undefined until there are that many bars.
        let zero = self.builder.number(0.0);
        let early = self.builder.lag(x, slow - fast);
        let nothing = self.builder.binary(Binary::Mul, zero, early);
        let withheld = self.builder.binary(Binary::Add, x, nothing);
        let fast_average = self.builder.intern(ema(withheld, fast));
        let slow_average = self.builder.intern(ema(x, slow));
        let line = self.builder.binary(Binary::Sub, fast_average, slow_average);
        let signal = self.builder.intern(ema(line, signal));
        let histogram = self.builder.binary(Binary::Sub, line, signal);
        Ok(Value::Tuple([line, signal, histogram].map(Value::Number).to_vec()))
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

    fn price(&mut self, field: PriceField) -> NodeId {
        self.builder.intern(Node::Price { side: SeriesSide::Signal, field })
    }

    fn window(&mut self, kind: Window, x: NodeId, bars: u32) -> NodeId {
        self.builder.intern(Node::Window { kind, x, bars })
    }

    fn operand(&mut self, frame: &Frame<'a>, at: Option<&'a Expr>, range: TextRange) -> Lowered<NodeId> {
        let Some(at) = at else { return Err(self.report.error(range, "argument", "an argument is missing")) };
        let value = self.expression(frame, at)?;
        self.number(&value, at.range())
    }

    /// A number that does not depend on position, account or state: those are known at decisions only, and a window
    /// over them would depend on when it began.
    fn market_operand(
        &mut self,
        frame: &Frame<'a>,
        name: &str,
        at: Option<&'a Expr>,
        range: TextRange,
    ) -> Lowered<NodeId> {
        let x = self.operand(frame, at, range)?;
        if self.builder.overflow().is_none() && self.builder.is_reactive(x) {
            let place = at.map_or(range, Ranged::range);
            let message = format!(
                "`{name}` works on market data, this depends on the position, the account or a state"
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
    fn period(&mut self, frame: &Frame<'a>, at: Option<&'a Expr>, range: TextRange) -> Lowered<u32> {
        let Some(at) = at else {
            return Err(self.report.error(range, "argument", "the number of bars is missing"));
        };
        let bars =
            self.whole_number(frame, at, "a number of bars is a constant or a parameter: `self.period`")?;
        u32::try_from(bars).ok().filter(|bars| (1..=LOOK_BACK_MAX).contains(bars)).ok_or_else(|| {
            let message = format!("a number of bars is from 1 to {LOOK_BACK_MAX}, this is {bars}");
            self.report.error(at.range(), "limit", message)
        })
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

/// The node of a function of a value and a number of bars.
const fn averaged(function: Function, x: NodeId, bars: u32) -> Node {
    match function {
        Function::Ema => Node::Recursion { kind: Recursion::Ema, x, bars },
        Function::Rma => Node::Recursion { kind: Recursion::Rma, x, bars },
        Function::Rsi => Node::Recursion { kind: Recursion::Rsi, x, bars },
        Function::Wma => Node::Window { kind: Window::Wma, x, bars },
        Function::Stdev => Node::Window { kind: Window::Stdev, x, bars },
        Function::Highest => Node::Window { kind: Window::Highest, x, bars },
        Function::Lowest => Node::Window { kind: Window::Lowest, x, bars },
        _ => Node::Window { kind: Window::Sma, x, bars },
    }
}
