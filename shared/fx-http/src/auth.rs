//! Who asks: `X-API-Key`.

use crate::failure::Failure;
use crate::routes::Api;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use fx_app::{Caller, Reach};
use fx_domain::{ErrorKind, PlatformError, Principal};
use std::sync::Arc;

/// The header that carries the key.
pub(crate) const KEY_HEADER: &str = "x-api-key";
/// Who everybody is when no keys are configured.
const LOCAL: &str = "local";

/// Lets a request with a good key through, with its [`Caller`] attached.
pub(crate) async fn require_key(
    State(api): State<Arc<Api>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let caller = identify(&api, &request)?;
    tracing::Span::current().record("principal", caller.principal().as_str());
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

fn identify(api: &Api, request: &Request) -> Result<Caller, PlatformError> {
    if api.settings.keys.is_empty() {
        let local = Principal::parse(LOCAL)
            .map_err(|error| PlatformError::new(ErrorKind::Platform, "no principal").caused_by(error))?;
        return Ok(Caller::new(local, Reach::All));
    }
    let given = request
        .headers()
        .get(KEY_HEADER)
        .ok_or_else(|| PlatformError::new(ErrorKind::Unauthenticated, "the header X-API-Key is missing"))?;
    let caller = api.settings.keys.caller(given.as_bytes());
    caller.cloned().ok_or_else(|| PlatformError::new(ErrorKind::Forbidden, "the X-API-Key is not valid"))
}
