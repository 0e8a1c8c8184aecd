//! Working hours of financial centres: `data.time.in_session("london")`.

use crate::diagnostic::nearest;
use crate::lower::{Frame, Lowered, Lowering};
use crate::plan::Node;
use crate::value::{Scope, Value};
use fx_domain::TradingCentre;
use ruff_python_ast::ExprCall;

/// How it is called.
pub(super) const SESSION_EXAMPLE: &str = "`data.time.in_session(\"london\")`";

/// Whether `name` of `scope` asks for a session.
pub(super) fn is_session_call(scope: Scope, name: &str) -> bool {
    scope == Scope::Time && name == "in_session"
}

impl<'a> Lowering<'a, '_> {
    pub(super) fn session_call(
        &mut self,
        frame: &Frame<'a>,
        call: &'a ExprCall,
        name: &str,
    ) -> Lowered<Value> {
        let usage = format!("write {SESSION_EXAMPLE}");
        let (text, range) = self.one_text(frame, call, (name, &usage))?;
        match text.parse::<TradingCentre>() {
            Ok(centre) => Ok(Value::Condition(self.builder.intern(Node::InSession { centre }))),
            Err(unknown) => {
                // Capitals and spaces are how the cities are written elsewhere.
                let written = text.to_lowercase().replace([' ', '-'], "_");
                let names = TradingCentre::ALL.map(TradingCentre::as_str);
                let hint = nearest(&written, names).unwrap_or(usage);
                Err(self.report.error_with_hint(range, "argument", unknown.to_string(), hint))
            }
        }
    }
}
