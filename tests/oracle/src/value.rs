//! What an expression stands for at one bar.

use crate::decision::{Action, Measure};
use std::hash::{DefaultHasher, Hash, Hasher};

/// False, true, or undefined.
pub(crate) type Truth = Option<bool>;

/// A value of any kind.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Number(Number),
    Condition(Condition),
    Text(String),
    Tuple(Vec<Value>),
    /// `pips(…)` and `distance(…)`.
    Away(Measure, Number),
    /// What is decided at this bar, in order; nothing where the choice of it is undefined.
    Decision(Vec<Action>, Steps),
    /// `None`, `{}` and `[]`.
    Nothing,
    Group(Group),
    /// `regime()`, which is only compared.
    Regime,
}

/// A number at one bar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    /// Its value, if it has one.
    pub(crate) now: Option<f64>,
    pub(crate) kind: Kind,
    pub(crate) steps: Steps,
}

/// What is known of a number beside its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The same at every bar, and whole: arithmetic on it is exact.
    Whole(i64),
    /// The same at every bar.
    Constant,
    /// A price as it is stored, `numerator ÷ denominator`: sums of it are exact.
    Stored { numerator: i64, denominator: i64 },
    /// Anything else.
    Computed,
}

/// A condition at one bar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Condition {
    pub(crate) now: Truth,
    /// The same at every bar.
    pub(crate) constant: bool,
    pub(crate) steps: Steps,
}

/// The steps that a value was made by. The same steps give the same value at every bar: two branches of an `if` leave a
/// name alike where these are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Steps(u64);

/// A name that stands for several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Group {
    Data,
    Bid,
    Ask,
    Mid,
    Time,
    Position,
    Account,
    Strategy,
}

impl Steps {
    pub(crate) fn of(name: &str, parts: &[Self]) -> Self {
        let mut hasher = DefaultHasher::new();
        (name, parts).hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl Number {
    /// A whole number that is known before the run.
    #[expect(clippy::cast_precision_loss, reason = "a whole number becomes the nearest number, as in Python")]
    pub(crate) fn whole(value: i64) -> Self {
        let steps = Steps::of(&format!("whole {value}"), &[]);
        Self { now: Some(value as f64), kind: Kind::Whole(value), steps }
    }

    /// A number that is known before the run. There is one zero: −0 is written as 0.
    pub(crate) fn constant(value: f64) -> Self {
        let value = if value == 0.0 { 0.0 } else { value };
        let steps = Steps::of(&format!("constant {}", value.to_bits()), &[]);
        Self { now: Some(value), kind: Kind::Constant, steps }
    }

    pub(crate) fn computed(now: Option<f64>, steps: Steps) -> Self {
        Self { now, kind: Kind::Computed, steps }
    }

    /// What an operator makes of `operands`: known before the run where they are and the result is defined.
    pub(crate) fn of(name: &str, operands: &[Self], now: Option<f64>) -> Self {
        match now {
            Some(value) if operands.iter().all(|operand| operand.is_constant()) => Self::constant(value),
            _ => Self::computed(
                now,
                Steps::of(name, &operands.iter().map(|operand| operand.steps).collect::<Vec<_>>()),
            ),
        }
    }

    pub(crate) const fn is_constant(&self) -> bool {
        matches!(self.kind, Kind::Whole(_) | Kind::Constant)
    }
}

impl Condition {
    pub(crate) fn constant(value: bool) -> Self {
        Self { now: Some(value), constant: true, steps: Steps::of(&format!("{value}"), &[]) }
    }

    pub(crate) const fn computed(now: Truth, steps: Steps) -> Self {
        Self { now, constant: false, steps }
    }

    /// The value that is known before the run.
    pub(crate) const fn known(&self) -> Truth {
        if self.constant { self.now } else { None }
    }
}

impl Value {
    pub(crate) fn steps(&self) -> Steps {
        match self {
            Self::Number(number) => number.steps,
            Self::Condition(condition) => condition.steps,
            Self::Text(text) => Steps::of(&format!("text {text}"), &[]),
            Self::Tuple(values) => Steps::of("tuple", &values.iter().map(Self::steps).collect::<Vec<_>>()),
            Self::Away(measure, number) => Steps::of(&format!("{measure:?}"), &[number.steps]),
            Self::Decision(_, steps) => *steps,
            Self::Nothing => Steps::of("nothing", &[]),
            Self::Group(group) => Steps::of(&format!("{group:?}"), &[]),
            Self::Regime => Steps::of("regime", &[]),
        }
    }
}

/// `then if condition else otherwise`: undefined where the condition is. `None` for values of different kinds.
pub(crate) fn choose(condition: Condition, then: Value, otherwise: Value) -> Option<Value> {
    let now = condition.now;
    match condition.known() {
        Some(true) => return Some(then),
        Some(false) => return Some(otherwise),
        None => {}
    }
    let steps = Steps::of("choose", &[condition.steps, then.steps(), otherwise.steps()]);
    let number = |then: Number, otherwise: Number| if now? { then.now } else { otherwise.now };
    Some(match (then, otherwise) {
        (Value::Number(a), Value::Number(b)) => Value::Number(Number::computed(number(a, b), steps)),
        (Value::Condition(a), Value::Condition(b)) => {
            let chosen = now.and_then(|now| if now { a.now } else { b.now });
            Value::Condition(Condition::computed(chosen, steps))
        }
        (Value::Away(a_measure, a), Value::Away(b_measure, b)) if a_measure == b_measure => {
            Value::Away(a_measure, Number::computed(number(a, b), steps))
        }
        (Value::Tuple(a), Value::Tuple(b)) if a.len() == b.len() => {
            let pairs = a.into_iter().zip(b);
            Value::Tuple(pairs.map(|(a, b)| choose(condition, a, b)).collect::<Option<_>>()?)
        }
        (Value::Decision(a, _), Value::Decision(b, _)) => Value::Decision(decided(now, a, b), steps),
        (Value::Decision(a, _), Value::Nothing) => Value::Decision(decided(now, a, Vec::new()), steps),
        (Value::Nothing, Value::Decision(b, _)) => Value::Decision(decided(now, Vec::new(), b), steps),
        (a @ (Value::Nothing | Value::Group(_) | Value::Text(_) | Value::Regime), b)
            if a.steps() == b.steps() =>
        {
            a
        }
        _ => return None,
    })
}

fn decided(now: Truth, then: Vec<Action>, otherwise: Vec<Action>) -> Vec<Action> {
    match now {
        Some(true) => then,
        Some(false) => otherwise,
        None => Vec::new(),
    }
}
