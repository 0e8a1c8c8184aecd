//! Helper functions: their lines stand in place of the call.

use crate::Interpreter;
use crate::arithmetic::both;
use crate::expression::place;
use crate::memory::Place;
use crate::source::signature;
use crate::statement::{Frame, Names};
use crate::value::{Value, choose};
use anyhow::{Context, Result, bail};
use ruff_python_ast::{ExprCall, StmtFunctionDef};

impl Interpreter<'_> {
    /// The value of a call of `function`; a method's first argument is the strategy.
    pub(crate) fn inline(
        &mut self,
        frame: &Frame,
        call: &ExprCall,
        function: &StmtFunctionDef,
        receiver: Option<Value>,
    ) -> Result<Value> {
        let names = self.bound(frame, call, function, receiver)?;
        let called = both(frame.called, frame.path.map_or(Some(false), |path| path.now));
        let mut inner = Frame::new(names, called);
        let Place(offset) = place(call);
        self.memory.way.push(offset);
        self.block(&mut inner, function)?;
        self.memory.way.pop();
        self.leave(inner.path.is_some(), &inner.returns);
        returned(inner)
    }

    fn bound(
        &mut self,
        frame: &Frame,
        call: &ExprCall,
        function: &StmtFunctionDef,
        receiver: Option<Value>,
    ) -> Result<Names> {
        let signature = signature(function)?;
        let mut given: Vec<_> = receiver.into_iter().collect();
        for argument in &call.arguments.args {
            given.push(self.expression(frame, argument)?);
        }
        let mut names: Names = signature.iter().map(|(name, _)| name.clone()).zip(given).collect();
        for keyword in &call.arguments.keywords {
            let name = keyword.arg.as_ref().context("`**` is not in the language")?;
            names.insert(name.to_string(), self.expression(frame, &keyword.value)?);
        }
        for (name, default) in signature {
            if let Some(default) = default {
                names.entry(name).or_insert(default);
            } else if !names.contains_key(&name) {
                bail!("`{name}` is not given")
            }
        }
        Ok(names)
    }
}

/// The value of a function that has ended: of the first return that is reached. The last way out is taken where no
/// other is, and gives nothing where it is no return.
fn returned(frame: Frame) -> Result<Value> {
    let mut returns = frame.returns;
    let last = match frame.path {
        Some(_) => None,
        None => returns.pop(),
    };
    let mut value = last.map_or(Value::Nothing, |last| last.value);
    for earlier in returns.into_iter().rev() {
        value = choose(earlier.way.condition(), earlier.value, value)
            .context("a function returns one kind of value")?;
    }
    Ok(value)
}
