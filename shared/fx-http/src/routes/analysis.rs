//! Statistics of finished backtests.

use super::Api;
use crate::dto::{BacktestSummaries, BacktestSummary, Comparison, PerformanceReport};
use crate::failure::Failure;
use crate::input::{BacktestPath, PageParams, PathKey, Query};
use axum::extract::State;
use axum::{Extension, Json};
use fx_app::Caller;
use fx_domain::{BacktestId, StrategyId};
use http::Uri;
use std::sync::Arc;

/// The caller's backtests of one strategy, or of all, newest first.
#[utoipa::path(
    get, path = "/api/v1/analysis/backtests", tag = "analysis",
    params(
        ("strategy_id" = Option<String>, Query, min_length = 1, max_length = 80, pattern = "^[A-Za-z0-9_-]+$",
            description = "The strategy; all of them when absent."),
        PageParams
    ),
    responses((status = 200, body = BacktestSummaries, description = "A page of backtests."))
)]
pub(crate) async fn backtests(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Json<BacktestSummaries>, Failure> {
    let mut query = Query::new(&uri)?;
    let strategy = query.one("strategy_id", StrategyId::parse);
    let page = query.page();
    query.finish()?;
    let found = api.app.list_backtests(&caller, strategy.as_ref(), &page).await?;
    let backtests = found.items.iter().map(BacktestSummary::of).collect();
    Ok(Json(BacktestSummaries { backtests, next_page_token: found.next }))
}

/// Everything that is computed from a backtest.
#[utoipa::path(
    get, path = "/api/v1/analysis/performance/{backtest_id}", tag = "analysis", params(BacktestPath),
    responses(
        (status = 200, body = PerformanceReport, description = "The report."),
        (status = 404, description = "There is no such backtest.")
    )
)]
pub(crate) async fn performance(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PathKey(id): PathKey<BacktestId>,
) -> Result<Json<PerformanceReport>, Failure> {
    Ok(Json(PerformanceReport::of(&api.app.get_backtest(&caller, &id).await?)))
}

/// The newest backtest of several strategies, side by side.
#[utoipa::path(
    get, path = "/api/v1/analysis/compare", tag = "analysis",
    params(("strategy_ids" = Vec<String>, Query, min_items = 1, max_items = 20,
        description = "The strategies: `strategy_ids=a&strategy_ids=b`.")),
    responses(
        (status = 200, body = Comparison, description = "The comparison."),
        (status = 400, description = "No strategy is named, or too many are."),
        (status = 404, description = "A strategy has no backtest.")
    )
)]
pub(crate) async fn compare(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Json<Comparison>, Failure> {
    let mut query = Query::new(&uri)?;
    let strategies = query.all("strategy_ids", StrategyId::parse);
    query.finish()?;
    let records = api.app.compare(&caller, &strategies).await?;
    Ok(Json(Comparison::of(&strategies, &records, api.settings.clock.now())?))
}
