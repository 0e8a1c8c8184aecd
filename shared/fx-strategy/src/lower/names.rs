//! Names, their attributes, and values of earlier bars.

use crate::builtins::{python_habit, series_habit};
use crate::diagnostic::{Reported, nearest};
use crate::limits::LOOK_BACK_MAX;
use crate::lower::feed::{feed_example, is_feed_call};
use crate::lower::session::{SESSION_EXAMPLE, is_session_call};
use crate::lower::{Frame, Lowered, Lowering};
use crate::plan::{AccountField, ClockField, Node, PositionField, PriceField, SeriesSide};
use crate::value::{Constant, Local, Scope, Value, mixing_hint};
use ruff_python_ast::{ExprAttribute, ExprName, ExprSubscript};
use ruff_text_size::Ranged;

/// Names that stand for a group of values in every function.
const GLOBALS: [(&str, Scope); 2] = [("position", Scope::Position), ("account", Scope::Account)];

impl<'a> Lowering<'a, '_> {
    pub(crate) fn name(&mut self, frame: &Frame<'a>, name: &'a ExprName) -> Lowered<Value> {
        let text = name.id.as_str();
        match frame.locals.get(text) {
            Some(Local::Value(value)) => return Ok(value.clone()),
            Some(Local::Poisoned) => return Err(Reported),
            Some(Local::Unassigned) => {
                return Err(self.report.error_with_hint(
                    name.range,
                    "unassigned",
                    format!("`{text}` may be unassigned here"),
                    "assign it on every path, for example in front of the `if`",
                ));
            }
            Some(Local::Mixed(a, b)) => {
                let message = format!("`{text}` is {a} on one path to here and {b} on another");
                return Err(self.report.error_with_hint(name.range, "type", message, mixing_hint(a, b)));
            }
            None => {}
        }
        if let Some((_, scope)) = GLOBALS.iter().find(|(global, _)| *global == text) {
            return Ok(Value::Scope(*scope));
        }
        let message = format!("unknown name `{text}`");
        let hint = if member(Scope::Data, text).is_some() {
            format!("write `data.{text}`")
        } else if self.is_function(text) {
            format!("`{text}` is a function: call it with brackets")
        } else if self.parameter(text).is_some() || self.cell(text).is_some() {
            format!("a field of the class is read as `self.{text}`")
        } else if let Some(habit) = python_habit(text) {
            habit.to_owned()
        } else {
            let known = frame.locals.keys().copied().chain(GLOBALS.map(|(global, _)| global));
            nearest(text, known).unwrap_or_else(|| format!("assign `{text}` first"))
        };
        Err(self.report.error_with_hint(name.range, "unknown-name", message, hint))
    }

    pub(crate) fn attribute(&mut self, frame: &Frame<'a>, attribute: &'a ExprAttribute) -> Lowered<Value> {
        let name = attribute.attr.as_str();
        let scope = match self.expression(frame, &attribute.value)? {
            Value::Scope(scope) => scope,
            other => {
                let message = format!("{} has no attribute `{name}`", other.kind());
                let hint = series_habit(name).unwrap_or(
                    "the language works with functions: `sma(x, n)`, and with `x[-2]` for one bar ago",
                );
                return Err(self.report.error_with_hint(attribute.range, "unknown-name", message, hint));
            }
        };
        if scope == Scope::Strategy {
            return self.field_of_self(attribute);
        }
        if let Some(found) = member(scope, name) {
            return Ok(match found {
                Member::Node(node) => Value::Number(self.builder.intern(node)),
                Member::Scope(scope) => Value::Scope(scope),
            });
        }
        let message = format!("`{}` has no `{name}`", scope.name());
        let members = members(scope);
        let hint = if is_feed_call(scope, name) {
            format!("call it: {}", feed_example(name))
        } else if is_session_call(scope, name) {
            format!("call it: {SESSION_EXAMPLE}")
        } else {
            nearest(name, members.iter().copied()).unwrap_or_else(|| format!("it has {}", members.join(", ")))
        };
        Err(self.report.error_with_hint(attribute.attr.range, "unknown-name", message, hint))
    }

    fn field_of_self(&mut self, attribute: &ExprAttribute) -> Lowered<Value> {
        let name = attribute.attr.as_str();
        if let Some(value) = self.parameter(name) {
            return Ok(value);
        }
        if let Some(held) = self.cell(name) {
            return held;
        }
        let hint = if self.program.methods.contains_key(name) {
            format!("`{name}` is a method: call it, `self.{name}(…)`")
        } else {
            let parameters = self.program.parameters.iter().map(|spec| spec.name.as_str());
            nearest(name, parameters.chain(self.program.cells.iter().map(|cell| cell.name)))
                .unwrap_or_else(|| format!("declare it in the class: `{name} = 10`"))
        };
        let message = format!("the strategy has no field `{name}`");
        Err(self.report.error_with_hint(attribute.attr.range, "unknown-name", message, hint))
    }

    /// `x[-1]` is now, `x[-2]` one bar ago.
    pub(crate) fn history(&mut self, frame: &Frame<'a>, subscript: &'a ExprSubscript) -> Lowered<Value> {
        let value = self.expression(frame, &subscript.value)?;
        let place = subscript.slice.range();
        let index = match self.expression(frame, &subscript.slice)? {
            Value::Constant(Constant::Integer(index)) => index,
            Value::Constant(Constant::Text(name)) => {
                let hint = format!("write `data.{name}`");
                return Err(self.report.error_with_hint(
                    place,
                    "type",
                    "the index into history is not a text",
                    hint,
                ));
            }
            _ => {
                return Err(self.report.error_with_hint(
                    place,
                    "constant",
                    "the index into history is a constant whole number",
                    "`x[-1]` is now, `x[-2]` one bar ago",
                ));
            }
        };
        if let Value::Tuple(_) = value {
            return Err(self.report.error_with_hint(
                subscript.range,
                "type",
                "several values have no common history",
                "give each a name: `upper, middle, lower = …`, then `upper[-2]`",
            ));
        }
        if index >= 0 {
            let why = if index == 0 {
                "index 0 would be the first bar of the data, which depends on where the data begins"
            } else {
                "a positive index counts from the first bar of the data or looks ahead"
            };
            let hint = "`x[-1]` is now, `x[-2]` one bar ago, `x[-3]` two";
            return Err(self.report.error_with_hint(place, "look-ahead", why, hint));
        }
        let bars = index.unsigned_abs() - 1;
        let Some(bars) = u32::try_from(bars).ok().filter(|bars| *bars <= LOOK_BACK_MAX) else {
            let message = format!("this looks back {bars} bars, at most {LOOK_BACK_MAX} are allowed");
            return Err(self.report.error(place, "limit", message));
        };
        match value {
            value
                if bars == 0
                    && matches!(value, Value::Constant(_) | Value::Number(_) | Value::Condition(_)) =>
            {
                Ok(value)
            }
            Value::Constant(
                constant @ (Constant::Integer(_) | Constant::Number(_) | Constant::Boolean(_)),
            ) => Ok(Value::Constant(constant)),
            Value::Number(x) => Ok(Value::Number(self.builder.lag(x, bars))),
            Value::Condition(x) => Ok(Value::Condition(self.builder.lag(x, bars))),
            Value::Regime => {
                let hint = "ask what it was: `(regime() == \"trending\")[-2]`";
                let message = "a regime has no history";
                Err(self.report.error_with_hint(subscript.range, "type", message, hint))
            }
            other => {
                let message = format!("{} has no history", other.kind());
                Err(self.report.error(subscript.range, "type", message))
            }
        }
    }
}

enum Member {
    Node(Node),
    Scope(Scope),
}

/// The names that `scope` has.
pub(crate) const fn members(scope: Scope) -> &'static [&'static str] {
    match scope {
        Scope::Data => &["open", "high", "low", "close", "volume", "bid", "ask", "mid", "index", "time"],
        Scope::Feed(_) => &["open", "high", "low", "close", "volume", "bid", "ask", "mid"],
        Scope::Side(_) | Scope::FeedSide(..) => &["open", "high", "low", "close"],
        Scope::Time => &["hour", "minute", "weekday", "day", "month", "year"],
        Scope::Position => &["units", "entry_price", "bars", "unrealized_pips"],
        Scope::Account => &["equity", "balance"],
        Scope::Strategy => &[],
    }
}

fn member(scope: Scope, name: &str) -> Option<Member> {
    let field = match name {
        "open" => Some(PriceField::Open),
        "high" => Some(PriceField::High),
        "low" => Some(PriceField::Low),
        "close" => Some(PriceField::Close),
        _ => None,
    };
    let side = match name {
        "bid" => Some(SeriesSide::Bid),
        "ask" => Some(SeriesSide::Ask),
        "mid" => Some(SeriesSide::Mid),
        _ => None,
    };
    let price = |side: SeriesSide| Some(Member::Node(Node::Price { side, field: field? }));
    let feed_price = |feed, side| Some(Member::Node(Node::FeedPrice { feed, side, field: field? }));
    let node = |node| Some(Member::Node(node));
    match (scope, name) {
        (Scope::Data, "volume") => node(Node::Volume),
        (Scope::Data, _) if side.is_some() => side.map(|side| Member::Scope(Scope::Side(side))),
        (Scope::Feed(feed), "volume") => node(Node::FeedVolume { feed }),
        (Scope::Feed(feed), _) if side.is_some() => {
            side.map(|side| Member::Scope(Scope::FeedSide(feed, side)))
        }
        (Scope::Feed(feed), _) => feed_price(feed, SeriesSide::Signal),
        (Scope::FeedSide(feed, side), _) => feed_price(feed, side),
        (Scope::Data, "time") => Some(Member::Scope(Scope::Time)),
        (Scope::Data, "index") => node(Node::Clock(ClockField::Index)),
        (Scope::Data, _) => price(SeriesSide::Signal),
        (Scope::Side(side), _) => price(side),
        (Scope::Time, "hour") => node(Node::Clock(ClockField::Hour)),
        (Scope::Time, "minute") => node(Node::Clock(ClockField::Minute)),
        (Scope::Time, "weekday") => node(Node::Clock(ClockField::Weekday)),
        (Scope::Time, "day") => node(Node::Clock(ClockField::Day)),
        (Scope::Time, "month") => node(Node::Clock(ClockField::Month)),
        (Scope::Time, "year") => node(Node::Clock(ClockField::Year)),
        (Scope::Position, "units") => node(Node::Position(PositionField::Units)),
        (Scope::Position, "entry_price") => node(Node::Position(PositionField::EntryPrice)),
        (Scope::Position, "bars") => node(Node::Position(PositionField::Bars)),
        (Scope::Position, "unrealized_pips") => node(Node::Position(PositionField::UnrealizedPips)),
        (Scope::Account, "equity") => node(Node::Account(AccountField::Equity)),
        (Scope::Account, "balance") => node(Node::Account(AccountField::Balance)),
        _ => None,
    }
}
