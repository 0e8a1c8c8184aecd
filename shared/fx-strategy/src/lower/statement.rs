//! Statements: assignments, branches, unrolled loops, returns.

use crate::builtins::{Function, builtin};
use crate::diagnostic::Reported;
use crate::limits::{LOCALS_MAX, RECORDING_NAME_MAX, RECORDINGS_MAX, UNROLL_MAX};
use crate::lower::{Frame, Lowered, Lowering, Return};
use crate::plan::{Binary, NodeId, Recording};
use crate::value::{Constant, Local, Locals, Value};
use ruff_python_ast::{ElifElseClause, Expr, ExprCall, Stmt, StmtFor};
use ruff_text_size::{Ranged, TextRange};

/// What else an `if` has: its `elif` and `else` clauses that are still to come.
type Clauses<'a> = &'a [ElifElseClause];

impl<'a> Lowering<'a, '_> {
    /// Lowers `body` up to its end or its return.
    pub(crate) fn block(&mut self, frame: &mut Frame<'a>, body: &'a [Stmt]) {
        for statement in body {
            if frame.path.is_none() {
                self.report.warning(
                    statement.range(),
                    "no-effect",
                    "this is never reached",
                    "each way to here has returned before",
                );
                return;
            }
            if self.enter(statement).is_err() {
                return;
            }
            // An error is recorded; the statements behind it may have more to say.
            let _reported = self.statement(frame, statement);
            self.leave();
            if self.within_limits(statement.range()).is_err() {
                return;
            }
        }
    }

    fn statement(&mut self, frame: &mut Frame<'a>, statement: &'a Stmt) -> Lowered<()> {
        match statement {
            Stmt::Assign(assign) => {
                let value = self.expression(frame, &assign.value);
                for target in &assign.targets {
                    self.assign(frame, target, value.clone())?;
                }
                Ok(())
            }
            Stmt::AnnAssign(assign) => match &assign.value {
                Some(value) => {
                    let value = self.expression(frame, value);
                    self.assign(frame, &assign.target, value)
                }
                None => Ok(()),
            },
            Stmt::AugAssign(assign) => {
                let value = self.expression(frame, &assign.target).and_then(|a| {
                    let b = self.expression(frame, &assign.value)?;
                    self.arithmetic(assign.op, (&a, assign.target.range()), (&b, assign.value.range()))
                });
                self.assign(frame, &assign.target, value)
            }
            Stmt::If(choice) => self.branch(frame, &choice.test, &choice.body, &choice.elif_else_clauses),
            Stmt::For(repeat) => self.repeat(frame, repeat),
            Stmt::Return(returned) => {
                let value = match &returned.value {
                    Some(value) => self.expression(frame, value),
                    None => Ok(Value::Nothing),
                };
                if let (Some(path), Ok(value)) = (frame.path.take(), value) {
                    let cells = self.cells.clone();
                    frame.returns.push(Return { path, value, range: returned.range, cells });
                }
                Ok(())
            }
            Stmt::Expr(expression) => self.effect(frame, &expression.value),
            _ => Ok(()),
        }
    }

    /// A statement that is an expression: `record(…)` or a docstring, else most likely a forgotten `return`.
    fn effect(&mut self, frame: &Frame<'a>, expression: &'a Expr) -> Lowered<()> {
        if expression.is_string_literal_expr() {
            return Ok(());
        }
        if let Expr::Call(call) = expression
            && let Expr::Name(name) = &*call.func
        {
            match builtin(&name.id).map(|row| row.function) {
                Some(Function::Record) => return self.record(frame, call),
                Some(function) if function.is_decision() => {
                    let hint = format!("write `return {}(…)`", name.id);
                    let message = "a decision counts only when it is returned";
                    return Err(self.report.error_with_hint(call.range(), "no-effect", message, hint));
                }
                _ => {}
            }
        }
        let value = self.expression(frame, expression)?;
        if value == Value::Nothing {
            return Ok(());
        }
        let hint = "assign it to a name, or return it";
        Err(self.report.error_with_hint(expression.range(), "no-effect", "this line has no effect", hint))
    }

    /// A recorded series has a gap where control does not reach the recording.
    fn record(&mut self, frame: &Frame<'a>, call: &'a ExprCall) -> Lowered<()> {
        let Some(row) = builtin("record") else { return Ok(()) };
        let bound = self.bind(call, &call.arguments.args, row)?;
        let [Some(name_at), Some(value_at)] = *bound.as_slice() else { return Ok(()) };
        let Value::Constant(Constant::Text(name)) = self.expression(frame, name_at)? else {
            let hint = "write `record(\"fast\", fast)`";
            return Err(self.report.error_with_hint(
                name_at.range(),
                "argument",
                "the name of a series is a text",
                hint,
            ));
        };
        let value = self.expression(frame, value_at)?;
        let mut value = self.number(&value, value_at.range())?;
        if let Some(path) = frame.path {
            let path = self.builder.and(frame.outer, path);
            if self.builder.known_condition(path) != Some(true) {
                let zero = self.builder.number(0.0);
                let undefined = self.builder.binary(Binary::Div, zero, zero);
                value = self.builder.select(path, value, undefined);
            }
        }
        let fault = if name.is_empty() || name.len() > RECORDING_NAME_MAX {
            format!("the name of a series has 1 to {RECORDING_NAME_MAX} bytes")
        } else if self.recordings.iter().any(|recording| recording.name == *name) {
            format!("`{name}` is recorded twice")
        } else if self.recordings.len() >= RECORDINGS_MAX {
            let message = format!("too many series, at most {RECORDINGS_MAX} are allowed");
            return Err(self.report.error(name_at.range(), "limit", message));
        } else {
            self.recordings.push(Recording { name: name.to_string(), value });
            return Ok(());
        };
        Err(self.report.error(name_at.range(), "argument", fault))
    }

    fn assign(&mut self, frame: &mut Frame<'a>, target: &'a Expr, value: Lowered<Value>) -> Lowered<()> {
        match target {
            Expr::Name(name) => {
                let text = name.id.as_str();
                if frame.locals.len() >= LOCALS_MAX && !frame.locals.contains_key(text) {
                    return Err(self.overflow(name.range, &format!("more than {LOCALS_MAX} local names")));
                }
                let local = value.map_or(Local::Poisoned, Local::Value);
                frame.locals.insert(text, local);
                Ok(())
            }
            Expr::Tuple(targets) => {
                let values = match value {
                    Ok(Value::Tuple(values)) if values.len() == targets.elts.len() => {
                        values.iter().cloned().map(Ok).collect()
                    }
                    Ok(other) => {
                        let given = match &other {
                            Value::Tuple(values) => format!("{} values", values.len()),
                            other => other.kind().to_owned(),
                        };
                        let message = format!("{} names are assigned from {given}", targets.elts.len());
                        let hint = match other {
                            Value::Tuple(_) => "give each a name, `_` where it is not needed",
                            _ => "one value has one name",
                        };
                        let reported = self.report.error_with_hint(target.range(), "type", message, hint);
                        vec![Err(reported); targets.elts.len()]
                    }
                    Err(reported) => vec![Err(reported); targets.elts.len()],
                };
                for (target, value) in targets.elts.iter().zip(values) {
                    self.assign(frame, target, value)?;
                }
                Ok(())
            }
            Expr::Attribute(attribute) => self.assign_cell(frame, attribute, value),
            other => Err(self.report.error(other.range(), "not-in-language", "assign to a name")),
        }
    }

    /// Both branches are lowered and joined; one whose condition is known when the strategy is compiled is taken alone.
    fn branch(
        &mut self,
        frame: &mut Frame<'a>,
        test: &'a Expr,
        body: &'a [Stmt],
        rest: Clauses<'a>,
    ) -> Lowered<()> {
        let tested = self.expression(frame, test).and_then(|value| self.condition(&value, test.range()));
        let Some(path) = frame.path else { return Ok(()) };
        let Ok(condition) = tested else {
            // The branches are still looked at; what they assign is not relied upon.
            let before = frame.locals.clone();
            self.block(frame, body);
            let then = std::mem::replace(&mut frame.locals, before.clone());
            frame.path = Some(path);
            let _reported = self.otherwise(frame, rest);
            frame.path = Some(path);
            let otherwise = std::mem::take(&mut frame.locals);
            for name in then.keys().chain(otherwise.keys()) {
                let untouched = before
                    .get(name)
                    .filter(|local| then.get(name) == Some(*local) && otherwise.get(name) == Some(*local));
                frame.locals.insert(name, untouched.cloned().unwrap_or(Local::Poisoned));
            }
            return Err(Reported);
        };
        match self.builder.known_condition(condition) {
            Some(true) => {
                self.block(frame, body);
                return Ok(());
            }
            Some(false) => return self.otherwise(frame, rest),
            None => {}
        }
        let opposite = self.builder.not(condition);
        let then_path = self.builder.and(path, condition);
        let else_path = self.builder.and(path, opposite);
        let (before, cells) = (frame.locals.clone(), self.cells.clone());
        frame.path = Some(then_path);
        self.block(frame, body);
        let then_locals = std::mem::replace(&mut frame.locals, before);
        let then_cells = std::mem::replace(&mut self.cells, cells);
        let then_end = frame.path.replace(else_path);
        let elsewhere = self.otherwise(frame, rest);
        match (then_end, frame.path) {
            (None, _) => {}
            (Some(_), None) => {
                frame.path = then_end;
                frame.locals = then_locals;
                self.cells = then_cells;
            }
            (Some(then_end), Some(else_end)) => {
                let untouched = then_end == then_path && else_end == else_path;
                frame.path =
                    Some(if untouched { path } else { self.builder.binary(Binary::Or, then_end, else_end) });
                let else_locals = std::mem::take(&mut frame.locals);
                frame.locals = self.join(condition, then_locals, else_locals);
                let else_cells = std::mem::take(&mut self.cells);
                self.cells = self.join(condition, then_cells, else_cells);
            }
        }
        elsewhere
    }

    fn otherwise(&mut self, frame: &mut Frame<'a>, rest: Clauses<'a>) -> Lowered<()> {
        let Some((clause, rest)) = rest.split_first() else { return Ok(()) };
        self.enter(clause)?;
        let outcome = match &clause.test {
            Some(test) => self.branch(frame, test, &clause.body, rest),
            None => {
                self.block(frame, &clause.body);
                Ok(())
            }
        };
        self.leave();
        outcome
    }

    /// The names behind two branches. One with the same value on both sides keeps it, whatever the condition is.
    pub(super) fn join(
        &mut self,
        condition: NodeId,
        then: Locals<'a>,
        mut otherwise: Locals<'a>,
    ) -> Locals<'a> {
        let mut joined = Locals::new();
        for (name, a) in then {
            let local = match (a, otherwise.remove(name)) {
                (Local::Poisoned, _) | (_, Some(Local::Poisoned)) => Local::Poisoned,
                (a, Some(b)) if a == b => a,
                (Local::Value(a), Some(Local::Value(b))) => {
                    let kinds = (a.kind(), b.kind());
                    self.choose(condition, a, b).map_or(Local::Mixed(kinds.0, kinds.1), Local::Value)
                }
                (mixed @ Local::Mixed(..), Some(_)) | (_, Some(mixed @ Local::Mixed(..))) => mixed,
                _ => Local::Unassigned,
            };
            joined.insert(name, local);
        }
        for (name, b) in otherwise {
            joined.insert(name, if b == Local::Poisoned { b } else { Local::Unassigned });
        }
        joined
    }

    fn repeat(&mut self, frame: &mut Frame<'a>, repeat: &'a StmtFor) -> Lowered<()> {
        let Expr::Name(_) = &*repeat.target else {
            let message = "a loop counts with one name: `for i in range(N)`";
            return Err(self.report.error(repeat.target.range(), "not-in-language", message));
        };
        let [first, end, step] = match self.loop_bounds(frame, &repeat.iter) {
            Ok(bounds) => bounds,
            Err(reported) => return self.assign(frame, &repeat.target, Err(reported)),
        };
        let mut count = first;
        while (step > 0 && count < end) || (step < 0 && count > end) {
            self.unrolled += 1;
            if self.unrolled > UNROLL_MAX {
                let message = format!("the loops of a strategy have more than {UNROLL_MAX} passes together");
                return Err(self.overflow(repeat.iter.range(), &message));
            }
            self.assign(frame, &repeat.target, Ok(Value::Constant(Constant::Integer(count))))?;
            self.block(frame, &repeat.body);
            if self.stopped || frame.path.is_none() {
                break;
            }
            let Some(next) = count.checked_add(step) else { break };
            count = next;
        }
        Ok(())
    }

    fn loop_bounds(&mut self, frame: &Frame<'a>, iterated: &'a Expr) -> Lowered<[i64; 3]> {
        let range = iterated.range();
        let hint = "write `for i in range(N)` with a constant N or a parameter";
        let Expr::Call(call) = iterated else {
            return Err(self.report.error_with_hint(
                range,
                "not-in-language",
                "a loop runs over `range(N)` only",
                hint,
            ));
        };
        let is_range = matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "range");
        let Some(row) = builtin("range").filter(|_| is_range) else {
            return Err(self.report.error_with_hint(
                range,
                "not-in-language",
                "a loop runs over `range(N)` only",
                hint,
            ));
        };
        let mut bounds = [None; 3];
        for (slot, argument) in bounds.iter_mut().zip(self.bind(call, &call.arguments.args, row)?) {
            if let Some(argument) = argument {
                *slot = Some(self.whole_number(frame, argument, hint)?);
            }
        }
        match bounds {
            [Some(first), Some(end), step] if step != Some(0) => Ok([first, end, step.unwrap_or(1)]),
            [Some(count), None, _] => Ok([0, count, 1]),
            _ => Err(self.report.error(range, "constant", "the step of a range is not 0")),
        }
    }

    /// The whole number that `expression` is when the strategy is compiled.
    pub(crate) fn whole_number(
        &mut self,
        frame: &Frame<'a>,
        expression: &'a Expr,
        hint: &str,
    ) -> Lowered<i64> {
        let range: TextRange = expression.range();
        match self.expression(frame, expression)? {
            Value::Constant(Constant::Integer(value)) => Ok(value),
            Value::Constant(Constant::Number(value)) => {
                let message = format!("{value:?} is not a whole number");
                Err(self.report.error_with_hint(
                    range,
                    "constant",
                    message,
                    "`//` divides without a fraction",
                ))
            }
            other => {
                let message = match other {
                    Value::Number(_) => {
                        "this must be known before the run, not change from bar to bar".to_owned()
                    }
                    other => format!("a constant whole number is needed here, this is {}", other.kind()),
                };
                Err(self.report.error_with_hint(range, "constant", message, hint))
            }
        }
    }
}
