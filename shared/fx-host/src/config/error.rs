//! Why a configuration was refused.

/// A variable has a value that cannot be meant. Secrets and URLs are not repeated in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {reason}")]
pub struct ConfigError {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong, and what is expected.
    pub reason: String,
}

impl ConfigError {
    pub(super) fn new(variable: &'static str, reason: impl Into<String>) -> Self {
        Self { variable, reason: reason.into() }
    }
}
