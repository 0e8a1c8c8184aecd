//! Run a backtest, read what came out.

use super::Api;
use crate::dto::{
    BacktestBody, BacktestInput, BacktestResult, BacktestStatus, EquityPage, EquityPoint, LedgerEntry,
    LedgerPage, MarginEntry, MarginPage, OrderEventDto, OrderPage, TradeDto, TradePage,
};
use crate::failure::{Failure, media_type};
use crate::input::{BacktestPath, JsonBody, PathKey, Query, RowPageParams, Rows};
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use axum::{Extension, Json};
use fx_app::Caller;
use fx_app::ports::ResultPart;
use fx_domain::{BacktestId, ErrorKind, PlatformError};
use http::{HeaderMap, Uri, header};
use std::sync::Arc;
use std::time::Instant;

/// The media type of Parquet files.
const PARQUET: &str = "application/vnd.apache.parquet";
/// A tear sheet carries its styles and pictures; it runs nothing and loads nothing. Its own `meta` policy allows one style
/// sheet by hash; here any inline one is, for a stored page outlives the release that knew its hash.
const REPORT_CSP: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; \
                          base-uri 'none'; form-action 'none'";

/// Backtests a strategy on stored bars and answers with the result.
#[utoipa::path(
    post, path = "/api/v1/backtest", tag = "backtests", request_body = BacktestBody,
    responses(
        (status = 200, body = BacktestResult, description = "The result."),
        (status = 400, description = "A field asks for what cannot be done; it is named."),
        (status = 404, description = "There is no such strategy.")
    )
)]
pub(crate) async fn run(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    JsonBody(BacktestInput(request)): JsonBody<BacktestInput>,
) -> Result<Json<BacktestResult>, Failure> {
    let (strategy, started) = (request.strategy_id.to_string(), Instant::now());
    let outcome = api.app.run_backtest(&caller, request).await;
    let strategy = known_strategy(strategy, outcome.as_ref().err());
    let status = if outcome.is_ok() { "completed" } else { "failed" };
    metrics::counter!("backtest_executions_total", "strategy_id" => strategy.clone(), "status" => status)
        .increment(1);
    metrics::histogram!("backtest_execution_duration_seconds", "strategy_id" => strategy)
        .record(started.elapsed());
    let outcome = outcome?;
    Ok(Json(BacktestResult::of(&outcome)))
}

/// A strategy's id as a label: ids that a caller invented are one.
pub(super) fn known_strategy(id: String, error: Option<&PlatformError>) -> String {
    match error.map(PlatformError::kind) {
        Some(ErrorKind::StrategyNotFound) => "unknown".to_owned(),
        _ => id,
    }
}

/// Where a backtest stands, and its result.
#[utoipa::path(
    get, path = "/api/v1/backtests/{backtest_id}", tag = "backtests", params(BacktestPath),
    responses(
        (status = 200, body = BacktestStatus, description = "The result."),
        (status = 404, description = "There is no such backtest.")
    )
)]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PathKey(id): PathKey<BacktestId>,
) -> Result<Json<BacktestStatus>, Failure> {
    let result = BacktestResult::of(&api.app.get_outcome(&caller, &id).await?);
    let backtest_id = id.to_string();
    Ok(Json(BacktestStatus { backtest_id, status: "completed", progress: 1.0, eta_seconds: 0.0, result }))
}

/// The closed trades of a backtest.
#[utoipa::path(
    get, path = "/api/v1/backtests/{backtest_id}/trades", tag = "backtests", params(BacktestPath, RowPageParams),
    responses(
        (status = 200, description = "A page of trades, or all of them as a Parquet file.", content(
            (TradePage = "application/json"), (Vec<u8> = "application/vnd.apache.parquet")
        )),
        (status = 404, description = "There is no such backtest.")
    )
)]
pub(crate) async fn trades(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PathKey(id): PathKey<BacktestId>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let rows = rows(&uri)?;
    if wants_parquet(&headers) {
        return parquet(&api, &caller, &id, ResultPart::Trades).await;
    }
    let page = rows.of(&api.app.backtest_trades(&caller, &id, rows.asked()).await?, TradeDto::of);
    let backtest_id = id.to_string();
    Ok(Json(TradePage { backtest_id, trades: page.items, next_page_token: page.next }).into_response())
}

/// The equity curve of a backtest.
#[utoipa::path(
    get, path = "/api/v1/backtests/{backtest_id}/equity", tag = "backtests", params(BacktestPath, RowPageParams),
    responses(
        (status = 200, description = "A page of points, or all of them as a Parquet file.", content(
            (EquityPage = "application/json"), (Vec<u8> = "application/vnd.apache.parquet")
        )),
        (status = 404, description = "There is no such backtest.")
    )
)]
pub(crate) async fn equity(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PathKey(id): PathKey<BacktestId>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let rows = rows(&uri)?;
    if wants_parquet(&headers) {
        return parquet(&api, &caller, &id, ResultPart::Equity).await;
    }
    let curve = api.app.backtest_equity(&caller, &id, rows.asked()).await?;
    let points: Vec<_> = EquityPoint::all(&curve).collect();
    let page = rows.of(&points, EquityPoint::clone);
    let backtest_id = id.to_string();
    Ok(Json(EquityPage { backtest_id, equity_curve: page.items, next_page_token: page.next }).into_response())
}

/// The ledger of a backtest.
#[utoipa::path(
    get, path = "/api/v1/backtests/{backtest_id}/ledger", tag = "backtests", params(BacktestPath, RowPageParams),
    responses(
        (status = 200, description = "A page of rows, or all of them as a Parquet file.", content(
            (LedgerPage = "application/json"), (Vec<u8> = "application/vnd.apache.parquet")
        )),
        (status = 404, description = "There is no such backtest.")
    )
)]
pub(crate) async fn ledger(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PathKey(id): PathKey<BacktestId>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let rows = rows(&uri)?;
    if wants_parquet(&headers) {
        return parquet(&api, &caller, &id, ResultPart::Ledger).await;
    }
    let page = rows.of(&api.app.backtest_ledger(&caller, &id, rows.asked()).await?, LedgerEntry::of);
    let backtest_id = id.to_string();
    Ok(Json(LedgerPage { backtest_id, ledger: page.items, next_page_token: page.next }).into_response())
}

/// What happened to the orders of a backtest, refusals included.
#[utoipa::path(
    get, path = "/api/v1/backtests/{backtest_id}/orders", tag = "backtests", params(BacktestPath, RowPageParams),
    responses(
        (status = 200, description = "A page of events, or all of them as a Parquet file.", content(
            (OrderPage = "application/json"), (Vec<u8> = "application/vnd.apache.parquet")
        )),
        (status = 404, description = "There is no such backtest.")
    )
)]
pub(crate) async fn orders(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PathKey(id): PathKey<BacktestId>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let rows = rows(&uri)?;
    if wants_parquet(&headers) {
        return parquet(&api, &caller, &id, ResultPart::Events).await;
    }
    let page = rows.of(&api.app.backtest_events(&caller, &id, rows.asked()).await?, OrderEventDto::of);
    let backtest_id = id.to_string();
    Ok(Json(OrderPage { backtest_id, orders: page.items, next_page_token: page.next }).into_response())
}

/// The margin of a backtest's account where it changed.
#[utoipa::path(
    get, path = "/api/v1/backtests/{backtest_id}/margin", tag = "backtests", params(BacktestPath, RowPageParams),
    responses(
        (status = 200, description = "A page of moments, or all of them as a Parquet file.", content(
            (MarginPage = "application/json"), (Vec<u8> = "application/vnd.apache.parquet")
        )),
        (status = 404, description = "There is no such backtest.")
    )
)]
pub(crate) async fn margin(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PathKey(id): PathKey<BacktestId>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let rows = rows(&uri)?;
    if wants_parquet(&headers) {
        return parquet(&api, &caller, &id, ResultPart::Margin).await;
    }
    let currency = api.app.get_backtest(&caller, &id).await?.config.account.currency;
    let points = api.app.backtest_margin(&caller, &id, rows.asked()).await?;
    let page = rows.of(&points, |point| MarginEntry::of(point, currency));
    let backtest_id = id.to_string();
    Ok(Json(MarginPage { backtest_id, margin: page.items, next_page_token: page.next }).into_response())
}

/// The tear sheet of a backtest.
#[utoipa::path(
    get, path = "/api/v1/backtests/{backtest_id}/report", tag = "backtests", params(BacktestPath),
    responses(
        (status = 200, content_type = "text/html", body = String, description = "One file of HTML that loads nothing."),
        (status = 404, description = "There is no such backtest.")
    )
)]
pub(crate) async fn report(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PathKey(id): PathKey<BacktestId>,
) -> Result<Response, Failure> {
    let html = api.app.backtest_report(&caller, &id).await?;
    Ok(([(header::CONTENT_SECURITY_POLICY, REPORT_CSP)], Html(html)).into_response())
}

fn rows(uri: &Uri) -> Result<Rows, Failure> {
    let mut query = Query::new(uri)?;
    let rows = query.rows();
    query.finish()?;
    Ok(rows)
}

fn wants_parquet(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| media_type(range).eq_ignore_ascii_case(PARQUET))
}

async fn parquet(api: &Api, caller: &Caller, id: &BacktestId, part: ResultPart) -> Result<Response, Failure> {
    let bytes = api.app.backtest_parquet(caller, id, part).await?;
    Ok(([(header::CONTENT_TYPE, PARQUET)], bytes).into_response())
}
