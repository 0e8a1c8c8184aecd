//! The parameters of a strategy: declared by class fields, bound by the request.

use crate::diagnostic::{Diagnostic, nearest};
use crate::value::Constant;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParameterValue {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
}

impl fmt::Display for ParameterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(true) => f.write_str("True"),
            Self::Boolean(false) => f.write_str("False"),
            Self::Integer(value) => value.fmt(f),
            Self::Number(value) => write!(f, "{value:?}"),
        }
    }
}

/// What values a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterKind {
    /// `bool`
    Boolean,
    /// `int`
    Integer,
    /// `float`; a whole number is one too.
    Number,
}

impl ParameterKind {
    /// As Python's annotation writes it.
    #[must_use]
    pub const fn annotation(self) -> &'static str {
        match self {
            Self::Boolean => "bool",
            Self::Integer => "int",
            Self::Number => "float",
        }
    }

    /// `value` as a value of this kind; a truth value is never a number, a fraction never a whole number.
    pub(crate) fn accept(self, value: &Constant) -> Option<ParameterValue> {
        match (self, value) {
            (Self::Boolean, Constant::Boolean(value)) => Some(ParameterValue::Boolean(*value)),
            (Self::Integer, Constant::Integer(value)) => Some(ParameterValue::Integer(*value)),
            (Self::Number, value) => {
                value.number().filter(|value| value.is_finite()).map(ParameterValue::Number)
            }
            _ => None,
        }
    }
}

/// A declared parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    /// Its name.
    pub name: String,
    /// What values it takes.
    pub kind: ParameterKind,
    /// Its value where the request gives none; within the range, of the kind.
    pub default: ParameterValue,
    /// The least value, itself allowed.
    pub min: Option<ParameterValue>,
    /// The greatest value, itself allowed.
    pub max: Option<ParameterValue>,
    /// What it means.
    pub description: Option<String>,
}

impl ParameterSpec {
    /// Its range in words, if it has one: `from 2 to 500`, `2 or more`.
    #[must_use]
    pub fn range(&self) -> Option<String> {
        match (&self.min, &self.max) {
            (Some(min), Some(max)) => Some(format!("from {min} to {max}")),
            (Some(min), None) => Some(format!("{min} or more")),
            (None, Some(max)) => Some(format!("{max} or less")),
            (None, None) => None,
        }
    }

    /// What is wrong with `value` of this parameter's range, if anything.
    pub(crate) fn range_fault(&self, value: &ParameterValue) -> Option<String> {
        let below = self.min.as_ref().is_some_and(|min| order(value, min) == Some(Ordering::Less));
        let above = self.max.as_ref().is_some_and(|max| order(value, max) == Some(Ordering::Greater));
        if !below && !above {
            return None;
        }
        let range = self.range()?;
        Some(format!("`{}` is {value}, it must be {range}", self.name))
    }
}

/// Whole numbers compare exactly, all others as floating-point numbers.
fn order(a: &ParameterValue, b: &ParameterValue) -> Option<Ordering> {
    match (a, b) {
        (ParameterValue::Integer(a), ParameterValue::Integer(b)) => Some(a.cmp(b)),
        (a, b) => constant(a).number()?.partial_cmp(&constant(b).number()?),
    }
}

/// The value as an expression sees it.
pub(crate) const fn constant(value: &ParameterValue) -> Constant {
    match value {
        ParameterValue::Boolean(value) => Constant::Boolean(*value),
        ParameterValue::Integer(value) => Constant::Integer(*value),
        ParameterValue::Number(value) => Constant::Number(*value),
    }
}

/// The value of every parameter: the request's where it gives one, else the default.
pub(crate) fn bind(
    specs: &[ParameterSpec],
    overrides: &BTreeMap<String, ParameterValue>,
) -> Result<BTreeMap<String, ParameterValue>, Vec<Diagnostic>> {
    let mut effective: BTreeMap<String, ParameterValue> =
        specs.iter().map(|spec| (spec.name.clone(), spec.default.clone())).collect();
    let mut faults = Vec::new();
    for (name, value) in overrides {
        match check(specs, name, value) {
            Ok(value) => {
                effective.insert(name.clone(), value);
            }
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(effective) } else { Err(faults) }
}

fn check(specs: &[ParameterSpec], name: &str, value: &ParameterValue) -> Result<ParameterValue, Diagnostic> {
    let Some(spec) = specs.iter().find(|spec| spec.name == name) else {
        let hint = nearest(name, specs.iter().map(|spec| spec.name.as_str())).or_else(|| match specs {
            [] => Some("this strategy has no parameters".to_owned()),
            _ => Some(format!("its parameters are {}", listed(specs))),
        });
        return Err(Diagnostic::parameter(name, format!("the strategy has no parameter `{name}`"), hint));
    };
    let Some(accepted) = spec.kind.accept(&constant(value)) else {
        let message = format!(
            "`{name}` is {value}, it must be {}",
            match spec.kind {
                ParameterKind::Boolean => "true or false",
                ParameterKind::Integer => "a whole number",
                ParameterKind::Number => "a finite number",
            }
        );
        return Err(Diagnostic::parameter(name, message, Some(format!("its default is {}", spec.default))));
    };
    match spec.range_fault(&accepted) {
        Some(message) => Err(Diagnostic::parameter(name, message, spec.description.clone())),
        None => Ok(accepted),
    }
}

fn listed(specs: &[ParameterSpec]) -> String {
    specs.iter().map(|spec| format!("`{}`", spec.name)).collect::<Vec<_>>().join(", ")
}
