//! Decisions: what `analyze` returns.

use crate::builtins::{Function, builtin};
use crate::diagnostic::nearest;
use crate::limits::ACTIONS_MAX;
use crate::lower::{Frame, Lowered, Lowering};
use crate::plan::{Action, Direction, Level, Size};
use crate::value::{Alternative, Constant, Value};
use ruff_python_ast::{Expr, ExprDict};
use ruff_text_size::{Ranged, TextRange};

/// What `"action"` of a decision in dict form may be.
const ACTIONS: [&str; 4] = ["buy", "sell", "target", "close"];
const SIZES: [&str; 4] = ["units", "lots", "risk_percent", "equity_percent"];

impl<'a> Lowering<'a, '_> {
    /// `value` of a return as alternatives.
    pub(crate) fn decision(&mut self, value: Value, range: TextRange) -> Lowered<Vec<Alternative>> {
        match value {
            Value::Nothing => Ok(Vec::new()),
            Value::Decision(alternatives) => Ok(alternatives),
            other => {
                let message = format!("`analyze` returns a decision, this is {}", other.kind());
                let hint = "return `buy(…)`, `sell(…)`, `target(…)`, `close()`, a list of them, or `{}`";
                Err(self.report.error_with_hint(range, "decision", message, hint))
            }
        }
    }

    fn always(&mut self, action: Action) -> Value {
        let guard = self.builder.condition(true);
        Value::Decision(vec![Alternative { guard, actions: vec![action] }])
    }

    pub(crate) fn close(&mut self) -> Value {
        self.always(Action::Close)
    }

    pub(crate) fn target(&mut self, frame: &Frame<'a>, bound: &[Option<&'a Expr>]) -> Lowered<Value> {
        let [Some(at)] = *bound else { return Ok(Value::Nothing) };
        let value = self.expression(frame, at)?;
        let units = self.number(&value, at.range())?;
        Ok(self.always(Action::Target { units }))
    }

    /// `buy` and `sell`; `bound` is in the order of their arguments in the table.
    pub(crate) fn entry(
        &mut self,
        frame: &Frame<'a>,
        direction: Direction,
        bound: &[Option<&'a Expr>],
        range: TextRange,
    ) -> Lowered<Value> {
        let argument = |place: usize| bound.get(place).copied().flatten();
        let sizes: Vec<(usize, &Expr)> =
            (0..SIZES.len()).filter_map(|at| argument(at).map(|x| (at, x))).collect();
        let &[(kind, size_at)] = sizes.as_slice() else {
            let message =
                if sizes.is_empty() { "the entry has no size" } else { "the entry has more than one size" };
            let hint = format!("give exactly one of {}", SIZES.join(", "));
            return Err(self.report.error_with_hint(range, "decision", message, hint));
        };
        let value = self.expression(frame, size_at)?;
        self.positive(&value, size_at.range(), SIZES[kind])?;
        let amount = self.number(&value, size_at.range())?;
        let size = match kind {
            0 => Size::Units(amount),
            1 => Size::Lots(amount),
            2 => Size::RiskPercent(amount),
            _ => Size::EquityPercent(amount),
        };
        let stop_loss = self.level(frame, "stop_loss", argument(4))?;
        let take_profit = self.level(frame, "take_profit", argument(5))?;
        if matches!(size, Size::RiskPercent(_)) && stop_loss.is_none() {
            return Err(self.report.error_with_hint(
                range,
                "decision",
                "`risk_percent` needs a stop loss: the size follows from the distance to it",
                "add `stop_loss=pips(25)`, a price, or `distance(x)`",
            ));
        }
        Ok(self.always(Action::Enter { direction, size, stop_loss, take_profit }))
    }

    /// A number is a price; `pips(n)` and `distance(x)` are measured from the fill; `None` is none.
    fn level(&mut self, frame: &Frame<'a>, name: &str, at: Option<&'a Expr>) -> Lowered<Option<Level>> {
        let Some(at) = at else { return Ok(None) };
        match self.expression(frame, at)? {
            Value::Nothing => Ok(None),
            Value::Level(level) => Ok(Some(level)),
            value => {
                self.positive(&value, at.range(), name)?;
                let price = self.number(&value, at.range())?;
                if let Value::Constant(_) = value {
                    self.report.warning(
                        at.range(),
                        "decision",
                        "a number here is a price, and this one never changes",
                        "a distance from the fill is `pips(n)` or `distance(x)`",
                    );
                }
                Ok(Some(Level::Price(price)))
            }
        }
    }

    /// Several decisions at once; they are taken together or not at all.
    pub(crate) fn decision_list(&mut self, frame: &Frame<'a>, elements: &'a [Expr]) -> Lowered<Value> {
        let mut actions = Vec::new();
        for element in elements {
            match self.expression(frame, element)? {
                Value::Nothing => {}
                Value::Decision(alternatives) => {
                    for alternative in alternatives {
                        if self.builder.known_condition(alternative.guard) != Some(true) {
                            return Err(self.report.error_with_hint(
                                element.range(),
                                "decision",
                                "a decision in a list depends on nothing",
                                "return two lists under an `if`",
                            ));
                        }
                        actions.extend(alternative.actions);
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
        let guard = self.builder.condition(true);
        Ok(Value::Decision(vec![Alternative { guard, actions }]))
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
            if name == "action" {
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
        let Some(row) = builtin(&name).filter(|_| ACTIONS.contains(&name.as_str())) else {
            let hint =
                nearest(&name, ACTIONS).unwrap_or_else(|| format!("actions are {}", ACTIONS.join(", ")));
            let message = format!("there is no action `{name}`");
            return Err(self.report.error_with_hint(action.range(), "decision", message, hint));
        };
        let mut bound = vec![None; row.arguments.len()];
        for (name, range, value) in arguments {
            self.bind_named(row, &mut bound, (&name, range), value)?;
        }
        self.check_bound(row, &bound, dict.range)?;
        match row.function {
            Function::Buy => self.entry(frame, Direction::Long, &bound, dict.range),
            Function::Sell => self.entry(frame, Direction::Short, &bound, dict.range),
            Function::Target => self.target(frame, &bound),
            _ => Ok(self.close()),
        }
    }
}
