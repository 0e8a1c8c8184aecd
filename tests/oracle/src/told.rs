//! What other services told: at each close the newest value that could be read by then.

use crate::Interpreter;
use crate::statement::Frame;
use crate::value::{Condition, Number, Steps, Value};
use anyhow::{Context, Result, bail};
use fx_domain::UnixNanos;
use ruff_python_ast::{CmpOp, ExprCall};
use std::collections::BTreeMap;

/// Values with the instants at which they could be read, in that order.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Of the call that reads them: `feature mood`, `pattern double_top`.
    pub numbers: BTreeMap<String, Vec<(UnixNanos, f64)>>,
    /// The names of the regime.
    pub regimes: Vec<(UnixNanos, String)>,
}

/// The last of `series` that could be read at `close`.
fn newest<T>(series: &[(UnixNanos, T)], close: UnixNanos) -> Option<&T> {
    series.iter().rev().find(|(at, _)| *at <= close).map(|(_, value)| value)
}

impl Interpreter<'_> {
    /// `feature(name)` and `pattern(name)`.
    pub(crate) fn told(&mut self, frame: &Frame, function: &str, call: &ExprCall) -> Result<Value> {
        let [name] = self.arguments(call, ["name"])?;
        let Value::Text(name) = self.expression(frame, name.context("of what")?)? else {
            bail!("`{function}` takes a text")
        };
        let key = format!("{function} {name}");
        let series = self.now.market.told.numbers.get(&key).map_or(&[][..], Vec::as_slice);
        let now = newest(series, self.now.market.close(self.now.bar)).copied();
        Ok(Value::Number(Number::computed(now, Steps::of(&key, &[]))))
    }

    /// Whether the regime has a name, or has not.
    pub(crate) fn compare_regime(&self, op: CmpOp, a: &Value, b: &Value) -> Result<Condition> {
        let name = match (a, b) {
            (Value::Regime, Value::Text(name)) | (Value::Text(name), Value::Regime) => name,
            _ => bail!("a regime is compared with a text"),
        };
        let is_equal = match op {
            CmpOp::Eq => true,
            CmpOp::NotEq => false,
            _ => bail!("regimes have no order"),
        };
        let regime = newest(&self.now.market.told.regimes, self.now.market.close(self.now.bar));
        let steps = Steps::of(&format!("regime {} {name}", op.as_str()), &[]);
        Ok(Condition::computed(regime.map(|regime| (regime == name) == is_equal), steps))
    }
}
