//! Identifiers in paths.

use crate::failure::Failure;
use axum::extract::{FromRequestParts, RawPathParams};
use fx_domain::{BacktestId, ErrorKind, ExecutionId, Instrument, PlatformError, StrategyId};
use http::request::Parts;
use std::fmt::Display;
use utoipa::IntoParams;

/// The identifier in a path.
#[derive(Debug)]
pub(crate) struct PathKey<T>(pub(crate) T);

/// What can stand in a path.
pub(crate) trait InPath: Sized {
    /// Reads it.
    fn read(text: &str) -> Result<Self, String>;
}

macro_rules! in_path {
    ($($key:ty),*) => {$(
        impl InPath for $key {
            fn read(text: &str) -> Result<Self, String> {
                Self::parse(text).map_err(|error| error.to_string())
            }
        }
    )*};
}
in_path!(StrategyId, BacktestId, ExecutionId, Instrument);

impl<T: InPath, S: Send + Sync> FromRequestParts<S> for PathKey<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let refuse = |name: &str, error: &dyn Display| {
            PlatformError::field(ErrorKind::RequestValidation, name, error.to_string())
        };
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|error| refuse("path", &error))?;
        let (name, text) = params.iter().next().ok_or_else(|| refuse("path", &"has no identifier"))?;
        Ok(Self(T::read(text).map_err(|error| refuse(name, &error))?))
    }
}

/// A strategy in a path, as the document describes it.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "read by the document's generator only")]
pub(crate) struct StrategyPath {
    /// The strategy.
    #[param(min_length = 1, max_length = 80, pattern = "^[A-Za-z0-9_-]+$")]
    strategy_id: String,
}

/// A backtest in a path, as the document describes it.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "read by the document's generator only")]
pub(crate) struct BacktestPath {
    /// The backtest.
    #[param(min_length = 1, max_length = 80, pattern = "^[A-Za-z0-9_-]+$")]
    backtest_id: String,
}

/// An execution in a path, as the document describes it.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "read by the document's generator only")]
pub(crate) struct ExecutionPath {
    /// The execution.
    #[param(min_length = 1, max_length = 80, pattern = "^[A-Za-z0-9_-]+$")]
    execution_id: String,
}

/// A pair in a path, as the document describes it.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "read by the document's generator only")]
pub(crate) struct InstrumentPath {
    /// The pair: `EUR_USD`, `EURUSD` or `EUR%2FUSD`.
    #[param(min_length = 1, max_length = 7, pattern = "^[A-Za-z]{3}[_/-]?[A-Za-z]{3}$")]
    instrument: String,
}
