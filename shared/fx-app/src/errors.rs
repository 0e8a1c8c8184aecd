//! Lower errors become the platform's, once, here.

use crate::ports::StoreError;
use fx_domain::{ErrorKind, PlatformError};
use fx_strategy::Diagnostics;

/// A store's failure, as the caller is told: which store, never its inner message.
pub(crate) fn store(error: StoreError) -> PlatformError {
    let kind = match &error {
        StoreError::Unavailable { .. } => ErrorKind::ServiceUnavailable,
        StoreError::Corrupt { .. } => ErrorKind::Platform,
        StoreError::TooLarge { .. } => ErrorKind::PayloadTooLarge,
    };
    PlatformError::new(kind, error.to_string()).caused_by(error)
}

/// A source that is outside the language: the whole rendered listing is the message.
pub(crate) fn diagnostics(kind: ErrorKind, diagnostics: Diagnostics) -> PlatformError {
    PlatformError::new(kind, diagnostics.to_string()).with_issues(diagnostics.into_issues())
}

/// A task on the blocking pool that did not come back.
pub(crate) fn lost_task(kind: ErrorKind, error: tokio::task::JoinError) -> PlatformError {
    PlatformError::new(kind, "the calculation broke off").caused_by(error)
}
