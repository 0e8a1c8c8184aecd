//! Calls: helpers, and the functions of the language.

use crate::Interpreter;
use crate::arithmetic::{absolute, larger, root, smaller};
use crate::decision::{Measure, decides};
use crate::sessions::in_session;
use crate::statement::Frame;
use crate::value::{Condition, Group, Number, Steps, Value};
use anyhow::{Context, Result, bail, ensure};
use ruff_python_ast::{Expr, ExprCall};

impl Interpreter<'_> {
    pub(crate) fn call(&mut self, frame: &Frame, call: &ExprCall) -> Result<Value> {
        match &*call.func {
            Expr::Name(name) => match self.strategy.function(&name.id) {
                Some(helper) => self.inline(frame, call, helper, None),
                None => self.function(frame, &name.id, call),
            },
            Expr::Attribute(method) => {
                let owner = self.expression(frame, &method.value)?;
                if let Value::Group(Group::Time) = owner {
                    return self.in_session(frame, &method.attr, call).map(Value::Condition);
                }
                ensure!(matches!(owner, Value::Group(Group::Strategy)), "{owner:?} has no methods");
                let function = self.strategy.method(&method.attr).context("no such method")?;
                self.inline(frame, call, function, Some(owner))
            }
            _ => bail!("only functions are called"),
        }
    }

    fn function(&mut self, frame: &Frame, name: &str, call: &ExprCall) -> Result<Value> {
        match name {
            "abs" => Ok(Value::Number(absolute(self.only_number(frame, call)?))),
            "sqrt" => Ok(Value::Number(root(self.only_number(frame, call)?))),
            "min" => self.extreme(frame, call, smaller),
            "max" => self.extreme(frame, call, larger),
            "defined" => self.defined(frame, call).map(Value::Condition),
            "feature" | "pattern" => self.told(frame, name, call),
            "regime" => Ok(Value::Regime),
            "pips" => Ok(Value::Away(Measure::Pips, self.only_number(frame, call)?)),
            "distance" => Ok(Value::Away(Measure::Distance, self.only_number(frame, call)?)),
            decision if decides(decision) => self.decision_call(frame, decision, call),
            indicator => self.indicator(frame, indicator, call),
        }
    }

    /// The arguments of a call in the order of `names`, by place or by name.
    pub(crate) fn arguments<'e, const N: usize>(
        &self,
        call: &'e ExprCall,
        names: [&str; N],
    ) -> Result<[Option<&'e Expr>; N]> {
        let mut found = [None; N];
        ensure!(call.arguments.args.len() <= N, "at most {N} arguments");
        for (slot, argument) in found.iter_mut().zip(&call.arguments.args) {
            *slot = Some(argument);
        }
        for keyword in &call.arguments.keywords {
            let name = keyword.arg.as_deref().unwrap_or_default();
            let place = names.iter().position(|known| *known == name).context("no such argument")?;
            found[place] = Some(&keyword.value);
        }
        Ok(found)
    }

    fn only_number(&mut self, frame: &Frame, call: &ExprCall) -> Result<Number> {
        let argument = call.arguments.args.first();
        let named = call.arguments.keywords.first().map(|keyword| &keyword.value);
        self.number(frame, argument.or(named).context("an argument is missing")?)
    }

    fn extreme(
        &mut self,
        frame: &Frame,
        call: &ExprCall,
        of_two: fn(Number, Number) -> Number,
    ) -> Result<Value> {
        let mut extreme: Option<Number> = None;
        for argument in &call.arguments.args {
            let next = self.number(frame, argument)?;
            extreme = Some(extreme.map_or(next, |before| of_two(before, next)));
        }
        extreme.map(Value::Number).context("arguments are missing")
    }

    /// `data.time.in_session("london")`
    fn in_session(&mut self, frame: &Frame, name: &str, call: &ExprCall) -> Result<Condition> {
        ensure!(name == "in_session", "the time has no method `{name}`");
        let [centre] = self.arguments(call, ["centre"])?;
        let Value::Text(centre) = self.expression(frame, centre.context("which session")?)? else {
            bail!("a centre is a text")
        };
        let is_open = in_session(&centre, self.now.market.time(self.now.bar))?;
        Ok(Condition::computed(Some(is_open), Steps::of(&format!("in session {centre}"), &[])))
    }

    /// Whether there is a value; never undefined itself.
    fn defined(&mut self, frame: &Frame, call: &ExprCall) -> Result<Condition> {
        let [x] = self.arguments(call, ["x"])?;
        let (is_defined, is_constant, steps) = match self.expression(frame, x.context("of what")?)? {
            Value::Number(x) => (x.now.is_some(), x.is_constant(), x.steps),
            Value::Condition(x) => (x.now.is_some(), x.constant, x.steps),
            other => bail!("{other:?} is always defined"),
        };
        if is_constant {
            return Ok(Condition::constant(is_defined));
        }
        Ok(Condition::computed(Some(is_defined), Steps::of("defined", &[steps])))
    }
}
