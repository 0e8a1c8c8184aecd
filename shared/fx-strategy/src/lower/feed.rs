//! Completed bars of other timeframes and instruments: `data.timeframe("4h")`, `data.instrument("GBP/USD")`.

use crate::lower::{Frame, Lowered, Lowering};
use crate::plan::Feed;
use crate::value::{Constant, Scope, Value};
use fx_domain::{Granularity, Instrument};
use ruff_python_ast::ExprCall;
use ruff_text_size::{Ranged, TextRange};

/// Whether `name` of `scope` names other bars.
pub(super) fn is_feed_call(scope: Scope, name: &str) -> bool {
    match scope {
        Scope::Data => matches!(name, "timeframe" | "instrument"),
        Scope::Feed(feed) => match name {
            "timeframe" => feed.granularity.is_none(),
            "instrument" => feed.instrument.is_none(),
            _ => false,
        },
        _ => false,
    }
}

/// How it is called.
pub(super) fn feed_example(name: &str) -> &'static str {
    if name == "timeframe" {
        "`data.timeframe(\"4h\").close`"
    } else {
        "`data.instrument(\"GBP/USD\").close`"
    }
}

impl<'a> Lowering<'a, '_> {
    pub(super) fn feed_call(
        &mut self,
        frame: &Frame<'a>,
        call: &'a ExprCall,
        scope: Scope,
        name: &str,
    ) -> Lowered<Value> {
        let usage = format!("write {}", feed_example(name));
        let (text, range) = self.one_text(frame, call, (name, &usage))?;
        let mut feed = match scope {
            Scope::Feed(feed) => feed,
            _ => Feed { instrument: None, granularity: None },
        };
        let unknown = if name == "timeframe" {
            match text.parse::<Granularity>() {
                Ok(Granularity::Tick) => {
                    Some("single quotes are no bars that are complete: name a length".to_owned())
                }
                Ok(granularity) => {
                    feed.granularity = Some(granularity);
                    None
                }
                Err(unknown) => Some(unknown.to_string()),
            }
        } else {
            match Instrument::parse(&text) {
                Ok(instrument) => {
                    feed.instrument = Some(instrument);
                    None
                }
                Err(unknown) => Some(unknown.to_string()),
            }
        };
        if let Some(message) = unknown {
            return Err(self.report.error_with_hint(range, "argument", message, usage));
        }
        Ok(Value::Scope(Scope::Feed(feed)))
    }

    /// The one argument of a call of `name`, a constant text, and where it stands.
    pub(super) fn one_text(
        &mut self,
        frame: &Frame<'a>,
        call: &'a ExprCall,
        (name, usage): (&str, &str),
    ) -> Lowered<(String, TextRange)> {
        let ([argument], []) = (&*call.arguments.args, &*call.arguments.keywords) else {
            let message = format!("`{name}` takes one argument");
            return Err(self.report.error_with_hint(call.range(), "argument", message, usage));
        };
        match self.expression(frame, argument)? {
            Value::Constant(Constant::Text(text)) => Ok((text.to_string(), argument.range())),
            _ => {
                let message = format!("`{name}` takes a constant text");
                Err(self.report.error_with_hint(argument.range(), "argument", message, usage))
            }
        }
    }
}
