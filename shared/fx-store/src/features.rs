//! What other services tell, as one Parquet file a version: `features/{data set}/{pair}/…/{digest}.parquet`.
//!
//! | column | holds |
//! | --- | --- |
//! | `available_at` | when the value could be read for the first time, nanoseconds since 1970 UTC |
//! | `value` | of a feature or a pattern: the number |
//! | `regime` | of a regime: its name |

mod file;

pub use file::{FeatureFileError, read_features};

use crate::Error;
use crate::bars_file::ROW_GROUP_ROWS;
use crate::error::into_store_error;
use crate::manifest::parse_key;
use crate::publish::make_latest;
use crate::table::{Columns, Meaning, Table, TableWriter, Values};
use async_trait::async_trait;
use bytes::Bytes;
use fx_app::ports::{
    BlobStore, Catalog, FEATURE_ROWS_MAX, FeatureColumn, FeatureStore, FeatureValues, Page, PageRequest,
    StoreResult,
};
use fx_app::records::{FeatureKey, FeatureVersion, RECORD_SCHEMA};
use fx_domain::{Digest, UnixNanos};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

const STORE: &str = "features";
const TIME: &str = "available_at";
const NUMBER: &str = "value";
const NAME: &str = "regime";
/// Different names of one regime, at most: they stand in its version.
pub(crate) const REGIME_NAMES_MAX: usize = 64;

/// The features of a blob store, found through a catalogue.
#[derive(Clone)]
pub struct BlobFeatures {
    /// Which version is the latest.
    pub catalog: Arc<dyn Catalog<FeatureVersion>>,
    /// The values.
    pub blobs: Arc<dyn BlobStore>,
}

impl BlobFeatures {
    async fn store(
        &self,
        series: &FeatureKey,
        values: FeatureValues,
        created_at: UnixNanos,
    ) -> Result<FeatureVersion, Error> {
        let (Some(first), Some(last)) = (values.available_at.first(), values.available_at.last()) else {
            return Err(Error::Empty);
        };
        let (first, last, rows) = (*first, *last, values.available_at.len());
        if rows > FEATURE_ROWS_MAX {
            return Err(Error::Limit {
                what: series.to_string(),
                limit: FEATURE_ROWS_MAX as u64,
                unit: "rows",
            });
        }
        let names: BTreeSet<String> = match &values.values {
            FeatureColumn::Numbers(_) => BTreeSet::new(),
            FeatureColumn::Names(names) => names.iter().cloned().collect(),
        };
        if names.len() > REGIME_NAMES_MAX {
            let limit = REGIME_NAMES_MAX as u64;
            return Err(Error::Limit { what: series.to_string(), limit, unit: "names" });
        }
        let encoded = tokio::task::spawn_blocking(move || encode(&values)).await;
        let bytes = encoded.map_err(Error::Background)??;
        let version = Digest::of(&bytes);
        if let Some(known) = self.catalog.version(series, &version).await? {
            return make_latest(known, &*self.catalog).await;
        }
        let blob_key = format!("features/{series}/{version}.parquet");
        self.blobs.put(&parse_key(&blob_key)?, bytes).await?;
        let next = FeatureVersion {
            schema: RECORD_SCHEMA,
            series: series.clone(),
            version,
            blob_key,
            rows: rows as u64,
            first,
            last,
            names: names.into_iter().collect(),
            created_at,
        };
        make_latest(next, &*self.catalog).await
    }

    async fn fetch(&self, version: &FeatureVersion) -> Result<FeatureValues, Error> {
        let key = parse_key(&version.blob_key)?;
        let missing = || Error::corrupt(format!("the values {key} are missing"));
        let bytes = self.blobs.get(&key).await?.ok_or_else(missing)?;
        if Digest::of(&bytes) != version.version {
            return Err(Error::corrupt(format!("the bytes of {key} have another digest")));
        }
        let decoded = tokio::task::spawn_blocking(move || decode(bytes)).await;
        let values = decoded.map_err(Error::Background)??;
        let ascends = values.available_at.windows(2).all(|pair| pair[0] < pair[1]);
        if ascends && values.available_at.len() as u64 == version.rows {
            Ok(values)
        } else {
            Err(Error::corrupt(format!("the values {key} are not those of their version")))
        }
    }
}

fn encode(values: &FeatureValues) -> Result<Bytes, Error> {
    let columns = |rows: Range<usize>| -> Columns {
        let times = values.available_at[rows.clone()].iter().map(|at| at.get()).collect();
        let column = match &values.values {
            FeatureColumn::Numbers(numbers) => (NUMBER, Values::Number(numbers[rows].to_vec())),
            FeatureColumn::Names(names) => (NAME, Values::Owned(names[rows].to_vec())),
        };
        vec![(TIME, Values::Integer(Meaning::Timestamp, times)), column]
    };
    let mut writer = TableWriter::new(&columns(0..0), &[])?;
    for start in (0..values.available_at.len()).step_by(ROW_GROUP_ROWS) {
        writer.write(&columns(start..values.available_at.len().min(start + ROW_GROUP_ROWS)))?;
    }
    writer.finish()
}

fn decode(bytes: Bytes) -> Result<FeatureValues, Error> {
    let table = Table::open(bytes, 0..usize::MAX)?;
    let available_at = table.integers(TIME)?.into_iter().map(UnixNanos::new).collect();
    let values = if table.has(NAME) {
        FeatureColumn::Names(table.texts(NAME)?)
    } else {
        FeatureColumn::Numbers(table.numbers(NUMBER)?)
    };
    Ok(FeatureValues { available_at, values })
}

#[async_trait]
impl FeatureStore for BlobFeatures {
    async fn put(
        &self,
        series: &FeatureKey,
        values: FeatureValues,
        created_at: UnixNanos,
    ) -> StoreResult<FeatureVersion> {
        self.store(series, values, created_at).await.map_err(|error| into_store_error(STORE, error))
    }

    async fn describe(&self, series: &FeatureKey) -> StoreResult<Option<FeatureVersion>> {
        self.catalog.latest(series).await
    }

    async fn load(&self, version: &FeatureVersion) -> StoreResult<FeatureValues> {
        self.fetch(version).await.map_err(|error| into_store_error(STORE, error))
    }

    async fn list(&self, page: &PageRequest) -> StoreResult<Page<FeatureVersion>> {
        self.catalog.list(page).await
    }
}
