//! Indicators, each in terms of [`series`](crate::series), [`scan`](crate::scan) and arithmetic. What looks back remembers
//! under a name of its own at the place of the call.

mod averages;
mod bands;
mod events;
mod levels;
mod oscillators;

use crate::Interpreter;
use crate::arithmetic::{absolute, arithmetic, larger};
use crate::expression::place;
use crate::market::Quote;
use crate::memory::Place;
use crate::series::{
    deviation, exponential, highest, last_of, lowest, relative_strength, simple_mean, values, weighted_mean,
    wilder,
};
use crate::statement::Frame;
use crate::value::{Condition, Number, Steps, Value};
use anyhow::{Context, Result, bail};
use ruff_python_ast::{Expr, ExprCall, Operator};

/// A call of an indicator, and where it stands.
#[derive(Clone, Copy)]
struct Called<'e> {
    name: &'e str,
    call: &'e ExprCall,
    at: Place,
}

impl Interpreter<'_> {
    pub(crate) fn indicator(&mut self, frame: &Frame, name: &str, call: &ExprCall) -> Result<Value> {
        let called = Called { name, call, at: place(call) };
        match name {
            "sma" | "ema" | "rma" | "wma" | "rsi" | "stdev" | "highest" | "lowest" | "dema" | "tema"
            | "kama" | "linreg" | "linreg_slope" | "roc" | "momentum" | "zscore" => {
                self.of_last(frame, called).map(Value::Number)
            }
            "vwap" => self.vwap(frame, called).map(Value::Number),
            "macd" => self.macd(frame, called),
            "stochastic" => self.stochastic(frame, called),
            "cci" => self.cci(frame, called).map(Value::Number),
            "adx" | "plus_di" | "minus_di" | "dmi" => self.directions(frame, called),
            "bollinger" => self.bollinger(frame, called),
            "keltner" => self.keltner(frame, called),
            "donchian" => self.donchian(frame, called),
            "atr" | "natr" => self.ranges(frame, called).map(Value::Number),
            "supertrend" => self.supertrend(frame, called),
            "psar" => self.psar(frame, called).map(Value::Number),
            "ichimoku" => self.ichimoku(frame, called),
            "pivots" => self.pivots(frame, called),
            "fractals" => self.fractals(frame, called),
            "crosses_above" | "crosses_below" => self.crosses(frame, called).map(Value::Condition),
            "rising" | "falling" => self.beyond(frame, called).map(Value::Condition),
            "barssince" => self.bars_since(frame, called).map(Value::Number),
            "valuewhen" => self.value_when(frame, called).map(Value::Number),
            _ => bail!("there is no function `{name}`"),
        }
    }

    /// Functions of a number and a number of bars.
    fn of_last(&mut self, frame: &Frame, called: Called<'_>) -> Result<Number> {
        let [x, n] = self.arguments(called.call, ["x", "n"])?;
        let (x, bars, at) = (self.operand(frame, x)?, self.bars(frame, n)?, called.at);
        Ok(match called.name {
            "sma" => self.mean(at, "x", x, bars),
            "stdev" => self.deviation(at, "x", x, bars),
            "ema" => self.exponential(at, "x", x, bars),
            "rma" => self.wilder(at, "x", x, bars),
            "rsi" => {
                let history = values(self.memory.numbers(at, "x", x));
                computed("rsi", x, bars, relative_strength(&history, bars))
            }
            "wma" => self.window(at, "x", x, bars, weighted_mean),
            "highest" => self.window(at, "x", x, bars, highest),
            "lowest" => self.window(at, "x", x, bars, lowest),
            "dema" => self.double(at, x, bars)?,
            "tema" => self.triple(at, x, bars)?,
            "kama" => self.adaptive(at, x, bars)?,
            "linreg" | "linreg_slope" => self.line(called, x, bars)?,
            "roc" => {
                let before = self.number_ago(at, "x", x, bars);
                multiply(Number::constant(100.0), divide(subtract(x, before)?, before)?)?
            }
            "momentum" => self.change(at, "x", x, bars)?,
            "zscore" => {
                let (mean, deviation) =
                    (self.mean(at, "mean", x, bars), self.deviation(at, "spread", x, bars));
                divide(subtract(x, mean)?, deviation)?
            }
            other => bail!("`{other}` is no function of the last values"),
        })
    }

    /// A function of the last values of x.
    fn window(
        &mut self,
        at: Place,
        part: &'static str,
        x: Number,
        bars: usize,
        of: fn(&[f64]) -> Option<f64>,
    ) -> Number {
        let history = values(self.memory.numbers(at, part, x));
        computed(part, x, bars, last_of(&history, bars).and_then(|window| of(&window)))
    }

    fn mean(&mut self, at: Place, part: &'static str, x: Number, bars: usize) -> Number {
        let now = simple_mean(self.memory.numbers(at, part, x), bars);
        computed(part, x, bars, now)
    }

    fn deviation(&mut self, at: Place, part: &'static str, x: Number, bars: usize) -> Number {
        let now = deviation(self.memory.numbers(at, part, x), bars);
        computed(part, x, bars, now)
    }

    fn exponential(&mut self, at: Place, part: &'static str, x: Number, bars: usize) -> Number {
        let history = values(self.memory.numbers(at, part, x));
        computed(part, x, bars, exponential(&history, bars).last().copied().flatten())
    }

    fn wilder(&mut self, at: Place, part: &'static str, x: Number, bars: usize) -> Number {
        let history = values(self.memory.numbers(at, part, x));
        computed(part, x, bars, wilder(&history, bars).last().copied().flatten())
    }

    /// x − x of `bars` bars ago.
    fn change(&mut self, at: Place, part: &'static str, x: Number, bars: usize) -> Result<Number> {
        let before = self.number_ago(at, part, x, bars);
        subtract(x, before)
    }

    /// x, undefined at the first `bars` bars on which `of` has a value: x + 0 · (`of` that many bars ago).
    fn withheld(
        &mut self,
        at: Place,
        part: &'static str,
        [x, of]: [Number; 2],
        bars: usize,
    ) -> Result<Number> {
        let early = self.number_ago(at, part, of, bars);
        add(x, multiply(Number::constant(0.0), early)?)
    }

    /// The largest of high − low, |high − previous close| and |low − previous close|.
    fn true_range(&mut self, at: Place) -> Result<Number> {
        let (high, low, close) = (self.price("high")?, self.price("low")?, self.price("close")?);
        let before = self.number_ago(at, "previous close", close, 1);
        let mut widest = subtract(high, low)?;
        for extreme in [high, low] {
            widest = larger(widest, absolute(subtract(extreme, before)?));
        }
        Ok(widest)
    }

    fn average_true_range(&mut self, at: Place, bars: usize) -> Result<Number> {
        let range = self.true_range(at)?;
        Ok(self.wilder(at, "true range", range, bars))
    }

    /// (high + low) + close.
    fn typical_sum(&self) -> Result<Number> {
        add(add(self.price("high")?, self.price("low")?)?, self.price("close")?)
    }

    fn price(&self, field: &str) -> Result<Number> {
        self.now.market.price(Quote::Signal, field, self.now.bar).context("a bar has four prices")
    }

    fn operand(&mut self, frame: &Frame, at: Option<&Expr>) -> Result<Number> {
        self.number(frame, at.context("an argument is missing")?)
    }

    /// The number that is given, or else `default`.
    fn operand_or(&mut self, frame: &Frame, at: Option<&Expr>, default: f64) -> Result<Number> {
        at.map_or(Ok(Number::constant(default)), |at| self.number(frame, at))
    }

    /// A number of bars, known before the run.
    fn bars(&mut self, frame: &Frame, at: Option<&Expr>) -> Result<usize> {
        let bars = self.whole(frame, at.context("the number of bars is missing")?)?;
        Ok(usize::try_from(bars)?)
    }

    fn bars_or(&mut self, frame: &Frame, at: Option<&Expr>, default: usize) -> Result<usize> {
        if at.is_some() { self.bars(frame, at) } else { Ok(default) }
    }
}

fn computed(name: &str, x: Number, bars: usize, now: Option<f64>) -> Number {
    Number::computed(now, Steps::of(&format!("{name} {bars}"), &[x.steps]))
}

fn add(a: Number, b: Number) -> Result<Number> {
    arithmetic(Operator::Add, a, b)
}

fn subtract(a: Number, b: Number) -> Result<Number> {
    arithmetic(Operator::Sub, a, b)
}

fn multiply(a: Number, b: Number) -> Result<Number> {
    arithmetic(Operator::Mult, a, b)
}

fn divide(a: Number, b: Number) -> Result<Number> {
    arithmetic(Operator::Div, a, b)
}

/// `then if condition else otherwise` of numbers.
fn either_of(condition: Condition, then: Number, otherwise: Number) -> Number {
    let now = condition.now.and_then(|now| if now { then.now } else { otherwise.now });
    Number::computed(now, Steps::of("choose", &[condition.steps, then.steps, otherwise.steps]))
}

fn tuple(numbers: impl IntoIterator<Item = Number>) -> Value {
    Value::Tuple(numbers.into_iter().map(Value::Number).collect())
}
