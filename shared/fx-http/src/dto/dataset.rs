//! Data sets on the wire.

use fx_app::records::{FeatureKey, FeatureVersion, SeriesVersion};
use fx_domain::QuoteSide;
use serde::Serialize;
use utoipa::ToSchema;

/// The latest version of a series of bars.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DatasetDto {
    /// The source.
    dataset: String,
    /// The pair.
    instrument: String,
    /// The bars' length.
    timeframe: &'static str,
    /// Digest of the content, as `data_version` in a backtest.
    version: String,
    /// `bid`, `ask`, `mid`, or `both`.
    #[schema(pattern = "^(bid|ask|mid|both)$")]
    side: &'static str,
    /// How many bars.
    bars: u64,
    /// Open time of the first bar.
    #[schema(format = DateTime)]
    first: String,
    /// Open time of the last bar.
    #[schema(format = DateTime)]
    last: String,
    /// Stretches without bars longer than one bar, weekends included.
    gaps: u64,
    /// Whether the bars were generated, not traded.
    synthetic: bool,
    /// When it was imported.
    #[schema(format = DateTime)]
    created_at: String,
}

impl DatasetDto {
    pub(crate) fn of(version: &SeriesVersion) -> Self {
        Self {
            dataset: version.series.dataset.to_string(),
            instrument: version.series.instrument.to_string(),
            timeframe: version.series.granularity.as_str(),
            version: version.version.to_string(),
            side: match version.side {
                None => "both",
                Some(QuoteSide::Bid) => "bid",
                Some(QuoteSide::Ask) => "ask",
                Some(QuoteSide::Mid) => "mid",
            },
            bars: version.rows,
            first: version.first.to_string(),
            last: version.last.to_string(),
            gaps: version.gaps,
            synthetic: version.synthetic,
            created_at: version.created_at.to_string(),
        }
    }
}

/// Which feature.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeatureNameDto {
    /// The data set whose bars it goes with.
    dataset: String,
    /// The pair.
    instrument: String,
    /// `feature`, `pattern` or `regime`.
    #[schema(pattern = "^(feature|pattern|regime)$")]
    kind: &'static str,
    /// The name of a feature or a pattern; absent of a regime.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The length of the bars that a pattern or a regime is of; absent of a feature.
    #[serde(skip_serializing_if = "Option::is_none")]
    timeframe: Option<&'static str>,
}

impl FeatureNameDto {
    pub(crate) fn of(key: &FeatureKey) -> Self {
        Self {
            dataset: key.dataset.to_string(),
            instrument: key.instrument.to_string(),
            kind: key.told.kind(),
            name: key.told.name().map(str::to_owned),
            timeframe: key.told.timeframe().map(|timeframe| timeframe.as_str()),
        }
    }
}

/// The latest version of a feature.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeatureDto {
    #[serde(flatten)]
    of: FeatureNameDto,
    /// Digest of the values.
    version: String,
    /// How many values.
    values: u64,
    /// When the first was available.
    #[schema(format = DateTime)]
    first: String,
    /// When the last was available.
    #[schema(format = DateTime)]
    last: String,
    /// The names that a regime takes; absent of numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
    /// When it was imported.
    #[schema(format = DateTime)]
    created_at: String,
}

impl FeatureDto {
    pub(crate) fn of(version: &FeatureVersion) -> Self {
        Self {
            of: FeatureNameDto::of(&version.series),
            version: version.version.to_string(),
            values: version.rows,
            first: version.first.to_string(),
            last: version.last.to_string(),
            names: version.names.clone(),
            created_at: version.created_at.to_string(),
        }
    }
}

/// A page of features.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeaturePage {
    /// The features.
    pub(crate) features: Vec<FeatureDto>,
    /// Where to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page_token: Option<String>,
}

/// A page of data sets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DatasetPage {
    /// The data sets.
    pub(crate) datasets: Vec<DatasetDto>,
    /// Where to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page_token: Option<String>,
}

/// The data sets of one pair.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InstrumentDatasets {
    /// The pair.
    pub(crate) instrument: String,
    /// Its data sets.
    pub(crate) datasets: Vec<DatasetDto>,
}
