//! Decisions: what `analyze` returns.

use crate::builtins::{BUILTINS, Builtin, Function, builtin};
use crate::diagnostic::nearest;
use crate::limits::ACTIONS_MAX;
use crate::lower::{Frame, Lowered, Lowering};
use crate::plan::{Action, Direction, Exits, NodeId, Portion};
use crate::value::{Alternative, Constant, Shared, Value};
use ruff_python_ast::{Expr, ExprDict};
use ruff_text_size::{Ranged, TextRange};

const PORTIONS: [&str; 3] = ["units", "lots", "percent"];

/// What a decision was called with.
pub(crate) struct Given<'b, 'a> {
    /// The function.
    pub(crate) row: &'static Builtin,
    /// The argument for each of the function's, in the function's order.
    pub(crate) bound: &'b [Option<&'a Expr>],
    /// The whole call or dict.
    pub(crate) range: TextRange,
}

impl<'a> Given<'_, 'a> {
    /// The argument `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Expr> {
        let place = self.row.arguments.iter().position(|argument| argument.name == name)?;
        self.bound.get(place).copied().flatten()
    }
}

/// How the decision that a text names is written.
fn decision_named(text: &str) -> Option<String> {
    let name = text.to_lowercase();
    let row = builtin(&name).filter(|row| row.function.is_decision())?;
    let arguments = match row.function {
        Function::Buy | Function::Sell => "units=1000",
        _ if row.arguments.is_empty() => "",
        _ => "…",
    };
    Some(format!("write `return {name}({arguments})`"))
}

impl<'a> Lowering<'a, '_> {
    /// `value` of a return as alternatives.
    pub(crate) fn decision(&mut self, value: Value, range: TextRange) -> Lowered<Shared<[Alternative]>> {
        match value {
            Value::Nothing => Ok(Vec::new().into()),
            Value::Decision(alternatives) => Ok(alternatives),
            other => {
                let message = format!("`analyze` returns a decision, this is {}", other.kind());
                let hint = match &other {
                    Value::Constant(Constant::Text(text)) => decision_named(text),
                    _ => None,
                };
                let hint = hint.unwrap_or_else(|| {
                    "return `buy(…)`, `sell(…)`, `close()` or another decision, a list of them, or `{}`"
                        .to_owned()
                });
                Err(self.report.error_with_hint(range, "decision", message, hint))
            }
        }
    }

    /// The decision that a call or a dict names.
    pub(crate) fn decide(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        match given.row.function {
            Function::Buy => self.entry(frame, Direction::Long, given),
            Function::Sell => self.entry(frame, Direction::Short, given),
            Function::Order => self.order(frame, given),
            Function::Target => self.target(frame, given),
            Function::ClosePartial => self.close_partial(frame, given),
            Function::Cancel => self.cancel(frame, given),
            Function::Modify => self.modify(frame, given),
            _ => Ok(self.always(Action::Close)),
        }
    }

    pub(crate) fn always(&mut self, action: Action) -> Value {
        self.always_all(vec![action])
    }

    fn always_all(&mut self, actions: Vec<Action>) -> Value {
        let guard = self.builder.condition(true);
        Value::Decision(vec![Alternative { guard, actions: actions.into() }].into())
    }

    fn target(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        let Some(at) = given.get("units") else { return Ok(Value::Nothing) };
        let value = self.expression(frame, at)?;
        let units = self.number(&value, at.range())?;
        Ok(self.always(Action::Target { units }))
    }

    fn close_partial(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        let (kind, amount) = self.amount(frame, given, &PORTIONS, "the part")?;
        let portion = match kind {
            "units" => Portion::Units(amount),
            "lots" => Portion::Lots(amount),
            _ => Portion::Percent(amount),
        };
        if let (Portion::Percent(_), Some(percent)) = (portion, self.builder.known_number(amount))
            && percent > 100.0
        {
            let range = given.get(kind).map_or(given.range, Ranged::range);
            let message = "`percent` is at most 100, the whole position";
            return Err(self.report.error_with_hint(range, "decision", message, "all of it is `close()`"));
        }
        Ok(self.always(Action::ClosePartial(portion)))
    }

    fn cancel(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        let label = self.named_label(frame, given)?;
        Ok(self.always(Action::Cancel { label }))
    }

    fn modify(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        let label = self.named_label(frame, given)?;
        let price = self.level(frame, given, "price")?;
        let exits = self.exits(frame, given)?;
        match (price, given.get("label")) {
            (None, _) if exits == Exits::default() => {
                return Err(self.report.error_with_hint(
                    given.range,
                    "decision",
                    "this changes nothing",
                    "give at least one of price, stop_loss, take_profit, trailing",
                ));
            }
            (None, Some(at)) if label.is_some() => self.report.warning(
                at.range(),
                "decision",
                "a label names waiting orders, and only `price` changes these",
                "add `price=…`, or leave the label out: the exits are those of the open position",
            ),
            _ => {}
        }
        Ok(self.always(Action::Modify { label, price, exits }))
    }

    /// The one of `names` that is given, and its amount.
    pub(crate) fn amount(
        &mut self,
        frame: &Frame<'a>,
        given: &Given<'_, 'a>,
        names: &[&'static str],
        what: &str,
    ) -> Lowered<(&'static str, NodeId)> {
        let mut found = names.iter().filter_map(|&name| given.get(name).map(|at| (name, at)));
        let (Some((name, at)), None) = (found.next(), found.next()) else {
            let many = names.iter().any(|name| given.get(name).is_some());
            let message = format!("{what} has {}", if many { "more than one size" } else { "no size" });
            let hint = format!("give exactly one of {}", names.join(", "));
            return Err(self.report.error_with_hint(given.range, "decision", message, hint));
        };
        let value = self.expression(frame, at)?;
        self.positive(&value, at.range(), name)?;
        Ok((name, self.number(&value, at.range())?))
    }

    /// Several decisions at once; they are taken together or not at all.
    pub(crate) fn decision_list(&mut self, frame: &Frame<'a>, elements: &'a [Expr]) -> Lowered<Value> {
        let mut actions = Vec::new();
        for element in elements {
            match self.expression(frame, element)? {
                Value::Nothing => {}
                Value::Decision(alternatives) => {
                    for alternative in &*alternatives {
                        if self.builder.known_condition(alternative.guard) != Some(true) {
                            return Err(self.report.error_with_hint(
                                element.range(),
                                "decision",
                                "a decision in a list depends on nothing",
                                "return two lists under an `if`",
                            ));
                        }
                        actions.extend_from_slice(&alternative.actions);
                    }
                }
                other => {
                    let message = format!("a list holds decisions, this is {}", other.kind());
                    return Err(self.report.error(element.range(), "decision", message));
                }
            }
        }
        if actions.len() > ACTIONS_MAX {
            let range = elements.iter().map(Ranged::range).reduce(TextRange::cover).unwrap_or_default();
            let message = format!("{} decisions at once, at most {ACTIONS_MAX} are allowed", actions.len());
            return Err(self.report.error(range, "limit", message));
        }
        if actions.is_empty() {
            return Ok(Value::Nothing);
        }
        Ok(self.always_all(actions))
    }

    /// `{"action": "buy", "units": 1000}` is `buy(units=1000)`; `{}` is nothing.
    pub(crate) fn decision_dict(&mut self, frame: &Frame<'a>, dict: &'a ExprDict) -> Lowered<Value> {
        if dict.items.is_empty() {
            return Ok(Value::Nothing);
        }
        let mut action = None;
        let mut arguments = Vec::new();
        for item in &dict.items {
            let Some(key) = &item.key else { continue };
            let Value::Constant(Constant::Text(name)) = self.expression(frame, key)? else {
                return Err(self.report.error(key.range(), "decision", "the keys of a decision are texts"));
            };
            if &*name == "action" {
                if action.replace(&item.value).is_some() {
                    return Err(self.report.error(key.range(), "decision", "`action` is given twice"));
                }
            } else {
                arguments.push((name, key.range(), &item.value));
            }
        }
        let Some(action) = action else {
            let hint = "write `{\"action\": \"buy\", \"units\": 1000}`, or `{}` for nothing";
            return Err(self.report.error_with_hint(
                dict.range,
                "decision",
                "this decision has no `action`",
                hint,
            ));
        };
        let name = match self.expression(frame, action)? {
            Value::Constant(Constant::Text(name)) => name,
            other => {
                let message = format!("an action is a text, this is {}", other.kind());
                return Err(self.report.error(action.range(), "decision", message));
            }
        };
        let Some(row) = builtin(&name).filter(|row| row.function.is_decision()) else {
            let actions = || BUILTINS.iter().filter(|row| row.function.is_decision()).map(|row| row.name);
            let hint = nearest(&name, actions())
                .unwrap_or_else(|| format!("actions are {}", actions().collect::<Vec<_>>().join(", ")));
            let message = format!("there is no action `{name}`");
            return Err(self.report.error_with_hint(action.range(), "decision", message, hint));
        };
        let mut bound = vec![None; row.arguments.len()];
        for (name, range, value) in arguments {
            self.bind_named(row, &mut bound, (&name, range), value)?;
        }
        self.check_bound(row, &bound, dict.range)?;
        self.decide(frame, &Given { row, bound: &bound, range: dict.range })
    }
}
