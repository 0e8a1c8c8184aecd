//! What happens around every request: its id, its span, its metrics, its deadline, the rendering of its failure.

use crate::failure::{self, Failure, Occasion};
use crate::routes::Api;
use crate::settings::REQUEST_TIMEOUT;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use fx_domain::ErrorKind;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use std::any::Any;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// Characters of an id that a caller gives, at most.
const ID_LENGTH_MAX: usize = 128;
/// The metrics' endpoint of a path that no route matches: a caller's paths must not become labels.
const UNMATCHED: &str = "unmatched";

/// Carries a request through its handler and its answer out.
pub(crate) async fn carry(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let headers = request.headers();
    let request_id = visible(headers, &REQUEST_ID).unwrap_or_else(new_request_id);
    let passed_on = [CORRELATION_ID, TRACE_PARENT].map(|name| (visible(headers, &name), name));
    let wants_problem = failure::wants_problem(headers);
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str).to_owned();
    let span = tracing::info_span!(
        "http.request",
        http.method = method,
        http.route = route,
        http.status = tracing::field::Empty,
        duration_ms = tracing::field::Empty,
        principal = tracing::field::Empty,
        request_id,
        correlation_id = passed_on[0].0,
        traceparent = passed_on[1].0,
    );
    let answer = async {
        let answer = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await;
        let answer = answer.unwrap_or_else(|_| {
            let message = format!("the request took longer than {} s", REQUEST_TIMEOUT.as_secs());
            Failure::new(ErrorKind::ServiceTimeout, message).into_response()
        });
        failure::render(
            answer,
            &Occasion { request_id: &request_id, now: api.settings.clock.now(), wants_problem },
        )
    };
    let mut response = answer.instrument(span.clone()).await;
    let (status, elapsed) = (response.status().as_u16(), started.elapsed());
    span.record("http.status", status).record("duration_ms", elapsed.as_secs_f64() * 1e3);
    span.in_scope(|| tracing::info!("request answered"));
    metrics::counter!("http_requests_total", "method" => method, "endpoint" => route.clone(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!("http_request_duration_seconds", "method" => method, "endpoint" => route)
        .record(elapsed);
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (value, name) in passed_on.into_iter().chain([(Some(request_id), REQUEST_ID)]) {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    response
}

/// What a panic in a handler is answered with. Its message may hold anything: it is logged, not sent.
pub(crate) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    let error = fx_domain::PlatformError::new(ErrorKind::Platform, "something went wrong on our side");
    Failure::from(error.caused_by(format!("panic: {said}"))).into_response()
}

fn visible(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    let good = (1..=ID_LENGTH_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    good.then(|| text.to_owned())
}

/// 128 bits of the standard library's per-map randomness: unique is enough, nothing rests on it being secret.
fn new_request_id() -> String {
    let part = || std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", part(), part())
}

/// A method as a label: a caller's own inventions are one.
fn method_label(method: &Method) -> &'static str {
    const KNOWN: [(&Method, &str); 7] = [
        (&Method::GET, "GET"),
        (&Method::HEAD, "HEAD"),
        (&Method::POST, "POST"),
        (&Method::PUT, "PUT"),
        (&Method::DELETE, "DELETE"),
        (&Method::PATCH, "PATCH"),
        (&Method::OPTIONS, "OPTIONS"),
    ];
    KNOWN.iter().find(|(known, _)| *known == method).map_or("other", |(_, label)| label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_echoed_only_when_it_is_short_and_visible() {
        let of = |text: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(text).unwrap());
            visible(&headers, &REQUEST_ID)
        };
        assert_eq!(of(b"req-1").as_deref(), Some("req-1"));
        assert_eq!(of(&[b'x'; 128]).map(|id| id.len()), Some(128));
        for bad in [&b""[..], b"a b", b"\xe9", &[b'x'; 129]] {
            assert_eq!(of(bad), None, "{bad:?}");
        }
        assert_ne!(new_request_id(), new_request_id());
    }
}
