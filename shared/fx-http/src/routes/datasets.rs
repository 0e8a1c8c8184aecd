//! What bars there are.

use super::Api;
use crate::dto::{DatasetDto, DatasetPage, FeatureDto, FeaturePage, InstrumentDatasets};
use crate::failure::Failure;
use crate::input::{InstrumentPath, PageParams, PathKey, Query};
use axum::Json;
use axum::extract::State;
use fx_app::ports::{PAGE_SIZE_MAX, PageRequest};
use fx_domain::{ErrorKind, Instrument};
use http::Uri;
use std::sync::Arc;

/// Pages of the catalogue that one search of a pair reads, at most.
const SEARCH_PAGES_MAX: usize = 100;

/// The data sets, by key.
#[utoipa::path(
    get, path = "/api/v1/datasets", tag = "datasets", params(PageParams),
    responses((status = 200, body = DatasetPage, description = "A page of data sets."))
)]
pub(crate) async fn list(State(api): State<Arc<Api>>, uri: Uri) -> Result<Json<DatasetPage>, Failure> {
    let mut query = Query::new(&uri)?;
    let page = query.page();
    query.finish()?;
    let found = api.app.list_series(&page).await?;
    let datasets = found.items.iter().map(DatasetDto::of).collect();
    Ok(Json(DatasetPage { datasets, next_page_token: found.next }))
}

/// What other services told of pairs, by key.
#[utoipa::path(
    get, path = "/api/v1/features", tag = "datasets", params(PageParams),
    responses((status = 200, body = FeaturePage, description = "A page of features."))
)]
pub(crate) async fn features(State(api): State<Arc<Api>>, uri: Uri) -> Result<Json<FeaturePage>, Failure> {
    let mut query = Query::new(&uri)?;
    let page = query.page();
    query.finish()?;
    let found = api.app.list_features(&page).await?;
    let features = found.items.iter().map(FeatureDto::of).collect();
    Ok(Json(FeaturePage { features, next_page_token: found.next }))
}

/// The data sets of one pair, whatever their source and timeframe.
#[utoipa::path(
    get, path = "/api/v1/datasets/{instrument}", tag = "datasets", params(InstrumentPath),
    responses(
        (status = 200, body = InstrumentDatasets, description = "The data sets."),
        (status = 404, description = "There are no bars of the pair.")
    )
)]
pub(crate) async fn of_instrument(
    State(api): State<Arc<Api>>,
    PathKey(instrument): PathKey<Instrument>,
) -> Result<Json<InstrumentDatasets>, Failure> {
    let mut page = PageRequest { size: PAGE_SIZE_MAX, after: None };
    let mut datasets = Vec::new();
    for _ in 0..SEARCH_PAGES_MAX {
        let found = api.app.list_series(&page).await?;
        let of_pair = found.items.iter().filter(|version| version.series.instrument == instrument);
        datasets.extend(of_pair.map(DatasetDto::of));
        match found.next {
            Some(next) => page.after = Some(next),
            None if datasets.is_empty() => {
                return Err(Failure::new(ErrorKind::NotFound, format!("no bars of {instrument} found")));
            }
            None => return Ok(Json(InstrumentDatasets { instrument: instrument.to_string(), datasets })),
        }
    }
    let message = "there are too many data sets to search: list them by page";
    Err(Failure::new(ErrorKind::BacktestData, message))
}
