//! The routes, by the function that owns them, and the layers around them.

mod analysis;
mod backtests;
mod datasets;
mod executions;
mod platform;
mod strategies;

use crate::settings::{ApiSettings, RouteGroup, RouteSet};
use crate::{auth, context, document, failure::Failure};
use axum::Router;
use axum::middleware::from_fn_with_state;
use fx_app::App;
use fx_domain::ErrorKind;
use http::{HeaderName, HeaderValue, Method, Uri, header};
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Prefix of everything but `/`, health, metrics and the document.
pub(crate) const V1: &str = "/api/v1";

/// What every handler sees.
pub(crate) struct Api {
    pub(crate) app: App,
    pub(crate) settings: ApiSettings,
    /// The OpenAPI document, as JSON.
    pub(crate) document: String,
    /// The page that lists the routes.
    pub(crate) docs_page: String,
}

/// The routes of `routes` over `app`, with keys, request ids, deadlines, metrics and error bodies around them.
pub fn router(app: App, routes: RouteSet, settings: ApiSettings) -> Router {
    let described = document::of(settings.metrics.is_some());
    let docs_page = document::page(&described);
    // Maps of texts always serialise; without a document its route says so by an empty body.
    let document = serde_json::to_string(&described).unwrap_or_default();
    let cors = cors(&settings.cors_origins);
    let with_metrics = settings.metrics.is_some();
    let api = Arc::new(Api { app, settings, document, docs_page });

    let (mut open, mut guarded) = (Router::new(), Router::new());
    for group in RouteGroup::ALL.into_iter().filter(|group| routes.has(*group)) {
        let (router, _) = group_routes(group, with_metrics).split_for_parts();
        match group {
            RouteGroup::Platform => open = open.merge(router),
            _ => guarded = guarded.merge(router),
        }
    }
    // A layer over no routes is an error of axum's.
    if guarded.has_routes() {
        guarded = guarded.route_layer(from_fn_with_state(Arc::clone(&api), auth::require_key));
    }
    open.merge(guarded)
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(context::panicked))
        .layer(from_fn_with_state(Arc::clone(&api), context::carry))
        .layer(cors)
        .with_state(api)
}

/// The routes of one group.
pub(crate) fn group_routes(group: RouteGroup, with_metrics: bool) -> OpenApiRouter<Arc<Api>> {
    match group {
        RouteGroup::Registration => registration_routes(),
        RouteGroup::Backtesting => backtesting_routes(),
        RouteGroup::Execution => execution_routes(),
        RouteGroup::Platform => platform_routes(with_metrics),
    }
}

fn registration_routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(strategies::register))
        .routes(routes!(strategies::validate))
        .routes(routes!(strategies::list))
        .routes(routes!(strategies::get, strategies::delete))
        .routes(routes!(strategies::versions))
}

fn backtesting_routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(backtests::run))
        .routes(routes!(backtests::get))
        .routes(routes!(backtests::trades))
        .routes(routes!(backtests::equity))
        .routes(routes!(backtests::ledger))
        .routes(routes!(backtests::orders))
        .routes(routes!(backtests::margin))
        .routes(routes!(backtests::report))
        .routes(routes!(analysis::backtests))
        .routes(routes!(analysis::performance))
        .routes(routes!(analysis::compare))
        .routes(routes!(datasets::list))
        .routes(routes!(datasets::of_instrument))
        .routes(routes!(datasets::features))
}

fn execution_routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(executions::execute))
        .routes(routes!(executions::get))
        .routes(routes!(executions::list))
}

fn platform_routes(with_metrics: bool) -> OpenApiRouter<Arc<Api>> {
    let routes = OpenApiRouter::new()
        .routes(routes!(platform::root))
        .routes(routes!(platform::health))
        .routes(routes!(platform::detailed))
        .routes(routes!(platform::live))
        .routes(routes!(platform::ready))
        .routes(routes!(platform::openapi_json))
        .routes(routes!(platform::docs));
    if with_metrics { routes.routes(routes!(platform::metrics)) } else { routes }
}

async fn unknown_path(uri: Uri) -> Failure {
    Failure::new(ErrorKind::NotFound, format!("nothing is at {}", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> Failure {
    Failure::new(ErrorKind::MethodNotAllowed, format!("{method} is not a method of {}", uri.path()))
}

fn cors(origins: &[HeaderValue]) -> CorsLayer {
    let origins = match origins.iter().any(|origin| origin == "*") {
        true => AllowOrigin::any(),
        false => AllowOrigin::list(origins.iter().cloned()),
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            header::CONTENT_TYPE,
            header::ACCEPT,
            HeaderName::from_static(auth::KEY_HEADER),
            context::REQUEST_ID,
        ])
        .expose_headers([context::REQUEST_ID, header::LOCATION])
}
