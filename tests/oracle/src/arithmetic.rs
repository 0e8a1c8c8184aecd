//! Operators on numbers and conditions, undefined ones among them.

use crate::value::{Condition, Kind, Number, Steps, Truth};
use anyhow::{Result, bail};
use ruff_python_ast::{CmpOp, Operator};

/// What is not finite is undefined.
pub(crate) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// `a op b`.
pub(crate) fn arithmetic(op: Operator, a: Number, b: Number) -> Result<Number> {
    if let (Kind::Whole(x), Kind::Whole(y)) = (a.kind, b.kind)
        && let Some(exact) = of_whole_numbers(op, x, y)
    {
        return Ok(Number::whole(exact));
    }
    let of = |f: fn(f64, f64) -> f64| a.now.zip(b.now).and_then(|(a, b)| finite(f(a, b)));
    let now = match op {
        Operator::Add => of(|a, b| a + b),
        Operator::Sub => of(|a, b| a - b),
        Operator::Mult => of(|a, b| a * b),
        Operator::Div => of(|a, b| a / b),
        Operator::FloorDiv => of(floor_of_quotient),
        Operator::Mod => of(remainder),
        other => bail!("`{other}` is no arithmetic of the language"),
    };
    Ok(Number::of(op.as_str(), &[a, b], now))
}

/// Of whole numbers that are known before the run, sums, products, `//` and `%` are exact while they fit.
fn of_whole_numbers(op: Operator, a: i64, b: i64) -> Option<i64> {
    let (a, b) = (i128::from(a), i128::from(b));
    let exact = match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mult => a * b,
        Operator::FloorDiv if b != 0 => whole_floor(a, b),
        Operator::Mod if b != 0 => a - b * whole_floor(a, b),
        _ => return None,
    };
    i64::try_from(exact).ok()
}

/// The largest whole number that is not above a ÷ b.
const fn whole_floor(a: i128, b: i128) -> i128 {
    let towards_zero = a / b;
    let is_rounded_up = a % b != 0 && (a < 0) != (b < 0);
    if is_rounded_up { towards_zero - 1 } else { towards_zero }
}

/// Python's `%`: the exact remainder, on the divisor's side of zero, with the divisor's sign where it is zero.
fn remainder(a: f64, b: f64) -> f64 {
    let towards_zero = a % b;
    match towards_zero {
        0.0 => 0.0_f64.copysign(b),
        rest if (rest < 0.0) != (b < 0.0) => rest + b,
        rest => rest,
    }
}

/// Python's `//`: the floor of the quotient. `a` without what is left over is a multiple of b but for rounding, so the
/// nearest whole number is meant: one below it where the quotient went up to zero. A zero has the sign of a ÷ b.
fn floor_of_quotient(a: f64, b: f64) -> f64 {
    let rest = a % b;
    let went_up = rest != 0.0 && (rest < 0.0) != (b < 0.0);
    let multiple = (a - rest) / b - if went_up { 1.0 } else { 0.0 };
    if multiple == 0.0 {
        return 0.0_f64.copysign(a / b);
    }
    let floor = multiple.floor();
    if multiple - floor > 0.5 { floor + 1.0 } else { floor }
}

/// A power is a chain of multiplications from the left; a negative one is 1 ÷ the chain.
pub(crate) fn power(base: Number, exponent: i64) -> Result<Number> {
    let mut product = Number::whole(1);
    for factor in 0..exponent.unsigned_abs() {
        product = if factor == 0 { base } else { arithmetic(Operator::Mult, product, base)? };
    }
    if exponent < 0 { arithmetic(Operator::Div, Number::whole(1), product) } else { Ok(product) }
}

/// `-x`.
pub(crate) fn negative(x: Number) -> Number {
    match x.kind {
        Kind::Whole(value) if value != i64::MIN => Number::whole(-value),
        _ => Number::of("-x", &[x], x.now.map(|x| -x)),
    }
}

/// `abs(x)`.
pub(crate) fn absolute(x: Number) -> Number {
    match x.kind {
        Kind::Whole(value) if value != i64::MIN => Number::whole(value.abs()),
        _ => Number::of("abs", &[x], x.now.map(f64::abs)),
    }
}

/// `sqrt(x)`.
pub(crate) fn root(x: Number) -> Number {
    Number::of("sqrt", &[x], x.now.and_then(|x| finite(x.sqrt())))
}

/// `min(a, b)`: of equal numbers the first.
pub(crate) fn smaller(a: Number, b: Number) -> Number {
    first_unless("min", a, b, |a, b| b < a)
}

/// `max(a, b)`: of equal numbers the first.
pub(crate) fn larger(a: Number, b: Number) -> Number {
    first_unless("max", a, b, |a, b| b > a)
}

fn first_unless(name: &str, a: Number, b: Number, second: fn(f64, f64) -> bool) -> Number {
    let chosen = a.now.zip(b.now).map(|(x, y)| if second(x, y) { b } else { a });
    match chosen {
        Some(chosen) if a.is_constant() && b.is_constant() => chosen,
        _ => Number::computed(chosen.and_then(|chosen| chosen.now), Steps::of(name, &[a.steps, b.steps])),
    }
}

/// `a < b` and its like.
#[expect(clippy::float_cmp, reason = "`==` of the language is the comparison of numbers as they are")]
pub(crate) fn compare(op: CmpOp, a: Number, b: Number) -> Result<Condition> {
    let holds: fn(f64, f64) -> bool = match op {
        CmpOp::Lt => |a, b| a < b,
        CmpOp::LtE => |a, b| a <= b,
        CmpOp::Gt => |a, b| a > b,
        CmpOp::GtE => |a, b| a >= b,
        CmpOp::Eq => |a, b| a == b,
        CmpOp::NotEq => |a, b| a != b,
        other => bail!("`{}` is no comparison of the language", other.as_str()),
    };
    let now = a.now.zip(b.now).map(|(a, b)| holds(a, b));
    Ok(match now {
        Some(value) if a.is_constant() && b.is_constant() => Condition::constant(value),
        _ => Condition::computed(now, Steps::of(op.as_str(), &[a.steps, b.steps])),
    })
}

/// `a and b`: false where a is false, undefined where a is undefined, else b.
pub(crate) const fn both(a: Truth, b: Truth) -> Truth {
    match a {
        Some(true) => b,
        other => other,
    }
}

/// `a or b`: true where a is true, undefined where a is undefined, else b.
pub(crate) const fn either(a: Truth, b: Truth) -> Truth {
    match a {
        Some(false) => b,
        other => other,
    }
}

/// `not a`.
pub(crate) const fn opposite(a: Truth) -> Truth {
    match a {
        Some(a) => Some(!a),
        None => None,
    }
}

/// `a and b` or `a or b`; an operand that is known before the run and hands over to the other leaves it as it is.
pub(crate) fn connect(and: bool, a: Condition, b: Condition) -> Condition {
    match (a.known(), b.known()) {
        (Some(known), _) if known == and => b,
        (Some(_), _) => a,
        (None, Some(known)) if known == and => a,
        _ => {
            let now = if and { both(a.now, b.now) } else { either(a.now, b.now) };
            Condition::computed(now, Steps::of(if and { "and" } else { "or" }, &[a.steps, b.steps]))
        }
    }
}

/// `not a` of a condition.
pub(crate) fn negation(a: Condition) -> Condition {
    match a.known() {
        Some(known) => Condition::constant(!known),
        None => Condition::computed(opposite(a.now), Steps::of("not", &[a.steps])),
    }
}
