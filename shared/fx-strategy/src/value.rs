//! What an expression stands for while it is lowered.

use crate::plan::{Action, Level, NodeId};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

/// Known when the strategy is compiled.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constant {
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(Shared<str>),
}

impl Constant {
    /// As a number; a truth value and a text are none.
    #[expect(clippy::cast_precision_loss, reason = "a whole number becomes the nearest number, as in Python")]
    pub(crate) const fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            Self::Number(value) => Some(*value),
            Self::Boolean(_) | Self::Text(_) => None,
        }
    }
}

/// The part of the surroundings that a name such as `data.bid` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// `data`
    Data,
    /// `data.bid` and its like.
    Side(crate::plan::SeriesSide),
    /// `data.timeframe(…)`, `data.instrument(…)`
    Feed(crate::plan::Feed),
    /// One side of such bars.
    FeedSide(crate::plan::Feed, crate::plan::SeriesSide),
    /// `data.time`
    Time,
    /// `position`
    Position,
    /// `account`
    Account,
    /// `self`
    Strategy,
}

/// Bars that an indicator reads by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BarsRead {
    /// Other bars than the strategy's own.
    pub(crate) feed: Option<crate::plan::Feed>,
    /// Which side of the quote.
    pub(crate) side: crate::plan::SeriesSide,
}

impl BarsRead {
    /// `data`
    pub(crate) const OWN: Self = Self { feed: None, side: crate::plan::SeriesSide::Signal };
}

impl Scope {
    /// The bars that it stands for, if so.
    pub(crate) const fn bars(self) -> Option<BarsRead> {
        match self {
            Self::Data => Some(BarsRead::OWN),
            Self::Side(side) => Some(BarsRead { feed: None, side }),
            Self::Feed(feed) => Some(BarsRead { feed: Some(feed), side: crate::plan::SeriesSide::Signal }),
            Self::FeedSide(feed, side) => Some(BarsRead { feed: Some(feed), side }),
            Self::Time | Self::Position | Self::Account | Self::Strategy => None,
        }
    }

    /// How the source writes it.
    pub(crate) const fn name(self) -> &'static str {
        use crate::plan::SeriesSide;
        match self {
            Self::Data => "data",
            Self::Side(SeriesSide::Signal) => "data",
            Self::Side(SeriesSide::Bid) => "data.bid",
            Self::Side(SeriesSide::Ask) => "data.ask",
            Self::Side(SeriesSide::Mid) => "data.mid",
            Self::Feed(feed) if feed.granularity.is_some() => "data.timeframe(…)",
            Self::Feed(_) => "data.instrument(…)",
            Self::FeedSide(..) => "this side of the quote",
            Self::Time => "data.time",
            Self::Position => "position",
            Self::Account => "account",
            Self::Strategy => "self",
        }
    }
}

/// Decisions that are taken where `guard` holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Alternative {
    pub(crate) guard: NodeId,
    pub(crate) actions: Shared<[Action]>,
}

/// What copies of a value share. Names are copied and compared at every branch, and that costs the same whatever they
/// hold.
#[derive(Debug)]
pub(crate) struct Shared<T: ?Sized>(Rc<T>);

impl<T: ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T: ?Sized> Deref for Shared<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized, U: Into<Rc<T>>> From<U> for Shared<T> {
    fn from(held: U) -> Self {
        Self(held.into())
    }
}

impl fmt::Display for Shared<str> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

/// What is shared is equal without a look at it: nothing here holds a number that differs from itself.
impl<T: ?Sized + PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

/// What an expression stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Constant(Constant),
    Number(NodeId),
    Condition(NodeId),
    /// None of them several values itself.
    Tuple(Shared<[Value]>),
    /// `pips(…)` and `distance(…)`.
    Level(Level),
    /// Alternatives whose guards exclude each other.
    Decision(Shared<[Alternative]>),
    /// `None`, `{}` and `[]`.
    Nothing,
    Scope(Scope),
    /// `regime()`: a name that is not known before the run.
    Regime,
}

impl Value {
    /// Its kind, as a message names it.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Constant(Constant::Integer(_) | Constant::Number(_)) | Self::Number(_) => "a number",
            Self::Constant(Constant::Boolean(_)) | Self::Condition(_) => "a condition",
            Self::Constant(Constant::Text(_)) => "a text",
            Self::Tuple(_) => "several values",
            Self::Level(Level::Pips(_)) => "a distance in pips",
            Self::Level(_) => "a distance in price",
            Self::Decision(_) => "a decision",
            Self::Nothing => "nothing",
            Self::Scope(_) => "a group of values",
            Self::Regime => "a regime",
        }
    }
}

/// What to do about two values of these kinds, as [`Value::kind`] names them, that are not chosen between.
pub(crate) fn mixing_hint(a: &str, b: &str) -> &'static str {
    match (a, b) {
        ("a text", "a text") => "a text is known before the run: choose between whole decisions",
        ("a distance in pips", "a distance in price") | ("a distance in price", "a distance in pips") => {
            "`pips(n)` and `distance(x)` do not mix: use one of them"
        }
        ("nothing", _) | (_, "nothing") => "give both a value, or choose between whole decisions",
        _ => "make both of one kind",
    }
}

/// What a local name stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Local {
    Value(Value),
    /// Assigned on some paths to here only.
    Unassigned,
    /// Two kinds on two paths to here.
    Mixed(&'static str, &'static str),
    /// Its assignment is in error already.
    Poisoned,
}

/// The local names of a function.
pub(crate) type Locals<'a> = BTreeMap<&'a str, Local>;
