//! JSON bodies.

use super::{Faults, Fields, FromFields};
use crate::failure::{Failure, media_type};
use crate::settings::BODY_BYTES_MAX;
use axum::extract::{FromRequest, Request};
use fx_domain::{ErrorKind, PlatformError};
use http::{HeaderMap, header};
use http_body_util::LengthLimitError;
use serde_json::Value;

/// A body that fits its schema.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: FromFields, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Failure> {
        if !is_json(request.headers()) {
            let message = "the body must be JSON: send Content-Type: application/json";
            return Err(Failure::new(ErrorKind::UnsupportedMediaType, message));
        }
        let bytes = axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX).await.map_err(|error| {
            let error = error.into_inner();
            if error.is::<LengthLimitError>() {
                let message = format!("the body is larger than {BODY_BYTES_MAX} bytes");
                PlatformError::new(ErrorKind::PayloadTooLarge, message)
            } else {
                PlatformError::new(ErrorKind::RequestValidation, "the body broke off").caused_by(error)
            }
        })?;
        Ok(Self(decode(&bytes)?))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(given) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let given = media_type(given).to_ascii_lowercase();
    given == "application/json" || (given.starts_with("application/") && given.ends_with("+json"))
}

/// Reads a body.
pub(crate) fn decode<T: FromFields>(bytes: &[u8]) -> Result<T, PlatformError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        let message = format!("is not JSON: {error}");
        PlatformError::field(ErrorKind::RequestValidation, "body", message)
    })?;
    let Value::Object(object) = value else {
        let message = "expected an object";
        return Err(PlatformError::field(ErrorKind::RequestValidation, "body", message));
    };
    let mut fields = Fields::new(object);
    let read = T::read(&mut fields);
    fields.finish(read).map_err(|faults: Faults| faults.into_error(T::UNSUPPORTED))
}
