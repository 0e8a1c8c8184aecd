//! Statements. Both ways of a choice are walked, at every bar: what they would assign is chosen between afterwards.

use crate::Interpreter;
use crate::arithmetic::{both, either, negation};
use crate::decision::Exact;
use crate::source::Strategy;
use crate::value::{Condition, Group, Kind, Number, Steps, Truth, Value, choose};
use anyhow::{Context, Result, bail, ensure};
use ruff_python_ast::{ElifElseClause, Expr, Stmt, StmtFor, StmtFunctionDef};
use std::collections::BTreeMap;

/// The names of a function and their values.
pub(crate) type Names = BTreeMap<String, Value>;

/// A function under way.
pub(crate) struct Frame {
    pub(crate) names: Names,
    /// Whether control comes here, counted from the function's first line; `None` behind a return that every way takes.
    pub(crate) path: Option<Path>,
    /// Whether the function is called.
    pub(crate) called: Truth,
    /// The returns so far.
    pub(crate) returns: Vec<Returned>,
}

/// A way out of a function.
pub(crate) struct Returned {
    /// Whether it is taken.
    pub(crate) way: Path,
    pub(crate) value: Value,
    /// What the states are there.
    pub(crate) states: Names,
}

/// Whether control comes to a place, and the steps by which that is known.
#[derive(Clone, Copy)]
pub(crate) struct Path {
    pub(crate) now: Truth,
    pub(crate) steps: Steps,
}

impl Path {
    /// The first line of a function.
    pub(crate) fn start() -> Self {
        Self { now: Some(true), steps: Steps::of("start", &[]) }
    }

    pub(crate) const fn condition(self) -> Condition {
        Condition::computed(self.now, self.steps)
    }

    fn under(self, condition: Condition) -> Self {
        Self { now: both(self.now, condition.now), steps: Steps::of("and", &[self.steps, condition.steps]) }
    }

    fn or(self, other: Self) -> Self {
        Self { now: either(self.now, other.now), steps: Steps::of("or", &[self.steps, other.steps]) }
    }
}

impl Frame {
    pub(crate) fn new(names: Names, called: Truth) -> Self {
        Self { names, path: Some(Path::start()), called, returns: Vec::new() }
    }

    pub(crate) fn of_analyze(strategy: &Strategy) -> Result<Self> {
        let parameters = &strategy.analyze()?.parameters.args;
        let groups = [Group::Strategy, Group::Data].map(Value::Group);
        let names = parameters.iter().map(|parameter| parameter.name().to_string()).zip(groups).collect();
        Ok(Self::new(names, Some(true)))
    }
}

impl Interpreter<'_> {
    pub(crate) fn block(&mut self, frame: &mut Frame, body: &StmtFunctionDef) -> Result<()> {
        self.lines(frame, &body.body)
    }

    /// The lines of `body` up to the end, or up to a return that every way takes.
    fn lines(&mut self, frame: &mut Frame, body: &[Stmt]) -> Result<()> {
        for statement in body {
            if frame.path.is_none() {
                break;
            }
            self.statement(frame, statement)?;
        }
        Ok(())
    }

    fn statement(&mut self, frame: &mut Frame, statement: &Stmt) -> Result<()> {
        match statement {
            Stmt::Assign(assign) => {
                let value = self.expression(frame, &assign.value)?;
                for target in &assign.targets {
                    self.bind(frame, target, value.clone())?;
                }
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    let value = self.expression(frame, value)?;
                    self.bind(frame, &assign.target, value)?;
                }
            }
            Stmt::AugAssign(assign) => {
                let before = self.number(frame, &assign.target)?;
                let value = self.number(frame, &assign.value)?;
                let after = self.operator(assign.op, before, value)?;
                self.bind(frame, &assign.target, Value::Number(after))?;
            }
            Stmt::If(choice) => {
                self.branch(frame, &choice.test, &choice.body, &choice.elif_else_clauses)?;
            }
            Stmt::For(repeat) => self.repeat(frame, repeat)?,
            Stmt::Return(returned) => {
                let value = match &returned.value {
                    Some(value) => self.expression(frame, value)?,
                    None => Value::Nothing,
                };
                if let Some(path) = frame.path.take() {
                    frame.returns.push(Returned { way: path, value, states: self.states.clone() });
                }
            }
            Stmt::Expr(line) => self.effect(frame, &line.value)?,
            Stmt::Pass(_) => {}
            _ => bail!("this statement is not in the language"),
        }
        Ok(())
    }

    /// A line that is an expression: a record, a text, or `None`.
    fn effect(&mut self, frame: &Frame, line: &Expr) -> Result<()> {
        if let Expr::Call(call) = line
            && matches!(&*call.func, Expr::Name(name) if name.id == "record")
        {
            let [name, value] = self.arguments(call, ["name", "x"])?;
            let (name, value) = (name.context("record has a name")?, value.context("record has a value")?);
            let Value::Text(name) = self.expression(frame, name)? else { bail!("a series has a name") };
            let value = self.number(frame, value)?;
            let reached = both(frame.called, frame.path.map_or(Some(false), |path| path.now));
            let kept = if reached == Some(true) { value.now.map(Exact) } else { None };
            self.recordings.push((name, kept));
            return Ok(());
        }
        if !line.is_string_literal_expr() {
            self.expression(frame, line)?;
        }
        Ok(())
    }

    /// `if`, `elif`, `else`. A condition that is known before the run takes one branch only.
    fn branch(
        &mut self,
        frame: &mut Frame,
        test: &Expr,
        body: &[Stmt],
        rest: &[ElifElseClause],
    ) -> Result<()> {
        let condition = self.condition(frame, test)?;
        match condition.known() {
            Some(true) => return self.lines(frame, body),
            Some(false) => return self.otherwise(frame, rest),
            None => {}
        }
        let Some(path) = frame.path else { return Ok(()) };
        let (before, states, returned) = (frame.names.clone(), self.states.clone(), frame.returns.len());

        frame.path = Some(path.under(condition));
        self.lines(frame, body)?;
        let (then_names, then_end) = (std::mem::replace(&mut frame.names, before), frame.path);
        let then_states = std::mem::replace(&mut self.states, states);

        frame.path = Some(path.under(negation(condition)));
        self.otherwise(frame, rest)?;
        let (else_names, else_end) = (std::mem::take(&mut frame.names), frame.path);
        let else_states = std::mem::take(&mut self.states);

        (frame.path, frame.names, self.states) = match (then_end, else_end) {
            (None, _) => (else_end, else_names, else_states),
            (Some(_), None) => (then_end, then_names, then_states),
            (Some(then_end), Some(else_end)) => {
                // Where no branch returns, both come here, whatever the condition is.
                let nothing_returned = frame.returns.len() == returned;
                let path = if nothing_returned { path } else { then_end.or(else_end) };
                let names = joined(condition, then_names, else_names);
                (Some(path), names, joined(condition, then_states, else_states))
            }
        };
        Ok(())
    }

    fn otherwise(&mut self, frame: &mut Frame, rest: &[ElifElseClause]) -> Result<()> {
        match rest.split_first() {
            None => Ok(()),
            Some((clause, rest)) => match &clause.test {
                Some(test) => self.branch(frame, test, &clause.body, rest),
                None => self.lines(frame, &clause.body),
            },
        }
    }

    /// `for i in range(…)`: every pass is a place of its own.
    fn repeat(&mut self, frame: &mut Frame, repeat: &StmtFor) -> Result<()> {
        let Expr::Call(call) = &*repeat.iter else { bail!("a loop runs over a range") };
        ensure!(matches!(&*call.func, Expr::Name(name) if name.id == "range"), "a loop runs over a range");
        let mut bounds = Vec::new();
        for bound in self.arguments(call, ["first", "end", "step"])?.into_iter().flatten() {
            bounds.push(self.whole(frame, bound)?);
        }
        let (mut count, end, step) = match *bounds {
            [end] => (0, end, 1),
            [first, end] => (first, end, 1),
            [first, end, step] if step != 0 => (first, end, step),
            _ => bail!("a range has one to three bounds"),
        };
        let mut pass = 0;
        while frame.path.is_some() && if step > 0 { count < end } else { count > end } {
            self.bind(frame, &repeat.target, Value::Number(Number::whole(count)))?;
            self.memory.way.push(pass);
            self.lines(frame, &repeat.body)?;
            self.memory.way.pop();
            (count, pass) = (count + step, pass + 1);
        }
        Ok(())
    }

    /// Gives a name, several names or a state a value.
    fn bind(&mut self, frame: &mut Frame, target: &Expr, value: Value) -> Result<()> {
        match (target, value) {
            (Expr::Name(name), value) => {
                frame.names.insert(name.id.to_string(), value);
            }
            (Expr::Attribute(state), value) => {
                self.states.insert(state.attr.to_string(), value);
            }
            (Expr::Tuple(targets), Value::Tuple(values)) if targets.elts.len() == values.len() => {
                for (target, value) in targets.elts.iter().zip(values) {
                    self.bind(frame, target, value)?;
                }
            }
            _ => bail!("this cannot be assigned to"),
        }
        Ok(())
    }

    /// The whole number that is known before the run.
    pub(crate) fn whole(&mut self, frame: &Frame, expression: &Expr) -> Result<i64> {
        match self.number(frame, expression)?.kind {
            Kind::Whole(value) => Ok(value),
            _ => bail!("a whole number must be known before the run"),
        }
    }
}

/// The names behind two branches: one that both leave alike keeps its value, any other is chosen. What is assigned by
/// one branch only, or in two kinds, is no name any more.
pub(crate) fn joined(condition: Condition, then: Names, mut otherwise: Names) -> Names {
    let mut names = Names::new();
    for (name, a) in then {
        let Some(b) = otherwise.remove(&name) else { continue };
        let alike = std::mem::discriminant(&a) == std::mem::discriminant(&b) && a.steps() == b.steps();
        let chosen = if alike { Some(a) } else { choose(condition, a, b) };
        names.extend(chosen.map(|value| (name, value)));
    }
    names
}
