//! Expressions: literals, operators, comparisons, choices.

use crate::diagnostic::Reported;
use crate::floor::{floor_div, floor_mod};
use crate::limits::{EXPONENT_MAX, RULES_MAX};
use crate::lower::feature::REGIME_HINT;
use crate::lower::names::members;
use crate::lower::{Frame, Lowered, Lowering};
use crate::plan::{Binary, Level, NodeId, Type, Unary};
use crate::value::{Alternative, Constant, Value, mixing_hint};
use ruff_python_ast::{
    BoolOp, CmpOp, Expr, ExprBinOp, ExprBoolOp, ExprCompare, ExprIf, ExprUnaryOp, Number, Operator, UnaryOp,
};
use ruff_text_size::{Ranged, TextRange};

impl<'a> Lowering<'a, '_> {
    /// What `expression` stands for.
    pub(crate) fn expression(&mut self, frame: &Frame<'a>, expression: &'a Expr) -> Lowered<Value> {
        self.enter(expression)?;
        let value = self.expression_inside(frame, expression);
        self.leave();
        value
    }

    fn expression_inside(&mut self, frame: &Frame<'a>, expression: &'a Expr) -> Lowered<Value> {
        match expression {
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::BooleanLiteral(_) => {
                constant_of(expression).map(Value::Constant).ok_or_else(|| {
                    self.report.error(expression.range(), "constant", "this number is too large or not real")
                })
            }
            Expr::NoneLiteral(_) => Ok(Value::Nothing),
            Expr::Name(name) => self.name(frame, name),
            Expr::Attribute(attribute) => self.attribute(frame, attribute),
            Expr::Subscript(subscript) => self.history(frame, subscript),
            Expr::UnaryOp(unary) => self.unary(frame, unary),
            Expr::BinOp(binary) => self.binary_expression(frame, binary),
            Expr::BoolOp(logic) => self.logic(frame, logic),
            Expr::Compare(compare) => self.comparison(frame, compare),
            Expr::If(choice) => self.conditional(frame, choice),
            Expr::Call(call) => self.call(frame, call),
            Expr::Dict(dict) => self.decision_dict(frame, dict),
            Expr::List(list) => self.decision_list(frame, &list.elts),
            Expr::Tuple(tuple) => self.tuple(frame, &tuple.elts),
            other => Err(self.report.error(
                other.range(),
                "not-in-language",
                "this expression is not part of the language",
            )),
        }
    }

    /// Values side by side. What holds others within each other could double with every line.
    fn tuple(&mut self, frame: &Frame<'a>, elements: &'a [Expr]) -> Lowered<Value> {
        let mut values = Vec::with_capacity(elements.len());
        for element in elements {
            let value = self.expression(frame, element)?;
            if let Value::Tuple(_) = value {
                let message = "several values inside several values";
                let hint = "give each a name: `upper, middle, lower = …`";
                return Err(self.report.error_with_hint(element.range(), "type", message, hint));
            }
            values.push(value);
        }
        Ok(Value::Tuple(values.into()))
    }

    fn unary(&mut self, frame: &Frame<'a>, unary: &'a ExprUnaryOp) -> Lowered<Value> {
        let value = self.expression(frame, &unary.operand)?;
        if unary.op == UnaryOp::Not {
            let x = self.condition(&value, unary.operand.range())?;
            let negated = self.builder.not(x);
            return Ok(self.condition_value(negated));
        }
        let negative = unary.op == UnaryOp::USub;
        match value {
            Value::Constant(Constant::Integer(x)) if negative => Ok(x.checked_neg().map_or_else(
                || Value::Constant(Constant::Number(-(x as f64))),
                |x| Value::Constant(Constant::Integer(x)),
            )),
            Value::Constant(Constant::Number(x)) if negative => Ok(Value::Constant(Constant::Number(-x))),
            value => {
                let x = self.number(&value, unary.operand.range())?;
                if negative { Ok(Value::Number(self.builder.unary(Unary::Neg, x))) } else { Ok(value) }
            }
        }
    }

    fn binary_expression(&mut self, frame: &Frame<'a>, binary: &'a ExprBinOp) -> Lowered<Value> {
        let a = self.expression(frame, &binary.left)?;
        let b = self.expression(frame, &binary.right)?;
        self.arithmetic(binary.op, (&a, binary.left.range()), (&b, binary.right.range()))
    }

    /// `a op b`, folded where both are known and the result is finite.
    pub(crate) fn arithmetic(
        &mut self,
        op: Operator,
        (a, a_range): (&Value, TextRange),
        (b, b_range): (&Value, TextRange),
    ) -> Lowered<Value> {
        if op == Operator::Pow {
            return self.power((a, a_range), (b, b_range));
        }
        let x = self.number(a, a_range)?;
        let y = self.number(b, b_range)?;
        if let (Value::Constant(a), Value::Constant(b)) = (a, b)
            && let Some(folded) = fold(op, a, b)
        {
            return Ok(Value::Constant(folded));
        }
        let op = match op {
            Operator::Add => Binary::Add,
            Operator::Sub => Binary::Sub,
            Operator::Mult => Binary::Mul,
            Operator::Div => Binary::Div,
            Operator::FloorDiv => Binary::FloorDiv,
            Operator::Mod => Binary::Mod,
            other => {
                let message = format!("`{other}` is not part of the language");
                return Err(self.report.error(a_range.cover(b_range), "not-in-language", message));
            }
        };
        Ok(Value::Number(self.builder.binary(op, x, y)))
    }

    /// A power is a chain of multiplications from the left; a negative one the inverse of the chain.
    fn power(
        &mut self,
        (base, base_range): (&Value, TextRange),
        (exponent, range): (&Value, TextRange),
    ) -> Lowered<Value> {
        self.number(base, base_range)?;
        let exponent = match exponent {
            Value::Constant(Constant::Integer(exponent))
                if (-EXPONENT_MAX..=EXPONENT_MAX).contains(exponent) =>
            {
                *exponent
            }
            _ => {
                let message =
                    format!("an exponent is a constant whole number from -{EXPONENT_MAX} to {EXPONENT_MAX}");
                return Err(self.report.error_with_hint(
                    range,
                    "constant",
                    message,
                    "the square root is `sqrt(x)`",
                ));
            }
        };
        let mut product = Value::Constant(Constant::Integer(1));
        for factor in 0..exponent.unsigned_abs() {
            product = if factor == 0 {
                base.clone()
            } else {
                self.arithmetic(Operator::Mult, (&product, base_range), (base, base_range))?
            };
        }
        if exponent < 0 {
            let one = Value::Constant(Constant::Integer(1));
            return self.arithmetic(Operator::Div, (&one, range), (&product, base_range));
        }
        Ok(product)
    }

    fn logic(&mut self, frame: &Frame<'a>, logic: &'a ExprBoolOp) -> Lowered<Value> {
        let op = if logic.op == BoolOp::And { Binary::And } else { Binary::Or };
        let mut result: Option<NodeId> = None;
        for operand in &logic.values {
            // The right side is reached where the left one hands over.
            let reached = match result {
                Some(left) if op == Binary::Or => Some(self.builder.not(left)),
                left => left,
            };
            let value = self.reached(reached, |lowering| lowering.expression(frame, operand))?;
            let x = self.condition(&value, operand.range())?;
            result = Some(result.map_or(x, |left| self.builder.binary(op, left, x)));
        }
        let result = result.unwrap_or_else(|| self.builder.condition(true));
        Ok(self.condition_value(result))
    }

    /// `a < b < c` is `a < b and b < c`.
    fn comparison(&mut self, frame: &Frame<'a>, compare: &'a ExprCompare) -> Lowered<Value> {
        let mut left = (self.expression(frame, &compare.left)?, compare.left.range());
        let mut result: Option<NodeId> = None;
        for (op, operand) in compare.ops.iter().zip(&compare.comparators) {
            if matches!(op, CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn) {
                // Refused at the gate; what its sides are does not matter.
                return Err(Reported);
            }
            let right = self.reached(result, |lowering| lowering.expression(frame, operand))?;
            let right = (right, operand.range());
            let step = self.compare(*op, (&left.0, left.1), (&right.0, right.1))?;
            result = Some(result.map_or(step, |before| self.builder.and(before, step)));
            left = right;
        }
        let result = result.unwrap_or_else(|| self.builder.condition(true));
        Ok(self.condition_value(result))
    }

    fn compare(
        &mut self,
        op: CmpOp,
        (a, a_range): (&Value, TextRange),
        (b, b_range): (&Value, TextRange),
    ) -> Lowered<NodeId> {
        for value in [a, b] {
            if value.kind() == "a condition" {
                let hint = "use the condition itself, `not` and `and`: `if up:` and not `if up == True:`";
                let range = a_range.cover(b_range);
                return Err(self.report.error_with_hint(range, "type", "conditions are not compared", hint));
            }
            if *value == Value::Nothing {
                let range = a_range.cover(b_range);
                let hint = "`defined(x)` tests for a missing value";
                return Err(self.report.error_with_hint(range, "type", "nothing is equal to `None`", hint));
            }
        }
        if *a == Value::Regime || *b == Value::Regime {
            return self.compare_regime(op, (a, a_range), (b, b_range));
        }
        let x = self.number(a, a_range)?;
        let y = self.number(b, b_range)?;
        let op = match op {
            CmpOp::Lt => Binary::Lt,
            CmpOp::LtE => Binary::Le,
            CmpOp::Gt => Binary::Gt,
            CmpOp::GtE => Binary::Ge,
            CmpOp::Eq => Binary::Eq,
            CmpOp::NotEq => Binary::Ne,
            CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn => return Err(Reported),
        };
        Ok(self.builder.binary(op, x, y))
    }

    fn conditional(&mut self, frame: &Frame<'a>, choice: &'a ExprIf) -> Lowered<Value> {
        let test = self.expression(frame, &choice.test)?;
        let condition = self.condition(&test, choice.test.range())?;
        match self.builder.known_condition(condition) {
            Some(true) => self.expression(frame, &choice.body),
            Some(false) => self.expression(frame, &choice.orelse),
            None => {
                let opposite = self.builder.not(condition);
                let then = self.only_where(condition, |lowering| lowering.expression(frame, &choice.body))?;
                let otherwise =
                    self.only_where(opposite, |lowering| lowering.expression(frame, &choice.orelse))?;
                let kinds = (then.kind(), otherwise.kind());
                self.choose(condition, then, otherwise).ok_or_else(|| {
                    let message = format!("this is {} on one side and {} on the other", kinds.0, kinds.1);
                    self.report.error_with_hint(choice.range, "type", message, mixing_hint(kinds.0, kinds.1))
                })
            }
        }
    }

    /// `then if condition else otherwise`; `None` when the two are of kinds that do not mix.
    pub(crate) fn choose(&mut self, condition: NodeId, then: Value, otherwise: Value) -> Option<Value> {
        match (then, otherwise) {
            // What is no number, condition or decision cannot be undefined, so that the condition does not matter.
            (
                then
                @ (Value::Nothing | Value::Scope(_) | Value::Regime | Value::Constant(Constant::Text(_))),
                otherwise,
            ) if then == otherwise => Some(then),
            (Value::Tuple(then), Value::Tuple(otherwise)) if then.len() == otherwise.len() => {
                let pairs = then.iter().cloned().zip(otherwise.iter().cloned());
                let chosen: Option<Vec<_>> = pairs.map(|(a, b)| self.choose(condition, a, b)).collect();
                Some(Value::Tuple(chosen?.into()))
            }
            (Value::Level(then), Value::Level(otherwise)) => {
                let chosen = self.builder.select(condition, then.node(), otherwise.node());
                match (then, otherwise) {
                    (Level::Pips(_), Level::Pips(_)) => Some(Value::Level(Level::Pips(chosen))),
                    (Level::Distance(_), Level::Distance(_)) => Some(Value::Level(Level::Distance(chosen))),
                    _ => None,
                }
            }
            (Value::Decision(then), Value::Decision(otherwise)) => {
                Some(self.choose_decision(condition, &then, &otherwise))
            }
            (Value::Decision(then), Value::Nothing) => Some(self.choose_decision(condition, &then, &[])),
            (Value::Nothing, Value::Decision(otherwise)) => {
                Some(self.choose_decision(condition, &[], &otherwise))
            }
            (then, otherwise) => {
                let (then, otherwise) = (self.node_of(&then)?, self.node_of(&otherwise)?);
                let kind = self.builder.node_type(then);
                if kind != self.builder.node_type(otherwise) {
                    return None;
                }
                let chosen = self.builder.select(condition, then, otherwise);
                Some(if kind == Type::Number { Value::Number(chosen) } else { Value::Condition(chosen) })
            }
        }
    }

    fn choose_decision(
        &mut self,
        condition: NodeId,
        then: &[Alternative],
        otherwise: &[Alternative],
    ) -> Value {
        let ways = then.len() + otherwise.len();
        if ways > RULES_MAX {
            // Chosen between once more, they would be twice as many.
            self.crowded = true;
            return Value::Nothing;
        }
        let opposite = self.builder.not(condition);
        let mut alternatives = Vec::with_capacity(ways);
        for (test, side) in [(condition, then), (opposite, otherwise)] {
            for Alternative { guard, actions } in side {
                let guard = self.builder.and(test, *guard);
                alternatives.push(Alternative { guard, actions: actions.clone() });
            }
        }
        Value::Decision(alternatives.into())
    }

    /// The node of a number or condition.
    pub(super) fn node_of(&mut self, value: &Value) -> Option<NodeId> {
        match value {
            Value::Number(x) | Value::Condition(x) => Some(*x),
            Value::Constant(Constant::Boolean(value)) => Some(self.builder.condition(*value)),
            Value::Constant(constant) => constant.number().map(|value| self.builder.number(value)),
            _ => None,
        }
    }

    /// `value` as a number, or an error at `range`.
    pub(crate) fn number(&mut self, value: &Value, range: TextRange) -> Lowered<NodeId> {
        if value.kind() == "a number"
            && let Some(node) = self.node_of(value)
        {
            return Ok(node);
        }
        let message = format!("a number is needed here, this is {}", value.kind());
        Err(match value {
            Value::Condition(_) | Value::Constant(Constant::Boolean(_)) => self.report.error_with_hint(
                range,
                "type",
                message,
                "turn it into one: `1 if condition else 0`",
            ),
            Value::Tuple(_) => self.report.error_with_hint(
                range,
                "type",
                message,
                "give each a name: `upper, middle, lower = …`",
            ),
            Value::Scope(scope) => {
                let hint = format!("name one of its values: {}", members(*scope).join(", "));
                self.report.error_with_hint(range, "type", message, hint)
            }
            Value::Regime => self.report.error_with_hint(range, "type", message, REGIME_HINT),
            Value::Nothing => {
                let hint = "a helper gives what it returns, on every path";
                self.report.error_with_hint(range, "type", message, hint)
            }
            _ => self.report.error(range, "type", message),
        })
    }

    /// `value` as a condition, or an error at `range`.
    pub(crate) fn condition(&mut self, value: &Value, range: TextRange) -> Lowered<NodeId> {
        if value.kind() == "a condition"
            && let Some(node) = self.node_of(value)
        {
            return Ok(node);
        }
        let message = format!("a condition is needed here, this is {}", value.kind());
        let hint = match value {
            Value::Regime => REGIME_HINT,
            _ => "compare it, for example `x > 0` or `x != 0`",
        };
        Err(self.report.error_with_hint(range, "type", message, hint))
    }

    fn condition_value(&self, node: NodeId) -> Value {
        match self.builder.known_condition(node) {
            Some(value) => Value::Constant(Constant::Boolean(value)),
            None => Value::Condition(node),
        }
    }
}

/// The constant that a literal, or a sign in front of one, writes.
pub(crate) fn constant_of(expression: &Expr) -> Option<Constant> {
    match expression {
        Expr::NumberLiteral(literal) => match &literal.value {
            Number::Int(value) => value.as_i64().map(Constant::Integer),
            Number::Float(value) => Some(*value).filter(|value| value.is_finite()).map(Constant::Number),
            Number::Complex { .. } => None,
        },
        Expr::StringLiteral(text) => Some(Constant::Text(text.value.to_str().into())),
        Expr::BooleanLiteral(literal) => Some(Constant::Boolean(literal.value)),
        Expr::UnaryOp(unary) if unary.operand.is_number_literal_expr() => {
            match (unary.op, constant_of(&unary.operand)?) {
                (UnaryOp::UAdd, value) => Some(value),
                (UnaryOp::USub, Constant::Integer(value)) => Some(Constant::Integer(-value)),
                (UnaryOp::USub, Constant::Number(value)) => Some(Constant::Number(-value)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// `a op b` of constants as Python has it; `None` where it is undefined or overflows.
fn fold(op: Operator, a: &Constant, b: &Constant) -> Option<Constant> {
    if let (Constant::Integer(a), Constant::Integer(b)) = (a, b) {
        let exact = match op {
            Operator::Add => a.checked_add(*b),
            Operator::Sub => a.checked_sub(*b),
            Operator::Mult => a.checked_mul(*b),
            Operator::FloorDiv if *b != 0 => {
                a.checked_div_euclid(*b).map(|q| if *b < 0 && a.rem_euclid(*b) != 0 { q - 1 } else { q })
            }
            Operator::Mod if *b != 0 => {
                a.checked_rem(*b).map(|r| if r != 0 && (r < 0) != (*b < 0) { r + b } else { r })
            }
            _ => None,
        };
        if let Some(exact) = exact {
            return Some(Constant::Integer(exact));
        }
    }
    let (a, b) = (a.number()?, b.number()?);
    let value = match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mult => a * b,
        Operator::Div if b != 0.0 => a / b,
        Operator::FloorDiv => floor_div(a, b),
        Operator::Mod => floor_mod(a, b),
        _ => return None,
    };
    value.is_finite().then_some(Constant::Number(value))
}
