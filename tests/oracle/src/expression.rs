//! Expressions. Everything in them is evaluated at every bar, also what does not count there.

use crate::Interpreter;
use crate::arithmetic::{arithmetic, compare, connect, negation, negative, power};
use crate::memory::{Place, past};
use crate::source::literal;
use crate::statement::Frame;
use crate::value::{Condition, Kind, Number, Steps, Value, choose};
use anyhow::{Context, Result, bail, ensure};
use ruff_python_ast::{
    BoolOp, Expr, ExprBoolOp, ExprCompare, ExprIf, ExprSubscript, ExprUnaryOp, Operator, UnaryOp,
};
use ruff_text_size::Ranged;

/// Where `expression` stands in the source.
pub(crate) fn place(expression: &impl Ranged) -> Place {
    Place(expression.range().start().to_usize())
}

impl Interpreter<'_> {
    pub(crate) fn expression(&mut self, frame: &Frame, expression: &Expr) -> Result<Value> {
        match expression {
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::BooleanLiteral(_) => {
                literal(expression).context("no constant of the language")
            }
            Expr::NoneLiteral(_) => Ok(Value::Nothing),
            Expr::Name(name) => self.name(frame, &name.id),
            Expr::Attribute(attribute) => self.attribute(frame, attribute),
            Expr::Subscript(subscript) => self.past(frame, subscript),
            Expr::UnaryOp(unary) => self.unary(frame, unary),
            Expr::BinOp(binary) => {
                let (a, b) = (self.number(frame, &binary.left)?, self.number(frame, &binary.right)?);
                self.operator(binary.op, a, b).map(Value::Number)
            }
            Expr::BoolOp(logic) => self.logic(frame, logic).map(Value::Condition),
            Expr::Compare(chain) => self.comparison(frame, chain).map(Value::Condition),
            Expr::If(choice) => self.conditional(frame, choice),
            Expr::Call(call) => self.call(frame, call),
            Expr::Dict(dict) => self.decision_dict(frame, dict),
            Expr::List(list) => self.decision_list(frame, &list.elts),
            Expr::Tuple(tuple) => {
                let values = tuple.elts.iter().map(|value| self.expression(frame, value));
                values.collect::<Result<_>>().map(Value::Tuple)
            }
            _ => bail!("this expression is not in the language"),
        }
    }

    pub(crate) fn number(&mut self, frame: &Frame, expression: &Expr) -> Result<Number> {
        match self.expression(frame, expression)? {
            Value::Number(number) => Ok(number),
            other => bail!("a number is needed, not {other:?}"),
        }
    }

    pub(crate) fn condition(&mut self, frame: &Frame, expression: &Expr) -> Result<Condition> {
        match self.expression(frame, expression)? {
            Value::Condition(condition) => Ok(condition),
            other => bail!("a condition is needed, not {other:?}"),
        }
    }

    pub(crate) fn operator(&mut self, op: Operator, a: Number, b: Number) -> Result<Number> {
        match (op, b.kind) {
            (Operator::Pow, Kind::Whole(exponent)) => power(a, exponent),
            (Operator::Pow, _) => bail!("an exponent is a constant whole number"),
            _ => arithmetic(op, a, b),
        }
    }

    fn unary(&mut self, frame: &Frame, unary: &ExprUnaryOp) -> Result<Value> {
        match unary.op {
            UnaryOp::Not => Ok(Value::Condition(negation(self.condition(frame, &unary.operand)?))),
            UnaryOp::USub => Ok(Value::Number(negative(self.number(frame, &unary.operand)?))),
            UnaryOp::UAdd => self.number(frame, &unary.operand).map(Value::Number),
            UnaryOp::Invert => bail!("`~` is not in the language"),
        }
    }

    /// `a and b and c`, from the left.
    fn logic(&mut self, frame: &Frame, logic: &ExprBoolOp) -> Result<Condition> {
        let mut operands = logic.values.iter();
        let mut result = self.condition(frame, operands.next().context("no operands")?)?;
        let and = logic.op == BoolOp::And;
        for operand in operands {
            // The right side is reached where the left one hands over.
            let reached = if and { result } else { negation(result) };
            let operand = self.only_where(reached, |walk| walk.condition(frame, operand))?;
            result = connect(and, result, operand);
        }
        Ok(result)
    }

    /// `a < b < c` is `a < b and b < c`.
    fn comparison(&mut self, frame: &Frame, chain: &ExprCompare) -> Result<Condition> {
        let mut left = self.expression(frame, &chain.left)?;
        let mut result: Option<Condition> = None;
        for (op, operand) in chain.ops.iter().zip(&chain.comparators) {
            let right = match result {
                Some(reached) => self.only_where(reached, |walk| walk.expression(frame, operand))?,
                None => self.expression(frame, operand)?,
            };
            let step = match (&left, &right) {
                (Value::Number(a), Value::Number(b)) => compare(*op, *a, *b)?,
                _ => self.compare_regime(*op, &left, &right)?,
            };
            result = Some(result.map_or(step, |before| connect(true, before, step)));
            left = right;
        }
        result.context("a comparison compares")
    }

    fn conditional(&mut self, frame: &Frame, choice: &ExprIf) -> Result<Value> {
        let condition = self.condition(frame, &choice.test)?;
        match condition.known() {
            Some(true) => self.expression(frame, &choice.body),
            Some(false) => self.expression(frame, &choice.orelse),
            None => {
                let then = self.only_where(condition, |walk| walk.expression(frame, &choice.body))?;
                let otherwise =
                    self.only_where(negation(condition), |walk| walk.expression(frame, &choice.orelse))?;
                choose(condition, then, otherwise).context("two kinds of value")
            }
        }
    }

    /// `x[-1]` is now, `x[-2]` one bar ago. A constant is the same at every bar.
    fn past(&mut self, frame: &Frame, subscript: &ExprSubscript) -> Result<Value> {
        let value = self.expression(frame, &subscript.value)?;
        let index = self.whole(frame, &subscript.slice)?;
        ensure!(index < 0, "an index into history is below zero");
        let bars = usize::try_from(-(index + 1))?;
        match value {
            value if bars == 0 => Ok(value),
            Value::Number(now) => Ok(Value::Number(self.number_ago(place(subscript), "past", now, bars))),
            Value::Condition(now) => Ok(Value::Condition(self.condition_ago(place(subscript), now, bars))),
            other => bail!("{other:?} has no history"),
        }
    }

    /// The number that stood here `bars` bars ago.
    pub(crate) fn number_ago(&mut self, at: Place, part: &'static str, now: Number, bars: usize) -> Number {
        let before = past(self.memory.numbers(at, part, now), bars);
        if now.is_constant() {
            return now;
        }
        let steps = Steps::of(&format!("{bars} ago"), &[now.steps]);
        Number::computed(before.and_then(|before| before.now), steps)
    }

    fn condition_ago(&mut self, at: Place, now: Condition, bars: usize) -> Condition {
        let before = past(self.memory.conditions(at, "past", now.now), bars);
        if now.constant {
            return now;
        }
        Condition::computed(before.flatten(), Steps::of(&format!("{bars} ago"), &[now.steps]))
    }
}
