//! Validate, register, list, get, delete strategies.

use super::{Api, V1};
use crate::dto::{
    RegisterBody, RegisteredDto, StrategyDto, StrategyPage, ValidateBody, ValidationDto, VersionPage,
};
use crate::failure::Failure;
use crate::input::{self, JsonBody, PageParams, PathKey, Query};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use fx_app::Caller;
use fx_domain::{Digest, StrategyId};
use http::{StatusCode, Uri, header};
use std::str::FromStr;
use std::sync::Arc;

/// Registers a strategy, or a new version of one: the same name is the same strategy.
#[utoipa::path(
    post, path = "/api/v1/strategies/register", tag = "strategies", request_body = RegisterBody,
    responses((
        status = 201, body = RegisteredDto, description = "It is registered; the same content again is the same version.",
        headers(("Location" = String, description = "Where the strategy is."))
    ), (status = 400, description = "The source or a field is wrong; `details` says where."))
)]
pub(crate) async fn register(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    JsonBody(body): JsonBody<RegisterBody>,
) -> Result<Response, Failure> {
    let version = api.app.register_strategy(&caller, body.into()).await?;
    let location = format!("{V1}/strategies/{}", version.id);
    let body = Json(RegisteredDto::from(&version));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], body).into_response())
}

/// Looks at a source and stores nothing: what is wrong with it and where, or what it would run as.
#[utoipa::path(
    post, path = "/api/v1/strategies/validate", tag = "strategies", request_body = ValidateBody,
    responses((status = 200, body = ValidationDto, description = "What is found, also of a source that is wrong."))
)]
pub(crate) async fn validate(
    State(api): State<Arc<Api>>,
    JsonBody(body): JsonBody<ValidateBody>,
) -> Result<Json<ValidationDto>, Failure> {
    let validation = api.app.validate_strategy(body.into()).await?;
    Ok(Json(ValidationDto::from(&validation)))
}

/// Lists the caller's strategies; the first page begins with those that ship with the platform.
#[utoipa::path(
    get, path = "/api/v1/strategies", tag = "strategies", params(PageParams),
    responses((status = 200, body = StrategyPage, description = "A page of strategies."))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Json<StrategyPage>, Failure> {
    let mut query = Query::new(&uri)?;
    let page = query.page();
    query.finish()?;
    let found = api.app.list_strategies(&caller, &page).await?;
    let strategies = found.items.iter().map(StrategyDto::listed).collect();
    Ok(Json(StrategyPage { strategies, next_page_token: found.next }))
}

/// The latest version of a strategy, or the one that is named.
#[utoipa::path(
    get, path = "/api/v1/strategies/{strategy_id}", tag = "strategies",
    params(
        input::StrategyPath,
        ("version" = Option<String>, Query, pattern = "^[0-9a-f]{64}$", description = "The version; the latest when absent.")
    ),
    responses(
        (status = 200, body = StrategyDto, description = "The strategy, with its source."),
        (status = 404, description = "There is no such strategy or version.")
    )
)]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PathKey(id): PathKey<StrategyId>,
    uri: Uri,
) -> Result<Json<StrategyDto>, Failure> {
    let mut query = Query::new(&uri)?;
    let version = query.one("version", Digest::from_str);
    query.finish()?;
    let found = api.app.get_strategy(&caller, &id, version.as_ref()).await?;
    Ok(Json(StrategyDto::whole(&found)))
}

/// The versions of a strategy, oldest first.
#[utoipa::path(
    get, path = "/api/v1/strategies/{strategy_id}/versions", tag = "strategies",
    params(input::StrategyPath, PageParams),
    responses(
        (status = 200, body = VersionPage, description = "A page of versions."),
        (status = 404, description = "There is no such strategy.")
    )
)]
pub(crate) async fn versions(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PathKey(id): PathKey<StrategyId>,
    uri: Uri,
) -> Result<Json<VersionPage>, Failure> {
    let mut query = Query::new(&uri)?;
    let page = query.page();
    query.finish()?;
    let found = api.app.strategy_versions(&caller, &id, &page).await?;
    let versions = found.items.iter().map(StrategyDto::listed).collect();
    Ok(Json(VersionPage { strategy_id: id.to_string(), versions, next_page_token: found.next }))
}

/// Deletes a strategy. Its versions stay readable by name: results refer to them.
#[utoipa::path(
    delete, path = "/api/v1/strategies/{strategy_id}", tag = "strategies", params(input::StrategyPath),
    responses(
        (status = 204, description = "It is gone."),
        (status = 403, description = "The key is wrong, or the strategy ships with the platform."),
        (status = 404, description = "There is no such strategy.")
    )
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PathKey(id): PathKey<StrategyId>,
) -> Result<StatusCode, Failure> {
    api.app.delete_strategy(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
