//! What features, patterns and regimes are called.

use crate::limits::FEATURE_NAME_MAX;
use crate::plan::Feature;

/// What is wrong with the name of `feature`, if anything. Features and patterns are found by theirs, so that it is part
/// of a key; a regime's is text as the service tells it.
pub(crate) fn name_fault(feature: &Feature) -> Option<String> {
    let name = feature.name();
    if name.is_empty() || name.len() > FEATURE_NAME_MAX {
        return Some(format!("a name has 1 to {FEATURE_NAME_MAX} bytes, this one has {}", name.len()));
    }
    let in_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    match feature {
        Feature::Named(_) | Feature::Pattern(_) => (name.starts_with('.') || !name.bytes().all(in_key))
            .then(|| "a name is made of a–z A–Z 0–9 . _ - and does not begin with a dot".to_owned()),
        Feature::Regime(_) => (name.trim() != name || name.chars().any(char::is_control))
            .then(|| "the name of a regime has no spaces around it".to_owned()),
    }
}

impl Feature {
    /// Checks its name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_name(&self) -> Result<(), String> {
        name_fault(self).map_or(Ok(()), Err)
    }
}
