//! Lower errors become the platform's, once, here.

use crate::ports::StoreError;
use fx_domain::{ErrorKind, Issue, Location, PlatformError};
use fx_engine::CausalityFault;
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

/// A strategy that is not shown to be causal. Looking ahead is its own fault, whatever the source says.
pub(crate) fn causality(fault: CausalityFault) -> PlatformError {
    match fault {
        CausalityFault::Leak { .. } => {
            let message = format!("the strategy looks ahead: {fault}");
            let place = Location::Field("code".to_owned());
            let issue = Issue { code: Some("look-ahead"), ..Issue::at(place, message.clone()) };
            PlatformError::new(ErrorKind::StrategyConfiguration, message).with_issues([issue])
        }
        CausalityFault::Engine(_) => {
            PlatformError::new(ErrorKind::StrategyExecution, fault.to_string()).caused_by(fault)
        }
    }
}

/// A task on the blocking pool that did not come back.
pub(crate) fn lost_task(kind: ErrorKind, error: tokio::task::JoinError) -> PlatformError {
    PlatformError::new(kind, "the calculation broke off").caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_that_looks_ahead_is_the_callers_to_mend() {
        let error = causality(CausalityFault::Leak { what: "decisions", cut: 371 });
        assert_eq!((error.kind().code(), error.kind().http_status()), ("STRATEGY_CONFIGURATION_ERROR", 400));
        assert_eq!(error.issues()[0].code, Some("look-ahead"));
        assert!(error.message().contains("decisions of the first 371 bars"), "{}", error.message());
    }
}
