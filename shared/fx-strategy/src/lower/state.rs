//! Cells: what a strategy keeps from bar to bar. A read sees what was assigned last on the way to it, at this bar or at
//! an earlier one.

use super::{Return, Scope};
use crate::diagnostic::{Reported, nearest};
use crate::lower::{CellId, Frame, Literal, Lowered, Lowering, Node};
use crate::plan::NodeId;
use crate::value::{Local, Value};
use ruff_python_ast::ExprAttribute;

impl<'a> Lowering<'a, '_> {
    /// At the start of a bar every cell holds what the bar before left in it.
    pub(super) fn begin_cells(&mut self) {
        for (cell, place) in self.program.cells.iter().zip(0..) {
            let node = self.builder.intern(Node::Cell { cell: CellId(place), initial: cell.initial });
            let value = match cell.initial {
                Literal::Number(_) => Value::Number(node),
                Literal::Condition(_) => Value::Condition(node),
            };
            self.cells.insert(cell.name, Local::Value(value));
        }
    }

    /// What each cell holds behind a function: what it held at the return that was taken, or at the end of the body.
    pub(super) fn leave_cells(&mut self, reaches_end: bool, returns: &[Return<'a>]) {
        if self.cells.is_empty() {
            return;
        }
        let mut returns = returns.iter().rev();
        if !reaches_end && let Some(last) = returns.next() {
            self.cells.clone_from(&last.cells);
        }
        for earlier in returns {
            let behind = std::mem::take(&mut self.cells);
            self.cells = self.join(earlier.path, earlier.cells.clone(), behind);
        }
    }

    /// What each cell becomes, in the order of their declaration.
    pub(super) fn end_cells(&mut self) -> Vec<NodeId> {
        let mut next = Vec::with_capacity(self.program.cells.len());
        for cell in &self.program.cells {
            if !self.assigned.contains(cell.name) {
                let hint = format!(
                    "assign it in `analyze`: `self.{0} = …`, or declare `{0}` as a parameter",
                    cell.name
                );
                self.report.warning(cell.range, "no-effect", "this state is never assigned", &hint);
            }
            if let Some(Local::Value(value)) = self.cells.get(cell.name).cloned()
                && let Some(node) = self.node_of(&value)
            {
                next.push(self.builder.own(node));
            }
        }
        next
    }

    /// Lowers what only runs where `condition` holds: elsewhere the cells stay as they are.
    pub(crate) fn only_where<T>(&mut self, condition: NodeId, lower: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.cells.clone();
        let lowered = lower(self);
        if self.cells != before {
            let assigned = std::mem::take(&mut self.cells);
            self.cells = self.join(condition, assigned, before);
        }
        lowered
    }

    /// Lowers what runs where `condition` holds, or always.
    pub(crate) fn reached<T>(&mut self, condition: Option<NodeId>, lower: impl FnOnce(&mut Self) -> T) -> T {
        match condition {
            Some(condition) => self.only_where(condition, lower),
            None => lower(self),
        }
    }

    /// What `self.name` holds here, if it is a cell.
    pub(crate) fn cell(&self, name: &str) -> Option<Lowered<Value>> {
        self.cells.get(name).map(|cell| match cell {
            Local::Value(value) => Ok(value.clone()),
            _ => Err(Reported),
        })
    }

    /// `self.name = value`
    pub(crate) fn assign_cell(
        &mut self,
        frame: &Frame<'a>,
        target: &'a ExprAttribute,
        value: Lowered<Value>,
    ) -> Lowered<()> {
        let name = target.attr.as_str();
        let owner = self.expression(frame, &target.value)?;
        if owner != Value::Scope(Scope::Strategy) || !self.cells.contains_key(name) {
            let message = format!("`{name}` is no state of the strategy");
            let hint = if self.parameter(name).is_some() {
                format!("a parameter does not change: declare `{name} = state(0)` instead")
            } else {
                nearest(name, self.cells.keys().copied()).unwrap_or_else(|| {
                    format!("declare it in the class: `{name} = state(0)`, and assign `self.{name}`")
                })
            };
            return Err(self.report.error_with_hint(target.range, "unknown-name", message, hint));
        }
        self.assigned.insert(name);
        let accepted = value.and_then(|value| self.held(name, value, target));
        let outcome = accepted.as_ref().map(|_| ()).map_err(|reported| *reported);
        self.cells.insert(name, accepted.map_or(Local::Poisoned, Local::Value));
        outcome
    }

    /// `value`, if the cell holds values of its kind.
    fn held(&mut self, name: &str, value: Value, target: &ExprAttribute) -> Lowered<Value> {
        let initial = self.program.cells.iter().find(|cell| cell.name == name).map(|cell| cell.initial);
        let wanted = match initial {
            Some(Literal::Condition(_)) => "a condition",
            _ => "a number",
        };
        if value.kind() == wanted {
            return Ok(value);
        }
        let message = format!("`{name}` holds {wanted}, this is {}", value.kind());
        let hint = "a state keeps the kind of value that it begins with";
        Err(self.report.error_with_hint(target.range, "type", message, hint))
    }
}
