//! Levels of the last trading day or week.

use super::{Called, add, divide, multiply, subtract, tuple};
use crate::Interpreter;
use crate::scan::of_last_session;
use crate::series::values;
use crate::statement::Frame;
use crate::value::{Number, Steps, Value};
use anyhow::{Result, bail};
use ruff_python_ast::Expr;

impl Interpreter<'_> {
    /// The pivot, the resistances and the supports, nearest first.
    pub(super) fn pivots(&mut self, frame: &Frame, called: Called<'_>) -> Result<Value> {
        let [kind, period] = self.arguments(called.call, ["kind", "period"])?;
        let (market, bar) = (self.now.market, self.now.bar);
        let kind = self.choice(frame, kind, "classic")?;
        let ends = match self.choice(frame, period, "day")?.as_str() {
            "day" => &market.day_ends[..=bar],
            "week" => &market.week_ends[..=bar],
            other => bail!("`{other}` is no period"),
        };
        let prices = [self.price("high")?, self.price("low")?, self.price("close")?];
        let mut last = |part: &'static str, x: Number, pick: fn(f64, f64) -> f64| {
            let history = values(self.memory.numbers(called.at, part, x));
            let steps = Steps::of(&format!("{part} of the session"), &[x.steps]);
            Number::computed(of_last_session(ends, &history, pick), steps)
        };
        let high = last("high", prices[0], |older, newer| if newer < older { older } else { newer });
        let low = last("low", prices[1], |older, newer| if newer > older { older } else { newer });
        let close = last("close", prices[2], |_, newer| newer);
        let range = subtract(high, low)?;
        let pivot = divide(add(add(high, low)?, close)?, Number::constant(3.0))?;
        let (resistances, supports) = match kind.as_str() {
            "classic" => classic(pivot, [high, low], range)?,
            "fibonacci" => {
                let ratios = [0.382, 0.618, 1.0].map(Number::constant);
                ladder(pivot, ratios.into_iter().map(|ratio| multiply(ratio, range)))?
            }
            "camarilla" => {
                let range = multiply(Number::constant(1.1), range)?;
                let divisors = [12.0, 6.0, 4.0, 2.0].map(Number::constant);
                ladder(close, divisors.into_iter().map(|divisor| divide(range, divisor)))?
            }
            other => bail!("`{other}` is no kind of pivots"),
        };
        Ok(tuple(std::iter::once(pivot).chain(resistances).chain(supports)))
    }

    /// The text that is given, or else `default`.
    fn choice(&mut self, frame: &Frame, at: Option<&Expr>, default: &str) -> Result<String> {
        match at.map(|at| self.expression(frame, at)).transpose()? {
            Some(Value::Text(text)) => Ok(text),
            None | Some(Value::Nothing) => Ok(default.to_owned()),
            Some(other) => bail!("a text is needed, not {other:?}"),
        }
    }
}

/// Resistances and supports, nearest first.
type Levels = (Vec<Number>, Vec<Number>);

/// 2p − low, p + range, high + 2(p − low), and their mirror images.
fn classic(pivot: Number, [high, low]: [Number; 2], range: Number) -> Result<Levels> {
    let two = Number::constant(2.0);
    let twice = multiply(two, pivot)?;
    let above = multiply(two, subtract(pivot, low)?)?;
    let below = multiply(two, subtract(high, pivot)?)?;
    Ok((
        vec![subtract(twice, low)?, add(pivot, range)?, add(high, above)?],
        vec![subtract(twice, high)?, subtract(pivot, range)?, subtract(low, below)?],
    ))
}

/// `steps` above and below `from`.
fn ladder(from: Number, steps: impl Iterator<Item = Result<Number>>) -> Result<Levels> {
    let (mut above, mut below) = (Vec::new(), Vec::new());
    for step in steps {
        let step = step?;
        above.push(add(from, step)?);
        below.push(subtract(from, step)?);
    }
    Ok((above, below))
}
