//! The platform's error hierarchy, as one mapping.
//!
//! Every crate has an enum of its own; at the edge of a use-case each becomes a [`PlatformError`], which says what the
//! caller is told (kind, message, issues) and what the host does with it ([`ErrorClass`]).

use crate::UnixNanos;
use std::fmt;

/// The result of a use-case.
pub type PlatformResult<T> = Result<T, PlatformError>;

/// The platform's error classes. Names, codes and HTTP statuses are what its clients match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// `ForexTradingPlatformError`: the root; anything unforeseen.
    Platform,
    /// `StrategyExecutionError`: a strategy could not be run.
    StrategyExecution,
    /// `StrategyConfigurationError`: a strategy or its parameters are wrong.
    StrategyConfiguration,
    /// `StrategyLoadError`: no such strategy.
    StrategyNotFound,
    /// `StrategyLoadError`: a stored strategy is broken.
    StrategyBroken,
    /// `BacktestError`: a backtest could not be served.
    Backtest,
    /// `BacktestError`: no such backtest.
    BacktestNotFound,
    /// `BacktestConfigError`: the request for a backtest is wrong.
    BacktestConfig,
    /// `BacktestDataError`: the data for a backtest is missing or unsound.
    BacktestData,
    /// `BacktestExecutionError`: a backtest broke while running.
    BacktestExecution,
    /// `BacktestReportError`: a report could not be made.
    BacktestReport,
    /// `RequestValidationError`: the body or query does not fit its schema.
    RequestValidation,
    /// `AuthenticationError`: no key was given.
    Unauthenticated,
    /// `AuthorizationError`: the key is wrong, or lacks the scope.
    Forbidden,
    /// `NotFoundError`: nothing is there.
    NotFound,
    /// `MethodNotAllowedError`: the path is right, the method is not.
    MethodNotAllowed,
    /// `PayloadTooLargeError`: the body is over its limit.
    PayloadTooLarge,
    /// `UnsupportedMediaTypeError`: the body is not JSON.
    UnsupportedMediaType,
    /// `ConflictError`: another writer was first.
    Conflict,
    /// `RateLimitError`: too many requests.
    RateLimited,
    /// `ServiceError`: a peer or a store failed.
    ServiceFailed,
    /// `ServiceError`: a peer or a store is known to be down.
    ServiceUnavailable,
    /// `ServiceError`: a peer or a store did not answer in time.
    ServiceTimeout,
}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The caller must change something: answer 4xx, never retry.
    Caller,
    /// It may pass: answer 5xx, retry with back-off.
    Retry,
    /// It is our fault: answer 500, never retry, log with cause.
    Bug,
}

impl ErrorKind {
    /// The class name, the machine code and the HTTP status: the whole hierarchy in one table.
    const fn row(self) -> (&'static str, &'static str, u16) {
        match self {
            Self::Platform => ("ForexTradingPlatformError", "FOREX_PLATFORM_ERROR", 500),
            Self::StrategyExecution => ("StrategyExecutionError", "STRATEGY_EXECUTION_ERROR", 500),
            Self::StrategyConfiguration => {
                ("StrategyConfigurationError", "STRATEGY_CONFIGURATION_ERROR", 400)
            }
            Self::StrategyNotFound => ("StrategyLoadError", "STRATEGY_LOAD_ERROR", 404),
            Self::StrategyBroken => ("StrategyLoadError", "STRATEGY_LOAD_ERROR", 500),
            Self::Backtest => ("BacktestError", "BACKTEST_ERROR", 500),
            Self::BacktestNotFound => ("BacktestError", "BACKTEST_ERROR", 404),
            Self::BacktestConfig => ("BacktestConfigError", "BACKTEST_CONFIG_ERROR", 400),
            Self::BacktestData => ("BacktestDataError", "BACKTEST_DATA_ERROR", 422),
            Self::BacktestExecution => ("BacktestExecutionError", "BACKTEST_EXECUTION_ERROR", 500),
            Self::BacktestReport => ("BacktestReportError", "BACKTEST_REPORT_ERROR", 500),
            Self::RequestValidation => ("RequestValidationError", "REQUEST_VALIDATION_ERROR", 422),
            Self::Unauthenticated => ("AuthenticationError", "AUTHENTICATION_ERROR", 401),
            Self::Forbidden => ("AuthorizationError", "AUTHORIZATION_ERROR", 403),
            Self::NotFound => ("NotFoundError", "NOT_FOUND", 404),
            Self::MethodNotAllowed => ("MethodNotAllowedError", "METHOD_NOT_ALLOWED", 405),
            Self::PayloadTooLarge => ("PayloadTooLargeError", "PAYLOAD_TOO_LARGE", 413),
            Self::UnsupportedMediaType => ("UnsupportedMediaTypeError", "UNSUPPORTED_MEDIA_TYPE", 415),
            Self::Conflict => ("ConflictError", "CONFLICT", 409),
            Self::RateLimited => ("RateLimitError", "RATE_LIMITED", 429),
            Self::ServiceFailed => ("ServiceError", "SERVICE_ERROR", 502),
            Self::ServiceUnavailable => ("ServiceError", "SERVICE_ERROR", 503),
            Self::ServiceTimeout => ("ServiceError", "SERVICE_ERROR", 504),
        }
    }

    /// The class name that clients know: `BacktestConfigError`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The machine code: `BACKTEST_CONFIG_ERROR`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().1
    }

    /// The HTTP status.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        self.row().2
    }

    /// What to do about it.
    #[must_use]
    pub const fn class(self) -> ErrorClass {
        match self.http_status() {
            429 | 502..=504 => ErrorClass::Retry,
            500.. => ErrorClass::Bug,
            _ => ErrorClass::Caller,
        }
    }
}

/// Where an issue is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A field of the request, in dotted form: `sweep.parameters.fast`.
    Field(String),
    /// A place in a strategy's source, both from 1, columns in characters.
    Source {
        /// First line.
        line: u32,
        /// First column.
        column: u32,
        /// Line behind the last character.
        end_line: u32,
        /// Column behind the last character.
        end_column: u32,
    },
    /// A line of a file, from 1.
    Line(u64),
    /// A bar of a series.
    Bar {
        /// Its index in the series that was given.
        index: u64,
        /// Its open time.
        time: UnixNanos,
    },
}

/// One thing that is wrong, where it is, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Where.
    pub location: Location,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do, when we know.
    pub hint: Option<String>,
    /// What kind of finding it is, of those that a strategy's compiler makes.
    pub code: Option<&'static str>,
}

impl Issue {
    /// An issue at `location`.
    pub fn at(location: Location, message: impl Into<String>) -> Self {
        Self { location, message: message.into(), hint: None, code: None }
    }

    /// An issue of the request's field `name`.
    pub fn field(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::at(Location::Field(name.into()), message)
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Location::Field(name) => write!(f, "{name}: ")?,
            Location::Source { line, column, .. } => write!(f, "{line}:{column}: ")?,
            Location::Line(line) => write!(f, "line {line}: ")?,
            Location::Bar { index, time } => write!(f, "bar {index} ({time}): ")?,
        }
        f.write_str(&self.message)
    }
}

/// An error as the platform's clients know it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct PlatformError {
    kind: ErrorKind,
    message: String,
    issues: Vec<Issue>,
    #[source]
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl PlatformError {
    /// An error of `kind` that tells the caller `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), issues: Vec::new(), cause: None }
    }

    /// Adds the cause. It is logged, never sent to the caller.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds what exactly is wrong, and where.
    #[must_use]
    pub fn with_issues(mut self, issues: impl IntoIterator<Item = Issue>) -> Self {
        self.issues.extend(issues);
        self
    }

    /// An error about one field of the request; the message names it.
    pub fn field(kind: ErrorKind, name: impl Into<String>, message: impl Into<String>) -> Self {
        let issue = Issue::field(name, message);
        Self { kind, message: issue.to_string(), issues: vec![issue], cause: None }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What the caller is told.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What exactly is wrong.
    #[must_use]
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_follows_the_status() {
        assert_eq!(ErrorKind::BacktestConfig.class(), ErrorClass::Caller);
        assert_eq!(ErrorKind::StrategyBroken.class(), ErrorClass::Bug);
        assert_eq!(ErrorKind::ServiceTimeout.class(), ErrorClass::Retry);
        assert_eq!(ErrorKind::RateLimited.class(), ErrorClass::Retry);
    }

    #[test]
    fn an_error_about_a_field_names_it_in_the_message() {
        let error = PlatformError::field(ErrorKind::BacktestConfig, "end_date", "is before start_date");
        assert_eq!(error.message(), "end_date: is before start_date");
        assert_eq!(error.issues().len(), 1);
        assert_eq!((error.kind().code(), error.kind().http_status()), ("BACKTEST_CONFIG_ERROR", 400));
    }
}
