//! Values of the strategy's own, kept from bar to bar.
//!
//! On the walk through a bar the states are names that every function sees. Where control may have come two ways, each
//! is chosen between as any name is; what leaves `analyze` is what the next bar begins with.

use crate::Interpreter;
use crate::statement::{Names, Returned, joined};
use crate::value::{Condition, Number, Steps, Value};
use anyhow::Result;

/// What the states are at the start of a bar, left by the bar before: known to no one before the run.
pub(crate) fn begun(left: &Names) -> Names {
    let renewed = |(name, value): (&String, &Value)| {
        let steps = Steps::of(&format!("state {name}"), &[]);
        let value = match value {
            Value::Number(number) => Value::Number(Number::computed(number.now, steps)),
            Value::Condition(condition) => Value::Condition(Condition::computed(condition.now, steps)),
            other => other.clone(),
        };
        (name.clone(), value)
    };
    left.iter().map(renewed).collect()
}

impl Interpreter<'_> {
    /// Evaluates what only runs where `condition` holds: elsewhere the states stay as they are.
    pub(crate) fn only_where<T>(
        &mut self,
        condition: Condition,
        evaluate: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let before = self.states.clone();
        let value = evaluate(self)?;
        let assigned = std::mem::take(&mut self.states);
        self.states = joined(condition, assigned, before);
        Ok(value)
    }

    /// What the states are behind a function: what they were at the return that was taken, or at the end of the body. As
    /// for the value, the last way out is taken where no other is.
    pub(crate) fn leave(&mut self, reaches_end: bool, returns: &[Returned]) {
        let mut returns = returns.iter().rev();
        if !reaches_end && let Some(last) = returns.next() {
            self.states = last.states.clone();
        }
        for earlier in returns {
            let behind = std::mem::take(&mut self.states);
            self.states = joined(earlier.way.condition(), earlier.states.clone(), behind);
        }
    }
}
