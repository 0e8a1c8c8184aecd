//! What the statistics over several runs refuse.

/// An input that no figure can be taken of: which one, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {reason}")]
pub struct InvalidInput {
    /// The argument or field, as it is called where it is given.
    pub field: &'static str,
    /// What is wrong with it, as the rest of a sentence about it.
    pub reason: String,
}

impl InvalidInput {
    pub(crate) fn new(field: &'static str, reason: impl Into<String>) -> Self {
        Self { field, reason: reason.into() }
    }
}

/// Refuses values that are NaN or infinite, naming the first.
pub(crate) fn all_finite(field: &'static str, values: &[f64]) -> Result<(), InvalidInput> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => Err(InvalidInput::new(field, format!("holds {} at {index}", values[index]))),
    }
}

/// Refuses a number outside of its limits.
pub(crate) fn within(
    field: &'static str,
    found: u64,
    limits: std::ops::RangeInclusive<u64>,
) -> Result<(), InvalidInput> {
    if limits.contains(&found) {
        return Ok(());
    }
    let reason = format!("must be from {} to {}, not {found}", limits.start(), limits.end());
    Err(InvalidInput::new(field, reason))
}
