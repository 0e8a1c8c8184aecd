//! What other services tell: `feature("sentiment")`, `pattern("double_top")`, `regime() == "trending"`.

use crate::builtins::Function;
use crate::diagnostic::Reported;
use crate::limits::{FEATURE_NAME_MAX, FEATURES_MAX};
use crate::lower::decision::Given;
use crate::lower::{Frame, Lowered, Lowering};
use crate::plan::{Binary, Feature, FeatureId, Node, NodeId};
use crate::value::{Constant, Value};
use ruff_python_ast::CmpOp;
use ruff_text_size::{Ranged, TextRange};

/// What can be done with a regime.
pub(super) const REGIME_HINT: &str = "compare it with a text: `regime() == \"trending\"`";

impl<'a> Lowering<'a, '_> {
    /// A feature or a pattern, by its name.
    pub(super) fn feature(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<NodeId> {
        let Some(at) = given.get("name") else { return Err(Reported) };
        let Value::Constant(Constant::Text(name)) = self.expression(frame, at)? else {
            let message = format!("`{}` takes a constant text", given.row.name);
            let hint = format!("write `{}`", given.row.signature);
            return Err(self.report.error_with_hint(at.range(), "argument", message, hint));
        };
        let name = name.to_string();
        let is_pattern = given.row.function == Function::Pattern;
        self.read(if is_pattern { Feature::Pattern(name) } else { Feature::Named(name) }, at.range())
    }

    /// A regime and the text that it is compared with, whichever comes first.
    pub(super) fn compare_regime(
        &mut self,
        op: CmpOp,
        (a, a_range): (&Value, TextRange),
        (b, b_range): (&Value, TextRange),
    ) -> Lowered<NodeId> {
        let whole = a_range.cover(b_range);
        let (name, place) = match (a, b) {
            (Value::Regime, Value::Constant(Constant::Text(name))) => (name, b_range),
            (Value::Constant(Constant::Text(name)), Value::Regime) => (name, a_range),
            (other, Value::Regime) | (Value::Regime, other) => {
                let message = format!("a regime is compared with a text, this is {}", other.kind());
                return Err(self.report.error_with_hint(whole, "type", message, REGIME_HINT));
            }
            _ => {
                return Err(self.report.error_with_hint(whole, "type", "no regime is compared", REGIME_HINT));
            }
        };
        if !matches!(op, CmpOp::Eq | CmpOp::NotEq) {
            let message = format!("regimes have no order: `{}` does not compare them", op.as_str());
            let hint = "several are joined: `regime() == \"a\" or regime() == \"b\"`";
            return Err(self.report.error_with_hint(whole, "type", message, hint));
        }
        let is = self.read(Feature::Regime(name.to_string()), place)?;
        let one = self.builder.number(1.0);
        let holds = self.builder.binary(Binary::Eq, is, one);
        Ok(if op == CmpOp::Eq { holds } else { self.builder.not(holds) })
    }

    /// The one node of a feature, whose name stands at `place`.
    fn read(&mut self, feature: Feature, place: TextRange) -> Lowered<NodeId> {
        if let Err(message) = feature.check_name() {
            let code = if feature.name().len() > FEATURE_NAME_MAX { "limit" } else { "argument" };
            return Err(self.report.error(place, code, message));
        }
        let features = &mut self.called.features;
        let known = features.iter().position(|known| *known == feature);
        if known.is_none() && features.len() >= FEATURES_MAX {
            let message = format!("a strategy reads at most {FEATURES_MAX} features");
            return Err(self.report.error(place, "limit", message));
        }
        let index = known.unwrap_or_else(|| {
            features.push(feature);
            features.len() - 1
        });
        let feature = FeatureId(u16::try_from(index).unwrap_or(u16::MAX));
        Ok(self.builder.intern(Node::Feature { feature }))
    }
}
