//! Run a strategy once on the newest bars.

use super::{Api, backtests::known_strategy};
use crate::dto::{ExecuteBody, ExecutionDto, ExecutionPage};
use crate::failure::Failure;
use crate::input::{ExecutionPath, JsonBody, PageParams, PathKey, Query};
use axum::extract::State;
use axum::{Extension, Json};
use fx_app::Caller;
use fx_app::executions::ExecutionRequest;
use fx_domain::{ExecutionId, StrategyId};
use http::Uri;
use std::sync::Arc;
use std::time::Instant;

/// Runs a strategy once: signals, the risk check, and the orders that would follow.
#[utoipa::path(
    post, path = "/api/v1/execute", tag = "executions", request_body = ExecuteBody,
    responses(
        (status = 200, body = ExecutionDto, description = "What it decided. A refusal by the risk check is an answer too."),
        (status = 400, description = "A field asks for what cannot be done; it is named."),
        (status = 404, description = "There is no such strategy.")
    )
)]
pub(crate) async fn execute(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    JsonBody(body): JsonBody<ExecuteBody>,
) -> Result<Json<ExecutionDto>, Failure> {
    let request = ExecutionRequest::from(body);
    let (strategy, started) = (request.strategy_id.to_string(), Instant::now());
    let outcome = api.app.execute(&caller, request).await;
    let strategy = known_strategy(strategy, outcome.as_ref().err());
    let status = outcome.as_ref().map_or("failed", |record| match record.risk_valid {
        true => "completed",
        false => "refused",
    });
    metrics::counter!("strategy_executions_total", "strategy_id" => strategy.clone(), "status" => status)
        .increment(1);
    metrics::histogram!("strategy_execution_duration_seconds", "strategy_id" => strategy)
        .record(started.elapsed());
    Ok(Json(ExecutionDto::of(&outcome?)))
}

/// One execution.
#[utoipa::path(
    get, path = "/api/v1/executions/{execution_id}", tag = "executions", params(ExecutionPath),
    responses(
        (status = 200, body = ExecutionDto, description = "The execution."),
        (status = 404, description = "There is no such execution.")
    )
)]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PathKey(id): PathKey<ExecutionId>,
) -> Result<Json<ExecutionDto>, Failure> {
    Ok(Json(ExecutionDto::of(&api.app.get_execution(&caller, &id).await?)))
}

/// The caller's executions of one strategy, or of all, newest first.
#[utoipa::path(
    get, path = "/api/v1/executions", tag = "executions",
    params(
        ("strategy_id" = Option<String>, Query, min_length = 1, max_length = 80, pattern = "^[A-Za-z0-9_-]+$",
            description = "The strategy; all of them when absent."),
        PageParams
    ),
    responses((status = 200, body = ExecutionPage, description = "A page of executions."))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Json<ExecutionPage>, Failure> {
    let mut query = Query::new(&uri)?;
    let strategy = query.one("strategy_id", StrategyId::parse);
    let page = query.page();
    query.finish()?;
    let found = api.app.list_executions(&caller, strategy.as_ref(), &page).await?;
    let executions = found.items.iter().map(ExecutionDto::of).collect();
    Ok(Json(ExecutionPage { executions, next_page_token: found.next }))
}
