//! `/`, health, metrics, the document.

use super::Api;
use crate::dto::{DetailedHealthDto, HealthDto, RootDto};
use crate::failure::Failure;
use axum::Json;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use fx_app::ports::HealthStatus;
use fx_domain::ErrorKind;
use http::header;
use std::sync::Arc;

/// The docs page has nothing but text and one style.
const DOCS_CSP: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/// That the service is there.
#[utoipa::path(get, path = "/", tag = "platform", responses((status = 200, body = RootDto, description = "It is.")))]
pub(crate) async fn root(State(api): State<Arc<Api>>) -> Json<RootDto> {
    Json(RootDto::at(api.settings.clock.now()))
}

/// That the service runs.
#[utoipa::path(get, path = "/health", tag = "platform", responses((status = 200, body = HealthDto, description = "It does.")))]
pub(crate) async fn health(State(api): State<Arc<Api>>) -> Json<HealthDto> {
    Json(HealthDto::at(api.settings.clock.now()))
}

/// How every part of the service does.
#[utoipa::path(
    get, path = "/health/detailed", tag = "platform",
    responses((status = 200, body = DetailedHealthDto, description = "Each part's word; `status` sums them up."))
)]
pub(crate) async fn detailed(State(api): State<Arc<Api>>) -> Json<DetailedHealthDto> {
    let health = api.app.detailed_health().await;
    Json(DetailedHealthDto::of(health, api.settings.clock.now()))
}

/// That the process answers at all.
#[utoipa::path(get, path = "/health/live", tag = "platform", responses((status = 200, body = HealthDto, description = "It does.")))]
pub(crate) async fn live(State(api): State<Arc<Api>>) -> Json<HealthDto> {
    Json(HealthDto::at(api.settings.clock.now()))
}

/// Whether requests can be served.
#[utoipa::path(get, path = "/health/ready", tag = "platform", responses((status = 200, body = HealthDto, description = "They can.")))]
pub(crate) async fn ready(State(api): State<Arc<Api>>) -> Result<Json<HealthDto>, Failure> {
    let health = api.app.ready().await;
    if health.status == HealthStatus::Unhealthy {
        return Err(Failure::new(ErrorKind::ServiceUnavailable, format!("not ready: {}", health.message)));
    }
    Ok(Json(HealthDto::at(api.settings.clock.now())))
}

/// Metrics in Prometheus' text form.
#[utoipa::path(
    get, path = "/metrics", tag = "platform",
    responses((status = 200, content_type = "text/plain", body = String, description = "The metrics."))
)]
pub(crate) async fn metrics(State(api): State<Arc<Api>>) -> Response {
    let rendered = api.settings.metrics.as_ref().map(|render| render()).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], rendered).into_response()
}

/// This document.
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "platform",
    responses((status = 200, content_type = "application/json", body = serde_json::Value, description = "OpenAPI 3.1."))
)]
pub(crate) async fn openapi_json(State(api): State<Arc<Api>>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], api.document.clone()).into_response()
}

/// The routes, for people.
#[utoipa::path(
    get, path = "/api/docs", tag = "platform",
    responses((status = 200, content_type = "text/html", body = String, description = "One page of HTML."))
)]
pub(crate) async fn docs(State(api): State<Arc<Api>>) -> Response {
    ([(header::CONTENT_SECURITY_POLICY, DOCS_CSP)], Html(api.docs_page.clone())).into_response()
}
