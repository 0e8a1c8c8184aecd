//! What AWS answers when it does not do what was asked.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use fx_app::ports::StoreError;
use std::error::Error;

/// A call to AWS failed.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// It was refused or not answered, after the SDK's own retries.
    #[error("{call} on {resource} failed ({code})")]
    Call {
        /// The API's name of the call.
        call: &'static str,
        /// Table, bucket or queue.
        resource: String,
        /// The service's error code; `no answer` when there was none.
        code: String,
        /// What the SDK says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Others wrote the same items at the same time, again and again.
    #[error("{call} on {resource} still met other writers after {attempts} attempts")]
    Contended {
        /// The API's name of the call.
        call: &'static str,
        /// Table, bucket or queue.
        resource: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The answer lacks what the API promises.
    #[error("{call} on {resource} answered {what}")]
    Answer {
        /// The API's name of the call.
        call: &'static str,
        /// Table, bucket or queue.
        resource: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl AwsError {
    pub(crate) fn call<E, R>(call: &'static str, resource: &str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let code =
            error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or("no answer").to_owned();
        Self::Call { call, resource: resource.to_owned(), code, source: Box::new(error) }
    }

    /// The one mapping to the ports' error: what the service holds is checked elsewhere, so here it is always its service.
    pub(crate) fn into_store_error(self, store: &'static str) -> StoreError {
        StoreError::Unavailable { store, source: Box::new(self) }
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
