//! Calls: which function is meant, which argument is which, and helpers inlined.

use crate::builtins::{BUILTINS, Builtin, Function, builtin, python_habit, series_habit};
use crate::diagnostic::nearest;
use crate::limits::INLINE_DEPTH_MAX;
use crate::lower::decision::Given;
use crate::lower::expression::constant_of;
use crate::lower::feed::is_feed_call;
use crate::lower::session::is_session_call;
use crate::lower::{Frame, Lowered, Lowering};
use crate::plan::{Binary, Level, Unary};
use crate::value::{BarsRead, Constant, Local, Locals, Scope, Value, mixing_hint};
use ruff_python_ast::{Expr, ExprCall, Identifier, StmtFunctionDef};
use ruff_text_size::{Ranged, TextRange};

impl<'a> Lowering<'a, '_> {
    /// What a call stands for.
    pub(crate) fn call(&mut self, frame: &Frame<'a>, call: &'a ExprCall) -> Lowered<Value> {
        match &*call.func {
            Expr::Name(name) => {
                let text = name.id.as_str();
                if frame.locals.contains_key(text) {
                    let message = format!("`{text}` is a local value here and hides the function");
                    let hint = "give the value another name";
                    return Err(self.report.error_with_hint(name.range, "type", message, hint));
                }
                if let Some(function) = self.program.functions.get(text) {
                    return self.inline(frame, call, function, None);
                }
                match builtin(text) {
                    Some(row) => self.builtin_call(frame, call, row),
                    None => Err(self.unknown_function(text, name.range)),
                }
            }
            Expr::Attribute(attribute) => {
                let owner = self.expression(frame, &attribute.value)?;
                let name = attribute.attr.as_str();
                let range = attribute.attr.range;
                if owner == Value::Scope(Scope::Strategy) {
                    if let Some(method) = self.program.methods.get(name) {
                        return self.inline(frame, call, method, Some(owner));
                    }
                    let known = self.program.methods.keys().copied();
                    let hint = nearest(name, known)
                        .unwrap_or_else(|| format!("define `def {name}(self, …):` in the class"));
                    let message = format!("the strategy has no method `{name}`");
                    return Err(self.report.error_with_hint(range, "unknown-name", message, hint));
                }
                if let Value::Scope(scope) = owner
                    && is_feed_call(scope, name)
                {
                    return self.feed_call(frame, call, scope, name);
                }
                if let Value::Scope(scope) = owner
                    && is_session_call(scope, name)
                {
                    return self.session_call(frame, call, name);
                }
                if let (Value::Scope(scope), Some(row)) = (&owner, builtin(name))
                    && scope.bars().is_some()
                    && row.function.reads_bars()
                {
                    let message = format!("`{name}` is a function, no method");
                    let hint = format!("it is asked {}", other_bars(row));
                    return Err(self.report.error_with_hint(range, "unknown-name", message, hint));
                }
                let hint =
                    series_habit(name).unwrap_or("the language works with functions: `sma(data.close, n)`");
                let message = format!("{} has no method `{name}`", owner.kind());
                Err(self.report.error_with_hint(range, "unknown-name", message, hint))
            }
            other => Err(self.report.error(other.range(), "type", "only functions are called")),
        }
    }

    pub(crate) fn is_function(&self, name: &str) -> bool {
        builtin(name).is_some() || self.program.functions.contains_key(name)
    }

    fn unknown_function(&mut self, name: &str, range: TextRange) -> crate::diagnostic::Reported {
        let known = BUILTINS.iter().map(|row| row.name).chain(self.program.functions.keys().copied());
        let hint = if self.program.methods.contains_key(name) {
            format!("a method is called as `self.{name}(…)`")
        } else if let Some(habit) = python_habit(name) {
            habit.to_owned()
        } else {
            nearest(name, known).unwrap_or_else(|| {
                let names: Vec<&str> = BUILTINS.iter().map(|row| row.name).collect();
                format!("the functions are {}", names.join(", "))
            })
        };
        self.report.error_with_hint(range, "unknown-name", format!("unknown function `{name}`"), hint)
    }

    /// The bars that stand in front of the arguments of an indicator, and the arguments behind them: `atr(slow, 14)`.
    fn bars_in_front(
        &mut self,
        frame: &Frame<'a>,
        call: &'a ExprCall,
        row: &'static Builtin,
    ) -> Lowered<(BarsRead, &'a [Expr])> {
        let arguments: &'a [Expr] = &call.arguments.args;
        match arguments.split_first() {
            Some((first, rest)) if row.function.reads_bars() && names_bars(frame, first) => {
                match self.expression(frame, first)? {
                    Value::Scope(scope) if let Some(bars) = scope.bars() => Ok((bars, rest)),
                    _ => Ok((BarsRead::OWN, arguments)),
                }
            }
            _ => Ok((BarsRead::OWN, arguments)),
        }
    }

    /// The argument of `call` for each of the function's, in the function's order. `positional` are those without a name.
    pub(crate) fn bind(
        &mut self,
        call: &'a ExprCall,
        positional: &'a [Expr],
        row: &'static Builtin,
    ) -> Lowered<Vec<Option<&'a Expr>>> {
        let mut bound = vec![None; row.arguments.len()];
        let usage = || format!("it is called as `{}`", row.signature);
        let positions = if row.named_only { 0 } else { row.arguments.len() };
        if let Some(extra) = positional.get(positions) {
            let message = if row.named_only && !row.arguments.is_empty() {
                format!("arguments of `{}` are named", row.name)
            } else {
                format!("`{}` takes {} arguments", row.name, row.arguments.len())
            };
            let hint = match row.arguments.first() {
                _ if row.function.reads_bars() => {
                    format!("it reads whole bars: `{}`, and {}", row.signature, other_bars(row))
                }
                Some(_) if row.function == Function::ClosePartial => {
                    "write `close_partial(percent=…)`, or `units=`, or `lots=`".to_owned()
                }
                Some(first) if row.named_only => format!("write `{}({}=…)`", row.name, first.name),
                _ => usage(),
            };
            return Err(self.report.error_with_hint(extra.range(), "argument", message, hint));
        }
        for (slot, argument) in bound.iter_mut().zip(positional) {
            *slot = Some(argument);
        }
        for keyword in &call.arguments.keywords {
            let name = keyword.arg.as_ref().map_or("", Identifier::as_str);
            self.bind_named(row, &mut bound, (name, keyword.range), &keyword.value)?;
        }
        self.check_bound(row, &bound, call.range())?;
        Ok(bound)
    }

    /// Puts the argument `name` in its place.
    pub(crate) fn bind_named(
        &mut self,
        row: &'static Builtin,
        bound: &mut [Option<&'a Expr>],
        (name, range): (&str, TextRange),
        value: &'a Expr,
    ) -> Lowered<()> {
        let Some(place) = row.arguments.iter().position(|argument| argument.name == name) else {
            let names = || row.arguments.iter().map(|argument| argument.name);
            let listed = names().collect::<Vec<_>>().join(", ");
            let message = format!("`{}` has no argument `{name}`", row.name);
            let hint = nearest(name, names()).unwrap_or_else(|| match listed.as_str() {
                "" if row.function == Function::Close => {
                    "it leaves the whole position; a part of it is `close_partial(percent=…)`".to_owned()
                }
                "" => "it takes no arguments".to_owned(),
                listed => format!("supported are {listed}"),
            });
            return Err(self.report.error_with_hint(range, "argument", message, hint));
        };
        if bound[place].is_some() {
            return Err(self.report.error(range, "argument", format!("`{name}` is given twice")));
        }
        bound[place] = Some(value);
        Ok(())
    }

    /// Every argument that must be given is.
    pub(crate) fn check_bound(
        &mut self,
        row: &'static Builtin,
        bound: &[Option<&'a Expr>],
        range: TextRange,
    ) -> Lowered<()> {
        for (argument, given) in row.arguments.iter().zip(bound) {
            if argument.required && given.is_none() {
                let message = format!("`{}` needs the argument `{}`", row.name, argument.name);
                let hint = format!("it is called as `{}`", row.signature);
                return Err(self.report.error_with_hint(range, "argument", message, hint));
            }
        }
        Ok(())
    }

    fn builtin_call(
        &mut self,
        frame: &Frame<'a>,
        call: &'a ExprCall,
        row: &'static Builtin,
    ) -> Lowered<Value> {
        let range = call.range();
        if let Function::Min | Function::Max = row.function {
            return self.extreme(frame, call, row);
        }
        let (bars, arguments) = self.bars_in_front(frame, call, row)?;
        let bound = self.bind(call, arguments, row)?;
        match row.function {
            Function::Abs => self.unary_function(frame, Unary::Abs, &bound),
            Function::Sqrt => self.unary_function(frame, Unary::Sqrt, &bound),
            Function::Defined => self.defined(frame, &bound, range),
            Function::Pips | Function::Distance => {
                let [Some(at)] = *bound.as_slice() else { return Ok(Value::Nothing) };
                let value = self.expression(frame, at)?;
                self.positive(&value, at.range(), row.name)?;
                let x = self.number(&value, at.range())?;
                Ok(Value::Level(if row.function == Function::Pips {
                    Level::Pips(x)
                } else {
                    Level::Distance(x)
                }))
            }
            Function::Feature | Function::Pattern => {
                self.feature(frame, &Given { row, bound: &bound, range }).map(Value::Number)
            }
            Function::Regime => Ok(Value::Regime),
            decision if decision.is_decision() => self.decide(frame, &Given { row, bound: &bound, range }),
            Function::Record => Err(self.report.error_with_hint(
                range,
                "no-effect",
                "`record` has no value",
                "write it on a line of its own",
            )),
            Function::Param => Err(self.report.error_with_hint(
                range,
                "structure",
                "`param` declares a field of the class",
                "move it into the class: `period = param(10, min=2, max=500)`",
            )),
            Function::State => Err(self.report.error_with_hint(
                range,
                "structure",
                "`state` declares a field of the class",
                "move it into the class: `count = state(0)`, and assign `self.count`",
            )),
            Function::Range => Err(self.report.error_with_hint(
                range,
                "structure",
                "`range` stands in a `for` loop only",
                "write `for i in range(N):`",
            )),
            _ => self.indicator(frame, &Given { row, bound: &bound, range }, bars),
        }
    }

    fn unary_function(&mut self, frame: &Frame<'a>, op: Unary, bound: &[Option<&'a Expr>]) -> Lowered<Value> {
        let [Some(at)] = *bound else { return Ok(Value::Nothing) };
        let value = self.expression(frame, at)?;
        match (&value, op) {
            (Value::Constant(Constant::Integer(x)), Unary::Abs) if *x != i64::MIN => {
                return Ok(Value::Constant(Constant::Integer(x.abs())));
            }
            (Value::Constant(Constant::Number(x)), Unary::Abs) => {
                return Ok(Value::Constant(Constant::Number(x.abs())));
            }
            (Value::Constant(x), Unary::Sqrt) => {
                if let Some(x) = x.number().filter(|x| *x >= 0.0) {
                    return Ok(Value::Constant(Constant::Number(x.sqrt())));
                }
            }
            _ => {}
        }
        let x = self.number(&value, at.range())?;
        Ok(Value::Number(self.builder.unary(op, x)))
    }

    fn defined(&mut self, frame: &Frame<'a>, bound: &[Option<&'a Expr>], range: TextRange) -> Lowered<Value> {
        let [Some(at)] = *bound else { return Ok(Value::Nothing) };
        match self.expression(frame, at)? {
            Value::Number(x) | Value::Condition(x) => {
                Ok(Value::Condition(self.builder.unary(Unary::Defined, x)))
            }
            Value::Constant(_) => Ok(Value::Constant(Constant::Boolean(true))),
            other => {
                let message = format!("`defined` takes a number or a condition, this is {}", other.kind());
                Err(self.report.error(range, "type", message))
            }
        }
    }

    /// `min` and `max` of two or more.
    fn extreme(&mut self, frame: &Frame<'a>, call: &'a ExprCall, row: &'static Builtin) -> Lowered<Value> {
        let window = if row.function == Function::Min { "lowest" } else { "highest" };
        if call.arguments.args.len() < 2 || !call.arguments.keywords.is_empty() {
            let message = format!("`{}` takes two or more numbers", row.name);
            let hint = format!("over the last n bars it is `{window}(x, n)`");
            return Err(self.report.error_with_hint(call.range(), "argument", message, hint));
        }
        let smaller = row.function == Function::Min;
        let mut result: Option<Value> = None;
        for argument in &call.arguments.args {
            let value = self.expression(frame, argument)?;
            let x = self.number(&value, argument.range())?;
            result = Some(match (result, value) {
                (None, value) => value,
                (Some(Value::Constant(a)), Value::Constant(b)) => {
                    let ordered = if smaller { a.number() <= b.number() } else { a.number() >= b.number() };
                    Value::Constant(if ordered { a } else { b })
                }
                (Some(before), _) => {
                    let before = self.number(&before, argument.range())?;
                    let op = if smaller { Binary::Min } else { Binary::Max };
                    Value::Number(self.builder.binary(op, before, x))
                }
            });
        }
        Ok(result.unwrap_or(Value::Nothing))
    }

    /// A helper's body in place of its call.
    fn inline(
        &mut self,
        frame: &Frame<'a>,
        call: &'a ExprCall,
        function: &'a StmtFunctionDef,
        receiver: Option<Value>,
    ) -> Lowered<Value> {
        let name = function.name.as_str();
        if self.calls.contains(&name) {
            let message = format!("`{name}` calls itself");
            let hint = "every strategy must end: use `for i in range(N)` with a constant N";
            return Err(self.report.error_with_hint(call.range(), "not-in-language", message, hint));
        }
        if self.calls.len() >= INLINE_DEPTH_MAX {
            let message = format!("helpers call each other more than {INLINE_DEPTH_MAX} deep");
            return Err(self.report.error(call.range(), "limit", message));
        }
        let locals = self.bind_helper(frame, call, function, receiver)?;
        let always = self.builder.condition(true);
        let outer = match frame.path {
            Some(path) => self.builder.and(frame.outer, path),
            None => frame.outer,
        };
        let mut inner = Frame { locals, path: Some(always), outer, returns: Vec::new() };
        self.calls.push(name);
        let errors_before = self.report.error_count();
        self.block(&mut inner, &function.body);
        self.calls.pop();
        if self.report.error_count() > errors_before {
            return Err(crate::diagnostic::Reported);
        }
        self.leave_cells(inner.path.is_some(), &inner.returns);
        let mut returns = inner.returns.into_iter().map(|returned| (returned.path, returned.value)).rev();
        let last = match inner.path {
            Some(_) => Value::Nothing,
            None => returns.next().map_or(Value::Nothing, |(_, value)| value),
        };
        let mut result = last;
        for (path, value) in returns {
            let kinds = (value.kind(), result.kind());
            result = self.choose(path, value, result).ok_or_else(|| {
                let message = format!("`{name}` returns {} on one path and {} on another", kinds.0, kinds.1);
                self.report.error_with_hint(call.range(), "type", message, mixing_hint(kinds.0, kinds.1))
            })?;
        }
        Ok(result)
    }

    fn bind_helper(
        &mut self,
        frame: &Frame<'a>,
        call: &'a ExprCall,
        function: &'a StmtFunctionDef,
        receiver: Option<Value>,
    ) -> Lowered<Locals<'a>> {
        let name = function.name.as_str();
        let parameters: Vec<_> = function.parameters.iter_non_variadic_params().collect();
        let mut bound: Vec<Option<Value>> = vec![None; parameters.len()];
        let given = receiver.into_iter().map(Ok).chain(call.arguments.args.iter().map(Err));
        for (place, value) in given.enumerate() {
            let Some(slot) = bound.get_mut(place) else {
                let message = format!("`{name}` takes {} arguments", parameters.len());
                let is_method = self.program.methods.contains_key(name);
                let hint = match parameters.first() {
                    Some(first) if is_method && first.name().as_str() != "self" => {
                        format!("a method's first parameter is `self`: `def {name}(self, …):`")
                    }
                    _ => "see its `def`".to_owned(),
                };
                return Err(self.report.error_with_hint(call.range(), "argument", message, hint));
            };
            *slot = Some(match value {
                Ok(receiver) => receiver,
                Err(argument) => self.expression(frame, argument)?,
            });
        }
        for keyword in &call.arguments.keywords {
            let given = keyword.arg.as_ref().map_or("", Identifier::as_str);
            let Some(place) = parameters.iter().position(|parameter| parameter.name().as_str() == given)
            else {
                let known = parameters.iter().map(|parameter| parameter.name().as_str());
                let hint = nearest(given, known).unwrap_or_else(|| "see its `def`".to_owned());
                let message = format!("`{name}` has no argument `{given}`");
                return Err(self.report.error_with_hint(keyword.range, "argument", message, hint));
            };
            if bound[place].is_some() {
                return Err(self.report.error(
                    keyword.range,
                    "argument",
                    format!("`{given}` is given twice"),
                ));
            }
            bound[place] = Some(self.expression(frame, &keyword.value)?);
        }
        let mut locals = Locals::new();
        for (parameter, value) in parameters.into_iter().zip(bound) {
            let default = || parameter.default.as_deref().and_then(constant_of).map(Value::Constant);
            let Some(value) = value.or_else(default) else {
                let message = format!("`{name}` needs the argument `{}`", parameter.name());
                let hint = "give it in the call; a default is a constant";
                return Err(self.report.error_with_hint(call.range(), "argument", message, hint));
            };
            locals.insert(parameter.name().as_str(), Local::Value(value));
        }
        Ok(locals)
    }
}

/// Whether an expression can only stand for bars or a group of other values: a name that does, and what is behind its dots.
fn names_bars(frame: &Frame<'_>, expression: &Expr) -> bool {
    match expression {
        Expr::Name(name) => {
            matches!(frame.locals.get(name.id.as_str()), Some(Local::Value(Value::Scope(scope))) if scope.bars().is_some())
        }
        Expr::Attribute(attribute) => {
            matches!(attribute.attr.as_str(), "bid" | "ask" | "mid") && names_bars(frame, &attribute.value)
        }
        Expr::Call(call) => match &*call.func {
            Expr::Attribute(method) => {
                matches!(method.attr.as_str(), "timeframe" | "instrument") && names_bars(frame, &method.value)
            }
            _ => false,
        },
        _ => false,
    }
}

/// How an indicator is asked of other bars.
fn other_bars(row: &Builtin) -> String {
    let rest = if row.arguments.iter().any(|argument| argument.required) { ", 14" } else { "" };
    format!("of other bars `{}(data.timeframe(\"4h\"){rest})`", row.name)
}
